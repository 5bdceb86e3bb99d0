r"""A conversation as files that other programs read: WebVTT, SRT, plain text, JSON. Pure; :mod:`formats_vcon` has vCon.

Each writes one whole text in UTF-8 with ``\n`` at line ends. What was said cannot break out of its line: line ends,
control characters and what a format takes for markup are made harmless. JSON is described in ``docs/exports.md``.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from transcription.account import Summary
from transcription.corrections import Correction
from transcription.summary import as_json
from transcription.transcript import Speaker, Transcript, Turn

VERSION = 1  # of the JSON
_SPACE = re.compile(r"\s+")
_LEAST = 0.001  # seconds: WebVTT has no cue without length


class Format(StrEnum):
    """What a conversation can be written as. The value is the file's ending."""

    VTT = "vtt"
    SRT = "srt"
    TXT = "txt"
    JSON = "json"
    VCON = "vcon"


MEDIA = {
    Format.VTT: "text/vtt; charset=utf-8",
    Format.SRT: "application/x-subrip; charset=utf-8",
    Format.TXT: "text/plain; charset=utf-8",
    Format.JSON: "application/json; charset=utf-8",
    Format.VCON: "application/vcon; charset=utf-8",
}


@dataclass(frozen=True, slots=True)
class Sound:
    """A file of a recording: its name, media type, length in bytes, digests in hex, and where it is (https) if known.

    ``speaker``: whose leg it is; None: both are mixed in it. ``seconds``: how long it is.
    """

    name: str
    media: str
    size: int
    sha256: str
    sha512: str
    speaker: Speaker | None = None
    seconds: float | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Conversation:
    """A call as it may be given away: what must not be seen is masked by whoever fills this in.

    ``call`` is its key here; ``began`` (aware) the recording's first sample, or the arrival; ``caller`` E.164 or a
    masked number, None when withheld. ``agents`` are extensions that talked, ``names`` what people call them.
    """

    call: str
    line: str
    arrived: datetime
    began: datetime
    transcript: Transcript | None
    summary: Summary | None
    line_name: str = ""
    caller: str | None = None
    caller_name: str | None = None
    agents: tuple[str, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    ticket: str | None = None
    outcome: str | None = None
    seconds: float | None = None  # of the call
    masked: bool = False
    sounds: tuple[Sound, ...] = ()
    corrections: tuple[Correction, ...] = ()
    polished: Mapping[str, Any] | None = None

    @property
    def turns(self) -> Sequence[Turn]:
        """Turns that hold a word, in order of start."""
        said = self.transcript.turns if self.transcript else ()
        return sorted((turn for turn in said if _flat(turn.text)), key=lambda turn: turn.start)


@dataclass(frozen=True, slots=True)
class Titles:
    """What the two sides are called in the reader's language."""

    caller: str = "客户"
    agent: str = "坐席"

    def of(self, turn: Turn, names: Mapping[str, str]) -> str:
        """Who speaks in a turn."""
        if turn.speaker is Speaker.CALLER:
            return self.caller
        name = names.get(turn.agent or "", "")
        return _flat(" ".join(part for part in (self.agent, turn.agent or "", name) if part))


CHINESE = Titles()


def webvtt(told: Conversation, titles: Titles = CHINESE) -> str:
    """WebVTT with a voice tag in every cue."""
    cues = ["WEBVTT", f"NOTE {_harmless(told.call)} {told.arrived.isoformat(timespec='seconds')}"]
    for index, turn in enumerate(told.turns):
        start, end = _span(turn)
        who = _escaped(titles.of(turn, told.names))
        cues.append(f"{index}\n{_stamp(start, '.')} --> {_stamp(end, '.')}\n<v {who}>{_escaped(turn.text)}</v>")
    return "\n\n".join(cues) + "\n"


def srt(told: Conversation, titles: Titles = CHINESE) -> str:
    r"""SubRip. Players take ``<i>`` and ``{\an8}`` for markup, so brackets become wide ones."""
    cues = []
    for index, turn in enumerate(told.turns, 1):
        start, end = _span(turn)
        said = _harmless(f"{titles.of(turn, told.names)}: {turn.text}").translate(_WIDE)
        cues.append(f"{index}\n{_stamp(start, ',')} --> {_stamp(end, ',')}\n{said}\n")
    return "\n".join(cues)


def plain(told: Conversation, titles: Titles = CHINESE) -> str:
    """Lines for people: when, who, what; the summary stands above them."""
    head = [f"# {_flat(told.call)} {told.arrived.isoformat(sep=' ', timespec='minutes')}"]
    if told.summary is not None and told.summary.issue:
        head.append(f"# {_flat(told.summary.issue)}")
    lines = [f"[{_clock(turn.start)}] {titles.of(turn, told.names)}: {_flat(turn.text)}" for turn in told.turns]
    return "\n".join([*head, *lines]) + "\n"


def as_text(told: Conversation, now: datetime) -> str:
    """The JSON."""
    return json.dumps(as_object(told, now), ensure_ascii=False, indent=1) + "\n"


def as_object(told: Conversation, now: datetime) -> dict[str, Any]:
    """The conversation as the JSON has it, made at ``now``."""
    transcript = told.transcript
    return {
        "format": "hotline-conversation",
        "version": VERSION,
        "made": now.isoformat(timespec="seconds"),
        "masked": told.masked,
        "call": told.call,
        "line": {"number": told.line, "name": told.line_name},
        "arrived": told.arrived.isoformat(timespec="seconds"),
        "began": told.began.isoformat(timespec="milliseconds"),
        "seconds": told.seconds,
        "outcome": told.outcome,
        "ticket": told.ticket,
        "caller": {"number": told.caller, "name": told.caller_name},
        "agents": [{"extension": agent, "name": told.names.get(agent)} for agent in told.agents],
        "transcript": transcript
        and {
            "engine": transcript.engine,
            "model": transcript.model,
            "language": transcript.language,
            "seconds": transcript.seconds,
            "levels": [
                {"speaker": one.speaker.value, "dbfs": one.dbfs, "peak": one.peak, "clipped": one.clipped}
                for one in transcript.levels
            ],
        },
        "turns": [_turn(turn) for turn in transcript.turns] if transcript else [],
        "summary": told.summary and as_json(told.summary),
        "corrections": [
            {
                "part": one.part.value,
                "said": one.value and dict(one.value),
                "machine": one.machine and dict(one.machine),
                "who": one.who,
                "at": datetime.fromtimestamp(one.at, told.arrived.tzinfo).isoformat(timespec="seconds"),
            }
            for one in told.corrections
        ],
        "polished": told.polished and dict(told.polished),
        "recordings": [
            {
                "file": sound.name,
                "media": sound.media,
                "speaker": sound.speaker and sound.speaker.value,
                "seconds": sound.seconds,
                "bytes": sound.size,
                "sha256": sound.sha256,
                "url": sound.url,
            }
            for sound in told.sounds
        ],
    }


def _turn(turn: Turn) -> dict[str, Any]:
    said: dict[str, Any] = {
        "speaker": turn.speaker.value,
        "agent": turn.agent,
        "start": turn.start,
        "end": turn.end,
        "text": turn.text,
        "confidence": turn.confidence,
    }
    if turn.words:
        said["words"] = [
            {"start": word.start, "end": word.end, "text": word.text, "confidence": word.confidence}
            for word in turn.words
        ]
    return said


_WIDE = str.maketrans({"<": "＜", ">": "＞", "{": "｛", "}": "｝"})


def _flat(text: str) -> str:
    """One line of printable text."""
    return _SPACE.sub(" ", "".join(char if char.isprintable() else " " for char in text)).strip()


def _harmless(text: str) -> str:
    """One line without the arrow that starts a cue's times."""
    return _flat(text).replace("-->", "—>")


def _escaped(text: str) -> str:
    return _flat(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _span(turn: Turn) -> tuple[float, float]:
    start = max(0.0, turn.start)
    return start, max(turn.end, start + _LEAST)


def _stamp(seconds: float, mark: str) -> str:
    """hh:mm:ss.mmm; hours may have more than two digits."""
    whole, milli = divmod(round(seconds * 1000), 1000)
    return f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}{mark}{milli:03d}"


def _clock(seconds: float) -> str:
    return str(timedelta(seconds=int(max(0.0, seconds))))


__all__ = [
    "CHINESE",
    "MEDIA",
    "Conversation",
    "Format",
    "Sound",
    "Titles",
    "as_object",
    "as_text",
    "plain",
    "srt",
    "webvtt",
]
