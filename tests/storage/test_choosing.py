"""Whom a person said the caller is: written, remembered, taken back; and callers entered by hand."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

import pytest

from crm.customer import Customer, Phone
from storage.accounts import Accounts
from storage.crm_ours import CrmOurs, Scope
from storage.customers import EmbeddedCrm
from storage.database import Database
from storage.entered import EnteredCustomers
from storage.following import Follow
from storage.ledger import Ledger
from storage.outbox import Outbox
from storage.pages import CallPage, TicketPage
from storage.reads import Reads
from storage.recalling import Recall
from storage.records import Known, TimelineKind
from storage.trouble import UnknownCallError
from telephony.call import CallKey

if TYPE_CHECKING:
    from tests.storage.conftest import Ring, Told

NOW = 1_795_150_000.0
LIN, ZHOU = Known("A", "林晓峰"), Known("B", "周晓雯", vip=True)


async def tell(ledger: Ledger, call: "Told", known: Known | None = None, *, whole: bool = True) -> None:
    """A call as far as its confirmation, or to its end."""
    for fact in call.whole() if whole else call.whole()[:4]:
        await ledger.record(fact, now=fact.at or 0.0, number=call.number, known=known)


async def pages(reads: Reads, call: "Told") -> tuple[CallPage, TicketPage]:
    """The call and its ticket, which must be there."""
    page = await reads.call(call.key)
    assert page is not None
    assert page.item.ticket is not None
    ticket = await reads.ticket(page.item.ticket.id)
    assert ticket is not None
    return page, ticket


async def whose(reads: Reads, call: "Told") -> Sequence[str | None]:
    """The customer of the call, and of its ticket."""
    page, ticket = await pages(reads, call)
    return [page.item.customer_id, ticket.item.ticket.customer_id]


async def test_a_choice_stands_on_call_and_ticket_with_who_and_when(db: Database, ring: "Ring") -> None:
    """And is remembered of the number, for the next call."""
    ledger, reads, call = Ledger(db), Reads(db), ring()
    await Accounts(db).add("li", name="李明", role="agent", password="x", now=1.0)
    await tell(ledger, call)
    standing = await ledger.choose_customer(call.key, ZHOU, "li", NOW)
    assert standing.number == 1
    assert standing.choice is not None
    assert (standing.choice.customer_id, standing.choice.who, standing.choice.at) == ("B", "李明", NOW)
    page, ticket = await pages(reads, call)
    assert (page.item.customer_id, page.item.customer_name, page.item.vip) == ("B", "周晓雯", True)
    assert (ticket.item.ticket.customer_name, ticket.item.vip) == ("周晓雯", True)
    (line,) = [line for line in ticket.timeline if line.kind is TimelineKind.CHOSEN]
    assert (line.who, line.at, dict(line.detail)) == ("li", NOW, {"id": "B", "name": "周晓雯"})
    memory = await Recall(db).memory(ring().key, None, "+8613812345678")
    assert memory.remembered is not None
    assert (memory.remembered.customer_id, memory.remembered.who) == ("B", "李明")
    assert (await Recall(db).memory(call.key, "B", "+8613812345678")).remembered is None, "it is no earlier call's"


async def test_chosen_twice_is_chosen_once(ledger: Ledger, reads: Reads, ring: "Ring") -> None:
    """A second click, or the same from another tab, changes nothing."""
    call = ring()
    await tell(ledger, call)
    results = await asyncio.gather(*(ledger.choose_customer(call.key, LIN, "li", NOW) for _ in range(4)))
    assert {standing.number for standing in results} == {1}
    _, ticket = await pages(reads, call)
    assert [line.kind for line in ticket.timeline].count(TimelineKind.CHOSEN) == 1


async def test_two_who_choose_at_once_take_turns(db: Database, ring: "Ring") -> None:
    """Somebody's word is the last, the same on call, ticket, number and desks; taken back nothing is left of either."""
    ledgers, reads, call = [Ledger(db) for _ in range(4)], Reads(db), ring()
    await tell(ledgers[0], call)
    said = await asyncio.gather(
        *(
            ledger.choose_customer(call.key, known, who, NOW)
            for ledger, known, who in zip(ledgers, (LIN, ZHOU, LIN, ZHOU), ("li", "wang", "zhao", "root"), strict=True)
        )
    )
    last = max(said, key=lambda standing: standing.number)
    assert last.choice is not None
    assert len({(standing.number, standing.choice) for standing in said}) == last.number, "each number says one thing"
    assert await whose(reads, call) == [last.choice.customer_id] * 2
    memory = await Recall(db).memory(ring().key, None, "+8613812345678")
    assert memory.remembered is not None
    assert memory.remembered.customer_id == last.choice.customer_id
    await ledgers[0].choose_customer(call.key, None, "li", NOW)
    assert await whose(reads, call) == [None, None]
    assert (await Recall(db).memory(ring().key, None, "+8613812345678")).remembered is None


async def test_taken_back_everything_is_as_it_was(db: Database, ring: "Ring") -> None:
    """Also what was remembered before, after choosing one and then another."""
    ledger, reads, earlier, call = Ledger(db), Reads(db), ring(), ring()
    await tell(ledger, earlier)
    await ledger.choose_customer(earlier.key, LIN, "wang", NOW)
    await tell(ledger, call, None, whole=False)
    before = await whose(reads, call)
    for known in (ZHOU, Known("C", "陈一"), ZHOU):
        await ledger.choose_customer(call.key, known, "li", NOW + 1)
    standing = await ledger.choose_customer(call.key, None, "li", NOW + 2)
    assert (standing.number, standing.choice) == (4, None)
    assert await whose(reads, call) == before
    memory = await Recall(db).memory(call.key, None, "+8613812345678")
    assert memory.remembered is not None
    assert (memory.remembered.customer_id, memory.remembered.who) == ("A", "wang")
    assert memory.standing is not None
    assert memory.standing.choice is None
    assert (await ledger.choose_customer(call.key, None, "li", NOW + 3)).number == 4, "nothing is left to take back"


async def test_a_later_call_of_the_number_keeps_its_own_word(db: Database, ring: "Ring") -> None:
    """Who takes back the first call's choice does not take back the second's."""
    ledger, first, second = Ledger(db), ring("01088886666"), ring("01088886666")
    for call, known in ((first, LIN), (second, ZHOU)):
        await tell(ledger, call)
        await ledger.choose_customer(call.key, known, "li", NOW)
    await ledger.choose_customer(first.key, None, "li", NOW + 1)
    memory = await Recall(db).memory(ring().key, None, "+8601088886666")
    assert memory.remembered is not None
    assert memory.remembered.customer_id == "B"


async def test_the_machine_overwrites_no_choice(ledger: Ledger, reads: Reads, ring: "Ring") -> None:
    """The CRM that answers late, and a repeat of the fact with what it found, leave a person's word."""
    call = ring()
    await tell(ledger, call, whole=False)
    await ledger.choose_customer(call.key, ZHOU, "li", NOW)
    await ledger.know(call.key, LIN, NOW + 1)
    await tell(ledger, call, LIN)
    assert await whose(reads, call) == ["B", "B"]


async def test_another_customers_ticket_stays_theirs(ledger: Ledger, reads: Reads, ring: "Ring") -> None:
    """A call that joined by its number somebody else's open ticket is chosen for; the ticket is split off by people."""
    theirs, call = ring(), ring()
    await tell(ledger, theirs, LIN)
    await tell(ledger, call)
    await ledger.choose_customer(call.key, ZHOU, "li", NOW)
    assert await whose(reads, call) == ["B", "A"]
    link = await ledger.split_call(call.key, "li", NOW + 1)
    page, ticket = await pages(reads, call)
    assert page.item.ticket is not None
    assert page.item.ticket.id == link.id
    assert ticket.item.ticket.customer_id == "B"
    await ledger.choose_customer(call.key, None, "li", NOW + 2)
    assert await whose(reads, call) == [None, None]
    assert await whose(reads, theirs) == ["A", "A"]


async def test_the_customer_system_is_told(db: Database, outbox: Outbox, ring: "Ring") -> None:
    """What follows calls and tickets hears of a choice as of any change."""
    ledger, call = Ledger(db, follow=Follow(calls=("note",), tickets=("case",))), ring()
    await tell(ledger, call)
    while (job := await outbox.claim(("note", "case"), NOW, 60.0)) is not None:
        await outbox.done(job, NOW)
    await ledger.choose_customer(call.key, ZHOU, "li", NOW + 1)
    jobs = [await outbox.claim(("note", "case"), NOW + 1, 60.0) for _ in range(2)]
    assert {job.kind for job in jobs if job} == {"note", "case"}


async def test_a_call_nobody_knows_cannot_be_chosen_for(ledger: Ledger) -> None:
    """Nothing is kept of it."""
    with pytest.raises(UnknownCallError):
        await ledger.choose_customer(CallKey("main", "9.9"), LIN, "li", NOW)


async def test_a_caller_entered_by_hand_is_known_the_next_time(db: Database, ring: "Ring") -> None:
    """By the number the call came from; the call and its ticket are theirs at once."""
    ledger, reads, call = Ledger(db), Reads(db), ring("13900000001")
    await tell(ledger, call)
    made, standing = await ledger.enter_customer(
        call.key, name="陈一", company="南山五金", note="要发票", who="li", now=NOW
    )
    assert made.id.startswith("hotline:")
    assert standing.choice is not None
    assert standing.choice.customer_id == made.id
    assert await whose(reads, call) == [made.id, made.id]
    (found,) = await EmbeddedCrm(db).find(call.number)
    assert found == made
    assert (found.company, found.note) == ("南山五金", "要发票")
    assert [each.e164 for each in found.phones] == ["+8613900000001"]
    assert list(await EnteredCustomers(db).find(call.number)) == [made]


async def test_entered_twice_is_entered_once(db: Database, ledger: Ledger, ring: "Ring") -> None:
    """Sent again because the answer was lost; another name of the same call is another customer."""
    call = ring("13900000002")
    await tell(ledger, call)
    first, _ = await ledger.enter_customer(call.key, name="陈一", company=None, note=None, who="li", now=NOW)
    again, _ = await ledger.enter_customer(call.key, name="陈一", company="五金", note=None, who="li", now=NOW)
    other, _ = await ledger.enter_customer(call.key, name="陈二", company=None, note=None, who="li", now=NOW)
    assert (first.id, again.company) == (again.id, "五金")
    assert other.id != first.id
    assert [each.name for each in await EnteredCustomers(db).find(call.number)] == ["陈一", "陈二"]


async def test_a_hidden_number_may_be_entered_too(db: Database, ledger: Ledger, ring: "Ring") -> None:
    """There is no number to know them by; the call knows them."""
    call = ring(None)
    await tell(ledger, call)
    made, _ = await ledger.enter_customer(call.key, name="陈一", company=None, note=None, who="li", now=NOW)
    entered = EnteredCustomers(db)
    assert list(await entered.find(call.number)) == []
    assert [each.id for each in await entered.on_call(call.key, None)] == [made.id]


async def test_only_what_was_entered_here_stands_beside_a_crm(db: Database, ring: "Ring") -> None:
    """Customers imported before a CRM was configured are the CRM's business now."""
    await EmbeddedCrm(db).add_many([Customer("9", "旧客户", (Phone("13812345678", "+8613812345678"),))])
    assert list(await EnteredCustomers(db).find(ring().number)) == []


async def test_no_crm_is_missed_for_who_was_entered_here(db: Database, ring: "Ring") -> None:
    """What is compared with a CRM are its own customers: theirs ought to be there, ours cannot be."""
    ledger, mine, theirs = Ledger(db), ring("13900000003"), ring("13900000004")
    await tell(ledger, mine)
    await tell(ledger, theirs, LIN)
    await ledger.enter_customer(mine.key, name="陈一", company=None, note=None, who="li", now=NOW)
    counts = await CrmOurs(db, calls="note", tickets="case").counts(Scope(0.0, 0.0))
    assert (counts["tickets"], counts["calls"], counts["customers"]) == (1, 1, 1)
