"""Other sites' pages cannot act through ours, and ours load nothing but ours."""

import re
from typing import TYPE_CHECKING

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from screenpop.security import add_headers
from storage.records import Known

if TYPE_CHECKING:
    from tests.screenpop.conftest import House, Visit

EVIL = "https://evil.test"
MARKUP = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'"


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, 303),
        ({"Sec-Fetch-Site": "same-origin"}, 303),
        ({"Origin": EVIL}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://["}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "none"}, 403),
        ({"Origin": EVIL, "Sec-Fetch-Site": "same-origin"}, 403),
    ],
)
async def test_only_our_own_pages_may_change_something(headers: dict[str, str], code: int, visit: "Visit") -> None:
    """Logged in or not, by form or by script."""
    li = await visit("li")
    for path in ("/login", "/language", "/tickets/1/notes", "/logout"):
        answer = await li.post(path, {}, headers=headers)
        assert (answer.status == 403) is (code == 403), path
        assert answer.status < 500, path


async def test_a_program_that_says_neither_is_let_in(visit: "Visit") -> None:
    """No Origin and no Sec-Fetch-Site on a POST: no browser of today does that, a script does."""
    li = await visit("li")
    answer = await li.client.post("/logout", allow_redirects=False)
    assert answer.status == 303


async def test_a_further_name_of_ours_is_ours(house: "House", aiohttp_client: "object") -> None:
    """A proxy that changes Host: the configuration names the address people use."""
    client = await aiohttp_client(house.app(origins=frozenset({"https://desk.test"})))  # type: ignore[operator] # fixture
    codes = [
        (
            await client.post("/language", data={"language": "en"}, headers={"Origin": origin}, allow_redirects=False)
        ).status
        for origin in ("https://desk.test", EVIL)
    ]
    assert codes == [303, 403]


async def test_another_site_gets_no_socket(visit: "Visit") -> None:
    """WebSockets know no same-origin policy but ours."""
    from aiohttp import WSServerHandshakeError  # noqa: PLC0415

    li = await visit("li")
    with pytest.raises(WSServerHandshakeError) as caught:
        await li.client.ws_connect("/ws", headers={"Origin": EVIL})
    assert caught.value.status == 403


async def test_every_answer_is_guarded(house: "House", visit: "Visit") -> None:
    """Pages, errors, redirects, sound and files: a strict policy, no sniffing, no framing, nothing kept in caches."""
    call = await house.answered()
    li = await visit("li")
    page = await li.text("/desk")
    style = re.search(r'href="(/static/[^"]+\.css)"', page)
    assert style is not None
    for path in ("/", "/desk", "/login", "/nowhere", "/calls/x", f"/calls/{call}/audio/0/caller", "/api/me", style[1]):
        headers = (await li.get(path)).headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy, path
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["X-Content-Type-Options"] == "nosniff", path
        assert "no-store" in headers["Cache-Control"] or "/static/" in path, path


async def pages_with(house: "House", visit: "Visit", text: str) -> dict[str, str]:
    """Every page, full of somebody's text."""
    call = await house.answered(known=Known("7", text, vip=True))
    ticket = await house.ticket_of(call)
    await house.ledger.note(ticket, text, "li", house.time)
    root = await visit("root")
    house.told = {"pbx": [{"name": text, "link": text, "why": text, "banner": text}], "speech": text, "database": text}
    page = await house.reads.ticket(ticket)
    assert page is not None
    refused = await root.post(f"/tickets/{ticket}", {"version": "0", "title": text, "owner": text})
    pages = {"refused": await refused.text()}
    form = {"version": str(page.item.version), "title": text, "was_title": ""}
    assert (await root.post(f"/tickets/{ticket}", form)).status == 303
    for path in ("/desk", "/tickets", f"/tickets?text={text}", f"/tickets/{ticket}", f"/calls/{call}", "/status"):
        pages[path] = await root.text(path)
    login = await (await visit(None)).post("/login", {"login": text, "password": "x", "back": text})
    return {**pages, "login": await login.text()}


async def test_what_others_wrote_stays_text(house: "House", visit: "Visit") -> None:
    """Names, notes, titles and queries full of markup are shown, not run."""
    for path, page in (await pages_with(house, visit, MARKUP)).items():
        assert "<script>alert" not in page, path
        assert "<img src=x" not in page, path
    assert "&lt;script&gt;" in page


async def test_pages_have_nothing_inline(house: "House", visit: "Visit") -> None:
    """No inline script, style or handler: the policy would refuse it, and rightly. Nothing from elsewhere either."""
    for path, page in (await pages_with(house, visit, "x")).items():
        for script in re.findall(r"<script\b[^>]*>", page):
            assert "src=" in script or 'type="application/json"' in script, path
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=", page), path
        assert not re.search(r'(?:src|href|action)="(?!/|#)', page), path


@pytest.mark.parametrize(
    ("scheme", "host", "kept"),
    [
        ("https", "desk.test", True),
        ("https", "desk.test:8400", False),
        ("https", "[2001:db8::1]", True),
        ("https", "[2001:db8::1]:8400", False),
        ("https", "desk.test:x", False),
        ("http", "desk.test", False),
    ],
)
async def test_https_is_asked_for_ever_only_where_the_host_is_ours(scheme: str, host: str, kept: bool) -> None:  # noqa: FBT001
    """It would hold for every port: the PBX's pages on the same machine are often http."""
    request = make_mocked_request("GET", "/", headers={"Host": host}).clone(scheme=scheme)
    response = web.Response()
    await add_headers(request, response)
    assert ("Strict-Transport-Security" in response.headers) is kept
