"""What open pages are told: the agent's cards, the same in every tab, whatever one slow page does."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import ClientWebSocketResponse, WSCloseCode, WSMsgType

from screenpop import hub
from screenpop.accounts import RENEW
from screenpop.asks import ASK, DESKS, Voice, ask
from screenpop.deps import HUB
from screenpop.hub import LOGGED_OUT, MOST_PAGES, MOVED, QUEUED, Page
from storage.fanout import LAGGED, MemoryFanout
from storage.watched import Watched
from telephony.call import Answered, Arrived, CallKey, Left, Over, Rang, Stopped

if TYPE_CHECKING:
    from tests.screenpop.conftest import House, Until, Visit, Visitor

pytestmark = pytest.mark.timeout(30)


@asynccontextmanager
async def page_of(visitor: "Visitor", **headers: str) -> AsyncIterator[ClientWebSocketResponse]:
    """An open page's socket."""
    async with visitor.client.ws_connect("/ws", headers={"Origin": visitor.origin, **headers}) as socket:
        yield socket


async def told(socket: ClientWebSocketResponse, kind: str) -> Any:
    """The next message of a kind."""
    while True:
        message = await asyncio.wait_for(socket.receive_json(), 10)
        if message["type"] == kind:
            return message


async def closed(socket: ClientWebSocketResponse) -> int | None:
    """Read to the end; the code of the server's close frame, None when there was none."""
    while (message := await asyncio.wait_for(socket.receive(), 10)).type is WSMsgType.TEXT:
        pass
    return message.data if message.type is WSMsgType.CLOSE else None


def arrived(call: CallKey) -> Arrived:
    """It comes in."""
    return Arrived(
        call=call, at=None, caller="13812345678", caller_name=None, number="4007002505", dialled="4007002505"
    )


def rang(call: CallKey, agent: str = "1001") -> Rang:
    """It rings."""
    return Rang(call=call, at=None, agent=agent, queue="support")


async def test_a_page_hears_its_agents_cards_only(house: "House", visit: "Visit") -> None:
    """Snapshot, card, gone; nothing of a colleague's phone."""
    call, other = house.key(), house.key()
    async with page_of(await visit("li")) as li, page_of(await visit("wang")) as wang:
        assert (await told(li, "snapshot"))["cards"] == []
        assert (await told(wang, "snapshot"))["cards"] == []
        await house.tell(arrived(other), rang(other, "1002"))
        await house.tell(arrived(call), rang(call))
        assert (await told(li, "card"))["card"]["call"] == str(call)
        await house.tell(Stopped(call=call, at=None, agent="1001", why=Over.ANSWERED_ELSEWHERE))
        assert await told(li, "gone") == {"type": "gone", "call": str(call), "why": "answered_elsewhere"}
        assert (await told(wang, "card"))["card"]["call"] == str(other)


async def test_a_reload_shows_the_card_again(house: "House", visit: "Visit") -> None:
    """A page that connects in mid-ring or mid-talk gets what is open, as it is now, with the service's time."""
    call = house.key()
    li = await visit("li")
    await house.tell(arrived(call), rang(call))
    async with page_of(li) as page:
        (card,) = (await told(page, "snapshot"))["cards"]
        assert card["state"] == "ringing"
    await house.tell(Answered(call=call, at=None, agent="1001"))
    async with page_of(li) as page:
        snapshot = await told(page, "snapshot")
        assert [card["state"] for card in snapshot["cards"]] == ["talking"]
        assert snapshot["now"] == house.time


async def test_every_tab_is_told_the_same(house: "House", visit: "Visit") -> None:
    """Three tabs, and two people at one extension, hear the same messages in the same order."""
    await house.accounts.change("wang", house.time, extension="1001")
    call = house.key()
    li, wang = await visit("li"), await visit("wang")
    async with page_of(li) as one, page_of(li) as two, page_of(li) as three, page_of(wang) as four:
        pages = (one, two, three, four)
        for page in pages:
            await told(page, "snapshot")
        await house.tell(arrived(call), rang(call), Answered(call=call, at=None, agent="1001"))
        await house.tell(Left(call=call, at=None, agent="1001", why=Over.TRANSFERRED))
        heard = []
        for page in pages:
            states = [(await told(page, "card"))["card"]["state"] for _ in range(2)]
            heard.append((*states, (await told(page, "gone"))["why"]))
        assert heard == [("ringing", "talking", "transferred")] * 4


async def test_supervisors_hear_of_tickets_and_agents_do_not(house: "House", visit: "Visit") -> None:
    """Lists renew themselves for those who may list everybody's."""
    async with page_of(await visit("zhao")) as zhao, page_of(await visit("li")) as li:
        await told(zhao, "beat")
        await told(li, "snapshot")
        await house.fanout.publish("tickets", {"type": "ticket", "id": 7})
        assert await told(zhao, "ticket") == {"type": "ticket", "id": 7}
        await house.fanout.publish("desk:1001", {"type": "last"})
        heard = []
        while "last" not in heard:
            heard.append((await asyncio.wait_for(li.receive_json(), 10))["type"])
        assert "ticket" not in heard


async def test_nobodys_socket_is_told_so_and_nothing_else(visit: "Visit") -> None:
    """A close code that the page understands, instead of trying for ever."""
    async with page_of(await visit(None)) as socket:
        message = await socket.receive()
        assert (message.type, message.data) == (WSMsgType.CLOSE, LOGGED_OUT)


async def test_a_logout_closes_the_open_pages_of_that_login(house: "House", visit: "Visit") -> None:
    """At once, in every tab; another browser of the same person stays."""
    li, elsewhere = await visit("li"), await visit("li")
    async with page_of(li) as one, page_of(li) as two, page_of(elsewhere) as other:
        for page in (one, two, other):
            await told(page, "snapshot")
        await li.post("/logout")
        for page in (one, two):
            assert await closed(page) == LOGGED_OUT
        await house.fanout.publish("desk:1001", {"type": "last"})
        assert (await told(other, "last"))["type"] == "last"


async def test_a_login_has_so_many_pages_and_no_more(house: "House", visit: "Visit") -> None:
    """The oldest gives way to the newest; nobody else's does."""
    li, wang = await visit("li"), await visit("wang")
    async with page_of(wang) as other, page_of(li) as oldest, AsyncExitStack() as pages:
        for page in (other, oldest):
            await told(page, "snapshot")
        newest = [await pages.enter_async_context(page_of(li)) for _ in range(MOST_PAGES)][-1]
        await told(newest, "snapshot")
        assert await closed(oldest) is None
        assert oldest.closed
        await house.fanout.publish("desk:1002", {"type": "last"})
        assert (await told(other, "last"))["type"] == "last"


async def test_a_changed_password_brings_ones_own_pages_back(visit: "Visit") -> None:
    """Those of this login come back with the cookie they have then; nobody else can with the one of before."""
    li = await visit("li")
    old = {"Cookie": "; ".join(f"{cookie.key}={cookie.value}" for cookie in li.client.session.cookie_jar)}
    async with page_of(li) as page:
        await told(page, "snapshot")
        sent = {"old": "correct horse", "new": "battery staple, 9 of them"}
        assert (await li.ask("POST", "/api/account/password", json=sent)).status < HTTPStatus.BAD_REQUEST
        assert await closed(page) == MOVED
    async with page_of(li) as page:
        assert (await told(page, "snapshot"))["cards"] == []
    async with page_of(await visit(None), **old) as page:
        assert await closed(page) == LOGGED_OUT


async def test_a_session_that_ends_closes_its_page(house: "House", aiohttp_server: Any) -> None:
    """An account switched off hears nothing more, at the next beat."""
    from aiohttp.test_utils import TestClient  # noqa: PLC0415

    house.beat = 0.3
    async with TestClient(await aiohttp_server(house.app())) as client:
        origin = {"Origin": f"http://{client.host}:{client.port}"}
        await client.post("/login", data={"login": "li", "password": "correct horse"}, headers=origin)
        async with client.ws_connect("/ws", headers=origin) as page:
            await told(page, "snapshot")
            await told(page, "snapshot")  # the heartbeat
            await house.accounts.change("li", house.time, active=False)
            assert await closed(page) == LOGGED_OUT


async def test_all_pages_are_looked_after_at_one_go(
    house: "House", aiohttp_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One look at the database a beat, however many pages; being open is use, in the session and at the phone."""
    from aiohttp.test_utils import TestClient  # noqa: PLC0415

    asked, looked = [], asyncio.Event()
    live = Watched.live

    async def counted(self: Watched, tokens: Any, now: float) -> Any:
        asked.append(len(tokens))
        looked.set()
        return await live(self, tokens, now)

    monkeypatch.setattr(Watched, "live", counted)
    house.beat = 0.3

    async def read(page: ClientWebSocketResponse) -> None:
        async for _ in page:
            pass

    async with TestClient(await aiohttp_server(house.app())) as client, asyncio.TaskGroup() as group:
        origin = {"Origin": f"http://{client.host}:{client.port}"}
        await client.post("/login", data={"login": "li", "password": "correct horse"}, headers=origin)
        for _ in range(3):
            group.create_task(read(await client.ws_connect("/ws", headers=origin)))
        asked.clear()
        house.time += RENEW
        async with asyncio.timeout(10):
            while [one.seen for one in await house.accounts.seats.at("1001", house.time)] != [house.time]:
                looked.clear()
                await looked.wait()
        assert set(asked) == {1}, "one login with three pages"
        await client.close()


async def test_new_word_of_a_desk_reaches_every_agent(house: "House", visit: "Visit") -> None:
    """After what it said of its cards before; the usual signs of life reach nobody, there is nothing in them."""
    call = house.key()
    await house.voice.hears("main", on=True)
    async with page_of(await visit("li")) as li, page_of(await visit("wang")) as wang:
        for page in (li, wang):
            await told(page, "snapshot")
        far = f"west:{call.linkedid}"
        for agent in ("1001", "1002"):
            await house.fanout.publish(f"desk:{agent}", {"type": "card", "desk": "far", "card": {"call": far}})
        for _ in range(3):
            await house.fanout.publish(DESKS, {"type": "desk", "desk": "far", "hears": {"west": True}, "now": 1.0})
        await house.voice.hears("west", on=True)
        for page in (li, wang):
            assert [card["call"] for card in (await told(page, "snapshot"))["cards"]] == [far]
            assert (await told(page, "snapshot"))["cards"] == [], "ours hears that PBX now, and has no such call"


async def test_a_page_that_sleeps_delays_nobody(
    house: "House", aiohttp_server: Any, monkeypatch: pytest.MonkeyPatch, until_true: "Until"
) -> None:
    """It is cut off while the others hear everything in order; when it comes back it has the right cards."""
    from aiohttp.test_utils import TestClient  # noqa: PLC0415

    monkeypatch.setattr(hub, "SEND_TIME", 0.2)
    app = house.app()
    call = house.key()
    await house.tell(arrived(call), rang(call))
    async with TestClient(await aiohttp_server(app)) as client:
        origin = {"Origin": f"http://{client.host}:{client.port}"}
        await client.post("/login", data={"login": "li", "password": "correct horse"}, headers=origin)
        sleeper = await client.ws_connect("/ws", headers=origin)
        async with client.ws_connect("/ws", headers=origin) as awake:
            await told(awake, "snapshot")
            for number in range(200):
                await house.fanout.publish("desk:1001", {"type": "big", "number": number, "ballast": "x" * 100_000})
                assert (await told(awake, "big"))["number"] == number
            await until_true(lambda: len(app[HUB]) == 1)
        await sleeper.close()
        async with client.ws_connect("/ws", headers=origin) as again:
            assert [card["call"] for card in (await told(again, "snapshot"))["cards"]] == [str(call)]


async def test_a_full_queue_gives_way_to_a_snapshot() -> None:
    """What a page missed is not replayed: it asks for what is true now."""
    page = Page("li", 1)
    for number in range(QUEUED):
        page.put(str(number))
    before = page.behind
    page.put("last")
    assert (before, page.behind) == (False, True)
    assert await page.get() == "last"


async def test_what_the_fanout_lost_is_mended_by_a_snapshot(house: "House", visit: "Visit") -> None:
    """A lagging subscription asks anew."""
    async with page_of(await visit("li")) as page:
        await told(page, "snapshot")
        for box in house.fanout._boxes["desk:1001"]:
            box.lag()
        assert (await told(page, "snapshot"))["cards"] == []


async def test_the_answer_stands_between_the_changes_it_belongs_between(until_true: "Until") -> None:
    """Asked in the middle of changes, the snapshot is what those before it made, and comes before those after it."""
    fanout = MemoryFanout()
    cards = [{"call": "a"}]
    voice = Voice(fanout, lambda _: list(cards), lambda: 5.0, name="here", hears={"main": False})
    async with asyncio.TaskGroup() as group, fanout.subscribe("desk:1001") as heard:
        task = group.create_task(voice.run())
        await until_true(lambda: ASK in fanout._boxes)
        fanout.lag()  # a connection to Redis was made anew: pages ask again
        await fanout.publish("desk:1001", {"type": "card", "card": {"call": "a"}})
        await voice.hears("main", on=True)
        await ask(fanout, "1001")
        assert (await anext(heard))[0] == LAGGED
        assert (await anext(heard))[1]["type"] == "card"
        said = {"type": "snapshot", "cards": cards, "now": 5.0, "desk": "here", "hears": {"main": True}}
        assert (await anext(heard))[1] == said
        task.cancel()


async def test_what_pages_say_is_not_listened_to(house: "House", visit: "Visit") -> None:
    """Noise from a page neither breaks nor changes anything; too much of it ends that page only."""
    li = await visit("li")
    async with page_of(li) as noisy, page_of(li) as calm:
        await told(noisy, "snapshot")
        await told(calm, "snapshot")
        await noisy.send_str(json.dumps({"type": "gone", "call": "x"}))
        await noisy.send_bytes(b"\xff\x00")
        await noisy.send_str("x" * 10_000)
        assert await closed(noisy) == WSCloseCode.MESSAGE_TOO_BIG
        await house.fanout.publish("desk:1001", {"type": "last"})
        assert await told(calm, "last")


async def test_nothing_is_left_when_the_pages_have_gone(house: "House", visit: "Visit", until_true: "Until") -> None:
    """The last page of an agent takes the subscription with it."""
    async with page_of(await visit("li")) as page:
        await told(page, "snapshot")
        assert "desk:1001" in house.fanout._boxes
    await until_true(lambda: "desk:1001" not in house.fanout._boxes)
