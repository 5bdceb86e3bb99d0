"""Where a call shall go: what the dialplan is told when it asks. Pure rules, and the words the dialplan reads.

The queue is the line's, or that of the menu key pressed. Before it, one phone may be tried: of the colleague who has
the caller's open ticket, of the one who looks after this customer, of the one who spoke with the caller last, in the
order the line prefers. Whether that colleague is there nobody knows for sure: a phone that is in one of our own calls
is passed over, the rest is for the dialplan, which tries the phone for some seconds and goes on to the queue.

Must not know what a call, a customer or a ticket is: their owners become extensions before they come here. What goes
out goes into dialplan applications (``Dial``, ``Queue``, ``Playback``), so nothing a caller sent is ever part of it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

GOOD_TALK = 10.0  # seconds; who was gone sooner than this did not really speak with the caller

_EXTENSION = re.compile(r"[0-9]{2,10}")


class RouteReason(StrEnum):
    """Why a call goes where it goes."""

    TICKET_OWNER = "ticket_owner"  # the phone of who has the open ticket
    KEY_ACCOUNT = "key_account"  # of who looks after the customer
    LAST_AGENT = "last_agent"  # of who spoke with the caller last
    MENU = "menu"  # nobody in particular; the key pressed
    LINE = "line"  # nobody in particular; the line's queue
    LATE = "late"  # who is calling was not known in time: the same queue, nobody in particular
    UNKNOWN_LINE = "unknown_line"  # none of our numbers: the dialplan goes on by itself


@dataclass(frozen=True, slots=True)
class LinePlan:
    """What a line's owner wants. ``menu``: queues by the key pressed; ``dial``: the interface of an ``{extension}``.

    Priorities are Asterisk's (higher is served first); announcements are sounds of the PBX.
    """

    queue: str | None = None
    menu: Mapping[str, str] = field(default_factory=dict)
    prefer: tuple[RouteReason, ...] = (RouteReason.TICKET_OWNER, RouteReason.KEY_ACCOUNT, RouteReason.LAST_AGENT)
    priority: int = 0
    vip_priority: int = 10
    announcement: str | None = None
    vip_announcement: str | None = None
    dial: str = "PJSIP/{extension}"


@dataclass(frozen=True, slots=True)
class Talk:
    """An agent was the last to speak with the caller in one call, for so many seconds."""

    agent: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Background:
    """What is known of the caller, as extensions. ``talks`` newest first; ``busy``: phones in a call of ours now.

    ``whole``: nothing that was asked stayed unanswered.
    """

    ticket_owner: str | None = None
    key_account: str | None = None
    talks: tuple[Talk, ...] = ()
    vip: bool = False
    busy: frozenset[str] = frozenset()
    whole: bool = True


@dataclass(frozen=True, slots=True)
class Route:
    """The answer. ``agent`` is an extension and ``dial`` its interface, both or neither; None: nothing to say."""

    reason: RouteReason
    queue: str | None = None
    priority: int = 0
    agent: str | None = None
    dial: str | None = None
    announcement: str | None = None


UNKNOWN_LINE = Route(RouteReason.UNKNOWN_LINE)


def decide(plan: LinePlan, menu: str | None, known: Background) -> Route:
    """Where a call goes. Always answers: without knowledge of the caller, with the line's queue."""
    agent, reason = _preferred(plan, known)
    by_key = None if menu is None else plan.menu.get(menu)
    if reason is None:
        reason = RouteReason.LATE if not known.whole else RouteReason.MENU if by_key else RouteReason.LINE
    return Route(
        reason=reason,
        queue=by_key or plan.queue,
        priority=plan.vip_priority if known.vip else plan.priority,
        agent=agent,
        dial=None if agent is None else plan.dial.replace("{extension}", agent),
        announcement=(plan.vip_announcement if known.vip else None) or plan.announcement,
    )


def words(route: Route) -> dict[str, str]:
    """The answer as the dialplan reads it: every word every time, empty where there is nothing to say.

    A second question in the same call so leaves nothing of the first answer behind.
    """
    return {
        "queue": route.queue or "",
        "priority": str(route.priority),
        "agent": route.agent or "",
        "dial": route.dial or "",
        "announce": route.announcement or "",
        "reason": route.reason.value,
    }


def variables(route: Route) -> dict[str, str]:
    """The answer as channel variables, ``HOTLINE_REASON`` last: when that is set, all are."""
    return {f"HOTLINE_{name.upper()}": value for name, value in words(route).items()}


def _preferred(plan: LinePlan, known: Background) -> tuple[str | None, RouteReason | None]:
    """The first preference with a phone that may be free."""
    good = next((talk.agent for talk in known.talks if talk.seconds >= GOOD_TALK), None)
    phones = {
        RouteReason.TICKET_OWNER: known.ticket_owner,
        RouteReason.KEY_ACCOUNT: known.key_account,
        RouteReason.LAST_AGENT: good,
    }
    for reason in plan.prefer:
        agent = phones.get(reason)
        if agent is not None and _EXTENSION.fullmatch(agent) and agent not in known.busy:
            return agent, reason
    return None, None
