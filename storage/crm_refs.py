"""Which record of the CRM is which of ours: found again after a restart, and no write whose outcome nobody knows.

A write is begun before it is sent and ended when the answer came. What was begun and never ended is looked up in the
CRM by its key first. Two workers may meet on one key (one slept past its lease): each takes the turn when it begins,
and only the one that took it last may say how it went; the other hears that and has the work done once more.

A row is all that is known of a record there: it holds no call facts and no customer data. Times are epoch seconds.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from secrets import token_hex
from typing import Any

from sqlalchemy import Connection, Delete, Select, bindparam, delete, func, select, update

from crm.connector import Of, Ref, Status
from storage.crm_ref import CrmRef, RefState
from storage.crm_ref_rows import as_ref, ref_of_ticket
from storage.crm_ref_tables import crm_ref_feeds, crm_refs
from storage.database import Database
from storage.jobs import add_job
from storage.metadata import Moment
from storage.once import insert_into
from storage.plain import plain
from storage.records import NewJob
from telephony.call import CallKey

LONGEST_TEXT = 2000
CHUNK = 500  # records asked for in one question


@dataclass(frozen=True, slots=True)
class Turn:
    """A write that was begun: ``before`` is what was known then, None for a new record."""

    key: str
    token: str
    before: CrmRef | None


_TURN = (crm_refs.c.key == bindparam("the_key")) & (crm_refs.c.turn == bindparam("the_turn"))
_IF_LAST = update(crm_refs).where(_TURN)
_BY_KEY = select(crm_refs).where(crm_refs.c.key == bindparam("the_key"))


class CrmRefs:
    """Keeps the references. All methods raise StorageError."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def get(self, key: str) -> CrmRef | None:
        """The record of a key."""
        return await self._one(_BY_KEY.params(the_key=key))

    async def of_ticket(self, ticket_id: int) -> CrmRef | None:
        """The record of a ticket of ours."""
        return await self._one(ref_of_ticket(ticket_id))

    async def of_call(self, call: CallKey) -> CrmRef | None:
        """The note of a call."""
        return await self._one(select(crm_refs).where(crm_refs.c.call == str(call)).limit(1))

    async def moves_of(self, ticket_id: int) -> Mapping[str, CrmRef]:
        """The notes on a ticket's moves, by key."""
        query = select(crm_refs).where(crm_refs.c.ticket_id == ticket_id, crm_refs.c.of == Of.NOTE.value)
        return {ref.key: ref for ref in await self._many(query)}

    async def of_records(self, of: Of, ids: Collection[str]) -> Mapping[str, CrmRef]:
        """Those of these records of theirs that are ours, by their id."""
        found: dict[str, CrmRef] = {}
        wanted = sorted(set(ids))
        for start in range(0, len(wanted), CHUNK):
            some = wanted[start : start + CHUNK]
            query = select(crm_refs).where(crm_refs.c.of == of.value, crm_refs.c.id.in_(some))
            found |= {ref.id: ref for ref in await self._many(query) if ref.id is not None}
        return found

    async def page(self, of: Of | None = None, after: str = "", limit: int = 500) -> Sequence[CrmRef]:
        """All records by key, behind the key ``after``."""
        query = select(crm_refs).where(crm_refs.c.key > after).order_by(crm_refs.c.key).limit(limit)
        return await self._many(query if of is None else query.where(crm_refs.c.of == of.value))

    async def counts(self) -> Mapping[str, int]:
        """How many records there are by state, and how many are in ``trouble``."""

        def count(conn: Connection) -> dict[str, int]:
            states = conn.execute(select(crm_refs.c.state, func.count()).group_by(crm_refs.c.state))
            told = {state.value: 0 for state in RefState} | {row[0]: row[1] for row in states}
            ill = conn.execute(select(func.count()).where(crm_refs.c.trouble.is_not(None))).scalar_one()
            return {**told, "trouble": ill}

        return await self._db.look(count)

    async def begin(
        self,
        key: str,
        of: Of,
        *,
        now: float,
        call: CallKey | None = None,
        ticket_id: int | None = None,
        wanted: Status | None = None,
    ) -> Turn:
        """A write is about to be sent. What is to be written must be read after this."""
        row = {
            "key": key,
            "of": of.value,
            "call": None if call is None else str(call),
            "ticket_id": ticket_id,
            "state": RefState.BEGUN.value,
            "turn": token_hex(8),
            "begun": now,
            "wanted": wanted,
            "made": now,
            "at": now,
        }

        def write(conn: Connection) -> CrmRef | None:
            found = conn.execute(_BY_KEY.with_for_update(), {"the_key": key}).first()
            conn.execute(_begin(conn.dialect.name), row)
            return None if found is None else as_ref(found)

        return Turn(key, str(row["turn"]), await self._db.transact(write))

    async def kept(
        self,
        turn: Turn,
        ref: Ref,
        *,
        now: float,
        customer_id: str | None = None,
        written: str | None = None,
        status: Status | None = None,
        jobs: Sequence[NewJob] = (),
    ) -> bool:
        """The write stands there as ``ref``. False, and nothing is kept, when another began since.

        ``status``: ours, which the ticket was made with. ``jobs``: what follows from it.
        """
        values = {
            "id": ref.id,
            "version": ref.version,
            "state": RefState.KEPT.value,
            **_given(customer_id=customer_id, written=written, status=status, theirs=status),
        }
        return await self._end(turn, values, now, jobs)

    async def want(self, turn: Turn, status: Status) -> bool:
        """This status is about to be set there. False, and it must not be, when another began since."""
        values = {"the_key": turn.key, "the_turn": turn.token, "wanted": status.value}
        return await self._db.transact(lambda conn: conn.execute(_IF_LAST, values).rowcount == 1)

    async def told(self, turn: Turn, status: Status, ref: Ref) -> bool:
        """This status was set there, which made ``ref`` of it; the turn goes on. False when another began since."""
        which = {"the_key": turn.key, "the_turn": turn.token}
        values = {**which, "status": status.value, "version": ref.version}
        return await self._db.transact(lambda conn: conn.execute(_IF_LAST, values).rowcount == 1)

    async def owe(self, turn: Turn, status: Status | None) -> bool:
        """Our status is to be told by a comment, not set; None: it was. The turn goes on. False when overtaken."""
        owed = None if status is None else status.value
        told = {} if status is None else {"status": owed, "wanted": None}
        values = {"the_key": turn.key, "the_turn": turn.token, "owed": owed, **told}
        return await self._db.transact(lambda conn: conn.execute(_IF_LAST, values).rowcount == 1)

    async def gone(self, turn: Turn, now: float) -> bool:
        """It is not there any more. False when overtaken."""
        return await self._end(turn, {"state": RefState.GONE.value}, now, ())

    async def over(self, turn: Turn, now: float, status: Status | None = None) -> bool:
        """All that was begun is done, or surely was not; ``status``: ours as it was told. False when overtaken."""
        return await self._end(turn, _given(status=status), now, ())

    async def trouble(self, key: str, text: str, now: float) -> float:
        """Why a record could not be brought in line; kept until it is. Since when; now for a key never begun."""
        values = {"the_key": key, "trouble": plain(text, LONGEST_TEXT), "now": now}

        def write(conn: Connection) -> float:
            since: float | None = conn.execute(_trouble(), values).scalar()
            return now if since is None else since

        return await self._db.transact(write)

    async def forget(self, key: str) -> bool:
        """The record of this key is not ours any more: it is looked for by its key, and made anew if need be."""
        return await self._db.transact(lambda conn: conn.execute(_forget(), {"the_key": key}).rowcount == 1)

    async def open_tickets(self, after: str, limit: int) -> Sequence[CrmRef]:
        """Tickets that may still change there, by key behind ``after``."""
        still = _tickets().where(crm_refs.c.state == RefState.KEPT.value, crm_refs.c.status != Status.CLOSED.value)
        return await self._many(still.where(crm_refs.c.key > after).order_by(crm_refs.c.key).limit(limit))

    async def cursor(self, name: str) -> str | None:
        """Where reading the changes of a CRM's tickets goes on."""
        query = select(crm_ref_feeds.c.cursor).where(crm_ref_feeds.c.name == name)

        def read(conn: Connection) -> str | None:
            cursor: str | None = conn.execute(query).scalar()
            return cursor

        return await self._db.look(read)

    async def move(self, name: str, cursor: str, now: float, jobs: Sequence[NewJob] = ()) -> None:
        """All changes up to ``cursor`` are dealt with by ``jobs``."""

        def write(conn: Connection) -> None:
            for job in jobs:
                add_job(conn, job, now)
            conn.execute(_move(conn.dialect.name), {"name": name, "cursor": cursor, "at": now})

        await self._db.transact(write)

    async def _end(self, turn: Turn, values: Mapping[str, Any], now: float, jobs: Sequence[NewJob]) -> bool:
        over = {"turn": None, "begun": None, "wanted": None, "trouble": None, "troubled": None, "at": now}

        def write(conn: Connection) -> bool:
            which = {"the_key": turn.key, "the_turn": turn.token}
            ours = conn.execute(_IF_LAST, {**which, **over, **values}).rowcount == 1
            for job in jobs if ours else ():
                add_job(conn, job, now)
            return ours

        return await self._db.transact(write)

    async def _one(self, query: Select[Any]) -> CrmRef | None:
        return next(iter(await self._many(query)), None)

    async def _many(self, query: Select[Any]) -> list[CrmRef]:
        return await self._db.look(lambda conn: [as_ref(row) for row in conn.execute(query)])


def _tickets() -> Select[Any]:
    return select(crm_refs).where(crm_refs.c.of == Of.TICKET.value)


def _given(**values: str | None) -> dict[str, str]:
    return {name: str(value) for name, value in values.items() if value is not None}


@cache
def _begin(dialect: str) -> Any:
    insert = insert_into(dialect, crm_refs)
    news = {name: insert.excluded[name] for name in ("turn", "begun")}
    wanted = func.coalesce(insert.excluded.wanted, crm_refs.c.wanted)
    return insert.on_conflict_do_update(index_elements=["key"], set_={**news, "wanted": wanted})


@cache
def _move(dialect: str) -> Any:
    insert = insert_into(dialect, crm_ref_feeds)
    news = {name: insert.excluded[name] for name in ("cursor", "at")}
    return insert.on_conflict_do_update(index_elements=["name"], set_=news)


@cache
def _trouble() -> Any:
    since = func.coalesce(crm_refs.c.troubled, bindparam("now", type_=Moment))
    ill = update(crm_refs).where(crm_refs.c.key == bindparam("the_key")).values(troubled=since)
    return ill.returning(crm_refs.c.troubled)


@cache
def _forget() -> Delete:
    return delete(crm_refs).where(crm_refs.c.key == bindparam("the_key"))


__all__ = ["CrmRef", "CrmRefs", "RefState", "Turn"]
