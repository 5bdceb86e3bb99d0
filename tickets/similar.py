"""Which open tickets are about the same matter as this one: by the words that set them apart, and which those are.

A word weighs the more the fewer of the line's tickets it stands in, so what everybody says decides nothing. What is
weighed is what the callers said and the titles; then the titles are laid side by side. A code that both name (a
product's model, a fault's number) says more than words. Below :data:`LIKE` nothing is suggested: a suggestion that is
wrong costs a look each time. ``docs/search.md`` says how it was measured.

Must not know where tickets are kept, nor who may see them.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz

LIKE = 0.28
LOOKED_AT = 20  # of those with the most in common, the titles are compared
MOST = 5
WHY = 4
_TITLE, _CODE = 3, 2.0  # how often a word of a title counts; how much more a code weighs than a word as rare
_BESIDE = 0.25  # of the likeness: how alike the titles are
_OTHER_CATEGORY = 0.75
_PRIOR = 20  # tickets of which we pretend to know that they hold no rare word: with few, none is rare


@dataclass(frozen=True, slots=True)
class Matter:
    """What a ticket is about. ``words``: what was said, with repeats; ``codes``: models and fault codes, upper case."""

    id: int
    title: str
    category: str | None
    words: tuple[str, ...]
    title_words: tuple[str, ...] = ()
    codes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Usual:
    """In how many of the line's tickets each word stands, and of how many."""

    documents: int
    standing: Mapping[str, int]

    def weight(self, word: str) -> float:
        """How much a word says."""
        return math.log((self.documents + _PRIOR) / (self.standing.get(word, 0) + 1))


@dataclass(frozen=True, slots=True)
class Like:
    """A ticket that may be about the same, how alike it is (0 to 1), and the words that say so."""

    id: int
    likeness: float
    why: tuple[str, ...]


def usual(matters: Sequence[Matter]) -> Usual:
    """What the words of a line's tickets, newest perhaps, weigh."""
    standing: Counter[str] = Counter()
    for matter in matters:
        standing.update({*matter.words, *matter.title_words, *matter.codes})
    return Usual(len(matters), standing)


def similar(ours: Matter, others: Sequence[Matter], known: Usual, like: float = LIKE) -> list[Like]:
    """The tickets most like ours, best first; ours itself among ``others`` is passed over."""
    mine = _weighed(ours, known)
    near: list[tuple[float, Matter, dict[str, float]]] = []
    for other in others:
        if other.id == ours.id or mine.keys().isdisjoint((*other.words, *other.title_words, *other.codes)):
            continue
        theirs = _weighed(other, known)
        shared = {word: mine[word] * theirs[word] for word in mine.keys() & theirs.keys()}
        near.append((sum(shared.values()), other, shared))
    near.sort(key=lambda one: (-one[0], -one[1].id))
    found = [_like(ours, other, common, shared) for common, other, shared in near[:LOOKED_AT]]
    found.sort(key=lambda one: (-one.likeness, -one.id))
    return [one for one in found if one.likeness >= like][:MOST]


def _like(ours: Matter, other: Matter, common: float, shared: Mapping[str, float]) -> Like:
    titles = fuzz.token_sort_ratio(" ".join(ours.title_words), " ".join(other.title_words)) / 100
    likeness = (1 - _BESIDE) * common + _BESIDE * titles
    if ours.category and other.category and ours.category != other.category:
        likeness *= _OTHER_CATEGORY
    why = sorted(shared, key=lambda word: (-shared[word], word))[:WHY]
    return Like(other.id, round(min(1.0, likeness), 4), tuple(why))


def _weighed(matter: Matter, known: Usual) -> dict[str, float]:
    """Each word's share of a matter; their squares add up to one."""
    counted: Counter[str] = Counter(matter.words)
    for word in matter.title_words:
        counted[word] += _TITLE
    weights = {word: (1 + math.log(times)) * known.weight(word) for word, times in counted.items()}
    for code in matter.codes:
        weights[code] = _CODE * known.weight(code)
    length = math.sqrt(sum(weight * weight for weight in weights.values()))
    return {word: weight / length for word, weight in weights.items()} if length else {}
