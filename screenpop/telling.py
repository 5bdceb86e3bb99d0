"""Word to open pages that a ticket changed: to the lists of who may see all tickets, and to the desks of who talked.

An agent has the form of a call's ticket open while they work on it; what a machine or a colleague adds meanwhile is
fetched at this word. It says which ticket and which call, nothing of what is in them.
"""

from collections.abc import Iterable

from screenpop.desk import topic
from storage.fanout import Fanout
from storage.pages import CallItem
from telephony.call import CallKey

TICKETS = "tickets"
DESKS_TOLD = 8  # agents; a ticket of a hundred calls does not wake a hundred desks


def agents_of(calls: Iterable[CallItem]) -> tuple[str, ...]:
    """The extensions that talked in some calls, each once, those of the first calls first."""
    return tuple(dict.fromkeys(agent for call in calls for agent in call.agents))[:DESKS_TOLD]


async def ticket_changed(
    fanout: Fanout, ticket: int | None, call: CallKey | None = None, agents: Iterable[str] = ()
) -> None:
    """Say that a ticket, or what is known of its call, is not what it was."""
    said = {"type": "ticket", "id": ticket} | ({} if call is None else {"call": str(call)})
    for name in (TICKETS, *map(topic, agents)):
        await fanout.publish(name, said)
