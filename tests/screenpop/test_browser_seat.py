"""Phones that change hands, in real browsers: named at the login, shared, left, and whose calls ring where."""

from typing import TYPE_CHECKING

from playwright.async_api import expect

from screenpop.presence import TalkOver
from tests.chromium import BROWSER
from tests.screenpop.browser import Open, answer, hang_up, ring

if TYPE_CHECKING:
    from tests.screenpop.conftest import House

pytestmark = BROWSER


async def test_a_phone_is_named_shared_and_left(house: "House", open_page: Open, complaints: list[str]) -> None:
    """Both are told; who moves away takes their calls along and leaves the work after a call where it is."""
    li = await open_page("li")
    wang = await open_page("wang", "/account")
    await wang.evaluate("fetch('/logout', {method: 'POST'})")
    await wang.goto("/login")
    complaints[:] = [text for text in complaints if "401" not in text]  # the page that was open when its login ended
    await wang.fill("#login", "wang")
    await wang.fill("#password", "correct horse")
    await wang.fill("#extension", "10O1")
    await wang.press("#extension", "Enter")
    assert wang.url.endswith("/login"), "the browser does not send what is no extension"
    await wang.fill("#extension", "1001")
    await wang.press("#extension", "Enter")
    await expect(wang.locator("#connection")).to_have_attribute("data-state", "on")
    await expect(li.locator("#sharing")).to_contain_text("王 芳")
    await expect(wang.locator("#sharing")).to_contain_text("李 明")
    call = await ring(house)
    for page in (li, wang):
        await expect(page.locator("article.pop")).to_have_count(1)
    await answer(house, call)
    await hang_up(house, call)
    await house.standings.happen("1001", TalkOver(call, 600.0), cause="talk")
    for page in (li, wang):
        await expect(page.locator("#state-name")).to_have_text("话后处理")
    async with wang.expect_response("**/api/desk/work"):  # what the card knows, asked for at this phone still
        await wang.reload()
    await expect(wang.locator("#state-name")).to_have_text("话后处理")
    await wang.evaluate(
        "fetch('/api/desk/seat', {method: 'POST', body: '{\"extension\": \"1002\"}',"
        " headers: {'Content-Type': 'application/json'}})"
    )
    await expect(wang.locator("header")).to_contain_text("分机 1002")
    await expect(wang.locator("#state-name")).to_have_text("就绪")
    await expect(li.locator("#sharing")).to_be_hidden()
    await ring(house, "13900000002", "1002")
    await expect(wang.locator("article.pop")).to_have_count(1)
    await expect(li.locator("#state-name")).to_have_text("话后处理")
