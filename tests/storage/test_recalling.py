"""What our own database knows of a caller, as the card tells it."""

from typing import TYPE_CHECKING

from storage.accounts import Accounts
from storage.database import Database
from storage.edits import TicketField
from storage.ledger import Ledger
from storage.recalled import Memory
from storage.recalling import Recall
from storage.records import Known
from telephony.call import Outcome
from transcription.account import Category, Promise, Sentiment, Summary, Urgency
from transcription.corrections import Change, Part, promise_key
from transcription.transcript import Transcript

if TYPE_CHECKING:
    from tests.storage.conftest import Ring, Told

NUMBER = "+8613812345678"
LIN, ZHOU = Known("A", "林晓峰"), Known("B", "周晓雯")


def summed_up(issue: str | None, *promises: Promise, category: Category = Category.REPAIR) -> Summary:
    """A summary of that, and with these promises."""
    return Summary(issue, category, Urgency.MIDDLE, Sentiment.NEUTRAL, (), promises, {})


async def said(ledger: Ledger, call: "Told", summary: Summary) -> None:
    """The call is transcribed and summed up."""
    await ledger.said(call.key, Transcript((), "scripted", "v1", "zh", seconds=3.0), summary, call.began + 60)


async def tell(ledger: Ledger, call: "Told", known: Known | None = None, *, missed: bool = False) -> int:
    """A call to its end; its ticket."""
    ticket = None
    for fact in call.missed() if missed else call.whole():
        ticket = (await ledger.record(fact, now=fact.at or 0.0, number=call.number, known=known)).ticket
    assert ticket is not None
    return ticket.id


async def recalled(db: Database, call: "Told", customer: str | None = None) -> Memory:
    """What is known during a call."""
    return await Recall(db, {"1001": "一号台"}).memory(call.key, customer, call.number.e164, call.number.ext)


async def test_the_last_three_calls_with_what_they_were_about(db: Database, ring: "Ring") -> None:
    """The newest first, the missed ones too, not the one that rings; by the name of who spoke."""
    ledger, calls = Ledger(db), [ring(began=1_795_000_000.0 + 1000 * n) for n in range(5)]
    for number, call in enumerate(calls[:4]):
        await tell(ledger, call, missed=number == 1)
    await said(ledger, calls[3], summed_up("热水器漏水"))
    for fact in calls[4].whole()[:4]:
        await ledger.record(fact, now=fact.at or 0.0, number=calls[4].number)
    memory = await recalled(db, calls[4])
    assert [call.call for call in memory.calls] == [call.key for call in reversed(calls[1:4])]
    last = memory.calls[0]
    assert (last.at, last.outcome, last.issue, last.category) == (
        calls[3].began, Outcome.ANSWERED, "热水器漏水", "报修"
    )  # fmt: skip
    assert last.agents == ("一号台",)
    assert (memory.calls[2].outcome, memory.calls[2].agents, memory.calls[2].issue) == (Outcome.ABANDONED, (), None)


async def test_who_spoke_is_called_by_name(db: Database, ring: "Ring") -> None:
    """Of the only colleague with that phone; of a shared phone what the configuration calls it."""
    ledger, accounts = Ledger(db), Accounts(db)
    call, now = ring(), ring()
    await tell(ledger, call)
    await accounts.add("li", name="李明", role="agent", password="x", now=1.0, extension="1001")
    assert (await recalled(db, now)).calls[0].agents == ("李明",)
    await accounts.add("wang", name="王芳", role="agent", password="x", now=1.0, extension="1001")
    assert (await recalled(db, now)).calls[0].agents == ("一号台",)


async def test_of_a_known_customer_only_theirs(db: Database, ring: "Ring") -> None:
    """Another customer behind the same number has calls and tickets of their own."""
    ledger, mine, other, nobodys, now = Ledger(db), ring(), ring(), ring(), ring()
    mine_id = await tell(ledger, mine, LIN)
    await tell(ledger, other, ZHOU)
    await tell(ledger, nobodys)
    memory = await recalled(db, now, "A")
    assert {call.call for call in memory.calls} == {mine.key, nobodys.key}
    assert [each.ticket.id for each in memory.tickets] == [mine_id]
    everybody = await recalled(db, now)
    assert len(everybody.calls) == 3
    assert {each.ticket.customer_id for each in everybody.tickets} == {"A", "B"}


async def test_an_open_ticket_tells_owner_and_next_promise(db: Database, ring: "Ring") -> None:
    """What falls due first of the newest call that promised anything; a follow-up takes nothing back."""
    ledger, first, second, now = Ledger(db), ring(), ring(began=1_795_148_000.0), ring()
    await Accounts(db).add("li", name="李明", role="agent", password="x", now=1.0, extension="1001")
    ticket = await tell(ledger, first)
    assert await tell(ledger, second) == ticket
    later, sooner = Promise("agent", "寄配件", "2026-11-25", 3), Promise("agent", "师傅上门", "2026-11-22T15:00", 5)
    await said(ledger, first, summed_up("热水器漏水", later, sooner))
    await said(ledger, second, summed_up(None, category=Category.PROGRESS))
    (told,) = (await recalled(db, now)).tickets
    assert (told.owner_name, told.summary) == ("李明", "热水器漏水")
    assert told.promise is not None
    assert (told.promise.who, told.promise.what, told.promise.by_when) == ("agent", "师傅上门", "2026-11-22T15:00")


async def test_promises_are_those_that_people_left(db: Database, ring: "Ring") -> None:
    """A correction counts as everywhere; with all taken out nothing is promised."""
    ledger, call, now = Ledger(db), ring(), ring()
    await tell(ledger, call)
    await said(ledger, call, summed_up("漏水", Promise("agent", "师傅上门", "2026-11-22", 5)))
    key = promise_key("agent", "师傅上门")
    fixed = Change(Part.PROMISE, key, {"who": "agent", "what": "师傅上门", "by_when": "2026-11-23"})
    await ledger.correct_summary(call.key, [fixed], who="li", now=2.0, seen=0)
    (told,) = (await recalled(db, now)).tickets
    assert told.promise is not None
    assert told.promise.by_when == "2026-11-23"
    assert (await recalled(db, now)).calls[0].issue == "漏水"
    await ledger.correct_summary(call.key, [Change(Part.PROMISE, key)], who="li", now=3.0, seen=1)
    (told,) = (await recalled(db, now)).tickets
    assert told.promise is None


async def test_closed_matters_are_over(db: Database, ring: "Ring") -> None:
    """Only open tickets; nothing at all of somebody who never called."""
    ledger, call = Ledger(db), ring()
    ticket = await tell(ledger, call)
    await ledger.edit_ticket(ticket, {TicketField.STATUS: "closed"}, who="li", now=2.0, version=1)
    assert (await recalled(db, ring())).tickets == ()
    assert await recalled(db, ring("13900000009")) == Memory()
    assert await recalled(db, ring(None)) == Memory()
