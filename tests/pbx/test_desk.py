"""Against a real Asterisk, in real browsers: three phones ring, the second is picked up, the caller is passed on."""

import asyncio
from dataclasses import dataclass, field

import pytest
from playwright.async_api import Page, expect

from hotline.clock import now
from storage.migrate import upgrade
from tests import chromium
from tests.desk.crowd import WATCH, crowd, lateness, when_gone
from tests.pbx.admin import Phones, phones
from tests.pbx.labs import Lab, NoLabError, running
from tests.pbx.service import AGENTS, PASSWORD, hire, pbx_toml, service, serving, site_toml
from tests.pbx.works import Tools

pytestmark = [pytest.mark.pbx, pytest.mark.browser, pytest.mark.timeout(280)]

SECONDS = 25
SOON = 0.3
"""Seconds from a phone that is picked up to the colleagues' cards that are gone."""


@dataclass
class Day:
    """What the pages showed."""

    rang: dict[str, str] = field(default_factory=dict)
    reloaded: str = ""
    gone: dict[str, float] = field(default_factory=dict)  # seconds after the phone was picked up
    busy: float = 0.0  # of these the machine itself, at most
    talks: str = ""
    moved: str = ""
    left: int = 0
    call: str = ""
    kept: str = ""


def work(tools: Tools) -> Day:
    """The day, on an Asterisk 22 of its own."""
    if chromium.CHROMIUM is None:
        raise NoLabError("no Chromium: install one or name it in HOTLINE_CHROMIUM")
    with running("22") as lab:
        return asyncio.run(_spend(lab, tools))


async def _spend(lab: Lab, tools: Tools) -> Day:
    url = f"sqlite+aiosqlite:///{tools.folder / 'hotline.db'}"
    await upgrade(url)
    await hire(url)
    served = service(tools.folder / "service", [lab], pbx_toml(lab) + site_toml(lab.recordings), url)
    async with serving(served), phones(lab) as people:
        await served.listening()
        address = served.address.rstrip("/")
        async with chromium.running() as program, crowd(address, program, PASSWORD) as browsers:
            pages = {agent: await browsers.comes(f"u{agent}") for agent in AGENTS}
            return await _rings(people, pages)


async def _rings(people: Phones, pages: dict[str, Page]) -> Day:
    day = Day()
    caller = await people.call("4008001234")
    cards = {agent: page.locator("article.pop") for agent, page in pages.items()}
    for agent in AGENTS:
        await expect(cards[agent]).to_have_count(1)
        day.rang[agent] = await cards[agent].inner_text()
    await pages["1001"].reload()
    await expect(cards["1001"]).to_have_count(1)
    day.reloaded = await cards["1001"].inner_text()
    await pages["1001"].evaluate(WATCH)
    day.call = await cards["1002"].get_attribute("data-call") or ""
    (phone,) = people.agents["1002"].calls.values()
    async with lateness(pages["1002"]) as late:
        picked_up = now()
        await phone.answer()
        for agent in ("1001", "1003"):
            day.gone[agent] = await when_gone(pages[agent], day.call) - picked_up
    day.busy = max(late)
    await expect(pages["1002"].locator("article.pop-talking")).to_have_count(1)
    day.talks = await cards["1002"].get_attribute("data-call") or ""
    people.answer = {"1003": 0.5}
    phone.refer("1003")
    await expect(pages["1003"].locator("article.pop-talking")).to_have_count(1)
    day.moved = await cards["1003"].get_attribute("data-call") or ""
    await expect(pages["1002"].locator("article.pop-talking")).to_have_count(0)
    day.left = await pages["1001"].locator("article.pop").count()
    caller.hangup()
    await expect(pages["1003"].locator("article.pop-talking")).to_have_count(0)
    day.kept = await pages["1003"].locator("#notices").inner_text()
    return day


@pytest.fixture(scope="module")
def day(done: Day) -> Day:
    """What happened."""
    return done


def test_all_three_have_the_card(day: Day) -> None:
    """With the caller's number, and again after a reload while it rings."""
    for agent in AGENTS:
        assert "138 1234 5678" in day.rang[agent], day.rang
    assert "138 1234 5678" in day.reloaded


def test_the_others_cards_are_gone_at_once(day: Day) -> None:
    """From the phone's own answer, through Asterisk, service and browser."""
    print(f"cards gone after {day.gone} s, machine {day.busy} s")  # noqa: T201 - for whoever wants to know (pytest -s)
    assert max(day.gone.values()) < SOON + day.busy, f"{day.gone}, of them {day.busy} machine"


def test_a_blind_transfer_moves_the_card(day: Day) -> None:
    """The same call, to the colleague alone."""
    assert day.talks == day.moved == day.call
    assert day.left == 0
    assert "通话结束" in day.kept
