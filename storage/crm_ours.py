"""Our side of a comparison with a CRM: which tickets, calls and customers should be found there, and how they stand.

Nothing here writes. Times are epoch seconds. All methods raise StorageError.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, false, func, or_, select, union

from crm.connector import Of, Status
from storage.choosing import ENTERED
from storage.crm_ref import CrmRef, RefState
from storage.crm_ref_rows import as_ref
from storage.crm_ref_tables import crm_refs
from storage.database import Database
from storage.job_tables import jobs
from storage.jobs import JobState
from storage.tables import calls, tickets
from storage.ticket_rows import OPEN
from telephony.call import CallKey

PAGE = 100
_UNDONE = (JobState.READY.value, JobState.RUNNING.value)


@dataclass(frozen=True, slots=True)
class TicketSide:
    """A ticket of ours and its record there as we know it.

    ``waits``: a job has yet to bring it in line; ``refused``: why that job was given up.
    """

    id: int
    number: str
    status: Status
    caller: str | None
    customer_id: str | None
    ref: CrmRef | None
    waits: bool
    refused: str | None


@dataclass(frozen=True, slots=True)
class CallSide:
    """A call of ours and its note there as we know it. ``row``: the call's number in our own table."""

    row: int
    call: CallKey
    customer_id: str | None
    ticket: tuple[int, str] | None
    ref: CrmRef | None
    waits: bool
    refused: str | None


@dataclass(frozen=True, slots=True)
class MoveSide:
    """A note there on a move of a ticket's status; ``number`` and ``customer_id`` are the ticket's."""

    ref: CrmRef
    ticket_id: int
    number: str
    customer_id: str | None
    waits: bool
    refused: str | None


@dataclass(frozen=True, slots=True)
class CustomerSide:
    """A customer that tickets and calls of ours name. ``named``: (name, VIP); ``callers``: of its open tickets."""

    id: str
    named: frozenset[tuple[str, bool]]
    callers: frozenset[str]
    open: bool


@dataclass(frozen=True, slots=True)
class Scope:
    """Which records are compared: made or changed since then, and whatever is open.

    ``kept_since``: since when our calls are written into this CRM at all; those before need not be there.
    """

    since: float
    kept_since: float | None


class CrmOurs:
    """Reads our side. ``calls``, ``tickets``: kinds of the jobs that write them to the CRM."""

    def __init__(self, db: Database, *, calls: str, tickets: str) -> None:
        self._db, self._calls, self._tickets = db, calls, tickets

    async def kept_since(self) -> float | None:
        """When the first record was written to the CRM; None: none ever was."""
        query = select(func.min(crm_refs.c.made))
        found: float | None = await self._db.look(lambda conn: conn.execute(query).scalar())
        return found

    async def counts(self, scope: Scope) -> Mapping[str, int]:
        """How many tickets, calls, moves and customers are to be compared."""
        parts = {
            "tickets": _in_tickets(scope),
            "calls": _in_calls(scope),
            "moves": _in_moves(scope),
            "customers": _in_customers(scope),
        }

        def look(conn: Connection) -> Mapping[str, int]:
            queries = {name: select(func.count()).select_from(part.subquery()) for name, part in parts.items()}
            return {name: conn.execute(query).scalar_one() for name, query in queries.items()}

        return await self._db.look(look)

    async def tickets(self, scope: Scope, after: int, limit: int = PAGE) -> Sequence[TicketSide]:
        """Tickets by their ids, behind ``after``."""
        query = _in_tickets(scope).where(tickets.c.id > after).order_by(tickets.c.id).limit(limit)
        return await self._db.look(lambda conn: self._ticket_sides(conn, query))

    async def ticket(self, ticket_id: int) -> TicketSide | None:
        """One ticket."""
        query = _TICKETS.where(tickets.c.id == ticket_id)
        return next(iter(await self._db.look(lambda conn: self._ticket_sides(conn, query))), None)

    async def calls(self, scope: Scope, after: int, limit: int = PAGE) -> Sequence[CallSide]:
        """Calls in the order they were written, behind ``after``."""
        query = _in_calls(scope).where(calls.c.id > after).order_by(calls.c.id).limit(limit)
        return await self._db.look(lambda conn: self._call_sides(conn, query))

    async def call(self, key: CallKey) -> CallSide | None:
        """One call."""
        query = _CALLS.where(calls.c.key == str(key))
        return next(iter(await self._db.look(lambda conn: self._call_sides(conn, query))), None)

    async def moves(self, scope: Scope, after: str, limit: int = PAGE) -> Sequence[MoveSide]:
        """Notes on moves by key, behind ``after``."""
        query = _in_moves(scope).where(crm_refs.c.key > after).order_by(crm_refs.c.key).limit(limit)
        return await self._db.look(lambda conn: self._move_sides(conn, query))

    async def move(self, key: str) -> MoveSide | None:
        """One of them."""
        query = _MOVES.where(crm_refs.c.key == key)
        return next(iter(await self._db.look(lambda conn: self._move_sides(conn, query))), None)

    async def customers(self, scope: Scope, after: str, limit: int = PAGE) -> Sequence[CustomerSide]:
        """Customers by id, behind ``after``."""
        parts = [
            part.where(whose > after).distinct().order_by(whose).limit(limit).subquery()
            for whose, part in _of_customers(scope)
        ]
        both = union(*(select(part.c.customer_id) for part in parts)).subquery()
        query = select(both.c.customer_id).order_by(both.c.customer_id).limit(limit)  # in the database's own order

        def look(conn: Connection) -> Sequence[CustomerSide]:
            return _customer_sides(conn, list(conn.execute(query).scalars()))

        return await self._db.look(look)

    async def customer(self, customer_id: str) -> CustomerSide:
        """One of them."""
        return (await self._db.look(lambda conn: _customer_sides(conn, [customer_id])))[0]

    async def owned(self, ids: Collection[str]) -> frozenset[str]:
        """Which of these tickets there are records of ours."""
        query = select(crm_refs.c.id).where(crm_refs.c.of == Of.TICKET.value, crm_refs.c.id.in_(sorted(set(ids))))
        return frozenset(await self._db.look(lambda conn: list(conn.execute(query).scalars())))

    async def tickets_of(self, customer_id: str) -> Sequence[TicketSide]:
        """The open tickets of a customer."""
        query = _TICKETS.where(tickets.c.customer_id == customer_id, tickets.c.status.in_(OPEN))
        return await self._db.look(lambda conn: self._ticket_sides(conn, query.order_by(tickets.c.id)))

    def _ticket_sides(self, conn: Connection, query: Select[Any]) -> Sequence[TicketSide]:
        rows = conn.execute(query).all()
        ids = [row.id for row in rows]
        which = (crm_refs.c.of == Of.TICKET.value) & crm_refs.c.ticket_id.in_(ids)
        refs = {ref.ticket_id: ref for ref in _refs(conn, which)}
        waiting, refused = _unsettled(conn, self._tickets, (str(each) for each in ids))
        return [
            TicketSide(
                row.id,
                row.number,
                Status(row.status),
                row.caller,
                row.customer_id,
                refs.get(row.id),
                str(row.id) in waiting,
                refused.get(str(row.id)),
            )
            for row in rows
        ]

    def _call_sides(self, conn: Connection, query: Select[Any]) -> Sequence[CallSide]:
        rows = conn.execute(query).all()
        keys = [row.key for row in rows]
        refs = {str(ref.call): ref for ref in _refs(conn, crm_refs.c.call.in_(keys))}
        waiting, refused = _unsettled(conn, self._calls, keys)
        return [
            CallSide(
                row.id,
                CallKey.parse(row.key),
                row.customer_id,
                None if row.ticket_id is None else (row.ticket_id, row.ticket_number),
                refs.get(row.key),
                row.key in waiting,
                refused.get(row.key),
            )
            for row in rows
        ]

    def _move_sides(self, conn: Connection, query: Select[Any]) -> Sequence[MoveSide]:
        rows = conn.execute(query).all()
        waiting, refused = _unsettled(conn, self._tickets, (str(row.ticket_id) for row in rows))
        return [
            MoveSide(
                as_ref(row),
                row.ticket_id,
                row.number,
                row.whose,
                str(row.ticket_id) in waiting,
                refused.get(str(row.ticket_id)),
            )
            for row in rows
        ]


_TICKETS = select(tickets.c.id, tickets.c.number, tickets.c.status, tickets.c.caller, tickets.c.customer_id)
_CALLS = select(calls.c.id, calls.c.key, calls.c.customer_id, calls.c.ticket_id, calls.c.ticket_number)
_MOVES = (
    select(*crm_refs.c, tickets.c.number, tickets.c.customer_id.label("whose"))
    .join_from(crm_refs, tickets, crm_refs.c.ticket_id == tickets.c.id)
    .where(crm_refs.c.of == Of.NOTE.value, crm_refs.c.call.is_(None))
)


def _in_tickets(scope: Scope) -> Select[Any]:
    """Those with a record there, and those of a known customer that ought to have one."""
    there = select(crm_refs.c.key).where(crm_refs.c.ticket_id == tickets.c.id, crm_refs.c.of == Of.TICKET.value)
    return _TICKETS.where(
        or_(tickets.c.changed >= scope.since, tickets.c.status.in_(OPEN)),
        or_(there.exists(), _ought(tickets.c.customer_id, tickets.c.opened, scope)),
    )


def _in_calls(scope: Scope) -> Select[Any]:
    """The same of calls: a note is written from the answer or the end on."""
    there = select(crm_refs.c.key).where(crm_refs.c.call == calls.c.key)
    begun = calls.c.ticket_id.is_not(None) & or_(calls.c.answered.is_not(None), calls.c.ended.is_not(None))
    ought = _ought(calls.c.customer_id, calls.c.arrived, scope) & begun
    return _CALLS.where(calls.c.arrived >= scope.since, or_(there.exists(), ought))


def _in_moves(scope: Scope) -> Select[Any]:
    return _MOVES.where(crm_refs.c.made >= scope.since)


def _in_customers(scope: Scope) -> Any:
    return union(*(part for _, part in _of_customers(scope)))


def _of_customers(scope: Scope) -> Sequence[tuple[ColumnElement[Any], Select[Any]]]:
    """Whom tickets name, and whom calls."""
    of_tickets = select(tickets.c.customer_id).where(
        _theirs(tickets.c.customer_id), or_(tickets.c.changed >= scope.since, tickets.c.status.in_(OPEN))
    )
    of_calls = select(calls.c.customer_id).where(_theirs(calls.c.customer_id), calls.c.arrived >= scope.since)
    return (tickets.c.customer_id, of_tickets), (calls.c.customer_id, of_calls)


def _ought(customer: ColumnElement[Any], at: ColumnElement[Any], scope: Scope) -> ColumnElement[bool]:
    """Whether a record of ours ought to be there though it never was."""
    if scope.kept_since is None:
        return false()
    return _theirs(customer) & (at >= scope.kept_since)


def _theirs(customer: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether it is a customer that the CRM knows: not one that people entered here."""
    return customer.is_not(None) & customer.not_like(f"{ENTERED}%")


def _customer_sides(conn: Connection, ids: Sequence[str]) -> Sequence[CustomerSide]:
    named: dict[str, set[tuple[str, bool]]] = {each: set() for each in ids}
    callers: dict[str, set[str]] = {each: set() for each in ids}
    opened: set[str] = set()
    for table in (tickets, calls):
        names = select(table.c.customer_id, table.c.customer_name, table.c.vip).where(table.c.customer_id.in_(ids))
        for row in conn.execute(names.distinct()):
            named[row.customer_id].add((row.customer_name or "", row.vip))
    query = select(tickets.c.customer_id, tickets.c.caller).where(
        tickets.c.customer_id.in_(ids), tickets.c.status.in_(OPEN)
    )
    for customer_id, caller in conn.execute(query):
        opened.add(customer_id)
        if caller is not None:
            callers[customer_id].add(caller)
    return [CustomerSide(each, frozenset(named[each]), frozenset(callers[each]), each in opened) for each in ids]


def _refs(conn: Connection, which: ColumnElement[bool]) -> Iterable[CrmRef]:
    """Records there, without those whose very first write has not ended."""
    refs = [as_ref(row) for row in conn.execute(select(crm_refs).where(which))]
    return [ref for ref in refs if ref.state is not RefState.BEGUN or ref.id is not None]


def _unsettled(conn: Connection, kind: str, keys: Iterable[str]) -> tuple[frozenset[str], dict[str, str]]:
    """Which of these have a job that is not done yet, and which one that was given up, with what it said last."""
    states = [*_UNDONE, JobState.DEAD.value]
    query = select(jobs.c.key, jobs.c.state, jobs.c.error).where(
        jobs.c.kind == kind, jobs.c.key.in_(sorted(set(keys))), jobs.c.state.in_(states)
    )
    rows = conn.execute(query).all()
    dead = {row.key: (row.error or "").strip().splitlines() for row in rows if row.state == JobState.DEAD}
    waiting = frozenset(row.key for row in rows if row.state != JobState.DEAD)
    return waiting, {key: lines[-1] if lines else "?" for key, lines in dead.items()}
