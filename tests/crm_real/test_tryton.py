"""Tryton 7.8 itself: the whole contract, the labelled customers, and what only a real one does."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from typing import Any

import asyncpg
import pytest

from crm.connector import Change, Draft, Note, Of, Ref, Status
from crm.customer import Reason
from crm.kit import CHECKS, Check, Fresh, NotShownError
from crm.matching import decide
from crm.trouble import AuthError, InvalidError, NotFoundError, TransientError
from crm.tryton import Tryton
from crm.tryton_changes import PAGE
from numbering.identify import identify
from tests.crm_real.tryton_lab import BARE, PLAIN, NoTrytonError, Screen, TrytonLab, running
from tests.crm_real.tryton_world import MAPPING, TrytonWorld, mechanism, opened, party

pytestmark = [pytest.mark.crm, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def lab() -> Iterator[TrytonLab]:
    """The Tryton."""
    try:
        with running() as found:
            yield found
    except NoTrytonError as error:
        pytest.skip(str(error))


@pytest.fixture
async def screen(lab: TrytonLab) -> AsyncIterator[Screen]:
    """Somebody who works in Tryton."""
    admin = Screen(lab.url)
    [company] = await admin.find("company.company")
    admin.of_company(company)
    yield admin
    await admin.close()


@pytest.fixture
async def tryton(lab: TrytonLab) -> AsyncIterator[Tryton]:
    """The connector."""
    connector = await opened(lab)
    yield connector
    await connector.close()


@pytest.mark.parametrize("check", CHECKS, ids=str)
async def test_the_contract(lab: TrytonLab, screen: Screen, tryton: Tryton, check: Check) -> None:
    """Every sentence."""
    try:
        await check(TrytonWorld(lab, tryton, screen))
    except NotShownError as why:
        pytest.skip(str(why))


async def test_the_labelled_customers_are_found(lab: TrytonLab, tryton: Tryton) -> None:
    """A thousand, typed in nine spellings and with extensions: at least 99 % of the numbers, and nobody else's."""
    wanted = [
        (row[f"{kind}_e164"], row["phone_ext"] if kind == "phone" else "", row["name"] if kind == "mobile" else "")
        for row in lab.labdata().rows(1000)
        for kind in ("mobile", "phone")
        if row[f"{kind}_e164"]
    ]
    gate, missed, inexact = asyncio.Semaphore(4), [], []

    async def look(e164: str, ext: str, name: str) -> None:
        number = identify(f"{e164}转{ext}" if ext else e164)
        async with gate:
            match = decide(number, await tryton.find(number))
        if not match.candidates or (name and name not in {each.customer.name for each in match.candidates}):
            missed.append(e164)
        elif ext and match.candidates[0].reason is not Reason.FIXED_EXT:
            inexact.append(f"{e164}转{ext}")

    async with asyncio.TaskGroup() as group:
        for each in wanted:
            group.create_task(look(*each))
    assert len(missed) <= len(wanted) * 0.01, f"{len(missed)} of {len(wanted)}: {missed[:10]}"
    assert not inexact, f"found without the extension that stands in the comment: {inexact[:10]}"


async def bought(screen: Screen, customer: int, orders: int) -> None:
    """Sales of a customer in yuan, one a day, under way."""
    [company] = await screen.find("company.company")
    [yuan] = await screen.find("currency.currency", ["code", "=", "CNY"])
    [address] = (await screen.read("party.party", customer, "addresses"))["addresses"]
    to = {"invoice_address": address, "shipment_address": address}
    for day in range(1, orders + 1):
        line = {
            "type": "line",
            "description": "桶装水 18.9L\n送货上门",
            "quantity": day,
            "unit_price": decimal("26.00"),
        }
        values = {"party": customer, "company": company, "currency": yuan, "lines": [["create", [line]]], **to}
        sale = await screen.create("sale.sale", **values)
        on = {"__class__": "date", "year": 2026, "month": 11, "day": day}
        await screen.write("sale.sale", sale, state="processing", sale_date=on)


def decimal(text: str) -> dict[str, str]:
    """An amount as Tryton takes one."""
    return {"__class__": "Decimal", "decimal": text}


async def test_a_card_shows_purchases_and_categories(screen: Screen, tryton: Tryton) -> None:
    """The last three sales with day and yuan; the level is a category, and one called VIP makes a VIP."""
    fresh = Fresh()
    mobile = fresh.mobile()
    customer = await party(screen, fresh.name(), mobile)
    names = ["金卡", "VIP"]
    tags = [
        (
            await screen.find("party.category", ["name", "=", name])
            or [await screen.create("party.category", name=name)]
        )[0]
        for name in names
    ]
    await screen.write("party.party", customer, categories=[["add", tags]])
    await bought(screen, customer, 4)
    [found] = await tryton.find(identify(mobile))
    assert (found.id, found.vip) == (str(customer), True)
    assert found.level in names
    assert [(each.what, str(each.on), str(each.amount)) for each in found.purchases] == [
        ("桶装水 18.9L", "2026-11-04", "104.00"),
        ("桶装水 18.9L", "2026-11-03", "78.00"),
        ("桶装水 18.9L", "2026-11-02", "52.00"),
    ]
    assert await tryton.get(str(customer)) == found


async def everything(tryton: Tryton, of: Of, cursor: str) -> tuple[list[Change], str]:
    """All pages of a round."""
    found: list[Change] = []
    while True:
        page = await tryton.changes(of, cursor)
        found += page.changes
        cursor = page.cursor
        if not page.more:
            return found, cursor


async def test_a_number_that_is_changed_by_itself_is_told(screen: Screen, tryton: Tryton) -> None:
    """Its party's stamp stays as it was; and a number that was put away is nobody's."""
    fresh = Fresh()
    first, second = fresh.mobile(), fresh.mobile()
    customer = await party(screen, fresh.name())
    number = await mechanism(screen, customer, first)
    cursor = (await tryton.changes(Of.CUSTOMER, None)).cursor
    versions = set()
    for values, phones in (({"value": second}, [f"+86{second}"]), ({"active": False}, [])):
        await screen.write("party.contact_mechanism", number, **values)
        changes, cursor = await everything(tryton, Of.CUSTOMER, cursor)
        last = [change for change in changes if change.ref.id == str(customer)][-1]
        assert last.customer is not None
        assert [phone.e164 for phone in last.customer.phones] == phones
        versions.add(last.ref.version)
        assert len(await tryton.find(identify(second))) == len(phones)
    assert len(versions) == 2
    assert not await tryton.find(identify(first))


async def test_a_merged_customer_is_found_out_and_its_notes_go_along(screen: Screen, tryton: Tryton) -> None:
    """Tryton leaves notes with the party that was replaced: the next word on the call brings them along."""
    fresh = Fresh()
    name = fresh.name()
    one, two = [await party(screen, name, fresh.mobile()) for _ in range(2)]
    key, links = fresh.key("note"), (("录音", "https://hotline.example/r/1"),)
    kept = await tryton.keep_note(Note(key, str(one), "来电", ("客户说漏水。",), links), None)
    cursor = (await tryton.changes(Of.CUSTOMER, None)).cursor
    wizard = (await screen.wizard("party.replace", "create"))[0]
    await screen.wizard("party.replace", "execute", wizard, {"ask": {"source": one, "destination": two}}, "replace")
    changes, _ = await everything(tryton, Of.CUSTOMER, cursor)
    assert [change.merged for change in changes if change.ref.id == str(one) and change.gone] == [str(two)]
    now = await tryton.get(str(one))
    assert now is not None
    assert now.id == str(two)
    again = await tryton.keep_note(Note(key, str(one), "来电", ("摘要：已派工。",), links), kept)
    assert again.id == kept.id
    note = await screen.read("ir.note", kept.id, "resource", "message")
    assert note["resource"] == f"party.party,{two}"
    assert "已派工" in note["message"]
    [link] = await screen.find("ir.attachment", ["resource", "in", [f"party.party,{one}", f"party.party,{two}"]])
    assert (await screen.read("ir.attachment", link, "resource"))["resource"] == f"party.party,{two}"
    draft = Draft(fresh.key("ticket"), str(one), "热水器漏水", "说漏水。")
    item = await tryton.read_ticket((await tryton.create_ticket(draft)).id)
    assert item is not None
    assert item.customer_id == str(two)


async def test_a_note_is_plain_and_its_recording_can_be_clicked(screen: Screen, tryton: Tryton) -> None:
    """A note is no HTML: the link is an attachment beside it, once."""
    fresh = Fresh()
    customer = await party(screen, fresh.name(), fresh.mobile())
    said, url = "<script>alert(1)</script> & <b>急</b>", "https://hotline.example/r/1?a=1&b=2"
    note = Note(fresh.key("note"), str(customer), "来电", (said,), (("录音", url), ("别的", "javascript:alert(1)")))
    ref = await tryton.keep_note(note, None)
    assert await tryton.keep_note(note, ref) == ref
    assert said in (await screen.read("ir.note", ref.id, "message"))["message"]
    [link] = await screen.find("ir.attachment", ["resource", "=", f"party.party,{customer}"])
    held = await screen.read("ir.attachment", link, "type", "link", "name")
    assert (held["type"], held["link"], held["name"]) == ("link", url, "录音")


async def test_what_people_write_into_a_note_stays(screen: Screen, tryton: Tryton) -> None:
    """Below ours, in place of ours, and when they empty it."""
    fresh = Fresh()
    customer = await party(screen, fresh.name(), fresh.mobile())
    key = fresh.key("note")
    ref = await tryton.keep_note(Note(key, str(customer), "来电", ("客户说漏水。",)), None)
    text = (await screen.read("ir.note", ref.id, "message"))["message"]
    await screen.write("ir.note", ref.id, message=f"{text}\n张工：周三上门")
    ref = await tryton.keep_note(Note(key, str(customer), "来电", ("客户说漏水。", "已派工。")), ref)
    text = (await screen.read("ir.note", ref.id, "message"))["message"]
    assert "已派工" in text
    assert text.endswith("张工：周三上门")
    await screen.write("ir.note", ref.id, message=text.replace("客户说漏水", "客户说漏电"))
    ref = await tryton.keep_note(Note(key, str(customer), "来电", ("客户说漏水。", "已结。")), ref)
    text = (await screen.read("ir.note", ref.id, "message"))["message"]
    assert all(part in text for part in ("客户说漏水", "客户说漏电", "已结", "张工：周三上门"))
    await screen.write("ir.note", ref.id, message="")
    note = Note(key, str(customer), "来电", ("客户说漏水。",))
    assert await tryton.keep_note(note, ref) == ref
    assert not (await screen.read("ir.note", ref.id, "message"))["message"]
    await screen.do("ir.note", "delete", [int(ref.id)])
    with pytest.raises(NotFoundError, match="somebody took it away"):
        await tryton.keep_note(note, ref)


async def test_what_hangs_on_nothing_is_not_written(screen: Screen, tryton: Tryton) -> None:
    """A customer or a ticket that was deleted meanwhile."""
    fresh = Fresh()
    customer = await party(screen, fresh.name(), fresh.mobile())
    ticket = await tryton.create_ticket(Draft(fresh.key("ticket"), str(customer), "热水器漏水", "说漏水。"))
    await screen.do("project.work", "delete", [int(ticket.id)])
    with pytest.raises(NotFoundError):
        await tryton.add_comment(ticket, "已派工。", fresh.key("status-1"))
    with pytest.raises(NotFoundError):
        await tryton.set_status(ticket, Status.WORKING)
    await screen.do("party.party", "delete", [customer])
    with pytest.raises(NotFoundError):
        await tryton.keep_note(Note(fresh.key("note"), str(customer), "来电", ("x",)), None)
    with pytest.raises(NotFoundError):
        await tryton.create_ticket(Draft(fresh.key("ticket"), str(customer), "热水器漏水", "说漏水。"))


async def test_a_note_moves_to_the_customer_that_was_picked_later(screen: Screen, tryton: Tryton) -> None:
    """The agent said which of two it was."""
    fresh = Fresh()
    one, two = [await party(screen, fresh.name(), fresh.mobile()) for _ in range(2)]
    key = fresh.key("note")
    ref = await tryton.keep_note(Note(key, str(one), "来电", ("客户说漏水。",)), None)
    assert await tryton.keep_note(Note(key, str(two), "来电", ("客户说漏水。",)), ref) == ref
    assert (await screen.read("ir.note", ref.id, "resource"))["resource"] == f"party.party,{two}"
    assert await tryton.by_key(Of.NOTE, key) == ref


async def test_a_customer_put_away_is_gone_and_comes_back(screen: Screen, tryton: Tryton) -> None:
    """In the feed and in the search."""
    fresh = Fresh()
    mobile = fresh.mobile()
    customer = await party(screen, fresh.name(), mobile)
    cursor = (await tryton.changes(Of.CUSTOMER, None)).cursor
    for active in (False, True):
        await screen.write("party.party", customer, active=active)
        changes, cursor = await everything(tryton, Of.CUSTOMER, cursor)
        last = [change for change in changes if change.ref.id == str(customer)][-1]
        assert last.gone is not active
        assert bool(await tryton.find(identify(mobile))) is active
        assert (await tryton.get(str(customer)) is not None) is active


async def test_an_import_of_one_transaction_is_read_to_its_end(screen: Screen, tryton: Tryton) -> None:
    """More customers with the very same time than a page holds."""
    fresh = Fresh()
    cursor = (await tryton.changes(Of.CUSTOMER, None)).cursor
    made = await screen.do(
        "party.party", "create", [{"name": fresh.name(), "addresses": []} for _ in range(PAGE + 100)]
    )
    try:
        changes, _ = await everything(tryton, Of.CUSTOMER, cursor)
        assert {str(number) for number in made} <= {change.ref.id for change in changes}
    finally:
        await screen.do("party.party", "delete", made)


async def test_a_slow_transaction_behind_the_cursor_is_seen(lab: TrytonLab, screen: Screen, tryton: Tryton) -> None:
    """It is stamped with its start and shows itself when others, written later, have been read already."""
    fresh = Fresh()
    slow, quick = [await party(screen, fresh.name(), fresh.mobile()) for _ in range(2)]
    name = fresh.name()
    connection = await asyncpg.connect(lab.dsn())
    try:
        transaction = connection.transaction()
        await transaction.start()
        statement = "update party_party set name = $1, write_date = current_timestamp at time zone 'utc' where id = $2"
        await connection.execute(statement, name, slow)
        await screen.write("party.party", quick, name=fresh.name())
        cursor = (await tryton.changes(Of.CUSTOMER, None)).cursor
        changes, cursor = await everything(tryton, Of.CUSTOMER, cursor)
        assert name not in {change.customer.name for change in changes if change.customer}
        await transaction.commit()
        changes, _ = await everything(tryton, Of.CUSTOMER, cursor)
        assert name in {change.customer.name for change in changes if change.customer}
    finally:
        await connection.close()


async def test_their_status_change_comes_by_the_feed(screen: Screen, tryton: Tryton) -> None:
    """In our words, with theirs beside; a status that the mapping does not know is shown and not guessed."""
    fresh = Fresh()
    customer = await party(screen, fresh.name(), fresh.mobile())
    title = "热水器\\漏水\n第二次"
    ticket = await tryton.create_ticket(Draft(fresh.key("ticket"), str(customer), title, "说漏水。", urgency="高"))
    assert (await screen.read("project.work", ticket.id, "name"))["name"] == "热水器＼漏水 第二次"
    cursor = (await tryton.changes(Of.TICKET, None)).cursor
    [working] = await screen.find("project.work.status", ["name", "=", "处理中"])
    odd = await screen.create("project.work.status", name=f"等配件{fresh.fixed()}", types=["project"])
    for status_id, status in ((working, Status.WORKING), (odd, Status.UNKNOWN)):
        await screen.write("project.work", ticket.id, status=status_id)
        changes, cursor = await everything(tryton, Of.TICKET, cursor)
        items = [change.item for change in changes if change.ref.id == ticket.id]
        assert items[-1] is not None
        assert items[-1].status is status
        assert items[-1].said.startswith("等配件" if status is Status.UNKNOWN else "处理中")
    await screen.write("project.work.status", odd, active=False)


async def test_a_write_that_crosses_a_person_s_is_refused_by_tryton_itself(screen: Screen, tryton: Tryton) -> None:
    """Of many at once on the same ticket, each saw what it wrote over or was refused."""
    fresh = Fresh()
    customer = await party(screen, fresh.name(), fresh.mobile())
    ticket = await tryton.create_ticket(Draft(fresh.key("ticket"), str(customer), "热水器漏水", "说漏水。"))
    tries = (Status.WORKING, Status.SOLVED, Status.CLOSED, Status.WORKING)
    done = await asyncio.gather(*(tryton.set_status(ticket, status) for status in tries), return_exceptions=True)
    refused = [each for each in done if isinstance(each, Exception)]
    assert len(refused) == len(tries) - 1, done
    assert {type(each).__name__ for each in refused} == {"ConflictError"}


async def test_opportunities_can_be_tickets(lab: TrytonLab, screen: Screen) -> None:
    """Their workflow demands an employee at the step, not at the beginning; steps that it has not are told."""
    fresh = Fresh()
    [company] = await screen.find("company.company")
    customer = await party(screen, fresh.name(), fresh.mobile())
    employee = await screen.create("company.employee", party=await party(screen, fresh.name()), company=company)
    words = {"accepted": "lead", "working": "opportunity", "solved": "won", "closed": ["lost", "cancelled"]}
    mapping = {"ticket": {"object": "sale.opportunity", "statuses": words}}
    buttons = {"working": "opportunity", "closed": "lost", "solved": "convert"}
    for values in ({}, {"employee": employee}):
        connector = await opened(lab, mapping=mapping, user="admin", project=None, values=values, buttons=buttons)
        try:
            await connector.health()
            draft = Draft(fresh.key("ticket"), str(customer), "想买热水器", "问价。")
            ticket = await connector.create_ticket(draft)
            assert await connector.create_ticket(draft) == ticket
            if not values:
                with pytest.raises(InvalidError, match="Employee"):
                    await connector.set_status(ticket, Status.WORKING)
                continue
            ticket = await connector.set_status(ticket, Status.WORKING)
            assert next(iter(await connector.items(str(customer)))).ref == ticket
            ticket = await connector.set_status(ticket, Status.CLOSED)
            with pytest.raises(InvalidError, match="no such step"):
                await connector.set_status(ticket, Status.WORKING)
        finally:
            await connector.close()


async def test_a_session_that_has_ended_is_opened_again(lab: TrytonLab, screen: Screen, tryton: Tryton) -> None:
    """By many at once, and a write that met its end is done, once."""
    fresh = Fresh()
    customer = await party(screen, fresh.name(), fresh.mobile())
    assert await tryton.get(str(customer))
    connection = await asyncpg.connect(lab.dsn())
    try:
        [user] = await screen.find("res.user", ["login", "=", PLAIN])
        await connection.execute("delete from ir_session where create_uid = $1", user)
        note = Note(fresh.key("note"), str(customer), "来电", ("客户说漏水。",))
        found = await asyncio.gather(*(tryton.get(str(customer)) for _ in range(3)), tryton.keep_note(note, None))
        assert all(found)
        assert await connection.fetchval("select count(*) from ir_session where create_uid = $1", user) == 1
    finally:
        await connection.close()
    assert len(await screen.find("ir.note", ["resource", "=", f"party.party,{customer}"])) == 1


@pytest.mark.parametrize(
    ("settings", "error", "says"),
    [
        ({"database": "nope"}, InvalidError, "check url and database"),
        ({"project": "没有的项目"}, InvalidError, "0 projects '没有的项目'"),
        (
            {"mapping": {"ticket": {"statuses": {**MAPPING["ticket"]["statuses"], "working": "处理", "solved": "解"}}}},
            InvalidError,
            "0 statuses '处理'.*0 statuses '解'",
        ),
        (
            {
                "mapping": {
                    **MAPPING,
                    "customer": {"phones": ["contact_mechanisms.number", "mobil"], "level": "x_level"},
                }
            },
            InvalidError,
            "customer.phones: party.party has no 'mobil'.*mobile.*customer.level: party.party has no 'x_level'",
        ),
        (
            {"mapping": {**MAPPING, "customer": {"level": "categories.nam"}}},
            InvalidError,
            r"customer.level: party.category has no 'nam' \(perhaps name",
        ),
        (
            {
                "mapping": {
                    **MAPPING,
                    "customer": {"contracts": {"object": "contract", "link": "party", "what": "name"}},
                }
            },
            InvalidError,
            "there is no 'contract'",
        ),
    ],
)
async def test_what_is_set_up_wrong_is_said_at_start(
    lab: TrytonLab, settings: dict[str, Any], error: type[Exception], says: str
) -> None:
    """One clear line, with every name."""
    connector = await opened(lab, **settings)
    try:
        with pytest.raises(error, match=says):
            await connector.health()
    finally:
        await connector.close()


async def test_a_wrong_password_is_told_and_not_tried_until_the_user_is_locked_out(lab: TrytonLab) -> None:
    """Five times are enough for Tryton to lock somebody out, and it takes longer to answer each time."""
    nobody = f"nobody{Fresh().fixed()}"
    connector = await opened(lab, user=nobody, key="wrong")
    try:
        for _ in range(10):
            with pytest.raises(AuthError, match="user or password are wrong"):
                await connector.get("1")
    finally:
        await connector.close()


async def test_a_user_without_groups_still_finds_and_writes_notes(lab: TrytonLab, screen: Screen) -> None:
    """Customers without purchases; tickets are refused as a matter of rights."""
    fresh = Fresh()
    mobile = fresh.mobile()
    customer = await party(screen, fresh.name(), mobile)
    await bought(screen, customer, 1)
    connector = await opened(lab, user=BARE)
    try:
        [found] = await connector.find(identify(mobile))
        assert (found.id, found.purchases) == (str(customer), ())
        await connector.keep_note(Note(fresh.key("note"), str(customer), "来电", ("x",)), None)
        with pytest.raises(AuthError, match="needs the right"):
            await connector.create_ticket(Draft(fresh.key("ticket"), str(customer), "t", "b"))
    finally:
        await connector.close()


async def test_a_tryton_that_hangs_costs_a_second_and_is_asked_again(
    lab: TrytonLab, screen: Screen, tryton: Tryton
) -> None:
    """Its process stopped, its port open: told as such in time; going on, it answers as before."""
    fresh = Fresh()
    mobile = fresh.mobile()
    await party(screen, fresh.name(), mobile)
    assert await tryton.find(identify(mobile))
    process = int((lab.home / "tryton.pid").read_text())
    os.kill(process, signal.SIGSTOP)
    try:
        async with asyncio.timeout(1.5):
            with pytest.raises(TransientError, match="no answer within"):
                await tryton.find(identify(mobile))
    finally:
        os.kill(process, signal.SIGCONT)
    assert await tryton.find(identify(mobile))


async def test_where_people_see_it(lab: TrytonLab, screen: Screen) -> None:
    """In the web client, where somebody said where that is; then a call's note names its ticket as well."""
    fresh = Fresh()
    customer = await party(screen, fresh.name(), fresh.mobile())
    connector = await opened(lab, web="https://erp.example/")
    try:
        ticket = await connector.create_ticket(Draft(fresh.key("ticket"), str(customer), "热水器漏水", "说漏水。"))
        url = f"https://erp.example/#tryton/model/project.work/{ticket.id}"
        assert connector.url_of(ticket) == url
        assert connector.url_of(Ref(Of.NOTE, "1")) is None
        ref = await connector.keep_note(Note(fresh.key("note"), str(customer), "来电", ("x",), (), ticket.id), None)
        assert f"热水器漏水: {url}" in (await screen.read("ir.note", ref.id, "message"))["message"]
    finally:
        await connector.close()
