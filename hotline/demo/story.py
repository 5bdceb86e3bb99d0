"""A story: one real call as a real Asterisk told it, and the same call told again with fresh names.

Knows the folder a story is kept in (``tools/record-demo`` writes it) and which of its words are names that must not
come twice: Uniqueids, channels, bridges, the day in a recording's path. Knows no clock, socket or file being written.
"""

import json
import random
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

Message = tuple[tuple[str, str], ...]
"""One AMI event: its header lines in order."""

_FOLDER = Path(__file__).with_name("stories")
_UNIQUEID = r"(?<![\d.])\d{10}\.\d+(?!\d|\.\d)"
_CHANNEL = r"(?<=PJSIP/)[\w.]+-[0-9a-f]{8}"
_BRIDGE = r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"
_DAY = r"\b\d{4}/\d{2}/\d{2}(?=/)"
_NAMES = re.compile(f"(?P<uniqueid>{_UNIQUEID})|(?P<channel>{_CHANNEL})|(?P<bridge>{_BRIDGE})|(?P<day>{_DAY})")
_AGENT = re.compile(r"PJSIP/(\d+)-")


@dataclass(frozen=True, slots=True)
class Beat:
    """An event and when it came, seconds after the call's first."""

    at: float
    message: Message


@dataclass(frozen=True, slots=True)
class Said:
    """What was said: ``speaker`` is ``caller`` or ``agent``, times are seconds of the recording."""

    speaker: str
    start: float
    end: float
    text: str


@dataclass(frozen=True, slots=True)
class Story:
    """One call. ``legs`` are the files of what the caller says (rx) and hears (tx), 8 kHz A-law.

    ``busy`` says from when to when (seconds of the story) each agent's phone rings or talks.
    """

    name: str
    title: str
    caller: str
    number: str
    answered_by: tuple[str, ...]
    said: tuple[Said, ...]
    beats: tuple[Beat, ...]
    busy: Mapping[str, tuple[tuple[float, float], ...]]
    legs: tuple[Path, Path]

    @property
    def seconds(self) -> float:
        """How long it takes."""
        return self.beats[-1].at


def value(message: Message, key: str) -> str | None:
    """The first value of a header, None when there is no such line."""
    return next((text for name, text in message if name == key), None)


def load_stories(folder: Path = _FOLDER) -> tuple[Story, ...]:
    """Every story below ``folder``, by name. A folder that is no story is our own fault and raises what it raises."""
    return tuple(_load(path.parent) for path in sorted(folder.glob("*/story.json")))


def _load(folder: Path) -> Story:
    told = json.loads((folder / "story.json").read_text(encoding="utf-8"))
    stream = (folder / "events.ami").read_bytes()
    beats = tuple(_beats(stream, (folder / "timing.jsonl").read_text(encoding="utf-8")))
    return Story(
        name=folder.name,
        title=told["title"],
        caller=told["caller"],
        number=told["number"],
        answered_by=tuple(told["answered_by"]),
        said=tuple(Said(turn["speaker"], turn["start"], turn["end"], turn["text"]) for turn in told["said"]),
        beats=beats,
        busy=_busy(beats),
        legs=(folder / "rx.wav", folder / "tx.wav"),
    )


def _beats(stream: bytes, timing: str) -> Iterator[Beat]:
    reads = [json.loads(line) for line in timing.splitlines()]
    for read in reads:
        for part in stream[read["off"] : read["off"] + read["len"]].decode().split("\r\n\r\n"):
            lines = (line.partition(": ") for line in part.strip("\r\n").split("\r\n") if line)
            if message := tuple((key.rstrip(":"), text) for key, _, text in lines):
                yield Beat(read["t"], message)


def _busy(beats: tuple[Beat, ...]) -> dict[str, tuple[tuple[float, float], ...]]:
    began: dict[str, float] = {}
    spans: dict[str, list[tuple[float, float]]] = {}
    for beat in beats:
        channel = value(beat.message, "Channel") or ""
        agent = _AGENT.match(channel)
        if agent is None:
            continue
        if value(beat.message, "Event") == "Newchannel":
            began[channel] = beat.at
        elif value(beat.message, "Event") == "Hangup":
            spans.setdefault(agent[1], []).append((began.pop(channel), beat.at))
    return {agent: tuple(sorted(times)) for agent, times in spans.items()}


class Names:
    """The names a PBX gives out, each once: Uniqueids count up behind the second, channels count up in hex."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._calls = 0
        self._channels = 0

    def uniqueid(self, now: float) -> str:
        """The next channel's Uniqueid."""
        self._calls += 1
        return f"{int(now)}.{self._calls - 1}"

    def channel(self, endpoint: str) -> str:
        """The next channel of ``endpoint``."""
        self._channels += 1
        return f"{endpoint}-{self._channels - 1:08x}"

    def bridge(self) -> str:
        """A new bridge, in the form of a version 4 UUID."""
        digits = f"{self._rng.getrandbits(128):032x}"
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"


class Retelling:
    """One more playing of a story: every name in it replaced by a fresh one, the same for the same."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._fresh: dict[str, str] = {}

    def tell(self, message: Message, now: float, day: str) -> Message:
        """``message`` as told at ``now`` (epoch seconds), recordings going into the folder ``day`` (YYYY/MM/DD)."""

        def fresh(match: re.Match[str]) -> str:
            old = match[0]
            if old not in self._fresh:
                self._fresh[old] = self._name(match, now, day)
            return self._fresh[old]

        return tuple((key, f"{now:.6f}" if key == "Timestamp" else _NAMES.sub(fresh, text)) for key, text in message)

    def _name(self, match: re.Match[str], now: float, day: str) -> str:
        if match.lastgroup == "uniqueid":
            return self._names.uniqueid(now)
        if match.lastgroup == "channel":
            return self._names.channel(match[0].rpartition("-")[0])
        return self._names.bridge() if match.lastgroup == "bridge" else day
