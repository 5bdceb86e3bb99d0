"""When nobody listened; how a lost call really ended; calls nobody saw. All of it harmless when it is done twice."""

import asyncio
from typing import TYPE_CHECKING

import pytest

from storage.database import Database
from storage.gaps import Gaps
from storage.jobs import JobState
from storage.ledger import Ledger
from storage.outbox import Outbox
from storage.reads import Reads
from storage.records import Entry, EventKind, Found, FoundTalk, NewJob, TimelineKind
from telephony.call import CallKey, Ended, Fact, Left, LeftMessage, Outcome, Over, Stopped
from tickets.ticket import Reachability

if TYPE_CHECKING:
    from tests.storage.conftest import Ring, Told

NOON = 1_795_147_200.0
JOB = NewJob("backfill", "main:a:1", {"pbx": "main", "live": []}, NOON)


@pytest.fixture
def gaps(db: Database, ledger: Ledger) -> Gaps:
    """The gaps on either database."""
    return Gaps(db, ledger)


async def tell(ledger: Ledger, call: "Told", *facts: Fact) -> None:
    """Have facts of a call kept."""
    for fact in facts:
        await ledger.record(fact, now=fact.at or 0.0, number=call.number)


def lost(call: "Told", at: float = 60.0) -> list[Fact]:
    """What a resync says of a call that vanished while 1001 talked and 1002 rang."""
    when = {"call": call.key, "at": call.began + at}
    return [
        Left(agent="1001", why=Over.LOST, **when),  # type: ignore[arg-type]
        Stopped(agent="1002", why=Over.LOST, **when),  # type: ignore[arg-type]
        Ended(outcome=Outcome.LOST, **when),  # type: ignore[arg-type]
    ]


class TestListening:
    """Who listened, and until when."""

    async def test_the_first_service_ever_missed_nothing(self, gaps: Gaps) -> None:
        """There is nothing before it."""
        assert await gaps.last_heard("main") is None

    async def test_the_next_one_knows_until_when(self, gaps: Gaps) -> None:
        """Of its own PBX, whoever listened."""
        await gaps.began("main", "a", NOON)
        await gaps.heard("main", "a", NOON, NOON + 30)
        await gaps.began("other", "a", NOON + 50)
        assert await gaps.last_heard("main") == NOON + 30

    async def test_a_database_from_before_tells_by_its_open_calls(
        self, gaps: Gaps, ledger: Ledger, ring: "Ring"
    ) -> None:
        """The first call that was open when the old service stopped."""
        over, first, second = ring(), ring(began=NOON + 5), ring(began=NOON + 9)
        await tell(ledger, over, *over.whole())
        await tell(ledger, second, second.arrived())
        await tell(ledger, first, first.arrived())
        assert await gaps.last_heard("main") == NOON + 5

    async def test_a_gap_is_kept_once_with_its_job(self, gaps: Gaps, outbox: Outbox) -> None:
        """A write whose answer was lost may be sent again."""
        first = await gaps.missed("main", "a", NOON, NOON + 60, why="no route", job=JOB, now=NOON + 61)
        assert first is not None
        assert await gaps.missed("main", "a", NOON, NOON + 60, why="no route", job=JOB, now=NOON + 61) is None
        (job,) = await outbox.list()
        assert (job.kind, job.state, job.payload) == ("backfill", JobState.READY, {**JOB.payload, "gap": first})
        (gap,) = await gaps.recent()
        assert (gap.id, gap.pbx, gap.since, gap.until, gap.why, gap.unseen) == (
            first,
            "main",
            NOON,
            NOON + 60,
            "no route",
            0,
        )

    @pytest.mark.parametrize(
        ("since", "until", "covered"), [(-10, 70, True), (0, 60, True), (1, 70, False), (-10, 59, False)]
    )
    async def test_a_gap_is_covered_by_another_service_that_listened_all_the_time(
        self, since: float, until: float, gaps: Gaps, *, covered: bool
    ) -> None:
        """Its own listening does not count."""
        await gaps.missed("main", "a", NOON, NOON + 60, why="", job=JOB, now=NOON)
        (gap,) = await gaps.recent()
        await gaps.began("main", "a", NOON - 100)
        await gaps.heard("main", "a", NOON - 100, NOON + 100)
        assert not await gaps.covered(gap)
        await gaps.began("main", "b", NOON + since)
        await gaps.heard("main", "b", NOON + since, NOON + until)
        assert await gaps.covered(gap) is covered
        await gaps.looked(gap.id, NOON + 90, covered=covered)
        assert len(await gaps.recent()) == (0 if covered else 1)


class TestLost:
    """A call that ended unseen, completed."""

    async def test_the_guess_goes_and_what_was_seen_stays(
        self, gaps: Gaps, ledger: Ledger, reads: Reads, ring: "Ring"
    ) -> None:
        """1001 was heard to answer; the records add the transfer to 1003 and the true end."""
        call = ring()
        rings = [call.queued(), call.rang(), call.rang("1002"), call.answered()]
        await tell(ledger, call, call.arrived(), call.confirmed(), *rings, *lost(call))
        talks = (
            FoundTalk("1001", NOON, NOON + 20, "sales"),
            FoundTalk("1003", NOON + 20, NOON + 41),
        )
        found = Found(Outcome.ANSWERED, NOON + 41, talks)
        assert await gaps.complete(call.key, found, NOON + 70)
        assert not await gaps.complete(call.key, found, NOON + 80)
        page = await reads.call(call.key)
        assert page is not None
        item = page.item
        assert (item.outcome, item.agents, item.ended) == (Outcome.ANSWERED, ("1001", "1003"), NOON + 41)
        assert (item.answered, item.duration) == (NOON + 5, 41.0)
        told = [(event.kind, event.subject, event.at - NOON, event.detail.get("why")) for event in page.events]
        assert told[5:] == [
            (EventKind.ANSWERED, "1001", 5.0, None),
            (EventKind.LEFT, "1001", 20.0, "transferred"),
            (EventKind.ANSWERED, "1003", 20.0, None),
            (EventKind.LEFT, "1003", 41.0, "ended"),
            (EventKind.ENDED, "", 41.0, None),
            (EventKind.STOPPED, "1002", 60.0, "lost"),
            (EventKind.COMPLETED, "", 70.0, None),
        ]
        assert page.events[-1].detail == {
            "was": "lost",
            "outcome": "answered",
            "source": "cdr",
            "ended_was": NOON + 60,
        }

    @pytest.mark.parametrize(
        "story",
        [
            ("", "1001 0-20", "1001 0-20"),
            ("+1001 5", "1001 0-20, 1003 20-41", "1001 5-20, 1003 20-41"),
            ("+1001 5, -1001 20.3, +1003 22.1", "1001 0-20, 1003 20-41", "1001 5-20.3, 1003 22.1-41"),
            ("+1001 5", "1001 0-20, 1003 20-41, 1001 41-50", "1001 5-20, 1003 20-41, 1001 41-50"),
            (
                "+1001 5, -1001 20.3, +1003 22, -1003 41.2, +1001 43",
                "1001 0-20, 1003 20-41, 1001 41-50",
                "1001 5-20.3, 1003 22-41.2, 1001 43-50",
            ),
            ("+1001 5", "1003 20-41", "1001 5-60, 1003 20-41"),
            ("+1001 5, -1001 20.3", "", "1001 5-20.3"),
            ("+1001 20.9", "1001 0-20", "1001 20.9-20.9"),
            ("+1002 20.9", "1002 0-20, 1001 20-25", "1002 20.9-20.9, 1001 20.9-25"),
            ("+1002 3, -1002 20.9", "1002 0-20, 1001 20-25", "1002 3-20.9, 1001 20.9-25"),
        ],
    )
    async def test_what_was_heard_and_what_stands_in_the_records_make_one_story(
        self, story: tuple[str, str, str], gaps: Gaps, ledger: Ledger, reads: Reads, ring: "Ring"
    ) -> None:
        """Heard, in the records, together: nobody talks twice at once, no talk is told twice, transfers and back."""
        heard, records, talks = story
        call = ring()
        await tell(ledger, call, call.arrived(), call.confirmed())
        for what in filter(None, heard.split(", ")):
            who, at = what[1:].split()
            on = what[0] == "+"
            fact = call.answered(who, float(at)) if on else call.left(who, float(at), Over.TRANSFERRED)
            await tell(ledger, call, fact)
        await tell(ledger, call, Ended(call=call.key, at=NOON + 60, outcome=Outcome.LOST))
        found = []
        for what in filter(None, records.split(", ")):
            who, begins, ends = what.replace("-", " ").split()
            found.append(FoundTalk(who, NOON + float(begins), NOON + float(ends)))
        assert await gaps.complete(call.key, Found(Outcome.ANSWERED, NOON + 60, tuple(found)), NOON + 70)
        page = await reads.call(call.key)
        assert page is not None
        told: list[str] = []
        since: dict[str, str] = {}
        for event in page.events:
            at = f"{round(event.at - NOON, 3):g}"
            if event.kind is EventKind.ANSWERED:
                assert event.subject not in since
                since[event.subject] = at
            elif event.kind is EventKind.LEFT:
                told.append(f"{event.subject} {since.pop(event.subject)}-{at}")
        assert not since
        assert sorted(told) == sorted(talks.split(", "))
        assert page.item.agents == tuple(dict.fromkeys(one.split()[0] for one in talks.split(", ")))

    async def test_a_ticket_that_was_to_be_called_back_need_not_be(
        self, gaps: Gaps, ledger: Ledger, reads: Reads, ring: "Ring"
    ) -> None:
        """The call was lost while it rang; the records say that 1001 answered."""
        call = ring()
        ended = Ended(call=call.key, at=NOON + 60, outcome=Outcome.LOST)
        await tell(ledger, call, call.arrived(), call.confirmed(), call.rang(), ended)
        ticket = (await reads.tickets()).items[0]
        assert (ticket.reach, ticket.missed) == (Reachability.MISSED, 1)
        await gaps.complete(
            call.key, Found(Outcome.ANSWERED, NOON + 9, (FoundTalk("1001", NOON, NOON + 9),)), NOON + 70
        )
        ticket = (await reads.tickets()).items[0]
        assert (ticket.reach, ticket.missed) == (Reachability.ANSWERED, 0)
        page = await reads.ticket(ticket.ticket.id)
        assert page is not None
        last = page.timeline[-1]
        assert (last.kind, last.call, last.who) == (TimelineKind.COMPLETED, call.key, None)

    @pytest.mark.parametrize("later", ["answered", "missed"])
    async def test_the_call_that_came_last_says_whether_to_call_back(
        self, later: str, gaps: Gaps, ledger: Ledger, reads: Reads, ring: "Ring"
    ) -> None:
        """What is found out of an older call does not change that."""
        old, new = ring(), ring(began=NOON + 100)
        ended = Ended(call=old.key, at=NOON + 60, outcome=Outcome.LOST)
        await tell(ledger, old, old.arrived(), old.confirmed(), ended)
        await tell(ledger, new, *(new.whole() if later == "answered" else new.missed()))
        before = (await reads.tickets()).items[0]
        assert before.reach == later
        answered = later == "missed"
        talks = (FoundTalk("1001", NOON, NOON + 9),) if answered else ()
        outcome = Outcome.ANSWERED if answered else Outcome.ABANDONED
        assert await gaps.complete(old.key, Found(outcome, NOON + 9, talks), NOON + 200)
        after = (await reads.tickets()).items[0]
        assert after.reach == later
        assert before.missed - after.missed == (1 if answered else 0)

    async def test_a_message_that_was_heard_of_was_left(
        self, gaps: Gaps, ledger: Ledger, reads: Reads, ring: "Ring"
    ) -> None:
        """The records cannot tell."""
        call = ring()
        message = LeftMessage(call=call.key, at=NOON + 30, file="vm.wav")
        ended = Ended(call=call.key, at=NOON + 60, outcome=Outcome.LOST)
        await tell(ledger, call, call.arrived(), call.confirmed(), message, ended)
        assert await gaps.complete(call.key, Found(Outcome.ABANDONED, NOON + 40), NOON + 70)
        page = await reads.call(call.key)
        assert page is not None
        assert page.item.outcome is Outcome.VOICEMAIL

    async def test_what_did_not_get_lost_is_let_be(
        self, gaps: Gaps, ledger: Ledger, reads: Reads, ring: "Ring"
    ) -> None:
        """Nor is a call made that is not there."""
        call = ring()
        await tell(ledger, call, *call.whole())
        before = await reads.call(call.key)
        assert not await gaps.complete(call.key, Found(Outcome.ABANDONED, NOON + 1), NOON + 70)
        assert not await gaps.complete(CallKey("main", "1.1"), Found(Outcome.ABANDONED, NOON + 1), NOON + 70)
        assert await reads.call(call.key) == before

    async def test_another_service_that_saw_the_end_is_believed(
        self, ledger: Ledger, reads: Reads, outbox: Outbox, ring: "Ring"
    ) -> None:
        """One lost sight of the call, its word came first."""
        call = ring()
        seen = [call.arrived(), call.confirmed(), call.queued(), call.answered()]
        await tell(ledger, call, *seen, *lost(call))
        await tell(ledger, call, call.left(at=58.0), call.ended(58.0))
        await tell(ledger, call, *lost(call, 63.0))
        page = await reads.call(call.key)
        assert page is not None
        assert (page.item.outcome, page.item.ended) == (Outcome.ANSWERED, NOON + 58)
        assert [event.detail for event in page.events if event.kind is EventKind.ENDED] == [{"outcome": "answered"}]
        assert await outbox.list() == []

    async def test_two_services_complete_at_once(self, gaps: Gaps, ledger: Ledger, reads: Reads, ring: "Ring") -> None:
        """One of them does it; the gap counts it once."""
        call = ring()
        await tell(ledger, call, call.arrived(), call.confirmed(), call.answered(), *lost(call))
        await gaps.missed("main", "a", NOON + 20, NOON + 60, why="", job=JOB, now=NOON + 61)
        found = Found(Outcome.ANSWERED, NOON + 41, (FoundTalk("1003", NOON + 20, NOON + 41),))
        done = await asyncio.gather(*(gaps.complete(call.key, found, NOON + 70) for _ in range(4)))
        assert sorted(done) == [False, False, False, True]
        page = await reads.call(call.key)
        assert page is not None
        assert page.item.agents == ("1001", "1003")
        assert [gap.completed for gap in await gaps.recent()] == [1]


class TestUnseen:
    """Calls that began and ended while nobody listened."""

    def entries(self, call: "Told", facts: list[Fact]) -> list[Entry]:
        """As they are told to the ledger."""
        job = NewJob("recording", f"{call.key}:recording", {"call": str(call.key)})
        return [Entry(fact, NOON + 99, call.number, None, (job,) if isinstance(fact, Ended) else ()) for fact in facts]

    async def test_written_once_with_ticket_and_jobs(
        self, gaps: Gaps, reads: Reads, outbox: Outbox, ring: "Ring"
    ) -> None:
        """However many services find it at once."""
        await gaps.missed("main", "a", NOON - 9, NOON + 60, why="", job=JOB, now=NOON + 61)
        (gap,) = await gaps.recent()
        call = ring()
        entries = self.entries(call, call.missed())
        detail = {"was": "unseen"}
        assert await gaps.unknown([call.key, CallKey("main", "2.2")]) == [call.key, CallKey("main", "2.2")]
        done = await asyncio.gather(*(gaps.write_unseen(gap.id, entries, detail, NOON + 99) for _ in range(4)))
        assert sorted(done) == [False, False, False, True]
        assert await gaps.unknown([call.key, CallKey("main", "2.2")]) == [CallKey("main", "2.2")]
        page = await reads.call(call.key)
        assert page is not None
        assert (page.item.outcome, page.item.arrived, page.item.ended) == (Outcome.ABANDONED, NOON, NOON + 12)
        assert (page.events[-1].kind, page.events[-1].detail) == (EventKind.COMPLETED, detail)
        (ticket,) = (await reads.tickets()).items
        assert (ticket.reach, ticket.missed, ticket.ticket.calls) == (Reachability.MISSED, 1, 1)
        assert sorted(job.kind for job in await outbox.list()) == ["backfill", "recording"]
        assert [one.unseen for one in await gaps.recent()] == [1]

    async def test_who_was_spoken_with_since_need_not_be_called_back(
        self, gaps: Gaps, ledger: Ledger, reads: Reads, ring: "Ring"
    ) -> None:
        """The missed call is older than the one that was answered, and is written after it."""
        await gaps.missed("main", "a", NOON - 9, NOON + 60, why="", job=JOB, now=NOON + 61)
        (gap,) = await gaps.recent()
        missed, answered = ring(), ring(began=NOON + 70)
        await tell(ledger, answered, *answered.whole())
        await gaps.write_unseen(gap.id, self.entries(missed, missed.missed()), {}, NOON + 99)
        (ticket,) = (await reads.tickets()).items
        assert (ticket.reach, ticket.missed, ticket.ticket.calls) == (Reachability.ANSWERED, 1, 2)

    async def test_open_calls_of_one_pbx(self, gaps: Gaps, ledger: Ledger, ring: "Ring") -> None:
        """``main`` is not ``main2``, ``_`` no wildcard; calls that are over are not open."""
        over, here, later = ring(), ring(), ring(began=NOON + 50)
        await tell(ledger, over, *over.whole())
        await tell(ledger, here, here.arrived())
        await tell(ledger, later, later.arrived())
        for pbx in ("main2", "mai_"):
            other = type(here)(CallKey(pbx, "1.1"))
            await tell(ledger, other, other.arrived())
        assert await gaps.open_calls("main", before=NOON + 40) == [here.key]
        assert await gaps.open_calls("mai_", before=NOON + 40) == [CallKey("mai_", "1.1")]
