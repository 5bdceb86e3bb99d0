"""Every page of a running service in a real Chromium: usable by everybody, light to load, quick to paint.

axe-core's rules for WCAG 2.2 A and AA and its best practices. The default run sees every page once, in Chinese and
light or in English and dark; ``--long`` sees all in every dress, and as every role.
"""

from itertools import cycle
from pathlib import Path

import pytest
from playwright.async_api import Page

from tests.desk.crowd import Crowd, crowd
from tests.desk.pages import FIRST_PAINT, HEAVIEST, TRIES, a_days_work, faults, painted, weight
from tests.desk.stage import stage
from tests.screenpop.browser import BROWSER

pytestmark = [*BROWSER, pytest.mark.slow]

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


async def test_every_page_is_for_everybody_light_and_quick(tmp_path: Path, sqlite_url: str) -> None:
    """The administrator sees them all."""
    async with stage(tmp_path, sqlite_url) as house, crowd(house.server.url) as people:
        places = await a_days_work(house)
        pages = [await dressed(people, "root", dress) for dress in DRESSES[:2]]
        wrong = []
        for path, page in zip(places.all, cycle(pages), strict=False):
            wrong += await judged(page, path)
        people.complaints[:] = [text for text in people.complaints if "status of 404" not in text]
        assert not wrong, "\n".join(wrong)
