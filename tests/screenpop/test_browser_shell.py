"""The frame around the pages in a real Chromium: own state, missed calls, search, ring, keys, lists; by keyboard."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pytest
from playwright.async_api import expect

from crm.customer import Customer, Phone
from numbering.identify import identify
from storage.customer_search import CustomerSearch
from storage.customers import EmbeddedCrm
from storage.records import Known
from telephony.call import Arrived, CallKey, Confirmed, Ended, Outcome, Over, Queued, Stopped
from tests.axe import faults
from tests.chromium import BROWSER
from tests.screenpop.browser import Open, Server, arrived, rang
from transcription.transcript import Speaker, Transcript, Turn

if TYPE_CHECKING:
    from tests.screenpop.conftest import House

pytestmark = BROWSER
LINE = "4007002505"
# What a page does to be heard and seen outside of it, written where a test can read it: nobody listens here.
WATCHED = """
const told = () => {
  document.documentElement.dataset.rang = window.rang > 0 ? "yes" : "no";
  document.documentElement.dataset.notes = window.notes.map((note) => note.title).join("|");
};
window.rang = 0; window.notes = []; window.away = false;
document.hasFocus = () => !window.away;
AudioContext.prototype.createOscillator = new Proxy(AudioContext.prototype.createOscillator, {
  apply(make, context, args) { window.rang += 1; told(); return Reflect.apply(make, context, args); },
});
window.Notification = class {
  static permission = "granted";
  constructor(title) { this.title = title; window.notes.push(this); told(); }
  addEventListener() {}
  close() { window.notes.splice(window.notes.indexOf(this), 1); told(); }
};
"""
NO_LOCKS = "delete Navigator.prototype.locks;"


class Recorder:
    """A PBX's hand that writes down what it is asked to do."""

    may_pause = True
    may_dial = True
    pauses: Sequence[str] = ("午餐", "会议")

    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []

    async def pause(self, extension: str, paused: bool, reason: str | None = None) -> None:  # noqa: FBT001
        """As asked."""
        self.asked.append((extension, paused, reason))

    async def dial(
        self,
        extension: str,
        number: str,
        call: CallKey | None = None,
        *,
        line: str | None = None,
        ticket: int | None = None,
        who: str = "",
    ) -> None:
        """As asked."""
        self.asked.append((extension, number, line, who, call is not None, ticket is not None))


@pytest.fixture
def hand(house: "House") -> Recorder:
    """The house's PBX does what it is asked."""
    house.hand = Recorder()
    return house.hand


async def missed(house: "House", caller: str) -> None:
    """A call that nobody answers."""
    call, at = house.key(), house.time
    for fact in (
        Arrived(call=call, at=at, caller=caller, caller_name=None, number=LINE, dialled=LINE),
        Confirmed(call=call, at=at),
        Queued(call=call, at=at, queue="support"),
        Ended(call=call, at=at + 20, outcome=Outcome.ABANDONED),
    ):
        await house.ledger.record(fact, now=at, number=identify(caller))


async def test_own_state_missed_calls_and_phone(house: "House", hand: Recorder, open_page: Open) -> None:
    """By keyboard: a pause with its reason, back again, a missed caller called back; who sits down here is told of."""
    await missed(house, "13700000001")
    page = await open_page("li")
    name, count = page.locator("#state-name"), page.locator("#missed-count")
    await expect(name).to_have_text("就绪")
    await expect(count).to_have_text("1")
    await page.keyboard.press("s")
    await expect(page.get_by_role("button", name="就绪", exact=True)).to_be_focused()
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await expect(name).to_have_text("午餐")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    await page.reload()
    await expect(name).to_have_text("午餐")
    await expect(page.locator("#state [data-to]").first).to_be_attached()
    assert len([url for url in asked if url.endswith("/api/desk")]) == 1, "frame and desk share one question"
    await page.locator("#state > summary").click()
    await page.get_by_role("button", name="就绪", exact=True).click()
    await expect(name).to_have_text("就绪")
    assert hand.asked == [("1001", True, "午餐"), ("1001", False, None)]
    call = house.key()
    await house.tell(arrived(call), rang(call))
    await expect(name).to_have_text("来电振铃")
    await house.tell(Stopped(call=call, at=None, agent="1001", why=Over.GAVE_UP))
    await expect(name).to_have_text("就绪")
    await page.keyboard.press("b")
    row = page.locator("#callbacks [data-callback]")
    await expect(row).to_contain_text("137****0001")
    await row.get_by_role("button", name="回拨", exact=True).press("Enter")
    await expect(page.locator("#toasts")).to_contain_text("137 0000 0001")
    await expect(row).to_contain_text("137 0000 0001")
    await expect(count).to_be_hidden()
    assert hand.asked[2:] == [("1001", "+8613700000001", LINE, "li", True, True)]
    await page.keyboard.press("Escape")
    await expect(row).to_be_hidden()
    wang = await open_page("wang", "/tickets")
    await wang.locator("#me > summary").click()
    await wang.get_by_label("我的话机").fill("1001")
    await wang.get_by_label("我的话机").press("Enter")
    await expect(wang.locator(".shell-me-seat")).to_have_text("分机 1001")
    await expect(page.locator("#sharing")).to_contain_text("王 芳 也在使用分机 1001")
    await expect(wang.locator("#sharing")).to_contain_text("李 明")


@pytest.mark.parametrize("way", ["locks", "channel"])
async def test_one_tab_rings_and_notifies(way: str, house: "House", open_page: Open) -> None:
    """The one that was looked at last; the other when that one is closed; what was shown goes with the card."""
    first = await open_page("li", "/tickets")
    await first.context.add_init_script(WATCHED + (NO_LOCKS if way == "channel" else ""))
    await first.goto("/tickets")
    second = await open_page("li", beside=first)
    await second.get_by_role("button", name="暂不").click()
    one, two = house.key(), house.key()
    await house.tell(arrived(one), rang(one))
    await expect(second.locator("html")).to_have_attribute("data-rang", "yes")
    await expect(first.locator("#ringing")).to_contain_text("来电：138 1234 5678")
    await expect(first).to_have_title("☎ 138 1234 5678 · 工单 · 沐川热线")
    assert await first.evaluate("window.rang") == 0
    assert await second.evaluate("window.notes.length") == 0, "it is in front"
    await house.tell(Stopped(call=one, at=None, agent="1001", why=Over.ANSWERED_ELSEWHERE))
    await expect(first.locator("#ringing")).to_be_hidden()
    await second.close()
    await first.evaluate("window.away = true")
    await house.tell(arrived(two, None), rang(two))
    await expect(first.locator("html")).to_have_attribute("data-rang", "yes")
    await expect(first.locator("html")).to_have_attribute("data-notes", "来电：号码未显示")
    await house.tell(Stopped(call=two, at=None, agent="1001", why=Over.GAVE_UP))
    await expect(first.locator("html")).to_have_attribute("data-notes", "")


async def test_search_from_anywhere_and_the_keys(house: "House", open_page: Open) -> None:
    """Customers, tickets and what was said, as one types; arrows and Enter; `?` tells the keys, but not in a field."""
    customer = Customer("a/b", "恒泰机械", (Phone("138 1234 5678", "+8613812345678"),), vip=True)
    await EmbeddedCrm(house.db).add_many([customer])
    while await CustomerSearch(house.db).catch_up():
        pass
    call = await house.answered(known=Known("a/b", "恒泰机械", vip=True))
    said = Transcript((Turn(Speaker.CALLER, 1.0, 5.0, "我家热水器漏水<b>", 0.9),), "scripted", "none")
    await house.ledger.said(call, said, None, house.time)
    page = await open_page("li")
    await page.keyboard.press("/")
    field, options = page.locator("#palette input"), page.get_by_role("option")
    await expect(field).to_be_focused()
    await page.keyboard.type("漏水")
    await expect(options.first).to_contain_text("我家热水器漏水<b>")
    await field.fill("恒泰")
    await expect(options.first).to_contain_text("138****5678")
    await expect(options.first).to_contain_text("VIP")
    await expect(options.nth(1)).to_contain_text("20261120-0001")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("ArrowUp")
    await field.fill("恒泰机械")
    await page.keyboard.press("Enter")  # sooner than the answer: not what was found for the word before
    await page.wait_for_url("**/customers/a%2Fb")
    await expect(page.get_by_role("heading", level=1)).to_contain_text("恒泰机械")
    await page.keyboard.press("Control+k")
    await page.keyboard.type("x?x")
    await expect(options.last).to_contain_text("查看“x?x”的全部结果")
    await expect(page.locator("#palette")).to_contain_text("没有找到")
    await page.keyboard.press("Escape")
    await expect(page.locator("#palette")).to_be_hidden()
    await page.keyboard.press("?")
    keys = page.get_by_role("dialog", name="快捷键")
    await expect(keys).to_contain_text("搜索或跳转")
    assert await faults(page) == []
    await keys.get_by_label("单键可用").uncheck()
    await page.keyboard.press("Escape")
    await page.keyboard.press("?")
    await expect(keys).to_be_hidden()
    await page.evaluate("localStorage.clear()")
    await page.keyboard.press("g")
    await page.keyboard.press("t")
    await page.wait_for_url("**/tickets")


async def test_the_list_of_tickets_by_filters(house: "House", server: Server, open_page: Open) -> None:
    """A filter is a click and an address; a cut line is said; each page in both dresses has no fault axe-core knows."""
    call = await house.answered(known=Known("7", "恒泰机械", vip=True))
    await missed(house, "13700000001")
    page = await open_page("zhao", "/tickets")
    rows = page.locator("#tickets tbody tr")
    await expect(rows).to_have_count(2)
    await page.get_by_label("关闭").check()
    await expect(rows).to_have_count(0)
    await page.wait_for_url("**/tickets?status=closed**")
    await page.get_by_label("未完结", exact=True).check()
    await page.get_by_label("搜索").fill("恒泰")
    await expect(rows).to_have_count(1)
    await expect(page.locator("#list [role=status]")).to_contain_text("1")
    await page.go_back()
    await expect(rows).to_have_count(2)
    found: list[str] = []
    for scheme in ("light", "dark"):
        await page.emulate_media(color_scheme=scheme)
        for path in ("/tickets", "/search?q=恒泰", f"/tickets/{await house.ticket_of(call)}", "/customers/7"):
            await page.goto(path)
            found += await faults(page)
    assert not found
    await page.goto("/search")
    await expect(page.locator("#connection")).to_have_attribute("data-state", "on")
    await page.clock.install()
    await server.cut()
    await expect(page.locator("#connection")).to_have_attribute("data-state", "off")
    await asyncio.gather(page.clock.run_for(4_000), expect(page.locator("#offline")).to_contain_text("已断开"))
    await server.open()
    await page.clock.run_for(30_000)
    await expect(page.locator("#offline")).to_be_hidden()
