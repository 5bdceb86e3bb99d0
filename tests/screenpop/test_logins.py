"""Logging in: what is told, what is kept, how guessing ends, and when a session is over."""

from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import patch

import pytest
from argon2 import PasswordHasher
from multidict import CIMultiDict
from yarl import URL

from screenpop.accounts import COOKIE, IDLE, KNOWN, LONGEST, MOST_BY_ADDRESS, MOST_BY_LOGIN, WINDOW
from screenpop.known import counted_as, with_mark
from screenpop.ways_back import back
from storage.accounts import User
from storage.audit import What

if TYPE_CHECKING:
    from tests.screenpop.conftest import House, Visit

PASSWORD = "correct horse"


async def test_a_login_gives_a_cookie_that_scripts_and_other_sites_do_not_get(visit: "Visit") -> None:
    """HttpOnly, SameSite, this host, the whole site."""
    answer = await (await visit(None)).post("/login", {"login": " LI ", "password": PASSWORD, "back": "/tickets"})
    assert answer.status == 303
    assert answer.headers["Location"] == "/tickets"
    cookie = answer.cookies[COOKIE]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert cookie["path"] == "/"
    assert not cookie["domain"]
    assert not cookie["secure"], "there is no TLS here"
    assert len(cookie.value) >= 43, "256 bits"
    assert answer.cookies[KNOWN]["httponly"]
    assert answer.cookies[KNOWN]["samesite"] == "Lax"


async def test_the_cookie_wants_tls_where_there_is_tls(house: "House", aiohttp_client: "object") -> None:
    """Behind a proxy that ends TLS the configuration says so."""
    client = await aiohttp_client(house.app(secure=True))  # type: ignore[operator] # a fixture of pytest-aiohttp
    origin = f"http://{client.host}:{client.port}"
    answer = await client.post(
        "/login", data={"login": "li", "password": PASSWORD}, headers={"Origin": origin}, allow_redirects=False
    )
    cookie = answer.cookies[f"__Host-{COOKIE}"]  # a name that only this host can set, and only by https
    assert cookie["secure"]
    assert cookie["path"] == "/"
    assert not cookie["domain"]


async def test_the_database_holds_no_token(house: "House", visit: "Visit") -> None:
    """Who reads the database can log in as nobody."""
    li = await visit("li")
    token = {cookie.key: cookie.value for cookie in li.client.session.cookie_jar}[COOKIE]
    kept = house.db.url.database
    assert kept is not None
    files = [Path(kept), Path(f"{kept}-wal")]
    assert all(token.encode() not in file.read_bytes() for file in files if file.exists())


@pytest.mark.parametrize(
    ("login", "password"), [("li", "wrong"), ("nobody", PASSWORD), ("", ""), ("' OR 1=1 --", "x"), ("gone", PASSWORD)]
)
async def test_what_is_wrong_is_not_told(login: str, password: str, house: "House", visit: "Visit") -> None:
    """A wrong password, a login nobody has and one that was switched off get the same answer and no cookie."""
    await house.accounts.add("gone", name="x", role="agent", password=PasswordHasher().hash(PASSWORD), now=1.0)
    await house.accounts.change("gone", 1.0, active=False)
    answer = await (await visit(None)).post("/login", {"login": login, "password": password})
    assert answer.status == 401
    assert COOKIE not in answer.cookies
    assert "登录名或密码不正确" in await answer.text()


async def test_an_unknown_login_costs_a_hash_too(house: "House", visit: "Visit") -> None:
    """How long the answer takes must not tell who exists."""
    nobody = await visit(None)
    with patch.object(PasswordHasher, "verify", autospec=True, side_effect=PasswordHasher.verify) as verify:
        await nobody.post("/login", {"login": "li", "password": "wrong"})
        await nobody.post("/login", {"login": "whoever", "password": "wrong"})
    assert verify.call_count == 2
    assert house is not None


async def test_guessing_one_password_ends_soon(house: "House", visit: "Visit") -> None:
    """After some failures even the right password waits; a quarter of an hour later it does not."""
    guest = await visit(None)
    for _ in range(MOST_BY_LOGIN):
        assert (await guest.post("/login", {"login": "li", "password": "guess"})).status == 401
    answer = await guest.post("/login", {"login": "li", "password": PASSWORD})
    assert answer.status == 429
    assert int(answer.headers["Retry-After"]) > 0
    assert "请十五分钟后再试" in await answer.text()
    assert (await guest.post("/login", {"login": "wang", "password": PASSWORD})).status == 303, "others still may"
    house.time += WINDOW + 1
    assert (await guest.post("/login", {"login": "li", "password": PASSWORD})).status == 303


async def test_guessing_many_logins_from_one_place_ends_too(visit: "Visit") -> None:
    """One address that tries many names."""
    guest = await visit(None)
    for number in range(MOST_BY_ADDRESS):
        await guest.post("/login", {"login": f"user{number}", "password": "guess"})
    assert (await guest.post("/login", {"login": "li", "password": PASSWORD})).status == 429
    elsewhere = {"X-Forwarded-For": "10.1.1.1, 10.9.9.9"}
    assert (await guest.post("/login", {"login": "li", "password": PASSWORD}, headers=elsewhere)).status == 303


@pytest.mark.parametrize(
    "forwarded",
    [
        [("X-Forwarded-For", "10.1.{n}.1"), ("X-Forwarded-For", "10.9.9.9")],  # a proxy that adds a header of its own
        [("X-Forwarded-For", "10.1.{n}.1, 10.9.9.9:4{n:03}")],  # one that tells ports
        [("X-Forwarded-For", "10.1.{n}.1, [2001:db8::{n:x}]:443")],  # a machine has a whole network of these
        [("X-Forwarded-For", "10.1.{n}.1, attempt{n}")],  # no address at all
    ],
)
async def test_no_header_makes_one_place_many(forwarded: list[tuple[str, str]], visit: "Visit") -> None:
    """What a proxy on this machine tells last is the address, however it is spelt; all before that is a browser's."""
    guest = await visit(None)
    origin = [("Origin", guest.origin)]
    statuses = []
    for n in range(MOST_BY_ADDRESS + 1):
        headers = CIMultiDict([*origin, *((name, told.format(n=n)) for name, told in forwarded)])
        answer = await guest.client.post("/login", data={"login": f"user{n}", "password": "guess"}, headers=headers)
        statuses.append(answer.status)
    assert statuses == [401] * MOST_BY_ADDRESS + [429]


async def test_nobody_is_kept_out_of_their_own_browser(house: "House", visit: "Visit") -> None:
    """Who guesses elsewhere, from the same address too, keeps others waiting only where they never logged in."""
    li, zhao, guest = await visit("li"), await visit("zhao"), await visit(None)
    for browser in (li, zhao):
        await browser.post("/logout")
    for number in range(MOST_BY_ADDRESS):
        login = "li" if number < MOST_BY_LOGIN else f"user{number}"
        assert (await guest.post("/login", {"login": login, "password": "guess"})).status == 401
    assert (await guest.post("/login", {"login": "li", "password": PASSWORD})).status == 429
    assert (await zhao.post("/login", {"login": "li", "password": PASSWORD})).status == 429, "another's browser"
    assert (await zhao.post("/login", {"login": "zhao", "password": PASSWORD})).status == 303
    assert (await li.post("/login", {"login": "li", "password": PASSWORD})).status == 303
    assert (await guest.post("/login", {"login": "li", "password": PASSWORD})).status == 429, "nothing is forgiven them"
    assert house is not None


async def test_their_own_browser_is_no_place_to_guess_either(house: "House", visit: "Visit") -> None:
    """Its failures are counted, and neither a forged mark nor one from before another password counts."""
    li = await visit("li")
    mark = li.client.session.cookie_jar.filter_cookies(URL(li.origin))[KNOWN].value
    await li.post("/logout")
    for _ in range(MOST_BY_LOGIN):
        assert (await li.post("/login", {"login": "li", "password": "guess"})).status == 401
    assert (await li.post("/login", {"login": "li", "password": PASSWORD})).status == 429
    user = await house.accounts.find("li")
    assert user is not None
    name, _, sign = mark.partition(".")
    assert counted_as(user, mark) == f"known:{name}"
    for other in (f"{name[::-1]}.{sign}", f"{name}.{sign[::-1]}", name, "~" * 9000, "", "x.y~" + "é"):
        assert counted_as(user, other) is None, other
    changed = await house.accounts.change("li", house.time, password="$argon2id$other")
    assert counted_as(changed, mark) is None


def test_a_browser_remembers_the_last_of_many_people() -> None:
    """Phones are shared: ten people at one desk, each once, the last one first."""
    people = [User(n, f"user{n}", "", "agent", None, f"hash{n}", active=True, demo=False) for n in range(12)]
    kept = ""
    for user in (*people, people[5]):
        kept = with_mark(user, kept)
    known = [user.id for user in people if counted_as(user, kept)]
    assert known == [2, 3, 4, 5, 6, 7, 8, 9, 10, 11]
    assert len(kept) < 500
    assert counted_as(people[5], kept.partition("~")[0]) is not None


async def test_logins_are_on_record(house: "House", visit: "Visit") -> None:
    """In, out, and refused."""
    li = await visit("li")
    await li.post("/login", {"login": "li", "password": "guess"})
    await li.post("/logout")
    rows = [(row.who, row.what) for row in await house.audit.rows()]
    assert rows == [("li", What.LOGGED_OUT), ("li", What.LOGIN_REFUSED), ("li", What.LOGGED_IN)]


async def test_a_password_typed_for_a_login_is_kept_nowhere(house: "House", visit: "Visit") -> None:
    """It happens to everybody; the trail shows two letters of it, and guessing is counted all the same."""
    guest = await visit(None)
    for _ in range(MOST_BY_LOGIN):
        assert (await guest.post("/login", {"login": "Secret-Word 7", "password": "x"})).status == 401
    assert (await guest.post("/login", {"login": "secret-word 7 ", "password": "x"})).status == 429
    assert {(row.who, row.subject) for row in await house.audit.rows()} == {("Se***", "Se***")}
    kept = house.db.url.database
    assert kept is not None
    files = [Path(kept), Path(f"{kept}-wal")]
    assert all(b"secret-word" not in file.read_bytes().lower() for file in files if file.exists())


async def test_a_session_ends_with_the_logout(visit: "Visit") -> None:
    """The old cookie is worth nothing afterwards."""
    li = await visit("li")
    token = {cookie.key: cookie.value for cookie in li.client.session.cookie_jar}[COOKIE]
    assert (await li.post("/logout")).headers["Location"] == "/login"
    thief = await visit(None)
    assert (await thief.get("/desk", cookies={COOKIE: token})).status == 303


async def test_a_session_ends_when_it_is_not_used(house: "House", visit: "Visit") -> None:
    """Two hours without a request."""
    li = await visit("li")
    house.time += IDLE - 1
    await li.text("/desk")
    house.time += IDLE - 1
    await li.text("/desk")
    house.time += IDLE + 1
    assert (await li.get("/desk")).status == 303


async def test_a_session_ends_at_last(house: "House", visit: "Visit") -> None:
    """Twelve hours after the login, however busy it was."""
    li = await visit("li")
    began = house.time
    while house.time < began + LONGEST - 600:
        house.time += 600
        await li.text("/desk")
    house.time = began + LONGEST
    assert (await li.get("/desk")).status == 303


async def test_a_changed_password_or_role_ends_sessions(house: "House", visit: "Visit") -> None:
    """What somebody may not do any more they cannot go on doing."""
    li = await visit("li")
    await house.accounts.change("li", house.time, active=False)
    assert (await li.get("/desk")).status == 303


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.test/",
        "//evil.test",
        "/\\evil.test",
        "javascript:alert(1)",
        "",
        "desk",
        "/a\nb",
        "/\t/evil.test",
        "//[",
    ],
)
def test_the_way_back_is_a_way_of_ours(target: str) -> None:
    """No login page that sends people elsewhere."""
    assert back(target) == "/"


def test_the_way_back_keeps_its_query() -> None:
    """A link into the tickets survives the login."""
    assert back("/tickets?status=all") == "/tickets?status=all"
