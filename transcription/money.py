"""Sums of money that are named in a line, in yuan. Pure.

A sum has its unit (328块5, 12元5角, 3毛). A bare number is one where its neighbours say so: a word of money in front or
behind (花了2899, 400是手续费), a list of prices (检测30，换键盘260), the question it answers, the same sum said before,
talk of money (隔壁才要520), or because it is the sum, the difference or the reduced price of others
(:mod:`transcription.bare_sums`). Approximations (100多, 几十块, 两三百) are no facts.
"""

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal

from transcription.account import FactKind
from transcription.bare_sums import bare_sums
from transcription.dialogue import Line, Mention

_SUM = re.compile(
    r"(?<![\dA-Za-z.\-])(?:[¥￥])?(?P<yuan>\d{1,9}(?:\.\d{1,2})?)(?P<wan>万)?"
    r"(?:(?P<unit>元|块钱?|圆|人民币)(?:(?P<jiao>\d)(?:[毛角](?P<fen>\d)?分?)?(?![\d个天次点号年月]))?|(?P<small>[毛角分])(?P<smallunit>钱)?)"
    r"(?![多几来])"
)
_SIGN = re.compile(r"[¥￥](?P<yuan>\d{1,9}(?:\.\d{1,2})?)(?!\d)")
_TENTH, _HUNDREDTH = Decimal("0.1"), Decimal("0.01")


def with_unit(line: Line) -> Iterator[Mention]:
    """The sums of a line that have their unit."""
    taken = -1
    for found in _SUM.finditer(line.text):
        value = _value(found)
        if value:
            taken = found.end()
            yield _mention(line, value, *found.span())
    for found in _SIGN.finditer(line.text):
        if found.start() > taken and Decimal(found["yuan"]):
            yield _mention(line, Decimal(found["yuan"]), *found.span())


def without_unit(lines: Sequence[Line], known: Sequence[Mention]) -> Iterator[Mention]:
    """The bare sums of a call; ``known``: those with their unit. What other readers took is blanked in ``lines``."""
    for index, start, end in bare_sums(lines, [(mention.line, Decimal(mention.value)) for mention in known]):
        yield _mention(lines[index], Decimal(lines[index].text[start:end]), start, end)


def _mention(line: Line, value: Decimal, start: int, end: int) -> Mention:
    plain = f"{value.normalize():f}"
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
