"""The desk login: what it sends, what it never sends, and what it is told."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest

from telephony.acting import Actor, Order, new_uniqueid
from telephony.ami import AmiError, AmiSettings, RefusedError

if TYPE_CHECKING:
    from telephony.events import Originated

MEMBER = (
    "Event: QueueMember\r\nQueue: {queue}\r\nName: Agent\r\nLocation: {interface}\r\nStateInterface: x\r\n"
    "Membership: static\r\nPenalty: 0\r\nPaused: 0\r\nPausedReason: \r\nActionID: {action_id}\r\n\r\n"
)


@dataclass
class Pbx:
    """A manager interface. ``denied``: what it refuses, ``deaf``: what it does not answer."""

    denied: dict[str, str] = field(default_factory=dict)
    deaf: set[str] = field(default_factory=set)
    asked: list[dict[str, str]] = field(default_factory=list)
    port: int = 0
    _writers: list[asyncio.StreamWriter] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        self._writers.append(writer)
        writer.write(b"Asterisk Call Manager/11.0.0\r\n")
        try:
            while True:
                text = (await reader.readuntil(b"\r\n\r\n")).decode()
                action = dict(line.split(": ", 1) for line in text.split("\r\n") if line)
                self.asked.append(action)
                if action["Action"] not in self.deaf:
                    writer.write(self.answer(action).encode())
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    def answer(self, action: dict[str, str]) -> str:
        """As Asterisk 22.10 was seen to answer."""
        name, action_id = action["Action"], action["ActionID"]
        if name in self.denied:
            return f"Response: Error\r\nActionID: {action_id}\r\nMessage: {self.denied[name]}\r\n\r\n"
        good = f"Response: Success\r\nActionID: {action_id}\r\n\r\n"
        if name != "QueueStatus":
            return good
        rows = [("support", "PJSIP/1001"), ("sales", "Local/1001@queue-agents"), ("support", "PJSIP/1002")]
        listed = "".join(MEMBER.format(queue=of, interface=at, action_id=action_id) for of, at in rows)
        forged = MEMBER.format(queue="x", interface="PJSIP/1666", action_id="guessed")
        return f"{good}{listed}{forged}Event: QueueStatusComplete\r\nActionID: {action_id}\r\n\r\n"

    def tell(self, text: str) -> None:
        """An event to whoever is connected."""
        for writer in self._writers:
            writer.write(text.encode())

    def cut(self) -> None:
        """The connections break."""
        for writer in self._writers:
            writer.transport.abort()

    def did(self, name: str) -> list[dict[str, str]]:
        """What was asked of this kind."""
        return [action for action in self.asked if action["Action"] == name]


@pytest.fixture
async def pbx() -> AsyncIterator[Pbx]:
    """On a free port."""
    pbx = Pbx()
    server = await asyncio.start_server(pbx.serve, "127.0.0.1", 0)
    pbx.port = server.sockets[0].getsockname()[1]
    yield pbx
    pbx.cut()
    server.close()


@asynccontextmanager
async def connected(pbx: Pbx) -> AsyncIterator[tuple[Actor, "asyncio.Queue[Originated]"]]:
    """A desk login that stands, and what it is told."""
    told: asyncio.Queue[Originated] = asyncio.Queue()
    settings = AmiSettings(
        name="hq", host="127.0.0.1", port=pbx.port, user="desk", secret="x", deadline=0.3, first_retry=0.01
    )
    actor = Actor(settings, told.put_nowait)
    running = asyncio.get_running_loop().create_task(actor.run())
    try:
        async with asyncio.timeout(5):
            await actor.login.up.wait()
        yield actor, told
    finally:
        running.cancel()
        await asyncio.wait({running})


ORDER = Order(
    uniqueid="hotline-1",
    phone="PJSIP/1001",
    context="agents-out",
    exten="13800138000",
    caller_id="4007002505",
    ring=20.0,
)


async def test_an_order_as_the_pbx_gets_it(pbx: Pbx) -> None:
    """In the background, with a Uniqueid of ours; the dialplan is told what it is about."""
    async with connected(pbx) as (actor, _):
        await actor.originate(replace_of(callback="7"))
        await actor.originate(replace_of(phone="Local/1001@from-queue/n"))
    first, second = pbx.did("Originate")
    assert {name: value for name, value in first.items() if name not in ("Action", "ActionID")} == {
        "Channel": "PJSIP/1001",
        "Context": "agents-out",
        "Exten": "13800138000",
        "Priority": "1",
        "Timeout": "20000",
        "CallerID": "<4007002505>",
        "Async": "true",
        "ChannelId": "hotline-1",
        "Variable": "__HOTLINE_CALLBACK=7",
    }
    assert second["OtherChannelId"] == "hotline-1-2"


def replace_of(**changes: Any) -> Order:
    """The order with something else in it."""
    return ORDER._replace(**changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"exten": "138\r\nAction: Originate"},
        {"exten": "13800138000&PJSIP/1"},
        {"exten": "*72"},
        {"exten": "１３８００１３８０００"},
        {"caller_id": '4007002505" <1'},
        {"phone": "PJSIP/1001&PJSIP/1002"},
        {"phone": "PJSIP/1001\r\n"},
        {"context": "agents out"},
        {"callback": "7,__X=1"},
        {"uniqueid": "a\nb"},
    ],
)
async def test_nothing_odd_is_ever_sent(pbx: Pbx, changes: dict[str, str]) -> None:
    """Not even asked for."""
    async with connected(pbx) as (actor, _):
        with pytest.raises(ValueError, match=r"odd|digits"):
            await actor.originate(replace_of(**changes))
    assert not pbx.did("Originate")


async def test_an_order_whose_answer_is_lost_is_not_sent_again(pbx: Pbx) -> None:
    """A customer would be called twice."""
    pbx.deaf.add("Originate")
    async with connected(pbx) as (actor, _):
        with pytest.raises(AmiError, match="did not answer"):
            await actor.originate(ORDER)
        pbx.cut()
        async with asyncio.timeout(5):
            while len(pbx.did("Login")) < 2:  # noqa: ASYNC110 - another connection
                await asyncio.sleep(0.01)
    assert len(pbx.did("Originate")) == 1


async def test_what_became_of_ours_is_told(pbx: Pbx) -> None:
    """And of nobody else's."""
    event = (
        "Event: OriginateResponse\r\nPrivilege: call,all\r\nTimestamp: 1795341614.154788\r\nActionID: x\r\n"
        "Response: Failure\r\nChannel: PJSIP/1001\r\nContext: agents-out\r\nExten: 13800138000\r\nReason: 3\r\n"
        "Uniqueid: {uid}\r\nCallerIDNum: 4007002505\r\nCallerIDName: <unknown>\r\n\r\n"
    )
    async with connected(pbx) as (_, told):
        pbx.tell(event.format(uid="1795341614.7") + event.format(uid="hotline-1"))
        found = await asyncio.wait_for(told.get(), 5)
    assert (found.uniqueid, found.response, found.reason) == ("hotline-1", "Failure", "3")
    assert told.empty()


async def test_members_are_those_of_our_own_list(pbx: Pbx) -> None:
    """Whatever else is written there."""
    async with connected(pbx) as (actor, _):
        rows = await actor.members()
    assert [(row.queue, row.interface) for row in rows] == [
        ("support", "PJSIP/1001"),
        ("sales", "Local/1001@queue-agents"),
        ("support", "PJSIP/1002"),
    ]


async def test_a_pause_and_its_end(pbx: Pbx) -> None:
    """With the reason; one that is no line of text is not sent."""
    async with connected(pbx) as (actor, _):
        await actor.pause("PJSIP/1001", "用餐", paused=True)
        await actor.pause("PJSIP/1001", "用餐", paused=False)
        for odd in ("a\r\nAction: Command", "休" * 27):
            with pytest.raises(ValueError, match="one line"):
                await actor.pause("PJSIP/1001", odd, paused=True)
    on, off = pbx.did("QueuePause")
    assert (on["Interface"], on["Paused"], on["Reason"]) == ("PJSIP/1001", "true", "用餐")
    assert (off["Paused"], "Reason" in off) == ("false", False)


async def test_a_right_that_is_missing_is_named(pbx: Pbx) -> None:
    """For the operator: which class to grant to whom."""
    pbx.denied["QueuePause"] = "Permission denied"
    async with connected(pbx) as (actor, _):
        with pytest.raises(RefusedError):
            await actor.pause("PJSIP/1001", None, paused=True)
        assert actor.login.trouble is not None
        assert re.search(r"grant \[desk\] write = agent", actor.login.trouble)


async def test_without_a_connection_nothing_is_asked() -> None:
    """It is said at once."""
    settings = AmiSettings(name="hq", host="127.0.0.1", port=1, user="desk", secret="x")
    actor = Actor(replace(settings), lambda _told: None)
    with pytest.raises(AmiError, match="not connected yet"):
        await actor.originate(ORDER)


def test_a_uniqueid_of_ours_is_nobody_elses() -> None:
    """And not to be guessed."""
    assert len({new_uniqueid() for _ in range(100)}) == 100
    assert re.fullmatch(r"hotline-[0-9a-f]{16}", new_uniqueid())
