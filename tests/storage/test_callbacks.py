"""Missed callers: who is on the list follows from the calls, and people work through it one at a time."""

import asyncio
import random
from typing import TYPE_CHECKING

import pytest

from storage.accounts import Accounts
from storage.callback import LEASE, Callback, CallbackError, CallbackState, Result, UnknownCallbackError
from storage.callback_rows import KEPT
from storage.callbacks import Callbacks
from storage.database import Database
from storage.gaps import Gaps
from storage.ledger import Ledger
from storage.reads import Reads
from storage.records import Found, FoundTalk, TimelineKind
from telephony.call import Fact, LeftMessage, Outcome
from tickets.ticket import Reachability

if TYPE_CHECKING:
    from tests.storage.conftest import Ring, Told

NOON = 1_795_147_200.0
HOUR = 3600.0
MOBILE = "+8613812345678"


@pytest.fixture
def kept(db: Database) -> Callbacks:
    """The list on either database."""
    return Callbacks(db)


async def tell(ledger: Ledger, call: "Told", facts: list[Fact]) -> bool:
    """Record facts of a call as they happen; whether the list was said to have changed."""
    told = [
        await ledger.record(fact, now=call.began if fact.at is None else fact.at, number=call.number) for fact in facts
    ]
    return any(one.callbacks for one in told)


async def listed(kept: Callbacks, now: float = NOON + HOUR) -> list[Callback]:
    """Who is on the list."""
    return list((await kept.waiting(now, limit=200)).items)


async def test_who_spoke_with_nobody_is_to_be_called_back(ledger: Ledger, kept: Callbacks, ring: "Ring") -> None:
    """Gave up, left a message, lost sight of; not who was answered, withheld the number, or has none to call."""
    gave_up, message, lost = ring("13800000001"), ring("13800000002"), ring("13800000003")
    assert await tell(ledger, gave_up, gave_up.missed())
    left = [LeftMessage(call=message.key, at=NOON + 9, file=None), message.ended(20.0, Outcome.VOICEMAIL)]
    await tell(ledger, message, [message.arrived(), message.confirmed(), *left])
    await tell(ledger, lost, [lost.arrived(), lost.confirmed(), lost.ended(25.0, Outcome.LOST)])
    answered, withheld = ring("13800000004"), ring(None)
    assert not await tell(ledger, answered, answered.whole())
    assert not await tell(ledger, withheld, withheld.missed())
    rows = await listed(kept)
    assert [(row.number, row.outcome, row.state) for row in rows] == [
        ("+8613800000001", Outcome.ABANDONED, CallbackState.WAITING),
        ("+8613800000002", Outcome.VOICEMAIL, CallbackState.WAITING),
        ("+8613800000003", Outcome.LOST, CallbackState.WAITING),
    ]
    assert (rows[0].call, rows[0].first, rows[0].last, rows[0].count) == (gave_up.key, NOON + 12, NOON + 12, 1)
    assert rows[0].ticket is not None
    assert rows[0].region == "广东深圳"


async def test_a_call_lost_while_it_was_answered_is_no_missed_one(
    ledger: Ledger, kept: Callbacks, ring: "Ring"
) -> None:
    """Somebody spoke with the caller."""
    call = ring()
    facts = [call.arrived(), call.confirmed(), call.rang(), call.answered(), call.ended(30.0, Outcome.LOST)]
    await tell(ledger, call, facts)
    assert not await listed(kept)


async def test_a_storm_of_calls_is_one_row(ledger: Ledger, kept: Callbacks, ring: "Ring") -> None:
    """Of one number on one line; with their count, the first and the last. Another line's is a row of its own."""
    for minute in range(5):
        call = ring(began=NOON + 60 * minute)
        await tell(ledger, call, call.missed())
    other = ring(line="4008001234", began=NOON + 90)
    await tell(ledger, other, other.missed())
    one, two = await listed(kept)
    assert (one.line, one.count, one.first, one.last) == ("4007002505", 5, NOON + 12, NOON + 252)
    assert (two.line, two.count) == ("4008001234", 1)


async def test_the_same_facts_again_change_nothing(ledger: Ledger, kept: Callbacks, ring: "Ring") -> None:
    """A second listener tells them too."""
    call = ring()
    await tell(ledger, call, call.missed())
    before = await listed(kept)
    assert not await tell(ledger, call, call.missed())
    assert await listed(kept) == before


async def test_who_calls_again_and_is_answered_is_off_the_list(
    ledger: Ledger, kept: Callbacks, reads: Reads, ring: "Ring"
) -> None:
    """On every line, from the moment somebody speaks; its ticket says so."""
    one, two = ring(), ring(line="4008001234", began=NOON + 60)
    await tell(ledger, one, one.missed())
    await tell(ledger, two, two.missed())
    third = ring(began=NOON + 600)
    assert await tell(ledger, third, [third.arrived(), third.confirmed(), third.rang(), third.answered()])
    assert not await listed(kept)
    page = await reads.call(two.key)
    assert page is not None
    assert page.item.ticket is not None
    ticket = await reads.ticket(page.item.ticket.id)
    assert ticket is not None
    assert ticket.item.reach is Reachability.ANSWERED
    told = [line for line in ticket.timeline if line.kind is TimelineKind.CALLBACK]
    assert [(line.at, line.who, line.detail) for line in told] == [(NOON + 605, None, {"state": "reached"})]


async def test_a_missed_call_after_the_talk_counts_anew(ledger: Ledger, kept: Callbacks, ring: "Ring") -> None:
    """From one."""
    for began, answered in ((NOON, False), (NOON + 60, False), (NOON + 120, True), (NOON + 600, False)):
        call = ring(began=began)
        await tell(ledger, call, call.whole() if answered else call.missed())
    (row,) = await listed(kept)
    assert (row.count, row.first, row.state) == (1, NOON + 612, CallbackState.WAITING)


async def test_what_is_found_out_later_counts(db: Database, ledger: Ledger, kept: Callbacks, ring: "Ring") -> None:
    """A lost call whose record says that somebody answered needs no call back; one that was given up does."""
    gaps = Gaps(db, ledger)
    spoken, given_up = ring("13800000001"), ring("13800000002")
    for call in (spoken, given_up):
        await tell(ledger, call, [call.arrived(), call.confirmed(), call.ended(25.0, Outcome.LOST)])
    talk = FoundTalk("1001", NOON + 5, NOON + 20)
    assert await gaps.complete(spoken.key, Found(Outcome.ANSWERED, NOON + 20, (talk,)), NOON + 30)
    assert await gaps.complete(given_up.key, Found(Outcome.ABANDONED, NOON + 22), NOON + 30)
    (row,) = await listed(kept)
    assert (row.number, row.outcome, row.last) == ("+8613800000002", Outcome.ABANDONED, NOON + 22)


async def test_one_agent_takes_a_row_for_a_while(db: Database, ledger: Ledger, kept: Callbacks, ring: "Ring") -> None:
    """Nobody else has it meanwhile; who forgets it loses it."""
    await Accounts(db).add("li", name="李 明", role="agent", password="x", now=NOON)
    call = ring()
    await tell(ledger, call, call.missed())
    (row,) = await listed(kept)
    taken = await kept.take(row.id, "li", NOON + 100)
    assert (taken.state, taken.taken_by, taken.taken_name) == (CallbackState.CALLING, "li", "李 明")
    for step in (kept.take, kept.give_back, kept.done):
        with pytest.raises(CallbackError) as refused:
            await step(row.id, "wang", NOON + 200)
        assert refused.value.by == "li"
    assert (await kept.waiting(NOON + 200)).waiting == 0
    late = NOON + 100 + LEASE
    page = await kept.waiting(late)
    assert (page.waiting, page.items[0].state, page.items[0].taken_by) == (1, CallbackState.WAITING, None)
    assert (await kept.take(row.id, "wang", late)).taken_by == "wang"


async def test_of_two_who_take_it_at_once_one_has_it(ledger: Ledger, kept: Callbacks, ring: "Ring") -> None:
    """And the other is told who."""
    call = ring()
    await tell(ledger, call, call.missed())
    (row,) = await listed(kept)
    tried = await asyncio.gather(
        *(kept.take(row.id, who, NOON + 100) for who in ("li", "wang", "zhao")), return_exceptions=True
    )
    assert sorted(type(one).__name__ for one in tried) == ["Callback", "CallbackError", "CallbackError"]


async def test_a_try_in_vain_is_shown_and_the_row_is_anybodys(
    ledger: Ledger, kept: Callbacks, reads: Reads, ring: "Ring"
) -> None:
    """With what became of it, on the list and on the ticket; told twice it is one."""
    call = ring()
    await tell(ledger, call, call.missed())
    (row,) = await listed(kept)
    await kept.take(row.id, "li", NOON + 100)
    for _ in range(2):
        await kept.tried(MOBILE, Result.BUSY, NOON + 130, "li")
    (row,) = await listed(kept)
    assert (row.state, row.tries, row.tried, row.result) == (CallbackState.NOT_REACHED, 1, NOON + 130, Result.BUSY)
    assert row.taken_by is None
    again = ring(began=NOON + 300)
    await tell(ledger, again, again.missed())
    (row,) = await listed(kept)
    assert (row.state, row.count, row.tries) == (CallbackState.WAITING, 2, 1)
    assert row.ticket is not None
    ticket = await reads.ticket(row.ticket[0])
    assert ticket is not None
    told = [dict(line.detail) for line in ticket.timeline if line.kind is TimelineKind.CALLBACK]
    assert told == [{"state": "calling"}, {"state": "not_reached", "result": "busy"}]


async def test_whom_we_reached_is_off_the_list(ledger: Ledger, kept: Callbacks, ring: "Ring") -> None:
    """A person's call out counts as one in."""
    call = ring()
    await tell(ledger, call, call.missed())
    (row,) = await listed(kept)
    assert await kept.talked(MOBILE, NOON + 100, "li")
    assert not await listed(kept)
    assert (await kept.get(row.id, NOON + 100)).state is CallbackState.REACHED
    assert not await kept.talked(MOBILE, NOON + 110, "li")


async def test_a_person_closes_a_row(ledger: Ledger, kept: Callbacks, reads: Reads, ring: "Ring") -> None:
    """Saying why; it comes back with the next missed call only."""
    call = ring()
    await tell(ledger, call, call.missed())
    (row,) = await listed(kept)
    assert (await kept.done(row.id, "li", NOON + 100, " 已用微信答复 ")).state is CallbackState.DONE
    assert not await listed(kept)
    with pytest.raises(CallbackError):
        await kept.take(row.id, "li", NOON + 110)
    with pytest.raises(UnknownCallbackError):
        await kept.done(row.id + 1, "li", NOON + 110)
    assert row.ticket is not None
    ticket = await reads.ticket(row.ticket[0])
    assert ticket is not None
    assert ticket.timeline[-1].detail == {"state": "done", "text": "已用微信答复"}
    again = ring(began=NOON + 600)
    await tell(ledger, again, again.missed())
    (row,) = await listed(kept)
    assert (row.count, row.state) == (1, CallbackState.WAITING)


async def test_nobody_waits_for_ever(ledger: Ledger, kept: Callbacks, ring: "Ring") -> None:
    """After two weeks a call back would only puzzle; who calls again waits again, from then."""
    call = ring()
    await tell(ledger, call, call.missed())
    later = NOON + KEPT + 13
    page = await kept.waiting(later)
    assert (page.items, page.waiting) == ((), 0)
    again = ring(began=later)
    await tell(ledger, again, again.missed())
    (row,) = await listed(kept, later + HOUR)
    assert (row.count, row.first) == (1, later + 12)


async def test_the_list_comes_in_parts(ledger: Ledger, kept: Callbacks, ring: "Ring") -> None:
    """Who waits longest first; each once."""
    for number in range(7):
        call = ring(f"1380000000{number}", began=NOON + 10 * (number % 3))
        await tell(ledger, call, call.missed())
    found: list[str] = []
    cursor = None
    while True:
        page = await kept.waiting(NOON + HOUR, cursor, 3)
        assert page.waiting == 7
        found += [row.number[-1] for row in page.items]
        cursor = page.cursor
        if cursor is None:
            break
    assert found == list("0361425")


async def test_a_number_is_listed_while_its_last_call_was_missed(ledger: Ledger, kept: Callbacks, ring: "Ring") -> None:
    """Whatever happened before: with the calls missed since anybody spoke with it or a person closed it."""
    for seed in range(25):
        chance, number = random.Random(seed), f"139{seed:08d}"
        missed, at = 0, NOON
        for _ in range(chance.randint(1, 8)):
            at += chance.randint(40, 600)
            step = chance.choice(("missed", "missed", "answered", "reached", "tried", "done"))
            call = ring(number, began=at)
            row = next((one for one in await listed(kept) if one.number == f"+86{number}"), None)
            if step == "missed":
                await tell(ledger, call, call.missed())
                missed += 1
            elif step == "answered":
                await tell(ledger, call, call.whole())
                missed = 0
            elif step == "reached":
                await kept.talked(f"+86{number}", at)
                missed = 0
            elif step == "tried":
                await kept.tried(f"+86{number}", Result.NO_ANSWER, at)
            elif row is not None:
                await kept.done(row.id, "li", at)
                missed = 0
            counts = [one.count for one in await listed(kept) if one.number == f"+86{number}"]
            assert counts == ([missed] if missed else []), (seed, step)
