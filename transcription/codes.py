"""Numbers and codes as people dictate them: in pieces, over several turns, taken back and put right. Pure.

A chain is one dictated number: its pieces joined (2026, 1110, 呃, 然后 00558 -> 2026111000558). Pieces go on in the
speaker's next turn when the other one only answered 嗯 or read them back. 不对 and its kin replace what was said:
the whole, the last piece, or the digits that resemble the new ones. What kind of number it is, :mod:`.kinds` decides.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from transcription.dialogue import Line
from transcription.lexicon import Lexicon

_PIECE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.\-/]*[A-Za-z0-9])?")
_QUANTITY = re.compile(
    r"节|课时|堂课|扇|副|辆|根|颗|片|粒|针|吨|桶|袋|名|岁|码|度|℃|楼|层|[个几]|位(?!数)|次|遍|回(?!电|复)|台|件|张|条|只|双|瓶|箱|盒|包(?!裹)|斤|公|千克|克|米|平|寸|英寸|升|毫|兆|天|周|年|月|日(?!期)"
    r"|点|分(?!机)|秒|小时|块|元|折|%|％|成(?!功)|倍|路(?:公交|车)|座|排|床|期|匹|瓦|伏|安(?!装)|厘|页|集|章|人|户|家|届|班|级|股|工作日|号(?:线|楼|店|窗|台|桌|柜|门|机|厅|车)|多|来(?!着|电|的)|万|千|百|房|条|杯|份|G(?![A-Za-z\d])"
)
_WORDS = frozenset(
    [
        "APP",
        "WIFI",
        "VIP",
        "OK",
        "USB",
        "LED",
        "LOS",
        "KTV",
        "ATM",
        "POS",
        "GPS",
        "SIM",
        "PDF",
        "ETC",
        "SN",
        "IMEI",
        "ID",
        "PIN",
        "PC",
        "TV",
        "CT",
        "NFC",
        "ICU",
        "HI",
        "HELLO",
        "NO",
        "YES",
        "QQ",
        "APPLE",
        "IPHONE",
        "IPAD",
        "EMAIL",
        "SVIP",
        "PPT",
        "AI",
        "CPU",
        "LCD",
        "NBA",
        "BUG",
    ]
)
_MEASURED = re.compile(r"(?:跑了?|读数|里程[^，。]{0,4}|用了|走了|[上这本]期|都|电量|剩下?|考了|身高|体重)$")
_GOES_ON = re.compile("[，嗯好]*(?:后面|后头|后边|接着|还有|剩下)")
_PREFIX = re.compile("[A-Z]{2,4}")
_LED = re.compile("(?:[有是：号，。、]|^)$")
_AHEAD = re.compile(r"[^A-Za-z\d。！？]{0,18}\d")
_MOBILE = re.compile(r"1[3-9]\d{9}")
_COUNTED_OUT = re.compile(  # BL30556，俩5一个6: how it is written, not more of it
    r"(?:[俩仨]|[23三两]个)(?P<a>[A-Z\d一二三四五六七八九零])[，、和]?(?:[1一]个|[俩仨]|[23三两]个|单个)(?P<b>[A-Z\d一二三四五六七八九零])"
    r"|[俩仨]\d{1,2}个\d"
)
_SHORT_CODE = re.compile(r"[A-Z]{1,3}-?\d{1,3}")
_TAIL_WORD = re.compile(r"(?:最后|末尾|结尾|尾号?|后面?)(?:[两二三四五六\d]|几)?[个位]?(?:数字?|数)?(?:是|应该是|为)?$")
_INSTEAD = re.compile(r"^[，。啊]*(?:而|应该)?是$")
_LOOKS_AGAIN = re.compile("再(?:看|瞧|瞅|确认|核对)[^，。…]{0,4}[，。…].{0,12}是(?:个)?$")
_UNKNOWN = re.compile("(?:…+[A-Za-z\\d]*|)(?:什么|多少|几)来着|…+(?:后面|后头)?(?:忘了|记不|想不起|看不清)")
_EXPLAINS = re.compile("[A-Z](?:后[头面边]|前[头面边]|那位|字?[后前])")  # E8，E后头是个八
_LED_BY = re.compile("[sS][nN][码号]?(?:开头|打头|起头|开始)")
_BEGINNING = 4  # characters by which a number is known to be begun anew
_LETTERS = 4  # of a piece that has no digits
_QUESTION = 6  # characters behind a number that is read back: 对吗？
_LONGEST = 26
_WHOLE = 6  # characters of a code that is one by itself
_GAP = 3  # lines: how long a chain waits for its next piece


@dataclass
class Chain:
    """One dictated number."""

    line: int
    caller: bool
    start: int  # in the text of ``line``
    chunks: list[str]
    ends: tuple[int, int]  # line and position behind the last piece
    turns: list[int]
    parts: list[tuple[int, int, int]] = field(default_factory=list)  # line, start, end of each piece
    corrected: bool = False
    negated: str = ""  # digits that were just called wrong; the right ones follow

    @property
    def value(self) -> str:
        """The joined pieces, upper case."""
        return "".join(self.chunks).upper()


@dataclass
class Dictation:
    """Collects the chains of one conversation, line after line. ``free`` texts have what other readers took blanked."""

    lexicon: Lexicon
    conversation: Sequence[Line]
    chains: list[Chain] = field(default_factory=list)
    _open: dict[bool, Chain | None] = field(default_factory=dict)
    _next: re.Pattern[str] = field(init=False, repr=False)
    _with_sn: bool = field(default=False, init=False)  # SN开头那串: the letters are part of it

    def __post_init__(self) -> None:
        filler, back = self.lexicon["talk.filler"].pattern, self.lexicon["talk.backchannel"].pattern
        self._filler, self._back = re.compile(f"(?:{filler})*"), re.compile(f"(?:{back})*")
        self._next = re.compile(f"(?:{filler})*[A-Za-z0-9]")
        self._wrong = self.lexicon["talk.correction"]

    def read(self, line: Line, free: str) -> None:
        """Take the pieces of the line into account."""
        position, first = 0, True
        asked = self.conversation[max(0, line.index - 2) : line.index]
        self._with_sn = any(other.caller != line.caller and _LED_BY.search(other.whole) for other in asked)
        for start, end in self._pieces(free):
            piece, gap = free[start:end], free[position:start]
            self._take(line, piece, start, end, gap, first=first)
            position, first = end, False
        if first and line.caller in self._open and not self._back.fullmatch(line.whole):
            self._open[line.caller] = None  # the speaker went on to something else

    def _pieces(self, free: str) -> Iterator[tuple[int, int]]:
        behind = -1  # where the last piece ended
        explained = [found.span() for found in _COUNTED_OUT.finditer(free)]
        for found in _PIECE.finditer(free):
            piece = found.group()
            if any(start <= found.start() < end for start, end in explained) or _MEASURED.search(
                free, 0, found.start()
            ):
                continue
            if _EXPLAINS.match(free, found.start()) or free[found.start() - 1 : found.start()] == "*":  # a card's tail
                continue
            if piece.upper() in _WORDS or _QUANTITY.match(free, found.end()) or _UNKNOWN.match(free, found.end()):
                continue
            spelt = len(piece) <= _LETTERS and (
                self._next.match(free, found.end())
                or (
                    _PREFIX.fullmatch(piece) and _LED.search(free, 0, found.start()) and _AHEAD.match(free, found.end())
                )
                or re.fullmatch("[，、]*", free[behind : found.start()] if behind >= 0 else "-")
            )
            if not spelt and not any(char.isdigit() for char in piece):
                continue
            behind = found.end()
            word = re.match(r"(?:SN|IMEI)(?=[A-Za-z\d]{5})", piece, re.IGNORECASE)
            yield found.start() + (word.end() if word and not self._with_sn else 0), found.end()

    def _take(self, line: Line, piece: str, start: int, end: int, gap: str, *, first: bool) -> None:
        chain = self._open.get(line.caller)
        where = (line.index, start, end)
        if first and chain and not self._continues(chain, line, gap):
            chain = None
        if chain and chain.negated and _INSTEAD.match(gap):  # 不是109, 是190: these are the right digits
            chain.chunks = [chain.value[::-1].replace(chain.negated[::-1], piece.upper()[::-1], 1)[::-1]]
            chain.negated = ""
            self._note(chain, where)
            return
        wrong = self._taken_back(gap) or (first and not chain and _TAIL_WORD.search(gap) and self._asked_back(line))
        if wrong and (target := self._target(line, piece, first=first, chain=chain)):
            self._correct(target, line, piece, gap, where)
            return
        if chain and not wrong and self._fits(chain, piece, gap):
            self._append(chain, piece, where)
            return
        if self._echo(line, piece):
            return
        made = Chain(line.index, line.caller, start, [piece], (line.index, end), [line.index], [where])
        self.chains.append(made)
        self._open[line.caller] = made

    def _taken_back(self, gap: str) -> bool:
        """Whether the words take the number back; 您的卡号不对 is news about another number."""
        if gap == "还是":  # E07还是E01来着: the speaker is not sure, the last word counts
            return True
        if _LOOKS_AGAIN.search(gap):  # E6，我再看一下……哎，是E8
            return True
        found = self._wrong.search(gap)
        if found is None:
            return False
        front = gap[: found.start()]
        return not any(
            cue.end() == len(front)
            for kind in self.lexicon.group("code")
            for cue in self.lexicon[f"code.{kind}"].finditer(front)
        )

    def _continues(self, chain: Chain, line: Line, gap: str) -> bool:
        """Whether the first piece of a new line goes on where the chain ended in an earlier line."""
        between = self.conversation[chain.ends[0] + 1 : line.index]
        if line.index - chain.ends[0] > _GAP or any(other.caller == line.caller and other.whole for other in between):
            return False
        tail = self.conversation[chain.ends[0]].whole[chain.ends[1] :]
        return bool(
            self._filler.fullmatch(tail)
            and (self._filler.fullmatch(gap) or self._wrong.search(gap))
            and (
                all(self._back.fullmatch(other.whole) for other in between)
                or (_GOES_ON.match(gap) and not any(re.search(r"\d", other.whole) for other in between))
            )
        )

    def _fits(self, chain: Chain, piece: str, gap: str) -> bool:
        joined = chain.value
        done = any(other.line < chain.line and other.value == joined for other in self.chains[-4:])
        if done and len(joined) > _BEGINNING:
            return False  # read back in full: what follows is something else
        split = (
            _PREFIX.fullmatch(joined) and len(chain.parts) == 1 and _AHEAD.match(gap + "0")
        )  # YC，后面……字小得……0811
        if not (split or self._filler.fullmatch(gap)) or "、" in gap or len(joined + piece) > _LONGEST:
            return False
        if _MOBILE.fullmatch(joined) or re.fullmatch(r"\d{17}[\dX]", joined):
            return False
        whole = len(piece) >= _WHOLE and "-" in piece and joined.isdigit()  # 0975。ZS7-24K-0975: said anew
        if whole or ("." in piece and "." not in joined):  # MS1123，1.8乘2米
            return False
        return not (_SHORT_CODE.fullmatch(joined) and _SHORT_CODE.fullmatch(piece.upper()))

    def _append(self, chain: Chain, piece: str, where: tuple[int, int, int]) -> None:
        if _again(chain.value, piece.upper()):
            chain.chunks = [piece]  # said again from the start
        else:
            chain.chunks.append(piece)
        self._note(chain, where)

    def _note(self, chain: Chain, where: tuple[int, int, int]) -> None:
        chain.ends = (where[0], where[2])
        chain.parts.append(where)
        if where[0] not in chain.turns:
            chain.turns.append(where[0])

    def _echo(self, line: Line, piece: str) -> bool:
        """Whether the other speaker reads back what is being dictated."""
        other = self._open.get(not line.caller)
        return other is not None and len(piece) > 1 and piece.upper() in other.value and piece.upper() != other.value

    def _target(self, line: Line, piece: str, *, first: bool, chain: Chain | None) -> Chain | None:
        """The chain that is being corrected."""
        if not first or chain:
            chain = chain or self._open.get(line.caller)
            if chain and line.index - chain.ends[0] <= 1 + first:
                return chain if _alike(chain.value, piece.upper(), near=not first) else None
        for candidate in reversed(self.chains[-4:]):
            if line.index - candidate.ends[0] <= _GAP and _alike(candidate.value, piece.upper()):
                return candidate
        return None

    def _correct(self, chain: Chain, line: Line, piece: str, gap: str, where: tuple[int, int, int]) -> None:
        value, new = chain.value, piece.upper()
        if gap.endswith("不是") and new in value:
            chain.corrected, chain.negated = True, new
            self._open[line.caller] = chain
            chain.parts.append(where)
            return
        if value.startswith(new) and len(new) < len(value):
            chain.chunks = [new]  # begun anew
        elif _TAIL_WORD.search(gap) and len(new) < len(value):
            chain.chunks = [value[: -len(new)], new]
        elif len(chain.chunks) > 1 and len(chain.chunks[-1]) == len(new) and len(value) > len(new):
            chain.chunks[-1] = new
        elif len(new) * 2 > len(value):
            chain.chunks = [new]
        else:
            at = _most_alike(value, new)
            chain.chunks = [value[:at], new, value[at + len(new) :]]
        chain.chunks = [chunk for chunk in chain.chunks if chunk]
        chain.corrected = True
        self._open[line.caller] = chain
        self._note(chain, where)

    def _asked_back(self, line: Line) -> bool:
        """Whether the other speaker has just read a whole number back and asked."""
        other = self._open.get(not line.caller)
        if other is None or line.index - other.ends[0] != 1:
            return False
        before = self.conversation[other.ends[0]]
        return before.clauses[-1].asks and len(before.whole) - other.ends[1] <= _QUESTION


def _again(old: str, new: str) -> bool:
    """Whether the speaker begins the number anew: LP0112133, no, LP01120133."""
    same = next((i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
    longer = len(new) > len(old) and same == len(old)
    return longer or (same >= _BEGINNING and len(new) + 1 >= len(old) > _BEGINNING + 1)


def _alike(old: str, new: str, *, near: bool = False) -> bool:
    """Whether ``new`` can be what ``old`` should have been: letters where letters were, digits where digits were."""
    if re.fullmatch(r"\d+", old) and re.fullmatch(r"\d+X?", new):
        return (1 if near else len(old) / 4) <= len(new) <= len(old) + 2
    if old[:1].isalpha() != new[:1].isalpha() and (len(new) >= len(old) or not new[:1].isdigit()):
        return False
    return len(new) <= len(old) + 3


def _most_alike(old: str, new: str) -> int:
    """Where in ``old`` the digits of ``new`` fit best; the end where nowhere better."""
    spots = range(len(old) - len(new) + 1)
    return max(spots, key=lambda at: (sum(a == b for a, b in zip(old[at:], new, strict=False)), at))
