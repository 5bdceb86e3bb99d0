"""Finds the recording of a call below the recordings root, and says whether it is complete.

A recording is found by a name that holds the call's Uniqueid: names told over AMI are hints that a caller or a careless
dialplan may have written, so they count only when they do too, and only when they lie below the root. MixMonitor's
``r()`` leg is the caller, its ``t()`` leg what the caller hears, agents above all.

Complete: the post-record mark is there (the only positive sign; it came up to 139 ms after ``MixMonitorStop`` and may
come before or after the events), or nothing changed for a while and the header is sound. A PBX that was killed leaves
neither: then, after the same while, the header is repaired on a copy.

Blocking file access: call it in a thread. Knows no database and no speech.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path

from telephony.wavhead import Head, read, repair

SUFFIXES = (".wav", ".WAV", ".wav49", ".gsm", ".ulaw", ".alaw", ".sln", ".sln16", ".ogg", ".opus", ".mp3", ".flac")
_CALLER = ("rx", "in", "r")
_AGENT = ("tx", "out", "t")
_MIN_BYTES = 45  # one sample behind the shortest header


class Problem(StrEnum):
    """Why there is no recording to attach."""

    MISSING = "missing"  # nothing below the root has this Uniqueid in its name
    GROWING = "growing"  # it is there and not complete yet
    EMPTY = "empty"  # it is there and holds no sound
    NOT_AUDIO = "not_audio"  # it is there and its header is none
    UNREADABLE = "unreadable"  # the system does not let us read it


class RecordingError(Exception):
    """There is no recording to attach, for now or for good: see ``problem``; the text is for the operator."""

    def __init__(self, problem: Problem, text: str) -> None:
        super().__init__(text)
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Legs:
    """A complete recording: the caller's leg, the agents' leg, both mixed; at least one of them. Length in seconds.

    Paths are of the files to read; ``repaired`` ones lie where :func:`find` was told to put copies.
    """

    caller: Path | None
    agent: Path | None
    mix: Path | None
    seconds: float | None
    repaired: bool


def resolve(root: Path, name: str) -> Path:
    """The file of a name from outside, surely below ``root``. LookupError when it is not, or not a file."""
    if "\0" in name:
        raise LookupError("a file name with NUL")
    base = root.resolve()
    path = (base / name).resolve()
    if not path.is_relative_to(base) or not path.is_file():
        raise LookupError(f"no recording {name!r} below the recordings root")
    return path


def find(
    root: Path,
    uniqueid: str,
    *,
    arrived: float,
    now: float,
    mark: str,
    quiet: float,
    repairs: Path,
    hints: Sequence[str] = (),
) -> Legs:
    """The complete recording of the call with this Uniqueid. Raises RecordingError.

    ``arrived``: epoch seconds, names the day folders (YYYY/MM/DD) looked into. ``mark``: suffix of the post-record
    mark. ``quiet``: seconds without a change that count as complete where there is no mark. ``repairs``: folder for
    repaired copies.
    """
    try:
        files = _files(root, uniqueid, arrived, hints)
        if not files:
            raise RecordingError(Problem.MISSING, f"no file below {root} has {uniqueid} in its name")
        marked = any(path.with_name(stem + mark).exists() for path in files for stem in _stems(path, uniqueid))
        changed = max(path.stat().st_mtime for path in files)
        still = now - changed < quiet
        if still and (
            not marked or any(read(path).head is Head.OPEN for path in files if path.suffix.lower() == ".wav")
        ):
            raise RecordingError(Problem.GROWING, f"the recording of {uniqueid} is still being written")
        return _legs(files, uniqueid, root, repairs)
    except OSError as error:
        raise RecordingError(Problem.UNREADABLE, f"the recording of {uniqueid} cannot be read: {error}") from error


def _legs(files: Sequence[Path], uniqueid: str, root: Path, repairs: Path) -> Legs:
    found: dict[str, Path] = {}
    seconds: list[float] = []
    worst = Problem.EMPTY
    repaired = False
    for path in files:
        usable = path
        if path.suffix.lower() == ".wav":
            wav = read(path)
            if wav.head is Head.OPEN and wav.data >= wav.block:
                usable = repairs / path.relative_to(root.resolve())
                wav = repair(path, usable)
                repaired = True
            if wav.head is not Head.SOUND:
                worst = Problem.NOT_AUDIO if wav.head is Head.FOREIGN and path.stat().st_size else worst
                continue
            if wav.seconds:
                seconds.append(wav.seconds)
        elif path.stat().st_size < _MIN_BYTES:
            continue
        found.setdefault(_leg(path, uniqueid), usable)
    if not found:
        raise RecordingError(worst, f"the recording of {uniqueid} holds no sound: {', '.join(p.name for p in files)}")
    length = max(seconds, default=None)
    return Legs(found.get("caller"), found.get("agent"), found.get("mix"), length, repaired)


def _files(root: Path, uniqueid: str, arrived: float, hints: Sequence[str]) -> list[Path]:
    """Every recording file of the call, each once."""
    base = root.resolve()
    # A digit or dot beside it would make it another call's: 1795290138.1 is in 1795290138.10.
    named = re.compile(rf"(?<![0-9.]){re.escape(uniqueid)}(?![0-9])(?!\.[0-9])")
    folders = {base, *_day_folders(base, arrived)}
    for hint in hints:
        try:
            folders.add(resolve(base, hint).parent)
        except LookupError:
            continue
    found = {
        path.resolve()
        for folder in sorted(folders)
        if folder.is_dir()
        for path in folder.iterdir()
        if path.suffix in SUFFIXES and named.search(path.name)
    }
    return sorted(path for path in found if path.is_relative_to(base) and path.is_file())


def _day_folders(base: Path, arrived: float) -> Iterator[Path]:
    """The PBX names folders by its own day, whatever its zone: the day before and after are looked into too."""
    day = datetime.fromtimestamp(arrived, UTC)
    for days in (-1, 0, 1):
        yield base / (day + timedelta(days=days)).strftime("%Y/%m/%d")


def _stems(path: Path, uniqueid: str) -> Iterator[str]:
    """Names a mark may stand beside: the file's own, and the mixed file's that the legs belong to."""
    yield path.name
    yield path.stem
    yield path.name[: path.name.index(uniqueid) + len(uniqueid)]


def _leg(path: Path, uniqueid: str) -> str:
    behind = path.stem.partition(uniqueid)[2].lstrip("-_.").lower()
    return "caller" if behind in _CALLER else "agent" if behind in _AGENT else "mix"
