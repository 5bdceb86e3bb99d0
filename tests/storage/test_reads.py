"""What the desk reads."""

from typing import TYPE_CHECKING

import pytest

from storage.accounts import Accounts
from storage.audit import Audit, What
from storage.database import Database
from storage.edits import TicketField
from storage.ledger import Ledger
from storage.pages import Listen, TicketFilter
from storage.reads import Reads
from storage.records import Known
from storage.search import Asker
from tickets.ticket import Status

if TYPE_CHECKING:
    from tests.storage.conftest import Ring, Told


async def tell(ledger: Ledger, call: "Told", known: Known | None = None) -> int:
    """A whole answered call; its ticket."""
    for fact in call.whole():
        recorded = await ledger.record(fact, now=fact.at or 0.0, number=call.number, known=known)
    assert recorded.ticket is not None
    return recorded.ticket.id


async def test_open_tickets_of_a_caller_by_customer_or_number(ledger: Ledger, reads: Reads, ring: "Ring") -> None:
    """For the card: on every line or on one, newest activity first, solved ones not."""
    li = Known("C1", "李雷")
    first = await tell(ledger, ring("13900000001"), li)
    second = await tell(ledger, ring("13900000002", line="4008001234", began=ring().began + 60), li)
    stranger = await tell(ledger, ring("13900000003"))
    assert [it.id for it in await reads.open_tickets("C1", "+8613900000001")] == [second, first]
    assert [it.id for it in await reads.open_tickets("C1", None, line="4007002505")] == [first]
    assert [it.id for it in await reads.open_tickets(None, "+8613900000003")] == [stranger]
    assert list(await reads.open_tickets(None, None)) == []
    await ledger.edit_ticket(first, {TicketField.STATUS: "solved"}, who="li", now=1.0, version=1)
    assert [it.id for it in await reads.open_tickets("C1", None)] == [second]


async def test_the_list_is_paged_without_gaps_or_doubles(ledger: Ledger, reads: Reads, ring: "Ring") -> None:
    """Several tickets may have changed at one instant; one that moves up meanwhile is not seen twice below."""
    began = ring().began
    made = [await tell(ledger, ring(f"139000000{n:02d}", began=began + n // 3)) for n in range(10)]
    seen: list[int] = []
    cursor = None
    for _ in range(5):
        page = await reads.tickets(cursor=cursor, limit=3)
        seen += [item.ticket.id for item in page.items]
        if (cursor := page.cursor) is None:
            break
        await ledger.note(seen[-1], "read", "li", began + 999)
    assert sorted(seen) == sorted(made)
    with pytest.raises(ValueError, match=r".*"):
        await reads.tickets(cursor="nonsense")


async def test_the_list_is_filtered(db: Database, ledger: Ledger, reads: Reads, ring: "Ring") -> None:
    """By status, line, owner, missed and text; all conditions hold together."""
    await Accounts(db).add("li", name="李", role="agent", password="x", now=1.0, extension="1001")
    li = await tell(ledger, ring("13800000001"), Known("C1", "李雷100%"))
    wang = await tell(ledger, ring("13800000002", line="4008001234"), Known("C2", "Wang Fang"))
    missed = ring("13800000003")
    for fact in missed.missed():
        lost = (await ledger.record(fact, now=fact.at or 0.0, number=missed.number)).ticket
    assert lost is not None
    await ledger.edit_ticket(
        wang, {TicketField.STATUS: "closed", TicketField.TITLE: "发票抬头"}, who="li", now=1.0, version=1
    )
    cases: list[tuple[TicketFilter, set[int]]] = [
        (TicketFilter(), {li, wang, lost.id}),
        (TicketFilter(status=frozenset({Status.ACCEPTED, Status.WORKING})), {li, lost.id}),
        (TicketFilter(status=frozenset()), set()),
        (TicketFilter(line="4008001234"), {wang}),
        (TicketFilter(owner="li"), {li, wang}),
        (TicketFilter(missed=True), {lost.id}),
        (TicketFilter(text="李雷"), {li}),
        (TicketFilter(text="100%"), {li}),
        (TicketFilter(text="%"), {li}),
        (TicketFilter(text="wang f"), {wang}),
        (TicketFilter(text="发票"), {wang}),
        (TicketFilter(text="138 0000-0003"), {lost.id}),
        (TicketFilter(text="20261120-0002"), {wang}),
        (TicketFilter(text="  "), {li, wang, lost.id}),
        (TicketFilter(text="李雷", line="4008001234"), set()),
    ]
    for wanted, expected in cases:
        assert {item.ticket.id for item in (await reads.tickets(wanted)).items} == expected, wanted


async def test_calls_of_a_day(ledger: Ledger, reads: Reads, ring: "Ring") -> None:
    """Since midnight, newest first, of one line or all."""
    began = ring().began
    yesterday, early, late = ring(began=began - 86400), ring(began=began), ring("13900000001", "4008001234", began + 9)
    for call in (yesterday, early, late):
        await tell(ledger, call)
    assert [item.key for item in await reads.calls_today(began - 100)] == [late.key, early.key]
    assert [item.key for item in await reads.calls_today(began - 100, "4007002505")] == [early.key]
    assert [item.agents for item in await reads.calls_today(began - 100)] == [("1001",), ("1001",)]


async def test_a_call_concerns_who_talked_and_who_owns_its_ticket(
    db: Database, ledger: Ledger, reads: Reads, ring: "Ring"
) -> None:
    """Not whose phone merely rang, nor everybody else."""
    await Accounts(db).add("wang", name="王芳", role="agent", password="x", now=1.0, extension="1002")
    call = ring()
    ticket = await tell(ledger, call)
    assert await reads.concerns(call.key, Asker("li", "1001"))
    assert not await reads.concerns(call.key, Asker("wang", "1002"))
    assert not await reads.concerns(call.key, Asker("boss", None))
    await ledger.edit_ticket(ticket, {TicketField.OWNER: "wang"}, who="li", now=1.0, version=1)
    assert await reads.concerns(call.key, Asker("wang", "1002"))
    assert not await reads.concerns(ring().key, Asker("li", "1001"))


async def test_a_calls_page_tells_who_listened(db: Database, ledger: Ledger, reads: Reads, ring: "Ring") -> None:
    """From the audit trail; logins and other calls do not show."""
    call = ring()
    await tell(ledger, call)
    audit = Audit(db)
    await audit.add("boss", What.LISTENED, str(call.key), 5.0)
    await audit.add("boss", What.LISTENED, str(ring().key), 6.0)
    await audit.add("boss", What.LOGGED_IN, "boss", 4.0)
    page = await reads.call(call.key)
    assert page is not None
    assert page.listens == (Listen("boss", 5.0),)


async def test_what_is_not_there_is_none(reads: Reads, ring: "Ring") -> None:
    """A mistyped address is no error of ours."""
    assert await reads.ticket(12345) is None
    assert await reads.call(ring().key) is None
    assert (await reads.tickets()).items == ()
