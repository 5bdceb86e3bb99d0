"""A call whose truth is known: turns as they were said, and what a good summary of it holds. Pure.

The format is that of the dialogues this project measures itself with (docs/speech.md): one JSON a call, with
``call_start`` (local time), ``turns`` and ``truth``; sound, where there is any, stands beside it.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from transcription.account import Category, FactKind, Sentiment, Urgency
from transcription.transcript import Speaker, Turn

SECRET = frozenset({FactKind.ID_CARD, FactKind.BANK_CARD})


class TruthError(ValueError):
    """The file is no known call: the text says what is wrong, and where."""


@dataclass(frozen=True, slots=True)
class TrueFact:
    """A detail that belongs into the summary; ``turns``: where it is said, as far as the file tells."""

    kind: FactKind
    value: str
    turns: frozenset[int]


@dataclass(frozen=True, slots=True)
class TruePromise:
    """Who bound himself, and by when ('' or as in :class:`transcription.account.Promise`)."""

    who: str
    what: str
    by_when: str


@dataclass(frozen=True, slots=True)
class Spot:
    """Characters ``start`` to ``end`` of turn ``turn`` that hold (a piece of) an identity or bank card."""

    turn: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class KnownCall:
    """One call. ``turns`` hold the written form, ``spoken`` what was said word by word, by turn.

    ``cards``: identity and bank card numbers said in full; ``spots``: where, in the written form.
    """

    name: str
    called_at: datetime
    turns: tuple[Turn, ...]
    spoken: tuple[str, ...]
    category: Category
    urgency: Urgency
    sentiment: Sentiment
    facts: tuple[TrueFact, ...]
    promises: tuple[TruePromise, ...]
    cards: frozenset[str]
    spots: tuple[Spot, ...]


def read(name: str, raw: str | bytes, zone: ZoneInfo) -> KnownCall | None:
    """The call in a JSON text, or None where it is another sort of JSON (without ``truth``). Raises TruthError."""
    try:
        data = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise TruthError(f"{name}: no JSON: {error}") from error
    if not isinstance(data, dict) or "truth" not in data:
        return None
    try:
        return _call(name, data, zone)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise TruthError(f"{name}: {type(error).__name__} {error}") from error


def _call(name: str, data: Mapping[str, Any], zone: ZoneInfo) -> KnownCall:
    truth = data["truth"]
    said = tuple(
        Turn(Speaker(turn["speaker"]), float(turn["start"]), float(turn["end"]), str(turn["text"]), 1.0)
        for turn in data["turns"]
    )
    at = datetime.fromisoformat(data["call_start"])
    secrets = [entry for entry in truth.get("pii", ()) if entry["kind"] in {kind.value for kind in SECRET}]
    return KnownCall(
        name=name,
        called_at=at if at.tzinfo else at.replace(tzinfo=zone),
        turns=said,
        spoken=tuple(str(turn.get("spoken", turn["text"])) for turn in data["turns"]),
        category=Category(truth["category"]),
        urgency=Urgency(truth["urgency"]),
        sentiment=Sentiment(truth["sentiment"]),
        facts=tuple(TrueFact(FactKind(fact["kind"]), str(fact["value"]), _turns(fact)) for fact in truth["facts"]),
        promises=tuple(
            TruePromise(promise["who"], promise["what"], promise.get("by_when") or "") for promise in truth["promises"]
        ),
        cards=frozenset(_card(entry["value"]) for entry in secrets if len(_card(entry["value"])) >= 15),  # noqa: PLR2004 - less is a tail
        spots=tuple(spot for entry in secrets for spot in _spots(entry, said)),
    )


def _turns(fact: Mapping[str, Any]) -> frozenset[int]:
    parts = (part["turn"] for part in fact.get("parts", ()))
    return frozenset({*([fact["turn"]] if "turn" in fact else ()), *fact.get("also", ()), *parts})


def _card(value: object) -> str:
    return "".join(char for char in str(value).upper() if char.isdigit() or char == "X")


def _spots(entry: Mapping[str, Any], said: Sequence[Turn]) -> list[Spot]:
    if "char_start" in entry:
        return [Spot(entry["turn"], entry["char_start"], entry["char_end"])]
    found = []
    for part in entry.get("parts") or [entry]:
        start = said[part["turn"]].text.index(part["surface"])
        found.append(Spot(part["turn"], start, start + len(part["surface"])))
    return found
