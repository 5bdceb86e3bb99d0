"""A summary as it is kept in a JSON column, and back."""

from dataclasses import asdict
from typing import Any

from transcription.account import Category, Detail, FactKind, Promise, Sentiment, Summary, Urgency


def to_json(summary: Summary) -> dict[str, Any]:
    """Plain JSON; enums by their values."""
    return asdict(summary)


def from_json(kept: dict[str, Any]) -> Summary:
    """The summary that :func:`to_json` kept."""
    return Summary(
        issue=kept["issue"],
        category=Category(kept["category"]),
        urgency=Urgency(kept["urgency"]),
        sentiment=Sentiment(kept["sentiment"]),
        facts=tuple(Detail(**{**it, "kind": FactKind(it["kind"])}) for it in kept["facts"]),
        promises=tuple(Promise(**it) for it in kept["promises"]),
        evidence={sentence: tuple(turns) for sentence, turns in kept["evidence"].items()},
    )
