"""Rounds and differences are kept on either database: broken off and gone on with, numbered, and gone when unseen."""

from dataclasses import replace

import pytest

from crm.connector import Of, Ref, Status
from crm.customer import Customer, Phone
from crm.instep import Difference, Mend, What
from numbering.identify import identify
from storage.crm_mend import CrmMend
from storage.crm_ours import CrmOurs, Scope
from storage.crm_refs import CrmRefs
from storage.crm_sync import CrmSync, Found
from storage.customer_pages import customer_pages
from storage.customers import EmbeddedCrm
from storage.database import Database
from storage.doubles import Doubles
from storage.following import Follow
from storage.ledger import Ledger
from storage.outbox import Outbox
from storage.reads import Reads
from storage.records import Known, NewJob, TimelineKind
from tests.storage.conftest import NOON, Ring

GONE = Difference("ticket:7", What.GONE, "20261122-0007", "", Mend.TICKET)
TWICE = Difference("ticket:7", What.TWICE, "t1", "t2", Mend.CLOSE, {"id": "t2"})
THRICE = replace(TWICE, theirs="t3", detail={"id": "t3"})


@pytest.fixture
def sync(db: Database) -> CrmSync:
    """Nothing compared yet."""
    return CrmSync(db)


async def test_a_round_is_begun_once_and_gone_on_with(sync: CrmSync) -> None:
    """Its figures grow with what is compared; accuracy is of what was compared."""
    first = await sync.begin("night:1", since=0.0, total=3, now=NOON)
    await sync.onward(first.id, "here", [Found("ticket:7", [GONE]), Found("ticket:8")], NOON)
    await sync.trouble(first.id, "away")
    again = await sync.begin("night:1", since=5.0, total=9, now=NOON + 60)
    assert (again.id, again.place, again.since, again.trouble) == (first.id, "here", 0.0, "away")
    await sync.onward(again.id, "there", [Found("ticket:9", waits=True)], NOON)
    await sync.end(again.id, NOON + 90, {"customers": 1})
    over = await sync.last()
    assert over is not None
    assert (over.compared, over.differing, over.waiting, over.accuracy, over.trouble) == (2, 1, 1, 50.0, None)
    assert over.quality == {"customers": 1}
    assert (await sync.begin("night:1", since=0.0, total=3, now=NOON)).ended == NOON + 90


async def test_a_difference_keeps_its_number_as_long_as_it_is_seen(sync: CrmSync) -> None:
    """And goes with what is seen no more."""
    await sync.settle(Found("ticket:7", [GONE, TWICE, THRICE], ticket=(7, "20261122-0007")), NOON)
    before = await sync.differences()
    assert [each.difference for each in before] == [GONE, TWICE, THRICE]
    await sync.settle(Found("ticket:7", [replace(THRICE, ours="t9")]), NOON + 60)
    [left] = await sync.differences()
    assert left.id == next(each.id for each in before if each.difference == THRICE)
    assert (left.difference.ours, left.found, left.seen, left.ticket_number) == ("t9", NOON, NOON + 60, "20261122-0007")
    assert (await sync.standing()).kinds == {What.TWICE: 1}
    await sync.settle(Found("ticket:7", waits=True), NOON + 70)
    assert len(await sync.differences()) == 1
    assert [each.id for each in await sync.unseen(NOON + 61)] == [left.id]
    await sync.settle(Found("ticket:7"), NOON + 80)
    assert await sync.differences() == []
    assert (await sync.standing()).subjects == 0


async def test_a_repair_under_way_is_marked(sync: CrmSync) -> None:
    """And why it could not be done."""
    await sync.settle(Found("ticket:7", [GONE]), NOON)
    [left] = await sync.differences()
    await sync.mending([left.id], NOON)
    assert [each.mending for each in await sync.get([left.id, 99])] == [NOON]
    await sync.mending([left.id], None, "refused\0")
    [left] = await sync.get([left.id])
    assert (left.mending, left.trouble) == (None, "refused")


async def test_our_side_is_read_as_it_stands(db: Database, ring: Ring, ledger: Ledger) -> None:
    """With a record there or without one; calls of nobody, and from before the CRM was connected, need none."""
    told, stranger = ring(), ring("13900000000")
    known = Known("c1", "王芳")
    for fact in told.whole():
        await ledger.record(fact, now=NOON, number=told.number, known=known)
    for fact in stranger.whole():
        await ledger.record(fact, now=NOON, number=stranger.number)
    ours, refs = CrmOurs(db, calls="crm-call", tickets="crm-ticket"), CrmRefs(db)
    nothing = Scope(0.0, await ours.kept_since())
    assert await ours.counts(nothing) == {"tickets": 0, "calls": 0, "moves": 0, "customers": 1}
    scope = Scope(0.0, NOON - 60)
    assert await ours.counts(scope) == {"tickets": 1, "calls": 1, "moves": 0, "customers": 1}
    [call] = await ours.calls(scope, 0)
    assert (call.call, call.customer_id, call.ref, call.waits) == (told.key, "c1", None, False)
    assert await ours.calls(scope, call.row) == []
    assert call.ticket is not None
    turn = await refs.begin("key:ticket", Of.TICKET, now=NOON, ticket_id=call.ticket[0])
    assert await refs.kept(turn, Ref(Of.TICKET, "t1"), now=NOON, status=Status.ACCEPTED)
    turn = await refs.begin("key:moved", Of.NOTE, now=NOON, ticket_id=call.ticket[0])
    assert await refs.kept(turn, Ref(Of.NOTE, "n1"), now=NOON, customer_id="c1")
    await Outbox(db).add_now(NewJob("crm-ticket", str(call.ticket[0])), NOON)
    assert await ours.kept_since() == NOON
    [ticket] = await ours.tickets(nothing, 0)
    assert ticket.ref is not None
    assert (ticket.ref.id, ticket.waits, ticket.status) == ("t1", True, Status.ACCEPTED)
    [move] = await ours.moves(nothing, "")
    assert (move.ref.key, move.number, move.customer_id, move.waits) == ("key:moved", call.ticket[1], "c1", True)
    assert await ours.moves(nothing, "key:moved") == []
    assert await ours.owned(["t1", "t2"]) == {"t1"}
    [customer] = await ours.customers(nothing, "")
    assert (sorted(customer.named), sorted(customer.callers)) == ([("王芳", False)], ["+8613812345678"])
    assert customer.open


async def test_what_a_repair_writes_here(db: Database, ring: Ring, ledger: Ledger, reads: Reads) -> None:
    """The customer's name and mark wherever they stand; whose a ticket is, told on its timeline and to who follows."""
    told = ring()
    for fact in told.whole():
        await ledger.record(fact, now=NOON, number=told.number, known=Known("c1", "王芳"))
    writes = CrmMend(db, "odoo", Follow(calls=("crm-call",), tickets=("crm-ticket",)))
    assert await writes.rename(Known("c1", "王总", vip=True)) == 2
    assert await writes.rename(Known("c1", "王总", vip=True)) == 0
    page = await reads.call(told.key)
    assert page is not None
    assert (page.item.customer_name, page.item.vip) == ("王总", True)
    assert page.item.ticket is not None
    assert not await writes.assign(page.item.ticket.id, Known("c2", "李娜"), was="c9", now=NOON)
    assert await writes.assign(page.item.ticket.id, Known("c2", "李娜"), was="c1", now=NOON + 5)
    page = await reads.call(told.key)
    assert page is not None
    assert page.item.customer_id == "c2"
    assert page.item.ticket is not None
    ticket = await reads.ticket(page.item.ticket.id)
    assert ticket is not None
    line = ticket.timeline[-1]
    assert (line.kind, line.who, line.detail["was"]) == (TimelineKind.CUSTOMER, "odoo", "c1")
    assert await Outbox(db).undone("crm-call", [str(told.key), "other"]) == {str(told.key)}
    assert {job.kind for job in await Outbox(db).list()} == {"crm-call", "crm-ticket"}


async def test_the_embedded_customers_come_page_by_page(db: Database) -> None:
    """All of them, with their numbers."""
    raw = identify("13812345678")
    given = [Customer(f"{number:03d}", "王芳", (Phone(raw.raw, raw.e164),)) for number in range(7)]
    await EmbeddedCrm(db).add_many(given)
    pages = [page async for page in customer_pages(db, 3)]
    assert [len(page) for page in pages] == [3, 3, 1]
    assert [one for page in pages for one in page] == given


def test_numbers_of_several_are_found() -> None:
    """Of one customer twice is no double."""
    with Doubles() as doubles:
        doubles.add([("+861", "a"), ("+861", "a"), ("+862", "a")])
        doubles.add([("+862", "b"), ("+863", "c"), ("+862", "c")])
        assert list(doubles.several()) == [("+862", ("a", "b", "c"))]


async def test_customers_come_in_pages_each_once(db: Database, ring: Ring, ledger: Ledger) -> None:
    """Whatever order the database has for names of all kinds."""
    names = ["B1", "a1", "A1", "b-2", "B_2", "é", "王芳", "10", "9"]
    for name in names * 2:
        told = ring()
        for fact in told.whole():
            await ledger.record(fact, now=NOON, number=told.number, known=Known(name, name))
    ours, scope = CrmOurs(db, calls="crm-call", tickets="crm-ticket"), Scope(0.0, None)
    seen, after = [], ""
    while page := await ours.customers(scope, after, 2):
        seen += [each.id for each in page]
        after = page[-1].id
    assert sorted(seen) == sorted(names)
    assert (await ours.counts(scope))["customers"] == len(names)
