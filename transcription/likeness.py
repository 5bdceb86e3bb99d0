"""Which category a statement is most like, learnt from the examples of the lexicon. Pure.

A naive Bayes classifier over words and pairs of characters, counting only what speaks for a category: what a short
statement lacks says nothing. Callers and agents say different things about the same matter (到了没有, 我催一下派送员),
so each side has its own examples, in ``examples.toml`` and in an admin's own file.
"""

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import rjieba

from transcription.account import Category
from transcription.lexicon import Lexicon
from transcription.spoken import written

_SMOOTH = 4.0  # examples that a category is taken to have of everything, in the usual mixture
_PIECE = re.compile(r"[\u4e00-\u9fff]+|[A-Za-z]+|0")
_DIGITS = re.compile(r"\d+")
_MEMO = "likeness"

Scores = Mapping[Category, float]


@dataclass(frozen=True, slots=True)
class Likeness:
    """For each side of the conversation what its words say for each category."""

    caller: Mapping[str, Scores]
    agent: Mapping[str, Scores]

    def of(self, text: str, *, caller: bool) -> Scores:
        """How much a statement speaks for each category, 0 and up; canonical writing."""
        known = self.caller if caller else self.agent
        found = [known[feature] for feature in _features(text) if feature in known]
        scale = math.sqrt(len(found) or 1)
        return {category: sum(weights.get(category, 0.0) for weights in found) / scale for category in Category}


def likeness(words: Lexicon) -> Likeness:
    """What a lexicon's examples teach; learnt once a lexicon."""
    if _MEMO not in words.memo:
        words.memo[_MEMO] = Likeness(_learnt(words, "caller"), _learnt(words, "agent"))
    made = words.memo[_MEMO]
    assert isinstance(made, Likeness)
    return made


def _learnt(words: Lexicon, side: str) -> dict[str, Scores]:
    seen = {category: _counted(words.tables.get(f"examples.{side}.{category.value}", ())) for category in Category}
    everything: Counter[str] = Counter()
    for counts, _ in seen.values():
        everything.update(counts)
    total = sum(number for _, number in seen.values())
    learnt: dict[str, Scores] = {}
    for feature, often in everything.items():
        usual = (often + 0.5) / (total + 1)
        learnt[feature] = {
            category: weight
            for category, (counts, number) in seen.items()
            if (weight := math.log((counts[feature] + _SMOOTH * usual) / (number + _SMOOTH) / usual)) > 0
        }
    return learnt


def _counted(statements: Sequence[str]) -> tuple[Counter[str], int]:
    counts: Counter[str] = Counter()
    for statement in statements:
        counts.update(_features(written(statement)))
    return counts, len(statements)


def _features(text: str) -> set[str]:
    """Words of two characters and more, and each pair of neighbours; all numbers are one."""
    found: set[str] = set()
    for piece in _PIECE.findall(_DIGITS.sub("0", text)):
        found.update(word for word in rjieba.cut(piece) if len(word) > 1)
        found.update(piece[i : i + 2] for i in range(len(piece) - 1))
    return found
