"""What people say instead of the machine's summary. The machine's stays as it is; this is laid over it. Pure.

A correction names its place in the machine's summary by what the machine said there, so that a later run of the
machine finds it again: what a person took out stays out, what a person put in stays in.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeVar

from transcription.account import Category, Detail, FactKind, Promise, Sentiment, Summary, Urgency

LONGEST = 500  # characters of a value


class Part(StrEnum):
    """What of a summary a person may correct."""

    ISSUE = "issue"
    CATEGORY = "category"
    URGENCY = "urgency"
    SENTIMENT = "sentiment"
    FACT = "fact"
    PROMISE = "promise"


_LABELS = {Part.CATEGORY: frozenset(Category), Part.URGENCY: frozenset(Urgency), Part.SENTIMENT: frozenset(Sentiment)}
_KINDS = frozenset(FactKind)
_TOLD = {Part.ISSUE: "text", Part.FACT: "value", Part.PROMISE: "what"}


_Item = TypeVar("_Item", Detail, Promise)


@dataclass(frozen=True, slots=True)
class Change:
    """What a person wants.

    ``key``: '' for what a summary has one of; else which fact or promise of the machine's (:func:`fact_key`,
    :func:`promise_key`), or the same of what is added. ``value``: ``{"text"}``, ``{"kind", "value"}`` or ``{"who",
    "what", "by_when"}``; None: it is not so. ``undo``: the machine was right after all.
    """

    part: Part
    key: str = ""
    value: Mapping[str, str] | None = None
    undo: bool = False


@dataclass(frozen=True, slots=True)
class Correction:
    """A change that holds: the last one of its place. ``at`` epoch seconds; ``machine``: what the machine had said."""

    part: Part
    key: str
    value: Mapping[str, str] | None
    machine: Mapping[str, str] | None
    who: str
    at: float


def fact_key(kind: str, value: str) -> str:
    """The place of a fact."""
    return f"{kind}|{value}"


def promise_key(who: str, what: str) -> str:
    """The place of a promise."""
    return f"{who}|{what}"


def said(summary: Summary, part: Part, key: str) -> Mapping[str, str] | None:
    """What a summary says at a place; None: nothing."""
    match part:
        case Part.ISSUE:
            return None if summary.issue is None else {"text": summary.issue}
        case Part.CATEGORY:
            return {"text": summary.category.value}
        case Part.URGENCY:
            return {"text": summary.urgency.value}
        case Part.SENTIMENT:
            return {"text": summary.sentiment.value}
        case Part.FACT:
            facts = (fact for fact in summary.facts if fact_key(fact.kind, fact.value) == key)
            return next(({"kind": fact.kind.value, "value": fact.value} for fact in facts), None)
        case Part.PROMISE:
            kept = (one for one in summary.promises if promise_key(one.who, one.what) == key)
            return next(({"who": one.who, "what": one.what, "by_when": one.by_when} for one in kept), None)


def sound(change: Change) -> bool:
    """Whether a change says something that a summary can hold."""
    value = change.value
    if value is None:
        return change.undo or change.part in (Part.ISSUE, Part.FACT, Part.PROMISE)
    if any(not text.isprintable() or len(text) > LONGEST for text in value.values()):
        return False
    if change.part in _LABELS:
        return value.get("text") in _LABELS[change.part]
    if change.part is Part.FACT and value.get("kind") not in _KINDS:
        return False
    if change.part is Part.PROMISE and value.get("who") not in ("caller", "agent"):
        return False
    return bool(value.get(_TOLD[change.part], "").strip())


def corrected(summary: Summary, corrections: Sequence[Correction]) -> Summary:
    """The summary as people have it. What a person said cites no turn and names the person (``by``)."""
    for one in corrections:
        summary = _laid(summary, one)
    return summary


def facts_by_place(machine: Summary, corrections: Sequence[Correction]) -> list[tuple[str, Detail]]:
    """The facts as people have them, each with its place in the machine's summary or its own."""
    return _by_place(corrected(machine, corrections).facts, Part.FACT, corrections)


def promises_by_place(machine: Summary, corrections: Sequence[Correction]) -> list[tuple[str, Promise]]:
    """The promises as people have them, each with its place."""
    return _by_place(corrected(machine, corrections).promises, Part.PROMISE, corrections)


def place_of(item: Detail | Promise) -> str:
    """The place of what the machine said."""
    if isinstance(item, Detail):
        return fact_key(item.kind, item.value)
    return promise_key(item.who, item.what)


def _by_place(items: Sequence[_Item], part: Part, corrections: Sequence[Correction]) -> list[tuple[str, _Item]]:
    made = {}
    for one in corrections:
        if one.part is part and one.value is not None:
            value = one.value
            said = (
                fact_key(value["kind"], value["value"])
                if part is Part.FACT
                else promise_key(value["who"], value["what"])
            )
            made[said] = one.key
    return [
        (place if item.by is None else made.get(place, place), item) for item in items for place in [place_of(item)]
    ]


def _laid(summary: Summary, one: Correction) -> Summary:
    text = "" if one.value is None else one.value.get("text", "")
    match one.part:
        case Part.ISSUE:
            return replace(summary, issue=text or None)
        case Part.CATEGORY:
            return replace(summary, category=Category(text), reasons=_without(summary.reasons, "category"))
        case Part.URGENCY:
            return replace(summary, urgency=Urgency(text), reasons=_without(summary.reasons, "urgency"))
        case Part.SENTIMENT:
            return replace(summary, sentiment=Sentiment(text), reasons=_without(summary.reasons, "sentiment"))
        case Part.FACT:
            return replace(summary, facts=_facts(summary.facts, one))
        case Part.PROMISE:
            return replace(summary, promises=_promises(summary.promises, one))


def _facts(facts: tuple[Detail, ...], one: Correction) -> tuple[Detail, ...]:
    place = next((i for i, fact in enumerate(facts) if fact_key(fact.kind, fact.value) == one.key), None)
    put: tuple[Detail, ...] = ()
    if one.value is not None:
        known = None if place is None else facts[place]
        kind, value = FactKind(one.value["kind"]), one.value["value"]
        put = (
            (Detail(kind, value, "", 0.0, -1, by=one.who),)
            if known is None
            else (replace(known, kind=kind, value=value, sure=True, by=one.who),)
        )
    if place is None:
        have = {(fact.kind, fact.value) for fact in facts}  # the machine hears it by now as well
        return (*facts, *(fact for fact in put if (fact.kind, fact.value) not in have))
    return (*facts[:place], *put, *facts[place + 1 :])


def _promises(promises: tuple[Promise, ...], one: Correction) -> tuple[Promise, ...]:
    place = next((i for i, kept in enumerate(promises) if promise_key(kept.who, kept.what) == one.key), None)
    put: tuple[Promise, ...] = ()
    if one.value is not None:
        known = Promise("agent", "", "", -1) if place is None else promises[place]
        who, what, by_when = (one.value.get(name, "") for name in ("who", "what", "by_when"))
        put = (replace(known, who=who, what=what, by_when=by_when, by=one.who),)
    if place is None:
        return (*promises, *put)
    return (*promises[:place], *put, *promises[place + 1 :])


def _without(reasons: Mapping[str, tuple[int, ...]], name: str) -> dict[str, tuple[int, ...]]:
    return {label: turns for label, turns in reasons.items() if label != name}
