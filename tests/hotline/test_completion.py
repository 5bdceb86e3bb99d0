"""After a gap: lost calls get their real end, calls nobody saw are written; nothing twice, nothing invented."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Collection, Sequence

import pytest

from crm.customer import Customer, Phone
from hotline.callers import identify_with_region
from hotline.completion import LOOKS, PATIENCE, Completion
from hotline.listening import BACKFILL
from hotline.lookup import Lookup
from hotline.pipeline import COMPLETE, LineRules
from storage.customers import EmbeddedCrm
from storage.database import Database
from storage.fanout import MemoryFanout
from storage.gaps import Gaps
from storage.jobs import Job, JobError, JobState, Wait
from storage.ledger import Ledger
from storage.outbox import Outbox
from storage.pages import CallPage
from storage.reads import Reads
from storage.records import Entry, EventKind, NewJob
from telephony.call import Answered, Arrived, CallKey, Confirmed, Ended, Fact, Left, Outcome, Over
from telephony.cdr import RecordsError
from telephony.cdr_rows import Row
from telephony.lines import Lines
from telephony.phones import Phones
from tickets.ticket import Reachability

NOON = 1_795_147_200.0
LINE = "4007002505"


def row(number: int, at: float, seconds: float, agent: str | None = "1001", **more: object) -> Row:
    """A record of a call that began so many seconds after noon, spoken to an agent or none."""
    start = NOON + at
    usual = {
        "uniqueid": f"{int(start)}.{number}",
        "linkedid": f"{int(start)}.{number}",
        "channel": f"PJSIP/carrier-{number:08x}",
        "dest": f"PJSIP/{agent}-00000001" if agent else "",
        "start": start,
        "end": start + seconds,
        "answered": True,
        "caller": "13812345678",
        "dialled": LINE,
        "app": "Queue" if agent else "Read",
        "data": "support,t" if agent else "",
    }
    return Row(**{**usual, **more})  # type: ignore[arg-type]


class Site:
    """A service without its PBX: a ledger, records that somebody else writes, and a clock."""

    def __init__(self, db: Database) -> None:
        self.db, self.now = db, NOON
        self.ledger, self.reads, self.outbox = Ledger(db), Reads(db), Outbox(db)
        self.gaps = Gaps(db, self.ledger)
        self.crm = EmbeddedCrm(db)
        self.records: list[Row] = []
        self.trouble: str | None = None
        self.asked: list[tuple[float, str | None]] = []
        self.live: Collection[CallKey] | None = ()
        self.completion = self.service()

    def service(self, *, with_records: bool = True) -> Completion:
        """One process's handlers."""
        return Completion(
            gaps=self.gaps,
            ledger=self.ledger,
            reads=self.reads,
            records={"main": lambda: self} if with_records else {},
            delays={"main": 5.0},
            phones={"main": Phones(["PJSIP/carrier"], {})},
            lines=Lines({LINE: []}),
            rules={LINE: LineRules()},
            identify=identify_with_region,
            lookup=Lookup(self.crm, self.reads.open_tickets, 5.0),
            live=lambda _pbx: self.live,
            fanout=MemoryFanout(),
            wake=self.outbox.wake,
            clock=lambda: self.now,
        )

    async def rows(self, since: float, call: str | None = None) -> Sequence[Row]:
        """The records, as telephony.cdr.Records gives them."""
        self.asked.append((since - NOON, call))
        if self.trouble is not None:
            raise RecordsError(self.trouble)
        return [x for x in self.records if x.start >= since and call in (None, x.uniqueid, x.linkedid)]

    async def tell(self, *facts: Fact) -> None:
        """Have facts kept."""
        number = identify_with_region("13812345678")
        await self.ledger.record_all([Entry(fact, self.now, number) for fact in facts])

    async def gap(self, since: float, until: float, live: Sequence[str] | None = ()) -> Job:
        """A gap and its job, claimed."""
        up = None if live is None else list(live)
        job = NewJob(f"{BACKFILL}main", f"main:a:{since}", {"pbx": "main", "live": up}, NOON + until)
        await self.gaps.missed("main", "a", NOON + since, NOON + until, why="gone", job=job, now=NOON + until)
        self.now = NOON + until + 5
        claimed = await self.outbox.claim([f"{BACKFILL}main"], self.now, 60)
        assert claimed is not None
        return claimed

    async def page(self, key: CallKey) -> CallPage:
        """A call's page."""
        page = await self.reads.call(key)
        assert page is not None
        return page

    async def jobs(self) -> list[str]:
        """Kinds of the jobs there are but for the gap's."""
        return sorted(job.kind for job in await self.outbox.list() if not job.kind.startswith(BACKFILL))


@pytest.fixture
async def site(sqlite_url: str) -> AsyncIterator[Site]:
    """A fresh one."""
    opened = Database.open(sqlite_url)
    yield Site(opened)
    await opened.close()


def seen(key: CallKey, at: float = 0.0, *, agent: str | None = None) -> list[Fact]:
    """A call that was heard to arrive, and perhaps to be answered."""
    began = NOON + at
    arrived = Arrived(call=key, at=began, caller="13812345678", caller_name=None, number=LINE, dialled=LINE)
    facts: list[Fact] = [arrived, Confirmed(call=key, at=began)]
    return [*facts, Answered(call=key, at=began + 4, agent=agent)] if agent else facts


def job(key: CallKey) -> Job:
    """The job of a lost call."""
    payload = {"call": str(key)}
    return Job(1, COMPLETE, f"{key}:complete", payload, JobState.RUNNING, 1, 1, 0.0, None, None, 0.0, 0.0)


class TestComplete:
    """A call that ended as lost."""

    KEY = CallKey("main", f"{int(NOON)}.7")

    async def lost(self, site: Site, at: float = 60.0, *, agent: str | None = None) -> None:
        """It was heard, and then it was gone."""
        await site.tell(*seen(self.KEY, agent=agent), Ended(call=self.KEY, at=NOON + at, outcome=Outcome.LOST))
        site.now = NOON + at + 6

    async def test_it_gets_its_real_end(self, site: Site) -> None:
        """Agents, outcome and end from the records; its page and ticket say so."""
        await self.lost(site)
        same = {"uniqueid": self.KEY.linkedid, "linkedid": self.KEY.linkedid, "channel": "PJSIP/carrier-00000007"}
        site.records = [row(7, 0, 20), row(7, 20, 11, "1003", app="Dial", **same), row(8, 1, 5, "1004")]
        assert await site.completion.complete(job(self.KEY)) is None
        page = await site.page(self.KEY)
        assert (page.item.outcome, page.item.agents, page.item.ended) == (
            Outcome.ANSWERED,
            ("1001", "1003"),
            NOON + 31,
        )
        assert page.events[-1].kind is EventKind.COMPLETED
        assert site.asked == [(-120.0, self.KEY.linkedid)]

    async def test_a_record_takes_a_while(self, site: Site) -> None:
        """Not before the delay; then again and again; and a PBX that was killed never writes one."""
        await self.lost(site)
        site.now = NOON + 61
        first = await site.completion.complete(job(self.KEY))
        assert first == Wait(NOON + 65, "the PBX may not have written the call's record yet")
        assert site.asked == []
        waits: list[float] = []
        while True:
            site.now = NOON + 66 if not waits else waits[-1]
            again = await site.completion.complete(job(self.KEY))
            if again is None:
                break
            waits.append(again.until)
        assert 10 < len(waits) < 25
        assert all(5 <= later - sooner <= 60 for sooner, later in itertools.pairwise(waits))
        assert waits[-2] < NOON + 60 + PATIENCE <= waits[-1]
        assert (await site.page(self.KEY)).item.outcome is Outcome.LOST

    async def test_what_was_seen_stays(self, site: Site) -> None:
        """An agent who was heard to answer answered, whatever the records lack."""
        await self.lost(site, agent="1002")
        site.records = [row(7, 0, 20, None)]
        await site.completion.complete(job(self.KEY))
        page = await site.page(self.KEY)
        assert (page.item.outcome, page.item.agents) == (Outcome.ANSWERED, ("1002",))

    async def test_records_that_cannot_be_read_are_tried_again(self, site: Site) -> None:
        """With the reason where people see it."""
        await self.lost(site)
        site.trouble = "table cdr cannot be read: access denied"
        with pytest.raises(JobError, match="call records of PBX main: table cdr cannot be read: access denied"):
            await site.completion.complete(job(self.KEY))

    @pytest.mark.parametrize("why", ["not lost", "gone", "no records"])
    async def test_nothing_to_do(self, why: str, site: Site) -> None:
        """A call that another service saw end, none at all, a PBX without records."""
        if why == "not lost":
            await site.tell(*seen(self.KEY), Ended(call=self.KEY, at=NOON + 9, outcome=Outcome.ABANDONED))
        elif why == "no records":
            await self.lost(site)
        service = site.service(with_records=why != "no records")
        assert await service.complete(job(self.KEY)) is None
        assert site.asked == []


class TestBackfill:
    """A time in which nobody listened."""

    async def test_calls_nobody_saw_are_written(self, site: Site) -> None:
        """With customer, ticket and recording job; those of other numbers, of other times, and seen ones are not."""
        known = CallKey("main", f"{int(NOON + 30)}.2")
        await site.crm.add_many([Customer("C1", "李雷", phones=(Phone("13812345678", "+8613812345678"),))])
        await site.tell(*seen(known, 30, agent="1009"), Ended(call=known, at=NOON + 31, outcome=Outcome.ANSWERED))
        site.records = [
            row(1, 20, 15),
            row(2, 30, 99),
            row(3, 40, 5, None, dialled="01062809999"),
            row(4, 50, 8, None, caller="anonymous"),
            row(5, -300, 8),
            row(6, 45, 5, "1002", channel="PJSIP/1001-00000009", caller="1001"),
        ]
        claimed = await site.gap(10, 100)
        assert await site.completion.backfill(claimed) == Wait(
            NOON + 100 + LOOKS[0], "looked into; once more, as word of it may come late"
        )
        first, second = CallKey("main", f"{int(NOON + 20)}.1"), CallKey("main", f"{int(NOON + 50)}.4")
        page = await site.page(first)
        assert (page.item.agents, page.item.outcome, page.item.customer_name) == (("1001",), Outcome.ANSWERED, "李雷")
        assert page.item.ticket is not None
        other = await site.page(second)
        assert (other.item.caller, other.item.outcome) == (None, Outcome.ABANDONED)
        assert (await site.page(known)).item.agents == ("1009",)
        assert len(await site.reads.calls_today(NOON - 1000)) == 3
        assert await site.jobs() == ["recording", "recording"]
        assert [(gap.unseen, gap.checked) for gap in await site.gaps.recent()] == [(2, site.now)]

    async def test_done_again_by_another_service_it_changes_nothing(self, site: Site) -> None:
        """At once, and later."""
        site.records = [row(number, 20 + number, 15) for number in range(8)]
        claimed = await site.gap(10, 100)
        await asyncio.gather(*(site.service().backfill(claimed) for _ in range(3)))
        before = [await site.page(call.key) for call in await site.reads.calls_today(NOON)]
        tickets = await site.reads.tickets()
        site.now += 90
        await site.service().backfill(claimed)
        assert [await site.page(call.key) for call in await site.reads.calls_today(NOON)] == before
        assert len(before) == 8
        assert await site.reads.tickets() == tickets
        assert [gap.unseen for gap in await site.gaps.recent()] == [8]
        assert await site.jobs() == ["recording"] * 8

    async def test_it_is_looked_into_until_records_cannot_come_any_more(self, site: Site) -> None:
        """cdr.conf may write them in batches."""
        claimed = await site.gap(10, 100)
        untils = []
        while (answer := await site.completion.backfill(claimed)) is not None:
            untils.append(answer.until - NOON - 100)
            site.now = answer.until
            if len(untils) == 1:
                site.records = [row(1, 20, 15)]
        assert untils == list(LOOKS)
        assert len(await site.reads.calls_today(NOON)) == 1

    async def test_calls_that_are_not_up_any_more_are_lost(self, site: Site) -> None:
        """They were open when the service was killed; one is up still, one began since; each lost one is completed."""
        over, up, new = (CallKey("main", f"{int(NOON)}.{number}") for number in range(3))
        for key, at in ((over, 0), (up, 1), (new, 99.9)):
            await site.tell(*seen(key, at, agent="1001"))
        site.live = [up, new]
        claimed = await site.gap(10, 100, live=[up.linkedid])
        await site.completion.backfill(claimed)
        assert [(await site.page(key)).item.outcome for key in (over, up, new)] == [Outcome.LOST, None, None]
        assert (await site.page(over)).item.ended == NOON + 100
        assert await site.jobs() == [f"{COMPLETE}main", "recording"]

    async def test_who_spoke_unheard_in_a_call_that_goes_on_is_added_when_it_is_over(self, site: Site) -> None:
        """1001 spoke while nobody listened and passed the caller to 1003, who was heard."""
        key = CallKey("main", f"{int(NOON)}.1")
        site.live = [key]
        claimed = await site.gap(10, 40, live=[key.linkedid])
        await site.tell(*seen(key), Answered(call=key, at=NOON + 40, agent="1003"))
        same = {"uniqueid": key.linkedid, "linkedid": key.linkedid, "channel": "PJSIP/carrier-00000001"}
        waits: list[str] = []
        while len(waits) < 5:
            answer = await site.completion.backfill(claimed)
            assert answer is not None
            waits.append(answer.why.partition(":")[0])
            site.now = answer.until
        assert waits[2:] == ["calls that were up in the gap still go on"] * 3
        await site.tell(Ended(call=key, at=site.now, outcome=Outcome.ANSWERED))
        site.live = ()
        site.records = [row(1, 0, 31), row(1, 31, site.now - NOON - 31, "1003", app="Dial", **same)]
        assert await site.completion.backfill(claimed) is None
        assert await site.service().backfill(claimed) is None
        page = await site.page(key)
        assert page.item.agents == ("1001", "1003")
        talks = [(e.kind, e.subject, e.at - NOON) for e in page.events if e.subject]
        assert talks == [
            (EventKind.ANSWERED, "1001", 0.0),
            (EventKind.LEFT, "1001", 31.0),
            (EventKind.ANSWERED, "1003", 40.0),
        ]
        assert page.events[-1].detail["agents"] == ["1001"]
        assert [gap.completed for gap in await site.gaps.recent()] == [1]

    async def test_a_missed_call_in_which_somebody_spoke_unheard_was_none(self, site: Site) -> None:
        """An agent answered in the gap and hung up; the caller was heard in the prompt that follows."""
        key = CallKey("main", f"{int(NOON)}.1")
        await site.tell(*seen(key), Ended(call=key, at=NOON + 70, outcome=Outcome.ABANDONED))
        (ticket,) = (await site.reads.tickets()).items
        assert ticket.missed == 1
        site.records = [row(1, 0, 31)]
        await site.completion.backfill(await site.gap(10, 40, live=[key.linkedid]))
        page = await site.page(key)
        assert (page.item.outcome, page.item.agents, page.item.ended) == (Outcome.ANSWERED, ("1001",), NOON + 70)
        assert [e.detail for e in page.events if e.kind is EventKind.ENDED] == [{"outcome": "answered"}]
        (ticket,) = (await site.reads.tickets()).items
        assert (ticket.missed, ticket.reach) == (0, Reachability.ANSWERED)

    async def test_a_call_that_was_heard_whole_stays_as_it_is(self, site: Site) -> None:
        """Most gaps are a moment in which nothing happened."""
        key = CallKey("main", f"{int(NOON)}.1")
        left = Left(call=key, at=NOON + 70.3, agent="1001", why=Over.ENDED)
        ended = Ended(call=key, at=NOON + 70.4, outcome=Outcome.ANSWERED)
        await site.tell(*seen(key, agent="1001"), left, ended)
        before = await site.page(key)
        site.records = [row(1, 0, 70)]
        await site.completion.backfill(await site.gap(10, 40, live=[key.linkedid]))
        assert await site.page(key) == before

    async def test_nobody_is_ended_while_the_link_is_down(self, site: Site) -> None:
        """The job waits; unseen calls are written meanwhile."""
        open_call = CallKey("main", f"{int(NOON)}.9")
        await site.tell(*seen(open_call))
        site.records, site.live = [row(1, 20, 15)], None
        claimed = await site.gap(10, 100)
        waits = await site.completion.backfill(claimed)
        assert waits is not None
        assert "link is down" in waits.why
        assert (await site.page(open_call)).item.outcome is None
        assert len(await site.reads.calls_today(NOON)) == 2
        site.live = ()
        await site.completion.backfill(claimed)
        assert (await site.page(open_call)).item.outcome is Outcome.LOST

    async def test_a_pbx_that_does_not_list_its_calls_ends_nobodys(self, site: Site) -> None:
        """No write = reporting."""
        open_call = CallKey("main", f"{int(NOON)}.9")
        await site.tell(*seen(open_call))
        await site.completion.backfill(await site.gap(10, 100, live=None))
        assert (await site.page(open_call)).item.outcome is None

    async def test_another_service_listened_all_the_time(self, site: Site) -> None:
        """Then it was no gap, and nothing is asked."""
        await site.gaps.began("main", "b", NOON)
        await site.gaps.heard("main", "b", NOON, NOON + 200)
        claimed = await site.gap(10, 100)
        assert await site.completion.backfill(claimed) is None
        assert site.asked == []
        assert await site.gaps.recent() == []

    async def test_without_records_the_gap_is_told_all_the_same(self, site: Site) -> None:
        """And looked at once more, as another service may say that it listened."""
        claimed = await site.gap(10, 100)
        service = site.service(with_records=False)
        assert (await service.backfill(claimed)) is not None
        site.now = NOON + 100 + LOOKS[0]
        assert await service.backfill(claimed) is None
        assert len(await site.gaps.recent()) == 1

    async def test_records_that_cannot_be_read_are_told(self, site: Site) -> None:
        """On the operator's page, until they can be."""
        site.trouble = "there is no such file"
        claimed = await site.gap(10, 100)
        with pytest.raises(JobError):
            await site.completion.backfill(claimed)
        (gap,) = await site.gaps.recent()
        assert gap.note == "call records of PBX main: there is no such file"
        site.trouble = None
        await site.completion.backfill(claimed)
        (gap,) = await site.gaps.recent()
        assert gap.note is None

    async def test_a_long_gap_is_not_a_years_work(self, site: Site) -> None:
        """A service that was away for months writes the last week's calls."""
        claimed = await site.gap(-90 * 86400, 100)
        await site.completion.backfill(claimed)
        assert site.asked == [(100 - 7 * 86400 - 120, None)]

    async def test_a_call_that_is_up_is_not_written_as_over(self, site: Site) -> None:
        """A record of it may be there while it goes on: a transfer writes one."""
        up = CallKey("main", f"{int(NOON + 20)}.1")
        site.records, site.live = [row(1, 20, 15)], [up]
        await site.completion.backfill(await site.gap(10, 100, live=[up.linkedid]))
        assert len(await site.reads.calls_today(NOON)) == 0


def test_each_kind_of_job_has_its_handler(site: Site) -> None:
    """Of the PBXs that this service listens to; another's jobs are left to it."""
    assert sorted(site.completion.handlers) == [f"{BACKFILL}main", f"{COMPLETE}main"]
