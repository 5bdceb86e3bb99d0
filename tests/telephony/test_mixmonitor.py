"""Recordings that the service starts itself: asked first, never twice, never a command, only names of our own."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from telephony.ami import AmiError, AmiSettings, RefusedError
from telephony.mixmonitor import Files, Start, Starter, files

UID = "1795290138.1"
NAMES = files("4007002505", UID, "2026/11/21")


@dataclass
class Pbx:
    """A manager interface that knows one channel. ``deaf``: actions it does and does not answer."""

    recorded: dict[str, str] = field(default_factory=lambda: {UID: ""})
    may: bool = True
    deaf: set[str] = field(default_factory=set)
    asked: list[dict[str, str]] = field(default_factory=list)
    logins: asyncio.Queue[str] = field(default_factory=asyncio.Queue)
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
                answer = self.answer(action)
                if action["Action"] not in self.deaf:
                    writer.write(f"{answer}\r\nActionID: {action['ActionID']}\r\n\r\n".encode())
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    def answer(self, action: dict[str, str]) -> str:
        """As Asterisk 22.10 was seen to answer."""
        channel = action.get("Channel", "")
        if action["Action"] == "Login":
            self.logins.put_nowait(action["Username"])
        elif action["Action"] in ("Getvar", "MixMonitor"):
            if action["Action"] == "MixMonitor" and not self.may:
                return "Response: Error\r\nMessage: Permission denied"
            if channel not in self.recorded:
                return "Response: Error\r\nMessage: No such channel"
            if action["Action"] == "Getvar":
                return f"Response: Success\r\nVariable: {action['Variable']}\r\nValue: {self.recorded[channel]}"
            self.recorded[channel] = f"/var/spool/asterisk/monitor/{action['File']}"
        return "Response: Success"

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
async def connected(pbx: Pbx) -> AsyncIterator[Starter]:
    """A recorder login that stands."""
    settings = AmiSettings(
        name="hq", host="127.0.0.1", port=pbx.port, user="recorder", secret="x", deadline=0.3, first_retry=0.01
    )
    starter = Starter(settings)
    running = asyncio.get_running_loop().create_task(starter.run())
    try:
        async with asyncio.timeout(5):
            await starter.up.wait()
        yield starter
    finally:
        running.cancel()
        await asyncio.wait({running})


async def test_a_channel_is_recorded_once_with_both_legs_and_no_command(pbx: Pbx) -> None:
    """By its Uniqueid; a second try finds the first one's recording."""
    async with connected(pbx) as starter:
        assert await starter.start(UID, NAMES) is Start.STARTED
        assert await starter.start(UID, NAMES) is Start.ALREADY
    (order,) = pbx.did("MixMonitor")
    assert order["Channel"] == UID
    assert order["File"] == "2026/11/21/4007002505-1795290138.1.wav"
    assert order["Options"] == (
        "r(2026/11/21/4007002505-1795290138.1-rx.wav)t(2026/11/21/4007002505-1795290138.1-tx.wav)"
    )
    assert "Command" not in order


async def test_what_the_dialplan_records_is_left_alone(pbx: Pbx) -> None:
    """MixMonitor sets the variable, whoever started it."""
    pbx.recorded[UID] = "/var/spool/asterisk/monitor/x.wav"
    async with connected(pbx) as starter:
        assert await starter.start(UID, NAMES) is Start.ALREADY
    assert not pbx.did("MixMonitor")


async def test_a_call_that_is_over_is_no_trouble(pbx: Pbx) -> None:
    """The caller hung up before we came."""
    pbx.recorded.clear()
    async with connected(pbx) as starter:
        assert await starter.start(UID, NAMES) is Start.GONE
        assert starter.trouble is None


async def test_without_the_right_the_operator_is_told_what_to_grant(pbx: Pbx) -> None:
    """And nothing is tried behind the PBX's back."""
    pbx.may = False
    async with connected(pbx) as starter:
        with pytest.raises(RefusedError, match="write = system,reporting"):
            await starter.start(UID, NAMES)
        assert "Permission denied" in (starter.trouble or "")


async def test_an_answer_that_is_lost_does_not_double_the_recording(pbx: Pbx) -> None:
    """It was done and not answered: the next try asks, and sees."""
    pbx.deaf.add("MixMonitor")
    async with connected(pbx) as starter:
        with pytest.raises(AmiError, match="did not answer"):
            await starter.start(UID, NAMES)
        assert await starter.start(UID, NAMES) is Start.ALREADY
    assert len(pbx.did("MixMonitor")) == 1


async def test_a_broken_connection_comes_back_by_itself(pbx: Pbx) -> None:
    """Until then a start fails at once, for the job to repeat."""
    async with connected(pbx) as starter:
        pbx.cut()
        async with asyncio.timeout(5):
            assert [await pbx.logins.get() for _ in range(2)] == ["recorder", "recorder"]
            await starter.up.wait()
        assert await starter.start(UID, NAMES) is Start.STARTED


async def test_before_it_stands_a_start_fails_and_says_why() -> None:
    """No PBX, no recording."""
    with pytest.raises(AmiError, match="not connected yet"):
        await Starter(AmiSettings(name="hq", host="127.0.0.1", port=1, user="r", secret="x")).start(UID, NAMES)


@pytest.mark.parametrize(
    ("number", "uniqueid", "day"),
    [
        ("4007002505", "../../etc/cron.d/x", "2026/11/21"),
        ("4007002505", "1.1)t(/tmp/x.wav", "2026/11/21"),
        ("4007002505", "1.1\r\nCommand: touch x", "2026/11/21"),
        ("4007002505", "", "2026/11/21"),
        ("4007002505", "1..1", "2026/11/21"),
        ("400/../7", "1.1", "2026/11/21"),
        ("4007002505", "1.1", "../../.."),
    ],
)
def test_names_are_made_of_nothing_odd(number: str, uniqueid: str, day: str) -> None:
    """Neither a way out of the folder nor an option of MixMonitor."""
    with pytest.raises(ValueError, match="no name"):
        files(number, uniqueid, day)
    assert files("4007002505", "pbx-1795290138.1", "2026/11/21") == Files(
        "2026/11/21/4007002505-pbx-1795290138.1.wav",
        "2026/11/21/4007002505-pbx-1795290138.1-rx.wav",
        "2026/11/21/4007002505-pbx-1795290138.1-tx.wav",
    )
