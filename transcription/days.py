"""Calendar days that are named in a line, resolved against the day of the call. Pure.

Weeks run from Monday to Sunday. 上周X, 这周X, 下周X are that weekday of last, this, next week; a bare 周X is the next
such day (today counts), or the latest past one where it is told as past; X号 without a month belongs to the month of
the last date that named one, else to the current month; a date without a year to the year that brings it nearest.
No dates: 今天, vague parts (周末, 上个月), recurring days (每周四, 周一到周五), birthdays.
"""

import re
from calendar import monthrange
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta

from transcription.account import FactKind
from transcription.dialogue import Clause, Line, Mention

_NEAR = {
    "大前天": -3, "前天": -2, "前儿": -2, "前日": -2, "昨天": -1, "昨日": -1, "昨晚": -1, "昨夜": -1, "昨儿": -1,
    "昨个": -1, "寻日": -1, "明天": 1, "明日": 1, "明儿": 1, "明个": 1, "明早": 1, "明晚": 1, "听日": 1, "后天": 2,
    "后儿": 2, "后日": 2, "大后天": 3,
}  # fmt: skip
_OLD = 15 * 366  # days: what lies longer ago is a birthday or a founding year
_WEEKDAY = {c: i for i, c in enumerate("一二三四五六日")} | {"天": 6} | {str(i + 1): i for i in range(7)}
_WEEK = {"上上": -2, "上": -1, "这": 0, "本": 0, "下": 1, "下下": 2}
_MONTHS = {"上": -1, "这": 0, "本": 0, "下": 1}

_ISO = re.compile(r"(?<![\dA-Za-z\-])(20\d\d)[-/](\d{1,2})[-/](\d{1,2})(?!\d)")
_MONTH_DAY = re.compile(
    r"(?:(\d{4})年|([去今明后])年)?(\d{1,2})月份?的?(\d{1,2})(?![几多来]|\d)(?:号(?!楼|线|院|店)|日|(?![\d个号日点]))"
)
_MONTH_AWAY = re.compile(r"([上这下本])个?月的?(\d{1,2})[号日]")
_DAY = re.compile(
    r"(?<![大小\dA-Za-z\-年月第每弄栋附排区巷路街里村组段院座幢道庄镇苑])(?<!每月)(?<!每个月)(?<!叫到)(?<!排到)(?<!挂的是)(?<!轮到)(?<!我是)(\d{1,2})[号日](?!班(?![车机次船]))(?![楼院线店门柜窗码机床桌厅仓馆台座厂位岛车库铺附坑档摊桩口房间坐客话接])(?!小[\u4e00-\u9fa5][，。])"
)
_MONTH_END = re.compile(
    r"(?:(?<=到)|(?<=至)|(?<=[晚迟])|(?<=赶在))(?:(\d{1,2})月|([上这下本])个?月|(?<![年个\d])月)(?:底|末)"
    r"|(?:(\d{1,2})月|([上这下本])个?月|(?<![年个\d])月)(?:底|末)(?!那|的|开(?!票)|买|办的|交的|就[没已]|左右|还没|装|修的|来的|搬|换的|入住)"
)
_NEAR_WORD = re.compile(
    "大前天|(?<![提以之从])前[天日儿]|昨[天日晚夜儿个]|寻日|(?:明[天日早晚儿个]|听日)(?!白)|大后天|(?<![以今])后[天儿日](?!天)"
)
_WEEK_WORD = re.compile(
    r"(?:(?<=[周期拜][一二三四五六日天])|(?<![一二两三四五六七八九十几每0-9]))(上上|下下|上|这|本|下)?个?(?:周|星期|礼拜)([一二三四五六日天]|[1-6](?!\d))(?![次回圈日号])"
)
_EVERY = re.compile(
    r"每个?(?:周|星期|礼拜)(?:[一二三四五六日天](?:[、和跟与]?(?:周|星期|礼拜)[一二三四五六日天])*)?|每个?[月年天]|(?:周|星期|礼拜)[一二三四五六日天](?:至|到)(?:周|星期|礼拜)?[一二三四五六日天]"
)
_BIRTH = re.compile("出生|生日|生于|生的")
_TODAY = re.compile("(?:今天|今儿|都|今日)(?:都|已经|是)?$")  # 今天都19号了
_JOINED = re.compile(
    "(上上|下下|上|这|本|下)个?(?:周|星期|礼拜)[一二三四五六日天](?:和|跟|与|、|或者?|还是|到|至|，?还有|，?以及)$"
)
_RECENT = 6  # lines: how long a bare 周二 or 10号 is the day named before
_ANSWER = 1  # lines: how soon a bare weekday answers 下周X
_PAST = re.compile(
    "买的|订的|下的单|下单|办的|寄的|交的|装的|修的|报的|打过(?!去|来)|来过|说过|说的|就说|说是|收到|签收|送来|开始|坏的|了一|过了|的时候"
    "|[^好行来去到完满]了(?![吧的话])|来了(?:一|个|两|师傅|人)"
)
_SURELY_PAST = re.compile(
    "从.{2,4}(?:晚上|早上)?(?:到|起)(?:现在|今天|今儿|这会)?|又说|没人?(?:来|到|见|回|修|送|发|打|接|装|影|理|信|消息|动静)|白等|白跑|放.{0,3}鸽子|都没"
)
_SAID = re.compile("(?:说|说好|讲|答应|承诺|通知|约|约好)[^，。]*$")
_LATE = re.compile("过了[两三四五几\\d]+天|又过了|今[天儿](?:都|已经)|现在都|到现在|到今[天儿]|还没|[货人信车件影]呢")
_OPEN = re.compile(
    r"^(?:、?和?[周星期礼拜六日天]*)?(?:都|也|不|是|全天|照常|正常|上午|下午|早上|中午|还|有时|一般)*(?:开(?!票|工|会|始|学|机|通|户)|上班|营业|休息|放假|关门|坐诊|出诊|办公|接诊|开放|闭馆|轮休|停诊|停办|上(?![门午来下])|不办|没人|有人)"
)
_COMING = re.compile(
    "会|能|再|给您|给你|改|约|可以|方便|行不|行吗|之前|以前|要|得上|加班|[吧呗]"
    "|就[走关停搬完到截结开出考放没过回上动飞](?!账|货)"
)


@dataclass
class Calendar:
    """Resolves the day words of one call, line after line; remembers the month that was named last."""

    today: date
    _month: tuple[int, int] | None = field(default=None, init=False)
    _known: list[tuple[int, date]] = field(default_factory=list, init=False)  # line and day, as they were named
    _weekdays: list[tuple[int, date]] = field(default_factory=list, init=False)  # those named 周二, 后天
    _week: tuple[int, int] = field(default=(-9, 0), init=False)  # line and week of the last 下周X
    _line: int = field(default=0, init=False)
    _gone: set[str] = field(default_factory=set, init=False)  # weekdays that the line tells as past

    def read(self, line: Line) -> Iterator[Mention]:
        """The days named in the line, in order."""
        self._line = line.index
        self._gone = {
            found[2]
            for found in _WEEK_WORD.finditer(line.text)
            if not found[1] and _told_as_past(line, found.start(), found.end())
        }
        every = [found.span() for found in _EVERY.finditer(line.text)]
        taken: list[tuple[int, int]] = [*every]
        named = []
        for pattern, resolve in _READERS:
            for found in pattern.finditer(line.text):
                start, end = found.span()
                if not any(start < b and a < end for a, b in taken):
                    taken.append((start, end))
                    named.append((start, end, resolve, found))
        for start, end, resolve, found in sorted(named, key=lambda one: one[0]):
            clause = line.clause_at(start)
            day = None if _BIRTH.search(clause.text) else resolve(self, found, clause)
            told = line.whole[max(0, start - 4) : start]
            if day is None or (self.today - day).days > _OLD or (day == self.today and _TODAY.search(told)):
                continue
            self._known.append((line.index, day))
            if resolve is Calendar.weekday or resolve is Calendar.near:
                self._weekdays.append((line.index, day))
            yield Mention(FactKind.DATE, day.isoformat(), line.index, start, end, (line.index,), found.group())

    def _make(self, year: int, month: int, day: int) -> date | None:
        try:
            made = date(year, month, day)
        except ValueError:
            return None
        self._month = (year, month)
        return made

    def iso(self, found: re.Match[str], _: Clause) -> date | None:
        """2026-04-17."""
        return self._make(int(found[1]), int(found[2]), int(found[3]))

    def month_day(self, found: re.Match[str], _: Clause) -> date | None:
        """4月17号, 去年12月3号, 2026年4月17日."""
        month, day = int(found[3]), int(found[4])
        if found[1]:
            return self._make(int(found[1]), month, day)
        if found[2]:
            return self._make(self.today.year + {"去": -1, "今": 0, "明": 1, "后": 2}[found[2]], month, day)
        near = []
        for year in range(self.today.year - 1, self.today.year + 2):
            try:
                near.append(date(year, month, day))
            except ValueError:
                continue
        if not near:
            return None
        best = min(near, key=lambda d: abs((d - self.today).days))
        self._month = (best.year, best.month)
        return best

    def month_away(self, found: re.Match[str], _: Clause) -> date | None:
        """上个月18号."""
        return self._make(*_months(self.today, _MONTHS[found[1]]), int(found[2]))

    def month_end(self, found: re.Match[str], _: Clause) -> date | None:
        """月底前, 到3月底, 下个月底: the month's last day."""
        said, away = found[1] or found[3], found[2] or found[4]
        if said:
            month = int(said)
            year = self.today.year + (month < self.today.month - 6)
            return self._make(year, month, monthrange(year, month)[1]) if 1 <= month <= 12 else None  # noqa: PLR2004
        year, month = _months(self.today, _MONTHS[away] if away else 0)
        return self._make(year, month, monthrange(year, month)[1])

    def day(self, found: re.Match[str], clause: Clause) -> date | None:
        """15号: the month comes from before. None in a sentence about every month."""
        if re.search("每个?月[^。？！]*$", found.string[: found.start()]):
            return None
        same = self._named(lambda day: day.day == int(found[1]))
        if same is not None:
            return same  # 下周二，10号
        year, month = self._month or (self.today.year, self.today.month)
        here = [known for line, known in self._known if line == self._line]
        if here and self._month == (here[-1].year, here[-1].month) and int(found[1]) < here[-1].day:
            told = found.string[: found.start()] + found.string[found.end() :][:2]
            if here[-1] < self.today and re.search("[说讲诺应][^，。]{0,6}$|[之以]?前", told[-8:]):
                year, month = year + month // 12, month % 12 + 1  # 上个月28号申请的，说15号前装
        past = _PAST.search(clause.text) and not _COMING.search(clause.text)
        if self._month is None and past and int(found[1]) > self.today.day:
            year, month = _months(self.today, -1)  # 28号下的单, said on the 2nd
        try:
            return date(year, month, int(found[1]))
        except ValueError:
            return None

    def _named(self, fits: Callable[[date], bool]) -> date | None:
        """The day that was named last, a few lines ago at most, if it fits."""
        near = [day for line, day in self._known if self._line - line <= _RECENT]
        return next((day for day in reversed(near) if fits(day)), None)

    def near(self, found: re.Match[str], _: Clause) -> date | None:
        """昨天, 后天."""
        return self.today + timedelta(days=_NEAR[found.group()])

    def weekday(self, found: re.Match[str], clause: Clause) -> date | None:  # noqa: PLR0911 -- one rule after the other
        """周六, 下周一."""
        monday, wanted = self.today - timedelta(days=self.today.weekday()), _WEEKDAY[found[2]]
        if found[1]:
            self._week = (self._line, _WEEK[found[1]])
            return monday + timedelta(weeks=_WEEK[found[1]], days=wanted)
        beside = next((m for m in _MONTH_DAY.finditer(clause.text)), None)
        if beside and (same := self.month_day(beside, clause)) and same.weekday() == wanted:
            return same  # 8月6号是周四: the same day
        with_week = _JOINED.search(found.string[: found.start()])
        if with_week:  # 上周六，还有周日
            return monday + timedelta(weeks=_WEEK[with_week[1]], days=wanted)
        if found[2] not in self._gone:
            here = next((d for n, d in reversed(self._known) if n == self._line), None)
            same = here if here is not None and here.weekday() == wanted else None  # 9月5号，礼拜六
            near = [day for n, day in self._weekdays if self._line - n <= _RECENT and day.weekday() == wanted]
            same = same or (near[-1] if near else None)
            if same is not None and not _OPEN.match(clause.text[found.end() - clause.start :]):
                return same
        answers = re.search("[吧啦呢行好成嘞呗][，。！？…]*$", clause.text)
        if self._week[1] > 0 and self._line - self._week[0] == _ANSWER and answers:  # 下周一行吗？-- 礼拜三啦
            return monday + timedelta(weeks=self._week[1], days=wanted)
        ahead = (wanted - self.today.weekday()) % 7
        if ahead and (found[2] in self._gone or (_PAST.search(clause.text) and not _COMING.search(clause.text))):
            ahead -= 7
        elif _OPEN.match(clause.text[found.end() - clause.start :]):
            return None  # 周六都开，周日休息: every one of them
        return self.today + timedelta(days=ahead)


def _told_as_past(line: Line, start: int, end: int) -> bool:
    """礼拜一又说...; 说礼拜二来修, 到现在没人来."""
    clause = line.clause_at(start)
    if _SURELY_PAST.search(clause.text):
        return True
    sentence = re.split("[。！]", line.whole[end:])[0]
    return bool(
        _SAID.search(line.whole[clause.start : start]) and (_SURELY_PAST.search(sentence) or _LATE.search(sentence))
    )


def workdays_after(day: date, count: int) -> date:
    """The last of ``count`` days from Monday to Friday, counted from the day after ``day``; holidays are not known."""
    while count:
        day += timedelta(days=1)
        count -= day.weekday() < 5  # noqa: PLR2004 -- Saturday
    return day


def _months(today: date, away: int) -> tuple[int, int]:
    index = today.year * 12 + today.month - 1 + away
    return index // 12, index % 12 + 1


_READERS: tuple[tuple[re.Pattern[str], Callable[[Calendar, re.Match[str], Clause], date | None]], ...] = (
    (_ISO, Calendar.iso),
    (_MONTH_AWAY, Calendar.month_away),
    (_MONTH_DAY, Calendar.month_day),
    (_MONTH_END, Calendar.month_end),
    (_WEEK_WORD, Calendar.weekday),
    (_NEAR_WORD, Calendar.near),
    (_DAY, Calendar.day),
)
