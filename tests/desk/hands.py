"""Two ways to use the pages: with a mouse, and by keyboard alone. A story is told with either.

:class:`Keys` never clicks and never puts the focus anywhere by itself: it goes where Tab and the shortcuts go.
"""

from typing import Protocol

from playwright.async_api import Locator, Page, expect

FAR = 60
"""How often somebody presses Tab before giving up."""


class Hands(Protocol):
    """What somebody does with a page."""

    async def log_in(self, page: Page, login: str, password: str) -> None:
        """From the login page to the desk."""

    async def use(self, page: Page, what: Locator) -> None:
        """A button, a link: do what it does."""

    async def enter_caller(self, page: Page, name: str, company: str) -> None:
        """Who an unknown caller is, in the card."""

    async def begin_title(self, page: Page) -> None:
        """Go to the ticket's matter, to type."""

    async def done(self, page: Page) -> None:
        """The work after the call is done."""

    async def play(self, page: Page) -> None:
        """Play the recording, or pause it."""

    async def correct(self, page: Page, words: str) -> None:
        """What the call was about, in other words."""


class Mouse:
    """A click for everything."""

    async def log_in(self, page: Page, login: str, password: str) -> None:
        """Field by field."""
        await page.locator("#login").fill(login)
        await page.locator("#password").fill(password)
        await page.locator("form button.btn-primary").click()

    async def use(self, page: Page, what: Locator) -> None:
        """A click."""
        del page
        await what.click()

    async def enter_caller(self, page: Page, name: str, company: str) -> None:
        """Into the fields."""
        await page.locator("[data-enter=name]").fill(name)
        await page.locator("[data-enter=company]").fill(company)
        await page.locator("form.stranger button").click()

    async def begin_title(self, page: Page) -> None:
        """Into the field."""
        await page.locator("[data-field=title]").click()

    async def done(self, page: Page) -> None:
        """The button."""
        await page.locator(".after-done").click()

    async def play(self, page: Page) -> None:
        """The button."""
        await page.locator(".player-play").click()

    async def correct(self, page: Page, words: str) -> None:
        """Pencil, text, button."""
        await page.locator("#said-issue [data-edit]").click()
        await page.locator("#said-issue textarea").fill(words)
        await page.locator("#said-issue [data-save]").click()


class Keys:
    """Tab, Enter and the shortcuts that `?` shows."""

    async def log_in(self, page: Page, login: str, password: str) -> None:
        """The login's field has the focus."""
        await page.keyboard.type(login)
        await page.keyboard.press("Tab")
        await page.keyboard.type(password)
        await page.keyboard.press("Enter")

    async def use(self, page: Page, what: Locator) -> None:
        """Tab to it, Enter."""
        await self.reach(page, what)
        await page.keyboard.press("Enter")

    async def reach(self, page: Page, what: Locator) -> None:
        """Tab until it has the focus, which must be seen there."""
        await expect(what).to_be_visible()
        for _ in range(FAR):
            if await what.evaluate("(it) => it === document.activeElement"):
                return
            await page.keyboard.press("Tab")
        raise AssertionError(f"no way by Tab to {what}")

    async def enter_caller(self, page: Page, name: str, company: str) -> None:
        """C, name, Tab, company, Enter."""
        await page.keyboard.press("c")
        await page.keyboard.type(name)
        await page.keyboard.press("Tab")
        await page.keyboard.type(company)
        await page.keyboard.press("Enter")

    async def begin_title(self, page: Page) -> None:
        """E."""
        await page.keyboard.press("e")

    async def done(self, page: Page) -> None:
        """Out of the field, D."""
        await page.keyboard.press("Escape")
        await page.keyboard.press("d")

    async def play(self, page: Page) -> None:
        """K."""
        await page.keyboard.press("k")

    async def correct(self, page: Page, words: str) -> None:
        """Tab to the pencil, Enter, the text, Enter."""
        await self.use(page, page.locator("#said-issue [data-edit]"))
        await page.keyboard.press("Control+A")
        await page.keyboard.type(words)
        await page.keyboard.press("Enter")
