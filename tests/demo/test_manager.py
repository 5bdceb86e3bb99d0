"""To a listener the built-in PBX is an Asterisk: login, refusals, answers to questions, events in real time."""

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from hotline.clock import now
from hotline.demo import manager, tape
from hotline.demo.pbx import DemoAddress, DemoPbx
from hotline.demo.story import Story, load_stories

SPEED = 40.0
BY_NAME = {story.name: story for story in load_stories()}
Connect = Callable[..., Awaitable["Listener"]]


def _rng() -> random.Random:
    return random.Random(3)


class Listener:
    """What the fixture ``connect`` gives; see conftest.py."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    seen: list[dict[str, str]]
    send: Callable[..., None]
    message: Callable[[], Awaitable[dict[str, str]]]
    until: Callable[..., Awaitable[dict[str, str]]]
    list: Callable[..., Awaitable[list[dict[str, str]]]]


def _written(root: Path) -> list[Path]:
    return list(root.rglob("*"))


@contextlib.asynccontextmanager
async def _playing(root: Path, *names: str, speed: float = SPEED) -> AsyncIterator[tuple[DemoPbx, DemoAddress]]:
    stories: list[Story] = [BY_NAME[name] for name in names] or list(BY_NAME.values())
    async with DemoPbx(root, now, _rng(), speed, stories) as demo:
        yield demo, demo.address


class TestLogin:
    """Who comes in."""

    async def test_a_wrong_secret_is_refused_and_the_connection_closed(
        self, connect: Connect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """As Asterisk says it, a second later."""
        monkeypatch.setattr(manager, "REFUSAL_AFTER", 0.01)
        async with _playing(tmp_path) as (_, address):
            listener = await connect(address, login=False)
            listener.send(Action="Login", Username=address.user, Secret="guess")
            assert await listener.message() == {"Response": "Error", "Message": "Authentication failed"}
            assert await listener.message() == {}

    async def test_nothing_is_told_before_login(self, connect: Connect, tmp_path: Path) -> None:
        """Neither events nor answers."""
        async with _playing(tmp_path) as (_, address):
            stranger = await connect(address, login=False)
            await (await connect(address)).until(Event="Newchannel")
            stranger.send(Action="CoreShowChannels", ActionID="7")
            assert await stranger.message() == {
                "Response": "Error",
                "ActionID": "7",
                "Message": "Permission denied",
            }

    async def test_each_start_has_its_own_secret(self, tmp_path: Path) -> None:
        """No default secret anywhere."""
        async with _playing(tmp_path) as (_, first), _playing(tmp_path) as (_, second):
            assert first.secret != second.secret
            assert len(first.secret) >= 16
            assert first.port != second.port

    async def test_who_never_logs_in_is_let_go(
        self, connect: Connect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """After the time that Asterisk gives."""
        monkeypatch.setattr(manager, "LOGIN_WITHIN", 0.05)
        async with _playing(tmp_path) as (_, address):
            assert await (await connect(address, login=False)).message() == {}


class TestAnswers:
    """What is answered to those who ask."""

    async def test_ping_events_unknown_action_goodbye(self, connect: Connect, tmp_path: Path) -> None:
        """The small talk; nothing can be dialled."""
        async with _playing(tmp_path, speed=1.0) as (_, address):
            listener = await connect(address)
            listener.send(Action="Ping", ActionID="p")
            pong = await listener.message()
            assert (pong["Response"], pong["ActionID"], pong["Ping"]) == ("Success", "p", "Pong")
            listener.send(Action="Originate", Channel="PJSIP/1001")
            assert (await listener.message())["Response"] == "Error"
            listener.send(Action="Logoff")
            assert (await listener.message())["Response"] == "Goodbye"
            assert await listener.message() == {}

    async def test_an_idle_pbx_answers_with_empty_complete_lists(self, connect: Connect, tmp_path: Path) -> None:
        """Every list has its end, empty ones too."""
        async with _playing(tmp_path, speed=1.0) as (_, address):
            listener = await connect(address)
            assert await listener.list("CoreShowChannels") == []
            assert await listener.list("Status") == []
            queues = await listener.list("QueueStatus")
            assert [told["Event"] for told in queues].count("QueueMember") == 6
            assert {told["Status"] for told in queues if told["Event"] == "QueueMember"} == {"1"}

    async def test_channels_that_are_up_are_listed_as_they_are(self, connect: Connect, tmp_path: Path) -> None:
        """Waiting, talking, gone: the lists say what the events said."""
        async with _playing(tmp_path, "vip_parcel") as (_, address):
            listener = await connect(address)
            arrived = await listener.until(Event="Newchannel")
            await listener.until(Event="QueueCallerJoin")
            waiting = [told for told in await listener.list("QueueStatus") if told["Event"] == "QueueEntry"]
            assert [told["Uniqueid"] for told in waiting] == [arrived["Uniqueid"]]
            await listener.until(Event="AgentConnect", MemberName="Agent-1002")
            while len({told["Channel"] for told in listener.seen if told.get("Event") == "BridgeEnter"}) < 2:
                await listener.message()
            channels = {told["Channel"]: told for told in await listener.list("CoreShowChannels")}
            caller = channels[arrived["Channel"]]
            assert caller["Linkedid"] == arrived["Uniqueid"]
            assert {told["Linkedid"] for told in channels.values()} == {arrived["Uniqueid"]}
            assert [told["BridgeId"] for told in channels.values()].count(caller["BridgeId"]) == 2
            (status,) = await listener.list("Status", Channel=arrived["Channel"])
            assert (status["Uniqueid"], status["DNID"]) == (arrived["Uniqueid"], "4008001234")
            await listener.until(Event="Hangup", Uniqueid=arrived["Uniqueid"])
            listener.send(Action="Status", ActionID="gone", Channel=arrived["Channel"])
            assert (await listener.until(ActionID="gone"))["Message"] == "No such channel"


class TestEvents:
    """What is told, and when."""

    async def test_no_call_comes_while_nobody_listens(self, connect: Connect, tmp_path: Path) -> None:
        """Calls nobody hears would only fill the disk."""
        async with _playing(tmp_path, "repair", speed=400.0) as (_, address):
            await connect(address, login=False)
            await asyncio.sleep(0.2)  # eighty seconds of the programme
        assert not _written(tmp_path)

    async def test_two_listeners_see_the_same(self, connect: Connect, tmp_path: Path) -> None:
        """Message by message."""
        async with _playing(tmp_path, "gives_up") as (_, address):
            first, second = await connect(address), await connect(address)
            for listener in (first, second):
                call = (await listener.until(Event="Newchannel"))["Uniqueid"]
                await listener.until(Event="Hangup", Uniqueid=call)
            assert first.seen[2:] == second.seen[2:]
            assert len(first.seen) > 20

    async def test_times_are_those_of_the_clock(self, connect: Connect, tmp_path: Path) -> None:
        """Timestamps and Uniqueids are of now, not of the day of the capture."""
        async with _playing(tmp_path, "gives_up") as (_, address):
            listener = await connect(address)
            arrived = await listener.until(Event="Newchannel")
            assert abs(float(arrived["Timestamp"]) - now()) < 5
            assert arrived["Uniqueid"].split(".")[0] == str(int(float(arrived["Timestamp"])))

    async def test_the_same_story_comes_again_with_other_names(self, connect: Connect, tmp_path: Path) -> None:
        """Over and over, each time another call."""
        async with _playing(tmp_path, "repair", speed=200.0) as (_, address):
            listener = await connect(address)
            calls = [(await listener.until(Event="Newchannel", Context="from-carrier"))["Uniqueid"] for _ in range(3)]
            assert len(set(calls)) == 3

    async def test_a_client_that_vanishes_costs_the_others_nothing(self, connect: Connect, tmp_path: Path) -> None:
        """One connection breaks, the other hears the call to its end."""
        async with _playing(tmp_path, "gives_up") as (_, address):
            staying, leaving = await connect(address), await connect(address)
            call = (await leaving.until(Event="Newchannel"))["Uniqueid"]
            leaving.writer.transport.abort()
            await staying.until(Event="Hangup", Uniqueid=call)

    async def test_a_client_that_does_not_read_is_dropped(
        self, connect: Connect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What it does not read must not pile up."""
        monkeypatch.setattr(manager, "UNREAD", -1)
        async with _playing(tmp_path, "gives_up", speed=400.0) as (_, address):
            with pytest.raises((ConnectionError, AssertionError)):
                await (await connect(address)).until(Event="Hangup")

    async def test_stopping_says_so_and_closes(self, connect: Connect, tmp_path: Path) -> None:
        """As a PBX that is shut down."""
        async with _playing(tmp_path) as (_, address):
            listener = await connect(address)
        assert (await listener.message())["Event"] == "Shutdown"
        assert await listener.message() == {}


class TestRecording:
    """What is written."""

    async def test_it_grows_is_finished_and_marked(self, connect: Connect, tmp_path: Path) -> None:
        """While it runs the header holds no sizes; at the end the legs are the story's, sample by sample."""
        story = BY_NAME["repair"]
        async with _playing(tmp_path, story.name) as (_, address):
            listener = await connect(address)
            told = await listener.until(UserEvent="CC400Recording")
            files = [tmp_path / told[key] for key in ("File", "FileRx", "FileTx")]
            await listener.until(Event="AgentConnect")
            assert all(file.read_bytes()[:44] == tape.wav_header(0) for file in files)
            mark = files[0].with_suffix(".done")
            assert not mark.exists()
            await listener.until(Event="Hangup", Uniqueid=told["Uniqueid"])
            deadline = time.monotonic() + 5
            while not mark.exists():
                assert time.monotonic() < deadline
                await asyncio.sleep(0.01)
        assert files[0].parent.relative_to(tmp_path).as_posix() == time.strftime("%Y/%m/%d", time.localtime(now()))
        mixed, rx, tx = (soundfile.read(file, dtype="int16")[0] for file in files)
        for leg, source in zip((rx, tx), story.legs, strict=True):
            assert np.array_equal(leg, soundfile.read(source, dtype="int16")[0])
        assert np.array_equal(mixed, np.clip(rx.astype(np.int32) + tx, -32768, 32767))

    async def test_stopped_in_mid_call_the_files_are_sound(self, connect: Connect, tmp_path: Path) -> None:
        """What was said so far can be heard."""
        async with _playing(tmp_path, "repair") as (_, address):
            listener = await connect(address)
            told = await listener.until(UserEvent="CC400Recording")
            await listener.until(Event="AgentConnect")
        recorded = soundfile.info(tmp_path / told["File"])
        assert 0.0 < recorded.duration < BY_NAME["repair"].seconds
        assert (tmp_path / told["File"]).with_suffix(".done").exists()

    async def test_a_folder_that_cannot_be_written_costs_only_the_recording(
        self, connect: Connect, tmp_path: Path
    ) -> None:
        """The call is told to its end."""
        root = tmp_path / "taken"
        root.write_text("a file where the folder should be")
        async with _playing(root, "gives_up") as (_, address):
            listener = await connect(address)
            call = (await listener.until(Event="Newchannel"))["Uniqueid"]
            await listener.until(Event="Hangup", Uniqueid=call)
