"""Logging in by two steps: what opens, what is spent, and how guessing ends."""

import re
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pyotp
import pytest
from aiohttp.test_utils import TestClient, TestServer

from screenpop.accounts import COOKIE, MOST_BY_LOGIN, WINDOW
from screenpop.arriving import STEP, STEP_LASTS
from screenpop.code_pages import TRIES
from screenpop.door import Door
from screenpop.factors import HOLDS, MOST_WRONG, SHOWN, SHUT
from screenpop.seal import MARK, Seal
from screenpop.second_factor import CODES
from screenpop.second_factor import STEP as SECONDS
from storage.audit import What
from storage.second_factors import SecondFactors
from tests.screenpop.conftest import Visitor

if TYPE_CHECKING:
    from aiohttp import web

    from tests.screenpop.conftest import House, Visit

PASSWORD = "correct horse"
KEY = bytes(range(32))


def code_of(secret: str, at: float) -> str:
    """What the app shows."""
    return pyotp.TOTP(secret).at(int(at))


def secret_on(page: str) -> str:
    """What the page offers to the app."""
    found = re.search(r"<code[^>]*>([A-Z2-7 ]{39})</code>", page)
    assert found is not None
    return found[1].replace(" ", "")


async def set_up(house: "House", visitor: Visitor) -> tuple[str, list[str]]:
    """Set a second factor up on the account's page; the secret and the recovery codes."""
    assert (await visitor.post("/account/second-factor", {"password": PASSWORD})).status == 303
    secret = secret_on(await visitor.text("/account/second-factor"))
    answer = await visitor.post("/account/second-factor/confirm", {"code": code_of(secret, house.time)})
    assert answer.status == 200, await answer.text()
    codes = re.findall(r"<code[^>]*>([a-z2-9-]{19})</code>", await answer.text())
    assert len(codes) == CODES
    return secret, codes


async def half(visitor: Visitor, login: str = "li", back: str = "/tickets") -> None:
    """The first step."""
    answer = await visitor.post("/login", {"login": login, "password": PASSWORD, "back": back})
    assert (answer.status, answer.headers["Location"]) == (303, "/login/code")
    assert COOKIE not in answer.cookies
    assert answer.cookies[STEP]["httponly"]


async def test_a_code_is_asked_for_and_taken_once(house: "House", visit: "Visit") -> None:
    """The password alone opens nothing; the code opens what was wanted, and not a second time."""
    secret, _ = await set_up(house, await visit("li"))
    house.time += SECONDS
    guest = await visit(None)
    await half(guest)
    assert (await guest.get("/desk")).status == 303, "half a login is none"
    assert (await guest.get("/api/me", headers={"Accept": "application/json"})).status == 401
    assert "/login/code" in await guest.text("/login/code")
    code = code_of(secret, house.time)
    answer = await guest.post("/login/code", {"code": code})
    assert (answer.status, answer.headers["Location"]) == (303, "/tickets")
    assert answer.cookies[STEP]["max-age"] == "0"
    await guest.text("/desk")
    thief = await visit(None)
    await half(thief)
    again = await thief.post("/login/code", {"code": code})
    assert again.status == 401, "what somebody read over a shoulder"
    assert "验证码不对" in await again.text()


async def test_a_half_login_is_worth_five_codes_and_ten_minutes(house: "House", visit: "Visit") -> None:
    """Then it begins anew; the right code is no use to it."""
    secret, _ = await set_up(house, await visit("li"))
    house.time += SECONDS
    guest = await visit(None)
    await half(guest)
    for _ in range(TRIES):
        assert (await guest.post("/login/code", {"code": "000000"})).status == 401
    answer = await guest.post("/login/code", {"code": code_of(secret, house.time)})
    assert (answer.status, answer.headers["Location"]) == (303, "/login?why=over")
    assert "超时" in await guest.text("/login?why=over")
    house.time += WINDOW + 1
    await half(guest)
    house.time += STEP_LASTS
    assert (await guest.post("/login/code", {"code": code_of(secret, house.time)})).headers["Location"] != "/tickets"


async def test_a_changed_password_voids_half_a_login(house: "House", visit: "Visit") -> None:
    """Whoever had the old one stops where they are."""
    secret, _ = await set_up(house, await visit("li"))
    house.time += SECONDS
    guest = await visit(None)
    await half(guest)
    await house.accounts.change("li", house.time, password="$argon2id$other")
    answer = await guest.post("/login/code", {"code": code_of(secret, house.time)})
    assert answer.headers["Location"].startswith("/login")
    assert COOKIE not in answer.cookies


async def test_wrong_codes_count_like_wrong_passwords(house: "House", visit: "Visit") -> None:
    """The right password in between forgives nothing; then even it must wait."""
    secret, _ = await set_up(house, await visit("li"))
    house.time += SECONDS
    guest = await visit(None)
    for _ in range(MOST_BY_LOGIN):
        await half(guest)
        assert (await guest.post("/login/code", {"code": "000000"})).status == 401
    late = await guest.post("/login", {"login": "li", "password": PASSWORD})
    assert late.status == 429
    refused = await house.audit.rows(what=What.CODE_REFUSED)
    assert len(refused) == MOST_BY_LOGIN
    house.time += WINDOW + 1
    await half(guest)
    answer = await guest.post("/login/code", {"code": code_of(secret, house.time)})
    assert answer.headers["Location"] == "/tickets"


async def test_after_ten_wrong_codes_only_a_recovery_code_opens(house: "House", visit: "Visit") -> None:
    """Patience does not help who guesses; who owns the account has a drawer, and afterwards the app again."""
    secret, recovery = await set_up(house, await visit("li"))
    guest = await visit(None)
    for number in range(MOST_WRONG):
        if number % 4 == 0:
            house.time += WINDOW + 1
        await half(guest)
        assert (await guest.post("/login/code", {"code": "000000"})).status == 401
    house.time += WINDOW + 1
    await half(guest)
    shut = await guest.post("/login/code", {"code": code_of(secret, house.time)})
    assert shut.status == 401
    assert "恢复码" in await shut.text()
    opened = await guest.post("/login/code", {"code": f" {recovery[3].upper().replace('-', ' ')} "})
    assert opened.headers["Location"] == "/tickets"
    assert "还有 9 个恢复码" in await guest.text("/account")
    other = await visit(None)
    await half(other)
    assert (await other.post("/login/code", {"code": recovery[3]})).status == 401, "each opens one login"
    assert (await other.post("/login/code", {"code": code_of(secret, house.time)})).headers["Location"] == "/tickets"
    assert [row.what for row in await house.audit.rows()].count(What.RECOVERY_CODE_USED) == 1
    assert SHUT > WINDOW


async def test_the_second_factor_is_not_read_again(house: "House", visit: "Visit") -> None:
    """Neither by page nor by API, once it is confirmed."""
    li = await visit("li")
    secret, codes = await set_up(house, li)
    shown = await li.text("/account") + str(await li.json("/api/account"))
    assert (await li.get("/account/second-factor")).status == 303
    for text in (secret, secret[:4] + " " + secret[4:8], *codes):
        assert text not in shown
    again = await li.post("/account/second-factor", {"password": PASSWORD})
    assert again.status == 409, "no second secret beside it"


async def test_setting_it_up_asks_for_the_password_and_ends_other_logins(house: "House", visit: "Visit") -> None:
    """A page left open is not the person."""
    li, elsewhere = await visit("li"), await visit("li")
    assert (await li.post("/account/second-factor", {"password": "guess"})).status == 422
    assert (await li.get("/account/second-factor")).status == 303
    await set_up(house, li)
    assert (await elsewhere.get("/desk")).status == 303
    await li.text("/desk")


async def test_an_offer_is_for_who_asked_for_it(house: "House", visit: "Visit") -> None:
    """Who finds the page open an hour after the password was typed neither sees the secret nor switches it on."""
    li = await visit("li")
    assert (await li.post("/account/second-factor", {"password": PASSWORD})).status == 303
    secret = secret_on(await li.text("/account/second-factor"))
    house.time += SHOWN
    assert (await li.get("/account/second-factor")).status == 303
    house.time += HOLDS - SHOWN
    code = code_of(secret, house.time)
    assert (await li.post("/account/second-factor/confirm", {"code": code})).status == 409
    assert (await li.json("/api/account"))["second_factor"]["since"] is None
    await set_up(house, li)


async def test_it_goes_with_a_code_only(house: "House", visit: "Visit") -> None:
    """Turned off, and recovery codes renewed, by who has the phone."""
    li = await visit("li")
    secret, old = await set_up(house, li)
    house.time += SECONDS
    assert (await li.post("/account/second-factor/remove", {"code": "000000"})).status == 422
    assert (await li.post("/account/recovery-codes", {"code": "000000"})).status == 422
    page = await li.post("/account/recovery-codes", {"code": code_of(secret, house.time)})
    fresh = re.findall(r"<code[^>]*>([a-z2-9-]{19})</code>", await page.text())
    assert len(fresh) == CODES
    assert not set(fresh) & set(old)
    assert (await li.post("/account/second-factor/remove", {"code": old[0]})).status == 422, "those are void"
    assert (await li.post("/account/second-factor/remove", {"code": fresh[0]})).status == 303
    answer = await (await visit(None)).post("/login", {"login": "li", "password": PASSWORD})
    assert COOKIE in answer.cookies
    done = [row.what for row in await house.audit.rows(who="li")]
    for what in (What.SECOND_FACTOR_SET, What.RECOVERY_CODES_MADE, What.SECOND_FACTOR_REMOVED):
        assert done.count(what) == 1


@pytest.fixture
async def strict(house: "House") -> AsyncIterator[Visitor]:
    """A visitor of a house where agents must have a second factor, whose secrets are sealed."""
    server = TestServer(house.app(door=Door(second_factor_of=frozenset({"agent"}), seal=Seal(KEY))))
    await server.start_server()
    client: TestClient[web.Request, web.Application] = TestClient(server)
    yield Visitor(client)
    await client.close()
    await server.close()


async def test_a_role_that_must_have_one_sets_it_up_at_the_login(house: "House", strict: Visitor) -> None:
    """No session before; the same secret after a reload; then codes, and on."""
    answer = await strict.post("/login", {"login": "li", "password": PASSWORD, "back": "/tickets"})
    assert answer.headers["Location"] == "/login/set-up"
    assert (await strict.get("/desk")).status == 303
    page = await strict.text("/login/set-up")
    found = re.search(r"<code[^>]*>([A-Z2-7 ]{39})</code>", page)
    assert found is not None
    assert found[1] in await strict.text("/login/set-up")
    secret = found[1].replace(" ", "")
    wrong = await strict.post("/login/set-up", {"code": "000000"})
    assert wrong.status == 401
    assert found[1] in await wrong.text()
    done = await strict.post("/login/set-up", {"code": code_of(secret, house.time)})
    assert done.status == 200
    assert 'href="/tickets"' in await done.text()
    await strict.text("/desk")
    house.time += SECONDS
    refused = await strict.post("/account/second-factor/remove", {"code": code_of(secret, house.time)})
    assert refused.status == 409, "this role must have one"
    li = await house.accounts.find("li")
    assert li is not None
    kept = await SecondFactors(house.db).of(li.id)
    assert kept is not None
    assert kept.secret.startswith(MARK)
    assert secret not in kept.secret


async def test_without_the_key_only_a_recovery_code_opens(house: "House", strict: Visitor, visit: "Visit") -> None:
    """The key was lost or another one is named: nobody gets a page of errors, and nobody in by a guess."""
    await strict.post("/login", {"login": "li", "password": PASSWORD})
    found = re.search(r"<code[^>]*>([A-Z2-7 ]{39})</code>", await strict.text("/login/set-up"))
    assert found is not None
    secret = found[1].replace(" ", "")
    done = await strict.post("/login/set-up", {"code": code_of(secret, house.time)})
    codes = re.findall(r"<code[^>]*>([a-z2-9-]{19})</code>", await done.text())
    house.time += SECONDS
    keyless = await visit(None)
    await half(keyless)
    refused = await keyless.post("/login/code", {"code": code_of(secret, house.time)})
    assert refused.status == 401
    assert "恢复码" in await refused.text()
    assert (await keyless.post("/login/code", {"code": codes[0]})).headers["Location"] == "/tickets"


async def test_others_log_in_as_before(strict: Visitor) -> None:
    """Only the roles that are named."""
    assert COOKIE in (await strict.post("/login", {"login": "zhao", "password": PASSWORD})).cookies


async def test_a_login_begins_a_session_of_its_own(house: "House", visit: "Visit") -> None:
    """What a browser had before ends: no planted token goes on as somebody else's."""
    wang = await visit("wang")
    before = {cookie.key: cookie.value for cookie in wang.client.session.cookie_jar}[COOKIE]
    answer = await wang.post("/login", {"login": "li", "password": PASSWORD})
    assert answer.cookies[COOKIE].value != before
    assert await house.accounts.session(before, house.time) is None
