"""Every page of a running service in a real Chromium: usable by everybody, light to load, quick to paint.

axe-core's rules for WCAG 2.2 A and AA and its best practices. The default run sees every page once, in Chinese and
light or in English and dark; ``--long`` sees all in every dress, and as every role.
"""

from itertools import cycle
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.axe import faults, faults_in_both
from tests.chromium import BROWSER, Chromium
from tests.desk.crowd import Crowd, crowd
from tests.desk.pages import FIRST_PAINT, HEAVIEST, TRIES, a_days_work, painted, weight
from tests.desk.stage import KNOWN, stage

pytestmark = [*BROWSER, pytest.mark.slow]

FAR = 200
"""How often Tab is pressed before it is said that it does not come out of a page."""
DRESSES = [("zh-CN", "light"), ("en-US", "dark"), ("en-US", "light"), ("zh-CN", "dark")]


async def judged(page: Page, path: str) -> list[str]:
    """What is wrong with a page."""
    wrong = []
    for _ in range(TRIES):
        await page.goto(path)
        if (quick := await painted(page)) < FIRST_PAINT:
            break
    else:
        wrong.append(f"{path}: painted after {quick:.2f} s")
    if (heavy := await weight(page)) > HEAVIEST:
        wrong.append(f"{path}: {heavy} bytes")
    wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    if await page.evaluate(wide) > 0:
        wrong.append(f"{path}: wider than the window")
    print(f"{path} {quick:.3f} s {heavy} bytes")  # noqa: T201 - for whoever wants to know (pytest -s)
    return wrong + [f"{path}: {fault}" for fault in await faults(page)]


async def dressed(people: Crowd, login: str, dress: tuple[str, str]) -> Page:
    """Somebody's browser in a language and a scheme."""
    language, scheme = dress
    return await people.comes(login, None, "/tickets", locale=language, color_scheme=scheme)


async def test_every_page_is_for_everybody_light_and_quick(tmp_path: Path, sqlite_url: str, chromium: Chromium) -> None:
    """The administrator sees them all."""
    async with stage(tmp_path, sqlite_url) as house, crowd(house.server.url, chromium) as people:
        places = await a_days_work(house)
        pages = [await dressed(people, "root", dress) for dress in DRESSES[:2]]
        wrong = []
        for path, page in zip(places.all, cycle(pages), strict=False):
            wrong += await judged(page, path)
        people.complaints[:] = [text for text in people.complaints if "status of 404" not in text]
        assert not wrong, "\n".join(wrong)


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("dress", DRESSES, ids="-".join)
async def test_every_page_in_every_dress_as_every_role(
    dress: tuple[str, str], tmp_path: Path, sqlite_url: str, chromium: Chromium
) -> None:
    """What one may not see is a page too."""
    async with stage(tmp_path, sqlite_url) as house, crowd(house.server.url, chromium) as people:
        places = await a_days_work(house)
        wrong = []
        for login in ("root", "boss", "wang", "shen"):
            page = await dressed(people, login, dress)
            for path in places.all:
                wrong += [f"{login} {fault}" for fault in await judged(page, path)]
        people.complaints[:] = [text for text in people.complaints if "status of 404" not in text]
        assert not wrong, "\n".join(wrong)


async def test_what_opens_is_for_everybody_too(tmp_path: Path, sqlite_url: str, chromium: Chromium) -> None:
    """Cards that ring and talk, menus, the palette, the keys, a summary's correction; in light and in dark."""
    async with stage(tmp_path, sqlite_url) as house, crowd(house.server.url, chromium) as people:
        places = await a_days_work(house)
        page = await people.comes("wang")
        wrong = []
        known = house.pbx.play("ring_all", other={"01088886666": KNOWN})
        known.upto(1.0)
        house.pbx.play("abandoned_in_queue", other={"01088886666": "13900000010"}).upto(5.0)
        await expect(page.locator("article.pop")).to_have_count(2)
        await expect(page.locator("form.stranger")).to_be_visible()
        wrong += await in_both(page, "cards that ring")
        wrong += await walked(page)
        for key, what in (("s", "#state-menu button"), ("b", "#callbacks [data-callback]"), ("Control+k", "#palette")):
            await page.keyboard.press(key)
            await expect(page.locator(what).first).to_be_visible()
            wrong += await in_both(page, what)
            await page.keyboard.press("Escape")
            await expect(page.locator(what).first).to_be_hidden()
        await page.keyboard.press("?")
        await expect(page.locator(".keys-list")).to_be_visible()
        wrong += await in_both(page, "the keys")
        await page.keyboard.press("Escape")
        house.pbx.play("answered", other={KNOWN: "13900000011"}).upto(10.0)
        await expect(page.locator("[data-field=title]")).to_be_visible()
        wrong += await in_both(page, "a card that talks")
        await page.goto(places.of("/calls/{key}"))
        await page.locator("#said-issue [data-edit]").click()
        wrong += await in_both(page, "a correction")
        await page.keyboard.press("Escape")
        wrong += await walked(page)
        await page.set_viewport_size({"width": 320, "height": 640})
        wide = await page.evaluate("document.documentElement.scrollWidth")
        assert wide <= 320, "the call's page on the narrowest phone"
        assert not wrong, "\n".join(wrong)


async def in_both(page: Page, what: str) -> list[str]:
    """What axe-core finds in light and in dark."""
    return [f"{what}, {fault}" for fault in await faults_in_both(page)]


async def walked(page: Page) -> list[str]:
    """Tab goes through the page and out of it again; wherever it is, that is seen."""
    await page.evaluate("() => { document.activeElement.blur(); getSelection().removeAllRanges(); }")
    here = """() => {
      const it = document.activeElement;
      if (it === document.body) return null;
      const style = getComputedStyle(it);
      const seen = style.outlineStyle !== "none" || style.boxShadow !== "none";
      return [it.outerHTML.slice(0, 120), seen && it.matches(":focus-visible")];
    }"""
    wrong: list[str] = []
    for _ in range(FAR):
        await page.keyboard.press("Tab")
        found = await page.evaluate(here)
        if found is None:
            return wrong
        if not found[1]:
            wrong.append(f"{page.url}: the focus is not seen: {found[0]}")
    return [*wrong, f"{page.url}: Tab does not come out of it"]
