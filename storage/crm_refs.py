"""Which record of the CRM is which of ours: found again after a restart, and no write whose outcome nobody knows.

A write is begun before it is sent and ended when the answer came. What was begun and never ended is looked up in the
CRM by its key first. Two workers may meet on one key (one slept past its lease): each takes the turn when it begins,
and only the one that took it last may say how it went; the other hears that and has the work done once more.

A row is all that is known of a record there: it holds no call facts and no customer data. Times are epoch seconds.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from secrets import token_hex
from typing import Any

from sqlalchemy import Connection, Delete, Row, Select, bindparam, delete, func, select, update

from crm.connector import Item, Of, Ref, Status
from storage.crm_ref_tables import crm_ref_feeds, crm_refs
from storage.database import Database
from storage.jobs import add_job
from storage.once import insert_into
from storage.plain import plain
from storage.records import NewJob
from telephony.call import CallKey

LONGEST_TEXT = 2000
CHUNK = 500  # records asked for in one question


class RefState(StrEnum):
    """How a record of theirs stands, as far as we know."""

    BEGUN = "begun"  # we set out to make it; whether it is there is not known
    KEPT = "kept"
    GONE = "gone"  # it was there and is not any more: people there took it away


@dataclass(frozen=True, slots=True)
class CrmRef:
    """One record of the CRM that is ours.

    ``of`` a NOTE: ``call`` is the call it tells of, else it tells of a move of the ticket ``ticket_id``. ``of`` a
    TICKET: ``ticket_id`` is ours. ``id`` and ``version`` are theirs, as ``customer_id``: whose timeline it stands on.
    ``status``: our status as we told it last, ``theirs``: theirs in our words, ``said``: in their own words.
    ``wanted``: the status of a write whose outcome is not known. ``begun``: since when a write is under way, None when
    all writes ended. ``written``: a digest of what a note says. ``trouble``: why it is not in line, since ``troubled``.
    """

    key: str
    of: Of
    id: str | None
    version: str | None
    customer_id: str | None
    call: CallKey | None
    ticket_id: int | None
    state: RefState
    status: Status | None
    theirs: Status | None
    said: str | None
    owner: str | None
    url: str | None
    wanted: Status | None
    written: str | None
    begun: float | None
    trouble: str | None
    troubled: float | None
    made: float
    at: float

    @property
    def ref(self) -> Ref | None:
        """As connectors take it; None while it is not known to be there."""
        return None if self.id is None or self.state is RefState.GONE else Ref(self.of, self.id, self.version)


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
        return await self._one(_tickets().where(crm_refs.c.ticket_id == ticket_id).limit(1))

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
            return None if found is None else _as_ref(found)

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
        item: Item | None = None,
        jobs: Sequence[NewJob] = (),
    ) -> bool:
        """The write stands there as ``ref``. False, and nothing is kept, when another began since.

        ``status``: ours as it was told. ``item``: how the ticket is there now. ``jobs``: what follows from it.
        """
        values = {
            "id": ref.id,
            "version": ref.version if item is None else item.ref.version,
            "state": RefState.KEPT.value,
            **_given(customer_id=customer_id, written=written, status=status),
            **({} if item is None else _seen(item)),
        }
        return await self._end(turn, values, now, jobs)

    async def gone(self, turn: Turn, now: float) -> bool:
        """It is not there any more. False when another began since."""
        return await self._end(turn, {"state": RefState.GONE.value}, now, ())

    async def left(self, turn: Turn, now: float) -> bool:
        """What was begun was surely not done, or needs not be. False when another began since."""
        return await self._end(turn, {}, now, ())

    async def trouble(self, key: str, text: str, now: float) -> None:
        """Why a record could not be brought in line; kept until it is. Nothing for a key that was never begun."""
        values = {"trouble": plain(text, LONGEST_TEXT), "troubled": now}
        await self._db.transact(lambda conn: conn.execute(_of_key(), {"the_key": key, **values}))

    async def forget(self, key: str) -> bool:
        """The record of this key is not ours any more: it is looked for by its key, and made anew if need be."""
        return await self._db.transact(lambda conn: conn.execute(_forget(), {"the_key": key}).rowcount == 1)

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
        return await self._db.look(lambda conn: [_as_ref(row) for row in conn.execute(query)])


def _tickets() -> Select[Any]:
    return select(crm_refs).where(crm_refs.c.of == Of.TICKET.value)


def _given(**values: str | None) -> dict[str, str]:
    return {name: str(value) for name, value in values.items() if value is not None}


def _seen(item: Item) -> dict[str, Any]:
    return {
        "version": item.ref.version,
        "theirs": item.status.value,
        "said": plain(item.said, LONGEST_TEXT),
        "owner": plain(item.owner, LONGEST_TEXT),
        "url": item.url,
    }


def _as_ref(row: Row[Any]) -> CrmRef:
    return CrmRef(
        key=row.key,
        of=Of(row.of),
        id=row.id,
        version=row.version,
        customer_id=row.customer_id,
        call=None if row.call is None else CallKey.parse(row.call),
        ticket_id=row.ticket_id,
        state=RefState(row.state),
        status=_status(row.status),
        theirs=_status(row.theirs),
        said=row.said,
        owner=row.owner,
        url=row.url,
        wanted=_status(row.wanted),
        written=row.written,
        begun=row.begun,
        trouble=row.trouble,
        troubled=row.troubled,
        made=row.made,
        at=row.at,
    )


def _status(value: str | None) -> Status | None:
    return None if value is None else Status(value)


@cache
def _begin(dialect: str) -> Any:
    insert = insert_into(dialect, crm_refs)
    news = {name: insert.excluded[name] for name in ("turn", "begun", "wanted")}
    return insert.on_conflict_do_update(index_elements=["key"], set_=news)


@cache
def _move(dialect: str) -> Any:
    insert = insert_into(dialect, crm_ref_feeds)
    news = {name: insert.excluded[name] for name in ("cursor", "at")}
    return insert.on_conflict_do_update(index_elements=["name"], set_=news)


@cache
def _of_key() -> Any:
    return update(crm_refs).where(crm_refs.c.key == bindparam("the_key"))


@cache
def _forget() -> Delete:
    return delete(crm_refs).where(crm_refs.c.key == bindparam("the_key"))
