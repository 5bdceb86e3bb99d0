"""The sentences of a line, and what of one is worth showing. Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from transcription.dialogue import Clause, Line

_SENTENCE_END = re.compile("[。？！；…]$")
_LONGEST = 60
_EDGES = re.compile("^(?:(?:好的?|嗯|行|可以的?|对|是的|没问题|那)[，。！]+)+|^那(?=就|我|您|师傅)|[，。！；…]+$")


@dataclass(frozen=True, slots=True)
class Sentence:
    """The clauses between two full stops; ``index`` of its line."""

    line: Line
    clauses: tuple[Clause, ...]

    @property
    def key(self) -> tuple[int, int]:
        """Line and first character."""
        return self.line.index, self.clauses[0].start


def sentences(line: Line) -> Iterator[Sentence]:
    """The line's sentences in order."""
    clauses: list[Clause] = []
    for clause in line.clauses:
        clauses.append(clause)
        if _SENTENCE_END.search(clause.text):
            yield Sentence(line, tuple(clauses))
            clauses = []
    if clauses:
        yield Sentence(line, tuple(clauses))


def shown(text: str) -> str:
    """The words without acknowledgements at the beginning and pauses at the end, not too long."""
    return _EDGES.sub("", text)[:_LONGEST]
