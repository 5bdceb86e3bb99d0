"""Recordings on another machine: fetched when complete, never half, never by a name that leads elsewhere."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from telephony.mirror import Mirror, Wanted
from telephony.recordings import Problem, RecordingError, Rules, find
from telephony.remote import RemoteError, TooLargeError, below

UID = "1795290138.1"
ARRIVED = 1795290138.6
NAME = f"2026/11/21/4007002505-{UID}.wav"
WAVE = b"RIFF\x64\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x40\x1f\0\0\x80\x3e\0\0\2\0\x10\0data\x40\0\0\0" + b"\1\0" * 32


class Server:
    """A server in memory: ``files`` by name. ``lists``: whether it can; ``breaks``: bytes after which it breaks off."""

    base = "/var/spool/asterisk/monitor/"

    def __init__(self, *, lists: bool = True) -> None:
        self.files: dict[str, bytes] = {}
        self.fetched: list[str] = []
        self.lists, self.breaks = lists, 10**9
        self.limit = 10**6

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Server"]:
        """Always there."""
        yield self

    async def size(self, name: str) -> int | None:
        """Bytes."""
        return len(self.files[name]) if name in self.files else None

    async def names(self, folder: str) -> Sequence[str] | None:
        """What is directly in a folder."""
        if not self.lists:
            return None
        inside = [name.rpartition("/") for name in self.files]
        return [name for parent, _, name in inside if parent == folder]

    async def fetch(self, name: str, into: Path) -> None:
        """A file, or as much of it as comes."""
        self.fetched.append(name)
        data = self.files[name]
        into.write_bytes(data[: self.breaks])  # noqa: ASYNC240 - a few bytes
        if len(data) > self.limit:
            raise TooLargeError(name)
        if len(data) > self.breaks:
            raise RemoteError("broke off")


class Clock:
    """A clock that the test sets."""

    now = ARRIVED + 60

    def __call__(self) -> float:
        """Epoch seconds."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """Its own for each test."""
    return Clock()


def mirror(server: Server, folder: Path, clock: Clock) -> Mirror:
    """With the usual settings."""
    return Mirror(server, folder, mark=".done", quiet=20.0, clock=clock)


def wanted(*told: str, near: bool = True) -> Wanted:
    """The call's files."""
    return Wanted(uniqueid=UID, arrived=ARRIVED, told=told, near=near)


def files(folder: Path) -> list[Path]:
    """Whatever lies there."""
    return [path for path in folder.rglob("*") if path.is_file()]


async def problem(mine: Mirror, *told: str) -> Problem:
    """Why nothing comes."""
    with pytest.raises(RecordingError) as caught:
        await mine.bring(wanted(*told))
    return caught.value.problem


async def test_a_marked_recording_comes_at_once_with_its_legs_and_its_mark(tmp_path: Path, clock: Clock) -> None:
    """And is then found as if it had been here all along."""
    server = Server()
    for leg in ("", "-rx", "-tx"):
        server.files[NAME.replace(".wav", f"{leg}.wav")] = WAVE
    server.files[NAME.replace(".wav", ".done")] = b""
    server.files["2026/11/21/4007002505-1795290138.10.wav"] = WAVE  # another call's
    await mirror(server, tmp_path / "fetched", clock).bring(wanted())
    assert len(server.fetched) == 3
    rules = Rules(mark=".done", quiet=20.0, repairs=tmp_path / "repaired")
    (legs,) = find(tmp_path / "fetched", UID, arrived=ARRIVED, now=clock.now + 1, rules=rules)
    assert len(legs.files) == 3


async def test_without_a_mark_a_size_must_stay_the_same(tmp_path: Path, clock: Clock) -> None:
    """By what we saw ourselves: the other machine's clock may be anything."""
    server = Server()
    server.files[NAME] = WAVE[:60]
    mine = mirror(server, tmp_path, clock)
    assert await problem(mine) is Problem.GROWING
    clock.now += 19
    server.files[NAME] = WAVE
    assert await problem(mine) is Problem.GROWING
    clock.now += 19
    assert await problem(mine) is Problem.GROWING
    assert not server.fetched
    clock.now += 2
    await mine.bring(wanted())
    assert (tmp_path / NAME).read_bytes() == WAVE
    assert (tmp_path / NAME).stat().st_mtime == pytest.approx(clock.now - 21)


async def test_what_broke_off_is_never_used(tmp_path: Path, clock: Clock) -> None:
    """Neither the draft nor anything else stays; the next try brings it whole."""
    server = Server()
    server.files |= {NAME: WAVE, NAME + ".done": b""}
    server.breaks = 50
    mine = mirror(server, tmp_path, clock)
    with pytest.raises(RemoteError):
        await mine.bring(wanted())
    assert files(tmp_path) == []
    server.breaks = 10**9
    await mine.bring(wanted())
    await mine.bring(wanted())
    assert server.fetched == [NAME, NAME]  # once broken, once whole, and not again
    assert (tmp_path / NAME).read_bytes() == WAVE


async def test_a_file_too_large_is_an_alarm_and_no_retry(tmp_path: Path, clock: Clock) -> None:
    """Nothing of it is kept."""
    server = Server()
    server.files |= {NAME: WAVE, NAME + ".done": b""}
    server.limit = 10
    assert await problem(mirror(server, tmp_path, clock)) is Problem.UNREADABLE
    assert files(tmp_path) == []


async def test_a_server_that_cannot_list_is_asked_for_what_the_pbx_told(tmp_path: Path, clock: Clock) -> None:
    """And for the legs beside it. Without a name nothing can be found there, which is said."""
    server = Server(lists=False)
    for leg in ("", "-rx", "-tx"):
        server.files[NAME.replace(".wav", f"{leg}.wav")] = WAVE
    server.files[NAME.replace(".wav", ".done")] = b""
    mine = mirror(server, tmp_path, clock)
    with pytest.raises(RecordingError, match="told no names"):
        await mine.bring(wanted())
    await mine.bring(wanted(f"/var/spool/asterisk/monitor/{NAME}"))
    assert len(server.fetched) == 3


async def test_a_message_comes_alone(tmp_path: Path, clock: Clock) -> None:
    """The call's own recording is another job's."""
    server = Server()
    message = f"messages/m-{UID}.wav"
    server.files |= {NAME: WAVE, message: WAVE, message + ".done": b""}
    await mirror(server, tmp_path, clock).bring(wanted(message, near=False))
    assert server.fetched == [message]


async def test_a_name_that_is_not_the_calls_or_leads_elsewhere_is_not_asked_for(tmp_path: Path, clock: Clock) -> None:
    """The PBX's words are a caller's words."""
    server = Server(lists=False)
    server.files |= {"2026/other-1795290138.10.wav": WAVE, f"x-{UID}.txt": WAVE}
    told = ("2026/other-1795290138.10.wav", f"x-{UID}.txt", f"../{UID}.wav", f"/etc/{UID}.wav")
    assert await problem(mirror(server, tmp_path, clock), *told) is Problem.MISSING


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("2026/a.wav", "2026/a.wav"),
        ("/srv/rec/2026/a.wav", "2026/a.wav"),
        ("/var/spool/asterisk/monitor/2026/a.wav", "2026/a.wav"),
        ("/etc/passwd", None),
        ("/srv/rec/../a.wav", None),
        ("a/../../b.wav", None),
        ("a//b.wav", None),
        ("./a.wav", None),
        ("a\\..\\b.wav", None),
        ("a\r\nb.wav", None),
        ("a\0.wav", None),
        ("", None),
        ("x" * 501, None),
    ],
)
def test_names_that_would_be_asked_for(name: str, asked: str | None) -> None:
    """Below the folder, and nothing that a server could take for a way out."""
    assert below(name, "/srv/rec/") == asked
