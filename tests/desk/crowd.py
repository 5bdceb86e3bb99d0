"""Several people with a browser each: contexts of one Chromium, whose console must stay clean."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from playwright.async_api import Browser, BrowserContext, Page, expect

from hotline.clock import now
from tests.chromium import Chromium
from tests.desk.hands import Hands
from tests.desk.stage import PASSWORD
from tests.screenpop.browser import SECOND, log_in

WATCH = """() => {
  window.gone = [];
  window.came = [];
  const now = () => (performance.timeOrigin + performance.now()) / 1000;
  const calls = (nodes) => [...nodes].filter((node) => node.matches?.("article.pop")).map((node) => node.dataset.call);
  new MutationObserver((changes) => {
    for (const change of changes) {
      for (const call of calls(change.removedNodes)) window.gone.push([call, now()]);
      for (const call of calls(change.addedNodes)) window.came.push([call, now()]);
    }
  }).observe(document.getElementById("cards"), { childList: true });
}"""


@dataclass
class Crowd:
    """Who opens pages of the service at ``url``, and what browsers complained of meanwhile."""

    browser: Browser
    url: str
    password: str = PASSWORD
    complaints: list[str] = field(default_factory=list)
    contexts: list[BrowserContext] = field(default_factory=list)

    async def comes(self, login: str, hands: Hands | None = None, path: str = "/desk", **options: Any) -> Page:
        """Somebody logs in, in a browser of their own: with their hands, where these are given."""
        wanted = {"base_url": self.url, "viewport": {"width": 1280, "height": 720}, "locale": "zh-CN"} | options
        context = await self.browser.new_context(**wanted)
        self.contexts.append(context)
        context.set_default_timeout(15 * SECOND)
        page = await self._page(context)
        if hands is None:
            await log_in(context, self.url, login, self.password)
            await page.goto(path)
        else:
            await page.goto(f"/login?back={path}")
            await hands.log_in(page, login, self.password)
            await page.wait_for_url(f"**{path}")
        await self._settled(page, path)
        return page

    async def tab(self, beside: Page, path: str = "/desk") -> Page:
        """Another tab of somebody's browser."""
        page = await self._page(beside.context)
        await page.goto(path)
        await self._settled(page, path)
        return page

    async def _page(self, context: BrowserContext) -> Page:
        page = await context.new_page()
        page.on("console", lambda said: self._complain(said.type, said.text))
        page.on("pageerror", lambda error: self._complain("error", str(error)))
        page.on("request", lambda asked: self._foreign(asked.url))
        return page

    def _complain(self, kind: str, text: str) -> None:
        # A line that is cut on purpose, a door that is shut: the browser reports them itself.
        if kind in ("error", "warning") and "ERR_CONNECTION_REFUSED" not in text and "status of 403" not in text:
            self.complaints.append(text)

    def _foreign(self, url: str) -> None:
        if not url.startswith((self.url, self.url.replace("http", "ws"), "data:")):
            self.complaints.append(url)

    @staticmethod
    async def _settled(page: Page, path: str) -> None:
        await expect(page.locator("#connection")).to_have_attribute("data-state", "on")
        if path == "/desk":
            await page.evaluate(WATCH)


@asynccontextmanager
async def crowd(url: str, chromium: Chromium, password: str = PASSWORD) -> AsyncIterator[Crowd]:
    """People for a test. Ends with: no error, no warning, no policy violation, no request elsewhere."""
    expect.set_options(timeout=20 * SECOND)  # a busy machine is no fault of the pages
    people = Crowd(await chromium.browser(), url, password)
    yield people
    for context in people.contexts:
        await context.close()
    assert people.complaints == []


async def when_gone(page: Page, call: str) -> float:
    """When the card of a call went off a page, epoch seconds of this machine's clock."""
    await expect(page.locator(f"article.pop[data-call='{call}']")).to_have_count(0)
    return float(await page.evaluate("(call) => window.gone.find(([one]) => one === call)[1]", call))


@asynccontextmanager
async def lateness(page: Page) -> AsyncIterator[list[float]]:
    """Seconds by which a message to a page may be late for other work on the machine: next to nothing on a quiet one.

    Service, browser and page wait for a processor in turn; a question to the page waits too, and is asked again and
    again meanwhile. The list's greatest is what counts.
    """
    late = [0.0]

    async def ask() -> None:
        while True:
            began = now()
            await page.evaluate("1")
            late.append(3 * (now() - began))
            await asyncio.sleep(0.02)

    asking = asyncio.get_running_loop().create_task(ask())
    try:
        yield late
    finally:
        asking.cancel()
        with suppress(asyncio.CancelledError):
            await asking
