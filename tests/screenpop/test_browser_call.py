"""A call's page in a real Chromium, with real sound: heard, seen, read, searched, put right, and by keys alone."""

import asyncio
import wave
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from playwright.async_api import Page, Route, expect

from storage.audit import What
from storage.records import Known, RecordingKind, RecordingRow
from tests.axe import faults
from tests.chromium import BROWSER
from tests.screenpop.browser import Open
from transcription.account import Category, Detail, FactKind, Promise, Sentiment, Summary, Urgency
from transcription.corrections import Change, Part
from transcription.transcript import Speaker, Transcript, Turn

if TYPE_CHECKING:
    from telephony.call import CallKey
    from tests.screenpop.conftest import House

pytestmark = BROWSER

RATE = 8000
ISSUE = "热水器上门维修后再次漏水"
SAID = (  # who, from, to, what: nobody speaks from 12 to 30
    ("agent", 0.5, 3.0, "您好，这里是沐川热线"),
    ("caller", 3.5, 7.0, "热水器又漏水了，型号是 XQB80"),
    ("agent", 7.5, 12.0, "明天上午师傅上门维修"),
    ("caller", 30.0, 34.0, "漏水把地板泡了，漏水很久了"),
    ("agent", 34.5, 39.0, "维修费的事三天内答复您"),
)
ONE = "document.querySelector('audio')"
DRAWN = "document.querySelector('[data-wave] > div')?.shadowRoot?.querySelectorAll('canvas').length ?? 0"
WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def tones(path: Path, speaker: str, said: tuple[tuple[str, float, float, str], ...] = SAID) -> None:
    """A tone while this one speaks."""
    seconds = said[-1][2] + 1
    at = np.arange(round(seconds * RATE))
    sound = np.zeros(len(at))
    for who, begins, ends, _ in said:
        here = slice(round(begins * RATE), round(ends * RATE))
        if who == speaker:
            sound[here] = 9000 * np.cos(2 * np.pi * (300 if who == "agent" else 500) * at[here] / RATE)
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes(sound.astype("<i2").tobytes())


async def spoken(house: "House", said: tuple[tuple[str, float, float, str], ...] = SAID) -> "CallKey":
    """A call with both legs, a transcript and a summary."""
    call = await house.answered(known=Known("7", "张三", vip=True), recorded=False)
    names = {leg: f"{call.linkedid}-{leg}.wav" for leg in ("rx", "tx")}
    tones(house.recordings / names["rx"], "caller", said)
    tones(house.recordings / names["tx"], "agent", said)
    seconds = said[-1][2] + 1
    await house.ledger.link_recording(call, RecordingRow(names["rx"], names["tx"], None, seconds), house.time)
    turns = tuple(
        Turn(Speaker(who), begins, ends, text, 0.9, "1001" if who == "agent" else None)
        for who, begins, ends, text in said
    )
    summary = Summary(
        ISSUE,
        Category.REPAIR,
        Urgency.HIGH,
        Sentiment.BAD,
        (Detail(FactKind.MODEL, "XQB80", "caller", 3.5, 1, (1,)),),
        (Promise("agent", "师傅上门维修", "2026-11-21", 2, (2,)),),
        {ISSUE: (1, 3), "师傅上门维修": (2,)},
        {"urgency": (3,)},
    )
    await house.ledger.said(call, Transcript(turns, "vosk", "small-cn", seconds=seconds), summary, house.time)
    return call


async def until(page: Page, true: str) -> None:
    """Wait until something is true in the page."""
    look = f"const look = () => {{ {true} ? done() : setTimeout(look, 10); }}; look();"
    await page.evaluate(f"new Promise((done) => {{ {look} }})")


async def heard_at(page: Page, least: float, most: float = 1e9) -> None:
    """Wait until the sound is there."""
    await until(page, f"{ONE}.currentTime >= {least} && {ONE}.currentTime <= {most}")


async def test_a_call_is_seen_before_it_is_heard_and_heard_by_keys(house: "House", open_page: Open) -> None:
    """Both sides drawn of what the server made, no sound fetched before it is to be heard.

    Then space, arrows, J, K, L; a pause that nobody speaks in left out, one side switched off, faster; on record once.
    """
    call = await spoken(house)
    page = await open_page("li", f"/calls/{call}")
    await until(page, f"{DRAWN} >= 4")  # two lanes, as they are and as they were heard
    slider = page.get_by_role("slider", name="播放位置")
    box = await slider.bounding_box()
    assert box is not None
    await page.mouse.click(box["x"] + box["width"] / 2, box["y"] + 10)
    await expect(slider).to_have_attribute("aria-valuenow", "20")
    await slider.press("Home")
    await slider.press("ArrowRight")
    await expect(slider).to_have_attribute("aria-valuenow", "5")
    assert not await house.audit.rows(what=What.LISTENED, subject=str(call)), "looking is not listening"
    await page.get_by_role("heading", level=1).click()
    await page.keyboard.press("?")
    await expect(page.locator(".keys-list")).to_contain_text("空格")
    await page.keyboard.press("?")
    slow = asyncio.Event()

    async def late(route: Route) -> None:
        await slow.wait()
        await route.continue_()

    await page.route("**/audio/0/caller", late)
    await page.keyboard.press("k")
    await expect(page.locator("[data-player]")).to_have_attribute("data-waits", "")
    await expect(page.get_by_role("button", name="暂停")).to_be_visible()
    slow.set()
    await heard_at(page, 5.1, 9)
    await expect(page.get_by_role("button", name="暂停")).to_be_visible()
    await expect(page.locator("#turn-1")).to_contain_class("turn-now")
    await page.keyboard.press("s")  # leave out where nobody speaks
    await page.keyboard.press("l")
    await heard_at(page, 29.5)
    await expect(page.locator("#turn-3")).to_contain_class("turn-now")
    await page.keyboard.press(" ")
    await expect(page.get_by_role("button", name="播放", exact=True)).to_be_visible()
    await page.keyboard.press("j")
    await page.keyboard.press("ArrowLeft")
    await heard_at(page, 10, 20)
    await page.keyboard.press(">")
    await page.get_by_role("button", name="坐席", exact=True).click()
    tracks = "[...document.querySelectorAll('audio')].map((one) => [one.dataset.leg, one.muted, one.playbackRate])"
    assert await page.evaluate(tracks) == [["caller", False, 1.25], ["agent", True, 1.25]]
    await page.keyboard.press("n")
    await expect(slider).to_have_attribute("aria-valuenow", "30")
    await page.reload()
    assert await page.evaluate(f"[{ONE}.playbackRate, {ONE}.currentTime]") == [1.25, 0], "how one listens is kept"
    await expect(page.get_by_label("跳过静音")).to_be_checked()
    assert [row.who for row in await house.audit.rows(what=What.LISTENED, subject=str(call))] == ["li"]


async def test_what_was_said_is_searched_and_cited_both_ways(house: "House", open_page: Open) -> None:
    """Every place marked and gone through by keys; a sentence leads to its turns, a turn to its sentences."""
    call = await spoken(house)
    page = await open_page("zhao", f"/calls/{call}")
    await page.keyboard.press("/")
    await page.keyboard.type("漏水")
    found = page.locator("[data-found]")
    await expect(found).to_have_text("第 1/3 处")
    assert await page.locator(".turn-text mark").count() == 3
    await page.keyboard.press("Shift+Enter")
    await expect(found).to_have_text("第 3/3 处")
    await expect(page.locator("#turn-3 mark.found-now")).to_have_count(1)
    await page.keyboard.press("Enter")
    await expect(page.locator("#turn-1 mark.found-now")).to_have_count(1)
    await page.keyboard.type("xqb")
    await page.keyboard.press("Escape")
    await expect(page.locator(".turn-text mark")).to_have_count(0)
    await page.keyboard.type("ｘｑｂ80")  # full width, as an input method writes it
    await expect(found).to_have_text("第 1/1 处")
    await expect(page.locator("#turn-1 .turn-text")).to_have_text(SAID[1][3])
    cite = page.locator("#said-issue .cite")
    await cite.focus()
    await expect(page.locator("#turn-3")).to_have_attribute("data-lit", "")
    await page.keyboard.press("Enter")
    await expect(page.locator(".turn-cited")).to_have_count(2)
    await expect(page.locator("#turn-1 .turn-text")).to_be_focused()
    assert await page.locator("[data-marks] span").count() == 2, "on the lanes, too"
    used = page.locator("#turn-2").get_by_role("button", name="摘要引用了这句")
    await used.press("Enter")
    await expect(page.locator("#said-promise-0")).to_be_focused()
    await expect(page.locator(".said[data-lit]")).to_have_count(2)  # the promise, and the next step it is
    assert not await house.audit.rows(what=What.LISTENED, subject=str(call))


async def test_everybody_can_use_it(house: "House", open_page: Open) -> None:
    """No violation that axe finds on the page and the list of calls: light, dark, on a desk and on a phone."""
    call = await spoken(house)
    page = await open_page("zhao", f"/calls/{call}", locale="en-US", reduced_motion="reduce")
    await until(page, f"{DRAWN} >= 4")
    await page.locator("#said-issue .cite").click()
    assert await faults(page) == []
    await page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    await until(page, "document.documentElement.dataset.bsTheme === 'dark'")
    await page.set_viewport_size({"width": 390, "height": 844})
    assert await faults(page) == []
    await page.goto("/calls")
    assert await faults(page) == []
    outcome = page.get_by_label("Outcome")
    while not await outcome.evaluate("(it) => it === document.activeElement"):
        await page.keyboard.press("Tab")
    await page.keyboard.press("ArrowDown")
    await expect(outcome).not_to_have_value("")
    assert page.url.endswith("/calls"), "keys pass by what is not meant"


async def test_a_summary_is_put_right_where_it_is_read(house: "House", open_page: Open, complaints: list[str]) -> None:
    """By keys; who did it and what the machine had said beside it; what a colleague did meanwhile is not overwritten.

    The machine is right after all; what is not so goes, with the mark at its turn; an auditor only reads.
    """
    call = await spoken(house)
    page = await open_page("li", f"/calls/{call}")
    fact = page.locator("#said-fact-0")
    await fact.get_by_role("button", name="更正：产品型号").press("Enter")
    await expect(fact.get_by_role("textbox")).to_be_focused()
    await page.keyboard.press("Control+A")
    await page.keyboard.type("XQB90")
    await page.keyboard.press("Enter")
    await expect(fact).to_contain_text("XQB90")
    await expect(fact).to_contain_text("李 明")
    await expect(fact.locator("s")).to_have_text("XQB80")
    await expect(fact.get_by_role("button", name="更正")).to_be_focused()
    stale = page.locator("#said-issue")
    await stale.get_by_role("button", name="更正").click()
    seen = await house.reads.call(call)
    assert seen is not None
    theirs = [Change(Part.SENTIMENT, "", {"text": "中性"})]
    await house.ledger.correct_summary(call, theirs, who="wang", now=house.time, seen=seen.corrected)
    await stale.get_by_role("textbox").fill("热水器第二次漏水")
    await page.keyboard.press("Enter")
    await expect(page.locator("[data-correct-trouble]")).to_contain_text("别人已更正")
    assert all("409" in text for text in complaints), "the browser itself reports it"
    complaints.clear()
    await expect(stale.get_by_role("textbox")).to_have_value("热水器第二次漏水")
    await expect(stale.get_by_role("textbox")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(stale).to_contain_text("热水器第二次漏水")
    await expect(stale.get_by_role("textbox")).to_have_count(0)
    await expect(page.locator("#said-sentiment")).to_contain_text("王 芳")
    await page.locator("#said-sentiment [data-edit]").click()
    await page.locator("#said-sentiment").get_by_role("button", name="撤销").click()
    await expect(page.locator("#said-sentiment")).to_contain_text("负面")
    await expect(page.locator("#said-sentiment")).not_to_contain_text("王 芳")
    await page.locator("#said-promise-0 [data-edit]").click()
    await page.locator("#said-promise-0").get_by_role("button", name="不对").click()
    await expect(page.locator("#said-promise-0")).to_have_count(0)
    await expect(page.locator("#turn-2 .turn-used")).to_have_count(0)
    now = await house.reads.call(call)
    assert now is not None
    assert sorted(one.key for one in now.corrections) == ["", "agent|师傅上门维修", "model|XQB80"]
    auditor = await open_page("shen", f"/calls/{call}")
    await expect(auditor.locator("#said-fact-0")).to_contain_text("XQB90")
    assert await auditor.locator("[data-edit]").count() == 0
    assert await auditor.get_by_text("更正摘要").count() == 0


async def test_a_long_call_on_a_phone_in_the_dark(house: "House", open_page: Open) -> None:
    """A long one: nothing wider than the phone, the turn being heard in sight; a message beside it is heard alone."""
    said = tuple((who, begins + 45 * n, ends + 45 * n, text) for n in range(20) for who, begins, ends, text in SAID)
    call = await spoken(house, said)
    message = house.recordings / "message.wav"
    tones(message, "caller")
    row = RecordingRow(None, None, message.name, 40.0, kind=RecordingKind.VOICEMAIL)
    await house.ledger.link_recording(call, row, house.time)
    phone = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "color_scheme": "dark"}
    page = await open_page("zhao", f"/calls/{call}", **phone)
    await until(page, f"{DRAWN} >= 2")
    inside = "Math.max(0, ...[...document.querySelectorAll('#main *')].map((one) => one.getBoundingClientRect().right))"
    assert await page.evaluate(inside) <= 390
    await page.goto("/calls")
    assert await page.evaluate(WIDE) == 0
    await page.go_back()
    last = page.locator("#turn-95 .turn-text")
    await last.click()
    await heard_at(page, said[95][1])
    await expect(page.locator("#turn-95")).to_be_in_viewport()
    players = page.locator("[data-player]")
    await players.nth(1).get_by_role("button", name="播放", exact=True).click()
    await until(page, "document.querySelectorAll('audio')[2].currentTime > 0.1")
    paused = "[...document.querySelectorAll('audio')].map((one) => one.paused)"
    assert await page.evaluate(paused) == [True, True, False]
