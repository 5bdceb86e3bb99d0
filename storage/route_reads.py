"""What routing asks of the database: whose phone is whose, what is open and who spoke with a caller last.

All of it through one connection, as the dialplan waits for the answer. Nothing here writes.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, or_, select

from storage.account_tables import users
from storage.database import Database
from storage.reads import open_tickets_query
from storage.seats import sitting
from storage.tables import call_agents, calls
from storage.ticket_rows import as_ticket
from telephony.call import Outcome
from telephony.routing import Talk
from tickets.ticket import Ticket

MOST_ROWS = 20  # of tickets, and of agents in the caller's last calls; the newest few are what counts


@dataclass(frozen=True, slots=True)
class PhoneOf:
    """An active user who can be rung now, and where."""

    login: str
    name: str
    extension: str


@dataclass(frozen=True, slots=True)
class Remembered:
    """Where everybody can be rung; the caller's open tickets, and last talks, newest first, where they sit now."""

    phones: tuple[PhoneOf, ...]
    tickets: tuple[Ticket, ...]
    talks: tuple[Talk, ...]


class RouteReads:
    """Reads for routing. All methods raise StorageError."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def remembered(
        self, customer_id: str | None, e164: str | None, *, line: str, since: float, now: float
    ) -> Remembered:
        """All phones; open tickets on a line and talks since then (epoch seconds) of a customer or number.

        Who is logged in is rung where they sit; others at their own phone, unless somebody else sits there. A talk is
        of whoever sat at that phone then, wherever that is now; they are left out where they are at no phone.

        Talks are those of answered calls. A known customer's talks are those of that customer, and of calls from the
        same number whose caller nobody recognised; not those of another customer behind the same switchboard.
        """
        return await self._db.look(lambda conn: _remembered(conn, (customer_id, e164), line, since, now))


def _remembered(
    conn: Connection, who: tuple[str | None, str | None], line: str, since: float, now: float
) -> Remembered:
    customer_id, e164 = who
    phones = _phones(conn, now)
    open_tickets = open_tickets_query(customer_id, e164, line, MOST_ROWS)
    if open_tickets is None:
        return Remembered(phones, (), ())
    tickets = tuple(as_ticket(row) for row in conn.execute(open_tickets))
    sits = {phone.login: phone.extension for phone in phones}
    last: dict[int, Talk | None] = {}
    for call_id, agent, login, talked, ended in conn.execute(_spoke(customer_id, e164, since)):
        where = agent if login is None else sits.get(login)
        last.setdefault(call_id, None if where is None else Talk(where, max(0.0, (ended or talked) - talked)))
    return Remembered(phones, tickets, tuple(talk for talk in last.values() if talk is not None))


def _phones(conn: Connection, now: float) -> tuple[PhoneOf, ...]:
    seated: dict[str, PhoneOf] = {}
    taken: dict[str, str] = {}  # phones, and who sat down there last
    for row in conn.execute(sitting(now)):
        seated.setdefault(row.login, PhoneOf(row.login, row.name, row.extension))
        taken.setdefault(row.extension, row.login)
    others = (PhoneOf(*row) for row in conn.execute(_OWN_PHONES))
    free = {one.login: one for one in others if one.login not in seated and one.extension not in taken}
    return tuple(phone for _, phone in sorted((free | seated).items()))


_OWN_PHONES = select(users.c.login, users.c.name, users.c.extension).where(
    users.c.active.is_(True), users.c.extension.is_not(None)
)


def _spoke(customer_id: str | None, e164: str | None, since: float) -> Select[Any]:
    """Who talked in the caller's answered calls, the last call and the last to begin first."""
    same: list[ColumnElement[bool]] = []
    if customer_id is not None:
        same.append(calls.c.customer_id == customer_id)
    if e164 is not None:
        number = calls.c.e164 == e164
        same.append(number if customer_id is None else and_(number, calls.c.customer_id.is_(None)))
    return (
        select(calls.c.id, call_agents.c.agent, call_agents.c.login, call_agents.c.talked, calls.c.ended)
        .join_from(calls, call_agents)
        .where(
            or_(*same),
            calls.c.arrived >= since,
            calls.c.outcome == Outcome.ANSWERED.value,
            call_agents.c.talked.is_not(None),
        )
        .order_by(calls.c.arrived.desc(), call_agents.c.talked.desc(), call_agents.c.id.desc())
        .limit(MOST_ROWS)
    )
