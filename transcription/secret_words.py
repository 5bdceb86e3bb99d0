"""Addresses, e-mails, taxpayer numbers and dictated telephones, for lines that have them blackened. Pure.

They are read as the summary reads them; what the summary would show as such is what is blackened.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from transcription.account import FactKind
from transcription.aligned import align
from transcription.codes import Dictation
from transcription.dialogue import Line, Mention, lines
from transcription.kinds import Sorter
from transcription.lexicon import standard
from transcription.places import Places
from transcription.transcript import Turn

_EMAIL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._\-]*@[A-Za-z0-9\-]+(?:\.[A-Za-z0-9\-]+)*")
_BROKEN_EMAIL = re.compile(r"[A-Za-z0-9._\-]{2,}[，、\s]*(?:艾特|圈[aA]|小老鼠|@)[，、\s]*[A-Za-z0-9._\-点]{2,}")
_TAX = re.compile(r"(?<![A-Za-z\d])[159][1-9](?:[，、\-]?\d){6}(?:[，、\-]?[\dA-Za-z]){10}(?![A-Za-z\d])")
DICTATED = frozenset({FactKind.TAX_NO, FactKind.PHONE})


@dataclass(frozen=True, slots=True)
class Spot:
    """``text[start:end]`` of a turn."""

    turn: int
    start: int
    end: int
    what: FactKind


def spots(turns: Sequence[Turn], wanted: Collection[FactKind]) -> Iterator[Spot]:
    """Where the turns say what is wanted, of the kinds this module reads."""
    conversation = lines(turns)
    found = [spot for line in conversation for spot in _in_line(line)]
    found += _places(conversation)
    if DICTATED & set(wanted):
        found += _dictated(conversation, found)
    for spot in found:
        if spot.what in wanted:
            start, end = align(conversation[spot.turn].text, turns[spot.turn].text).span(spot.start, spot.end)
            yield replace(spot, start=start, end=end)


def _in_line(line: Line) -> Iterator[Spot]:
    for what, shapes in ((FactKind.EMAIL, (_EMAIL, _BROKEN_EMAIL)), (FactKind.TAX_NO, (_TAX,))):
        for shape in shapes:
            for found in shape.finditer(line.text):
                yield Spot(line.index, *found.span(), what)


def _places(conversation: Sequence[Line]) -> Iterator[Spot]:
    places = Places()
    for line in conversation:
        for mention in places.read(line):
            yield _spot(mention)


def _dictated(conversation: Sequence[Line], taken: Sequence[Spot]) -> Iterator[Spot]:
    """Numbers said in pieces: each piece."""
    dictation = Dictation(standard(), conversation)
    for line in conversation:
        text = list(line.text)
        for spot in taken:
            if spot.turn == line.index and spot.what is not FactKind.TAX_NO:
                text[spot.start : spot.end] = "\0" * (spot.end - spot.start)
        dictation.read(line, "".join(text))
    kinds = {
        (mention.line, mention.end): mention for mention in Sorter(standard(), conversation).sort(dictation.chains)
    }
    for chain in dictation.chains:
        mention = kinds.get((chain.parts[-1][0], chain.parts[-1][2]))
        if mention is not None and mention.kind in DICTATED and mention.detail != "tail":
            for line_index, start, end in chain.parts:
                yield Spot(line_index, start, end, mention.kind)


def _spot(mention: Mention) -> Spot:
    return Spot(mention.line, mention.start, mention.end, mention.kind)
