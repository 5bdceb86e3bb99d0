"""Turns as people read them: punctuation where the engine wrote none, numbers as digits. Pure.

The words keep what was heard, with their times; only the turns' text changes, and only in a language whose writing is
known here. Done before anything is masked, summed up or kept, so that all of it reads the same text.
"""

import re
from collections.abc import Iterable
from dataclasses import replace

from transcription.numerals import numbered
from transcription.punctuation import bare, punctuated
from transcription.transcript import Turn
from transcription.wording import tidy

CHINESE = ("zh", "yue")


def tidied(turns: Iterable[Turn], language: str) -> tuple[Turn, ...]:
    """The turns with their text tidied. Tidying them again changes nothing."""
    return tuple(_turn(turn) for turn in turns) if language in CHINESE else tuple(turns)


def _letters(text: str) -> str:
    return re.sub(r"[\W_]+", "", text)


def _turn(turn: Turn) -> Turn:
    text = turn.text
    spelt = _letters(tidy("".join(word.text for word in turn.words), CHINESE[0]))
    # A comma of ours stands between two pieces of a turn. Words that are not all of the text would take some away.
    if spelt and spelt == _letters(text) and bare(text.replace("，", "")):
        text = tidy(punctuated(turn.words), CHINESE[0])
    return replace(turn, text=numbered(text))
