"""One's own account in a real Chromium, by keyboard: a second factor set up, used at the next login, logins ended."""

import re
from typing import TYPE_CHECKING

import pyotp
from playwright.async_api import expect

from screenpop.second_factor import STEP
from tests.axe import faults
from tests.chromium import BROWSER

if TYPE_CHECKING:
    from tests.screenpop.browser import Open
    from tests.screenpop.conftest import House

pytestmark = BROWSER


async def test_a_second_factor_by_keyboard(house: "House", open_page: "Open") -> None:
    """Set up on one's account, asked for at the next login, and a forgotten login elsewhere ended."""
    elsewhere = await open_page("li", "/tickets")
    page = await open_page("li", "/account")
    assert await faults(page) == []
    await expect(page.locator(".account-sessions tbody tr")).to_have_count(2)
    await page.focus("#password")
    await page.keyboard.type("correct horse")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/account/second-factor")
    await expect(page.locator("#code")).to_be_focused()
    assert await faults(page) == []
    secret = (await page.locator("ol code").inner_text()).replace(" ", "")
    app = pyotp.TOTP(secret)
    await page.keyboard.type(app.at(int(house.time)))
    await page.keyboard.press("Enter")
    await expect(page.locator(".recovery-codes li")).to_have_count(10)
    assert await faults(page) == []
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
    assert await faults(page) == []
    await page.keyboard.type(app.at(int(house.time)))
    await page.keyboard.press("Enter")
    await page.wait_for_url(re.compile("/desk$"))
