"""A conversation as the rules of the summary read it: lines of canonical text, cut into clauses. Pure."""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from transcription.account import FactKind
from transcription.spoken import written
from transcription.transcript import Speaker, Turn

_OFTEN, _LONGEST = 30, 4000  # times, characters
_OVER_AND_OVER = re.compile(rf"(.{{1,16}}?)\1{{{_OFTEN},}}", re.DOTALL)
SURE = 0.5  # below this confidence the recogniser itself doubts the words
_STOP = "，。！？；…"
_LONG = 24  # characters without a pause mark: the engine writes none, so words have to cut
_CLAUSE = re.compile(rf"[^{_STOP}]+[{_STOP}]*")
_CUT = re.compile(
    r"(?<=[^，])(?=(?:然后|另外|还有就是|不过|但是|可是|所以|那么|麻烦您|请您|请问|您看|对了|不好意思|好的|谢谢|再见|如果|要是))"
    r"|(?<=.{8})(?<![到在是改约定为成从前就])(?=(?:今天|明天|后天|大后天|[上下这]个?周|[上下这]个?星期|下个?月)(?!的|之内))"
)
_ASKS = re.compile(
    r"？|[吗么呢吧不没](?:[啊呀哈]?)[，。]?$|行不行|可不可以|能不能|是不是|好不好|成不成|多少|哪|什么|怎么|几[点号个栋楼]"
)


@dataclass(frozen=True, slots=True)
class Clause:
    """A stretch between two pauses: ``text[start:end]`` of its line."""

    start: int
    end: int
    text: str

    @property
    def asks(self) -> bool:
        """Whether it is a question."""
        return _ASKS.search(self.text) is not None


@dataclass(frozen=True)
class Line:
    """One turn in canonical writing (see :func:`transcription.spoken.written`).

    ``text`` is what is still unread: readers blank what they took. ``whole`` is everything that was said.
    """

    index: int
    caller: bool
    at: float
    until: float
    text: str
    whole: str
    sure: bool

    @cached_property
    def clauses(self) -> tuple[Clause, ...]:
        """The line's clauses in order."""
        return tuple(_clauses(self.whole))

    @property
    def speaker(self) -> Speaker:
        """Who speaks."""
        return Speaker.CALLER if self.caller else Speaker.AGENT

    def clause_at(self, position: int) -> Clause:
        """The clause that holds the character at ``position``."""
        at = bisect_right(self.clauses, position, key=lambda clause: clause.start) - 1
        if at >= 0 and position < self.clauses[at].end:
            return self.clauses[at]
        return Clause(0, len(self.whole), self.whole)

    def second(self, position: int) -> float:
        """When the character at ``position`` is said, interpolated over the turn."""
        share = position / len(self.text) if self.text else 0.0
        return round(self.at + (self.until - self.at) * share, 2)


@dataclass(frozen=True, slots=True)
class Mention:
    """A value said in a line, at ``start`` to ``end`` of its text; ``turns`` are all turns that say it or part of it.

    ``detail`` is what the reader of its kind wants to remember: how a date was named, what a time belongs to.
    """

    kind: FactKind
    value: str
    line: int
    start: int
    end: int
    turns: tuple[int, ...]
    detail: str = ""


def lines(turns: Sequence[Turn]) -> tuple[Line, ...]:
    """The conversation's lines; line ``i`` is turn ``i``. What nobody can have said is not read, as it takes time."""
    made = []
    for i, turn in enumerate(turns):
        text = written(_sayable(turn.text))
        made.append(Line(i, turn.speaker is Speaker.CALLER, turn.start, turn.end, text, text, turn.confidence >= SURE))
    return tuple(made)


def _sayable(text: str) -> str:
    """The text without what no person says: one thing thirty times over, more than a quarter of an hour in one go."""
    return _OVER_AND_OVER.sub(lambda found: found[1] * _OFTEN, text)[:_LONGEST]


def _clauses(text: str) -> Iterator[Clause]:
    for found in _CLAUSE.finditer(text):
        start, piece = found.start(), found.group()
        if len(piece) <= _LONG:
            yield Clause(start, found.end(), piece)
            continue
        for part in _CUT.split(piece):
            yield Clause(start, start + len(part), part)
            start += len(part)
