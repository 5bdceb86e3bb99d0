"""The look that follows a transcript, and the index made anew after an update: as jobs of the service."""

from collections.abc import AsyncIterator

import pytest
import structlog
from sqlalchemy import delete

from hotline.bursting import INDEX, LOOK, Bursting
from numbering.identify import identify
from storage.bursts import Bursts
from storage.database import Database
from storage.fanout import MemoryFanout
from storage.jobs import Wait
from storage.ledger import Ledger
from storage.outbox import Outbox
from storage.reads import Reads
from storage.records import NewJob
from storage.search import Asker, Search
from storage.search_tables import call_words
from telephony.call import Answered, Arrived, CallKey, Confirmed, Ended, Fact, Outcome
from tickets.bursts import DAY, WEEK
from transcription.account import Category, Sentiment, Summary, Urgency
from transcription.transcript import Speaker, Transcript, Turn

LINE = "4007002505"
NOON = 1_795_147_200.0
SUMMARY = Summary("断网", Category.REPAIR, Urgency.MIDDLE, Sentiment.NEUTRAL, (), (), {})


class House:
    """A ledger, jobs and the handlers, on one database."""

    def __init__(self, db: Database) -> None:
        self.db, self.now, self.count = db, NOON, 0
        self.ledger, self.outbox, self.fanout = Ledger(db), Outbox(db), MemoryFanout()
        self.bursting = Bursting(db=db, fanout=self.fanout, clock=lambda: self.now)

    async def rings(self, said: str) -> CallKey:
        """Somebody else rings, and what they say is written down with the look that follows."""
        self.count += 1
        key, caller = CallKey("main", f"{self.now:.0f}.{self.count}"), f"138{self.count:08d}"
        facts: list[Fact] = [
            Arrived(call=key, at=self.now, caller=caller, caller_name=None, number=LINE, dialled=LINE),
            Confirmed(call=key, at=self.now),
            Answered(call=key, at=self.now + 1, agent="1001", queue=None),
            Ended(call=key, at=self.now + 30, outcome=Outcome.ANSWERED),
        ]
        for fact in facts:
            await self.ledger.record(fact, now=self.now, number=identify(caller))
        page = await Reads(self.db).call(key)
        assert page is not None
        transcript = Transcript((Turn(Speaker.CALLER, 1.0, 5.0, said, 0.9),), "scripted", "none")
        jobs = self.bursting.follow(page, transcript)
        await self.ledger.said(key, transcript, SUMMARY, self.now, jobs)
        return key

    async def work(self) -> int:
        """Do what is due; how many jobs."""
        done = 0
        while (job := await self.outbox.claim((LOOK, INDEX), self.now, 60.0)) is not None:
            answer = await self.bursting.handlers[job.kind](job)
            if isinstance(answer, Wait):
                await self.outbox.defer(job, answer.until, answer.why, self.now)
            else:
                await self.outbox.done(job, self.now)
            done += 1
        return done


@pytest.fixture
async def house(sqlite_url: str) -> AsyncIterator[House]:
    """The house, empty."""
    db = Database.open(sqlite_url)
    house = House(db)
    yield house
    await house.fanout.close()
    await db.close()


async def test_lists_are_told_of_a_burst_once(house: House) -> None:
    """Each transcript is looked at; one of them finds the burst, and open lists renew themselves."""
    for day in range(0, 49, 4):
        house.now = NOON + day * DAY
        await house.rings("网速慢")
    house.now = NOON + 7 * WEEK + DAY
    async with house.fanout.subscribe("tickets") as heard:
        with structlog.testing.capture_logs() as logs:
            for _ in range(9):
                house.now += 60.0
                await house.rings("断网了，光猫红灯")
            assert await house.work() == 13 + 9
            topic, message = await anext(heard)
    assert topic == "tickets"
    (found,) = await Bursts(house.db).recent(NOON)
    assert message == {"type": "ticket", "id": None, "burst": found.id}
    assert [line["line"] for line in logs if line["event"] == "more calls than usual"] == [LINE]


async def test_what_an_older_version_kept_is_indexed_at_the_start(house: House) -> None:
    """Piece by piece, once; a second start does nothing."""
    keys = [await house.rings("热水器不热") for _ in range(3)]
    async with house.db.write() as conn:
        await conn.execute(delete(call_words))
    await house.work()
    search, everything = Search(house.db), Asker("zhao", None, everything=True)
    assert not (await search.calls("热水器", everything)).hits
    assert await house.outbox.add_now(Bursting.at_start(), house.now)
    assert await house.work() == 2
    assert [hit.item.key for hit in (await search.calls("热水器", everything)).hits] == keys[::-1]
    assert not await house.outbox.add_now(Bursting.at_start(), house.now)


async def test_a_look_at_a_call_that_is_gone_is_done(house: House) -> None:
    """Nothing to count is nothing to fail of."""
    await house.outbox.add_now(NewJob(LOOK, "main:1.1", {"call": "main:1.1"}), house.now)
    assert await house.work() == 1
