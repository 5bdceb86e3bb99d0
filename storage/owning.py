"""Whose a ticket is when nobody said so: the first agent's who spoke with the caller. Private to the ledger."""

from typing import Any

from sqlalchemy import Connection, Row, bindparam, select

from storage.once import update_by_id
from storage.plain import plain
from storage.records import TimelineKind
from storage.tables import call_agents, tickets
from storage.ticket_rows import add_timeline

_OWN_TICKET = update_by_id(tickets).where(tickets.c.owner.is_(None))
_WHO_SAT = select(call_agents.c.login).where(
    call_agents.c.call_id == bindparam("call"), call_agents.c.agent == bindparam("agent")
)


def own(conn: Connection, call: Row[Any], ticket_id: int, agent: str, now: float) -> None:
    """The first agent who answers owns an unowned ticket: who sat at that phone, where that is known."""
    login = conn.execute(_WHO_SAT, {"call": call.id, "agent": plain(agent, 64)}).scalar()
    if login is not None and conn.execute(_OWN_TICKET, {"the_id": ticket_id, "owner": login}).rowcount:
        add_timeline(conn, ticket_id, TimelineKind.OWNER, now, call_id=call.id, detail={"owner": login})
