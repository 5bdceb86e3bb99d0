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
    "(?:过来|来|自己)(?:拿|取|提)|给(?:你|您|他|师傅|小哥)|(?:发|传|寄|送|拍|打|转|邮|回)(?:你|您)|你们|你那|您那|打过来|[送交带拿寄传发](?:过去|过来|去(?=[，。]|$))"
    "|[放搁留存交](?:在|到|给)?(?:你们|店里?|前台|柜台|门卫|传达室|门口)|(?:过去|来|去)(?:拿|取|提|领)"
)
_TAG = re.compile("(?:行|中|成|可以|好|要得|得)(?:不|吗|不行|不成|不中|吧|么|伐)[？。]?$")
_WAITS = re.compile("(?:在家|门|楼下|店里|单位|家里)[^，。]{0,3}(?:等(?![下会一])|(?<!时)候|守)")  # 我在家等着
_THEN = re.compile("我([寄发交付签填送])(?:了|完|好)(?:就|马上|再|立刻)")
_IF_COME = re.compile("收到|到了?就|发来|来了就")
_HAND = re.compile("[付交缴发寄传送填补签转还](?!现)")
_BY_THEN = re.compile("(?:之?内|前)(?!台|面|天|往|提)")
_BY_US = re.compile("我们(?!这|那|店|柜|公|邮|小程序|软件|平台|网|窗口|前台)|给您|到您|师傅|工程师|同事|退您")
_MINE = re.compile("我|俺|咱|给你|给您|你们")
_TOLD = re.compile("((?:让|叫|喊)[^，。你您我]{1,4})给我")
_COME = re.compile("(?:来|到|去)[^，。]{0,12}(?:签|填|交(?!警)|盖|还|退|办)")  # 请您到门店签字
_COMING = re.compile("我[^，。]{0,8}(?:过去|过来|去一趟|来一趟|跑一趟|去办|来办|到店)")
_FETCHED = re.compile("等(?:着)?(?:您|你)|恭候|欢迎您|您来|您过来|您到了")  # the agent's answer: 好，等您
_HANDED = re.compile(
    "等(?![下会一])|(?<!时)候|守|带|拿|放行|开门|刷|着(?:接|给|收)|交给|给(?:他|师傅|小哥)|一起|到时候?|送来"
)


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
            comes = (expected or self._welcomed(line)) and _COMING.search(clause.text) is not None
            if not self._binds(line, clause, floor, awaited=awaited, comes=comes):
                continue
            by_when, turns = self.deadlines.when(line, clause, floor, meeting=False)
            tie, verbs = self._tie(clause.text)
            if tie is not Tie.NONE:
                by_when = ""
            elif not by_when and _IF_COME.search(clause.text):
                pass  # 收到就付
            elif not by_when and _HANDED.search(clause.text):
                tie = Tie.BEFORE
            elif not by_when and awaited:
                by_when = self._asked_by(line, clause.text)
            asked = before[-1].index if before and awaited else line.index
            yield Act(
                "caller",
                Speaker.CALLER,
                shown(line.whole[self._told_from(line, clause, floor) : clause.end]),
                by_when,
                line.index,
                tuple(sorted({asked, *turns})),
                (line.index, 0),
                tie,
                verbs,
            )
            floor = clause.end

    def _binds(self, line: Line, clause: Clause, floor: int, *, awaited: bool, comes: bool) -> bool:
        text = _TOLD.sub(r"\1", _TAG.sub("", clause.text).rstrip("，。！？；…"))
        if _WAITS.search(text) and not clause.asks and self._expects(line):
            return True
        if not (comes or self.words["promise.caller"].search(text)) or self.words["promise.caller_not"].search(text):
            return False
        if any(clause.start <= m.start < clause.end for m in self.deadlines.past.get(line.index, ())):
            return False
        if self._asks(line, clause) and not (_TAG.search(line.whole[clause.start :]) and self._granted(line)):
            return False
        ahead = self.words["promise.caller_future"].search(text) or self.deadlines.named(line, floor, clause.end)
        return bool(ahead) and (awaited or comes or _TO_US.search(text) is not None)

    def _asks(self, line: Line, clause: Clause) -> bool:
        """Whether it is a question: 明天发，那后天到？ of theirs."""
        rest = line.whole[clause.end - 1 :]
        end = re.search("[。！？；]", rest)
        return clause.asks or (end is not None and end.group() == "？" and not _MINE.search(clause.text))

    def _expects(self, line: Line) -> bool:
        """Whether a day or an hour was agreed shortly before."""
        near = range(max(0, line.index - 3), line.index) if "让" in line.whole else ()  # 我让店长在后门等着
        return bool(self.deadlines.agreed(line)) or any(self.deadlines.at.get(index) for index in near)

    def _welcomed(self, line: Line) -> bool:
        """Whether the agent waits for him: 那我周五过去 -- 好，等您."""
        reply = self.conversation[line.index + 1] if line.index + 1 < len(self.conversation) else line
        return not reply.caller and _FETCHED.search(reply.whole) is not None

    def _asked_by(self, line: Line, text: str) -> str:
        """The deadline that the agent set for what the caller agrees to: 半小时内付款 -- 我这就去付."""
        before = self.conversation[line.index - 1] if line.index else line
        for clause in reversed(before.clauses if not before.caller else []):
            same = set(_HAND.findall(clause.text)) & set(_HAND.findall(text))
            if same and _BY_THEN.search(clause.text) and not _BY_US.search(clause.text) and not clause.asks:
                by_when, _ = self.deadlines.when(before, clause, clause.start, meeting=False)
                if by_when:
                    return by_when
        return ""

    def _tie(self, text: str) -> tuple[Tie, str]:
        """What his act hangs on: 头一天, or an act of his own (寄了就填)."""
        if self.deadlines.tie(text)[0] is Tie.DAY_BEFORE:
            return Tie.DAY_BEFORE, ""
        own = _THEN.search(text)
        return (Tie.AFTER, own[1]) if own else (Tie.NONE, "")

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
