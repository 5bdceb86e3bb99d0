"""Jobs: claimed with a lease, fenced by their claim, retried with backoff, given up where people see it.

At least once, effects once: every claim raises a job's ``claims``, and only the claim that is still the last may
finish, retry or defer it. A worker that died, or slept past its lease, loses the job to another; what it then says
about the job is not heard (an unfenced acknowledgement was seen to do 3 of 2,000 jobs twice under kill -9).
"""

import asyncio
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from random import Random
from typing import Any

from sqlalchemy import ColumnElement, Connection, Update, bindparam, case, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from storage import drain
from storage.backoff import backoff
from storage.database import Database
from storage.job_tables import jobs
from storage.jobs import Job, JobState, add_job, as_job
from storage.metadata import Moment
from storage.once import update_by_id
from storage.plain import plain
from storage.records import NewJob

MOST_ATTEMPTS = 12  # with the backoff's doubling: given up after about two hours
LONGEST_TEXT = 8000
KEYS = 500  # asked for in one question
_CLAIMABLE = (JobState.READY.value, JobState.RUNNING.value)  # either is due at ``due``: a lease is an appointment too


class Outbox:
    """The jobs of this database. All methods raise StorageError. Times are epoch seconds."""

    def __init__(self, db: Database, *, most_attempts: int = MOST_ATTEMPTS, rng: Random | None = None) -> None:
        self._db = db
        self._most = most_attempts
        self._rng = rng or Random()  # noqa: S311 - jitter, not a secret
        self._listeners: set[asyncio.Event] = set()

    def wake(self) -> None:
        """There may be something to do now; call it after a transaction that added jobs."""
        for news in self._listeners:
            news.set()

    @contextmanager
    def listen(self) -> Iterator[asyncio.Event]:
        """Set whenever there may be something to do. Each loop has its own: none takes another's word away."""
        news = asyncio.Event()
        self._listeners.add(news)
        try:
            yield news
        finally:
            self._listeners.discard(news)

    async def run(
        self,
        handlers: Mapping[str, drain.Handler],
        stop: asyncio.Event,
        *,
        clock: Callable[[], float],
        parallel: int = 2,
        world: tuple[type[Exception], ...] = (),
        by_need: bool = False,
    ) -> None:
        """Work until ``stop``; see :func:`storage.drain.run`."""
        await drain.run(self, handlers, stop, clock=clock, parallel=parallel, world=world, by_need=by_need)

    async def add(self, conn: AsyncConnection, job: NewJob, now: float) -> bool:
        """Write a job in the caller's transaction; False when one of that kind and key is there, done ones too."""
        return await conn.run_sync(add_job, job, now)

    async def add_now(self, job: NewJob, now: float) -> bool:
        """Write a job in a transaction of its own; False when one of that kind and key is there, done ones too."""
        added = await self._db.transact(lambda conn: add_job(conn, job, now))
        if added:
            self.wake()
        return added

    async def next_due(self, kinds: Collection[str]) -> float | None:
        """When the next job of these kinds can be claimed; None when there is none."""
        wanted = {"kinds": sorted(kinds)}
        due: float | None = await self._db.look(lambda conn: conn.execute(_NEXT_DUE, wanted).scalar())
        return due

    async def claim(self, kinds: Collection[str], now: float, lease_s: float, *, by_need: bool = False) -> Job | None:
        """The job longest due of these kinds, ours for ``lease_s`` seconds; None when there is none.

        ``by_need``: of those due the one whose payload has the greatest number ``need``, instead. A job whose lease is
        over is due too, unless it was its last attempt: then it is given up, for whoever tried it died of it every
        time.
        """
        wanted = {"kinds": sorted(kinds), "now": now, "until": now + lease_s}
        return await self._db.transact(lambda conn: self._claim(conn, wanted, by_need=by_need))

    def _claim(self, conn: Connection, wanted: Mapping[str, Any], *, by_need: bool) -> Job | None:
        while True:
            row = conn.execute(_CLAIM_BY_NEED if by_need else _CLAIM, wanted).first()
            job = None if row is None else as_job(row)
            if job is None or job.attempts <= self._most:
                return job
            error = job.error or "whoever tried it died"
            gone = {"state": JobState.DEAD.value, "attempts": self._most, "error": error}
            conn.execute(update_by_id(jobs), {"the_id": job.id, **gone})

    async def renew(self, job: Job, now: float, lease_s: float) -> bool:
        """Keep a claimed job for longer; False when it is not ours any more."""
        return await self._settle(job, {"due": now + lease_s})

    async def done(self, job: Job, now: float) -> bool:
        """The job's work is finished; False when it is not ours any more."""
        return await self._db.transact(lambda conn: _over(conn, job, JobState.DONE, None, now))

    async def done_with(self, conn: AsyncConnection, job: Job, now: float) -> bool:
        """As :meth:`done`, in the transaction of the job's own effect, which the caller must undo on False."""
        return await conn.run_sync(_over, job, JobState.DONE, None, now)

    async def retry(self, job: Job, error: str, now: float, *, at: float | None = None) -> bool:
        """The job failed: rest, then again (``at`` when the other side said when); dead after the last attempt."""
        if job.attempts >= self._most:
            return await self.dead(job, error, now)
        due = now + backoff(job.attempts, self._rng) if at is None else max(at, now)
        ready = JobState.READY.value
        return await self._settle(
            job, {"state": ready, "due": due, "error": plain(error, LONGEST_TEXT), "changed": now}
        )

    async def dead(self, job: Job, error: str, now: float) -> bool:
        """Give the job up: trying again would not help."""
        last = plain(error[-LONGEST_TEXT:], LONGEST_TEXT)
        return await self._db.transact(lambda conn: _over(conn, job, JobState.DEAD, last, now))

    async def defer(self, job: Job, until: float, why: str, now: float) -> bool:
        """Not yet, and nobody's fault: wait where people see it, without an attempt burnt."""
        ready, attempts = JobState.READY.value, job.attempts - 1
        waits = {"state": ready, "attempts": attempts, "due": until, "why": plain(why, LONGEST_TEXT), "changed": now}
        return await self._settle(job, waits)

    async def hurry(self, kinds: Collection[str], now: float) -> int:
        """What these deferred jobs waited for is there: they are due now. How many."""
        waiting = (jobs.c.state == JobState.READY.value) & jobs.c.why.is_not(None) & (jobs.c.due > now)
        hurried = update(jobs).where(waiting, jobs.c.kind.in_(sorted(kinds))).values(due=now)
        async with self._db.write() as conn:
            return (await conn.execute(hurried)).rowcount

    async def get(self, job_id: int) -> Job | None:
        """A job by its id."""
        async with self._db.read() as conn:
            row = (await conn.execute(select(*jobs.c).where(jobs.c.id == job_id))).first()
            return None if row is None else as_job(row)

    async def list(
        self, *, state: JobState | None = None, kind: str | None = None, below: int | None = None, limit: int = 100
    ) -> Sequence[Job]:
        """Jobs, newest first; ``below`` the last id of the page before."""
        query = select(*jobs.c).order_by(jobs.c.id.desc()).limit(limit)
        if state is not None:
            query = query.where(jobs.c.state == state.value)
        if kind is not None:
            query = query.where(jobs.c.kind == kind)
        if below is not None:
            query = query.where(jobs.c.id < below)
        async with self._db.read() as conn:
            return [as_job(row) for row in await conn.execute(query)]

    async def undone(self, kind: str, keys: Collection[str]) -> frozenset[str]:
        """Which of these jobs of a kind are still to be done."""
        found: set[str] = set()
        wanted = sorted(keys)
        async with self._db.read() as conn:
            for first in range(0, len(wanted), KEYS):
                some = jobs.c.key.in_(wanted[first : first + KEYS])
                query = select(jobs.c.key).where(jobs.c.kind == kind, some, jobs.c.state.in_(_CLAIMABLE))
                found.update((await conn.execute(query)).scalars())
        return frozenset(found)

    async def counts(self) -> dict[tuple[str, JobState], int]:
        """How many jobs there are of each kind and state."""
        query = select(jobs.c.kind, jobs.c.state, func.count()).group_by(jobs.c.kind, jobs.c.state)
        async with self._db.read() as conn:
            return {(row[0], JobState(row[1])): row[2] for row in await conn.execute(query)}

    async def replay(self, job_id: int, now: float) -> bool:
        """Try a dead or done job afresh; False when there is no such job or it is not over."""
        return await self._replay(jobs.c.id == job_id, (JobState.DEAD, JobState.DONE), now) == 1

    async def replay_dead(self, now: float, kind: str | None = None) -> int:
        """Try every dead job (of a kind) afresh. How many."""
        return await self._replay(jobs.c.id > 0 if kind is None else jobs.c.kind == kind, (JobState.DEAD,), now)

    async def prune(self, before: float, kinds: Collection[str] | None = None) -> int:
        """Forget jobs (of these kinds) done before then, whose keys keep a repeat away until that. How many."""
        async with self._db.write() as conn:
            old = delete(jobs).where(jobs.c.state == JobState.DONE.value, jobs.c.changed < before)
            if kinds is not None:
                old = old.where(jobs.c.kind.in_(sorted(kinds)))
            return (await conn.execute(old)).rowcount

    async def _replay(self, which: ColumnElement[bool], states: Sequence[JobState], now: float) -> int:
        fresh = {"state": JobState.READY.value, "attempts": 0, "due": now, "why": None, "changed": now}
        async with self._db.write() as conn:
            over = jobs.c.state.in_([state.value for state in states])
            count = (await conn.execute(update(jobs).where(which, over).values(fresh))).rowcount
        self.wake()
        return count

    async def _settle(self, job: Job, values: Mapping[str, Any]) -> bool:
        return await self._db.transact(lambda conn: _settle(conn, job, values))


def _claim_statement(*first: ColumnElement[Any]) -> Any:
    """One statement on both databases; SQLite needs no FOR UPDATE and its compiler leaves it out."""
    now = bindparam("now", type_=Moment)
    due = (
        select(jobs.c.id)
        .where(jobs.c.state.in_(_CLAIMABLE), jobs.c.due <= now, jobs.c.kind.in_(bindparam("kinds", expanding=True)))
        .order_by(*first, jobs.c.due, jobs.c.id)
        .limit(1)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    values = {
        "state": JobState.RUNNING.value,
        "claims": jobs.c.claims + 1,
        "attempts": jobs.c.attempts + 1,
        "due": bindparam("until", type_=Moment),
        "why": None,
        "again": False,
        "changed": now,
    }
    return update(jobs).where(jobs.c.id == due).values(values).returning(jobs)


_NEXT_DUE = select(func.min(jobs.c.due)).where(  # asked every few seconds by every loop, with nothing to do mostly
    jobs.c.state.in_(_CLAIMABLE), jobs.c.kind.in_(bindparam("kinds", expanding=True))
)
_CLAIM = _claim_statement()
_CLAIM_BY_NEED = _claim_statement(func.coalesce(jobs.c.payload["need"].as_float(), 0.0).desc())
_IF_OURS = update(jobs).where(
    jobs.c.id == bindparam("the_id"), jobs.c.claims == bindparam("fence"), jobs.c.state == JobState.RUNNING.value
)
_OVER_IF_OURS = _IF_OURS.values(  # unless it is wanted again: then it is ready at once, its tries counted anew
    state=case((jobs.c.again, JobState.READY.value), else_=bindparam("ended")),
    attempts=case((jobs.c.again, 0), else_=jobs.c.attempts),
    due=case((jobs.c.again, bindparam("over", type_=Moment)), else_=jobs.c.due),
    again=False,
)


def _over(conn: Connection, job: Job, state: JobState, error: str | None, now: float) -> bool:
    """Write that a job is over, if it is still ours."""
    ended = {"ended": state.value, "over": now, "error": error, "changed": now}
    return _settle(conn, job, ended, _OVER_IF_OURS)


def _settle(conn: Connection, job: Job, values: Mapping[str, Any], statement: Update = _IF_OURS) -> bool:
    """Write how a job went on, if it is still ours."""
    return conn.execute(statement, {"the_id": job.id, "fence": job.claims, **values}).rowcount == 1
