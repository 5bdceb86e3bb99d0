"""Two listeners on one PBX, resyncs, retries: the same facts told again, at once and out of step, change nothing."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select

from storage.database import Database
from storage.ledger import Ledger
from storage.outbox import Outbox
from storage.pages import CallPage, TicketPage
from storage.reads import Reads
from storage.records import Known, NewJob
from storage.tables import calls, tickets
from telephony.call import Ended, Fact

if TYPE_CHECKING:
    from tests.storage.conftest import Ring, Told


@pytest.fixture
async def second(database_url: str) -> AsyncIterator[Database]:
    """The same database, opened by a second process."""
    opened = Database.open(database_url)
    yield opened
    await opened.close()


async def listen(ledger: Ledger, call: "Told", facts: list[Fact], rng: random.Random) -> None:
    """A listener: facts in order, now and then one twice, with other work in between."""
    for fact in facts:
        for _ in range(rng.choice([1, 1, 2])):
            key = str(fact.call)
            jobs = [NewJob("recording", f"{key}:recording")] if isinstance(fact, Ended) else []
            await ledger.record(fact, now=call.began + 60, number=call.number, jobs=jobs, known=Known("C1", "李雷"))
            for _ in range(rng.randrange(4)):
                await asyncio.sleep(0)


async def kept(db: Database, call: "Told") -> tuple[CallPage | None, TicketPage | None]:
    """All that is kept of a call."""
    reads = Reads(db)
    page = await reads.call(call.key)
    assert page is not None
    return page, await reads.ticket(page.item.ticket.id) if page.item.ticket else None


@pytest.mark.parametrize("seed", range(5))
async def test_two_listeners_keep_what_one_would(db: Database, second: Database, ring: "Ring", seed: int) -> None:
    """Call, events, agents, ticket, its timeline and the job: each once, as if one had told it once."""
    rng = random.Random(seed)
    call = ring()
    alone = replace(call, key=call.key._replace(pbx="alone"), line="4008001234")
    first, other = Ledger(db), Ledger(second)
    async with asyncio.TaskGroup() as group:
        group.create_task(listen(first, call, call.whole(), rng))
        group.create_task(listen(other, call, call.whole(), rng))
    await listen(first, alone, alone.whole(), random.Random(0))
    page, ticket = await kept(db, call)
    expected, expected_ticket = await kept(db, alone)
    assert page is not None
    assert expected is not None
    assert page.events == expected.events
    assert page.item.agents == expected.item.agents
    assert expected.item == replace(page.item, key=alone.key, line=alone.line, ticket=expected.item.ticket)
    assert ticket is not None
    assert expected_ticket is not None
    assert [(it.kind, it.at) for it in ticket.timeline] == [(it.kind, it.at) for it in expected_ticket.timeline]
    assert (ticket.item.ticket.calls, ticket.item.missed) == (1, 0)
    assert len(await Outbox(db).list()) == 2


async def test_exactly_one_of_two_listeners_is_told_that_a_fact_is_new(
    db: Database, second: Database, ring: "Ring"
) -> None:
    """So that what hangs on it (a notice, a job) is done once; both are told the same ticket."""
    call = ring()
    for fact in call.whole():
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(Ledger(one).record(fact, now=fact.at or 0.0, number=call.number))
                for one in (db, second)
            ]
        told = [task.result() for task in tasks]
        assert sorted(it.new for it in told) == [False, True], fact
        if not told[0].new and type(fact).__name__ != "Arrived":
            assert told[0].ticket == told[1].ticket


async def test_a_resync_tells_an_agents_state_again_at_a_new_time(db: Database, ring: "Ring") -> None:
    """A telephone that rings cannot begin to ring: nothing is added, until it stopped and really rings again."""
    ledger, call = Ledger(db), ring()
    ringing = [call.arrived(), call.confirmed(), call.rang(at=2.0), call.rang(at=7.0)]
    again = [call.stopped(at=9.0), call.stopped(at=10.0), call.rang(at=11.0)]
    new = [(await ledger.record(fact, now=call.began)).new for fact in (*ringing, *again)]
    assert new == [True, True, True, False, True, False, True]


async def test_a_resync_that_is_written_late_or_early_adds_nothing(db: Database, ring: "Ring") -> None:
    """A listener that starts in mid-ring tells queue and ring with its own time, another what happened really."""
    ledger, call = Ledger(db), ring()
    seen = [call.arrived(), call.confirmed(), call.queued(at=1.0), call.rang(at=2.0), call.answered(at=5.0)]
    adopted = [call.queued(at=3.0), call.rang(at=3.0)]
    for fact in (*seen, *adopted):
        await ledger.record(fact, now=call.began)
    other = ring()
    early = [other.arrived(), other.confirmed(), other.queued(at=3.0), other.rang(at=3.0)]
    for fact in (*early, other.queued(at=1.0), other.rang(at=2.0), other.answered(at=5.0)):
        await ledger.record(fact, now=other.began)
    for one in (call, other):
        page, _ = await kept(db, one)
        assert page is not None
        assert [event.kind.value for event in page.events] == ["arrived", "confirmed", "queued", "rang", "answered"]


async def test_a_caller_may_come_back_to_a_queue(db: Database, ring: "Ring") -> None:
    """Overflow into another queue and back again are three events."""
    ledger, call = Ledger(db), ring()
    queues = [call.queued(1.0, "support"), call.queued(9.0), call.queued(20.0, "support")]
    for fact in (call.arrived(), call.confirmed(), *queues, queues[0]):
        await ledger.record(fact, now=call.began)
    page, _ = await kept(db, call)
    assert page is not None
    assert [event.subject for event in page.events if event.kind.value == "queued"] == ["support", "sales", "support"]


async def test_an_end_that_was_told_stays(db: Database, ring: "Ring") -> None:
    """A second listener that lost its link says lost; the first that saw the hang-up was right, or was first."""
    ledger, call = Ledger(db), ring()
    for fact in call.whole():
        await ledger.record(fact, now=call.began)
    late = call.ended(99.0)
    assert not (await ledger.record(late, now=call.began + 99)).new
    page, _ = await kept(db, call)
    assert page is not None
    assert page.item.duration == 30.0


async def test_fifty_calls_at_once_from_one_number_are_one_ticket(db: Database, second: Database, ring: "Ring") -> None:
    """Through two processes, arriving in the same instant; the numbers people say have no double either."""
    told = [ring() for _ in range(50)]

    async def one(number: int, call: "Told") -> None:
        ledger = Ledger(db if number % 2 else second)
        for fact in call.missed():
            await ledger.record(fact, now=call.began, number=call.number)

    async with asyncio.TaskGroup() as group:
        for number, call in enumerate(told):
            group.create_task(one(number, call))
    async with db.read() as conn:
        assert (await conn.execute(select(tickets.c.calls, tickets.c.missed))).all() == [(50, 50)]
        joined = Counter((await conn.execute(select(calls.c.joined))).scalars())
    assert joined == {True: 49, False: 1}


async def test_one_customer_calling_from_two_telephones_at_once_has_one_ticket(
    db: Database, second: Database, ring: "Ring"
) -> None:
    """The customer's turn is waited for as the number's is."""
    for _ in range(5):
        pair = [(db, ring("13900000001")), (second, ring("13900000002"))]
        async with asyncio.TaskGroup() as group:
            for one, call in pair:
                group.create_task(listen(Ledger(one), call, call.missed(), random.Random(1)))
    async with db.read() as conn:
        assert (await conn.execute(select(func.count()).select_from(tickets))).scalar_one() == 1


async def test_different_callers_at_once_get_different_numbers(db: Database, second: Database, ring: "Ring") -> None:
    """Forty strangers, forty tickets, forty numbers, from two processes."""
    async with asyncio.TaskGroup() as group:
        for number in range(40):
            call = ring(f"139000000{number:02d}")
            ledger = Ledger(db if number % 2 else second)
            group.create_task(_whole(ledger, call))
    async with db.read() as conn:
        numbers = (await conn.execute(select(tickets.c.number).order_by(tickets.c.number))).scalars().all()
    assert numbers == [f"20261120-{number:04d}" for number in range(1, 41)]


async def _whole(ledger: Ledger, call: "Told") -> None:
    for fact in call.whole():
        await ledger.record(fact, now=call.began, number=call.number)
