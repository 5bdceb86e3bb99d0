"""Logging in by an identity provider: a real one on this machine, and one that lies."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
from aiohttp.test_utils import TestClient, TestServer
from joserfc.jwk import RSAKey

from screenpop.account import FRESH
from screenpop.accounts import COOKIE, NO_PASSWORD
from screenpop.door import Door
from screenpop.oidc import FLOW, LASTS
from screenpop.oidc_provider import AGAIN, KEPT, Provider, ProviderError, Terms
from screenpop.ways_back import trusted
from storage.audit import What
from tests.screenpop.conftest import Visitor
from tests.screenpop.oidc_liar import CLIENT, SECRET, Liar

if TYPE_CHECKING:
    from aiohttp import web

    from tests.screenpop.conftest import House


@pytest.fixture
async def liar(house: "House") -> AsyncIterator[Liar]:
    """The provider that lies when told to."""
    liar = Liar(house.time)
    server = TestServer(liar.app())
    await server.start_server()
    liar.issuer = f"http://{server.host}:{server.port}"
    yield liar
    await server.close()


Arrive = Callable[..., Awaitable[Visitor]]


@pytest.fixture
async def arrive(house: "House", liar: Liar) -> AsyncIterator[Arrive]:
    """A visitor of a house that takes the liar's word, on these terms."""
    ends: list[Callable[[], Awaitable[None]]] = []

    async def arrive(*, passwords: bool = True, **terms: Any) -> Visitor:
        agreed = Terms(issuer=liar.issuer, client=CLIENT, secret=SECRET, name="钉钉")
        provider = Provider(replace(agreed, **terms), lambda: house.time)
        server = TestServer(house.app(door=Door(provider=provider, passwords=passwords)))
        await server.start_server()
        client: TestClient[web.Request, web.Application] = TestClient(server)
        ends.extend((client.close, server.close, provider.close))
        return Visitor(client)

    yield arrive
    for end in ends:
        await end()


async def come_back(liar: Liar, visitor: Visitor, **changes: str) -> str:
    """There and back with the provider's answer; where the browser is sent then."""
    away = await visitor.get("/login/oidc?back=/tickets")
    assert away.status == 303
    if away.headers["Location"].startswith("/login"):
        return away.headers["Location"]
    answer = {"state": liar.begun(away.headers["Location"]), "code": "the-code", **changes}
    back = await visitor.get("/login/oidc/back", params={name: said for name, said in answer.items() if said})
    assert back.status == 303
    return back.headers["Location"]


async def in_there(visitor: Visitor) -> bool:
    """Whether somebody is logged in."""
    return (await visitor.get("/api/me", headers={"Accept": "application/json"})).status == 200


async def test_there_and_back_and_out(house: "House", liar: Liar, arrive: Arrive) -> None:
    """A button, the provider, what was wanted; at the logout by way of the provider."""
    guest = await arrive()
    page = await guest.text("/login?back=/tickets")
    assert "钉钉" in page
    assert "/login/oidc?back=/tickets" in page
    assert await come_back(liar, guest) == "/tickets"
    assert (await guest.json("/api/me"))["login"] == "li"
    assert liar.redirect == f"{guest.origin}/login/oidc/back"
    assert all(cookie.key != FLOW or not cookie.value for cookie in guest.client.session.cookie_jar)
    bye = await guest.post("/logout")
    text = await bye.text()
    assert bye.status == 200
    assert f'content="1;url={liar.issuer}/bye?id_token_hint=' in text
    assert not await in_there(guest)
    rows = [(row.who, row.what) for row in await house.audit.rows()]
    assert rows == [("li", What.LOGGED_OUT), ("li", What.LOGGED_IN), ("oidc", What.IDENTITY_LINKED)]


@pytest.mark.parametrize(
    "lie",
    [
        {"aud": "another"},
        {"iss": "https://evil.example.cn"},
        {"nonce": "of-another-login"},
        {"exp": 1.0},
        {"iat": 1.0},
        {"sub": None},
    ],
)
async def test_a_token_that_lies_opens_nothing(house: "House", liar: Liar, arrive: Arrive, lie: dict[str, Any]) -> None:
    """And it is on record."""
    guest = await arrive()
    liar.claims = lie
    assert await come_back(liar, guest) == "/login?why=identity"
    assert not await in_there(guest)
    assert [row.what for row in await house.audit.rows()] == [What.LOGIN_REFUSED]
    assert "未被接受" in await guest.text("/login?why=identity")


@pytest.mark.parametrize(
    "changes", [{"state": "made-up"}, {"state": ""}, {"code": "", "error": "access_denied"}, {"iss": "https://evil.cn"}]
)
async def test_an_answer_to_another_question_opens_nothing(
    house: "House", liar: Liar, arrive: Arrive, changes: dict[str, str]
) -> None:
    """No state, another's state, a refusal, another provider's answer: no code is even shown around."""
    guest = await arrive()
    assert await come_back(liar, guest, **changes) == "/login?why=identity"
    assert "token" not in liar.asked
    assert not await in_there(guest)
    assert house is not None


async def test_an_answer_counts_only_in_the_browser_that_asked_and_only_soon(
    house: "House", liar: Liar, arrive: Arrive
) -> None:
    """Somebody else's code cannot be planted; a page left open does not log in next day."""
    guest, victim = await arrive(), await arrive()
    state = liar.begun((await guest.get("/login/oidc")).headers["Location"])
    answer = await victim.get("/login/oidc/back", params={"state": state, "code": "the-code"})
    assert answer.headers["Location"] == "/login?why=identity"
    house.time += LASTS + 1
    answer = await guest.get("/login/oidc/back", params={"state": state, "code": "the-code"})
    assert answer.headers["Location"] == "/login?why=identity"
    assert COOKIE not in answer.cookies


async def test_a_provider_that_names_itself_must_do_so(liar: Liar, arrive: Arrive) -> None:
    """RFC 9207: an answer without a name is somebody else's."""
    liar.document = {"authorization_response_iss_parameter_supported": True}
    guest = await arrive()
    assert await come_back(liar, guest) == "/login?why=identity"
    assert await come_back(liar, guest, iss=liar.issuer) == "/tickets"


@pytest.mark.parametrize(
    "document",
    [
        {"issuer": "https://evil.example.cn"},
        {"token_endpoint": "http://evil.example.cn/token"},
        {"jwks_uri": "file:///etc/passwd"},
        {"authorization_endpoint": None},
        {"authorization_endpoint": "https://["},
        {"authorization_endpoint": 5},
        {"end_session_endpoint": "javascript:alert(1)"},
    ],
)
async def test_a_document_that_leads_astray_is_refused(liar: Liar, arrive: Arrive, document: dict[str, Any]) -> None:
    """Another's name, plain http beyond this machine, nothing at all."""
    liar.document = document
    assert await come_back(liar, await arrive()) == "/login?why=provider"


@pytest.mark.parametrize("said", [None, 5, "client_secret_post", {}])
async def test_what_a_document_says_that_means_nothing_is_not_said(liar: Liar, arrive: Arrive, said: object) -> None:
    """How the secret is shown: as a password, where nothing that can be read says otherwise."""
    liar.document = {"token_endpoint_auth_methods_supported": said}
    assert await come_back(liar, await arrive()) == "/tickets"


async def test_a_provider_in_trouble_is_told(house: "House", liar: Liar, arrive: Arrive) -> None:
    """Not a word of it that somebody is wrong; and passwords go on."""
    guest = await arrive()
    liar.status = 503
    assert await come_back(liar, guest) == "/login?why=provider"
    assert "没有响应" in await guest.text("/login?why=provider")
    gone = await arrive(issuer="http://127.0.0.1:9")
    assert await come_back(liar, gone) == "/login?why=provider"
    assert COOKIE in (await gone.post("/login", {"login": "li", "password": "correct horse"})).cookies
    assert house is not None


async def test_keys_that_change_are_asked_for_again_but_not_by_every_liar(
    house: "House", liar: Liar, arrive: Arrive
) -> None:
    """A new key is found at once, a made-up one asks once in a while; the document is kept for an hour."""
    guest = await arrive()
    assert await come_back(liar, guest) == "/tickets"
    house.time += AGAIN + 1
    liar.now = house.time
    liar.key = RSAKey.generate_key(2048, {"kid": "second"})
    assert await come_back(liar, guest) == "/tickets"
    assert liar.asked.count("keys") == 2
    liar.shown = [liar.key]
    liar.key = RSAKey.generate_key(2048, {"kid": "second"})  # of the same name, and never shown
    for _ in range(3):
        assert await come_back(liar, guest) == "/login?why=identity"
    assert liar.asked.count("keys") == 2
    assert liar.asked.count("discovery") == 1
    assert KEPT > AGAIN


async def test_who_is_nobody_here_stays_out(house: "House", liar: Liar, arrive: Arrive) -> None:
    """Unknown, switched off, no login at all; each on record with why."""
    guest = await arrive()
    for claims in ({"preferred_username": "nobody"}, {"preferred_username": "a b"}, {"preferred_username": ["li"]}):
        liar.claims = claims
        assert await come_back(liar, guest) == "/login?why=stranger"
    await house.accounts.change("li", house.time, active=False)
    liar.claims = {}
    assert await come_back(liar, guest) == "/login?why=stranger"
    why = [row.detail["provider"] for row in await house.audit.rows(what=What.LOGIN_REFUSED) if row.detail]
    assert why[0] == "the account is switched off"
    assert why[-1] == "there is no account of that name"


async def test_an_account_that_is_switched_off_is_nobodys(house: "House", liar: Liar, arrive: Arrive) -> None:
    """Who has its name at the provider now is not taken for whoever it was: it is theirs when it is switched on."""
    await house.accounts.change("li", house.time, active=False)
    assert await come_back(liar, await arrive()) == "/login?why=stranger"
    assert not await house.audit.rows(what=What.IDENTITY_LINKED)
    await house.accounts.change("li", house.time, active=True)
    liar.claims = {"sub": "78"}
    assert await come_back(liar, await arrive()) == "/tickets"


async def test_a_name_that_changed_hands_opens_nothing(liar: Liar, arrive: Arrive) -> None:
    """The first identity of an account keeps it, under whatever name it comes later."""
    guest = await arrive()
    assert await come_back(liar, guest) == "/tickets"
    liar.claims = {"sub": "78"}
    assert await come_back(liar, await arrive()) == "/login?why=stranger"
    liar.claims = {"preferred_username": "li.ming.married"}
    assert await come_back(liar, await arrive()) == "/tickets"


async def test_accounts_and_roles_by_its_word_where_it_was_agreed(house: "House", liar: Liar, arrive: Arrive) -> None:
    """Made at the first login, without a password; the role follows the claim, and none is no way in."""
    terms = {"create": True, "role_claim": "groups", "roles": {"400-leads": "supervisor", "400": "agent"}}
    liar.claims = {"sub": "99", "preferred_username": "Chen.Jing", "name": "陈 静", "groups": ["x", "400"]}
    guest = await arrive(**terms)
    assert await come_back(liar, guest) == "/tickets"
    chen = await house.accounts.find("chen.jing")
    assert chen is not None
    assert (chen.name, chen.role, chen.password) == ("陈 静", "agent", NO_PASSWORD)
    refused = await (await arrive()).post("/login", {"login": "chen.jing", "password": NO_PASSWORD})
    assert refused.status == 401
    token = {"name": "Odoo", "days": "30", "scope_tickets": "1"}
    assert (await guest.post("/account/tokens", token)).status == 200, "there is no password to ask for"
    house.time += FRESH + 1
    assert "请先退出并重新登录" in await (await guest.post("/account/tokens", token)).text()
    liar.now = house.time
    liar.claims["groups"] = ["400", "400-leads"]
    assert await come_back(liar, guest) == "/tickets"
    assert (await guest.json("/api/me"))["role"] == "supervisor"
    account = await guest.json("/api/account")
    assert account["password"] is False
    assert 'name="old"' not in await guest.text("/account")
    for nothing in ("nothing", 5, True, [["400"], {"400": 1}]):
        liar.claims["groups"] = nothing
        assert await come_back(liar, await arrive(**terms)) == "/login?why=stranger"
    liar.claims["groups"] = {"400-leads": {"org": "x"}}
    assert await come_back(liar, await arrive(**terms)) == "/tickets", "named by its members"


async def test_what_the_token_leaves_out_is_asked_for(liar: Liar, arrive: Arrive) -> None:
    """By userinfo, and only of the same person."""
    liar.claims = {"preferred_username": None}
    liar.userinfo = {"sub": "77", "preferred_username": "li"}
    assert await come_back(liar, await arrive()) == "/tickets"
    liar.userinfo = {"sub": "1", "preferred_username": "root"}
    assert await come_back(liar, await arrive()) == "/login?why=identity"


async def test_an_address_must_be_verified(liar: Liar, arrive: Arrive) -> None:
    """Where the e-mail address is the login."""
    liar.claims = {"email": "li"}
    guest = await arrive(login_claim="email")
    assert await come_back(liar, guest) == "/login?why=stranger"
    liar.claims["email_verified"] = True
    assert await come_back(liar, guest) == "/tickets"


async def test_without_passwords_the_provider_is_the_only_way_in(liar: Liar, arrive: Arrive) -> None:
    """The form is gone, and what is sent as if it were there is refused."""
    guest = await arrive(passwords=False)
    assert 'name="password"' not in await guest.text("/login")
    assert (await guest.post("/login", {"login": "li", "password": "correct horse"})).status == 403
    assert await come_back(liar, guest) == "/tickets"


async def test_without_a_provider_there_is_no_such_door(house: "House") -> None:
    """404, no button."""
    server = TestServer(house.app())
    client: TestClient[web.Request, web.Application] = TestClient(server)
    async with client:
        visitor = Visitor(client)
        assert (await visitor.get("/login/oidc")).status == 404
        assert (await visitor.get("/login/oidc/back?state=x&code=y")).status == 404
        assert "/login/oidc" not in await visitor.text("/login")


@pytest.mark.parametrize(
    ("address", "fine"),
    [
        ("https://id.example.cn/realms/a", True),
        ("http://127.0.0.1:8080", True),
        ("http://[::1]/", True),
        ("http://localhost", True),
        ("http://id.example.cn", False),
        ("http://127.0.0.1.example.cn", False),
        ("ftp://127.0.0.1", False),
        ("https://", False),
        ("https://[", False),
        ("", False),
    ],
)
def test_whom_we_believe(address: str, *, fine: bool) -> None:
    """https, or this machine."""
    assert trusted(address) is fine


@pytest.mark.filterwarnings("ignore")  # what the provider's own libraries say of each other
async def test_a_real_provider_on_this_machine(house: "House") -> None:
    """Discovery, PKCE, keys, token and logout as somebody else wrote them."""
    from oidc_provider_mock import User, run_server_in_thread  # noqa: PLC0415 - warns when it is imported

    people = [User(sub="u-1", claims={"preferred_username": "wang", "name": "王 芳"})]
    with run_server_in_thread(user_claims=people, require_nonce=True) as running:
        provider = Provider(
            Terms(issuer=f"http://localhost:{running.server_port}", client="hotline", secret="x"), lambda: house.time
        )
        house.time = running_now()
        server = TestServer(house.app(door=Door(provider=provider)))
        client: TestClient[web.Request, web.Application] = TestClient(server)
        async with client:
            visitor = Visitor(client)
            away = (await visitor.get("/login/oidc?back=/tickets")).headers["Location"]
            asked = {name: values[0] for name, values in parse_qs(urlsplit(away).query).items()}
            async with client.session.post(away, data={"sub": "u-1"}, allow_redirects=False) as allowed:
                back = urlsplit(allowed.headers["Location"])
            assert parse_qs(back.query)["state"] == [asked["state"]]
            answer = await visitor.get(f"{back.path}?{back.query}")
            assert answer.headers["Location"] == "/tickets"
            assert (await visitor.json("/api/me"))["login"] == "wang"
            assert "end_session" in await (await visitor.post("/logout")).text()
            with pytest.raises(ProviderError):
                await provider.who(
                    "made-up", nonce="n", verifier="v" * 64, redirect=f"{visitor.origin}/login/oidc/back"
                )
        await provider.close()


def running_now() -> float:
    """The provider's own clock: it cannot be told another time."""
    from hotline.clock import now  # noqa: PLC0415 - only here

    return now()
