"""Numbers, codes and amounts as they stand in a text of canonical writing, with their units. Pure."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_TOKEN = re.compile(r"\*+[\dX]*|[A-Za-z0-9](?:[A-Za-z0-9]|[-./:@_ ](?=[A-Za-z0-9]))*")
_UNIT = re.compile(
    r"(?:个)?(?:(?P<day>天|日(?!前)|号(?!楼|线|店|床))|(?P<hour>小时|钟头)|(?P<minute>分钟)|(?P<yuan>元|块钱?)|(?P<month>月)|(?P<year>年)"
    r"|(?P<oclock>点)|(?P<workday>工作日)|(?P<times>次|回|趟)|(?P<percent>%|％)|(?P<piece>台|件|张|箱|袋|双|套|份))"
)
_NOISE = re.compile(r"[-\s/:]")
_LONG = 6  # characters: a number that may be said in pieces
_CORRECTED = re.compile("[，。、…啊呃嗯哦噢呀]*(?:不对|不是(?!吗)|错了|说错|看错|我说错|我看错)(?!吗)")
_TAIL = re.compile(r"\*+")


@dataclass(frozen=True, slots=True)
class Value:
    """``text`` without separators, in capitals; ``unit`` names what it counts, '' where nothing follows.

    It stands at ``start`` to ``end``, with its unit to ``until``.
    """

    text: str
    unit: str
    start: int
    end: int
    until: int

    def within(self, everything: str, others: Sequence["Value"]) -> bool:
        """Whether it was said: the same with the same unit, the tail of one, or one that was said in pieces."""
        if self.text.startswith("*"):
            tail = self.text.lstrip("*")
            return not tail or any(other.text.endswith(tail) for other in others)
        for other in others:
            if other.text == self.text and (self.unit in ("", other.unit) or (self.unit, other.unit) == ("yuan", "")):
                return True
        return len(self.text) >= _LONG and self.text in re.sub(r"[^A-Za-z0-9]", "", everything).upper()


def plain(raw: str) -> str:
    """A code without separators, in capitals, the blackened part of it as one star."""
    return _TAIL.sub("*", _NOISE.sub("", raw)).upper()


def values(text: str) -> Iterator[Value]:
    """The values of a text, in order. 328块5 is 328.5 yuan."""
    for found in _TOKEN.finditer(text):
        raw = found.group()
        unit = _UNIT.match(text, found.end())
        end, bare = found.end(), plain(raw)
        if unit is None:
            yield Value(bare, "", found.start(), end, end)
            continue
        name = str(unit.lastgroup)
        jiao = re.compile(r"\d(?!\d)").match(text, unit.end()) if name == "yuan" and unit.group()[-1] == "块" else None
        number, until = (f"{bare}.{jiao.group()}", jiao.end()) if jiao else (_shortest(bare), unit.end())
        yield Value(number, name, found.start(), end, until)


def taken_back(texts: Sequence[str]) -> set[str]:
    """Values that their speaker corrected at once (E13，不对，是E15), and that nobody says without."""
    gone, kept = set[str](), set[str]()
    for text in texts:
        said = list(values(text))
        numbers = [one for one in said if re.search(r"\d", one.text)]
        for one in said:
            again = any(other.start > one.start for other in numbers)
            (gone if again and _CORRECTED.match(text, one.until) else kept).add(one.text)
    return gone - kept


def _shortest(number: str) -> str:
    """328.50 is 328.5."""
    return number.rstrip("0").rstrip(".") if re.fullmatch(r"\d+\.\d+", number) else number
