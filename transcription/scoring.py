"""How good what was heard and summed up is, held against calls whose truth is known. Pure; counts, not opinions.

Facts are the same by kind and canonical value (amounts as numbers), promises by who and day. A card counts as hidden
when no eight digits in a row of it are left anywhere.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any, Self, TypeVar

from rapidfuzz.distance import Levenshtein

from transcription.account import FactKind, Summary
from transcription.evidence import supported
from transcription.redaction import MASK
from transcription.spoken import written
from transcription.transcript import Speaker, Turn
from transcription.truth import SECRET, KnownCall

W = TypeVar("W")
G = TypeVar("G")

SHOWN = 8  # digits in a row of a card that give it away
_SENSE = re.compile(r"[\W_]+")
_BLANK = re.compile(r"[\s，,。、：:（）()·]")
_MOBILE = 11


@dataclass(slots=True)
class Score:
    """Counts over calls; add them up with ``+=``. Ratios are made where they are shown."""

    calls: int = 0
    facts_wanted: int = 0
    facts_said: int = 0
    facts_hit: int = 0
    promises_wanted: int = 0
    promises_said: int = 0
    promises_hit: int = 0
    category: int = 0
    urgency: int = 0
    sentiment: int = 0
    sentences: int = 0
    evidenced: int = 0  # sentences whose cited turns really say them
    cards: int = 0
    hidden: int = 0
    other_digits: int = 0  # digits that belong to no card ...
    masked: int = 0  # ... of which these were blackened all the same
    legs: int = 0
    characters: int = 0
    character_errors: int = 0
    true_turns: int = 0
    right_speaker: int = 0
    lost_turns: int = 0  # true turns of which nothing at all was heard
    seconds: float = 0.0  # of sound
    spent: float = 0.0  # seconds of work

    def __iadd__(self, other: "Score") -> Self:
        """Add the counts of another call."""
        for field in fields(self):
            setattr(self, field.name, getattr(self, field.name) + getattr(other, field.name))
        return self


@dataclass(frozen=True, slots=True)
class Missed:
    """What went wrong with one call, for people: each entry reads ``kind value`` or ``who what by_when``."""

    facts_missed: tuple[str, ...]
    facts_wrong: tuple[str, ...]
    promises_missed: tuple[str, ...]
    promises_wrong: tuple[str, ...]
    category: str
    unsupported: tuple[str, ...]

    def __bool__(self) -> bool:
        """Whether anything did."""
        return any(getattr(self, field.name) for field in fields(self))


def summed_up(call: KnownCall, summary: Summary, turns: Sequence[Turn]) -> tuple[Score, Missed]:
    """Hold a summary of ``turns`` against the truth."""
    wanted = [(fact.kind, _canonical(fact.kind, fact.value)) for fact in call.facts if fact.kind not in SECRET]
    said = [(fact.kind, _canonical(fact.kind, fact.value)) for fact in summary.facts if fact.kind not in SECRET]
    promised = [(promise.who, promise.by_when[:10], promise.what) for promise in call.promises]
    found = [(promise.who, promise.by_when[:10], promise.what) for promise in summary.promises]
    fact_hits, facts_missed, facts_wrong = _pairs(wanted, said, lambda a, b: a == b)
    promise_hits, missed, wrong = _pairs(promised, found, lambda a, b: a[:2] == b[:2])
    unsupported = _unsupported(call, summary, turns)
    score = Score(
        calls=1,
        facts_wanted=len(wanted),
        facts_said=len(said),
        facts_hit=fact_hits,
        promises_wanted=len(promised),
        promises_said=len(found),
        promises_hit=promise_hits,
        category=summary.category is call.category,
        urgency=summary.urgency is call.urgency,
        sentiment=summary.sentiment is call.sentiment,
        sentences=len(summary.evidence),
        evidenced=len(summary.evidence) - len(unsupported),
    )
    return score, Missed(
        tuple(f"{kind.value} {value}" for kind, value in facts_missed),
        tuple(f"{kind.value} {value}" for kind, value in facts_wrong),
        tuple(" ".join(each) for each in missed),
        tuple(" ".join(each) for each in wrong),
        "" if summary.category is call.category else f"{summary.category.value} for {call.category.value}",
        unsupported,
    )


def blackened(call: KnownCall, kept: Sequence[Turn], shown: str, *, aligned: bool) -> Score:
    """How well cards were hidden. ``kept``: the turns as kept; ``shown``: everything else that people see.

    ``aligned``: the kept turns are the true ones, character by character, so that every digit is known to be one of a
    card or not. Otherwise other digits are counted in calls without a card alone.
    """
    left = re.sub(r"[^\dX]", "", written("".join(turn.text for turn in kept)).upper()) + "|"
    left += re.sub(r"[^\dX]", "", shown.upper())
    hidden = sum(not any(card[i : i + SHOWN] in left for i in range(len(card) - SHOWN + 1)) for card in call.cards)
    score = Score(cards=len(call.cards), hidden=hidden)
    if aligned:
        secret = {(spot.turn, at) for spot in call.spots for at in range(spot.start, spot.end)}
        for number, (true, turn) in enumerate(zip(call.turns, kept, strict=True)):
            others = [at for at, char in enumerate(true.text) if char.isdigit() and (number, at) not in secret]
            score.other_digits += len(others)
            score.masked += sum(turn.text[at] == MASK for at in others)
    elif not call.spots:
        said = "".join(turn.text for turn in kept)
        score.masked = said.count(MASK)
        score.other_digits = score.masked + sum(char.isdigit() for char in written(said))
    return score


def heard(call: KnownCall, turns: Sequence[Turn]) -> Score:
    """How well a recording was heard: characters by leg, and whose turn it was.

    Engines write numbers as digits or as words: the form that a leg comes closer to counts.
    """
    score = Score(true_turns=len(call.turns))
    for speaker in Speaker:
        own = [number for number, turn in enumerate(call.turns) if turn.speaker is speaker]
        forms = ("".join(call.turns[number].text for number in own), "".join(call.spoken[number] for number in own))
        got = _sense("".join(turn.text for turn in turns if turn.speaker is speaker))
        wrong, length = min(
            ((Levenshtein.distance(_sense(form), got), len(_sense(form))) for form in forms),
            key=lambda found: found[0] / max(1, found[1]),
        )
        score.legs, score.characters = score.legs + 1, score.characters + length
        score.character_errors += wrong
    for turn in call.turns:
        right = _covered(turn, (other for other in turns if other.speaker is turn.speaker))
        wrong_one = _covered(turn, (other for other in turns if other.speaker is not turn.speaker))
        score.right_speaker += right > 0 and right >= wrong_one
        score.lost_turns += right == wrong_one == 0
    return score


def _sense(text: str) -> str:
    """What counts of a text: letters, digits and characters, in lower case."""
    return _SENSE.sub("", text).lower()


def _covered(turn: Turn, others: Iterable[Turn]) -> float:
    return sum(max(0.0, min(turn.end, other.end) - max(turn.start, other.start)) for other in others)


def _unsupported(call: KnownCall, summary: Summary, turns: Sequence[Turn]) -> tuple[str, ...]:
    """Sentences that the turns they cite do not say."""
    bare = []
    for sentence, cited in summary.evidence.items():
        said = [turns[number] for number in cited]
        support = supported(sentence, said, call.called_at)
        if not said or not support.ok:
            bare.append(f"{sentence} ({' '.join(support.unmatched)})")
    return tuple(bare)


def _canonical(kind: FactKind, value: str) -> str:
    text = (
        _BLANK.sub("", value).upper() if kind is FactKind.ADDRESS else re.sub(r"[\s，,。、（）()]", "", value).upper()
    )
    if kind is FactKind.PHONE:
        return re.sub(r"\D", "", text).removeprefix("86")[-_MOBILE:]
    if kind is FactKind.AMOUNT:
        try:
            return f"{float(text):g}"
        except ValueError:
            return text
    return text


def _pairs(
    wanted: Sequence[W], got: Sequence[G], same: Callable[[Any, Any], bool]
) -> tuple[int, tuple[W, ...], tuple[G, ...]]:
    """How many of ``got`` have a partner in ``wanted``, each used once; and who has none."""
    left, alone = list(wanted), []
    for one in got:
        partner = next((each for each in left if same(each, one)), None)
        if partner is None:
            alone.append(one)
        else:
            left.remove(partner)
    return len(got) - len(alone), tuple(left), tuple(alone)
