"""The summary of a call from its turns: every sentence cites the turns that say it. Pure: no clock, no engine.

What the labels and kinds mean is written in ``docs/summary.md``.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from transcription.account import Category, Detail, FactKind, Sentiment, Summary, Urgency
from transcription.transcript import Speaker, Turn

SURE = 0.5  # below this confidence the recogniser itself doubts the words
ENOUGH = 6  # characters of a turn that can tell a wish
PHONE = re.compile(r"(?<!\d)1[3-9]\d{9}(?!\d)")


def summarise(turns: Sequence[Turn], called_at: datetime) -> Summary:
    """The call in short. ``called_at`` (aware, the line's own zone) is what 明天 is counted from."""
    if called_at.tzinfo is None:
        raise ValueError("called_at needs a time zone")
    issue = next(
        (i for i, turn in enumerate(turns) if turn.speaker is Speaker.CALLER and len(turn.text) > ENOUGH), None
    )
    facts = tuple(
        Detail(FactKind.PHONE, found.group(), turn.speaker, turn.start, i, (i,), turn.confidence >= SURE)
        for i, turn in enumerate(turns)
        for found in PHONE.finditer(turn.text)
    )
    text = PHONE.sub("", turns[issue].text).strip() if issue is not None else None
    evidence: dict[str, tuple[int, ...]] = {text: (issue,)} if text and issue is not None else {}
    return Summary(text or None, Category.QUESTION, Urgency.LOW, Sentiment.NEUTRAL, facts, (), evidence)


def as_json(summary: Summary) -> dict[str, Any]:
    """The summary as ``hotline summarise --json`` prints it."""
    return {
        "issue": summary.issue,
        "category": summary.category.value,
        "urgency": summary.urgency.value,
        "sentiment": summary.sentiment.value,
        "facts": [
            {
                "kind": fact.kind.value,
                "value": fact.value,
                "speaker": str(fact.speaker),
                "at": fact.at,
                "turns": list(fact.turns),
                "sure": fact.sure,
            }
            for fact in summary.facts
        ],
        "promises": [
            {"who": promise.who, "what": promise.what, "by_when": promise.by_when, "turns": list(promise.turns)}
            for promise in summary.promises
        ],
        "evidence": {sentence: list(turns) for sentence, turns in summary.evidence.items()},
        "reasons": {label: list(turns) for label, turns in summary.reasons.items()},
    }
