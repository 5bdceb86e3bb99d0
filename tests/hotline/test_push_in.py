"""The CRM's own webhooks: who may send them, how much, and what becomes of what they bring."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer
from structlog.testing import capture_logs

from crm.connector import Can, Unable
from crm.guarded import Guarded
from crm.records import Change, Of, Ref
from crm.trouble import AuthError, InvalidError, TransientError
from hotline.crm_push_in import AT_ONCE, LONGEST, PATH, PushIn
from hotline.routing_http import TOKEN
from screenpop.errors import told
from screenpop.security import from_our_pages
from storage.trouble import Trouble, trouble

SECRET = "a-long-token"
CHANGE = Change(Ref(Of.CUSTOMER, "42"), 1795290138.0, gone=True)


class Signs(Unable):
    """Takes webhooks that say what they should."""

    name = "signs"
    can = Can.FIND | Can.PUSH

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.held: asyncio.Event | None = None
        self.took: list[tuple[Mapping[str, str], bytes]] = []

    async def take_push(self, headers: Mapping[str, str], body: bytes) -> Sequence[Change]:
        """A change, or what is wrong."""
        self.took.append((headers, body))
        if self.held is not None:
            await self.held.wait()
        if self.error is not None:
            raise self.error
        return () if body == b"nothing of ours" else (CHANGE,)


class House:
    """The route in an application with the pages' own guards, and what it told."""

    def __init__(self) -> None:
        self.connector, self.told = Signs(), list[Change]()
        self.takes = PushIn(Guarded(self.connector, lambda: 0.0), SECRET, self.hear)
        self.url = ""
        self.error: Exception | None = None

    async def hear(self, changes: Sequence[Change]) -> None:
        """What was brought."""
        if self.error is not None:
            raise self.error
        self.told.extend(changes)

    async def post(self, body: bytes = b"{}", token: str | None = SECRET, query: str = "", **headers: str) -> int:
        """Send one; the answer's status."""
        if token is not None:
            headers[TOKEN] = token
        async with (
            ClientSession() as session,
            session.post(f"{self.url}{PATH}{query}", data=body, headers=headers) as answer,
        ):
            return answer.status


@pytest.fixture
async def house() -> AsyncIterator[House]:
    """An open door."""
    house = House()
    app = web.Application(middlewares=[told, from_our_pages(frozenset())])
    house.takes.add_to(app)
    async with TestServer(app) as server:
        house.url = str(server.make_url("")).rstrip("/")
        yield house
        await house.takes.close()


async def test_a_webhook_is_taken(house: House) -> None:
    """Body as it came, header names in lower case, what it brings passed on; nothing of ours is no reason to tell."""
    assert await house.post(b'{"_id": 42}', **{"X-Signature": "abc"}) == 204
    headers, body = house.connector.took[0]
    assert (headers["x-signature"], body) == ("abc", b'{"_id": 42}')
    assert house.told == [CHANGE]
    assert await house.post(b"nothing of ours") == 204
    assert house.told == [CHANGE]
    assert house.takes.report() == {"taken": 2, "refused": 0, "error": None}


async def test_a_system_that_can_only_be_given_an_address(house: House) -> None:
    """Carries the token there."""
    assert await house.post(token=None, query=f"?token={SECRET}") == 204


@pytest.mark.parametrize("token", [None, "", "wrong", SECRET[:-1], "\xe4"])
async def test_nobody_else_is_heard(token: str | None, house: House) -> None:
    """Nor is the CRM asked."""
    assert await house.post(token=token) == 401
    assert not house.connector.took


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (AuthError("the signature is wrong"), 401),
        (InvalidError("no JSON"), 400),
        (TransientError("the CRM is away"), 503),
        (KeyError("_id"), 400),
    ],
)
async def test_what_the_connector_does_not_take(error: Exception, status: int, house: House) -> None:
    """By what is wrong with it; a slip of the connector's costs this webhook."""
    house.connector.error = error
    assert await house.post() == status
    assert not house.told
    assert house.takes.report()["refused"] == 1


async def test_a_connector_without_webhooks(house: House) -> None:
    """There is nothing here."""
    house.connector.can = Can.FIND
    assert await house.post() == 404


async def test_too_much_is_not_read(house: House) -> None:
    """Neither told in advance nor found out."""
    assert await house.post(b"x" * LONGEST) == 204
    assert await house.post(b"x" * (LONGEST + 1)) == 413


async def test_the_sender_does_not_wait_for_the_crm(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Odoo holds up whoever saved until it has an answer; too many at once are put off, closed they are broken off."""
    monkeypatch.setattr("hotline.crm_push_in.MOMENT", 0.01)
    house.connector.held = asyncio.Event()
    assert [await house.post() for _ in range(AT_ONCE)] == [202] * AT_ONCE
    assert not house.told
    assert await house.post() == 503
    house.connector.held.set()
    await asyncio.gather(*house.takes._working)
    assert house.told == [CHANGE] * AT_ONCE
    house.connector.held.clear()
    assert await house.post() == 202
    await house.takes.close()
    assert not house.takes._working
    assert house.told == [CHANGE] * AT_ONCE


async def test_what_cannot_be_kept_is_told(house: House) -> None:
    """To the sender while it waits, and to the log."""
    house.error = trouble(Trouble.BUSY, "disk")
    with capture_logs() as logs:
        assert await house.post() == 503
    assert "what a webhook brought is lost" in [entry["event"] for entry in logs]
    assert house.takes.report()["error"]


async def test_a_browser_elsewhere_cannot_send_one(house: House) -> None:
    """Even with the token."""
    assert await house.post(Origin="https://elsewhere.example") == 403
