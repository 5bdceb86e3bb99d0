"""Recordings: to whom they concern, in the pieces a player asks for, never anything else, and always on record."""

import asyncio
from typing import TYPE_CHECKING

import pytest

from screenpop.audio import kind_of
from screenpop.lately import QUIET, Lately
from storage.audit import What
from storage.records import RecordingRow
from storage.trouble import StorageError, Trouble
from telephony.call import CallKey

if TYPE_CHECKING:
    from tests.screenpop.conftest import House, Visit

WHOLE = 44 + 2 * 8000 * 2  # header, seconds, rate, bytes


@pytest.mark.parametrize(("login", "status"), [("li", 200), ("wang", 403), ("zhao", 200), ("root", 200), (None, 303)])
async def test_who_hears_a_recording(login: str | None, status: int, house: "House", visit: "Visit") -> None:
    """The agent who talked, supervisors and administrators."""
    call = await house.answered("1001")
    answer = await (await visit(login)).get(f"/calls/{call}/audio/0/caller")
    assert answer.status == status
    if status == 200:
        assert answer.headers["Content-Type"] == "audio/wav"
        assert answer.headers["Cache-Control"] == "private, no-store"
        assert len(await answer.read()) == WHOLE


async def test_both_agents_of_a_transferred_call_hear_it(house: "House", visit: "Visit") -> None:
    """The call concerns everybody who talked in it."""
    from telephony.call import Answered  # noqa: PLC0415

    call = await house.answered("1001")
    await house.ledger.record(Answered(call=call, at=house.time + 9, agent="1002"), now=house.time)
    assert (await (await visit("wang")).get(f"/calls/{call}/audio/0/agent")).status == 200


@pytest.mark.parametrize(
    ("asked", "status", "piece"),
    [
        ("bytes=0-", 206, (0, WHOLE)),
        ("bytes=100-199", 206, (100, 100)),
        ("bytes=-10", 206, (WHOLE - 10, 10)),
        (f"bytes=-{WHOLE + 9}", 206, (0, WHOLE)),
        (f"bytes=9-{WHOLE + 9}", 206, (9, WHOLE - 9)),
        (f"bytes={WHOLE}-", 416, None),
        ("bytes=9-3", 416, None),
    ],
)
async def test_pieces(asked: str, status: int, piece: tuple[int, int] | None, house: "House", visit: "Visit") -> None:
    """A player seeks by asking for ranges."""
    call = await house.answered()
    answer = await (await visit("li")).get(f"/calls/{call}/audio/0/caller", headers={"Range": asked})
    assert answer.status == status
    if piece is not None:
        first, length = piece
        whole = (house.recordings / f"{call.linkedid}-rx.wav").read_bytes()
        assert await answer.read() == whole[first : first + length]
        assert answer.headers["Content-Range"] == f"bytes {first}-{first + length - 1}/{WHOLE}"


@pytest.mark.parametrize("asked", ["bytes=0-4,10-14", "items=0-5", "items=0-5,8-9"])
async def test_what_is_no_piece_is_the_whole(asked: str, house: "House", visit: "Visit") -> None:
    """Several pieces, or pieces of something else: a server may, and must, send all of it."""
    call = await house.answered()
    answer = await (await visit("li")).get(f"/calls/{call}/audio/0/caller", headers={"Range": asked})
    assert answer.status == 200
    assert len(await answer.read()) == WHOLE


async def test_a_piece_of_another_version_is_the_whole(house: "House", visit: "Visit") -> None:
    """A recording that was bleeped anew meanwhile is not put together of two; a HEAD asks for no piece."""
    call = await house.answered()
    li, path = await visit("li"), f"/calls/{call}/audio/0/caller"
    tag = (await li.ask("HEAD", path)).headers["ETag"]
    for condition, status in ((tag, 206), ('"another"', 200), ('W/"another"', 200)):
        answer = await li.get(path, headers={"Range": "bytes=5-9", "If-Range": condition})
        assert answer.status == status, condition
        assert len(await answer.read()) == (5 if status == 206 else WHOLE)
    head = await li.ask("HEAD", path, headers={"Range": "bytes=5-9"})
    assert (head.status, head.headers["Content-Length"]) == (200, str(WHOLE))


async def test_each_listen_is_on_record_once(house: "House", visit: "Visit") -> None:
    """However many pieces and legs a player asks for, whichever first; again after a pause, and for each person."""
    call = await house.answered()
    li = await visit("li")

    async def listens() -> list[str]:
        rows = await house.audit.rows(what=What.LISTENED)
        assert all(row.subject == str(call) for row in rows)
        return [row.who for row in rows]

    for piece in ("bytes=1-", "bytes=0-", "bytes=500-900"):
        for leg in ("caller", "agent"):
            await li.get(f"/calls/{call}/audio/0/{leg}", headers={"Range": piece})
    assert await listens() == ["li"]
    house.time += QUIET
    await li.get(f"/calls/{call}/audio/0/caller")
    assert await listens() == ["li", "li"]
    await (await visit("zhao")).get(f"/calls/{call}/audio/0/caller")
    assert await listens() == ["zhao", "li", "li"]


async def test_looking_is_no_listening(house: "House", visit: "Visit") -> None:
    """The call's page and a HEAD leave no entry: the page loads no sound by itself."""
    call = await house.answered()
    zhao = await visit("zhao")
    page = await zhao.text(f"/calls/{call}")
    assert 'preload="none"' in page
    assert (await zhao.ask("HEAD", f"/calls/{call}/audio/0/caller")).status == 200
    assert not await house.audit.rows(what=What.LISTENED)


async def test_a_download_is_on_record_as_one(house: "House", visit: "Visit") -> None:
    """It leaves the house, so it has a word of its own, and a harmless file name."""
    call = await house.answered()
    answer = await (await visit("li")).get(f"/calls/{call}/audio/0/agent?download=1")
    assert answer.headers["Content-Disposition"] == f'attachment; filename="main_{call.linkedid}-agent.wav"'
    assert [row.what for row in await house.audit.rows(subject=str(call))] == [What.DOWNLOADED]


@pytest.mark.parametrize(
    "piece",
    ["../../../etc/passwd", "..%2f..%2fetc%2fpasswd", "0/..%2f..%2fhotline.db", "0/../../x", "-1/caller", "9/caller"],
)
async def test_no_way_out_by_the_address(piece: str, house: "House", visit: "Visit") -> None:
    """What is in an address picks among the call's recordings and can name nothing else."""
    call = await house.answered()
    zhao = await visit("zhao")
    from yarl import URL  # noqa: PLC0415

    url = zhao.client.make_url("/").join(URL(f"/calls/{call}/audio/{piece}", encoded=True))
    answer = await zhao.client.session.get(url, allow_redirects=False)
    assert answer.status == 404


@pytest.mark.parametrize("name", ["../hotline.db", "/etc/passwd", "gone.wav", "link.wav"])
async def test_no_way_out_by_a_name_in_the_database(name: str, house: "House", visit: "Visit") -> None:
    """A PBX said the name: it is resolved below the recordings root, links included."""
    (house.recordings / "link.wav").symlink_to("/etc/passwd")
    call = await house.answered(recorded=False)
    await house.ledger.link_recording(call, RecordingRow(name, None, None, 1.0), house.time)
    assert (await (await visit("zhao")).get(f"/calls/{call}/audio/0/caller")).status == 404
    assert not await house.audit.rows(what=What.LISTENED)


async def test_what_no_browser_plays_is_said_and_can_be_downloaded(house: "House", visit: "Visit") -> None:
    """GSM and the like: 415 with words, the page offers the file, a listen is not written down."""
    (house.recordings / "a.gsm").write_bytes(b"x" * 33)
    call = await house.answered(recorded=False)
    await house.ledger.link_recording(call, RecordingRow(None, None, "a.gsm", 1.0), house.time)
    li = await visit("li")
    refused = await li.get(f"/calls/{call}/audio/0/mix", headers={"Accept": "*/*"})
    assert refused.status == 415
    assert "download" in (await refused.json())["detail"]
    assert not await house.audit.rows(what=What.LISTENED)
    assert "可以下载收听" in await li.text(f"/calls/{call}")
    assert await (await li.get(f"/calls/{call}/audio/0/mix?download=1")).read() == b"x" * 33


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.wav", "audio/wav"),
        ("a.WAV", None),
        ("2026/11/a.mp3", "audio/mpeg"),
        ("a.opus", "audio/ogg"),
        ("a.ulaw", None),
        ("a.sln16", None),
        ("a", None),
    ],
)
def test_what_browsers_play(name: str, kind: str | None) -> None:
    """Asterisk's ``.WAV`` in capitals is GSM in a WAV."""
    assert kind_of(name) == kind


async def test_each_is_written_down_once_and_what_was_not_is_not() -> None:
    """A clock that jumps back: rather one entry too many; an entry that failed is tried again; none overtakes it."""
    listens, call, written = Lately(), CallKey("main", "1"), list[float]()

    gone_on = list[list[float]]()

    async def listen(who: int, now: float, *, works: bool = True) -> None:
        async def write() -> None:
            await asyncio.sleep(0)
            if not works:
                raise StorageError(Trouble.AWAY, "the database is away")
            written.append(now)

        await listens.once((who, call), now, write)
        gone_on.append([*written])

    for who, now in ((1, 1000.0), (1, 1001.0), (1, 500.0), (2, 501.0)):
        await listen(who, now)
    assert written == [1000.0, 500.0, 501.0]
    with pytest.raises(StorageError):
        await listen(3, 600.0, works=False)
    async with asyncio.TaskGroup() as group:
        for now in (601.0, 602.0):
            group.create_task(listen(3, now))
    assert written[3:] == [601.0]
    assert all(seen[3:] == [601.0] for seen in gone_on[-2:]), "it was there before anybody went on"


async def test_no_listen_is_anothers(house: "House", visit: "Visit") -> None:
    """The number of a session that ended is given to the next one: what its owner heard does not count for that one."""
    call = await house.answered()
    zhao = await visit("zhao")
    await zhao.get(f"/calls/{call}/audio/0/caller")
    await zhao.text(f"/calls/{call}")
    await zhao.post("/logout")
    root = await visit("root")
    await root.get(f"/calls/{call}/audio/0/caller")
    await root.text(f"/calls/{call}")
    for what in (What.LISTENED, What.SHOWN):
        assert [row.who for row in await house.audit.rows(what=what)] == ["root", "zhao"]


async def test_a_file_that_went_away_is_told(house: "House", visit: "Visit") -> None:
    """The row is there, the disk has it no more."""
    call = await house.answered()
    for file in house.recordings.iterdir():
        file.unlink()
    assert (await (await visit("li")).get(f"/calls/{call}/audio/0/caller")).status == 404
