"""Another telephone system posts its calls: they pop, make tickets and end, and nobody else's post does anything."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import ClientSession, FormData
from aiohttp.test_utils import TestServer

from hotline.app import Service
from hotline.cti import fields
from hotline.cti_settings import Cti
from hotline.settings import DatabaseSettings, Server, Settings
from hotline.telephony_settings import Line
from storage.call_list import CallFilter
from telephony.call import CallKey, Outcome

TOKEN = "a-token-of-more-than-16-characters"
FORM, JSON = "application/x-www-form-urlencoded", "application/json"
IN_PARTS = """----x1
Content-Disposition: form-data; name="event"

newCall
----x1
content-disposition: form-data; name="user[]"

Alice
----x1
Content-Type: text/plain
Content-Disposition: form-data; name="user[]"

王
----x1--
""".replace("\n", "\r\n").encode()
PARTS = 'multipart/form-data; charset=utf-8; boundary="--x1"'
NEW = {"event": "newCall", "callId": "x1", "direction": "in", "from": "8613812345678", "to": "864007002505"}


class House:
    """A running service without a PBX of its own, and the other side."""

    def __init__(self, service: Service, session: ClientSession, url: str) -> None:
        self.service, self.session, self.url = service, session, url

    async def form(self, fields: list[tuple[str, str]], token: str = TOKEN) -> tuple[int, str]:
        """Post as sipgate does."""
        async with self.session.post(f"{self.url}/cti/{token}", data=fields) as answer:
            return answer.status, await answer.text()

    async def json(self, body: object) -> int:
        """Post as Zammad's dialect in JSON."""
        async with self.session.post(f"{self.url}/cti/{TOKEN}", json=body) as answer:
            return answer.status


@pytest.fixture
async def house(tmp_path: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[House]:
    """The service, migrated and running."""
    monkeypatch.setenv("HOTLINE_CTI_CLOUD_TOKEN", TOKEN)
    settings = Settings(
        data=tmp_path,
        line=(Line(number="4007002505", name="售后", record=False),),
        cti=(Cti(name="cloud", users={"alice": "1001", "bob": "1002"}),),
        server=Server(url="https://hotline.example/"),
        database=DatabaseSettings(url=sqlite_url),
    )
    service = Service(settings, asyncio.get_running_loop().time, {})
    async with TestServer(service.build()) as server, ClientSession() as session:
        yield House(service, session, str(server.make_url("")).rstrip("/"))


async def test_a_call_pops_is_answered_and_ends(house: House) -> None:
    """Two ring, one answers, the card of the other goes; the ticket is the answer's; words of both kinds."""
    desk, key = house.service.desk, CallKey("cloud", "x1")
    status, follow = await house.form([*NEW.items(), ("user[]", "Alice"), ("user[]", "bob")])
    assert status == 200
    assert f'onHangup="https://hotline.example/cti/{TOKEN}"' in follow
    await house.service.pipeline.settled()
    assert set(desk.snapshot()) == {"1001", "1002"}
    assert await house.json({"event": "answer", "callId": "x1", "user": "bob"}) == 200
    await house.service.pipeline.settled()
    assert set(desk.snapshot()) == {"1002"}
    assert await house.json({"event": "hangup", "callId": "x1", "cause": "normalClearing"}) == 200
    await house.service.pipeline.settled()
    assert not desk.snapshot()
    page = await house.service.reads.call(key)
    assert page is not None
    assert (page.item.outcome, page.item.agents, page.item.e164) == (Outcome.ANSWERED, ("1002",), "+8613812345678")
    assert page.item.ticket is not None
    kinds = {kind for kind, _ in await house.service.outbox.counts()}
    assert kinds <= {"index"}, "there is no recording to look for"


async def test_a_call_that_was_open_when_the_service_stopped_ends(house: House) -> None:
    """What the database knows is taken up again."""
    await house.json(NEW | {"user": ["alice"]})
    await house.json({"event": "answer", "callId": "x1", "user": "alice"})
    await house.service.pipeline.settled()
    again = Service(house.service.settings, house.service.clock, {})
    async with TestServer(again.build()) as server, house.session.get(server.make_url("/healthz")):
        house.url = str(server.make_url("")).rstrip("/")
        await house.json({"event": "hangup", "callId": "x1"})
        await again.pipeline.settled()
        page = await again.reads.call(CallKey("cloud", "x1"))
    assert page is not None
    assert page.item.outcome is Outcome.ANSWERED


async def test_a_call_that_was_over_when_the_service_stopped_stays_over(house: House) -> None:
    """Its newCall comes once more after a restart: no card that nobody takes away."""
    await house.json(NEW | {"user": ["alice"]})
    await house.json({"event": "hangup", "callId": "x1"})
    await house.service.pipeline.settled()
    again = Service(house.service.settings, house.service.clock, {})
    async with TestServer(again.build()) as server:
        house.url = str(server.make_url("")).rstrip("/")
        assert await house.json(NEW | {"user": ["alice"]}) == 200
        await again.pipeline.settled()
        assert not again.desk.snapshot()


async def test_a_form_in_parts(house: House) -> None:
    """As Zammad's documentation posts it: curl --form."""
    parts = FormData([*NEW.items(), ("user[]", "alice"), ("user[]", "bob")], default_to_multipart=True)
    async with house.session.post(f"{house.url}/cti/{TOKEN}", data=parts) as answer:
        assert answer.status == 200
    await house.service.pipeline.settled()
    assert set(house.service.desk.snapshot()) == {"1001", "1002"}


async def test_a_call_that_is_forwarded_is_one_call_with_one_ticket(house: House) -> None:
    """A callId for each leg, as sipgate has it: the card goes on to the next, voicemail is a message."""
    first = {**NEW, "callId": "x1", "origCallId": "x1"}
    await house.json(first | {"user": ["alice"]})
    await house.json(first | {"event": "hangup", "cause": "forwarded"})
    await house.json(first | {"callId": "x2", "user": ["bob"], "diversion": NEW["to"]})
    await house.service.pipeline.settled()
    assert set(house.service.desk.snapshot()) == {"1002"}
    await house.json(first | {"event": "hangup", "callId": "x2", "cause": "forwarded"})
    await house.json(first | {"callId": "x3", "user": ["voicemail"]})
    await house.json(first | {"event": "answer", "callId": "x3", "user": "voicemail"})
    await house.json(first | {"event": "hangup", "callId": "x3"})
    await house.service.pipeline.settled()
    assert not house.service.desk.snapshot()
    items = (await house.service.reads.calls(CallFilter())).items
    assert [(str(item.key), item.outcome) for item in items] == [("cloud:x1", Outcome.VOICEMAIL)]
    assert items[0].ticket is not None


async def test_nobody_without_the_token(house: House) -> None:
    """404, as for an address that is not there; too much is 413; what is not understood is taken and means nothing."""
    assert (await house.form(list(NEW.items()), token="wrong"))[0] == 404
    assert (await house.form([("event", "x" * 70_000)]))[0] == 413
    for body in ([1, 2], {"event": {"a": 1}}, {"event": "newCall", "callId": None}, {"callId": ["x"] * 500}):
        assert await house.json(body) == 200
    assert not len(house.service.desk)


@pytest.mark.parametrize(
    ("body", "kind", "wanted"),
    [
        (b"event=answer&user[]=a&user[]=b", FORM, {"event": ["answer"], "user[]": ["a", "b"]}),
        (b'{"event": "answer", "user": ["a", 5, null, {}]}', JSON, {"event": ["answer"], "user": ["a", "5"]}),
        (b"{", JSON, {}),
        (b"[" * 100_000, JSON, {}),
        (b'{"n": 1' + b"0" * 5000 + b"}", JSON, {}),
        (b"\xff\xfe=1", "text/plain", {"��": ["1"]}),
        (b"&".join(b"a%d=1" % n for n in range(500)), FORM, {}),
        (
            IN_PARTS,
            PARTS,
            {"event": ["newCall"], "user[]": ["Alice", "王"]},
        ),
        (b"----x1\r\n\r\n" * 9000, PARTS, {}),
        (b"event=newCall", "multipart/form-data", {}),
        (b"[1]", "Application/JSON; charset=utf-8", {}),
    ],
)  # fmt: skip
def test_fields(body: bytes, kind: str, wanted: dict[str, list[str]]) -> None:
    """Forms and JSON become the same; anything else becomes nothing."""
    assert fields(body, kind) == wanted
