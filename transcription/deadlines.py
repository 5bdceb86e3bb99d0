"""By when a promise is due: days and hours named beside it, spans counted from the call, the agreed appointment. Pure.

N minutes, hours, days count from the call; N个工作日 are Monday to Friday from the next day on; of a range the upper
bound counts. Counted from an event without a known day (收到后三天) there is no deadline. An act tied to an appointment
(上门前打电话) is due on its day, the evening before on the day before: :func:`Deadlines.tie`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from transcription.account import FactKind
from transcription.acts import Tie
from transcription.days import workdays_after
from transcription.dialogue import Clause, Line, Mention
from transcription.lexicon import Lexicon

_N = r"(?:(?P<low>\d+|[半一两三四五六七八九十])(?:个)?[到至\-~、])?(?P<n>\d+|半|[一两三四五六七八九十])"
_SPAN = re.compile(
    rf"{_N}个?(?P<half>半)?(?P<unit>工作日|小时|钟头|刻钟|分钟|天|周|星期|礼拜|月)(?P<in>之内|以内|内|里|后|之后|以后)?"
)
_SOON = re.compile(
    r"(?:之?内|左右)?(?:[，]?(?:就|能|会|可以|准|肯定|一定|保证|准时|把.{1,6}|给[您你]|我们?|师傅))*"
    "(?:到|赶|给[您你]|回|送|退|好|发|修|通|开|办|出|搞|弄|恢复|生效)"
)
_LASTING = re.compile(
    r"(?:等了?|等待|要|需要?|得|用|花|每|隔|满|保[修留质]|不到|超过|提前|前|近|过去|停了?|住|开车|留|穿|试|戴|吃)$"
)
_CHINESE = {c: n for n, c in enumerate("一二三四五六七八九十", 1)} | {"两": 2, "半": 0.5}
_HOURS = {"小时": 1.0, "钟头": 1.0, "分钟": 1 / 60, "刻钟": 0.25}
_DAYS = {"天": 1, "周": 7, "星期": 7, "礼拜": 7, "月": 30}
_WEEK = re.compile("(?P<next>下)?(?:这|本)?个?(?:周|星期|礼拜)(?:之?内|以内|里)|周内")
_MONTH = re.compile("(?:本|这个?|当)月(?:之?内|以内|里)")
_NOT_TODAY = re.compile("周末|下个?[周月]|月[初底末]|每|平时|以后|改天")
_ACT_LEFT = re.compile("[\u4e00-\u9fff]{2}")
_TODAY = re.compile("今天|今日|今晚|今儿|今早|今夜|下班")
_MOST = 500  # of any unit: more is a slip of the recogniser
_NEAR, _LONG = 6, 20  # lines: how far back the agreed day may be, of an appointment and of what is tied to it


@dataclass
class Deadlines:
    """Answers for the clauses of one call. ``standing`` are the mentions that were not taken back."""

    called_at: datetime
    words: Lexicon
    standing: Sequence[Mention]
    mentions: Sequence[Mention] = ()
    at: dict[int, list[Mention]] = field(default_factory=dict, init=False)
    past: dict[int, list[Mention]] = field(default_factory=dict, init=False)  # days before the call
    gone: dict[int, list[Mention]] = field(default_factory=dict, init=False)  # taken back, refused

    def __post_init__(self) -> None:
        today, now = self.called_at.date().isoformat(), self.called_at.strftime("%H:%M")
        dated = {m.line for m in self.standing if m.kind is FactKind.DATE and m.value > today}
        stands = set(self.standing)
        for mention in self.mentions:
            if mention.kind in (FactKind.DATE, FactKind.TIME) and mention not in stands:
                self.gone.setdefault(mention.line, []).append(mention)
        for mention in self.standing:
            if mention.kind not in (FactKind.DATE, FactKind.TIME):
                continue
            past = mention.value < today
            if mention.kind is FactKind.TIME:
                past = mention.value[-5:] < now and not any(mention.line - back in dated for back in range(_NEAR))
            (self.past if past else self.at).setdefault(mention.line, []).append(mention)

    def when(self, line: Line, clause: Clause, floor: int, *, meeting: bool) -> tuple[str, tuple[int, ...]]:
        """The deadline of the act in ``clause`` and the turns that name it.

        Words of the line before ``floor`` belong to another act. ``meeting``: the act is an appointment, whose day may
        have been agreed some lines before.
        """
        here = (line.index,)
        sentence = line.whole[floor : clause.end]
        for part in (clause, Clause(min(floor, clause.start), clause.end, sentence)):
            day, hour = self._day(line, part), self._hour(line, part)
            if hour and not day and self._soon(line, part):
                counted = self.counted(part.text, sentence)
                return (counted or _form(self.called_at.date(), hour)), here
            if day or hour:
                day = day or self._day(line, Clause(0, clause.end, ""))
                if day is None and (meeting or "当天" in part.text) and not _TODAY.search(part.text):
                    return self._join(*self._agreed(line), hour, line.index)
                return _form(day or self.called_at.date(), hour), here
            counted = self.counted(part.text, sentence)
            if counted is not None:
                return counted, here
        if self.words["promise.today"].search(sentence) and not _NOT_TODAY.search(sentence):
            day = None
            if not _TODAY.search(sentence):  # 那就改下周三，上午，我打给您
                day = self._agreed(line)[0] if meeting else self._day(line, _sentence_of(line, clause))
            return (day or self.called_at.date()).isoformat(), here
        return self._join(*self._agreed(line), self._hour_near(line, clause.end), line.index) if meeting else ("", here)

    def named(self, line: Line, start: int, end: int) -> list[Mention]:
        """The days to come and the hours that stand between two characters of a line."""
        return [m for m in self.at.get(line.index, ()) if start <= m.start < end]

    def withdrawn(self, line: Line, start: int, end: int) -> bool:
        """Whether all days and hours between two characters of a line were taken back or refused."""
        gone = any(start <= m.start < end for m in self.gone.get(line.index, ()))
        return gone and not self.named(line, start, end)

    def tie(self, text: str, *, whole: bool = False) -> tuple[Tie, str]:
        """What the act in ``text`` hangs on, and the words that say so. ``whole``: they may be all there is."""
        before = self.words["promise.tied"].search(text)
        after = self.words["promise.when_done"].search(text)
        same_day = before is not None and before.group() == "当天" and after is not None  # 收到以后当天
        if before and not same_day:
            eve = self.words["promise.day_before"].search(text)
            return (Tie.DAY_BEFORE if eve else Tie.BEFORE), before.group()
        after = after or self.words["promise.after"].search(text)
        if after and (whole or _ACT_LEFT.search(text[after.end() :])):
            return Tie.AFTER, after.group()
        return Tie.NONE, ""

    def agreed(self, line: Line) -> str:
        """The day of what was agreed before the line, as far as one was named; '' otherwise."""
        day, _ = self._agreed(line, _LONG)
        return day.isoformat() if day else ""

    def _day(self, line: Line, part: Clause) -> date | None:
        found = [m for m in self.at.get(line.index, ()) if m.kind is FactKind.DATE and part.start <= m.start < part.end]
        return date.fromisoformat(found[-1].value) if found else None

    def _soon(self, line: Line, part: Clause) -> bool:
        """Whether the last hour that is named counts from now: 半小时内."""
        found = [m for m in self.at.get(line.index, ()) if m.kind is FactKind.TIME and part.start <= m.start < part.end]
        return bool(found) and found[-1].detail.endswith("内")

    def _hour(self, line: Line, part: Clause) -> str:
        found = [m for m in self.at.get(line.index, ()) if m.kind is FactKind.TIME and part.start <= m.start < part.end]
        return found[-1].value if found else ""

    def _agreed(self, line: Line, back: int = _NEAR) -> tuple[date | None, int | None]:
        """The latest day to come that was named and stands, this line or shortly before."""
        for index in range(line.index, max(-1, line.index - back), -1):
            for mention in reversed(self.at.get(index, ())):
                if mention.kind is FactKind.DATE:
                    return date.fromisoformat(mention.value), index
        return None, None

    def _hour_near(self, line: Line, until: int) -> str:
        for index in range(line.index, max(-1, line.index - 3), -1):
            for mention in reversed(self.at.get(index, ())):
                if mention.kind is FactKind.TIME and (index < line.index or mention.start < until):
                    return mention.value
        return ""

    def _join(self, day: date | None, turn: int | None, hour: str, here: int) -> tuple[str, tuple[int, ...]]:
        if day is None:
            return (_form(self.called_at.date(), hour), (here,)) if hour else ("", (here,))
        return _form(day, hour), (turn, here) if turn is not None and turn != here else (here,)

    def counted(self, text: str, sentence: str) -> str | None:
        """A span counted from the call; '' where it is counted from something else; None where there is none."""
        today = self.called_at.date()
        week = _WEEK.search(text)
        if week:
            return (today + timedelta(days=6 - today.weekday() + (7 if week["next"] else 0))).isoformat()
        if _MONTH.search(text):
            return ((today.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)).isoformat()
        found = _span(text)
        if found is None or self.words["promise.after"].search(sentence.partition(found.group())[0]):
            return None if found is None else ""
        return self._from_now(found)

    def _from_now(self, found: re.Match[str]) -> str:
        today = self.called_at.date()
        count = min(_count(found["n"]) + (0.5 if found["half"] else 0), _MOST)
        if found["unit"] in _HOURS:
            return (self.called_at + timedelta(hours=count * _HOURS[found["unit"]])).strftime("%Y-%m-%dT%H:%M")
        if found["unit"] == "工作日":
            return workdays_after(today, int(count)).isoformat()
        return (today + timedelta(days=int(count * _DAYS[found["unit"]]))).isoformat()


def _sentence_of(line: Line, clause: Clause) -> Clause:
    """The words between the last full stop and the end of the clause."""
    start = max(line.whole.rfind(stop, 0, clause.start) for stop in "。？！；") + 1
    return Clause(start, clause.end, line.whole[start : clause.end])


def _span(text: str) -> re.Match[str] | None:
    """The span within which something is to be done: 2小时内, 三个工作日, 半个钟头到."""
    for found in _SPAN.finditer(text):
        if found["in"]:
            return found
        if _LASTING.search(text[: found.start()]):
            continue
        if text[found.end() : found.end() + 1] == "的" or text[: found.start()].endswith(("这", "那")):
            continue  # 停网这半天的钱
        if found["unit"] in ("工作日", "天") or _SOON.match(text, found.end()):
            return found
    return None


def counts_time(text: str) -> bool:
    """Whether a span is named (三个工作日), wherever it is counted from."""
    return _SPAN.search(text) is not None


def _count(said: str) -> float:
    return float(said) if said.isdigit() else float(_CHINESE[said])


def _form(day: date, hour: str) -> str:
    if not hour:
        return day.isoformat()
    return f"{day.isoformat()}T{hour.replace('-', '/')}"
