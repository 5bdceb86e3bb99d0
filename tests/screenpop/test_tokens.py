"""Programs with tokens: made by a person, shown once, for some of what that person may, until an end."""

import re
from typing import TYPE_CHECKING

import pytest
from aiohttp.test_utils import TestClient, TestServer

from screenpop.hub import LOGGED_OUT
from screenpop.meter import Meter, Rate
from screenpop.route import Scope
from storage.audit import What
from tests.screenpop.conftest import PASSWORD
from tests.screenpop.planted import token_for

if TYPE_CHECKING:
    from tests.screenpop.conftest import House, Visit

DAY = 86400.0


def shown(secret: str) -> dict[str, str]:
    """What a program sends."""
    return {"Authorization": f"Bearer {secret}", "Accept": "application/json"}


async def test_a_token_by_the_page(house: "House", visit: "Visit") -> None:
    """Made on the account's page without scripts, shown once, listed without its secret, revoked; all on record."""
    li = await visit("li")
    assert 'name="scope_calls"' in await li.text("/account")
    assert 'name="scope_audit"' not in await li.text("/account"), "an agent has nothing to give there"
    fields = {"name": "报表 <b>程序</b>", "days": "30", "scope_tickets": "1", "scope_audit": "1"}
    unproven = await li.post("/account/tokens", fields | {"password": "guess"})
    assert unproven.status == 422, "a page left open is not the person"
    assert "当前密码不正确" in await unproven.text()
    made = await li.post("/account/tokens", fields | {"password": PASSWORD})
    page = await made.text()
    assert (made.status, made.headers["Cache-Control"]) == (200, "private, no-store")
    secrets = re.findall(r"hotline_[\w-]{40,}", page)
    assert len(secrets) == 1
    assert "&lt;b&gt;" in page
    account = await li.text("/account")
    assert secrets[0] not in account
    assert "报表" in account
    program = await visit(None)
    me = await (await program.get("/api/me", headers=shown(secrets[0]))).json()
    assert (me["login"], me["token"], me["scopes"]) == ("li", "报表 <b>程序</b>", ["tickets"])
    [token] = await house.deps.tokens.of("li")
    assert token.expires == house.time + 30 * DAY
    assert (await li.post(f"/account/tokens/{token.id}/revoke", {})).status == 303
    assert (await program.get("/api/me", headers=shown(secrets[0]))).status == 401
    whats = [row.what for row in await house.audit.rows(subject="li") if row.what.value.startswith("program")]
    assert whats == [What.PROGRAM_REMOVED, What.PROGRAM_ADDED]


async def test_a_token_by_the_api(visit: "Visit") -> None:
    """The same for people's own scripts; nobody's tokens but one's own, and nothing beyond one's role."""
    li, wang = await visit("li"), await visit("wang")
    wanted = {"name": "Odoo", "scopes": ["calls", "desk"], "days": None}
    unproven = await li.ask("POST", "/api/tokens", json=wanted)
    assert (unproven.status, (await unproven.json())["refusal"]) == (422, "proof")
    answer = await li.ask("POST", "/api/tokens", json=wanted | {"password": PASSWORD})
    made = await answer.json()
    assert (answer.status, made["scopes"], made["expires"]) == (201, ["calls", "desk"], None)
    listed = (await li.json("/api/tokens"))["tokens"]
    assert [(one["id"], one["name"], "secret" in one) for one in listed] == [(made["id"], "Odoo", False)]
    assert (await wang.json("/api/tokens"))["tokens"] == []
    assert (await wang.ask("DELETE", f"/api/tokens/{made['id']}")).status == 404
    beyond = await li.ask("POST", "/api/tokens", json={"name": "Odoo", "scopes": ["status"]})
    assert (beyond.status, (await beyond.json())["refusal"]) == (422, "scope")
    assert (await li.ask("DELETE", f"/api/tokens/{made['id']}")).status == 204
    assert (await li.ask("DELETE", f"/api/tokens/{made['id']}")).status == 404
    assert (await li.ask("DELETE", "/api/tokens/99999999999999999999999")).status == 404


async def test_what_opens_nothing(house: "House", visit: "Visit") -> None:
    """Unknown, expired, of somebody who may not log in any more: 401 that says what it wants, whatever cookie comes."""
    li = await visit("li")
    made, secret = await house.deps.tokens.make(
        "li", "x", ["calls", "tickets"], by="li", now=house.time, expires=house.time + 10
    )
    assert (await li.get("/api/tickets", headers=shown(secret))).status == 200
    for wrong in ("", "nonsense", "hotline_" + "x" * 43, secret[:-1], secret.lower(), f"{secret} {secret}"):
        answer = await li.get("/api/tickets", headers=shown(wrong))
        assert answer.status == 401, wrong
        assert answer.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'
    house.time += 10
    assert (await li.get("/api/tickets", headers=shown(secret))).status == 401
    house.time -= 10
    await house.accounts.change("li", house.time, active=False)
    assert (await li.get("/api/tickets", headers=shown(secret))).status == 401
    assert made.used is None


async def test_a_role_that_shrinks_takes_its_tokens_along(house: "House", visit: "Visit") -> None:
    """A token is never more than its owner is now."""
    secret = await token_for(house, "root", Scope.STATUS)
    program = await visit(None)
    assert (await program.get("/api/status", headers=shown(secret))).status == 200
    await house.accounts.change("root", house.time, role="agent")
    assert (await program.get("/api/status", headers=shown(secret))).status == 403


async def test_a_program_needs_no_origin_and_a_cookie_does(house: "House", visit: "Visit") -> None:
    """The checks against other sites' pages are for browsers' cookies; a token beside a cookie counts alone."""
    ticket = await house.ticket_of(await house.answered())
    li = await visit("li")
    path, note = f"/api/tickets/{ticket}/notes", {"text": "备注"}
    evil = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    assert (await li.ask("POST", path, json=note, headers=evil)).status == 403
    reads = shown(await token_for(house, "li", Scope.TICKETS))
    assert (await li.ask("POST", path, json=note, headers=evil | reads)).status == 403, "the cookie may write, it not"
    writes = shown(await token_for(house, "li", Scope.WRITE))
    assert (await li.ask("POST", path, json=note, headers=evil | writes)).status == 204


async def test_the_trail_names_the_program(house: "House", visit: "Visit") -> None:
    """Whose token, and which; its last use is written down; the next request of a browser is the person's own."""
    call = await house.answered()
    program, li = await visit(None), await visit("li")
    secret = await token_for(house, "li", Scope.CALLS)
    path = f"/calls/{call}/audio/0/caller"
    assert (await program.get(path, headers=shown(secret))).status == 200
    assert (await li.get(path)).status == 200
    rows = [(row.who, row.detail and row.detail.get("token")) for row in await house.audit.rows(what=What.LISTENED)]
    assert rows == [("li", None), ("li", "测试程序")]
    [token] = await house.deps.tokens.of("li")
    assert (token.used, token.used_ip) == (house.time, "127.0.0.1")


async def test_who_asks_too_much_waits(house: "House") -> None:
    """429 with how long; other tokens are not held up."""
    first, second = await token_for(house, "li"), await token_for(house, "li")
    async with TestClient(TestServer(house.app(rate=Rate(per_minute=0.01, burst=3)))) as program:
        answers = [await program.get("/api/me", headers=shown(first)) for _ in range(5)]
        assert [answer.status for answer in answers] == [200, 200, 200, 429, 429]
        assert int(answers[3].headers["Retry-After"]) > 60
        assert (await answers[3].json())["status"] == 429
        assert (await program.get("/api/me", headers=shown(second))).status == 200


def test_how_much_is_too_much() -> None:
    """So many at once, then one as time goes by; a clock that stands or goes back gives nothing away."""
    meter = Meter(Rate(per_minute=60, burst=3))
    assert [meter.take(1, 100.0) for _ in range(4)] == [0, 0, 0, 1.0]
    assert meter.take(2, 100.0) == 0
    assert meter.take(1, 100.5) == pytest.approx(0.5)
    assert meter.take(1, 101.0) == 0
    assert meter.take(1, 50.0) == pytest.approx(1.0)
    assert [meter.take(1, 1000.0) for _ in range(4)] == [0, 0, 0, 1.0]


async def test_a_program_hears_the_socket(house: "House", visit: "Visit") -> None:
    """With the scope for it; its owner's cards, and no more once the token is revoked."""
    program = await visit(None)
    reads = shown(await token_for(house, "li", Scope.CALLS))
    assert (await program.get("/ws", headers=reads | {"Connection": "Upgrade", "Upgrade": "websocket"})).status == 403
    secret = await token_for(house, "li", Scope.DESK)
    async with program.client.ws_connect("/ws", headers={"Authorization": f"Bearer {secret}"}) as socket:
        while (await socket.receive_json(timeout=20))["type"] != "snapshot":
            pass


async def test_a_role_that_shrinks_closes_the_socket_of_its_programs(house: "House") -> None:
    """Word of everybody's tickets was told by the role that its owner had; the program comes back with what is left."""
    secret = await token_for(house, "zhao", Scope.DESK, Scope.TICKETS)
    async with (
        TestClient(TestServer(house.app(beat=0.2))) as program,
        program.ws_connect("/ws", headers={"Authorization": f"Bearer {secret}"}) as socket,
    ):
        await socket.receive_json(timeout=20)
        await house.accounts.change("zhao", house.time, role="agent")
        async for _ in socket:
            pass
        assert socket.close_code == LOGGED_OUT


async def test_no_file_of_a_call_gives_numbers_to_who_has_not_the_scope(house: "House", visit: "Visit") -> None:
    """Masked, whatever its owner may; and on record as that."""
    call = await house.answered()
    program = await visit(None)
    for scopes, number in (((Scope.CALLS,), "138****5678"), ((Scope.CALLS, Scope.NUMBERS), "+8613812345678")):
        secret = await token_for(house, "zhao", *scopes)
        answer = await program.get(f"/calls/{call}/export/json", headers=shown(secret))
        assert (await answer.json())["caller"]["number"] == number
        row = (await house.audit.rows(what=What.EXPORTED))[0]
        assert (row.detail or {})["masked"] is (Scope.NUMBERS not in scopes)
