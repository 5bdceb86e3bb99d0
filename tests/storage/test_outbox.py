"""Jobs: claimed once, fenced, retried, deferred, given up, replayed."""

import asyncio
import random
from collections import Counter

import pytest

from storage.database import Database
from storage.jobs import Job, JobState
from storage.outbox import MOST_ATTEMPTS, Outbox
from storage.records import NewJob

NOW = 1_795_147_200.0
KINDS = ["transcribe"]
LEASE = 60.0


async def add(db: Database, *keys: str, kind: str = "transcribe", not_before: float = 0.0) -> None:
    """Jobs, in one transaction."""
    outbox = Outbox(db)
    async with db.write() as conn:
        for key in keys:
            await outbox.add(conn, NewJob(kind, key, {"call": key}, not_before), NOW)


async def claimed(outbox: Outbox, now: float = NOW) -> Job:
    """A job that must be there to be claimed."""
    job = await outbox.claim(KINDS, now, LEASE)
    assert job is not None
    return job


async def only(outbox: Outbox) -> Job:
    """The one job there is."""
    (job,) = await outbox.list()
    return job


async def test_a_job_is_added_once_for_its_kind_and_key(db: Database, outbox: Outbox) -> None:
    """Done ones too keep their key, until they are forgotten."""
    await add(db, "main:1", "main:1")
    await add(db, "main:1", kind="recording")
    assert len(await outbox.list()) == 2
    await outbox.done(await claimed(outbox), NOW)
    await add(db, "main:1")
    assert len(await outbox.list(state=JobState.READY)) == 1
    assert await outbox.prune(NOW) == 0
    assert await outbox.prune(NOW + 1) == 1
    await add(db, "main:1")
    assert len(await outbox.list(state=JobState.READY)) == 2


async def test_a_job_is_gone_with_the_transaction_that_added_it(db: Database, outbox: Outbox) -> None:
    """No job of a fact that was not kept."""

    async def broken() -> None:
        async with db.write() as conn:
            await outbox.add(conn, NewJob("transcribe", "main:1"), NOW)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await broken()
    assert await outbox.list() == []


async def test_jobs_are_claimed_in_order_of_when_they_are_due(db: Database, outbox: Outbox) -> None:
    """Not before their time, only of the kinds asked for, with what they carry."""
    await add(db, "later", not_before=NOW + 5)
    await add(db, "first", "second")
    await add(db, "foreign", kind="other")
    assert await outbox.next_due(KINDS) == 0.0
    job = await claimed(outbox)
    assert (job.key, dict(job.payload), job.attempts, job.state) == ("first", {"call": "first"}, 1, JobState.RUNNING)
    assert (await claimed(outbox)).key == "second"
    assert await outbox.claim(KINDS, NOW, LEASE) is None
    assert await outbox.next_due(KINDS) == NOW + 5
    assert (await claimed(outbox, NOW + 5)).key == "later"
    assert await outbox.next_due(["nothing"]) is None


async def test_where_need_decides_the_greatest_is_claimed_first(db: Database, outbox: Outbox) -> None:
    """Whatever is due longest, what needs it most goes first; what says nothing goes last, in its order."""
    async with db.write() as conn:
        for key, payload in (("old", {}), ("a", {"need": 5.5}), ("b", {"need": 1e11}), ("c", {"need": 7}), ("new", {})):
            await outbox.add(conn, NewJob("transcribe", key, payload, not_before=NOW - 9), NOW)
        await outbox.add(conn, NewJob("transcribe", "not yet", {"need": 1e12}, not_before=NOW + 9), NOW)
        await outbox.add(conn, NewJob("recording", "another kind", {"need": 1e12}), NOW)
    order = []
    while (job := await outbox.claim(KINDS, NOW, LEASE, by_need=True)) is not None:
        order.append(job.key)
    assert order == ["b", "c", "a", "old", "new"]


async def test_a_job_is_claimed_by_one_of_many(db: Database, database_url: str) -> None:
    """Eight workers in two processes, forty jobs: each job once."""
    await add(db, *(f"main:{number}" for number in range(40)))
    second = Database.open(database_url)
    got: Counter[str] = Counter()

    async def work(outbox: Outbox) -> None:
        while (job := await outbox.claim(KINDS, NOW, LEASE)) is not None:
            got[job.key] += 1

    async with asyncio.TaskGroup() as group:
        for number in range(8):
            group.create_task(work(Outbox(db if number % 2 else second)))
    await second.close()
    assert got == Counter({f"main:{number}": 1 for number in range(40)})


async def test_whoever_lost_the_lease_is_not_heard_any_more(db: Database, outbox: Outbox) -> None:
    """A worker that slept: another has the job, and nothing the sleeper says about it counts."""
    await add(db, "main:1")
    sleeper = await claimed(outbox)
    assert await outbox.claim(KINDS, NOW + LEASE - 1, LEASE) is None
    other = await claimed(outbox, NOW + LEASE)
    assert (other.id, other.attempts) == (sleeper.id, 2)
    assert not await outbox.done(sleeper, NOW + 61)
    assert not await outbox.retry(sleeper, "late", NOW + 61)
    assert not await outbox.defer(sleeper, NOW + 90, "late", NOW + 61)
    assert not await outbox.dead(sleeper, "late", NOW + 61)
    assert not await outbox.renew(sleeper, NOW + 61, LEASE)
    assert await outbox.renew(other, NOW + 61, LEASE)
    assert await outbox.done(other, NOW + 62)
    assert not await outbox.done(other, NOW + 63)
    assert (await only(outbox)).state is JobState.DONE


async def test_a_claim_that_was_given_up_does_not_count_as_the_next_one(db: Database, outbox: Outbox) -> None:
    """Deferring takes the attempt back, yet an older claim can never pass for the present one."""
    await add(db, "main:1")
    first = await claimed(outbox)
    await outbox.defer(first, NOW, "no model", NOW)
    second = await claimed(outbox)
    assert (first.attempts, second.attempts) == (1, 1)
    assert not await outbox.done(first, NOW)
    assert (await only(outbox)).state is JobState.RUNNING


async def test_a_failed_job_rests_longer_each_time_and_dies_in_the_end(db: Database) -> None:
    """Its last error stays to be read; replayed it starts afresh."""
    outbox = Outbox(db, most_attempts=3, rng=random.Random(1))
    await add(db, "main:1")
    now, pauses = NOW, []
    for attempt in (1, 2, 3):
        job = await claimed(outbox, now)
        assert job.attempts == attempt
        assert await outbox.retry(job, f"the CRM is away ({attempt})", now)
        pauses.append((await only(outbox)).due - now)
        now = max(now, (await only(outbox)).due)
    assert 1.5 <= pauses[0] <= 2.5
    assert 3.0 <= pauses[1] <= 5.0
    dead = await only(outbox)
    assert (dead.state, dead.error) == (JobState.DEAD, "the CRM is away (3)")
    assert await outbox.claim(KINDS, now + 1e9, LEASE) is None
    assert await outbox.replay(dead.id, now)
    assert (await claimed(outbox, now)).attempts == 1


async def test_the_other_side_may_say_when(db: Database, outbox: Outbox) -> None:
    """A 429 with its time; a time in the past is now."""
    await add(db, "main:1")
    await outbox.retry(await claimed(outbox), "429", NOW, at=NOW + 30)
    assert (await only(outbox)).due == NOW + 30
    await outbox.retry(await claimed(outbox, NOW + 30), "429", NOW + 30, at=NOW)
    assert (await only(outbox)).due == NOW + 30


async def test_waiting_is_visible_and_costs_no_attempt(db: Database, outbox: Outbox) -> None:
    """However long the model is missing; when it comes, nobody waits for the pause to end."""
    await add(db, "main:1", "main:2")
    now = NOW
    for _ in range(MOST_ATTEMPTS * 2):
        assert await outbox.defer(await claimed(outbox, now), now + 60, "no speech model", now)
        assert await outbox.defer(await claimed(outbox, now), now + 60, "no speech model", now)
        now += 60
    assert [(job.why, job.attempts, job.state) for job in await outbox.list()] == [
        ("no speech model", 0, JobState.READY)
    ] * 2
    assert await outbox.hurry(KINDS, now - 30) == 2
    assert await outbox.hurry(["other"], now - 30) == 0
    assert (await claimed(outbox, now - 30)).why is None


async def test_a_job_that_kills_its_worker_every_time_is_given_up(db: Database) -> None:
    """Nobody lived to say that it failed; it does not take workers down for ever."""
    outbox = Outbox(db, most_attempts=3)
    await add(db, "poison", "harmless")
    now, seen = NOW, []
    for _ in range(5):
        job = await outbox.claim(KINDS, now, LEASE)
        assert job is not None
        seen.append(job.key)
        if job.key == "harmless":
            await outbox.done(job, now)
        else:
            now += LEASE
        if "harmless" in seen and seen.count("poison") == 3:
            break
    assert await outbox.claim(KINDS, now, LEASE) is None
    (dead,) = await outbox.list(state=JobState.DEAD)
    assert (dead.key, dead.error, dead.attempts) == ("poison", "whoever tried it died", 3)


async def test_replaying_takes_what_is_over_and_nothing_else(db: Database, outbox: Outbox) -> None:
    """One by its id, or every dead one, of a kind if wanted."""
    await add(db, "main:1", "main:2", "main:3")
    jobs = [await claimed(outbox) for _ in range(3)]
    await outbox.dead(jobs[0], "broken", NOW)
    await outbox.done(jobs[1], NOW)
    assert not await outbox.replay(jobs[2].id, NOW)
    assert not await outbox.replay(99_999, NOW)
    with outbox.listen() as one, outbox.listen() as other:
        assert await outbox.replay_dead(NOW, "other") == 0
        assert await outbox.replay_dead(NOW) == 1
        assert await outbox.replay(jobs[1].id, NOW)
        one.clear()
        assert other.is_set()
    assert await outbox.counts() == {("transcribe", JobState.READY): 2, ("transcribe", JobState.RUNNING): 1}


async def test_the_list_is_newest_first_by_state_and_kind(db: Database, outbox: Outbox) -> None:
    """Paged by the last id of the page before."""
    await add(db, "main:1", "main:2", "main:3")
    await add(db, "main:4", kind="other")
    keys = [job.key for job in await outbox.list(kind="transcribe", limit=2)]
    assert keys == ["main:3", "main:2"]
    below = (await outbox.list(kind="transcribe", limit=2))[-1].id
    assert [job.key for job in await outbox.list(below=below)] == ["main:1"]
    job = await outbox.get(below)
    assert job is not None
    assert job.key == "main:2"
    assert await outbox.get(99_999) is None
