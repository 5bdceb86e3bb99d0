"""Turns of a conversation. Times are seconds from the recording's start; confidence 0 to 1."""

from dataclasses import dataclass
from enum import StrEnum

from transcription.trouble import Trouble


class Speaker(StrEnum):
    """Who spoke. The agent's extension is kept beside it where it is known."""

    CALLER = "caller"
    AGENT = "agent"


@dataclass(frozen=True, slots=True)
class Word:
    """One word as the engine heard it, where it gives words. Seconds from the recording's start, confidence 0 to 1."""

    start: float
    end: float
    text: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Turn:
    """One stretch of speech of one person."""

    speaker: Speaker
    start: float
    end: float
    text: str
    confidence: float
    agent: str | None = None  # extension, for the agent's turns where known
    words: tuple[Word, ...] = ()  # as heard; ``text`` may be tidied


@dataclass(frozen=True, slots=True)
class LegTrouble:
    """One leg that could not be heard while the other could: an alarm, not a failure."""

    speaker: Speaker
    trouble: Trouble
    text: str


@dataclass(frozen=True, slots=True)
class Level:
    """How loud a leg is while somebody speaks: mean and peak in dBFS, and the share (0 to 1) of clipped samples."""

    speaker: Speaker
    dbfs: float
    peak: float
    clipped: float


@dataclass(frozen=True, slots=True)
class Bleep:
    """A stretch of a leg, seconds from the recording's start, that is not for every ear. ``what``: a kind of fact."""

    speaker: Speaker
    start: float
    end: float
    what: str


@dataclass(frozen=True, slots=True)
class Transcript:
    """The whole conversation, turns in order of start, and what made it."""

    turns: tuple[Turn, ...]
    engine: str
    model: str
    language: str = "zh"
    troubles: tuple[LegTrouble, ...] = ()
    seconds: float = 0.0  # length of the longer leg
    levels: tuple[Level, ...] = ()
    bleeps: tuple[Bleep, ...] = ()  # what was blackened in the turns, in the sound
