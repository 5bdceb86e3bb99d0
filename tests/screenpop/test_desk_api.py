"""The agent's own desk: states, the work after a call, pauses at the PBX, and phones that change hands."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import ClientWebSocketResponse, WSMsgType, web
from aiohttp.test_utils import TestClient, TestServer

from screenpop.hands import Cannot, HandError
from screenpop.hub import MOVED
from screenpop.presence import Pause, Ready, TalkOver, Unpaused
from screenpop.standings import STATES, WRAP_UP, Standings
from storage.agent_states import AgentStates
from storage.audit import What
from telephony.call import Arrived, Rang
from tests.screenpop.conftest import LINE, PASSWORD, Visitor

if TYPE_CHECKING:
    from telephony.call import CallKey
    from tests.screenpop.conftest import House, Until, Visit

pytestmark = pytest.mark.timeout(60)


@dataclass
class ByHand:
    """A PBX's hand that does as it is told."""

    may_pause: bool = True
    may_dial: bool = False
    pauses: Sequence[str] = ("午餐", "培训")
    refuses: Cannot | None = None
    done: list[tuple[str, bool, str | None]] = field(default_factory=list)

    async def pause(self, extension: str, paused: bool, reason: str | None = None) -> None:  # noqa: FBT001 - as Hand
        """Write it down."""
        if self.refuses is not None:
            raise HandError(self.refuses, "no")
        self.done.append((extension, paused, reason))

    async def dial(
        self, extension: str, number: str, call: "CallKey | None" = None, *, line: str | None = None, who: str = ""
    ) -> None:
        """Never asked here."""
        raise AssertionError((extension, number, call, line, who))


@asynccontextmanager
async def page_of(visitor: Visitor) -> AsyncIterator[ClientWebSocketResponse]:
    """An open page's socket."""
    async with visitor.client.ws_connect("/ws", headers={"Origin": visitor.origin}) as socket:
        yield socket


async def told(socket: ClientWebSocketResponse, kind: str, **what: Any) -> Any:
    """The next message of a kind that says so."""
    while True:
        message = await asyncio.wait_for(socket.receive_json(), 10)
        if message["type"] == kind and message.items() >= what.items():
            return message


async def state(socket: ClientWebSocketResponse, wanted: str) -> Any:
    """The next state that is this one."""
    while (said := (await told(socket, "state"))["state"])["state"] != wanted:
        pass
    return said


async def post(visitor: Visitor, path: str, status: int = 200, **body: Any) -> Any:
    """What the API says to that."""
    answer = await visitor.ask("POST", path, json=body) if body else await visitor.ask("POST", path)
    assert answer.status == status, await answer.text()
    return await answer.json()


async def log_in(visitor: Visitor, login: str, extension: str) -> None:
    """By the form, at a phone."""
    fields = {"login": login, "password": PASSWORD, "extension": extension}
    assert (await visitor.post("/login", fields)).status == 303


async def test_the_work_after_a_call(house: "House", visit: "Visit") -> None:
    """It begins by itself, is there after a reload, with its ticket; takes longer, is done, or time ends it."""
    call = await house.answered()
    ticket = await house.ticket_of(call)
    li = await visit("li")
    async with page_of(li) as page:
        await state(page, "ready")
        await house.standings.happen("1001", TalkOver(call, 30.0), cause="one")
        said = await state(page, "wrap_up")
        assert (said["call"], said["ticket"]["id"], said["until"]) == (str(call), ticket, house.time + 30)
    async with page_of(li) as page:
        assert await state(page, "wrap_up") == said
        assert (await li.json("/api/desk"))["state"] == said
        house.time += 20
        assert (await post(li, "/api/desk/wrap-up/longer"))["until"] == said["until"] + 60
        house.standings.wake()
        house.time += 70
        house.standings.wake()
        assert (await state(page, "ready"))["since"] == house.time
        await post(li, "/api/desk/wrap-up/longer", 409)
        assert (await post(li, "/api/desk/state", state="wrap_up"))["call"] == str(call), "back to the last one"
        assert (await post(li, "/api/desk/wrap-up/done"))["state"] == "ready"
    rows = [(row.state, row.call) for row in (await AgentStates(house.db).now()).values()]
    assert rows == [("ready", None)]


async def test_the_card_of_the_work_after_a_call(house: "House", visit: "Visit") -> None:
    """For who sits at the phone the work is done at, where the call concerns them; not for a colleague."""
    call = house.key()
    facts = [
        Arrived(call=call, at=house.time, caller="13812345678", caller_name=None, number=LINE, dialled=LINE),
        Rang(call=call, at=house.time, agent="1001"),
    ]
    await house.tell(*facts)
    li, wang, zhao = await visit("li"), await visit("wang"), await visit("zhao")
    for visitor, status in ((li, 404), (zhao, 409)):
        assert (await visitor.get("/api/desk/work")).status == status
    await house.standings.happen("1001", TalkOver(call, 30.0), cause="one")
    assert (await li.get("/api/desk/work")).status == 403, "nobody wrote down that li talked in it"
    other = await house.answered()
    await house.standings.happen("1001", TalkOver(other, 30.0), cause="two")
    assert (await li.get("/api/desk/work")).status == 404, "nothing is kept of it"
    house.kept[other] = house.kept[call] | {"call": str(other)}
    assert await li.json("/api/desk/work") == house.kept[other]
    assert (await wang.get("/api/desk/work")).status == 404


async def test_a_pause_is_one_at_the_pbx_or_none(house: "House", aiohttp_client: Any) -> None:
    """The PBX is asked first; without a login that may, or against its will, nobody is paused or ready again."""
    hand = ByHand()
    client = await aiohttp_client(house.app(hand=hand))
    li = Visitor(client)
    await log_in(li, "li", "")
    desk = await li.json("/api/desk")
    assert (desk["may_pause"], desk["reasons"], desk["state"]["state"]) == (True, ["午餐", "培训"], "ready")
    async with page_of(li) as page:
        assert (await post(li, "/api/desk/state", state="paused", reason="午餐"))["reason"] == "午餐"
        await state(page, "paused")
        await house.standings.happen("1001", Pause("午餐"))  # as the PBX tells it, a moment later
        await house.standings.happen("1001", TalkOver(house.key(), 30.0))
        assert (await state(page, "paused"))["until"] == house.time + 30
        hand.refuses = Cannot.PBX_AWAY
        problem = await post(li, "/api/desk/state", 503, state="ready")
        assert problem["title"] == "pbx_away"
        assert (await li.json("/api/desk"))["state"]["state"] == "paused"
        hand.refuses = None
        assert (await post(li, "/api/desk/state", state="ready"))["until"] is None
        assert hand.done == [("1001", True, "午餐"), ("1001", False, None)]
        await house.standings.happen("1001", Pause("培训"))  # at the telephone
        await state(page, "paused")
        await house.standings.happen("1001", Unpaused())
        await state(page, "ready")
        assert len(hand.done) == 2, "what the PBX says is not said back to it"
        hand.may_pause = False
        assert (await post(li, "/api/desk/state", 422, state="paused"))["title"] == "not_allowed"
        await post(li, "/api/desk/state", 400, state="paused", reason="a\nAction: Originate")
        hand.may_pause = True
        assert (await post(li, "/api/desk/state", 422, state="paused", reason="钓鱼"))["title"] == "not_allowed"
        await post(li, "/api/desk/state", state="wrap_up")  # needs no PBX
        assert (await post(li, "/api/desk/state", state="ready"))["state"] == "ready"


async def test_two_services_make_one_state_of_what_both_saw(house: "House", until_true: "Until") -> None:
    """The end of a talk once, the clock's end once; the one that did nothing knows of it all the same."""
    call = await house.answered()
    other = Standings(AgentStates(house.db), house.fanout, lambda: house.time)
    heard: list[str] = []

    async def listen(ready: asyncio.Event) -> None:
        async with house.fanout.subscribe("desk:1001") as messages:
            ready.set()
            async for _, said in messages:
                heard.append(said["state"]["state"])

    async with asyncio.TaskGroup() as group:
        ready = asyncio.Event()
        tasks = [group.create_task(work) for work in (house.standings.run(), other.run(), listen(ready))]
        await ready.wait()
        over = TalkOver(call, WRAP_UP)
        changed = await asyncio.gather(
            *(each.happen("1001", over, cause=f"{call}#9.000000") for each in (house.standings, other) * 3)
        )
        assert sorted(changed) == [False] * 5 + [True]
        await until_true(lambda: not other.maybe_paused("1001") and not house.standings.maybe_paused("1001"))
        house.time += WRAP_UP
        house.standings.wake()
        other.wake()
        await until_true(lambda: heard == ["wrap_up", "ready"])
        await house.fanout.publish(STATES, {"extension": "1001", "version": 2})  # late, and known
        await house.standings.happen("1001", over, cause=f"{call}#9.000000")  # seen again after a resync
        assert (await other.of("1001"))["state"] == "ready"
        for task in tasks:
            task.cancel()
    assert heard == ["wrap_up", "ready"]


async def test_a_state_outlives_the_service(house: "House", until_true: "Until") -> None:
    """A pause is there after a restart; work whose time passed while nobody was there is over."""
    await house.standings.happen("1001", Pause("午餐"), who="li")
    await house.standings.happen("1002", TalkOver(house.key(), 30.0))
    house.time += 3600
    anew = Standings(AgentStates(house.db), house.fanout, lambda: house.time)
    assert anew.maybe_paused("1002"), "it does not know yet"
    async with asyncio.TaskGroup() as group:
        task = group.create_task(anew.run())
        await until_true(lambda: not anew.maybe_paused("1002"))
        async with asyncio.timeout(10):
            while (await anew.of("1002"))["state"] != "ready":  # noqa: ASYNC110 - no event of its own
                await asyncio.sleep(0.005)
        task.cancel()
    assert (await anew.of("1001"))["reason"] == "午餐"


async def test_two_at_one_phone_are_told(house: "House", visit: "Visit") -> None:
    """Nobody is refused, nobody is surprised; who leaves is gone."""
    li, wang = await visit("li"), await visit(None)
    async with page_of(li) as hers:
        assert (await told(hers, "seat"))["others"] == []
        await log_in(wang, "wang", "1001")
        assert await told(hers, "seat", others=["王 芳"]) == {"type": "seat", "extension": "1001", "others": ["王 芳"]}
        async with page_of(wang) as his:
            assert (await told(his, "seat"))["others"] == ["李 明"]
            assert (await wang.json("/api/desk"))["others"] == ["李 明"]
            assert (await post(wang, "/api/desk/seat", extension="1003"))["others"] == []
            await told(hers, "seat", others=[])
            assert await told(his, "seat", extension="1003")
            while (message := await his.receive()).type is WSMsgType.TEXT:
                pass
            assert message.data == MOVED
        await post(wang, "/api/desk/seat", extension="1001")
        await told(hers, "seat", others=["王 芳"])
        await wang.post("/logout")
        await told(hers, "seat", others=[])
    _, row = await house.audit.rows(what=What.SEATED)
    assert (row.who, row.subject, row.detail) == ("wang", "wang", {"extension": "1003", "before": "1001"})
    (login,) = await house.audit.rows(who="wang", what=What.LOGGED_IN)
    assert login.detail == {"extension": "1001"}


async def test_who_takes_over_a_phone_finds_nothing_of_a_colleague(house: "House", visit: "Visit") -> None:
    """Not the work after her call, not her calls, her recordings or her list; his own are his on any phone."""
    li = await visit("li")
    hers = await house.answered("1001", "13800000001")
    await house.standings.happen("1001", TalkOver(hers, 30.0))
    await li.post("/logout")
    house.time += 60
    wang = await visit(None)
    await log_in(wang, "wang", "1001")
    desk = await wang.json("/api/desk")
    assert (desk["extension"], desk["own"], desk["state"]["state"]) == ("1001", "1002", "ready")
    assert (await post(wang, "/api/desk/state", state="wrap_up"))["call"] is None, "not hers"
    for path in (f"/calls/{hers}", f"/api/calls/{hers}", f"/calls/{hers}/audio/0/caller"):
        assert (await wang.get(path)).status == 403, path
    his = await house.answered("1001", "13800000002")
    await post(wang, "/api/desk/seat", extension="1002")
    assert (await wang.get(f"/calls/{his}/audio/0/caller")).status == 200
    recent = await wang.text("/desk/recent")
    assert str(his).partition(":")[2] in recent
    assert str(hers).partition(":")[2] not in recent
    listed = (await wang.json("/api/calls"))["calls"]
    assert [call["call"] for call in listed] == [str(his)]
    assert listed[0]["talkers"] == [{"extension": "1001", "login": "wang", "name": "王 芳"}]
    assert "王 芳 1001" in await wang.text(f"/calls/{his}")
    told = await wang.json(f"/calls/{his}/export/json")
    assert told["agents"] == [{"extension": "1001", "name": "王 芳"}]
    house.time += 60
    li = await visit("li")
    assert (await li.get(f"/calls/{hers}")).status == 200
    assert (await li.get(f"/calls/{his}")).status == 403


async def test_coming_back_within_a_moment_goes_on(house: "House", visit: "Visit") -> None:
    """A browser that was closed and opened again: one's own work after the call is still there."""
    li = await visit("li")
    await house.standings.happen("1001", TalkOver(await house.answered(), 600.0))
    await li.post("/logout")
    house.time += 60
    li = await visit("li")
    assert (await li.json("/api/desk"))["state"]["state"] == "wrap_up"


@pytest.mark.parametrize("typed", ["1", "123456789", "10O1", "１００１", "1001\r\nSet-Cookie: x", "-1"])
async def test_a_phone_is_digits(visit: "Visit", typed: str) -> None:
    """2 to 8 of them, in the form and by the API; nobody is logged in with anything else."""
    nobody = await visit(None)
    answer = await nobody.post("/login", {"login": "li", "password": PASSWORD, "extension": typed})
    assert answer.status == 400
    assert "分机号为 2 到 8 位数字" in await answer.text()
    assert not answer.cookies
    li = await visit("li")
    await post(li, "/api/desk/seat", 400, extension=typed)


async def test_the_browser_remembers_the_phone(visit: "Visit") -> None:
    """The one named last is in the form of the next login; none named is one's own, and is not remembered."""
    first = await visit(None)
    assert 'name="extension" value=""' in await first.text("/login")
    assert '<option value="1003">' in await first.text("/login")
    await log_in(first, "li", " 1003 ")
    assert (await first.json("/api/me"))["extension"] == "1003"
    await first.post("/logout")
    assert 'name="extension" value="1003"' in await first.text("/login")
    await log_in(first, "wang", "")
    assert (await first.json("/api/me"))["extension"] == "1002"
    assert (await first.json("/api/desk"))["phones"] == ["1001", "1002", "1003"]


async def test_without_a_phone_there_is_no_state(visit: "Visit") -> None:
    """A supervisor who sits nowhere is told to name a phone."""
    zhao = await visit("zhao")
    desk = await zhao.json("/api/desk")
    assert (desk["extension"], desk["state"], desk["others"]) == (None, None, [])
    assert (await post(zhao, "/api/desk/state", 409, state="ready"))["title"] == "no_phone"
    assert (await post(zhao, "/api/desk/seat", extension="1003"))["extension"] == "1003"
    assert (await post(zhao, "/api/desk/state", state="ready"))["state"] == "ready"
    assert (await post(zhao, "/api/desk/seat", extension=None))["extension"] is None


async def test_a_desk_moved_by_another_process_is_told_by_the_next_beat(house: "House", aiohttp_client: Any) -> None:
    """Its socket is closed so that the page opens anew at the other phone."""
    house.beat = 0.05
    client: TestClient[web.Request, web.Application] = await aiohttp_client(house.app())
    li = Visitor(client)
    await log_in(li, "li", "")
    async with page_of(li) as page:
        await told(page, "snapshot")
        (sits,) = await house.accounts.seats.at("1001", house.time)
        await house.accounts.seats.sit(sits.session, "li", "1002", house.time)
        assert await told(page, "seat", extension="1002")
        while (message := await page.receive()).type is WSMsgType.TEXT:
            pass
        assert message.data == MOVED


async def test_without_states_the_desk_says_so(house: "House", aiohttp_client: Any) -> None:
    """A house that keeps none (shadow mode) has phones all the same."""
    client = await aiohttp_client(TestServer(house.app(standings=None)))
    li = Visitor(client)
    await log_in(li, "li", "")
    assert (await li.json("/api/desk"))["state"] is None
    await post(li, "/api/desk/wrap-up/done", 409)
    assert not await house.standings.happen("1001", Ready())
