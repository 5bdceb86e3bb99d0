"""The card of a call in a real Chromium: what it says at once, and the work on the ticket while one talks and after.

What a person types is never replaced, lost or moved under the hands, whatever machines and colleagues do meanwhile.
"""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING

from playwright.async_api import FloatRect, Locator, Page, Route, expect

from crm.customer import Candidate, Contract, Customer, Match, Purchase, Reason
from screenpop.card import Chosen, Filled, Recalled
from screenpop.presence import TalkOver
from screenpop.telling import ticket_changed
from storage.edits import TicketField
from storage.recalled import Choice, LastCall, Memory, OpenTicket, Standing
from telephony.call import CallKey, Held, Left, Outcome, Over, Stopped
from tests.axe import faults_in_both
from tests.chromium import BROWSER
from tests.screenpop.browser import Open, answer, happen, offered, ring
from tickets.ticket import Status, Ticket
from transcription.account import Category, Promise, Sentiment, Step, Summary, Urgency
from transcription.transcript import Speaker, Transcript, Turn

if TYPE_CHECKING:
    from tests.screenpop.conftest import House

pytestmark = BROWSER
SAVED = re.compile(r"已保存 \d\d:\d\d")
SAID = Summary(
    "外机漏水，要求周六上门",
    Category.REPAIR,
    Urgency.HIGH,
    Sentiment.BAD,
    (),
    (Promise("agent", "周六上午带配件上门", "2026-11-28", 0),),
    {"外机漏水，要求周六上门": (0,)},
)
ZHANG = Customer(
    "7",
    "张三丰",
    level="金卡",
    vip=True,
    company="深圳市前海恒泰精密机械制造有限公司",
    owner="王芳",
    note="只在工作日上午接电话",
    purchases=tuple(Purchase(what, date(2026, 9, 3), Decimal(3299)) for what in ("空调", "净水器", "热水器")),
    contracts=(Contract("延保三年", "C-88", date(2029, 9, 3)), Contract("年度保养", None, date(2027, 3, 1))),
)


def a_ticket(id_: int, title: str, customer: str | None = "7") -> Ticket:
    """An open one."""
    number = f"20261119-000{id_}"
    return Ticket(id_, number, Status.WORKING, "4007002505", title, None, customer, None, None, None, "li", 1, 1)


def memory() -> Memory:
    """What is known of somebody who rings for the third time."""
    promise = Step("agent", "周六上午带配件上门", "2026-11-28", (1,))
    calls = [
        ("外机漏水", "报修", Outcome.ANSWERED),
        (None, None, Outcome.ABANDONED),
        ("滤芯多少钱", "咨询", Outcome.ANSWERED),
    ]
    return Memory(
        tickets=(
            OpenTicket(a_ticket(3, "外机漏水"), "李 明", None, promise),
            OpenTicket(a_ticket(4, "发票抬头开错"), "王 芳"),
        ),
        calls=tuple(
            LastCall(CallKey("main", str(at)), 1_795_000_000.0 - at, "4007002505", outcome, issue, category, ("李 明",))
            for at, (issue, category, outcome) in enumerate(calls)
        ),
    )


async def known(house: "House", call: CallKey) -> None:
    """The caller is somebody of whom much is known."""
    match = Match((Candidate(ZHANG, Reason.MOBILE, "138-1234-5678"),), ZHANG)
    await house.tell(Filled(call, match), Recalled(call, "7", memory(), date(2026, 11, 20)))


async def typed(house: "House", call: CallKey) -> dict[str, str | None]:
    """What people have put into a call's ticket."""
    page = await house.reads.ticket(await house.ticket_of(call))
    assert page is not None
    return {name: getattr(page.item.ticket, name) for name in sorted(page.typed)}


async def colleague(house: "House", call: CallKey, field: TicketField, value: str) -> None:
    """王芳 changes the ticket from elsewhere."""
    ticket = await house.ticket_of(call)
    page = await house.reads.ticket(ticket)
    assert page is not None
    await house.ledger.edit_ticket(ticket, {field: value}, who="wang", now=house.time, version=page.item.version)
    await ticket_changed(house.fanout, ticket, agents=("1001",))


async def said(house: "House", call: CallKey) -> None:
    """The machine has listened to the call."""
    transcript = Transcript((Turn(Speaker.CALLER, 0.0, 1.0, "外机漏水", 0.9),), "vosk", "small-cn")
    await house.ledger.said(call, transcript, SAID, house.time)
    await ticket_changed(house.fanout, await house.ticket_of(call), call, ("1001",))


async def caret(field: Locator) -> list[int]:
    """Where the caret is, and what is selected."""
    found: list[int] = await field.evaluate("(it) => [it.selectionStart, it.selectionEnd]")
    return found


async def late_answer(house: "House", call: CallKey, page: Page) -> None:
    """The answer to one field brings a colleague's word on another that is not sent yet: a person decides."""
    come = asyncio.Event()

    async def slow(route: Route) -> None:
        await (come.wait() if route.request.method == "PATCH" else asyncio.sleep(0))
        await route.continue_()

    await page.route("**/api/tickets/*", slow)
    async with page.expect_request(lambda request: request.method == "PATCH"):
        await page.get_by_label("状态").select_option("solved")
    await page.get_by_label("事由").fill("外机漏水，要配件")
    await colleague(house, call, TicketField.TITLE, "内机漏水")
    come.set()
    await expect(page.locator(".work-title")).to_contain_text("王 芳 刚改为：内机漏水")
    assert (await typed(house, call))["title"] == "内机漏水"
    await page.unroute("**/api/tickets/*")
    await page.get_by_role("button", name="用我的").click()
    await expect(page.locator(".work-head .work-state")).to_have_text(SAVED)


async def test_a_ticket_is_saved_as_one_types_and_nothing_takes_it_away(
    house: "House", open_page: Open, complaints: list[str]
) -> None:
    """By machines, colleagues, another tab, or the call itself: the text, the caret and the focus stay."""
    page = await open_page("li")
    call = await ring(house)
    await expect(page.locator("article")).to_contain_text("来电振铃")
    assert await page.locator("[data-field]").count() == 0, "while it rings there is to read, not to write"
    await answer(house, call)
    title = page.get_by_label("事由")
    await expect(title).to_have_attribute("placeholder", "一句话概括")
    await page.keyboard.press("e")
    await expect(title).to_be_focused()
    await page.keyboard.type("外机漏水很多")
    await expect(page.locator(".work-head .work-state")).to_have_text(SAVED)
    assert await typed(house, call) == {"title": "外机漏水很多"}

    await title.evaluate("(it) => it.setSelectionRange(2, 4)")
    await known(house, call)
    await happen(house, Held(call=call, at=house.time, agent="1001"))
    await said(house, call)
    await expect(page.get_by_label("类别").locator("option:checked")).to_have_text("报修（自动识别）")
    await expect(page.get_by_label("紧急程度").locator("option:checked")).to_have_text("高（自动识别）")
    await expect(page.locator("article")).to_contain_text("张三丰")
    await expect(title).to_be_focused()
    await expect(title).to_have_value("外机漏水很多")
    assert await caret(title) == [2, 4]

    await colleague(house, call, TicketField.CATEGORY, "投诉")
    await expect(page.get_by_label("类别")).to_have_value("投诉")
    await expect(page.locator(".work-category .work-words")).to_contain_text("王 芳")

    tab = await open_page("li", beside=page)
    await expect(tab.get_by_label("事由")).to_have_value("外机漏水很多")
    await tab.get_by_label("状态").select_option("working")
    await expect(page.get_by_label("状态")).to_have_value("working")
    await tab.close()

    await late_answer(house, call, page)

    async def broken(route: Route) -> None:
        await (route.abort() if route.request.method == "PATCH" else route.continue_())

    await page.route("**/api/tickets/*", broken)
    await title.fill("外机漏水，周六上门")
    await expect(page.locator(".work-head .work-state")).to_have_text("尚未保存，正在重试")
    await colleague(house, call, TicketField.TITLE, "漏水")
    await expect(page.locator(".work-title")).to_contain_text("王 芳 刚改为：漏水")
    await expect(title).to_have_value("外机漏水，周六上门")
    await page.unroute("**/api/tickets/*")
    await page.get_by_role("button", name="用我的").click()
    await expect(page.locator(".work-head .work-state")).to_have_text(SAVED)
    assert (await typed(house, call))["title"] == "外机漏水，周六上门"
    assert {text for text in complaints if "ERR_FAILED" not in text} == set()
    complaints.clear()


async def test_the_work_goes_on_after_the_call(house: "House", open_page: Open, complaints: list[str]) -> None:
    """Who types when the caller hangs up types on; a draft outlives a reload; done is done in every tab.

    What could not be saved before the card went is saved after it.
    """
    page = await open_page("li")
    call = await ring(house)
    await known(house, call)
    await answer(house, call)
    note = page.get_by_label("备注", exact=True)
    await expect(note).to_be_visible()
    await page.keyboard.press("n")
    await expect(note).to_be_focused()
    await page.keyboard.type("客户着急，")
    await happen(house, Left(call=call, at=house.time, agent="1001", why=Over.ENDED))
    await house.standings.happen("1001", TalkOver(call, 45.0))
    await expect(page.locator("article")).to_contain_text("话后处理")
    await expect(note).to_be_focused()
    await page.keyboard.type("要回电")
    await expect(page.locator(".work-note-box .work-state")).to_have_text("草稿已保存")
    await expect(page.get_by_role("group", name="通话摘要")).to_contain_text("正在生成")
    await said(house, call)
    await expect(page.get_by_role("group", name="通话摘要")).to_contain_text("周六上午带配件上门")

    await page.reload()
    await expect(page.locator("article")).to_contain_text("话后处理")
    await expect(note).to_have_value("客户着急，要回电")
    await expect(page.locator(".pop-sentence")).to_contain_text("周六上午带配件上门")
    await expect(page.locator("article")).to_contain_text("延保三年")
    tab = await open_page("li", beside=page)
    await expect(tab.locator("article")).to_have_count(1)
    await note.press("Control+Enter")
    await expect(page.locator(".work-notes")).to_contain_text("客户着急，要回电")
    await expect(note).to_have_value("")
    left = page.locator(".pop-left")
    before = await left.text_content()
    await page.get_by_role("button", name="延长").click()
    await expect(left).not_to_have_text(before or "")
    await note.press("Escape")
    await page.route("**/api/tickets/*", lambda route: route.fulfill(status=503), times=1)
    await page.keyboard.press("e")
    await page.keyboard.type("漏水")
    await expect(page.locator(".work-head .work-state")).to_have_text("尚未保存，正在重试")
    await page.keyboard.press("Escape")
    await page.keyboard.press("d")
    for each in (page, tab):
        await expect(each.locator("article")).to_have_count(0)
    async with asyncio.timeout(15):
        while (await typed(house, call)).get("title") != "漏水":  # noqa: ASYNC110 - the page tries again by itself
            await asyncio.sleep(0.02)
    complaints[:] = [text for text in complaints if "status of 503" not in text]
    assert (await house.standings.of("1001"))["state"] == "ready"


async def test_who_it_is_by_keyboard_alone(house: "House", open_page: Open) -> None:
    """An unknown caller is entered, one of several chosen; a choice of before is shown first and not taken for sure."""
    page = await open_page("li")
    call = await ring(house, "13900000009")
    await house.tell(Filled(call, Match()))
    await expect(page.locator("article")).to_contain_text("没有客户登记过这个号码")
    await page.keyboard.press("c")
    await page.keyboard.type("赵六")
    await page.keyboard.press("Tab")
    await page.keyboard.type("前海物业")
    await house.tell(Filled(call, Match()))  # drawn anew meanwhile
    await page.keyboard.press("Enter")
    await expect(page.locator("article")).to_contain_text("下次来电会显示")
    ticket = await house.reads.ticket(await house.ticket_of(call))
    assert ticket is not None
    assert ticket.item.ticket.customer_name == "赵六"
    await house.tell(Stopped(call=call, at=None, agent="1001", why=Over.ANSWERED_ELSEWHERE))

    call = await ring(house, "075588886666")
    house.offers = offered(Customer("1", "王建国", purchases=(Purchase("热水器"),)), Customer("2", "陈晓燕", vip=True))
    before = Choice("2", "陈晓燕", "王 芳", house.time - 86400)
    await house.tell(Filled(call, Match(house.offers)), Recalled(call, None, replace(memory(), remembered=before)))
    picks = page.locator("[data-choices] button")
    await expect(picks.first).to_contain_text("陈晓燕")
    await expect(picks.first).to_contain_text("王 芳")
    await expect(picks.first).to_have_attribute("aria-pressed", "false")
    await page.keyboard.press("c")
    await page.keyboard.press("ArrowDown")
    async with page.expect_response("**/customer"):
        await page.keyboard.press("Enter")
        await expect(picks.nth(1)).to_have_attribute("aria-pressed", "true")
    await house.tell(Chosen(call, Standing(1, Choice("1", "王建国", "李 明", house.time))))
    await expect(page.locator(".pop-name")).to_contain_text("王建国")
    await expect(page.locator(".pop-why")).to_contain_text("李 明")
    await expect(page.locator("article")).to_contain_text("热水器")
    await expect(picks.nth(1)).to_be_focused()
    ticket = await house.reads.ticket(await house.ticket_of(call))
    assert ticket is not None
    assert ticket.item.ticket.customer_id == "1"


def side_by_side(boxes: Sequence[FloatRect | None]) -> bool:
    """All in the window, none covering another."""
    edges = [(box["x"], box["x"] + box["width"], box["y"] + box["height"]) for box in boxes if box is not None]
    inside = all(left >= 0 and right <= 1280 and bottom <= 720 for left, right, bottom in edges)
    return len(edges) == len(boxes) and inside and all(one[1] <= other[0] for one, other in pairwise(edges))


async def test_four_calls_stand_side_by_side(house: "House", open_page: Open) -> None:
    """A ringing card is seen whole; none covers another; a new one does not take the keys from who types."""
    page = await open_page("li")
    call = await ring(house)
    await known(house, call)
    card = page.locator("article")
    await expect(card).to_contain_text("延保三年")
    hidden = "(it) => it.scrollHeight - it.clientHeight"
    assert await page.locator(".pop-body").evaluate(hidden) <= 0, "whole, without scrolling"
    assert await page.evaluate(f"({hidden})(document.documentElement)") <= 0
    await answer(house, call)
    title = page.locator("[data-field=title]")
    await title.fill("漏")
    await expect(page.locator(".work-head .work-state").first).to_have_attribute("data-state", "saved")
    for caller in ("075588886666", None, "13900000009"):
        await house.tell(Filled(await ring(house, caller), Match()))
    await expect(card).to_have_count(4)
    await expect(title).to_be_focused()
    assert side_by_side([await each.bounding_box() for each in await card.all()])
    assert await faults_in_both(page) == []
    await page.keyboard.press("Alt+3")
    await expect(card.nth(2)).to_be_focused()
    await expect(card.first).to_have_attribute("aria-label", re.compile(" VIP$"))
    await page.keyboard.press("m")
    toast = await page.locator("#toasts > div").bounding_box()
    assert toast is not None
    boxes = [await each.bounding_box() for each in await card.all()]
    below = [box is not None and toast["y"] >= box["y"] + box["height"] for box in boxes]
    assert all(below), "what is said in passing lies on no card"
    english = await open_page("li", locale="en-US", color_scheme="dark")
    await expect(english.locator("article")).to_have_count(4)
    await expect(english.locator("[data-field=title]")).to_have_value("漏")
    assert side_by_side([await each.bounding_box() for each in await english.locator("article").all()])
