"""Where in a call something was said: the turns to show, and which of their characters to mark. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from storage.search_words import Term, level
from transcription.transcript import Turn

MOST = 2  # turns shown of one call
LONGEST = 90  # characters shown of one turn
BEFORE = 20


@dataclass(frozen=True, slots=True)
class Snippet:
    """A piece of a turn. ``position``: which turn; ``start``: when it began, seconds; ``marks``: (from, to) in text."""

    position: int
    speaker: str
    agent: str | None
    start: float
    text: str
    marks: tuple[tuple[int, int], ...]


def snippets(
    said: Sequence[tuple[int, Turn]], wanted: Sequence[Term], shown: Sequence[tuple[int, Turn]] | None = None
) -> tuple[Snippet, ...]:
    """The turns that have most of the words, in their order; none when a word stands in no turn.

    ``shown``: the same turns as they are shown, each text as long as it was said.
    """
    instead = {} if shown is None else {position: turn.text for position, turn in shown}
    having = [
        (position, turn, {term.text for term in wanted if _sought(term.text).search(level(turn.text))})
        for position, turn in said
    ]
    if {term.text for term in wanted} - set().union(*(words for *_, words in having)):
        return ()
    chosen: list[tuple[int, Turn]] = []
    missing = {term.text for term in wanted}
    while missing and len(chosen) < MOST:
        position, turn, words = max(having, key=lambda one: len(one[2] & missing))
        chosen.append((position, turn))
        missing -= words
    return tuple(
        _snippet(position, turn, instead.get(position, turn.text), wanted)
        for position, turn in sorted(chosen, key=lambda one: one[0])
    )


def _snippet(position: int, turn: Turn, text: str, wanted: Sequence[Term]) -> Snippet:
    """A turn cut to what was looked for; ``text``: as it is shown."""
    same = level(turn.text)
    if len(same) != len(text):  # what was folded is shown folded: the marks must fit
        text = level(text)
        same = same if len(same) == len(text) else text
    spans = sorted({match.span() for term in wanted for match in _sought(term.text).finditer(same)})
    begins = max(0, spans[0][0] - BEFORE) if spans and len(text) > LONGEST else 0
    ends = min(len(text), begins + LONGEST)
    head, tail = "…" if begins else "", "…" if ends < len(text) else ""
    marks: list[tuple[int, int]] = []
    move = len(head) - begins
    for since, until in ((since + move, until + move) for since, until in spans if until <= ends):
        if marks and since <= marks[-1][1]:
            marks[-1] = (marks[-1][0], max(until, marks[-1][1]))
        else:
            marks.append((since, until))
    return Snippet(position, turn.speaker.value, turn.agent, turn.start, head + text[begins:ends] + tail, tuple(marks))


@lru_cache(maxsize=512)
def _sought(word: str) -> re.Pattern[str]:
    """A word as it may be written: numbers and codes in groups, too."""
    if word.isascii():
        return re.compile("[-./_ ]?".join(map(re.escape, word)))
    return re.compile(re.escape(word))
