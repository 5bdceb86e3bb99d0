"""Promises in a few turns of many trades: who is bound by when, as people speak (promise_cases*.toml)."""

import tomllib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest

from transcription.details import find
from transcription.dialogue import lines
from transcription.lexicon import standard
from transcription.promises import promises
from transcription.transcript import Speaker, Turn

SPEAKERS = {"a": Speaker.AGENT, "c": Speaker.CALLER}


@dataclass(frozen=True)
class Case:
    """A few turns, when they were said, and who is bound by when."""

    called_at: datetime
    turns: tuple[Turn, ...]
    want: tuple[str, ...]


def cases() -> list[object]:
    """All cases; those with ``weak`` are known not to be read rightly yet, and why."""
    found: list[object] = []
    for path in sorted(Path(__file__).parent.glob("promise_cases*.toml")):
        for number, case in enumerate(tomllib.loads(path.read_text(encoding="utf-8"))["case"]):
            at = datetime.fromisoformat(f"{case.get('at', '2026-03-11T10:20')}:00+08:00")
            said = tuple(Turn(SPEAKERS[t[0]], 5.0 * i, 5.0 * i + 4, t[2:], 1.0) for i, t in enumerate(case["say"]))
            marks = [pytest.mark.xfail(reason=case["weak"], strict=True)] if "weak" in case else []
            made = Case(at, said, tuple(sorted(case["want"])))
            found.append(pytest.param(made, id=f"{path.stem}-{number}", marks=marks))
    return found


@pytest.mark.parametrize("case", cases())
def test_who_is_bound_by_when(case: Case) -> None:
    """Every promise of the few turns, and nothing that binds nobody."""
    conversation = lines(case.turns)
    found = promises(find(conversation, case.called_at, standard()), conversation, case.called_at, standard())
    assert sorted(f"{promise.who} {promise.by_when}".strip() for promise in found) == list(case.want)
