"""Who hears what of a recording with a card in it: the copy with a tone, the original, or nothing yet."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from screenpop.sounds import ClosedError, Ears, Locked, Sound, Why, WithheldError
from storage.audit import What
from storage.pages import CallPage
from storage.records import RecordingRow
from storage.sealed_file import Keys, Sealed, seal
from transcription.transcript import Transcript

if TYPE_CHECKING:
    from tests.screenpop.conftest import House, Visitor

KEYS = Keys("k1", {"k1": b"\7" * 32})


class Policy:
    """Ears of a line with a policy. ``state``: of the copy; ``locked``: the original lies sealed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state: Why | None = Why.NOT_YET
        self.locked: Locked | None = None
        self.closed = False
        self.clean: str | None = None  # a leg in which nothing is masked

    async def sound(self, page: CallPage, row: RecordingRow, leg: str, *, unmasked: bool) -> Sound:
        """What this one hears."""
        del page
        if not unmasked and self.state is not None:
            raise WithheldError(self.state)
        if not unmasked:
            return Sound(self.folder / "copy.wav", "bleeped.wav", masked=True)
        if self.closed:
            raise ClosedError("the key is not here")
        name = {"rx": row.rx, "tx": row.tx}[leg]
        assert name is not None
        return Sound(self.locked or self.folder / name, name, unmasked=leg != self.clean)

    async def withheld(self, page: CallPage, *, unmasked: bool) -> dict[str, Why]:
        """Which are not."""
        return {} if unmasked or self.state is None else {row.name: self.state for row in page.recordings}


class Served:
    """The application with such ears, and visitors to it."""

    def __init__(self, house: "House", ears: Policy) -> None:
        self.house, self.ears = house, ears
        self.server = TestServer(house.app(ears=ears))
        self.clients: list[TestClient[Any, Any]] = []

    async def visit(self, login: str) -> "Visitor":
        """Somebody logged in."""
        from tests.screenpop.conftest import PASSWORD, Visitor  # noqa: PLC0415

        client: TestClient[Any, Any] = TestClient(self.server)
        self.clients.append(client)
        visitor = Visitor(client)
        assert (await visitor.post("/login", {"login": login, "password": PASSWORD})).status == 303
        return visitor


@pytest.fixture
async def served(house: "House") -> Any:
    """The house, with a policy."""
    made = Served(house, Policy(house.recordings))
    await made.server.start_server()
    yield made
    for client in made.clients:
        await client.close()
    await made.server.close()


async def test_an_agent_waits_for_the_copy_and_a_supervisor_does_not(served: Served) -> None:
    """Refused with words, shown with words, in the API too; never the original."""
    call = await served.house.answered("1001")
    li, zhao = await served.visit("li"), await served.visit("zhao")
    for state, words in ((Why.NOT_YET, "转写完成"), (Why.NEVER, "请由主管收听")):
        served.ears.state = state
        for more in ("", "?download=1"):
            assert (await li.get(f"/calls/{call}/audio/0/caller{more}")).status == 409
        page = await li.text(f"/calls/{call}")
        assert words in page
        assert "<audio" not in page
        assert "download=1" not in page
        assert (await li.json(f"/api/calls/{call}"))["recordings"][0]["withheld"] == state.value
    assert not await served.house.audit.rows(what=What.LISTENED)
    assert (await zhao.get(f"/calls/{call}/audio/0/caller")).status == 200
    assert "<audio" in await zhao.text(f"/calls/{call}")
    assert (await zhao.json(f"/api/calls/{call}"))["recordings"][0]["withheld"] is None


async def test_a_page_looks_again_until_its_recording_may_be_heard(served: Served) -> None:
    """Where the transcript is there already."""
    call = await served.house.answered("1001")
    await served.house.ledger.said(call, Transcript((), "scripted", "own"), None, served.house.time)
    li = await served.visit("li")
    address = f"/calls/{call}/state?sound=1"
    assert "/state?sound=1" in await li.text(f"/calls/{call}")
    assert "data-ready" not in await li.text(address)
    assert "data-ready" in await li.text(f"/calls/{call}/state")
    served.ears.state = None
    assert "data-ready" in await li.text(address)
    assert "/state?sound=1" not in await li.text(f"/calls/{call}")


async def test_each_hears_their_own_and_the_original_is_on_record_as_that(served: Served) -> None:
    """In pieces, too."""
    call = await served.house.answered("1001")
    served.ears.state = None
    (served.house.recordings / "copy.wav").write_bytes(b"copy" * 100)
    li, zhao = await served.visit("li"), await served.visit("zhao")
    whole = (served.house.recordings / f"{call.linkedid}-rx.wav").read_bytes()
    piece = {"Range": "bytes=4-11"}
    assert await (await li.get(f"/calls/{call}/audio/0/caller", headers=piece)).read() == b"copycopy"
    assert await (await zhao.get(f"/calls/{call}/audio/0/caller", headers=piece)).read() == whole[4:12]
    rows = {row.who: row.detail for row in await served.house.audit.rows(what=What.LISTENED)}
    assert rows == {"li": {"leg": "caller"}, "zhao": {"leg": "caller", "unmasked": True}}


async def test_an_original_is_on_record_whatever_was_heard_before_it(served: Served) -> None:
    """The other side, in which nothing is masked, does not stand for it."""
    call = await served.house.answered("1001")
    served.ears.clean = "rx"
    zhao = await served.visit("zhao")
    for leg in ("caller", "agent", "caller", "agent"):
        await zhao.get(f"/calls/{call}/audio/0/{leg}")
    rows = [row.detail for row in await served.house.audit.rows(what=What.LISTENED)]
    assert rows == [{"leg": "agent", "unmasked": True}, {"leg": "caller"}]


@pytest.mark.parametrize(
    ("asked", "status", "piece"),
    [
        (None, 200, slice(None)),
        ("bytes=0-", 206, slice(None)),
        ("bytes=65530-65600", 206, slice(65530, 65601)),
        ("bytes=-7", 206, slice(-7, None)),
        ("bytes=131072-999999", 206, slice(131072, None)),
        ("bytes=200000-", 416, None),
        ("bytes=9-3", 416, None),
        ("lines=1-2", 200, slice(None)),
        ("bytes=0-1,5-6", 200, slice(None)),
    ],
)
async def test_a_sealed_original_is_opened_on_the_way(
    asked: str | None, status: int, piece: slice | None, served: Served
) -> None:
    """Any piece of it, as of a file that lies in the clear."""
    call = await served.house.answered("1001")
    plain = served.house.recordings / f"{call.linkedid}-rx.wav"
    content = bytes(range(256)) * 600
    plain.write_bytes(content)
    seal(plain, plain.with_suffix(".sealed"), KEYS, "x")
    served.ears.locked = Sealed(plain.with_suffix(".sealed"), KEYS, "x")
    zhao = await served.visit("zhao")
    answer = await zhao.get(f"/calls/{call}/audio/0/caller", headers={"Range": asked} if asked else {})
    assert answer.status == status
    if piece is not None:
        assert await answer.read() == content[piece]
        assert answer.headers["Accept-Ranges"] == "bytes"
        assert answer.headers["Content-Type"] == "audio/wav"
        assert int(answer.headers["Content-Length"]) == len(content[piece])
    head = await zhao.ask("HEAD", f"/calls/{call}/audio/0/caller", headers={"Range": "bytes=3-5"})
    assert (head.status, head.headers["Content-Length"]) == (200, str(len(content)))
    assert len(await served.house.audit.rows(what=What.LISTENED)) == (status != 416)


async def test_without_its_key_a_recording_says_so(served: Served) -> None:
    """423, and nothing on record as heard."""
    call = await served.house.answered("1001")
    served.ears.closed = True
    zhao = await served.visit("zhao")
    answer = await zhao.get(f"/calls/{call}/audio/0/caller")
    assert answer.status == 423
    assert "录音已加密" in await answer.text()
    assert not await served.house.audit.rows(what=What.LISTENED)


async def test_a_copy_of_what_no_browser_plays_can_be_played(served: Served) -> None:
    """The copy is a WAV, whatever the PBX wrote."""
    served.ears.state = None
    (served.house.recordings / "copy.wav").write_bytes(b"copy")
    call = await served.house.answered("1001", recorded=False)
    await served.house.ledger.link_recording(call, replace(RecordingRow("a.WAV", None, None, 1.0)), served.house.time)
    answer = await (await served.visit("li")).get(f"/calls/{call}/audio/0/caller?download=1")
    assert answer.headers["Content-Disposition"].endswith('-caller.wav"')


def ears_fit(policy: Policy) -> Ears:
    """The types agree."""
    return policy
