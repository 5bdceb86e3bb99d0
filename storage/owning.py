"""Whose a ticket is when nobody said so: the first agent's who spoke with the caller. Private to the ledger."""

from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, select

from storage.account_tables import users
from storage.once import update_by_id
from storage.plain import plain
from storage.records import TimelineKind
from storage.tables import tickets
from storage.ticket_rows import add_timeline

_OWN_TICKET = update_by_id(tickets).where(tickets.c.owner.is_(None))
_ONLY_LOGIN = (
    select(func.min(users.c.login))
    .where(users.c.extension == bindparam("agent"), users.c.active.is_(True))
    .having(func.count() == 1)
)


def own(conn: Connection, call: Row[Any], ticket_id: int, agent: str, now: float) -> None:
    """The first agent who answers owns an unowned ticket, when exactly one login has that extension."""
    login = conn.execute(_ONLY_LOGIN, {"agent": plain(agent, 64)}).scalar()
    if login is not None and conn.execute(_OWN_TICKET, {"the_id": ticket_id, "owner": login}).rowcount:
        add_timeline(conn, ticket_id, TimelineKind.OWNER, now, call_id=call.id, detail={"owner": login})
