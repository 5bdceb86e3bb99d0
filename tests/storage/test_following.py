"""Jobs that follow our calls and tickets: one each, wanted again with every change, and no change goes unheard."""

from collections.abc import Callable

import pytest

from storage.database import Database
from storage.edits import TicketField
from storage.following import Follow
from storage.jobs import Job, JobState
from storage.ledger import Ledger
from storage.outbox import Outbox
from storage.records import Entry, Known, NewJob
from tests.storage.conftest import NOON, Ring

AGAIN = NewJob("crm-call", "main:1", {"call": "main:1"}, again=True)
KINDS = ("crm-call", "crm-ticket")
LEASE = 60.0


async def claimed(outbox: Outbox, now: float = NOON) -> Job:
    """A job that must be there to be claimed."""
    job = await outbox.claim(KINDS, now, LEASE)
    assert job is not None
    return job


async def test_a_job_wanted_again_is_there_once_however_often(outbox: Outbox) -> None:
    """While nobody does it, ten changes are one."""
    for _ in range(10):
        await outbox.add_now(AGAIN, NOON)
    (job,) = await outbox.list()
    assert job.state is JobState.READY
    assert await outbox.done(await claimed(outbox), NOON)
    assert await outbox.claim(KINDS, NOON, LEASE) is None


@pytest.mark.parametrize("end", [Outbox.done, lambda box, job, now: box.dead(job, "refused", now)])
async def test_what_is_over_begins_anew(outbox: Outbox, end: Callable[..., object]) -> None:
    """Done, or given up for what was wrong then: there is something new."""
    await outbox.add_now(AGAIN, NOON)
    await end(outbox, await claimed(outbox), NOON)  # type: ignore[misc]
    await outbox.add_now(NewJob("crm-call", "main:1", {"call": "main:1", "more": 1}, again=True), NOON + 5)
    job = await claimed(outbox, NOON + 5)
    assert (job.attempts, job.payload["more"]) == (1, 1)


@pytest.mark.parametrize("end", [Outbox.done, lambda box, job, now: box.dead(job, "refused", now)])
async def test_a_change_while_it_runs_makes_it_run_once_more(outbox: Outbox, end: Callable[..., object]) -> None:
    """Nobody else begins meanwhile; what the running one has read may be old."""
    await outbox.add_now(AGAIN, NOON)
    running = await claimed(outbox)
    await outbox.add_now(AGAIN, NOON + 1)
    assert await outbox.claim(KINDS, NOON + 1, LEASE) is None
    await end(outbox, running, NOON + 2)  # type: ignore[misc]
    again = await claimed(outbox, NOON + 2)
    assert again.attempts == 1
    await outbox.done(again, NOON + 3)
    assert await outbox.claim(KINDS, NOON + 3, LEASE) is None


async def test_what_rests_rests_on(outbox: Outbox) -> None:
    """A CRM that is down is not asked more often because more happens here."""
    await outbox.add_now(AGAIN, NOON)
    await outbox.defer(await claimed(outbox), NOON + 30, "the CRM is left alone", NOON)
    await outbox.add_now(AGAIN, NOON + 1)
    assert await outbox.claim(KINDS, NOON + 29, LEASE) is None
    assert (await claimed(outbox, NOON + 30)).attempts == 1


async def test_a_worker_that_died_left_nothing_unheard(outbox: Outbox) -> None:
    """Its lease ends; whoever takes over reads everything anew."""
    await outbox.add_now(AGAIN, NOON)
    lost = await claimed(outbox)
    await outbox.add_now(AGAIN, NOON + 1)
    later = await claimed(outbox, NOON + LEASE)
    assert not await outbox.done(lost, NOON + LEASE)
    assert await outbox.done(later, NOON + LEASE)
    assert await outbox.claim(KINDS, NOON + LEASE, LEASE) is None


async def test_every_change_of_a_call_and_its_ticket_is_followed(db: Database, outbox: Outbox, ring: Ring) -> None:
    """Answered, known, edited, ended: each makes the jobs ready again, and what changes nothing does not."""
    told, ledger = ring(), Ledger(db, follow=Follow(calls=("crm-call",), tickets=("crm-ticket",)))

    async def due() -> set[tuple[str, str]]:
        found: set[tuple[str, str]] = set()
        while (job := await outbox.claim(KINDS, NOON + 100, LEASE)) is not None:
            found.add((job.kind, job.key))
            await outbox.done(job, NOON + 100)
        return found

    await ledger.record_all([Entry(told.arrived(), NOON, told.number)])
    assert await due() == set()  # it may be a forgery yet
    (written,) = await ledger.record_all([Entry(told.confirmed(), NOON)])
    assert written.ticket is not None
    ticket = written.ticket.id
    both = {("crm-call", str(told.key)), ("crm-ticket", str(ticket))}
    assert await due() == both
    await ledger.record_all([Entry(told.confirmed(), NOON)])
    await ledger.record_all([Entry(told.rang(), NOON)])
    assert await due() == set()
    await ledger.record_all([Entry(told.answered(), NOON)])
    assert await due() == both
    await ledger.know(told.key, Known("c1", "林晓峰"), NOON)
    assert await due() == both
    await ledger.know(told.key, Known("c1", "林晓峰"), NOON)
    assert await due() == set()
    version = await ledger.edit_ticket(ticket, {TicketField.TITLE: "空调漏水"}, who="a", now=NOON, version=1)
    assert await due() == {("crm-ticket", str(ticket))}
    await ledger.edit_ticket(ticket, {TicketField.TITLE: "空调漏水"}, who="a", now=NOON, version=version)
    assert await due() == set()
    await ledger.record_all([Entry(told.ended(), NOON)])
    assert await due() == both


async def test_without_followers_nothing_is_added(outbox: Outbox, ledger: Ledger, ring: Ring) -> None:
    """The embedded customers need no jobs."""
    told = ring()
    await ledger.record_all([Entry(told.arrived(), NOON, told.number), Entry(told.confirmed(), NOON)])
    assert await outbox.list() == []
    assert not Follow()
