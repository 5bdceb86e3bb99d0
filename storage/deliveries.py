"""Every attempt to tell somebody of a call: what was sent, what came back. People look, and have things told again.

What was told stays remembered in :mod:`storage.pushed`; this is only the story of how it went.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, func, insert, select, update

from storage.database import Database
from storage.job_tables import jobs
from storage.jobs import JobState, add_job
from storage.metadata import Moment
from storage.plain import plain
from storage.push_tables import GONE, deliveries, pushes
from storage.pushed import want
from storage.records import NewJob
from storage.tables import calls

LONGEST_ANSWER = 500  # characters
LONGEST_BODY = 64 * 1024

_SHORT = [column for column in deliveries.c if column.name not in ("sent", "answer")]
_FORGET = delete(deliveries).where(deliveries.c.at < bindparam("before", type_=Moment))


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt. ``status`` None: no answer came; ``error`` None: it was taken. ``took`` in seconds.

    ``what``: the kind of happening; ``name`` tells it from the call's others.
    """

    target: str
    call: str
    name: str
    what: str
    at: float
    took: float
    status: int | None
    error: str | None
    sent: str
    answer: str | None


@dataclass(frozen=True, slots=True)
class Delivery(Attempt):
    """An attempt that is kept. In a list ``sent`` is empty and ``answer`` None."""

    id: int


class Deliveries:
    """The attempts of all receivers. All methods raise StorageError."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def add(self, attempt: Attempt) -> None:
        """Keep one; not of a call that was erased while it was told."""
        row = {
            "target": attempt.target,
            "call": attempt.call,
            "name": attempt.name,
            "what": attempt.what,
            "at": attempt.at,
            "took": attempt.took,
            "status": attempt.status,
            "error": plain(attempt.error, LONGEST_ANSWER),
            "sent": plain(attempt.sent, LONGEST_BODY),
            "answer": plain(attempt.answer, LONGEST_ANSWER),
        }
        of_call = select(calls.c.erased).where(calls.c.key == attempt.call).with_for_update()
        async with self._db.write() as conn:
            if (await conn.execute(of_call)).scalar() is None:
                await conn.execute(insert(deliveries).values(row))

    async def page(
        self,
        *,
        target: str | None = None,
        call: str | None = None,
        failed: bool = False,
        below: int | None = None,
        limit: int = 50,
    ) -> Sequence[Delivery]:
        """The newest first; ``below``: the last id of the page before."""
        query = select(*_SHORT).order_by(deliveries.c.id.desc()).limit(limit)
        if target is not None:
            query = query.where(deliveries.c.target == target)
        if call is not None:
            query = query.where(deliveries.c.call == call)
        if failed:
            query = query.where(deliveries.c.error.is_not(None))
        if below is not None:
            query = query.where(deliveries.c.id < below)
        async with self._db.read() as conn:
            return [_delivery(row) for row in await conn.execute(query)]

    async def get(self, delivery: int) -> Delivery | None:
        """One, whole."""
        async with self._db.read() as conn:
            row = (await conn.execute(select(deliveries).where(deliveries.c.id == delivery))).first()
            return None if row is None else _delivery(row)

    async def again(self, delivery: int, now: float) -> Delivery | None:
        """Have what that attempt told told once more, under the same id, at once; None when there is none."""

        def renew(conn: Connection) -> Delivery | None:
            row = conn.execute(select(deliveries).where(deliveries.c.id == delivery)).first()
            if row is None:
                return None
            want(conn, row.target, row.call, row.name, now)
            add_job(conn, NewJob(row.target, row.call, {"call": row.call}, again=True), now)
            waits = (jobs.c.kind == row.target, jobs.c.key == row.call, jobs.c.state == JobState.READY.value)
            conn.execute(update(jobs).where(*waits, jobs.c.due > now).values(due=now))
            return _delivery(row)

        return await self._db.transact(renew)

    async def all_again(self, target: str, now: float) -> int:
        """Have a target told whatever was given up, and wait for it as if it was new. Of how many calls."""
        wanted = (pushes.c.target == target, pushes.c.again.is_(True), pushes.c.told.is_(None))
        dead = (jobs.c.kind == target, jobs.c.state == JobState.DEAD.value)

        def renew(conn: Connection) -> int:
            conn.execute(update(pushes).where(*wanted).values(tried=now))
            keys = list(conn.execute(select(jobs.c.key).where(*dead)).scalars())
            for key in keys:
                add_job(conn, NewJob(target, key, {"call": key}, again=True), now)
            return len(keys)

        return await self._db.transact(renew)

    async def gone(self) -> Mapping[str, float]:
        """The targets that want to hear no more, and since when."""
        async with self._db.read() as conn:
            rows = await conn.execute(select(pushes.c.target, pushes.c.tried).where(pushes.c.call == GONE))
            return {row.target: row.tried for row in rows}

    async def counts(self, since: float) -> Mapping[str, tuple[int, int]]:
        """Attempts and failures since then, by receiver."""
        query = select(deliveries.c.target, func.count(), func.count(deliveries.c.error))
        async with self._db.read() as conn:
            rows = await conn.execute(query.where(deliveries.c.at >= since).group_by(deliveries.c.target))
            return {row[0]: (row[1], row[2]) for row in rows}

    async def forget(self, before: float) -> None:
        """Forget what was tried before then."""
        await self._db.transact(lambda conn: conn.execute(_FORGET, {"before": before}))


def _delivery(row: Row[Any]) -> Delivery:
    kept = row._mapping  # noqa: SLF001 - SQLAlchemy's public name for it
    return Delivery(**{"sent": "", "answer": None, **kept})
