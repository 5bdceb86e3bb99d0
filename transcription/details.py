"""The facts of a call: every reader over every line, then what was taken back or not agreed is dropped. Pure."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from transcription.account import Detail, FactKind
from transcription.agreed import dropped
from transcription.codes import Dictation
from transcription.days import Calendar
from transcription.dialogue import Line, Mention
from transcription.hours import Clock
from transcription.kinds import Sorter
from transcription.lexicon import Lexicon
from transcription.money import with_unit, without_unit
from transcription.places import Places

_EMAIL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._\-]*@[A-Za-z0-9\-]+(?:\.[A-Za-z0-9\-]+)+")
_NUMBERS = frozenset(FactKind) - {FactKind.AMOUNT, FactKind.DATE, FactKind.TIME, FactKind.ADDRESS, FactKind.EMAIL}
_PART = 3  # characters: a shorter piece of a number may be its own


@dataclass(frozen=True)
class Found:
    """All values named in a call, and those of them that stand."""

    mentions: tuple[Mention, ...]  # in order
    standing: tuple[Mention, ...]
    secrets: tuple[str, ...] = ()  # card numbers in full, to be kept out of every sentence


def find(conversation: Sequence[Line], called_at: datetime, lexicon: Lexicon) -> Found:
    """Read every line of the conversation."""
    calendar, clock, places = Calendar(called_at.date()), Clock(called_at), Places()
    dictation = Dictation(lexicon, conversation)
    mentions: list[Mention] = []
    unread: list[Line] = []
    for line in conversation:
        free = line
        for read in (_emails, places.read, calendar.read, clock.read, with_unit):
            found = list(read(free))
            if found:
                mentions += found
                free = replace(free, text=_blank(free.text, found))
        unread.append(free)
    bare = list(without_unit(unread, [m for m in mentions if m.kind is FactKind.AMOUNT]))
    mentions += bare
    for line, free in zip(conversation, unread, strict=True):
        dictation.read(line, _blank(free.text, [m for m in bare if m.line == line.index]))
    sorter = Sorter(lexicon, conversation)
    mentions += sorter.sort(dictation.chains)
    mentions.sort(key=lambda m: (m.line, m.start))
    gone = dropped(mentions, conversation, lexicon, called_at.date())
    standing = [
        m
        for i, m in enumerate(mentions)
        if i not in gone and not (m.kind is FactKind.ADDRESS and m.value in places.replaced)
    ]
    return Found(tuple(mentions), tuple(standing), tuple(sorter.secrets))


def facts(found: Found, conversation: Sequence[Line]) -> tuple[Detail, ...]:
    """One entry for each different kind and value, in the order in which they were first said."""
    merged: dict[tuple[FactKind, str], list[Mention]] = {}
    for mention in found.standing:
        merged.setdefault((mention.kind, mention.value), []).append(mention)
    parts = _part_of_another(merged)
    details = []
    for (kind, value), said in merged.items():
        if (kind, value) in parts:
            continue
        first = said[0]
        turns = tuple(sorted({turn for mention in said for turn in mention.turns}))
        sure = any(all(conversation[turn].sure for turn in mention.turns) for mention in said)
        line = conversation[first.line]
        details.append(Detail(kind, value, line.speaker, line.second(first.start), first.line, turns, sure))
    return tuple(details)


def _part_of_another(merged: Collection[tuple[FactKind, str]]) -> set[tuple[FactKind, str]]:
    """The values that are pieces of longer ones, such as a read-back of the last digits."""
    numbers = "\n".join(value for kind, value in merged if kind in _NUMBERS)
    places = "\n".join(value for kind, value in merged if kind is FactKind.ADDRESS)
    parts = set()
    for kind, value in merged:
        bare = value.lstrip("*")
        if kind is FactKind.ADDRESS:
            inside = places.count(value) > 1
        else:
            inside = (
                kind in _NUMBERS and kind is not FactKind.FAULT_CODE and len(bare) >= _PART and numbers.count(bare) > 1
            )
        if inside:
            parts.add((kind, value))
    return parts


def _emails(line: Line) -> list[Mention]:
    return [
        Mention(FactKind.EMAIL, found.group().lower(), line.index, found.start(), found.end(), (line.index,))
        for found in _EMAIL.finditer(line.text)
    ]


def _blank(text: str, found: Sequence[Mention]) -> str:
    chars = list(text)
    for mention in found:
        chars[mention.start : mention.end] = "\0" * (mention.end - mention.start)
    return "".join(chars)
