"""A morning at the desk, told once by keyboard alone (and by mouse with --long): real service, real Chromium.

Real captured calls; everything between their bytes on the AMI socket and the pages is what ``hotline serve`` runs.
"""

import re
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.chromium import BROWSER, Chromium
from tests.desk.crowd import WATCH, Crowd, crowd, lateness, when_gone
from tests.desk.hands import Hands, Keys, Mouse
from tests.desk.stage import KNOWN, SAID, Played, Stage, stage

pytestmark = [*BROWSER, pytest.mark.slow]

SOON = 0.3
"""Seconds from the bytes that say it to the card that is gone."""
STRANGER, HASTY, LATER = "13900000009", "13900000010", "13900000011"
SPOKEN = re.compile("|".join(SAID))
LIT = """() => new MutationObserver((changes) => {
  for (const { target } of changes) if (target.matches(".turn-now")) document.body.dataset.lit += ` ${target.id}`;
}).observe(document.querySelector("[data-turns]"), { attributes: true, attributeFilter: ["class"], subtree: true })"""
"""Which turns were ever marked as being heard: a short one may be over before a test looks."""
Agents = tuple[Page, Page, Page]


@pytest.mark.parametrize("hands", [Keys(), pytest.param(Mouse(), marks=pytest.mark.long)], ids=["keys", "mouse"])
async def test_a_morning_at_the_desk(hands: Hands, tmp_path: Path, sqlite_url: str, chromium: Chromium) -> None:
    """Ring-all, reload, tabs, the work after it, two calls, a stranger, a transfer, a cut line, a supervisor's ears."""
    async with stage(tmp_path, sqlite_url, speech=True) as house, crowd(house.server.url, chromium) as people:
        wang, li, chen = [await people.comes(login, hands) for login in ("wang", "li", "chen")]
        first = await three_phones_ring(house, people, (wang, li, chen))
        await typed_while_the_summary_comes(house, hands, li, first)
        talk = await a_stranger_is_transferred(house, hands, wang, chen)
        await the_line_is_cut(house, (wang, li, chen), talk)
        await nobody_hears_a_colleagues_call(wang, first)
        await a_supervisor_hears_jumps_corrects(house, people, hands, first)


async def three_phones_ring(house: Stage, people: Crowd, pages: Agents) -> Played:
    """All have the card, in every tab and after a reload; the second answers, and the others' cards are gone."""
    wang, li, chen = pages
    tabs = [await people.tab(li), await people.tab(li)]
    played = house.pbx.play("ring_all", other={"01088886666": KNOWN})
    played.upto(1.0)
    for page in (*pages, *tabs):
        await expect(page.locator("article.pop")).to_contain_text("林晓峰")
    await wang.reload()
    await expect(wang.locator("article.pop")).to_contain_text("来电振铃")
    await wang.evaluate(WATCH)
    async with lateness(li) as late:
        written = played.upto(3.0)
        after = [await when_gone(page, played.key) - written for page in (wang, chen)]
    busy = max(late)
    print(f"cards gone after {after} s, machine {busy} s")  # noqa: T201 - for whoever wants to know (pytest -s)
    assert max(after) < SOON + busy, f"seconds after the PBX said that 1002 answered: {after}, of them {busy} machine"
    for page in (wang, chen):
        await expect(page.locator("#notices")).to_contain_text("同事已接听")
    for page in (li, *tabs):
        await expect(page.locator("article.pop")).to_contain_text("通话中")
        await expect(page.locator("article.pop")).to_have_count(1)
    for tab in tabs:
        await tab.close()
    return played


async def typed_while_the_summary_comes(house: Stage, hands: Hands, li: Page, played: Played) -> None:
    """Call over, transcript, summary, what the machine makes of it: nothing of that touches what is being typed."""
    title = li.locator("[data-field=title]")
    await expect(title).to_be_visible()
    await hands.begin_title(li)
    await li.keyboard.type("客厅空调")
    played.end()
    typed = "客厅空调"
    issue = li.locator(".work-issue")
    while await issue.count() == 0:
        await li.keyboard.type("不", delay=100)
        typed += "不"
        assert len(typed) < 480, "no summary came"
    await expect(title).to_be_focused()
    await expect(title).to_have_value(typed)
    await house.until("SELECT id FROM tickets WHERE title = :title", title=typed)
    await expect(li.locator("[data-field=category] option:checked")).to_have_text(re.compile("（自动识别）$"))
    await hands.done(li)
    await expect(li.locator("article.pop")).to_have_count(0)
    await expect(li.locator("#state-name")).to_have_text("就绪")


async def a_stranger_is_transferred(house: Stage, hands: Hands, wang: Page, chen: Page) -> Played:
    """Entered in the card while another caller rings beside it; the transfer takes card and name to the colleague."""
    talk = house.pbx.play("blind_transfer", other={KNOWN: STRANGER})
    talk.upto(6.0)
    card = wang.locator(f"article[data-call='{talk.key}']")
    await expect(card).to_contain_text("没有客户登记过这个号码")
    hasty = house.pbx.play("abandoned_in_queue", other={"01088886666": HASTY})
    hasty.upto(5.0)
    cards = wang.locator("article.pop")
    await expect(cards).to_have_count(2)
    one, other = [await each.bounding_box() for each in await cards.all()]
    assert one is not None
    assert other is not None
    assert one["x"] + one["width"] <= other["x"], "side by side"
    hasty.end()
    await expect(cards).to_have_count(1)
    await hands.enter_caller(wang, "赵六", "前海物业")
    await expect(card.locator(".pop-name")).to_contain_text("赵六")
    await expect(card).to_be_focused()  # the fields are gone: the place among the keys is not
    await wang.keyboard.press("Escape")
    talk.upto(13.0)
    moved = chen.locator("article.pop-ringing")
    await expect(moved).to_contain_text("赵六")
    assert await moved.get_attribute("data-call") == talk.key
    await expect(wang.locator("article.pop-talking")).to_have_count(0)
    talk.upto(20.0)
    await expect(chen.locator("article.pop-talking")).to_contain_text("赵六")
    await hands.done(wang)
    await expect(wang.locator("article.pop")).to_have_count(0)
    return talk


async def the_line_is_cut(house: Stage, pages: Agents, talk: Played) -> None:
    """The pages say so, and come back by themselves with the cards that are true: one talk is over, a caller rings."""
    await house.server.cut()
    talk.end()
    house.pbx.play("ring_all", other={"01088886666": LATER}).upto(1.0)
    for page in pages:
        await expect(page.locator("#connection")).to_have_attribute("data-state", "off")
        await expect(page.locator("#deaf")).to_be_visible()
    await house.server.open()
    for page in pages:
        await expect(page.locator("#connection")).to_have_attribute("data-state", "on")
        await expect(page.locator("article.pop-ringing")).to_contain_text("139 0000 0011")
        await expect(page.locator("article.pop-talking")).to_have_count(0)


async def nobody_hears_a_colleagues_call(wang: Page, played: Played) -> None:
    """Whose phone rang and who did not talk does not get in by the address either."""
    for path in (f"/calls/{played.key}", f"/calls/{played.key}/audio/0/mix"):
        answer = await wang.goto(path)
        assert answer is not None
        assert answer.status == 403, path
    await expect(wang.locator("body")).not_to_contain_text(SPOKEN)


async def a_supervisor_hears_jumps_corrects(house: Stage, people: Crowd, hands: Hands, played: Played) -> None:
    """The sound of both, the turn that is wanted, and what the call was about in a person's words; all on record."""
    boss = await people.comes("boss", hands, f"/calls/{played.key}")
    turns = boss.locator(".turn-text")
    await expect(turns.first).to_have_text(SPOKEN)
    await hands.play(boss)
    await expect(boss.get_by_role("button", name="暂停")).to_be_visible()
    await boss.evaluate(LIT)
    last = await turns.count() - 1
    begins = float(await boss.locator(f"#turn-{last}").get_attribute("data-start") or 0)
    await hands.use(boss, turns.nth(last))
    await expect(boss.locator(f"body[data-lit~=turn-{last}]")).to_have_count(1)
    places = await boss.evaluate("[...document.querySelectorAll('audio')].map((one) => [one.currentTime, one.error])")
    assert [at >= begins and error is None for at, error in places] == [True, True]
    await hands.correct(boss, "空调漏水")
    await expect(boss.locator("#said-issue")).to_contain_text("空调漏水")
    await expect(boss.locator("#said-issue")).to_contain_text("周敏")
    listened = await house.rows("SELECT who FROM audit WHERE what = 'listened'")
    assert [row.who for row in listened] == ["boss"]
