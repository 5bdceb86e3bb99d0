"""Recordings of a real Asterisk: started by the service where the dialplan records nothing, and messages left."""

import asyncio
import io
import wave
from array import array
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from storage.migrate import upgrade
from tests.pbx.admin import phones
from tests.pbx.service import BOSS, Service, get, hire, logged_in, pbx_toml, serving, site_toml

if TYPE_CHECKING:
    import aiohttp

    from tests.pbx.conftest import OwnLab
    from tests.pbx.labs import Lab

pytestmark = [pytest.mark.pbx, pytest.mark.timeout(120)]

SECRET = "a-secret-of-this-test"
RECORDER = f"""
[recorder]
secret = {SECRET}
deny = 0.0.0.0/0.0.0.0
permit = 127.0.0.0/255.0.0.0
read =
write = system,reporting
"""
LEG = 250  # RMS; an empty line has 8


@dataclass
class Day:
    """The call that an agent took and handed on, and the one that ended in a message; both as the API tells them."""

    taken: dict[str, Any] = field(default_factory=dict)
    message: dict[str, Any] = field(default_factory=dict)
    missed: list[dict[str, Any]] = field(default_factory=list)
    heard: dict[str, bytes] = field(default_factory=dict)
    status: dict[str, Any] = field(default_factory=dict)
    log: str = ""


@pytest.fixture(scope="module", params=["22", pytest.param("16", marks=pytest.mark.long)])
def day(request: pytest.FixtureRequest, own_lab: "OwnLab", tmp_path_factory: pytest.TempPathFactory) -> Day:
    """A PBX that records nothing on one of its numbers, and gives up its queue after two seconds."""
    lab = own_lab("recordings", request.param)
    with (lab.etc / "manager.conf").open("a", encoding="utf-8") as file:
        file.write(RECORDER)
    dialplan = (lab.etc / "extensions.conf").read_text(encoding="utf-8")
    for old, new in (
        (" same => n,Set(REC=", ' same => n,GotoIf($["${CC_DID}" = "4008001234"]?unrecorded)\n same => n,Set(REC='),
        (" same => n,Return()\n\n[fallback]", " same => n(unrecorded),Return()\n\n[fallback]"),
        ("Queue(ringall,trk,,,30)", "Queue(ringall,trk,,,2)"),
        ("Playback(vm-intro)", "Playback(beep)"),
        (".wav,4,30,k)", ".wav,4,3,k)"),
        ("Playback(vm-goodbye)", "NoOp()"),
    ):
        assert old in dialplan, old
        dialplan = dialplan.replace(old, new)
    (lab.etc / "extensions.conf").write_text(dialplan, encoding="utf-8")
    lab.reload()
    return asyncio.run(_work(lab, tmp_path_factory.mktemp("recordings")))


async def _work(lab: "Lab", folder: Path) -> Day:
    day = Day()
    url = f"sqlite+aiosqlite:///{folder / 'hotline.db'}"
    await upgrade(url)
    await hire(url)
    recorder = f'[pbx.recorder]\nuser = "recorder"\nsecret_file = "{folder / "secret"}"'
    (folder / "secret").write_text(SECRET)
    config = pbx_toml(lab, more=recorder) + site_toml(lab.recordings).replace("[recordings]", "[recordings]\nwait = 1")
    secrets = {f"SECRET_OF_{lab.ami_port}": lab.secret, "HOTLINE_DATABASE_URL": url}
    service = Service(folder / "service", config, secrets)
    async with serving(service), logged_in(service.address, BOSS) as boss, phones(lab) as people:
        people.answer = {"1001": 0.5}
        call = await people.call("4008001234")
        await asyncio.sleep(3)
        people.answer = {"1003": 0.5}
        (agent,) = [one for one in people.agents["1001"].calls.values() if one.state == "up"]
        agent.refer("1003")
        await asyncio.sleep(3)
        call.hangup()
        people.answer = {}
        call = await people.call("4008001234", from_user="13900001111")
        await asyncio.wait_for(call.ended.wait(), 20)
        day.taken = await _complete(boss, "answered")
        day.message = await _complete(boss, "voicemail")
        day.missed = (await get(boss, "/api/tickets?missed=1"))["tickets"]
        for leg, address in day.taken["recordings"][0]["legs"].items():
            day.heard[leg] = await _sound(boss, address)
        day.heard["message"] = await _sound(boss, day.message["recordings"][0]["legs"]["caller"])
        day.status = await get(boss, "/api/status")
    day.log = service.log
    return day


async def _complete(boss: "aiohttp.ClientSession", outcome: str) -> dict[str, Any]:
    """The call with this outcome, once all its recordings hang on it."""
    wanted = {"answered": 1, "voicemail": 2}[outcome]
    async with asyncio.timeout(25):
        while True:
            tickets = (await get(boss, "/api/tickets"))["tickets"]
            for ticket in tickets:
                for item in (await get(boss, f"/api/tickets/{ticket['id']}"))["call_list"]:
                    if item["outcome"] == outcome:
                        found: dict[str, Any] = await get(boss, f"/api/calls/{item['call']}")
                        if len(found["recordings"]) == wanted:
                            return found
            await asyncio.sleep(0.3)


async def _sound(boss: "aiohttp.ClientSession", address: str) -> bytes:
    async with boss.get(address) as answer:
        assert answer.status == 200
        return await answer.read()


def _loud(wav: bytes, start: float, end: float) -> float:
    """RMS of a stretch."""
    with wave.open(io.BytesIO(wav)) as file:
        rate = file.getframerate()
        samples = array("h", file.readframes(file.getnframes()))[int(start * rate) : int(end * rate)]
    assert samples
    return float((sum(sample * sample for sample in samples) / len(samples)) ** 0.5)


def test_a_call_is_recorded_that_the_dialplan_does_not_record(day: Day) -> None:
    """From its first second, both legs, through the transfer, complete though it has no mark."""
    (recording,) = day.taken["recordings"]
    assert recording["kind"] == "call"
    assert set(recording["legs"]) == {"mix", "caller", "agent"}
    assert recording["seconds"] == pytest.approx(day.taken["ended"] - day.taken["arrived"], abs=1.5)
    assert _loud(day.heard["caller"], 0.5, 6) > LEG
    told = [event for event in day.taken["events"] if event["kind"] == "recorded"]
    assert told[0]["detail"]["files"][0].startswith("20")
    assert not day.taken["alarms"]


def test_each_agent_has_a_window_in_which_the_talk_is(day: Day) -> None:
    """Who spoke when is right to the second.

    The caller is heard in both. Of the second agent Asterisk itself records nothing in every other transfer like this
    one (docs/recordings.md), so there the caller's leg must do.
    """
    talk = day.taken["recordings"][0]["talk"]
    assert [window["agent"] for window in talk] == ["1001", "1003"]
    for window in talk:
        assert _loud(day.heard["caller"], window["start"] + 0.5, window["end"] - 0.3) > LEG
    assert _loud(day.heard["agent"], talk[0]["start"] + 0.5, talk[0]["end"] - 0.3) > LEG
    assert talk[0]["end"] <= talk[1]["start"]


def test_a_message_is_a_recording_on_a_ticket_to_call_back(day: Day) -> None:
    """Playable, a few seconds of the caller's voice, first on the page."""
    first, second = day.message["recordings"]
    assert (first["kind"], second["kind"]) == ("voicemail", "call")
    assert 1 < first["seconds"] < 6
    assert _loud(day.heard["message"], 0.2, 6) > LEG
    assert day.message["ticket"]["id"] in [ticket["id"] for ticket in day.missed]


def test_the_operator_is_told_what_the_login_may(day: Day) -> None:
    """At every start; and that it stands."""
    assert "shell commands" in day.log
    assert day.status["recordings"]["recorders"] == {"lab": None}
