"""The digits of a conversation, in runs: what one speaker said in one go. Pure.

Digits count however they come: typed in either width, spoken (幺幺零幺九九), as 三个8, as a birthday within an identity
number (1966年11月15号), with pauses, hyphens and fillers between them, over several turns while the other only
says 嗯 or reads them back. What recognisers write for a digit (要 for 幺, 酒 for 九) counts between two digits.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

HARD = {c: str(n) for n, c in enumerate("零一二三四五六七八九")} | {
    c: str(n) for n, c in enumerate("〇壹贰叁肆伍陆柒捌玖")
}
HARD |= {"幺": "1", "洞": "0", "两": "2", "貳": "2", "參": "3", "陸": "6"}
HARD |= {str(n): str(n) for n in range(10)} | {chr(0xFF10 + n): str(n) for n in range(10)}
_X = "xXｘＸ叉"
# Homophones, written for a digit between two digits.
_SOUNDS_LIKE = ("林玲凌灵", "要妖腰邀衣医依", "儿而", "", "", "武午舞吴", "溜刘", "拐气漆", "吧爸巴", "勾久酒救舅")
_SOFT = {char: str(digit) for digit, chars in enumerate(_SOUNDS_LIKE) for char in chars}
VALUE = HARD | _SOFT | dict.fromkeys(_X, "X")
_SHORT_YEAR = 2
_D = "".join(HARD)
_S = "".join(_SOFT)
_REPEAT = rf"(?P<times>[2-6二两三四五六])个(?P<of>[{_D}])(?![个月年天点块元号位小百千万十多])"
_DAY = rf"[{_D}十]{{1,3}}"
_YEAR = rf"(?:[1１一][9９九]|[2２二两][0０零〇])?[{_D}]{{2}}"
_MONTH_DAY = rf"(?P<month>{_DAY})月(?P<day>{_DAY})[日号]?"
_BIRTHDAY = rf"(?P<year>{_YEAR})年(?:{_MONTH_DAY})?|{_MONTH_DAY.replace('month', 'month2').replace('day', 'day2')}"
_NO = rf"(?!(?:[2-6二两三四五六]个[{_D}]|{_YEAR}年))"  # what is no plain digit: the beginning of 三个8, of 九零年
_PLAIN = (
    rf"{_NO}[{_D}](?:[\s\-‐－–.]{{0,2}}{_NO}(?:[{_D}]|[{_S}](?=[{_S}]{{0,2}}[{_D}])))*"
    rf"(?:\s?(?P<x>[{_X}]|[艾埃爱]克斯))?"
)
_LONE_X = rf"(?<=[，,、\s位是])(?P<lone>[{_X}]|[艾埃爱]克斯)(?![A-Za-z])"
_LEADING = rf"(?P<soft>[{_S}]{{1,3}})(?=(?:[{_D}][{_S}]{{0,2}}){{4}})"
# 后四位, 一共11位: these count digits and are none.
_COUNT = (
    "(?P<count>[前后头末最][后前]?[几两二三四五六七八3-8][位个]|第[一二三四五六][段组位]"
    "|(?:十[一五六八九]|1[1-9]|[两二三四五六七八3-8])位)"
)
_PIECE = re.compile(rf"{_COUNT}|{_BIRTHDAY}|{_REPEAT}|{_PLAIN}|{_LONE_X}|{_LEADING}")
# Atomic, the longest words first: each word is read in one way, so the time is linear.
_FILLER = re.compile(
    r"(?>出生(?:年月日?|日期)|重新[说念报来]|(?:我再?|再)?(?:说|念|报|讲)(?:一[下遍]|慢点?|完)?|我?看一下|我?看看|您?听好|您?记一?下?"
    r"|前面|后面|后头|后边|中间|当中|开头|末尾|尾数|尾号|[前后头末最][后前]?[几两三四五六七八][位个]?|第[一二三四五六][段组位]|(?:十[一五六八九]|1[1-9]|[几两二三四五六七八3-8])位|一共|总共|分别"
    r"|就是|还有|最后|稍等|等一下|等等|那个|这个|然后|接着|接下来|没错|应该|不对|不是|说错了|错了|哦不|啊不|慢点?|数字?|生日|年月日|横?杠|空格?"
    r"|再|呃|嗯|额|啊|哦|诶|欸|唉|是|的|对|好|不|[\s，,、。.…\-；;：:])*+"
)
_BACKCHANNEL = re.compile(
    r"(?>您?请?继续|您?请?[说讲]|然后呢?|[后前]面?(?:几位)?(?:数字?)?呢|[前后最末][后面]?[几两三四五六八][位个]?(?:数字?)?呢?|最后呢?|记下了|记着呢?"
    r"|接着|再往后|还有吗?|没听清|收到|听着呢?|明白|我?记一下|您?慢点?[说念报]?|不急|在听|核对一下|跟您|我?重复一下|出生年月日?|好的?|是的?|后面"
    rf"|嗯|对|哦|啊|呃|噢|[年月号日]|[\s，,、。.…！!？?{_D}{_X}])*+"
)


@dataclass(frozen=True, slots=True)
class Digit:
    """One digit: where it stands (turn, character) and what it is worth, ``0`` to ``9`` or ``X``."""

    turn: int
    at: int
    value: str


@dataclass(slots=True)
class Run:
    """Pieces said one after the other by one speaker. ``dates``: which of them are days in words."""

    pieces: list[list[Digit]] = field(default_factory=list)
    dates: set[int] = field(default_factory=set)

    @property
    def digits(self) -> list[Digit]:
        """All of them."""
        return [digit for piece in self.pieces for digit in piece]

    def windows(self, longest: int) -> Iterator[tuple[int, int, bool]]:
        """Stretches of whole pieces of at most so many digits: first digit, behind the last, whether only days."""
        starts = [0]
        for piece in self.pieces:
            starts.append(starts[-1] + len(piece))
        for first in range(len(self.pieces)):
            for last in range(first, len(self.pieces)):
                if starts[last + 1] - starts[first] > longest:
                    break
                yield starts[first], starts[last + 1], all(i in self.dates for i in range(first, last + 1))


def runs(said: Sequence[tuple[object, str]]) -> list[Run]:
    """The runs of a conversation, given as speaker and text turn by turn, in order of their beginnings."""
    done: list[Run] = []
    running: dict[object, Run] = {}
    for turn, (speaker, text) in enumerate(said):
        position = 0
        for found in _PIECE.finditer(text):
            if found["count"]:
                continue
            piece = _digits(found, turn)
            run = running.get(speaker)
            if run is None or not _FILLER.fullmatch(text, position, found.start()):
                if len(piece) == 1 and piece[0].value == "X":
                    continue
                run = running[speaker] = Run()
                done.append(run)
            if found["year"] or found["month2"]:
                run.dates.add(len(run.pieces))
            run.pieces.append(piece)
            position = found.end()
        for other in list(running):
            ended = not _FILLER.fullmatch(text, position) if other == speaker else not _BACKCHANNEL.fullmatch(text)
            if ended:
                del running[other]
    return done


def _digits(found: re.Match[str], turn: int) -> list[Digit]:
    if found["year"] or found["month2"]:
        return _date(found, turn)
    if found["times"]:
        first, rest = Digit(turn, found.start("times"), VALUE[found["of"]]), int(VALUE[found["times"]]) - 1
        return [first] + [Digit(turn, found.start("of"), VALUE[found["of"]])] * rest
    if found["lone"]:
        return [Digit(turn, found.start("lone"), "X")]
    if found["soft"]:
        return [Digit(turn, found.start("soft") + i, VALUE[c]) for i, c in enumerate(found["soft"])]
    end = found.start("x") if found["x"] else found.end()
    digits = [
        Digit(turn, i, VALUE[c]) for i, c in enumerate(found.string[found.start() : end], found.start()) if c in VALUE
    ]
    return digits + ([Digit(turn, found.start("x"), "X")] if found["x"] else [])


def _date(found: re.Match[str], turn: int) -> list[Digit]:
    """A day as an identity number has it: four digits of the year, two of the month, two of the day."""
    digits = []
    if found["year"]:
        digits = [Digit(turn, found.start("year") + i, VALUE[c]) for i, c in enumerate(found["year"])]
        if len(digits) == _SHORT_YEAR:
            century = "20" if digits[0].value in "012" else "19"
            digits = [Digit(turn, digits[0].at, c) for c in century] + digits
    parts = ("month", "day") if found["month"] else ("month2", "day2") if found["month2"] else ()
    return digits + [digit for part in parts for digit in _two(found, part, turn)]


def _two(found: re.Match[str], part: str, turn: int) -> list[Digit]:
    """A month or day in two digits: 三 is 03, 十五 is 15, 二十 is 20."""
    text, at = found[part], found.start(part)
    if "十" in text:
        tens, _, ones = text.partition("十")
        value = (int(VALUE[tens]) if tens in VALUE else 1) * 10 + (int(VALUE[ones]) if ones in VALUE else 0)
    else:
        value = int("".join(VALUE[c] for c in text))
    return [Digit(turn, at, f"{value:02}"[-2]), Digit(turn, at + len(text) - 1, f"{value:02}"[-1])]
