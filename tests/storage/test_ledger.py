"""The ledger: what is kept of a call and its ticket, fact by fact."""

from dataclasses import replace
from datetime import UTC
from typing import TYPE_CHECKING

import pytest

from storage.accounts import Accounts
from storage.database import Database
from storage.ledger import Ledger
from storage.outbox import Outbox
from storage.pages import CallPage, TicketFilter, TicketPage
from storage.reads import Reads
from storage.records import EventKind, Known, NewJob, Phase, Recorded, TimelineKind, Waiting
from storage.trouble import UnknownCallError
from telephony.call import Confirmed, Fact, Held, LeftMessage, Outcome, Over, Resumed
from telephony.call import Recorded as RecordedFact
from tickets.rules import LinePolicy
from tickets.ticket import Reachability, Status

if TYPE_CHECKING:
    from tests.storage.conftest import Ring, Told


async def tell(ledger: Ledger, call: "Told", facts: list[Fact]) -> list[Recorded]:
    """Record facts of a call as they happen."""
    return [
        await ledger.record(fact, now=call.began if fact.at is None else fact.at, number=call.number) for fact in facts
    ]


async def page_of(reads: Reads, call: "Told") -> CallPage:
    """The call's page, which must be there."""
    page = await reads.call(call.key)
    assert page is not None
    return page


async def ticket_of(reads: Reads, call: "Told") -> TicketPage:
    """The page of the call's ticket, which must be there."""
    link = (await page_of(reads, call)).item.ticket
    assert link is not None
    page = await reads.ticket(link.id)
    assert page is not None
    return page


async def test_an_answered_call_from_beginning_to_end(ledger: Ledger, reads: Reads, ring: "Ring") -> None:
    """Who, when, by whom, how long; and one ticket."""
    call = ring()
    await tell(ledger, call, call.whole())
    page = await page_of(reads, call)
    item = page.item
    assert (item.caller, item.e164, item.region, item.line) == (
        "13812345678",
        "+8613812345678",
        "广东深圳",
        "4007002505",
    )
    assert (item.phase, item.outcome, item.duration) == (Phase.ENDED, Outcome.ANSWERED, 30.0)
    assert (item.arrived, item.answered, item.ended) == (call.began, call.began + 5, call.began + 30)
    assert item.agents == ("1001",)
    assert [(event.kind, event.subject) for event in page.events] == [
        (EventKind.ARRIVED, ""),
        (EventKind.CONFIRMED, ""),
        (EventKind.QUEUED, "sales"),
        (EventKind.RANG, "1001"),
        (EventKind.RANG, "1002"),
        (EventKind.STOPPED, "1002"),
        (EventKind.ANSWERED, "1001"),
        (EventKind.LEFT, "1001"),
        (EventKind.ENDED, ""),
    ]
    ticket = await ticket_of(reads, call)
    assert ticket.item.ticket.status is Status.ACCEPTED
    assert (ticket.item.reach, ticket.item.missed, ticket.item.ticket.calls) == (Reachability.ANSWERED, 0, 1)
    assert ticket.item.ticket.number == "20261120-0001"
    assert [item.kind for item in ticket.timeline] == [TimelineKind.OPENED, TimelineKind.ENDED]
    assert ticket.calls == (item,)


async def test_no_ticket_before_the_call_is_confirmed(ledger: Ledger, reads: Reads, ring: "Ring") -> None:
    """An arrival alone may be a forged event: it makes a call, and a ringing phone and a hang-up add no ticket."""
    call = ring()
    told = await tell(ledger, call, [call.arrived(), call.rang(), call.ended(3.0, Outcome.ABANDONED)])
    assert [it.ticket for it in told] == [None, None, None]
    assert (await reads.tickets()).items == ()


async def test_the_confirming_fact_links_the_ticket_in_its_own_transaction(
    ledger: Ledger, reads: Reads, ring: "Ring"
) -> None:
    """What record answers is what is kept, and it is the same for ever after."""
    call = ring()
    _, confirmed, queued = await tell(ledger, call, [call.arrived(), call.confirmed(), call.queued()])
    assert confirmed.new
    assert confirmed.ticket is not None
    assert not confirmed.ticket.joined
    assert queued.ticket == confirmed.ticket == (await page_of(reads, call)).item.ticket


@pytest.mark.parametrize("proof", ["queued", "answered", "ended"])
async def test_a_lost_confirmation_is_made_good_by_any_fact_that_proves_the_call(
    ledger: Ledger, reads: Reads, ring: "Ring", proof: str
) -> None:
    """In a queue, talking, or gone after somebody spoke: a forged arrival does none of that."""
    call = ring()
    _, proved = await tell(ledger, call, [call.arrived(), getattr(call, proof)()])
    assert proved.ticket is not None
    assert (await ticket_of(reads, call)).item.ticket.caller == "+8613812345678"


async def test_a_second_call_joins_the_open_ticket(ledger: Ledger, reads: Reads, ring: "Ring") -> None:
    """One matter, one ticket; the answer says it was joined."""
    first, second = ring(), ring(began=ring().began + 600)
    await tell(ledger, first, first.whole())
    told = await tell(ledger, second, second.whole())
    assert told[-1].ticket is not None
    assert told[-1].ticket.joined
    ticket = await ticket_of(reads, second)
    assert ticket.item.ticket.calls == 2
    assert [item.key for item in ticket.calls] == [second.key, first.key]
    kinds = [item.kind for item in ticket.timeline]
    assert kinds == [TimelineKind.OPENED, TimelineKind.ENDED, TimelineKind.JOINED, TimelineKind.ENDED]
    assert ticket.item.ticket.changed == second.began + 30


async def test_a_line_may_want_a_ticket_for_every_call(ledger: Ledger, reads: Reads, ring: "Ring") -> None:
    """The policy comes with the fact."""
    for call in (ring(), ring()):
        for fact in (call.arrived(), call.confirmed()):
            policy = LinePolicy(join_open=False)
            await ledger.record(fact, now=call.began, number=call.number, policy=policy)
    assert len((await reads.tickets()).items) == 2


async def test_a_storm_of_missed_calls_is_one_ticket_to_call_back(ledger: Ledger, reads: Reads, ring: "Ring") -> None:
    """Nine times in vain, then somebody answers: nothing is left to call back."""
    for minute in range(9):
        call = ring(began=ring().began + 60 * minute)
        await tell(ledger, call, call.missed())
    (item,) = (await reads.tickets(TicketFilter(missed=True))).items
    assert (item.ticket.calls, item.missed, item.reach) == (9, 9, Reachability.MISSED)
    call = ring(began=call.began + 60)
    await tell(ledger, call, call.whole())
    assert (await reads.tickets(TicketFilter(missed=True))).items == ()


async def test_withheld_callers_never_meet_on_a_ticket(ledger: Ledger, reads: Reads, ring: "Ring") -> None:
    """Each withheld call has a ticket of its own."""
    for call in (ring(None), ring(None)):
        await tell(ledger, call, call.whole())
    items = (await reads.tickets()).items
    assert [(item.ticket.caller, item.ticket.calls) for item in items] == [(None, 1), (None, 1)]


async def test_tickets_are_numbered_by_the_sites_day(db: Database, reads: Reads, ring: "Ring") -> None:
    """The same instant is another day elsewhere; numbers start again every day."""
    shanghai, utc = Ledger(db), Ledger(db, zone=UTC)
    late = ring().began + 13 * 3600  # 01:00 of the 21st in Shanghai, 17:00 of the 20th in UTC
    told = [(shanghai, ring().began), (shanghai, late), (shanghai, late), (utc, late)]
    for number, (ledger, began) in enumerate(told):
        call = ring(f"1390000000{number}", began=began)
        await tell(ledger, call, call.whole())
    numbers = sorted(item.ticket.number for item in (await reads.tickets()).items)
    assert numbers == ["20261120-0001", "20261120-0002", "20261121-0001", "20261121-0002"]


async def test_the_customer_comes_with_the_fact_or_later_but_is_never_replaced(
    ledger: Ledger, reads: Reads, ring: "Ring"
) -> None:
    """Call and ticket learn who it is; the first answer stays."""
    early, late = ring("13900000001"), ring("13900000002")
    li, wang = Known("C1", "李雷", vip=True), Known("C2", "王芳")
    await ledger.record(early.arrived(), now=early.began, number=early.number)
    await ledger.record(early.confirmed(), now=early.began, known=li)
    await tell(ledger, late, late.whole())
    link = await ledger.know(late.key, wang, late.began + 31)
    assert link == (await page_of(reads, late)).item.ticket
    await ledger.know(late.key, li, late.began + 32)
    for call, known in ((early, li), (late, wang)):
        ticket, item = (await ticket_of(reads, call)).item, (await page_of(reads, call)).item
        assert (ticket.ticket.customer_id, ticket.ticket.customer_name, ticket.vip) == (
            known.customer_id,
            known.customer_name,
            known.vip,
        )
        assert (item.customer_id, item.customer_name, item.vip) == (known.customer_id, known.customer_name, known.vip)
    assert TimelineKind.CUSTOMER in [item.kind for item in (await ticket_of(reads, late)).timeline]


async def test_a_customers_other_telephone_joins_the_customers_ticket(
    ledger: Ledger, reads: Reads, ring: "Ring"
) -> None:
    """The same customer outranks the same number."""
    known = Known("C1", "李雷")
    for raw in ("13900000001", "13900000002"):
        call = ring(raw)
        for fact in (call.arrived(), call.confirmed()):
            await ledger.record(fact, now=call.began, number=call.number, known=known)
    (item,) = (await reads.tickets()).items
    assert item.ticket.calls == 2


async def test_who_answers_owns_the_ticket_that_nobody_owns(
    db: Database, ledger: Ledger, reads: Reads, ring: "Ring"
) -> None:
    """The login at that extension; a colleague who answers the next call does not take it away."""
    accounts = Accounts(db)
    for login, extension in (("li", "1001"), ("wang", "1002")):
        await accounts.add(login, name=login, role="agent", password="x", now=1.0, extension=extension)
    first, second = ring(), ring()
    await tell(ledger, first, [first.arrived(), first.confirmed(), first.answered("1001")])
    await tell(ledger, second, [second.arrived(), second.confirmed(), second.answered("1002")])
    assert (await ticket_of(reads, second)).item.ticket.owner == "li"


async def test_two_logins_at_one_extension_own_nothing_by_themselves(
    db: Database, ledger: Ledger, reads: Reads, ring: "Ring"
) -> None:
    """Nobody is guessed."""
    for login in ("li", "wang"):
        await Accounts(db).add(login, name=login, role="agent", password="x", now=1.0, extension="1001")
    call = ring()
    await tell(ledger, call, call.whole())
    assert (await ticket_of(reads, call)).item.ticket.owner is None


async def test_a_call_lost_after_it_was_answered_was_answered(ledger: Ledger, reads: Reads, ring: "Ring") -> None:
    """When the PBX goes away in mid-talk nobody has to be called back for it."""
    talked, waited = ring("13900000001"), ring("13900000002")
    lost = {"outcome": Outcome.LOST}
    await tell(ledger, talked, [talked.arrived(), talked.confirmed(), talked.answered(), talked.ended(9.0, **lost)])
    await tell(ledger, waited, [waited.arrived(), waited.confirmed(), waited.ended(9.0, **lost)])
    assert (await ticket_of(reads, talked)).item.reach is Reachability.ANSWERED
    assert (await ticket_of(reads, waited)).item.reach is Reachability.MISSED


async def test_a_message_is_to_be_called_back_too(ledger: Ledger, reads: Reads, ring: "Ring") -> None:
    """Voicemail stands in the list of missed calls under its own name."""
    call = ring()
    message = LeftMessage(call=call.key, at=call.began + 20, file="msg0001.wav")
    await tell(ledger, call, [call.arrived(), call.confirmed(), message, call.ended(40.0, Outcome.VOICEMAIL)])
    (item,) = (await reads.tickets(TicketFilter(missed=True))).items
    assert item.reach is Reachability.VOICEMAIL
    details = {event.kind: event.detail for event in (await page_of(reads, call)).events}
    assert details[EventKind.LEFT_MESSAGE] == {"file": "msg0001.wav"}


async def test_a_transfer_lists_the_agents_in_the_order_they_talked(ledger: Ledger, reads: Reads, ring: "Ring") -> None:
    """Each once, whoever's phone rang first."""
    call = ring()
    talk = [call.rang("1002", 2.0), call.rang("1001", 3.0), call.answered("1001", 5.0), call.rang("1003", 6.0)]
    moved = [call.left("1001", 9.0, Over.TRANSFERRED), call.answered("1003", 9.0), call.answered("1001", 20.0)]
    await tell(ledger, call, [call.arrived(), call.confirmed(), *talk, *moved])
    assert list(await reads.agents_of(call.key)) == ["1001", "1003"]
    assert (await page_of(reads, call)).item.answered == call.began + 5


async def test_phases_follow_the_call_and_never_come_back_to_life(ledger: Ledger, reads: Reads, ring: "Ring") -> None:
    """A colleague's phone that rings during a talk does not make it a ringing call; late news leaves it ended."""
    call = ring()
    steps: list[tuple[Fact, Phase]] = [
        (call.arrived(), Phase.ARRIVED),
        (call.confirmed(), Phase.ARRIVED),
        (call.queued(), Phase.QUEUED),
        (call.rang(), Phase.RINGING),
        (call.answered(), Phase.TALKING),
        (call.rang("1002", 6.0), Phase.TALKING),
        (Held(call=call.key, at=call.began + 7, agent="1001"), Phase.HELD),
        (call.rang("1003", 8.0), Phase.HELD),
        (Resumed(call=call.key, at=call.began + 9, agent="1001"), Phase.TALKING),
        (call.ended(), Phase.ENDED),
        (call.queued(40.0), Phase.ENDED),
        (RecordedFact(call=call.key, at=call.began + 31, files=("a-r.wav", "a-t.wav")), Phase.ENDED),
    ]
    for fact, phase in steps:
        await tell(ledger, call, [fact])
        assert (await page_of(reads, call)).item.phase is phase, fact


async def test_jobs_are_written_with_the_fact_and_only_once(ledger: Ledger, outbox: Outbox, ring: "Ring") -> None:
    """A repeat of the fact, or the same key from elsewhere, adds none."""
    call = ring()
    await tell(ledger, call, [call.arrived(), call.confirmed()])
    job = NewJob("recording", f"{call.key}:recording", {"call": str(call.key)}, not_before=call.began + 60)
    for _ in range(2):
        await ledger.record(call.ended(), now=call.began + 30, jobs=[job])
    (kept,) = await outbox.list()
    assert (kept.kind, kept.key, dict(kept.payload), kept.due) == (job.kind, job.key, dict(job.payload), job.not_before)


async def test_a_fact_of_a_call_that_never_arrived_is_not_kept(ledger: Ledger, reads: Reads, ring: "Ring") -> None:
    """A stray message after a restart breaks nothing."""
    call = ring()
    assert await ledger.record(call.ended(), now=call.began) == Recorded(None, new=False)
    assert await reads.call(call.key) is None
    for work in (ledger.know(call.key, Known("C1", "李雷"), 1.0), ledger.waiting(call.key, Waiting.MODEL)):
        with pytest.raises(UnknownCallError, match=str(call.key)):
            await work


async def test_facts_without_a_time_are_put_when_they_were_heard(ledger: Ledger, reads: Reads, ring: "Ring") -> None:
    """Streams without timestamps lose precision, nothing else: an agent rings twice and misses twice."""
    call = ring()
    bare = [call.rang(), call.stopped(), call.rang(), call.stopped()]
    await tell(ledger, call, [call.arrived(), Confirmed(call=call.key, at=None)])
    for second, fact in enumerate(bare):
        heard = replace(fact, at=None)
        for _ in range(2):
            await ledger.record(heard, now=call.began + 10 + second)
    events = (await page_of(reads, call)).events[2:]
    assert [(event.kind, event.at - call.began) for event in events] == [
        (EventKind.RANG, 10.0),
        (EventKind.STOPPED, 11.0),
        (EventKind.RANG, 12.0),
        (EventKind.STOPPED, 13.0),
    ]
