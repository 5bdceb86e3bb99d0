"""The loop that does jobs, whatever handlers, workers and the database do to it."""

import asyncio
import random
import re
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from itertools import count

import pytest
from sqlalchemy import select, text
from structlog.testing import capture_logs

from storage import drain
from storage.database import Database
from storage.job_tables import jobs as jobs_table
from storage.jobs import HopelessError, Job, JobError, JobState, Wait
from storage.outbox import Outbox
from storage.records import NewJob
from storage.trouble import Trouble, trouble

NOW = 1_795_147_200.0
Loop = Callable[..., AbstractAsyncContextManager[asyncio.Event]]


class WorldError(Exception):
    """What a handler of another room raises when the outside world is broken."""


@pytest.fixture
def loop_of(outbox: Outbox) -> Loop:
    """Run the loop inside an ``async with`` block whose value is the stop event."""

    @asynccontextmanager
    async def run(
        handlers: dict[str, Callable[[Job], Awaitable[Wait | None]]], **options: float
    ) -> AsyncGenerator[asyncio.Event]:
        stop = asyncio.Event()
        settings: dict[str, float] = {"lease_s": 60.0, "poll_s": 5.0, "parallel": 2, **options}
        async with asyncio.TaskGroup() as group:
            group.create_task(
                drain.run(
                    outbox,
                    handlers,
                    stop,
                    clock=lambda: NOW,
                    parallel=int(settings["parallel"]),
                    world=(WorldError,),
                    lease_s=settings["lease_s"],
                    poll_s=settings["poll_s"],
                )
            )
            yield stop
            stop.set()

    return run


async def add(db: Database, outbox: Outbox, *keys: str, kind: str = "work") -> None:
    """Jobs, and word of them."""
    async with db.write() as conn:
        for key in keys:
            await outbox.add(conn, NewJob(kind, key), NOW)
    outbox.wake()


async def only(outbox: Outbox) -> Job:
    """The one job there is."""
    (job,) = await outbox.list()
    return job


async def test_jobs_are_done_as_soon_as_word_of_them_comes(db: Database, outbox: Outbox, loop_of: Loop) -> None:
    """Long before the poll, those there at the start too."""
    done: asyncio.Queue[str] = asyncio.Queue()

    async def work(job: Job) -> None:
        await done.put(job.key)

    await add(db, outbox, "early")
    async with loop_of({"work": work}, poll_s=600.0):
        assert await asyncio.wait_for(done.get(), 10) == "early"
        for number in range(5):
            await add(db, outbox, f"late {number}")
            assert await asyncio.wait_for(done.get(), 10) == f"late {number}"
    assert {job.state for job in await outbox.list()} == {JobState.DONE}


async def test_a_job_added_by_another_process_is_found_by_looking(db: Database, loop_of: Loop) -> None:
    """Nobody calls wake here."""
    done = asyncio.Event()

    async def work(_job: Job) -> None:
        done.set()

    async with loop_of({"work": work}, poll_s=0.05):
        await add(db, Outbox(db), "quiet")
        await asyncio.wait_for(done.wait(), 10)


async def test_as_many_at_once_as_asked_for(db: Database, outbox: Outbox, loop_of: Loop) -> None:
    """Three of five run while none has ended, and never a fourth."""
    running, most = 0, 0
    three, go = asyncio.Event(), asyncio.Event()

    async def work(_job: Job) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        if running == 3:
            three.set()
        await go.wait()
        running -= 1

    await add(db, outbox, *"abcde")
    async with loop_of({"work": work}, parallel=3) as stop:
        await asyncio.wait_for(three.wait(), 10)
        stop.set()
        go.set()
    assert most == 3
    assert Counter(job.state for job in await outbox.list()) == {JobState.DONE: 3, JobState.READY: 2}


@pytest.mark.parametrize("error", [JobError("away"), WorldError("away"), trouble(Trouble.BUSY, "away")])
async def test_trouble_of_the_world_is_tried_again(
    db: Database, outbox: Outbox, loop_of: Loop, error: Exception
) -> None:
    """The job rests with its error; the loop goes on."""
    tried = asyncio.Event()

    async def work(job: Job) -> None:
        if job.key == "bad":
            raise error
        tried.set()

    await add(db, outbox, "bad", "good")
    async with loop_of({"work": work}):
        await asyncio.wait_for(tried.wait(), 10)
    job = (await outbox.list())[-1]
    assert (job.state, job.attempts) == (JobState.READY, 1)
    assert "away" in (job.error or "")
    assert NOW + 1 < job.due < NOW + 3


async def test_a_job_may_say_when_to_come_back_or_what_it_waits_for(
    db: Database, outbox: Outbox, loop_of: Loop
) -> None:
    """Failed until then; not failed at all."""
    asked = asyncio.Event()

    async def work(job: Job) -> Wait | None:
        if job.key == "limited":
            raise JobError("429", at=NOW + 77)
        asked.set()
        return Wait(NOW + 99, "no speech model")

    await add(db, outbox, "limited", "waiting")
    async with loop_of({"work": work}):
        await asyncio.wait_for(asked.wait(), 10)
    waiting, limited = await outbox.list()
    assert (limited.due, limited.attempts, limited.error) == (NOW + 77, 1, "429")
    assert (waiting.due, waiting.attempts, waiting.why) == (NOW + 99, 0, "no speech model")


async def test_our_own_bug_buries_that_job_loudly_and_no_other(db: Database, outbox: Outbox, loop_of: Loop) -> None:
    """With its traceback in log and job."""
    done = asyncio.Event()

    async def work(job: Job) -> None:
        if job.key == "bug":
            raise ZeroDivisionError("our own")
        done.set()

    await add(db, outbox, "bug", "good")
    with capture_logs() as logs:
        async with loop_of({"work": work}):
            await asyncio.wait_for(done.wait(), 10)
    good, bug = await outbox.list()
    assert (good.state, bug.state) == (JobState.DONE, JobState.DEAD)
    assert re.search(r"Traceback.*ZeroDivisionError: our own", bug.error or "", re.DOTALL)
    assert [entry["log_level"] for entry in logs] == ["error"]


async def test_what_will_fail_each_time_is_given_up_in_one_sentence(
    db: Database, outbox: Outbox, loop_of: Loop
) -> None:
    """No further attempt, no traceback: nobody's bug; and replayed once it is mended."""
    mended: list[str] = []
    tried, done = asyncio.Event(), asyncio.Event()

    async def work(job: Job) -> None:
        if job.key not in mended:
            mended.append(job.key)
            tried.set()
            raise HopelessError("it refuses the field mobil")
        done.set()

    await add(db, outbox, "field")
    with capture_logs() as logs:
        async with loop_of({"work": work}):
            await asyncio.wait_for(tried.wait(), 10)
    job = await only(outbox)
    assert (job.state, job.attempts, job.error) == (JobState.DEAD, 1, "it refuses the field mobil")
    assert [entry["log_level"] for entry in logs] == ["error"]
    assert await outbox.replay(job.id, NOW)
    async with loop_of({"work": work}):
        await asyncio.wait_for(done.wait(), 10)
    assert (await only(outbox)).state is JobState.DONE


async def test_a_long_job_keeps_its_lease(db: Database, outbox: Outbox, loop_of: Loop) -> None:
    """Renewed while the handler works, so that nobody else takes it."""
    started, renewed, go = asyncio.Event(), asyncio.Event(), asyncio.Event()
    renew, calls = outbox.renew, count(1)

    async def counted(job: Job, now: float, lease_s: float) -> bool:
        kept = await renew(job, now, lease_s)
        if next(calls) == 3:
            renewed.set()
        return kept

    async def work(_job: Job) -> None:
        started.set()
        await go.wait()

    outbox.renew = counted  # type: ignore[method-assign]
    await add(db, outbox, "long")
    async with loop_of({"work": work}, lease_s=0.1):
        await asyncio.wait_for(renewed.wait(), 10)
        go.set()
    assert (await only(outbox)).state is JobState.DONE


async def test_a_lost_lease_stops_the_work(db: Database, outbox: Outbox, loop_of: Loop) -> None:
    """When another has claimed the job, the handler here is cancelled and the job is the other's."""
    started, cancelled = asyncio.Event(), asyncio.Event()

    async def work(_job: Job) -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    await add(db, outbox, "long")
    async with loop_of({"work": work}, lease_s=0.3):
        await asyncio.wait_for(started.wait(), 10)
        async with db.write() as conn:
            await conn.execute(jobs_table.update().values(claims=jobs_table.c.claims + 1, due=NOW + 1000))
        await asyncio.wait_for(cancelled.wait(), 10)
    assert (await only(outbox)).state is JobState.RUNNING


async def test_stopped_hard_the_loop_gives_its_jobs_back(db: Database, outbox: Outbox) -> None:
    """The next start does not wait for the lease to end, and the stop was no attempt."""
    started = asyncio.Event()

    async def work(_job: Job) -> None:
        started.set()
        await asyncio.Event().wait()

    await add(db, outbox, "long")
    async with asyncio.TaskGroup() as group:
        task = group.create_task(outbox.run({"work": work}, asyncio.Event(), clock=lambda: NOW))
        await asyncio.wait_for(started.wait(), 10)
        task.cancel()
    job = await only(outbox)
    assert (job.state, job.attempts, job.due) == (JobState.READY, 0, NOW)


async def test_a_database_that_goes_away_for_a_while_is_waited_for(db: Database, outbox: Outbox, loop_of: Loop) -> None:
    """The loop neither ends nor spins; what it could not settle is rescued by the lease."""
    done: asyncio.Queue[str] = asyncio.Queue()
    due, troubles = outbox.next_due, iter([trouble(Trouble.AWAY), trouble(Trouble.BUSY)])

    async def sometimes(kinds: Collection[str]) -> float | None:
        if (error := next(troubles, None)) is not None:
            raise error
        return await due(kinds)

    async def work(job: Job) -> None:
        await done.put(job.key)

    outbox.next_due = sometimes  # type: ignore[method-assign]
    await add(db, outbox, "patient")
    with capture_logs() as logs:
        async with loop_of({"work": work}, poll_s=0.05):
            assert await asyncio.wait_for(done.get(), 10) == "patient"
    assert [entry["event"] for entry in logs] == ["jobs wait for the database"] * 2


@pytest.mark.parametrize("seed", range(20))
async def test_workers_that_die_anywhere_lose_nothing_and_do_nothing_twice(db: Database, seed: int) -> None:
    """Four workers, ten jobs, any interleaving; each may die, fail, wait, or oversleep its lease at every step.

    Every effect happens exactly once, in the transaction that settles the job.
    """
    dice = random.Random(seed)
    outbox = Outbox(db, most_attempts=1000, rng=dice)
    keys = {f"main:{number}" for number in range(10)}
    effects: Counter[str] = Counter()
    await add(db, outbox, *sorted(keys))
    now, holding = NOW, list[Job | None]([None] * 4)
    for _ in range(3000):
        now += dice.choice([0.0, 0.1, 5.0, 70.0])
        worker = dice.randrange(4)
        job = holding[worker]
        if job is None:
            holding[worker] = await outbox.claim(["work"], now, 60.0)
            if holding[worker] is None and await outbox.next_due(["work"]) is None:
                break
            continue
        match dice.randrange(6):
            case 0:
                holding[worker] = None  # dies holding it
            case 1:
                await outbox.retry(job, "failed", now, at=now + dice.random())
                holding[worker] = None
            case 2:
                await outbox.defer(job, now + dice.random(), "waits", now)
                holding[worker] = None
            case 3 | 4:
                async with db.write() as conn:
                    ours = await outbox.done_with(conn, job, now)
                effects[job.key] += ours
                if dice.random() < 0.5:  # else it forgets that it was done and will say so again
                    holding[worker] = None
            case _:
                pass  # sleeps
    assert effects == Counter(keys)
    assert await outbox.counts() == {("work", JobState.DONE): 10}


WORKER = """
import asyncio, sys, time
from sqlalchemy import text
from storage import drain
from storage.database import Database
from storage.outbox import Outbox

class Fenced(Exception): pass

async def main(url):
    db = Database.open(url)
    outbox = Outbox(db, most_attempts=1000)
    async def tell():
        if await outbox.next_due(["work"]) is None:
            print("nothing left", flush=True)
    async def work(job):
        async with db.write() as conn:
            await conn.execute(text("INSERT INTO effects (key) VALUES (:key)"), {"key": job.key})
            if not await outbox.done_with(conn, job, time.time()):
                raise Fenced
        print("did", job.key, flush=True)
        await tell()
    print("ready", flush=True)
    await tell()
    await drain.run(outbox, {"work": work}, asyncio.Event(), clock=time.time, parallel=3, world=(Fenced,),
                    lease_s=1.0, poll_s=0.05)

asyncio.run(main(sys.argv[1]))
"""


class Workers:
    """Worker processes on one database that has a table of effects."""

    def __init__(self, url: str) -> None:
        self.url = url

    async def prepare(self, total: int) -> None:
        """The jobs to be done."""
        db = Database.open(self.url)
        async with db.write() as conn:
            await conn.execute(text("CREATE TABLE effects (key TEXT NOT NULL)"))
            for number in range(total):
                await Outbox(db).add(conn, NewJob("work", f"main:{number}"), 1.0)
        await db.close()

    async def look(self) -> tuple[Counter[str], Counter[str]]:
        """Effects by key, jobs by state."""
        db = Database.open(self.url)
        async with db.read() as conn:
            effects = Counter((await conn.execute(text("SELECT key FROM effects"))).scalars())
            states = Counter((await conn.execute(select(jobs_table.c.state))).scalars())
        await db.close()
        return effects, states

    def start(self) -> "subprocess.Popen[str]":
        """One worker."""
        return subprocess.Popen([sys.executable, "-c", WORKER, self.url], stdout=subprocess.PIPE, text=True)

    def finish(self, worker: "subprocess.Popen[str]") -> None:
        """Let it work until it says that nothing is left."""
        assert worker.stdout is not None
        assert "nothing left\n" in worker.stdout
        worker.kill()
        worker.wait()
        worker.stdout.close()

    def kill_after(self, worker: "subprocess.Popen[str]", lines: int) -> None:
        """Let it do so many jobs, or all that there are, then kill it in whatever it is doing."""
        assert worker.stdout is not None
        for _ in range(lines + 1):
            if worker.stdout.readline() == "nothing left\n":  # it was that much faster than the other
                break
        worker.kill()
        worker.wait()
        worker.stdout.close()


@pytest.mark.slow
def test_real_workers_killed_hard_do_every_job_exactly_once(database_url: str) -> None:
    """Two are killed in mid-work; a third finishes what is left, the dead ones' jobs too."""
    total, dice = 120, random.Random(7)
    workers = Workers(database_url)
    asyncio.run(workers.prepare(total))
    for worker in [workers.start() for _ in range(2)]:
        workers.kill_after(worker, dice.randrange(3, 15))
    workers.finish(workers.start())
    effects, states = asyncio.run(workers.look())
    assert states == {"done": total}
    assert effects == Counter({f"main:{number}": 1 for number in range(total)})


async def test_two_loops_of_one_outbox_each_hear_of_their_jobs(db: Database, outbox: Outbox, loop_of: Loop) -> None:
    """Neither takes the other's word away: nothing waits for the next look, five seconds off."""
    done: asyncio.Queue[str] = asyncio.Queue()

    async def do(job: Job) -> None:
        done.put_nowait(job.key)

    async with loop_of({"one": do}), loop_of({"other": do}):
        async with asyncio.timeout(4):
            for number in range(10):
                kind = ("one", "other")[number % 2]
                await add(db, outbox, f"{kind}:{number}", kind=kind)
                assert await done.get() == f"{kind}:{number}"
