"""One's own account: logins ended by hand, a password changed, by page and by API."""

from typing import TYPE_CHECKING, Any

import pyotp

from screenpop.accounts import COOKIE, MOST_BY_LOGIN
from screenpop.browsers import browser
from screenpop.hub import LOGGED_OUT
from screenpop.second_factor import STEP
from storage.audit import What

if TYPE_CHECKING:
    from aiohttp import ClientResponse

    from tests.screenpop.conftest import House, Visit, Visitor

PASSWORD = "correct horse"
BETTER = "three plums and a kite"
FIREFOX = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}


async def call(visitor: "Visitor", method: str, path: str, json: Any = None) -> "ClientResponse":
    """A request of the API."""
    return await visitor.ask(method, path, json=json, headers={"Accept": "application/json"})


async def test_logins_are_listed_and_ended_at_once(house: "House", visit: "Visit") -> None:
    """Where, since when; the open page of an ended one closes in that moment; others' cannot be touched."""
    li, wang, away = await visit("li"), await visit("wang"), await visit(None)
    house.time += 60
    await away.post("/login", {"login": "li", "password": PASSWORD}, headers=FIREFOX)
    listed = (await li.json("/api/account/sessions"))["sessions"]
    assert [(one["this"], one["used"] - one["created"]) for one in listed] == [(False, 0), (True, 0)]
    assert "Firefox · Linux" in await li.text("/account")
    theirs = (await wang.json("/api/account/sessions"))["sessions"][0]["id"]
    assert (await call(li, "DELETE", f"/api/account/sessions/{theirs}")).status == 404
    assert (await li.post(f"/account/sessions/{theirs}/end")).status == 404
    assert (await li.post("/account/sessions/99999999999999999999999/end")).status == 404
    async with away.client.ws_connect("/ws", headers={"Origin": away.origin}) as socket:
        await socket.receive_json()
        assert (await li.post(f"/account/sessions/{listed[0]['id']}/end")).status == 303
        async for _ in socket:
            pass
        assert socket.close_code == LOGGED_OUT
    assert (await away.get("/desk")).status == 303
    await wang.text("/desk")
    rows = await house.audit.rows(what=What.SESSION_ENDED)
    assert [(row.who, row.subject, row.detail) for row in rows] == [("li", "li", {"sessions": 1})]


async def test_all_others_end_at_once_and_this_one_is_a_logout(visit: "Visit") -> None:
    """By page and by API."""
    li, other, third = await visit("li"), await visit("li"), await visit("li")
    assert await (await call(li, "DELETE", "/api/account/sessions")).json() == {"ended": 2}
    for gone in (other, third):
        assert (await gone.get("/desk")).status == 303
    fourth = await visit("li")
    await li.post("/account/sessions/end-others")
    assert (await fourth.get("/desk")).status == 303
    this = (await li.json("/api/account/sessions"))["sessions"][0]["id"]
    assert (await li.post(f"/account/sessions/{this}/end")).headers["Location"] == "/login"
    assert (await li.get("/desk")).status == 303


async def test_a_password_is_changed_by_who_knows_the_present_one(house: "House", visit: "Visit") -> None:
    """Other logins end, this one goes on with another cookie; what is refused says why and changes nothing."""
    li, elsewhere = await visit("li"), await visit("li")
    before = {cookie.key: cookie.value for cookie in li.client.session.cookie_jar}[COOKIE]
    for old, new, again, said in (
        (PASSWORD, BETTER, BETTER + "x", "不一致"),
        (PASSWORD, "short", "short", "至少 10 个字符"),
        (PASSWORD, "password123", "password123", "容易被猜中"),
        (PASSWORD, PASSWORD, PASSWORD, "与当前密码相同"),
        ("guess", BETTER, BETTER, "当前密码不正确"),
    ):
        refused = await li.post("/account/password", {"old": old, "new": new, "again": again})
        assert refused.status == 422
        assert said in await refused.text()
    await elsewhere.text("/desk")
    done = await li.post("/account/password", {"old": PASSWORD, "new": BETTER, "again": BETTER})
    assert (done.status, done.headers["Location"]) == (303, "/account?done=password")
    assert done.cookies[COOKIE].value != before
    assert await house.accounts.session(before, house.time) is None
    assert "密码已修改" in await li.text("/account?done=password")
    assert (await elsewhere.get("/desk")).status == 303
    guest = await visit(None)
    assert (await guest.post("/login", {"login": "li", "password": PASSWORD})).status == 401
    assert (await guest.post("/login", {"login": "li", "password": BETTER})).status == 303
    assert [row.who for row in await house.audit.rows(what=What.PASSWORD_CHANGED)] == ["li"]


async def test_a_page_left_open_is_no_place_to_guess(visit: "Visit") -> None:
    """Wrong present passwords count like failed logins."""
    li = await visit("li")
    sent = {"old": "guess", "new": BETTER}
    for _ in range(MOST_BY_LOGIN):
        assert (await call(li, "POST", "/api/account/password", sent)).status == 422
    late = await call(li, "POST", "/api/account/password", {**sent, "old": PASSWORD})
    assert late.status == 429
    assert int(late.headers["Retry-After"]) > 0


async def test_everything_is_there_for_programs_of_the_page(house: "House", visit: "Visit") -> None:
    """The second factor's whole life by API."""
    li = await visit("li")
    assert (await li.json("/api/account"))["second_factor"] == {"since": None, "recovery_codes": 0, "required": False}
    made = await (await call(li, "POST", "/api/account/second-factor", {"password": PASSWORD})).json()
    assert made["secret"] in made["address"]
    app = pyotp.TOTP(made["secret"])
    wrong = await call(li, "POST", "/api/account/second-factor/confirm", {"code": "000000"})
    assert (wrong.status, wrong.content_type) == (422, "application/problem+json")
    right = await call(li, "POST", "/api/account/second-factor/confirm", {"code": app.at(int(house.time))})
    assert len((await right.json())["recovery_codes"]) == 10
    assert (await li.json("/api/account"))["second_factor"]["since"] == house.time
    assert (await call(li, "POST", "/api/account/second-factor", {"password": PASSWORD})).status == 409
    house.time += STEP
    renewed = await call(li, "POST", "/api/account/recovery-codes", {"code": app.at(int(house.time))})
    code = (await renewed.json())["recovery_codes"][0]
    assert (await call(li, "POST", "/api/account/second-factor/remove", {"code": code})).status == 204
    assert (await call(li, "POST", "/api/account/second-factor/remove", {"code": code})).status == 409


def test_what_a_browser_is_called() -> None:
    """In two words; nothing for what is not known."""
    edge = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140 Safari/537.36 Edg/140"
    assert browser(edge) == ("Edge", "Windows")
    assert browser(FIREFOX["User-Agent"]) == ("Firefox", "Linux")
    assert browser("Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Safari/604.1") == ("Safari", "iPhone")
    assert browser(None) == browser("x") == ("", "")
