"""Odoo 19 itself: the whole contract, the labelled customers, and what only a real one does."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from typing import Any

import asyncpg
import pytest

from crm.connector import Change, Draft, Note, Of, Ref, Status
from crm.kit import CHECKS, Check, Fresh, NotShownError
from crm.matching import decide
from crm.odoo import Odoo
from crm.odoo_changes import PAGE
from crm.trouble import AuthError, InvalidError, TransientError
from numbering.identify import identify
from tests.crm_real.odoo_lab import BARE, NoOdooError, OdooLab, running
from tests.crm_real.odoo_world import MAPPING, OdooWorld, Screen, opened

pytestmark = [pytest.mark.crm, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def lab() -> Iterator[OdooLab]:
    """The Odoo."""
    try:
        with running() as found:
            yield found
    except NoOdooError as error:
        pytest.skip(str(error))


@pytest.fixture
async def screen(lab: OdooLab) -> AsyncIterator[Screen]:
    """Somebody who works in Odoo."""
    admin = Screen(lab)
    yield admin
    await admin.close()


@pytest.fixture
async def odoo(lab: OdooLab) -> AsyncIterator[Odoo]:
    """The connector."""
    connector = await opened(lab)
    yield connector
    await connector.close()


@pytest.mark.parametrize("api", ["json2", "jsonrpc"])
@pytest.mark.parametrize("check", CHECKS, ids=str)
async def test_the_contract(lab: OdooLab, screen: Screen, check: Check, api: str) -> None:
    """Every sentence, over both ways to ask."""
    connector = await opened(lab, api=api)
    try:
        await check(OdooWorld(lab, connector, screen, api))
    except NotShownError as why:
        pytest.skip(str(why))
    finally:
        await connector.close()


async def test_the_labelled_customers_are_found(lab: OdooLab, odoo: Odoo) -> None:
    """A thousand, typed in nine spellings and with extensions: at least 99 % of the numbers, and nobody else's."""
    data = lab.labdata()
    wanted = [
        (row[f"{kind}_e164"], row["phone_ext"] if kind == "phone" else "", row["name"] if kind == "mobile" else "")
        for row in data.rows(1000)
        for kind in ("mobile", "phone")
        if row[f"{kind}_e164"]
    ]
    gate, missed = asyncio.Semaphore(4), []

    async def look(e164: str, ext: str, name: str) -> None:
        number = identify(f"{e164}转{ext}" if ext else e164)
        async with gate:
            match = decide(number, await odoo.find(number))
        if not match.candidates or (name and name not in {each.customer.name for each in match.candidates}):
            missed.append(e164)

    async with asyncio.TaskGroup() as group:
        for each in wanted:
            group.create_task(look(*each))
    assert len(missed) <= len(wanted) * 0.01, f"{len(missed)} of {len(wanted)}: {missed[:10]}"


async def bought(screen: Screen, customer: int, orders: int) -> None:
    """Confirmed orders of a customer in yuan, one a day."""
    [yuan] = await screen.do("res.currency", "search", domain=[["name", "=", "CNY"]], context={"active_test": False})
    await screen.write("res.currency", yuan, active=True)
    prices = await screen.create("product.pricelist", name="人民币", currency_id=yuan)
    product = await screen.create("product.product", name="桶装水 18.9L", list_price=26)
    for day in range(1, orders + 1):
        line = {"product_id": product, "product_uom_qty": day, "price_unit": 26, "tax_ids": [[6, 0, []]]}
        order = await screen.create("sale.order", partner_id=customer, pricelist_id=prices, order_line=[[0, 0, line]])
        await screen.do("sale.order", "action_confirm", [order])
        await screen.write("sale.order", order, date_order=f"2026-11-0{day} 18:00:00")


async def test_a_card_shows_purchases_and_what_the_firm_has(screen: Screen, odoo: Odoo) -> None:
    """The last three orders with day and yuan; level, VIP and the colleague in charge are the firm's."""
    fresh = Fresh()
    mobile = fresh.mobile()
    tag = await screen.create("res.partner.category", name="VIP")
    [admin] = await screen.do("res.users", "search", domain=[["login", "=", "admin"]])
    firm = await screen.create(
        "res.partner", name=f"{fresh.name()}公司", is_company=True, category_id=[[6, 0, [tag]]], user_id=admin
    )
    person = await screen.create("res.partner", name=fresh.name(), phone=mobile, parent_id=firm)
    await bought(screen, person, 4)
    [found] = await odoo.find(identify(mobile))
    assert found.id == str(person)
    assert (found.level, found.vip, found.owner) == ("VIP", True, "Administrator")
    assert found.company is not None
    assert found.company.endswith("公司")
    assert [(each.what, str(each.on), str(each.amount)) for each in found.purchases] == [
        ("桶装水 18.9L", "2026-11-05", "104.00"),  # 18:00 UTC on the fourth is the fifth here
        ("桶装水 18.9L", "2026-11-04", "78.00"),
        ("桶装水 18.9L", "2026-11-03", "52.00"),
    ]
    assert await odoo.get(str(person)) == found


async def everything(odoo: Odoo, of: Of, cursor: str) -> tuple[list[Change], str]:
    """All pages of a round."""
    found: list[Change] = []
    while True:
        page = await odoo.changes(of, cursor)
        found += page.changes
        cursor = page.cursor
        if not page.more:
            return found, cursor


async def test_a_merged_customer_is_found_out_and_its_notes_go_on(screen: Screen, odoo: Odoo) -> None:
    """The feed says into whom; the call's note has gone along and is written again in its place."""
    fresh = Fresh()
    one, two = [await screen.create("res.partner", name=fresh.name(), phone=fresh.mobile()) for _ in range(2)]
    note = Note(fresh.key("note"), str(one), "来电", ("客户说漏水。",))
    kept = await odoo.keep_note(note, None)
    cursor = (await odoo.changes(Of.CUSTOMER, None)).cursor
    wizard = await screen.create(
        "base.partner.merge.automatic.wizard", state="selection", partner_ids=[[6, 0, [one, two]]], dst_partner_id=two
    )
    await screen.do("base.partner.merge.automatic.wizard", "action_merge", [wizard])
    changes, _ = await everything(odoo, Of.CUSTOMER, cursor)
    assert [change.merged for change in changes if change.ref.id == str(one) and change.gone] == [str(two)]
    assert await odoo.get(str(one)) is None
    again = await odoo.keep_note(Note(note.key, note.customer_id, note.title, ("摘要：已派工。",)), kept)
    assert again.id == kept.id
    [message] = await screen.do("mail.message", "read", [int(kept.id)], fields=["res_id", "body"])
    assert message["res_id"] == two
    assert "已派工" in message["body"]


async def test_a_note_is_html_that_can_be_clicked_and_nothing_else(screen: Screen, odoo: Odoo) -> None:
    """The recording's link works; what a caller said is text."""
    fresh = Fresh()
    customer = await screen.create("res.partner", name=fresh.name(), phone=fresh.mobile())
    said = "<script>alert(1)</script> & <b>急</b>"
    ref = await odoo.keep_note(
        Note(fresh.key("note"), str(customer), "来电", (said,), (("录音", "https://hotline.example/r/1?a=1&b=2"),)),
        None,
    )
    [message] = await screen.do("mail.message", "read", [int(ref.id)], fields=["body", "subtype_id", "author_id"])
    assert '<a href="https://hotline.example/r/1?a=1&amp;b=2"' in message["body"]
    assert "&lt;script&gt;" in message["body"]
    assert "<script" not in message["body"]
    assert (message["subtype_id"][1], message["author_id"][1]) == ("Note", "hotline")


async def test_a_note_that_somebody_deleted_stays_deleted(screen: Screen, odoo: Odoo) -> None:
    """Odoo deletes a message by emptying it."""
    fresh = Fresh()
    customer = await screen.create("res.partner", name=fresh.name(), phone=fresh.mobile())
    note = Note(fresh.key("note"), str(customer), "来电", ("客户说漏水。",))
    ref = await odoo.keep_note(note, None)
    await screen.write("mail.message", ref.id, body="")
    assert await odoo.keep_note(note, ref) == ref
    [message] = await screen.do("mail.message", "read", [int(ref.id)], fields=["body"])
    assert not message["body"]


async def test_a_note_moves_to_the_customer_that_was_picked_later(screen: Screen, odoo: Odoo) -> None:
    """The agent said which of two it was."""
    fresh = Fresh()
    one, two = [await screen.create("res.partner", name=fresh.name(), phone=fresh.mobile()) for _ in range(2)]
    key = fresh.key("note")
    ref = await odoo.keep_note(Note(key, str(one), "来电", ("客户说漏水。",)), None)
    ref = await odoo.keep_note(Note(key, str(two), "来电", ("客户说漏水。",)), ref)
    mine = [["model", "=", "res.partner"], ["message_type", "=", "comment"], ["res_id", "in", [one, two]]]
    [message] = await screen.do("mail.message", "search_read", domain=mine, fields=["res_id"])
    assert message == {"id": int(ref.id), "res_id": two}
    assert await odoo.by_key(Of.NOTE, key) == ref


async def test_an_archived_customer_is_gone_and_comes_back(screen: Screen, odoo: Odoo) -> None:
    """In the feed and in the search."""
    fresh = Fresh()
    mobile = fresh.mobile()
    customer = await screen.create("res.partner", name=fresh.name(), phone=mobile)
    cursor = (await odoo.changes(Of.CUSTOMER, None)).cursor
    for active in (False, True):
        await screen.write("res.partner", customer, active=active)
        changes, cursor = await everything(odoo, Of.CUSTOMER, cursor)
        last = [change for change in changes if change.ref.id == str(customer)][-1]
        assert last.gone is not active
        assert bool(await odoo.find(identify(mobile))) is active


async def test_an_import_of_one_second_is_read_to_its_end(screen: Screen, odoo: Odoo) -> None:
    """More customers of one transaction than a page holds: they all have the same time."""
    fresh = Fresh()
    cursor = (await odoo.changes(Of.CUSTOMER, None)).cursor
    rows = [{"name": fresh.name(), "phone": fresh.mobile()} for _ in range(2 * PAGE + 100)]
    made = await screen.do("res.partner", "create", vals_list=rows)
    changes, _ = await everything(odoo, Of.CUSTOMER, cursor)
    try:
        assert {str(number) for number in made} <= {change.ref.id for change in changes}
    finally:
        await screen.do("res.partner", "unlink", made)


async def test_a_slow_transaction_behind_the_cursor_is_seen(lab: OdooLab, screen: Screen, odoo: Odoo) -> None:
    """It is stamped with its start and shows itself when others, written later, have been read already."""
    fresh = Fresh()
    slow, quick = [await screen.create("res.partner", name=fresh.name(), phone=fresh.mobile()) for _ in range(2)]
    name = fresh.name()
    port = next(line.split("=")[1] for line in (lab.home / "odoo19.conf").read_text().splitlines() if "db_port" in line)
    connection = await asyncpg.connect(
        host="127.0.0.1", port=int(port), user="odoo", password="odoo", database="odoo19"
    )
    try:
        transaction = connection.transaction()
        await transaction.start()
        statement = "update res_partner set name = $1, write_date = now() at time zone 'utc' where id = $2"
        await connection.execute(statement, name, slow)
        await asyncio.sleep(1.1)  # the clock that Odoo stamps with goes on
        await screen.write("res.partner", quick, name=fresh.name())
        cursor = (await odoo.changes(Of.CUSTOMER, None)).cursor
        changes, cursor = await everything(odoo, Of.CUSTOMER, cursor)
        assert name not in {change.customer.name for change in changes if change.customer}
        await transaction.commit()
        changes, _ = await everything(odoo, Of.CUSTOMER, cursor)
        assert name in {change.customer.name for change in changes if change.customer}
    finally:
        await connection.close()


async def test_their_stage_change_comes_by_the_feed(screen: Screen, odoo: Odoo) -> None:
    """In our words, with theirs beside; a stage that the mapping does not know is shown and not guessed."""
    fresh = Fresh()
    customer = await screen.create("res.partner", name=fresh.name(), phone=fresh.mobile())
    ticket = await odoo.create_ticket(Draft(fresh.key("ticket"), str(customer), "热水器漏水", "说漏水。", urgency="高"))
    cursor = (await odoo.changes(Of.TICKET, None)).cursor
    home = await screen.do("project.task", "read", [int(ticket.id)], fields=["project_id", "priority"])
    assert home[0]["priority"] == "1"
    odd = await screen.create(
        "project.task.type", name=f"等配件{fresh.fixed()}", project_ids=[[6, 0, [home[0]["project_id"][0]]]]
    )
    [working] = await screen.do(
        "project.task.type",
        "search",
        domain=[["name", "=", "处理中"], ["project_ids", "in", [home[0]["project_id"][0]]]],
    )
    for stage, status in ((working, Status.WORKING), (odd, Status.UNKNOWN)):
        await screen.write("project.task", ticket.id, stage_id=stage)
        changes, cursor = await everything(odoo, Of.TICKET, cursor)
        items = [change.item for change in changes if change.ref.id == ticket.id]
        assert items[-1] is not None
        assert items[-1].status is status
        assert items[-1].said.startswith("等配件" if status is Status.UNKNOWN else "处理中")
    await screen.write("project.task", ticket.id, active=False)
    await screen.do("project.task.type", "write", [odd], vals={"active": False})


@pytest.mark.parametrize(
    ("settings", "error", "says"),
    [
        ({"key": "wrong"}, AuthError, "Invalid apikey"),
        ({"key": "wrong", "api": "jsonrpc"}, AuthError, "does not know user"),
        ({"database": "nope"}, InvalidError, "check url and database"),
        ({"database": "nope", "api": "jsonrpc"}, InvalidError, "is the setting database right"),
        ({"project": "没有的项目"}, InvalidError, "0 of project.project"),
        (
            {"mapping": {"ticket": {"statuses": {**MAPPING["ticket"]["statuses"], "working": "处理", "solved": "解"}}}},
            InvalidError,
            "0 stages named '处理'.*0 stages named '解'",
        ),
        (
            {"mapping": {**MAPPING, "customer": {"phones": ["phone", "mobile"], "level": "x_level"}}},
            InvalidError,
            "customer.phones: res.partner has no 'mobile'.*customer.level: res.partner has no 'x_level'",
        ),
        (
            {
                "mapping": {
                    **MAPPING,
                    "customer": {"contracts": {"object": "contract.contract", "link": "partner_id", "what": "name"}},
                }
            },
            InvalidError,
            "contract",
        ),
    ],
)
async def test_what_is_set_up_wrong_is_said_at_start(
    lab: OdooLab, settings: dict[str, Any], error: type[Exception], says: str
) -> None:
    """One clear line, with every name."""
    connector = await opened(lab, **settings)
    try:
        with pytest.raises(error, match=says):
            await connector.health()
    finally:
        await connector.close()


async def test_a_user_without_rights_is_told_as_such(lab: OdooLab, screen: Screen) -> None:
    """Customers are still found, without purchases; a note is refused as a matter of rights."""
    fresh = Fresh()
    mobile = fresh.mobile()
    customer = await screen.create("res.partner", name=fresh.name(), phone=mobile)
    await bought(screen, customer, 1)
    connector = await opened(lab, key=lab.key(BARE), project=None, mapping={})
    try:
        await connector.health()
        [found] = await connector.find(identify(mobile))
        assert found.id == str(customer)
        assert not found.purchases
        with pytest.raises(AuthError, match="needs the right"):
            await connector.keep_note(Note(fresh.key("note"), str(customer), "来电", ("x",)), None)
    finally:
        await connector.close()


async def test_an_odoo_that_hangs_costs_a_second_and_is_asked_again(lab: OdooLab, screen: Screen, odoo: Odoo) -> None:
    """Its process stopped, its port open: told as such in time; going on, it answers as before."""
    fresh = Fresh()
    mobile = fresh.mobile()
    await screen.create("res.partner", name=fresh.name(), phone=mobile)
    assert await odoo.find(identify(mobile))
    process = int((lab.home / "odoo19.pid").read_text())
    os.kill(process, signal.SIGSTOP)
    try:
        async with asyncio.timeout(1.5):
            with pytest.raises(TransientError, match="no answer within"):
                await odoo.find(identify(mobile))
    finally:
        os.kill(process, signal.SIGCONT)
    assert await odoo.find(identify(mobile))


async def test_a_push_is_believed_for_its_id_only(screen: Screen, odoo: Odoo) -> None:
    """What an automation rule sends is not signed: the record is read from Odoo."""
    fresh = Fresh()
    customer = await screen.create("res.partner", name=fresh.name(), phone=fresh.mobile())
    body = f'{{"_model": "res.partner", "_id": {customer}, "name": "冒充的"}}'.encode()
    [change] = await odoo.take_push({}, body)
    assert change.customer is not None
    assert change.customer.name != "冒充的"
    await screen.do("res.partner", "unlink", [customer])
    [change] = await odoo.take_push({}, body)
    assert change.ref == Ref(Of.CUSTOMER, str(customer))
    assert change.gone
