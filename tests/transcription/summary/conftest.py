"""Conversations for the summary's tests: written by hand in ``tests/dialogues`` or in two lines of a test."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from transcription.account import Summary
from transcription.summary import summarise
from transcription.transcript import Speaker, Turn

DIALOGUES = Path(__file__).parents[2] / "dialogues"
SPEAKERS = {"a": Speaker.AGENT, "c": Speaker.CALLER}

Talk = Callable[..., list[Turn]]
Told = Callable[..., Summary]


@dataclass(frozen=True)
class Call:
    """A written call and the truth a good summary holds."""

    name: str
    called_at: datetime
    turns: list[Turn]
    truth: dict[str, Any]


@pytest.fixture(scope="session")
def calls() -> list[Call]:
    """The calls of ``tests/dialogues``."""
    return [_read(path) for path in sorted(DIALOGUES.glob("*.json"))]


def _read(path: Path) -> Call:
    data = json.loads(path.read_text(encoding="utf-8"))
    turns = [Turn(Speaker(t["speaker"]), t["start"], t["end"], t["text"], 1.0) for t in data["turns"]]
    return Call(path.stem, datetime.fromisoformat(data["call_start"] + "+08:00"), turns, data["truth"])


def make(lines: Sequence[str], confidence: float = 1.0) -> list[Turn]:
    """Turns from lines such as ``c 你好``: a is the agent, c the caller, one turn every five seconds."""
    return [Turn(SPEAKERS[line[0]], 5.0 * i, 5.0 * i + 4, line[2:], confidence) for i, line in enumerate(lines)]


@pytest.fixture
def talk() -> Talk:
    """Turns of a conversation given as lines such as ``c 你好``."""
    return lambda *lines, confidence=1.0: make(lines, confidence)


@pytest.fixture
def told() -> Told:
    """The summary of a conversation given as lines; the call is on Thursday, 2026-04-16, 10:00, or ``at``."""
    return lambda *lines, at="2026-04-16T10:00", confidence=1.0: summarise(
        make(lines, confidence), datetime.fromisoformat(at + ":00+08:00")
    )
