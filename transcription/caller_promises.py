"""What the caller binds himself to, where the company waits for it. Pure.

He does something for the company ahead (我下午就发你), which the agent asked for or which goes to the company. Not:
plans of his own, threats, questions, what he did already.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from transcription.acts import Act, Tie
from transcription.deadlines import Deadlines
from transcription.dialogue import Clause, Line
from transcription.lexicon import Lexicon
from transcription.sentences import shown
from transcription.transcript import Speaker

_RECENT = 6  # lines: how long a request of the agent waits
_TO_US = re.compile(
    "(?:过来|来|自己)(?:拿|取|提)|给(?:你|您|他|师傅|小哥)|(?:发|传|寄|送|拍|打|转|邮|回)(?:你|您)|你们|你那|您那|[送交带拿寄传发](?:过去|去)"
)
_TAG = re.compile("(?:行|中|成|可以|好|要得|得)(?:不|吗|不行|不成|不中|吧|么|伐)[？。]?$")
_WAITS = re.compile("(?:在家|门|楼下|店里|单位|家里)[^，。]{0,3}(?:等|候|守)")  # 我在家等着
_COME = re.compile("(?:来|到|去)[^，。]{0,12}(?:签|填|交(?!警)|盖|还|退|办)")  # 请您到门店签字
_COMING = re.compile("我[^，。]{0,8}(?:过去|过来|去一趟|来一趟|跑一趟|去办|来办|到店)")
_HANDED = re.compile("等|候|守|带|拿|放行|开门|刷|着(?:接|给|收)|交给|给(?:他|师傅|小哥)|一起|到时候?|送来")


@dataclass
class CallerReader:
    """Reads the caller's lines of one call."""

    conversation: Sequence[Line]
    words: Lexicon
    deadlines: Deadlines

    def read(self, line: Line) -> Iterator[Act]:
        """The acts of a line."""
        before = [other for other in self.conversation[max(0, line.index - _RECENT) : line.index] if not other.caller]
        awaited = any(self.words["promise.awaited"].search(other.whole) for other in before[-3:])
        expected = any(_COME.search(other.whole) for other in before[-3:])
        floor = 0
        for clause in line.clauses:
            comes = expected and _COMING.search(clause.text) is not None
            if not self._binds(line, clause, floor, awaited=awaited, comes=comes):
                continue
            by_when, turns = self.deadlines.when(line, clause, floor, meeting=False)
            asked = before[-1].index if before and awaited else line.index
            yield Act(
                "caller",
                Speaker.CALLER,
                shown(line.whole[self._told_from(line, clause, floor) : clause.end]),
                by_when,
                line.index,
                tuple(sorted({asked, *turns})),
                (line.index, 0),
                Tie.BEFORE if not by_when and _HANDED.search(clause.text) else Tie.NONE,
            )
            floor = clause.end

    def _binds(self, line: Line, clause: Clause, floor: int, *, awaited: bool, comes: bool) -> bool:
        text = _TAG.sub("", clause.text).rstrip("，。！？；…")
        if _WAITS.search(text) and not clause.asks and self.deadlines.agreed(line):
            return True
        if not (comes or self.words["promise.caller"].search(text)) or self.words["promise.caller_not"].search(text):
            return False
        if any(clause.start <= m.start < clause.end for m in self.deadlines.past.get(line.index, ())):
            return False
        if clause.asks and not (_TAG.search(line.whole[clause.start :]) and self._granted(line)):
            return False
        ahead = self.words["promise.caller_future"].search(text) or self.deadlines.named(line, floor, clause.end)
        return bool(ahead) and (awaited or _TO_US.search(text) is not None)

    def _granted(self, line: Line) -> bool:
        """Whether the agent agrees: 明天中午给你传回去，中不？ -- 可以."""
        reply = self.conversation[line.index + 1] if line.index + 1 < len(self.conversation) else line
        first = reply.clauses[0].text if reply.clauses else ""
        return not reply.caller and self.words["talk.accept"].search(first) is not None

    def _told_from(self, line: Line, clause: Clause, floor: int) -> int:
        if self.deadlines.named(line, clause.start, clause.end):
            return clause.start
        starts = [m.start for m in self.deadlines.named(line, floor, clause.start)]
        return line.clause_at(starts[-1]).start if starts else clause.start
