"""One's own account in a real Chromium, by keyboard: a second factor set up, used at the next login, logins ended."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyotp
from playwright.async_api import Page, expect

from screenpop.second_factor import STEP
from tests.screenpop.browser import BROWSER

if TYPE_CHECKING:
    from tests.screenpop.browser import Open
    from tests.screenpop.conftest import House

pytestmark = BROWSER
AXE = Path(__file__).parent.parent / "vendor" / "axe-core-4.14.1" / "axe.min.js"
RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}


async def sound(page: Page) -> None:
    """Nothing that keeps somebody from using the page."""
    await page.evaluate(AXE.read_text("utf-8"))
    found: dict[str, Any] = await page.evaluate("rules => axe.run(document, rules)", RULES)
    assert [(one["id"], one["nodes"][0]["html"]) for one in found["violations"]] == [], page.url


async def test_a_second_factor_by_keyboard(house: "House", open_page: "Open") -> None:
    """Set up on one's account, asked for at the next login, and a forgotten login elsewhere ended."""
    elsewhere = await open_page("li", "/tickets")
    page = await open_page("li", "/account")
    await sound(page)
    await expect(page.locator(".account-sessions tbody tr")).to_have_count(2)
    await page.focus("#password")
    await page.keyboard.type("correct horse")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/account/second-factor")
    await expect(page.locator("#code")).to_be_focused()
    await sound(page)
    secret = (await page.locator("ol code").inner_text()).replace(" ", "")
    app = pyotp.TOTP(secret)
    await page.keyboard.type(app.at(int(house.time)))
    await page.keyboard.press("Enter")
    await expect(page.locator(".recovery-codes li")).to_have_count(10)
    await sound(page)
    await expect(elsewhere.locator("#connection")).to_have_attribute("data-state", "out")
    await page.locator(".btn-primary").focus()
    await page.keyboard.press("Enter")
    await expect(page.locator(".account-sessions tbody tr")).to_have_count(1)
    await page.locator(".account-sessions button").focus()
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/login")
    house.time += STEP
    await page.fill("#login", "li")
    await page.fill("#password", "correct horse")
    await page.press("#password", "Enter")
    await page.wait_for_url("**/login/code")
    await expect(page.locator("#code")).to_be_focused()
    await sound(page)
    await page.keyboard.type(app.at(int(house.time)))
    await page.keyboard.press("Enter")
    await page.wait_for_url(re.compile("/desk$"))
