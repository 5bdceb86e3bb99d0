"""Finds the recordings of a call below the recordings root, and says whether they are complete.

A recording is found by a name that holds the call's Uniqueid: names told over AMI are hints that a caller or a careless
dialplan may have written, so they count only when they do too, and only when they lie below the root. MixMonitor's
``r()`` leg is the caller, its ``t()`` leg what the caller hears, agents above all. Names that differ in nothing but the
leg are one recording; a call may have several (a dialplan that pauses while a card number is told).

Complete: the post-record mark is there (the only positive sign; it came up to 139 ms after ``MixMonitorStop`` and may
come before or after the events), or nothing changed for a while and the header is sound. A PBX that was killed leaves
neither: then, after the same while, the header is repaired on a copy.

Blocking file access: call it in a thread. Knows no database and no speech.
"""

import errno
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path, PurePosixPath

from telephony.wavhead import Head, read, repair, trim_gsm

WAVES = (".wav", ".WAV", ".wav16", ".wav49")  # .WAV is Asterisk's GSM in a WAV
SUFFIXES = (*WAVES, ".gsm", ".ulaw", ".alaw", ".sln", ".sln16", ".g722", ".ogg", ".opus", ".mp3", ".flac")
_CALLER = ("rx", "in", "r")
_LEG = re.compile(r"(?:(.*)[-_.])?(rx|in|r|tx|out|t)", re.IGNORECASE | re.DOTALL)
_MIN_BYTES = 45  # one sample behind the shortest header
_DEEPEST = 8  # folders of a name that was told
LONGEST_NAME = 500  # characters of a name that was told


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

    @property
    def files(self) -> tuple[Path, ...]:
        """Those that are there."""
        return tuple(path for path in (self.mix, self.caller, self.agent) if path is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """When a recording is complete, and where copies go.

    ``mark``: suffix of the post-record mark. ``quiet``: seconds without a change that count as complete where there
    is none. ``repairs``: folder for repaired copies, which keep their names below it.
    """

    mark: str
    quiet: float
    repairs: Path


def resolve(root: Path, name: str) -> Path:
    """The file of a name from outside, surely below ``root``. LookupError when it is not, or not a file.

    Raises OSError when the system does not let us look.
    """
    try:
        base = root.resolve()
        path = (base / name).resolve()
        if not path.is_relative_to(base) or not path.is_file():
            raise LookupError(f"no recording {name!r} below the recordings root")
    except ValueError as error:  # NUL, or half a character
        raise LookupError(f"no file can be called {name!r}") from error
    except OSError as error:
        if error.errno not in (errno.ENAMETOOLONG, errno.EINVAL):
            raise
        raise LookupError("no file can have so long a name") from error
    return path


def find(
    root: Path,
    uniqueid: str,
    *,
    arrived: float,
    now: float,
    rules: Rules,
    hints: Sequence[str] = (),
    skip: Sequence[str] = (),
) -> list[Legs]:
    """The complete recordings of the call with this Uniqueid, the best first. Raises RecordingError.

    ``arrived``: epoch seconds, names the day folders (YYYY/MM/DD) looked into. ``skip``: names that were told to be
    something else, a message left.
    """
    try:
        other = {_message([root], name) for name in skip}
        files = [path for path in _files(root, uniqueid, arrived, hints) if path not in other]
        if not files:
            raise RecordingError(Problem.MISSING, f"no file below {root} has {uniqueid} in its name")
        _refuse_growing(files, uniqueid, now, rules)
        return _sound(root, files, uniqueid, rules)
    except OSError as error:
        raise RecordingError(Problem.UNREADABLE, f"the recording of {uniqueid} cannot be read: {error}") from error


def find_message(roots: Sequence[Path], uniqueid: str, told: str, *, now: float, rules: Rules) -> Legs:
    """The complete message a caller left, all of it the caller's, by the name the dialplan ``told``.

    The name must hold the call's Uniqueid and lie below one of ``roots``: the recordings', then perhaps one of messages
    alone. Raises RecordingError.
    """
    if not holds(told, uniqueid):
        text = f"the message {told[:LONGEST_NAME]!r} has not {uniqueid} in its name: any caller's could be taken for it"
        raise RecordingError(Problem.MISSING, text)
    try:
        path = _message(roots, told)
        if path is not None:
            root = next(root for root in roots if path.is_relative_to(root.resolve()))
            _refuse_growing([path], uniqueid, now, rules)
            legs = _sound(root, [path], uniqueid, rules)[0]
            return Legs(legs.files[0], None, None, legs.seconds, legs.repaired)
    except OSError as error:
        raise RecordingError(Problem.UNREADABLE, f"the message of {uniqueid} cannot be read: {error}") from error
    places = " or ".join(map(str, roots))
    raise RecordingError(Problem.MISSING, f"there is no message {told[:LONGEST_NAME]!r} below {places}")


def holds(name: str, uniqueid: str) -> bool:
    """Whether a file's name holds this Uniqueid, and not one that it is a part of: 1795290138.1 is in 1795290138.10."""
    last = PurePosixPath(name).name
    return re.search(rf"(?<![0-9.]){re.escape(uniqueid)}(?![0-9])(?!\.[0-9])", last) is not None


def day_folders(arrived: float) -> Iterator[str]:
    """The PBX names folders by its own day, whatever its zone: the day before and after are looked into too."""
    day = datetime.fromtimestamp(arrived, UTC)
    for days in (-1, 0, 1):
        yield (day + timedelta(days=days)).strftime("%Y/%m/%d")


def tails(name: str) -> Iterator[str]:
    """A name as it was told, and without its first folders: the PBX's own path may be mounted elsewhere here."""
    parts = PurePosixPath(name).parts
    if len(name) > LONGEST_NAME or len(parts) > _DEEPEST + 1 or "\0" in name:
        return
    for start in range(len(parts)):
        yield "/".join(parts[start:]) if start or parts[0] != "/" else name


def marks(name: str, uniqueid: str, mark: str) -> Iterator[str]:
    """Names a file's mark may have: the file's own, without its suffix, and the mixed file's that legs belong to."""
    path = PurePosixPath(name)
    for stem in dict.fromkeys((path.name, path.stem, path.name[: path.name.index(uniqueid) + len(uniqueid)])):
        yield str(path.with_name(stem + mark))


def _refuse_growing(files: Sequence[Path], uniqueid: str, now: float, rules: Rules) -> None:
    if now - max(path.stat().st_mtime for path in files) >= rules.quiet:
        return
    marked = any(Path(mark).exists() for path in files for mark in marks(str(path), uniqueid, rules.mark))
    if not marked or any(read(path).head is Head.OPEN for path in files if path.suffix in WAVES):
        raise RecordingError(Problem.GROWING, f"the recording of {uniqueid} is still being written")


def _sound(root: Path, files: Sequence[Path], uniqueid: str, rules: Rules) -> list[Legs]:
    """The recordings that can be heard, the one with most legs, the longest first. RecordingError: none can."""
    groups: dict[tuple[Path, str], list[tuple[str, Path]]] = {}
    for path in files:
        part, leg = _part_and_leg(path, uniqueid)
        groups.setdefault((path.parent, part), []).append((leg, path))
    found, worst = [], Problem.EMPTY
    for group in groups.values():
        legs, problem = _legs(root, group, rules)
        if legs is not None:
            found.append(legs)
        elif problem is Problem.NOT_AUDIO:
            worst = problem
    if not found:
        raise RecordingError(worst, f"the recording of {uniqueid} holds no sound: {', '.join(p.name for p in files)}")
    return sorted(found, key=lambda legs: (-len(legs.files), -(legs.seconds or 0.0)))


def _legs(root: Path, group: Sequence[tuple[str, Path]], rules: Rules) -> tuple[Legs | None, Problem]:
    found: dict[str, Path] = {}
    seconds: list[float] = []
    worst, repaired = Problem.EMPTY, False
    for leg, path in group:
        usable = path
        if path.suffix in WAVES:
            wav = read(path)
            if wav.head is Head.OPEN and wav.data >= wav.block:
                usable = rules.repairs / path.relative_to(root.resolve())
                wav = repair(path, usable)
                repaired = True
            if wav.head is not Head.SOUND:
                worst = Problem.NOT_AUDIO if wav.head is Head.FOREIGN and path.stat().st_size else worst
                continue
            if wav.seconds:
                seconds.append(wav.seconds)
        elif path.stat().st_size < _MIN_BYTES:
            continue
        elif path.suffix == ".gsm" and trim_gsm(path, rules.repairs / path.relative_to(root.resolve())):
            usable, repaired = rules.repairs / path.relative_to(root.resolve()), True
        found.setdefault(leg, usable)
    if not found:
        return None, worst
    length = max(seconds, default=None)
    return Legs(found.get("caller"), found.get("agent"), found.get("mix"), length, repaired), worst


def _files(root: Path, uniqueid: str, arrived: float, hints: Sequence[str]) -> list[Path]:
    """Every recording file of the call, each once."""
    base = root.resolve()
    folders = {base, *(base / day for day in day_folders(arrived))}
    for hint in hints:
        path = _told(base, hint)
        if path is not None:
            folders.add(path.parent)
    found = {
        (folder / name).resolve()
        for folder in sorted(folders)
        if folder.is_dir()
        for name in os.listdir(folder)  # noqa: PTH208 - names alone: a busy day has tens of thousands
        if uniqueid in name and name.endswith(SUFFIXES) and holds(name, uniqueid)
    }
    return sorted(path for path in found if path.is_relative_to(base) and path.is_file())


def _told(root: Path, name: str) -> Path | None:
    """The file below ``root`` that a told name means: the longest end of it that there is."""
    return next((path for tail in tails(name) if (path := _there(root, tail)) is not None), None)


def _message(roots: Sequence[Path], name: str) -> Path | None:
    """The file that the told name of a message means.

    A message may have the very name of its call's recording, in another folder: ``voicemail/x.wav`` is x.wav in a
    folder of that name, and never x.wav beside the recordings.
    """
    ends = list(tails(name))
    exact = [(root, end) for root in roots for end in ends[:1]]
    named = [
        (root, end) for root in roots for end in ends[1:] if PurePosixPath(name[: -len(end) - 1]).name == root.name
    ]
    deep = [(root, end) for root in roots for end in ends if "/" in end]
    alone = [(root, end) for root in roots[1:] for end in ends[-1:]]
    found = (_there(root, end) for root, end in (*exact, *named, *deep, *alone))
    return next((path for path in found if path is not None), None)


def _there(root: Path, name: str) -> Path | None:
    """The file of this name below ``root``, with one of our suffixes where the name has none; None: there is none."""
    suffixes = ("",) if PurePosixPath(name).suffix in SUFFIXES else ("", *SUFFIXES)
    for suffix in suffixes:
        try:
            return resolve(root, name + suffix)
        except LookupError:
            continue
    return None


def _part_and_leg(path: Path, uniqueid: str) -> tuple[str, str]:
    """What tells a recording of a call from its others, and whose leg of it the file is."""
    before, _, behind = path.stem.partition(uniqueid)
    found = _LEG.fullmatch(behind.lstrip("-_."))
    if found is None:
        return before + behind.lstrip("-_."), "mix"
    return before + (found[1] or ""), "caller" if found[2].lower() in _CALLER else "agent"
