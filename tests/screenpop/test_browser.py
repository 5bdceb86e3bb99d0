"""The pages in a real Chromium: cards come and go, survive reloads and cut lines, and nothing foreign runs or loads.

Every test ends with: no error, no warning and no policy violation in the console, no request to another host.
"""

from typing import TYPE_CHECKING

from playwright.async_api import expect

from crm.connector import Item, Of, Ref
from crm.connector import Status as ItemStatus
from crm.customer import Candidate, Customer, Match, Phone, Purchase, Reason
from screenpop.card import Filled, Problem
from screenpop.deps import HUB
from storage.audit import What
from storage.records import Known
from telephony.call import Answered, Held, Left, Over, Stopped
from tests.chromium import BROWSER
from tests.screenpop.browser import (
    SECOND,
    Open,
    Server,
    arrived,
    offered,
    rang,
    ring,
)
from tickets.ticket import Status, Ticket
from transcription.account import Category, Sentiment, Summary, Urgency
from transcription.transcript import Speaker, Transcript, Turn

if TYPE_CHECKING:
    from tests.screenpop.conftest import House, Until

pytestmark = BROWSER
MARKUP = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>"\'${7*7}{{7*7}}'

ENDED = """new Promise((done) => {
  const one = document.querySelector("audio");
  if (one.ended) done();
  else one.addEventListener("ended", () => done(), { once: true });
})"""


async def test_a_call_rings_talks_and_goes(house: "House", open_page: Open) -> None:
    """The card comes by itself, fills in, changes state, goes with the reason, and the title calls too."""
    page = await open_page("li")
    cards = page.locator("article.pop")
    await expect(page.get_by_text("等待下一通来电")).to_be_visible()
    call = house.key()
    await house.tell(arrived(call), rang(call))
    await expect(cards).to_have_count(1)
    await expect(cards.first).to_contain_text("138 1234 5678")
    await expect(cards.first).to_contain_text("正在查询来电人")
    await expect(page).to_have_title("☎ 138 1234 5678 · 工作台 · 沐川热线")
    customer = Customer("7", "张三", level="金卡", vip=True, purchases=(Purchase("变频空调"), Purchase("净水器")))
    ticket = Ticket(
        3, "20261119-0002", Status.WORKING, "4007002505", "外机漏水", None, "7", "张三", None, None, "li", 1, 1
    )
    match = Match((Candidate(customer, Reason.MOBILE, "138-1234-5678"),), customer)
    await house.tell(Filled(call, match, (ticket,)))
    for words in (
        "张三",
        "VIP",
        "金卡",
        "手机号一致：138-1234-5678",
        "变频空调",
        "净水器",
        "外机漏水",
    ):
        await expect(cards.first).to_contain_text(words)
    await house.tell(Answered(call=call, at=None, agent="1001"))
    await expect(cards.first).to_contain_text("通话中")
    await expect(page).to_have_title("工作台 · 沐川热线")
    await house.tell(Held(call=call, at=None, agent="1001"))
    await expect(cards.first).to_contain_text("保持中")
    await house.answered()  # what the ledger wrote meanwhile
    await house.tell(Left(call=call, at=None, agent="1001", why=Over.ENDED))
    await expect(cards).to_have_count(0)
    await expect(page.locator("#notices")).to_contain_text("通话结束")
    recent = page.locator("#recent a")
    await expect(recent).to_contain_text("138****5678")
    await recent.focus()
    here = await recent.get_attribute("href")
    other = house.key()
    await house.tell(arrived(other), rang(other))
    await house.answered()
    await house.tell(Stopped(call=other, at=None, agent="1001", why=Over.ANSWERED_ELSEWHERE))
    await expect(recent).to_have_count(2)
    await expect(page.locator(f"#recent a[href='{here}']")).to_be_focused()


async def test_reload_tabs_and_two_calls(house: "House", open_page: Open) -> None:
    """In mid-ring the card is there again after a reload, the same in a second tab; two calls stand side by side."""
    first = await open_page("li")
    one, two = house.key(), house.key()
    await house.tell(arrived(one), rang(one))
    await expect(first.locator("article")).to_have_count(1)
    await first.reload()
    await expect(first.locator("article")).to_have_count(1)
    second = await open_page("li", beside=first)
    await house.tell(arrived(two, None), rang(two))
    for page in (first, second):
        await expect(page.locator("article")).to_have_count(2)
        await expect(page.locator("article").nth(1)).to_contain_text("号码未显示")
    boxes = [await card.bounding_box() for card in await first.locator("article").all()]
    assert boxes[0] is not None
    assert boxes[1] is not None
    assert boxes[0]["x"] + boxes[0]["width"] <= boxes[1]["x"], "beside each other, neither covers the other"
    await house.tell(Stopped(call=one, at=None, agent="1001", why=Over.ANSWERED_ELSEWHERE))
    for page in (first, second):
        await expect(page.locator("article")).to_have_count(1)
        await expect(page.locator("#notices")).to_contain_text("同事已接听")


async def test_a_cut_line_is_seen_and_mended(
    house: "House", server: Server, open_page: Open, until_true: "Until"
) -> None:
    """The page says that it is deaf, comes back by itself, and then has the cards that are true."""
    page = await open_page("li")
    old, new = house.key(), house.key()
    await house.tell(arrived(old), rang(old))
    await expect(page.locator("article")).to_have_count(1)
    await server.cut()
    await expect(page.locator("#connection")).to_have_attribute("data-state", "off")
    await expect(page.get_by_role("alert")).to_contain_text("可能有来电未在此显示")
    await house.tell(Stopped(call=old, at=None, agent="1001", why=Over.GAVE_UP), arrived(new, "13900000009"), rang(new))
    await server.open()
    await expect(page.locator("#connection")).to_have_attribute("data-state", "on")
    await expect(page.locator("article")).to_have_count(1)
    await expect(page.locator("article")).to_contain_text("139 0000 0009")
    await expect(page.locator("#deaf")).to_be_hidden()
    await until_true(lambda: len(server.app[HUB]) == 1)


async def test_several_customers_are_offered_and_none_is_guessed(house: "House", open_page: Open) -> None:
    """One chooses, by keyboard too, and the choice stays when the card is drawn anew."""
    page = await open_page("li")
    call = await ring(house, "075588886666")
    customers = (Customer("1", "王建国", purchases=(Purchase("热水器"),)), Customer("2", "陈晓燕", vip=True))
    house.offers = offered(*customers)
    await house.tell(Filled(call, Match(house.offers)))
    card = page.locator("article")
    await expect(card).to_contain_text("这个号码对应 2 位客户")
    await expect(card).not_to_contain_text("热水器")
    choice = card.get_by_role("button", name="王建国")
    await choice.focus()
    await page.keyboard.press("Enter")
    await expect(choice).to_have_attribute("aria-pressed", "true")
    await expect(choice).to_be_focused()
    await house.tell(Answered(call=call, at=None, agent="1001"))
    await expect(card).to_contain_text("通话中")
    await expect(card).to_contain_text("热水器")
    await expect(choice).to_be_focused()


async def test_a_silent_crm_is_not_taken_for_a_stranger(house: "House", open_page: Open) -> None:
    """Late, down, unknown and withheld are four different things."""
    page = await open_page("li")
    stories = [
        ("13800000001", Problem.LATE, "客户系统尚未返回结果"),
        ("13800000002", Problem.DOWN, "无法连接客户系统"),
        ("13800000003", None, "没有客户登记过这个号码"),
        (None, None, "对方隐藏了号码"),
    ]
    for caller, problem, words in stories:
        call = house.key()
        await house.tell(arrived(call, caller), rang(call), Filled(call, Match(), problem=problem))
        await expect(page.locator("article").last).to_contain_text(words)


async def test_a_copy_says_what_it_is_and_the_crm_is_one_click_away(house: "House", open_page: Open) -> None:
    """The time the copy is of, the CRM's own tickets in its own words; links open elsewhere, none runs a script."""
    page = await open_page("li")
    call = house.key()
    customer = Customer("7", "王建国", (Phone("13800000001", "+8613800000001"),))
    match = Match((Candidate(customer, Reason.MOBILE, "13800000001"),), customer)
    items = (
        Item(Ref(Of.TICKET, "5"), "热水器漏水", ItemStatus.WORKING, "施工中", url="https://crm.example/5"),
        Item(Ref(Of.TICKET, "6"), "回访", ItemStatus.UNKNOWN, "", url="javascript:window.hacked=1"),
    )
    links = {"7": "https://crm.example/7"}
    checking = Filled(call, match, copied=house.time, checking=True, links=links)
    await house.tell(arrived(call, "13800000001"), rang(call), checking)
    card = page.locator("article")
    await expect(card.get_by_role("link", name="王建国")).to_have_attribute("href", "https://crm.example/7")
    await expect(card).not_to_contain_text("以下为")
    await house.tell(Filled(call, match, problem=Problem.DOWN, copied=house.time - 2 * 86400, items=items, links=links))
    await expect(card).to_contain_text("无法连接客户系统，以下为 20")
    ticket = card.get_by_role("link", name="热水器漏水")
    await expect(ticket).to_have_attribute("target", "_blank")
    await expect(ticket).to_have_attribute("rel", "noopener noreferrer")
    await expect(card).to_contain_text("客户系统中的未结工单")
    await expect(card).to_contain_text("施工中")
    await expect(card).to_contain_text("回访")
    assert await card.get_by_role("link", name="回访").count() == 0
    await house.tell(Filled(call, match, items=()))
    await expect(card).not_to_contain_text("以下为")
    await expect(card).not_to_contain_text("客户系统中的未结工单")


async def test_markup_in_names_is_text(house: "House", open_page: Open) -> None:
    """A caller and a CRM may call themselves what they like."""
    page = await open_page("li")
    call = await ring(house, MARKUP)
    customer = Customer(
        MARKUP, MARKUP, company=MARKUP, level=MARKUP, owner=MARKUP, note=MARKUP, purchases=(Purchase(MARKUP),)
    )
    ticket = Ticket(3, MARKUP, Status.WORKING, "4007002505", MARKUP, None, None, None, None, None, MARKUP, 1, 1)
    match = Match((Candidate(customer, Reason.OTHER, MARKUP),), customer)
    await house.tell(Filled(call, match, (ticket,)))
    await expect(page.locator("article .pop-name")).to_contain_text(MARKUP)
    house.offers = offered(customer, Customer("2", "乙"))
    await house.tell(Filled(call, Match(house.offers)))
    await page.locator("article button").first.click()
    await expect(page.locator("article")).to_contain_text("乙")
    key = await house.answered(known=Known("7", MARKUP))
    await house.ledger.said(
        key, Transcript((Turn(Speaker.CALLER, 0.0, 1.0, MARKUP, 0.9),), "vosk", MARKUP), None, house.time
    )
    for path in ("/desk", f"/tickets/{await house.ticket_of(key)}", f"/calls/{key}"):
        await page.goto(path)
        await expect(page.locator("body")).to_contain_text(MARKUP[:20])
    assert await page.evaluate("window.hacked") is None


async def test_a_login_that_ends_is_said_on_every_tab(house: "House", open_page: Open) -> None:
    """Logging out in one tab: the others do not go on as if they heard, and nothing rings on."""
    page = await open_page("li")
    other = await open_page("li", beside=page)
    tickets = await open_page("li", "/tickets", beside=page)
    call = house.key()
    await house.tell(arrived(call), rang(call))
    await expect(tickets.locator("#ringing")).to_be_visible()
    await page.locator("#me > summary").click()
    await page.get_by_role("button", name="退出登录").click()
    await page.wait_for_url("**/login")
    await expect(other.get_by_role("alert")).to_contain_text("不再显示来电")
    await expect(tickets.locator("#offline")).to_contain_text("登录已失效")
    await expect(tickets.locator("#ringing")).to_be_hidden()


async def test_the_list_of_tickets_follows_what_happens(house: "House", open_page: Open) -> None:
    """A new ticket appears without a reload; a filter is a click."""
    page = await open_page("zhao", "/tickets")
    await expect(page.get_by_text("没有工单")).to_be_visible()
    call = await house.answered(known=Known("7", "张三"))
    await house.fanout.publish("tickets", {"type": "ticket", "id": await house.ticket_of(call)})
    await expect(page.locator("#tickets")).to_contain_text("张三")
    await page.get_by_label("待回拨").check()
    await page.wait_for_url("**missed=1**")
    await expect(page.get_by_text("没有工单")).to_be_visible()


async def test_a_call_is_heard_and_read(house: "House", open_page: Open) -> None:
    """Both legs play together, a click on a turn jumps there, the summary lights up its evidence; on record."""
    call = await house.answered()
    turns = (
        Turn(Speaker.AGENT, 0.0, 0.8, "您好", 0.9, "1001"),
        Turn(Speaker.CALLER, 0.9, 1.9, "空调不制冷", 0.9),
    )
    summary = Summary("空调不制冷", Category.REPAIR, Urgency.HIGH, Sentiment.BAD, (), (), {"空调不制冷": (1,)})
    await house.ledger.said(call, Transcript(turns, "vosk", "small-cn"), summary, house.time)
    page = await open_page("li", f"/calls/{call}")
    times = "[...document.querySelectorAll('audio')].map((each) => [each.currentTime, each.paused, each.error])"
    await page.get_by_role("link", name="[0:01]").click()
    await expect(page.locator("#turn-1")).to_have_class("turn turn-caller turn-cited")
    assert What.LISTENED not in {row.what for row in await house.audit.rows(subject=str(call))}, "reading is none"
    await page.get_by_role("button", name="空调不制冷").click()
    await expect(page.get_by_role("button", name="暂停")).to_be_visible()
    await expect(page.locator("#turn-1")).to_contain_class("turn-now")
    (caller, *_), (agent, *_) = await page.evaluate(times)
    assert caller >= 0.9
    assert abs(caller - agent) < 0.3
    await page.evaluate(ENDED)
    await expect(page.get_by_role("button", name="播放", exact=True)).to_be_visible()
    assert [error for *_, error in await page.evaluate(times)] == [None, None]
    rows = await house.audit.rows(subject=str(call))
    assert [row.who for row in rows if row.what is What.LISTENED] == ["li"]


async def test_a_transcript_that_comes_is_shown(house: "House", open_page: Open) -> None:
    """The page of a call that waits looks again by itself."""
    call = await house.answered()
    page = await open_page("li", "about:blank")
    await page.clock.install()
    await page.goto(f"/calls/{call}")
    await expect(page.get_by_text("正在转写")).to_be_visible()
    await house.ledger.said(
        call, Transcript((Turn(Speaker.CALLER, 0.0, 1.0, "喂", 0.9),), "vosk", "small-cn"), None, house.time
    )
    await page.clock.run_for(6 * SECOND)
    await expect(page.get_by_role("button", name="喂")).to_be_visible(timeout=15 * SECOND)


async def test_both_languages_light_and_dark(house: "House", open_page: Open) -> None:
    """Every page in each dress: nothing in the console, nothing wider than the window."""
    call = await house.answered(known=Known("7", "深圳市前海恒泰精密机械制造有限公司", vip=True))
    paths = ("/desk", "/tickets", f"/tickets/{await house.ticket_of(call)}", f"/calls/{call}", "/status")
    for locale, scheme in (("zh-CN", "light"), ("en-US", "dark")):
        page = await open_page("root", locale=locale, color_scheme=scheme)
        for path in paths:
            await page.goto(path)
            assert await page.evaluate("document.documentElement.dataset.bsTheme") == scheme
            assert await page.evaluate("document.documentElement.lang") == locale.removesuffix("-US")
            wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            assert await page.evaluate(wide) == 0, path
        await page.locator("#me > summary").click()
        await page.get_by_role("button", name="浅色" if locale == "zh-CN" else "Light or dark").click()
        other = "dark" if scheme == "light" else "light"
        assert await page.evaluate("document.documentElement.dataset.bsTheme") == other
        await page.reload()
        assert await page.evaluate("document.documentElement.dataset.bsTheme") == other, "the choice is kept"
