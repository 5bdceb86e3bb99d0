"""When a place in a turn is heard: seconds of the recording, to be bleeped. Pure.

By the words' own times where the engine gave them; else by the place in the turn, with a margin, as people do not speak
evenly. A bleep a little too long costs a word; one too short says a digit.
"""

from collections.abc import Sequence

from transcription.aligned import align, places
from transcription.transcript import Bleep, Turn

_EDGE = 0.15  # seconds beside a word whose times are known
_LEAST, _SHARE, _MOST = 0.3, 0.15, 2.0  # margin without: seconds, of the turn, seconds
_SILENT = frozenset(" ，,。.、！!？?；;：:…-")
_JOIN = 0.25  # seconds: what lies so near is one


def bleeps(turns: Sequence[Turn], said: Sequence[tuple[int, int, int, str]]) -> tuple[Bleep, ...]:
    """The bleeps of places (turn, start, end, what), in order, overlapping ones of one speaker joined."""
    found = sorted(
        (_bleep(turns[turn], start, end, what) for turn, start, end, what in said),
        key=lambda bleep: (bleep.speaker.value, bleep.start),
    )
    joined: list[Bleep] = []
    for bleep in found:
        last = joined[-1] if joined else None
        if last is not None and last.speaker is bleep.speaker and bleep.start <= last.end + _JOIN:
            joined[-1] = Bleep(last.speaker, last.start, max(last.end, bleep.end), last.what)
        else:
            joined.append(bleep)
    return tuple(sorted(joined, key=lambda bleep: bleep.start))


def masked_bleeps(turns: Sequence[Turn], mask: str = "*") -> tuple[Bleep, ...]:
    """The bleeps of turns that were blackened when nobody noted where: wherever a mask stands, to four digits on."""
    said = []
    for i, turn in enumerate(turns):
        at = [n for n, char in enumerate(turn.text) if char == mask]
        if at:
            said.append((i, at[0], min(len(turn.text), at[-1] + 9), "masked"))
    return bleeps(turns, said)


def _bleep(turn: Turn, start: int, end: int, what: str) -> Bleep:
    begins, ends = _by_words(turn, start, end) if turn.words else _by_place(turn, start, end)
    return Bleep(turn.speaker, round(max(0.0, begins), 3), round(ends, 3), what)


def _by_words(turn: Turn, start: int, end: int) -> tuple[float, float]:
    texts = [word.text for word in turn.words]
    first, last = align(turn.text, "".join(texts)).span(start, end)
    starts = places(texts)
    touched = [
        word for word, at, after in zip(turn.words, starts, starts[1:], strict=False) if at < last and after > first
    ]
    if not touched:
        return _by_place(turn, start, end)
    return touched[0].start - _EDGE, touched[-1].end + _EDGE


def _by_place(turn: Turn, start: int, end: int) -> tuple[float, float]:
    weights = [0.5 if char in _SILENT else 1.0 for char in turn.text]
    whole, length = sum(weights) or 1.0, turn.end - turn.start
    margin = min(max(_LEAST, _SHARE * length), _MOST)
    begins = turn.start + length * sum(weights[:start]) / whole - margin
    ends = turn.start + length * sum(weights[:end]) / whole + margin
    return max(begins, turn.start - _LEAST), min(ends, turn.end + _LEAST)
