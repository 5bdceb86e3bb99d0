"""Turns of a conversation. Times are seconds from the recording's start; confidence 0 to 1."""

from dataclasses import dataclass
from enum import StrEnum

from transcription.trouble import Trouble


class Speaker(StrEnum):
    """Who spoke. The agent's extension is kept beside it where it is known."""

    CALLER = "caller"
    AGENT = "agent"


@dataclass(frozen=True, slots=True)
class Turn:
    """One stretch of speech of one person."""

    speaker: Speaker
    start: float
    end: float
    text: str
    confidence: float
    agent: str | None = None  # extension, for the agent's turns where known


@dataclass(frozen=True, slots=True)
class LegTrouble:
    """One leg that could not be heard while the other could: an alarm, not a failure."""

    speaker: Speaker
    trouble: Trouble
    text: str


@dataclass(frozen=True, slots=True)
class Transcript:
    """The whole conversation, turns in order of start, and what made it."""

    turns: tuple[Turn, ...]
    engine: str
    model: str
    language: str = "zh"
    troubles: tuple[LegTrouble, ...] = ()
    seconds: float = 0.0  # length of the longer leg
