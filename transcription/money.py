"""Sums of money that are named in a line, in yuan. Pure.

A sum has its unit (328块5, 12元5角, 3毛) or stands bare behind a word that asks for money (花了2899, 金额是4598) or in
the answer to a question about money. Approximations (100多, 几十块, 两三百) are no facts.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from transcription.account import FactKind
from transcription.dialogue import Line, Mention

_SUM = re.compile(
    r"(?<![\dA-Za-z.\-])(?:[¥￥])?(?P<yuan>\d{1,9}(?:\.\d{1,2})?)(?P<wan>万)?"
    r"(?:(?P<unit>元|块钱?|圆|人民币)(?:(?P<jiao>\d)(?:[毛角](?P<fen>\d)?分?)?(?![\d个天次点号年月]))?|(?P<small>[毛角分])(?P<smallunit>钱)?)"
    r"(?![多几来])"
)
_AFTER = (
    r"(?![\d.]*[\dA-Za-z])(?!\.?\d)(?!个|天|次|号|点|[:：]|码|岁|度|分|人|楼|层|栋|幢|年|月|日|%|折|兆|公|斤|米|里|台|件|张|条"
    r"|只|双|瓶|箱|小时|秒|位|倍|期|套|单|间|晚|份|室|多|几|来|股|路|弄|单元|到\d|百|千|万|克|毫|平|寸|匹|升|瓦|G|M|话|热线|平台|-)"
)
_ASKING = (
    r"拿回来?|到手|剩下?|[每一1][张件份套人位晚天次只台条]|最[低高多少]|起步|保了?|花了?|付了?|交了?|收了?|扣了?|退|赔|补|充了?|缴了?|罚了?|存了?|取了?|转了?|刷了?|刷走了?|得|要|才|卖|报价|价格?|单价|原价|售价"
    r"|标价|费|金额|款|押金|定金|订金|余额|欠|一共|总共|合计|总计|共计|一年|一个月|每月|月租|套餐|便宜了?|优惠了?|减了?|省了?"
    r"|涨到|涨了|降到|降了|变成|只要|只|就|收入|工资|月薪|保额|限额|额度|算下来|值|是"
)
_BARE = re.compile(
    rf"(?:{_ASKING})(?:了|我们?|你们?|您|他|她|的|是|到|大概|大约|差不多|才|就|只|要|一共|总共|得|成|在|为|有|明明|都|能){{0,4}}"
    rf"(?P<yuan>(?<![\d.])[1-9]\d{{0,6}}(?:\.\d{{1,2}})?){_AFTER}"
)
_WHOLE = re.compile(
    r"(?P<yuan>(?<![\d.A-Za-z双月])[1-9]\d{1,5})(?:我|你们|得|要|就)?(?:全退|都退|全款|全额|全部|全数|买的|收的|拿的|入的|订的|卖的|付的|交的)"
)
_AGAIN = re.compile(r"(?<![\dA-Za-z.\-])(?P<yuan>[1-9]\d{1,6}(?:\.\d{1,2})?)(?![\dA-Za-z.])")  # 299含工时吗
_ASKS = re.compile(
    "多少钱|什么价|价格|金额|费用|花了多少|付了多少|消费了?多少|收了?多少|扣了?多少|退多少|赔多少|总价|多少元|多少块"
)
_ANSWER = re.compile(rf"(?<![\dA-Za-z.\-])(?P<yuan>[1-9]\d{{1,6}}(?:\.\d{{1,2}})?){_AFTER}")
_STRONG = re.compile(
    "拿回|到手|剩|[每1一][张件份套人位晚天次只台条]|收入|工资|月薪|限额|保|[花付交收扣退赔补充缴罚存取刷价费款金额欠共租涨降减省转]|便宜|优惠|套餐|只要|值|得|余额|算下来|最[低高多]|起步"
)
_INSTEAD = re.compile("应该是|不是|改成|是")
_FEW = re.compile(r"(?:每|超过|不到|满|低于|高于)$")
_TENTH, _HUNDREDTH = Decimal("0.1"), Decimal("0.01")
_REPEATED = 6  # lines: how long a bare number is the sum that was named
_RECENT = 2  # lines: how long talk of money makes a bare number a sum


@dataclass
class Purse:
    """Reads the sums of one call, line after line; remembers whether money was asked for."""

    _asked: dict[bool, int] = field(default_factory=dict, init=False)
    _talked: int = field(default=-9, init=False)
    _named: dict[str, int] = field(default_factory=dict, init=False)  # sums and the line that named them last

    def read(self, line: Line) -> Iterator[Mention]:
        """The sums in the line."""
        taken: list[tuple[int, int]] = []
        for found in _SUM.finditer(line.text):
            value = _value(found)
            if value:
                taken.append(found.span())
                yield self._mention(line, value, *found.span())
        for pattern in (_BARE, _ANSWER, _WHOLE, _AGAIN):
            for found in pattern.finditer(line.text):
                start, end = found.span("yuan")
                if any(start < b and a < end for a, b in taken) or not self._about_money(pattern, found, line):
                    continue
                taken.append((start, end))
                yield self._mention(line, Decimal(found["yuan"]), start, end)
        if any(_ASKS.search(clause.text) and clause.asks for clause in line.clauses):
            self._asked[line.caller] = line.index

    def _about_money(self, pattern: re.Pattern[str], found: re.Match[str], line: Line) -> bool:
        answers = line.index - self._asked.get(not line.caller, -9) <= _RECENT
        if pattern is _WHOLE:
            return True
        if pattern is _AGAIN:
            return line.index - self._named.get(f"{Decimal(found['yuan']).normalize():f}", -9) <= _REPEATED
        if pattern is _ANSWER:
            return answers and len(found["yuan"]) > 1
        word = found.group()[: found.start("yuan") - found.start()]
        if _STRONG.search(word):
            return len(found["yuan"]) > 1
        if answers:
            return True
        return line.index - self._talked <= _RECENT and _INSTEAD.search(word) is not None and len(found["yuan"]) > 2  # noqa: PLR2004

    def _mention(self, line: Line, value: Decimal, start: int, end: int) -> Mention:
        plain = f"{value.normalize():f}"
        self._talked = self._named[plain] = line.index
        return Mention(FactKind.AMOUNT, plain, line.index, start, end, (line.index,), line.text[start:end])


def _value(found: re.Match[str]) -> Decimal | None:
    value = Decimal(found["yuan"])
    if found["small"]:
        cents = found["small"] == "分"
        if cents and (value == 1 or not found["smallunit"]):  # 一分钱没要; 5分: minutes, marks
            return None
        return value * (_HUNDREDTH if cents else _TENTH)
    if found["wan"]:
        value *= 10_000
    value += int(found["jiao"] or 0) * _TENTH + int(found["fen"] or 0) * _HUNDREDTH
    return value or None
