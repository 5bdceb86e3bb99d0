"""Two writings of one stretch of speech laid side by side: as heard and as tidied, as said and as masked. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from rapidfuzz.distance import Levenshtein

from transcription.digit_runs import HARD
from transcription.simplified import simplified

_ENDLESS = 25_000_000


@dataclass(frozen=True, slots=True)
class Aligned:
    """Where the characters of one text stand in another."""

    _blocks: tuple[tuple[str, int, int, int, int], ...]
    _length: int

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The stretch of the other text that holds what ``[start:end]`` of the first says; wider rather than less."""
        first, last = self._length, 0
        for kind, a, b, c, d in self._blocks:
            if b <= start and not a == b == start:
                continue
            if a >= end:
                break
            if kind == "equal":
                low, high = c + max(start - a, 0), c + min(end, b) - a
            else:
                low, high = c, d
            first, last = min(first, low), max(last, high)
        return (first, last) if first < last else (min(first, self._length), min(first, self._length))


def align(one: str, other: str) -> Aligned:
    """Lay ``one`` beside ``other``. Takes time in proportion to the product of their lengths, in C.

    Of two endless texts that differ every stretch of one is everywhere in the other: that may hide too much.
    """
    if one == other:
        return Aligned((("equal", 0, len(one), 0, len(other)),), len(other))
    if len(one) * len(other) > _ENDLESS:
        return Aligned((("replace", 0, len(one), 0, len(other)),), len(other))
    blocks = Levenshtein.opcodes(_bare(one), _bare(other))
    return Aligned(tuple((op.tag, op.src_start, op.src_end, op.dest_start, op.dest_end) for op in blocks), len(other))


def places(texts: Sequence[str]) -> list[int]:
    """Where each of the texts begins when they are written one after the other, and where the last one ends."""
    starts = [0]
    for text in texts:
        starts.append(starts[-1] + len(text))
    return starts


def _bare(text: str) -> str:
    """One character for one: simplified, digits as digits, capitals."""
    plain = simplified(text)
    return "".join(up if len(up := HARD.get(char, char).upper()) == 1 else char for char in plain)
