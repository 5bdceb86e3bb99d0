"""One Chromium for all the browser tests of a run.

Each test has contexts of its own in it, which to the service are browsers of their own: cookies, storage, cache. Tests
that use it run on the run's event loop, as it does.
"""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

if TYPE_CHECKING:
    from playwright.async_api import Browser, BrowserType

CHROMIUM = os.environ.get("HOTLINE_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
BROWSER = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium: install one or name it in HOTLINE_CHROMIUM"),
]
QUIET = [
    "--no-sandbox",
    "--disable-quic",
    "--disable-background-networking",
    "--autoplay-policy=no-user-gesture-required",
]


class Chromium:
    """The program, started when it is first wanted, and again when it has died: one test's fault is not the next's."""

    def __init__(self, kind: "BrowserType") -> None:
        self._kind = kind
        self._browser: Browser | None = None

    async def browser(self) -> "Browser":
        """It, running."""
        if self._browser is None or not self._browser.is_connected():
            self._browser = await self._kind.launch(executable_path=CHROMIUM, args=QUIET)
        return self._browser

    async def close(self) -> None:
        """End it."""
        if self._browser is not None:
            await self._browser.close()


@asynccontextmanager
async def running() -> AsyncIterator[Chromium]:
    """A Chromium on the loop that one is on."""
    from playwright.async_api import async_playwright  # noqa: PLC0415 - most tests need none

    async with async_playwright() as playwright:
        program = Chromium(playwright.chromium)
        yield program
        await program.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncIterator[Chromium]:
    """The run's Chromium."""
    async with running() as program:
        yield program
