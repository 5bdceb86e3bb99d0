"""When nobody listened to a PBX, and the calls that were written afterwards from its own records.

A service notes every few seconds that it listens. A time in which none did is a gap; one in which another service did
is covered. Times are epoch seconds of our clock. All methods raise StorageError.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, bindparam, delete, func, select, update

from storage.completing import amend, complete, mark, renew_reach
from storage.database import Database
from storage.gap_tables import gaps, listening
from storage.happened import hold_call, key_of
from storage.jobs import add_job
from storage.ledger import Ledger
from storage.metadata import Moment
from storage.once import insert_once, update_by_id
from storage.plain import plain
from storage.records import Entry, Found, NewJob, Phase
from storage.tables import calls
from telephony.call import CallKey

LONGEST_WHY = 500
CHUNK = 500  # keys asked for in one question
KEPT = 90 * 86400.0  # seconds for which gaps and listening are remembered

_SESSION = (
    (listening.c.pbx == bindparam("of_pbx"))
    & (listening.c.service == bindparam("of_service"))
    & (listening.c.since == bindparam("of_since", type_=Moment))
)
_HEARD = update(listening).where(_SESSION).values(until=bindparam("now", type_=Moment))
_LOOKED = update_by_id(gaps)
_PLACE = (
    select(gaps.c.id)
    .where(
        gaps.c.pbx == bindparam("of_pbx"),
        gaps.c.since <= bindparam("at", type_=Moment),
        gaps.c.until + bindparam("slack", type_=Moment) >= bindparam("at", type_=Moment),
    )
    .order_by(gaps.c.covered, gaps.c.until.desc())
    .limit(1)
)


@dataclass(frozen=True, slots=True)
class Gap:
    """A time in which ``service`` did not listen to a PBX.

    ``covered``: another one did, all the time. ``unseen``: calls nobody had heard of, written from the PBX's records;
    ``completed``: calls whose end or agents were found there. ``checked``: when they were last looked at; ``note``: why
    they could not be.
    """

    id: int
    pbx: str
    service: str
    since: float
    until: float
    why: str
    covered: bool
    unseen: int
    completed: int
    checked: float | None
    note: str | None


class Gaps:
    """Keeps who listened and who did not, and completes what was missed. ``ledger`` writes the calls."""

    def __init__(self, db: Database, ledger: Ledger) -> None:
        self._db, self._ledger = db, ledger

    async def last_heard(self, pbx: str) -> float | None:
        """Until when anybody was known to listen; None: nobody ever did.

        A database from before there were such notes tells by its open calls.
        """
        async with self._db.read() as conn:
            noted = select(func.max(listening.c.until)).where(listening.c.pbx == pbx)
            last: float | None = (await conn.execute(noted)).scalar()
            if last is None:
                last = (await conn.execute(select(func.min(calls.c.arrived)).where(*_open(pbx)))).scalar()
            return last

    async def began(self, pbx: str, service: str, now: float) -> None:
        """This service listens from now on. What is noted from months ago is forgotten."""

        def begin(conn: Connection) -> None:
            conn.execute(delete(listening).where(listening.c.until < now - KEPT))
            conn.execute(delete(gaps).where(gaps.c.until < now - KEPT))
            row = {"pbx": pbx, "service": plain(service, 64), "since": now, "until": now}
            insert_once(conn, listening, row, ("pbx", "service", "since"))

        await self._db.transact(begin)

    async def heard(self, pbx: str, service: str, since: float, until: float) -> None:
        """The service that began to listen at ``since`` still did at ``until``."""
        which = {"of_pbx": pbx, "of_service": plain(service, 64), "of_since": since, "now": until}
        await self._db.transact(lambda conn: conn.execute(_HEARD, which).rowcount)

    async def missed(
        self, pbx: str, service: str, since: float, until: float, *, why: str, job: NewJob, now: float
    ) -> int | None:
        """Keep a gap, with the job that looks into it (its payload gets ``gap``); None when it is kept already."""

        def miss(conn: Connection) -> int | None:
            row = {
                "pbx": pbx,
                "service": plain(service, 64),
                "since": since,
                "until": until,
                "why": plain(why, LONGEST_WHY),
                "covered": False,
                "unseen": 0,
                "completed": 0,
            }
            gap = insert_once(conn, gaps, row, ("pbx", "service", "since"))
            if gap is not None:
                payload = {**job.payload, "gap": gap}
                add_job(conn, NewJob(job.kind, job.key, payload, job.not_before), now)
            return gap

        return await self._db.transact(miss)

    async def get(self, gap_id: int) -> Gap | None:
        """A gap by its id."""
        async with self._db.read() as conn:
            row = (await conn.execute(select(gaps).where(gaps.c.id == gap_id))).first()
            return None if row is None else _gap(row)

    async def recent(self, limit: int = 20) -> Sequence[Gap]:
        """Gaps in which nobody listened, the last one first."""
        query = select(gaps).where(gaps.c.covered.is_(False)).order_by(gaps.c.until.desc(), gaps.c.id.desc())
        async with self._db.read() as conn:
            return [_gap(row) for row in await conn.execute(query.limit(limit))]

    async def covered(self, gap: Gap) -> bool:
        """Whether another service listened from its beginning to its end."""
        others = select(listening.c.id).where(
            listening.c.pbx == gap.pbx,
            listening.c.service != gap.service,
            listening.c.since <= gap.since,
            listening.c.until >= gap.until,
        )
        async with self._db.read() as conn:
            return (await conn.execute(others.limit(1))).first() is not None

    async def looked(self, gap_id: int, now: float, *, note: str | None = None, covered: bool = False) -> None:
        """The PBX's records were looked at; ``note``: why they could not be."""
        values = {"checked": now, "note": plain(note, LONGEST_WHY), "covered": covered}
        await self._db.transact(lambda conn: conn.execute(_LOOKED, {"the_id": gap_id, **values}).rowcount)

    async def open_calls(self, pbx: str, before: float) -> Sequence[CallKey]:
        """Calls that arrived before then and are not over as far as the ledger knows."""
        async with self._db.read() as conn:
            rows = await conn.execute(select(calls.c.key).where(*_open(pbx), calls.c.arrived < before))
            return [CallKey.parse(row.key) for row in rows]

    async def ended_calls(self, pbx: str, since: float, limit: int) -> Sequence[CallKey]:
        """Calls that are over and arrived since then, the last ones first."""
        over = (calls.c.key.startswith(f"{pbx}:", autoescape=True), calls.c.phase == Phase.ENDED.value)
        query = select(calls.c.key).where(*over, calls.c.arrived >= since).order_by(calls.c.arrived.desc()).limit(limit)
        async with self._db.read() as conn:
            return [CallKey.parse(row.key) for row in await conn.execute(query)]

    async def unknown(self, keys: Sequence[CallKey]) -> Sequence[CallKey]:
        """Which of these calls the ledger does not have, in their order."""
        there: set[str] = set()
        async with self._db.read() as conn:
            for first in range(0, len(keys), CHUNK):
                chunk = [key_of(key) for key in keys[first : first + CHUNK]]
                there.update((await conn.execute(select(calls.c.key).where(calls.c.key.in_(chunk)))).scalars())
        return [key for key in keys if key_of(key) not in there]

    async def complete(self, call: CallKey, found: Found, now: float) -> bool:
        """Write how a lost call ended; False when it is not lost (any more), or not there."""

        def fill(conn: Connection) -> bool:
            row = hold_call(conn, call)
            if row is None or not complete(conn, row, found, now):
                return False
            which = {"of_pbx": call.pbx, "at": row.ended, "slack": 120.0}  # the gap at whose end it was missed
            gap = conn.execute(_PLACE, which).scalar()
            if gap is not None:
                conn.execute(_LOOKED.values(completed=gaps.c.completed + 1), {"the_id": gap})
            self._ledger.follow.changed(conn, row.key, row.ticket_id, now)
            return True

        return await self._db.transact(fill)

    async def amend(self, gap_id: int, call: CallKey, found: Found, now: float) -> bool:
        """Write who spoke in a gap that a call outlived; False when that is nobody new, or the call still goes on."""

        def fill(conn: Connection) -> bool:
            row = hold_call(conn, call)
            if row is None or not amend(conn, row, found, now):
                return False
            conn.execute(_LOOKED.values(completed=gaps.c.completed + 1), {"the_id": gap_id})
            self._ledger.follow.changed(conn, row.key, row.ticket_id, now)
            return True

        return await self._db.transact(fill)

    async def write_unseen(self, gap_id: int, entries: Sequence[Entry], detail: Mapping[str, Any], now: float) -> bool:
        """Write a whole call that nobody had seen, its arrival first; False when it is there by now."""
        key = entries[0].fact.call

        def write(conn: Connection) -> bool:
            if hold_call(conn, key) is not None or not self._ledger.record_in(conn, entries[0]).new:
                return False
            for entry in entries[1:]:
                self._ledger.record_in(conn, entry)
            row = hold_call(conn, key)
            assert row is not None
            mark(conn, row, dict(detail), now)
            if row.ticket_id is not None:
                renew_reach(conn, row.ticket_id, now)
            conn.execute(_LOOKED.values(unseen=gaps.c.unseen + 1), {"the_id": gap_id})
            return True

        return await self._db.transact(write)


def _open(pbx: str) -> Collection[ColumnElement[bool]]:
    return (calls.c.key.startswith(f"{pbx}:", autoescape=True), calls.c.phase != Phase.ENDED.value)


def _gap(row: Row[Any]) -> Gap:
    return Gap(
        id=row.id,
        pbx=row.pbx,
        service=row.service,
        since=row.since,
        until=row.until,
        why=row.why,
        covered=row.covered,
        unseen=row.unseen,
        completed=row.completed,
        checked=row.checked,
        note=row.note,
    )
