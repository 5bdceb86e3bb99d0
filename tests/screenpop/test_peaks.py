"""What a recording looks like: for who may hear it, of what they may hear; looking is not listening."""

import wave
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from aiohttp.test_utils import TestClient, TestServer

from screenpop.peaks import OUTLINES
from screenpop.sounds import ClosedError, Locked, Sound, Why, WithheldError
from storage.pages import CallPage
from storage.records import RecordingRow
from storage.sealed_file import Keys, Sealed, seal

if TYPE_CHECKING:
    from telephony.call import CallKey
    from tests.screenpop.conftest import House, Visit

KEYS = Keys("k1", {"k1": b"\7" * 32})
RATE = 8000


def tone(path: Path, spans: list[tuple[float, float]], seconds: float = 6.0, loud: int = 16_384) -> None:
    """A tone in those spans of seconds, silence elsewhere."""
    at = np.arange(round(seconds * RATE))
    sound = np.zeros(len(at))
    for begins, ends in spans:
        here = slice(round(begins * RATE), round(ends * RATE))
        sound[here] = loud * np.cos(2 * np.pi * 400 * at[here] / RATE)
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes(sound.astype("<i2").tobytes())


async def talked(house: "House") -> "CallKey":
    """A call of six seconds: the caller speaks from 1 to 2, the agent from 2.5 to 3."""
    call = await house.answered(recorded=False)
    rx, tx = f"{call.linkedid}-rx.wav", f"{call.linkedid}-tx.wav"
    tone(house.recordings / rx, [(1, 2)])
    tone(house.recordings / tx, [(2.5, 3)])
    await house.ledger.link_recording(call, RecordingRow(rx, tx, None, 6.0), house.time)
    return call


def sounding(lane: dict[str, Any], step: float) -> tuple[float, float]:
    """From when to when a lane is not silent, in seconds."""
    heard = [number for number, peak in enumerate(lane["peaks"]) if peak]
    return round(heard[0] * step, 3), round((heard[-1] + 1) * step, 3)


async def test_both_sides_as_they_sound(house: "House", visit: "Visit") -> None:
    """Each lane where its speaker speaks, pauses where nobody does; the page's address and the API's say the same."""
    call = await talked(house)
    li = await visit("li")
    found = await li.json(f"/calls/{call}/peaks/0")
    assert found == await li.json(f"/api/calls/{call}/peaks/0")
    assert [lane["leg"] for lane in found["lanes"]] == ["caller", "agent"]
    assert [sounding(lane, found["step"]) for lane in found["lanes"]] == [(1.0, 2.0), (2.5, 3.0)]
    assert {peak for lane in found["lanes"] for peak in lane["peaks"]} <= {0, *range(100, 129)}
    assert found["quiet"] == [[3.2, 5.8]]
    assert found["seconds"] == 6.0
    assert not await house.audit.rows(what=None, subject=str(call)), "looking is not listening"


async def test_who_may_not_hear_does_not_see(house: "House", visit: "Visit") -> None:
    """Nobody, a colleague, an address that is none; a recording that was deleted, and a file that is gone."""
    call = await talked(house)
    assert (await (await visit(None)).get(f"/api/calls/{call}/peaks/0")).status == 401
    assert (await (await visit("wang")).get(f"/api/calls/{call}/peaks/0")).status == 403
    li = await visit("li")
    assert (await li.get(f"/api/calls/{call}/peaks/1")).status == 404
    (house.recordings / f"{call.linkedid}-tx.wav").unlink()
    assert (await li.get(f"/api/calls/{call}/peaks/0")).status == 404
    (house.recordings / f"{call.linkedid}-tx.wav").write_bytes(b"no sound at all")
    assert (await li.get(f"/api/calls/{call}/peaks/0")).status == 415


async def test_another_file_of_that_name_is_another_outline(house: "House", visit: "Visit") -> None:
    """What is remembered goes by what the file is."""
    call = await talked(house)
    li = await visit("li")
    first = await li.json(f"/calls/{call}/peaks/0")
    tone(house.recordings / f"{call.linkedid}-rx.wav", [(1, 1.5)], seconds=7.0)
    second = await li.json(f"/calls/{call}/peaks/0")
    assert sounding(first["lanes"][0], first["step"]) == (1.0, 2.0)
    assert sounding(second["lanes"][0], second["step"]) == (1.0, 1.5)


async def test_a_mix_is_one_lane_and_what_no_browser_plays_is_none(house: "House", visit: "Visit") -> None:
    """As the player has it."""
    li = await visit("li")
    for name, status in (("mix.wav", 200), ("mix.gsm", 404)):
        call = await house.answered(recorded=False)
        tone(house.recordings / name, [(1, 2)])
        await house.ledger.link_recording(call, RecordingRow(None, None, name, 6.0), house.time)
        answer = await li.get(f"/calls/{call}/peaks/0")
        assert answer.status == status, name
        if status == 200:
            assert [lane["leg"] for lane in (await answer.json())["lanes"]] == ["mix"]


class Policy:
    """Ears of a line with a policy: agents hear the copy, once it is there; the original lies sealed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state: Why | None = Why.NOT_YET
        self.locked: dict[str, Locked] = {}

    async def sound(self, page: CallPage, row: RecordingRow, leg: str, *, unmasked: bool) -> Sound:
        """What this one hears."""
        del page
        if not unmasked:
            if self.state is not None:
                raise WithheldError(self.state)
            return Sound(self.folder / f"copy-{leg}.wav", f"copy-{leg}.wav", masked=True)
        name = {"rx": row.rx, "tx": row.tx}[leg]
        assert name is not None
        if not self.locked:
            raise ClosedError("the key is not here")
        return Sound(self.locked[leg], name, unmasked=True)

    async def withheld(self, page: CallPage, *, unmasked: bool) -> dict[str, Why]:
        """Which are not for them."""
        return {} if unmasked or self.state is None else {row.name: self.state for row in page.recordings}


async def test_each_sees_what_they_hear(house: "House") -> None:
    """Nothing while it is withheld; then the copy with its tone for the agent, the sealed original for a supervisor."""
    from tests.screenpop.conftest import PASSWORD, Visitor  # noqa: PLC0415

    call = await talked(house)
    ears = Policy(house.recordings)
    app = house.app(ears=ears)
    server = TestServer(app)
    await server.start_server()
    people: dict[str, Visitor] = {}
    try:
        for login in ("li", "zhao"):
            people[login] = Visitor(TestClient(server))
            await people[login].post("/login", {"login": login, "password": PASSWORD})
        address = f"/calls/{call}/peaks/0"
        assert (await people["li"].get(address)).status == 409
        assert (await people["zhao"].get(address)).status == 423
        ears.state = None
        for leg in ("rx", "tx"):
            tone(house.recordings / f"copy-{leg}.wav", [(1.2, 1.4)])
            plain = house.recordings / f"{call.linkedid}-{leg}.wav"
            seal(plain, house.recordings / f"{leg}.sealed", KEYS, f"{call}/{leg}")
            plain.unlink()
            ears.locked[leg] = Sealed(house.recordings / f"{leg}.sealed", KEYS, f"{call}/{leg}")
        agent, supervisor = [await people[login].json(address) for login in ("li", "zhao")]
        assert sounding(agent["lanes"][0], agent["step"]) == (1.2, 1.4)
        assert sounding(supervisor["lanes"][0], supervisor["step"]) == (1.0, 2.0)
        assert sounding((await people["li"].json(address))["lanes"][0], agent["step"]) == (1.2, 1.4), "not the other's"
    finally:
        for person in people.values():
            await person.client.close()
        await server.close()


@pytest.mark.parametrize("most", [1])
async def test_only_the_last_ones_are_remembered(
    most: int, house: "House", visit: "Visit", monkeypatch: pytest.MonkeyPatch
) -> None:
    """Memory does not grow with the calls somebody looks at."""
    import screenpop.peaks  # noqa: PLC0415

    monkeypatch.setattr(screenpop.peaks, "KEPT", most)
    li = await visit("li")
    for _ in range(3):
        await li.json(f"/calls/{await talked(house)}/peaks/0")
    assert isinstance(li.client.server, TestServer)
    app = li.client.server.app
    assert app is not None
    assert len(app[OUTLINES]._made) == most
