"""Clock times, windows and short deadlines that are named in a line. Pure.

上午 and 下午 are taken from the sentence, else from what was said shortly before, else from plain sense: nobody's van
comes at 2 in the night, supper is in the evening. A deadline of minutes or hours (半小时内) is the moment it ends, if
that is the same day. No times: the current hour (现在都9点了), spans that passed (等了半小时), spans from another event
(上门前半小时, 付款后30分钟内), a day or more (24小时内).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from transcription.account import FactKind
from transcription.dialogue import Clause, Line, Mention

_PERIOD = (
    "凌晨|半夜|深夜|夜里|夜间|大清早|清早|清晨|大早上|今早|明早|早上|早晨|上午|中午|正午|午间|下午|傍晚|今晚|明晚|昨晚|昨夜"
    "|晚上|晚间|夜晚|早|晚"
)
_NIGHT = ("凌晨", "半夜", "深夜", "夜里", "夜间", "昨夜")
_EVENING = ("下午", "傍晚", "今晚", "明晚", "昨晚", "晚上", "晚间", "夜晚", "晚")
_MINUTE = r"半|[一1]刻|[三3]刻|(?:\d{2}分?|\d分)(?!\d|个|元|块|折|米|号|[月年天])"
_CLOCK = re.compile(
    rf"(?P<p1>{_PERIOD})?(?P<h1>(?<![\dA-Za-z.:])\d{{1,2}})(?:(?:点钟?|[:：])(?P<m1>{_MINUTE})?|时(?![间候长段限]))?"
    rf"(?:(?P<to>到|至|[-~～])\0*(?P<p2>{_PERIOD})?(?P<h2>\d{{1,2}})(?:点钟?|[:：]|时(?![间候长段限]))(?P<m2>{_MINUTE})?)?"
)
_SPAN = re.compile(
    r"(?P<n>\d+(?:\.\d)?|半|一|两)个?(?P<half>半)?(?P<unit>小时|钟头|分钟|刻钟)(?P<in>之内|以内|内|后|之后|以后)?"
)
_SINCE = re.compile(
    r"(?:付款|支付|下单|收到|完成|签收|提交|审核|到账|开卡|激活|办理|登记|起飞|入住|打开)[^，。]{0,3}[后起]|提前|[前之]$|等了|用了|花了|停了|过了|找了|打了|不到$|每"
)
_ACT = re.compile("打给|电话|联系|回复|答复|到您|到你|过去|过来|发|给您|给你|送|修|赶到|处理")
_ARRIVES = re.compile("(?:就|能|可以|准|保证|一准|肯定|我?们?(?:师傅|人)?就?)*(?:到(?!账|期|货|现|今)|赶到|上门)")
_NOW = re.compile(r"(?:现在|这会儿?|眼下|这都|都已经|都快|都)(?:是|已经|都|快|要|[上下中]午|晚上|早上)*$")
_VAGUE = re.compile(r"多|来钟|几分|\d(?!\d)")  # 1点5: a number, no hour
_SUPPER = re.compile("晚饭|晚餐|吃饭|用餐|夜宵|下班|放学|看戏|演出|电影|晚会")
_WAKE = re.compile("起床|早饭|早餐|早班|上班|开门|起飞")
_PAST = re.compile("了|过|的$|显示|收到|签收")
_TODAY = re.compile("今天|今儿|当天|今晚")
_COMING = re.compile("[得要就]|再|到时|准备|打算|会|给[您你]|之前|以前|前(?!天)|能.{0,4}[到来送打]")
_DAY = re.compile("[明后昨前][天日儿]|周[一二三四五六日]|星期|礼拜|号")
_OTHER_DAY = re.compile("[明后昨前][天日儿早]|周|星期|礼拜|月|号")
_FRONT = 40  # characters in front of an hour that tell its part of the day
_NOON, _HALF_DAY = 12, 12 * 60
_USUAL = re.compile("平时|平常|往常|一般|本来|原来|每")
_RECENT = 4  # lines: how long a 下午 holds for the next bare hour


@dataclass
class Clock:
    """Resolves the hours of one call, line after line; remembers the part of the day that was named last."""

    called_at: datetime
    _period: tuple[str, int] = field(default=("", -9), init=False)
    _known: dict[int, int] = field(default_factory=dict, init=False)

    def read(self, line: Line) -> Iterator[Mention]:
        """The times named in the line, in order of kind: hours and windows first, then deadlines."""
        for found in _CLOCK.finditer(line.text):
            if not re.search("[点时:：]", found.group()) or _VAGUE.match(line.text, found.end()):
                continue
            clause = line.clause_at(found.start())
            value = (
                None
                if _NOW.search(line.whole[max(0, found.start() - _FRONT) : found.start()])
                else self._clock(found, line, clause)
            )
            if value:
                yield Mention(
                    FactKind.TIME, value, line.index, found.start(), found.end(), (line.index,), found.group()
                )
        for word in re.finditer(_PERIOD, line.whole):
            if len(word.group()) > 1:
                self._period = (word.group(), line.index)
        for found in _SPAN.finditer(line.text):
            value = self._deadline(found, line)
            if value:
                yield Mention(
                    FactKind.TIME, value, line.index, found.start(), found.end(), (line.index,), found.group()
                )

    def _clock(self, found: re.Match[str], line: Line, clause: Clause) -> str | None:
        """HH:MM or HH:MM-HH:MM; None for what is no hour."""
        near = self._near(line, found.start())
        start = self._moment(found["p1"] or near, found["h1"], found["m1"], line, clause)
        if start is None:
            return None
        if not found["to"]:
            return _hhmm(start)
        until = "早上" if "早" in line.whole[found.start("to") : found.end()] else found["p2"]  # 到明早5点
        end = self._moment(until or found["p1"] or near, found["h2"], found["m2"], line, clause)
        if end is None:
            return None
        if end < start and re.search(r"\0|[早凌]", found.group()):  # 今晚11点到明早5点
            return f"{_hhmm(start)}-{_hhmm(end)}"
        if end <= start and end + _HALF_DAY <= 2 * _HALF_DAY:  # 上午10点到2点
            end += _HALF_DAY
        return f"{_hhmm(start)}-{_hhmm(end)}" if start < end else None

    def _moment(self, period: str, said: str, minute: str | None, line: Line, clause: Clause) -> int | None:
        """Minutes since midnight."""
        hour, minutes = int(said), _minutes(minute)
        if hour > 24 or minutes > 59:  # noqa: PLR2004
            return None
        if hour <= _NOON:
            resolved = self._dial(period, hour, minutes, line, clause)
            if period or hour not in self._known:
                self._known[hour] = resolved
            hour = resolved
        return hour * 60 + minutes

    def _near(self, line: Line, start: int) -> str:
        """The part of the day named before in the line, if no other day is named since."""
        words = [
            found
            for found in re.finditer(_PERIOD, line.whole[max(0, start - _FRONT) : start])
            if len(found.group()) > 1
        ]
        return (
            words[-1].group()
            if words and not _DAY.search(line.whole[max(0, start - _FRONT) : start][words[-1].end() :])
            else ""
        )

    def _dial(self, period: str, hour: int, minutes: int, line: Line, clause: Clause) -> int:
        """The hour of the 24: from its own words, else later today, else as before, else from plain sense."""
        if period:
            return _in(period, hour)
        minute_of_day, now = hour * 60 + minutes, self.called_at.hour * 60 + self.called_at.minute
        passed = minute_of_day < now < minute_of_day + _HALF_DAY
        if passed and _TODAY.search(clause.text) and _COMING.search(clause.text) and not _PAST.search(clause.text):
            return hour + 12
        if hour in self._known:
            return self._known[hour]
        word, index = self._period
        late = hour == _NOON or (word == "下午" and hour in range(9, _NOON))  # nobody says 下午11点
        if word and line.index - index <= _RECENT and not late:
            return _in(word, hour)
        return self._sense(hour, line, evening=passed and _COMING.search(clause.text) is not None)

    def _sense(self, hour: int, line: Line, *, evening: bool) -> int:
        """Plain sense: meals and closing times are late, nobody calls at 3 in the night, a deadline lies ahead."""
        if _SUPPER.search(line.whole):
            late = _NOON if re.search("晚|夜|戏|演出|电影", line.whole) else 10  # 11点20放学: in the morning
            return hour + 12 if 4 <= hour < late else hour  # noqa: PLR2004
        if hour < 7 and not _WAKE.search(line.whole):  # noqa: PLR2004
            return hour + 12 if hour else 0
        evening = evening and not _USUAL.search(line.whole) and not _OTHER_DAY.search(line.whole)
        return hour + 12 if evening else hour

    def _deadline(self, found: re.Match[str], line: Line) -> str | None:
        before = line.clause_at(found.start())
        lead, tail = line.whole[before.start : found.start()], line.whole[found.end() : before.end]
        arrives = not line.caller and _ARRIVES.match(tail) is not None
        within = found["in"] or ""
        if _SINCE.search(lead) or not (within or arrives) or (within.endswith("后") and not _ACT.search(tail)):
            return None
        count = {"半": 0.5, "一": 1, "两": 2}.get(found["n"]) or float(found["n"])
        count += 0.5 if found["half"] else 0
        minutes = count * {"小时": 60, "钟头": 60, "刻钟": 15, "分钟": 1}[found["unit"]]
        if minutes >= 24 * 60:
            return None
        end = self.called_at + timedelta(minutes=minutes)
        return end.strftime("%H:%M") if end.date() == self.called_at.date() else None


def _in(period: str, hour: int) -> int:
    """The hour of the 24 in a part of the day."""
    if period in _NIGHT:
        return hour % 12 + (12 if hour in range(9, 12) else 0)
    if period in _EVENING:
        return hour + 12 if hour < _NOON else (_NOON if period == "下午" else 24)
    if period in ("中午", "正午", "午间"):
        return hour + 12 if hour < 4 else hour  # noqa: PLR2004
    return hour


def _minutes(said: str | None) -> int:
    if not said:
        return 0
    if said == "半":
        return 30
    if said.endswith("刻"):
        return 15 if said[0] in "一1" else 45
    return int(said.rstrip("分"))


def _hhmm(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"
