"""Identity cards, bank cards and, on request, telephone numbers, blackened in what was said. Pure.

Digits count however they come: typed in either width, spoken (幺幺零幺九九), with pauses, hyphens and fillers between
them, over several turns of one speaker while the other only says 嗯. Check digits prove a number; recognisers mishear
digits, so a run that nearly is an identity card, or any long one that answers a question for a card, is blackened as
well, unless it is called an order, a parcel or the like. The last four digits stay: people tell cards apart by them.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from stdnum import luhn
from stdnum.iso7064 import mod_11_2

from transcription.account import FactKind
from transcription.transcript import Turn

MASK = "*"
_VALUE = {c: str(n) for n, c in enumerate("零一二三四五六七八九")} | {"〇": "0", "幺": "1", "洞": "0", "两": "2"}
_VALUE |= {str(n): str(n) for n in range(10)} | {chr(0xFF10 + n): str(n) for n in range(10)}
_VALUE |= dict.fromkeys("xXｘＸ叉", "X")
_DIGITS = "".join(c for c in _VALUE if _VALUE[c] != "X")
_PIECE = re.compile(rf"(?:[{_DIGITS}][\s\-‐－–]{{0,2}})+[xXｘＸ叉]?|(?<=[，,、\s])[xXｘＸ叉](?![A-Za-z])")
_FILLER = re.compile(
    r"(?:[\s，,、。.…\-]|呃|嗯|额|啊|哦|那个|这个|然后|接着|再|后面|后头|后边|是|就是|还有|最后|稍等|等一下|我?看看|我?看一下|的|对|好)*"
)
_BACKCHANNEL = re.compile(
    rf"(?:[\s，,、。.…！!？?{_DIGITS}]|嗯|好的?|对|是的?|哦|啊|行|您?继续|您?说|请讲|请说|然后呢?|后面呢?|记下了|接着|后[几四]位呢?)*"
)
_CARD = re.compile("身份证|证件号|身份号码|卡号|银行卡|储蓄卡|信用卡|银行账[号户]|收款账[号户]")
_OTHER = re.compile(
    "订单|(?<!银行)(?<!收款)账[号户]|户名|运单|快递|单号|合同|保单|流水|户号|票号|税号|识别号|工单|编号|序列|型号|电话|手机"
)
_ID = re.compile(r"(?=([1-9]\d{16}[\dX]))")
_BANK = re.compile(r"(?=([3-69]\d{15,18}))")
_MOBILE = re.compile(r"(?:86)?(1[3-9]\d{9})")
_FIXED = re.compile(r"0(?:10|2\d|[3-9]\d{2})\d{7,8}")
_BIRTH = re.compile(r"\d{4,8}(?:19[2-9]|20[0-2])\d(?:0[1-9]|1[012])(?:0[1-9]|[12]\d|3[01])\d{1,5}X?")
_NEARLY = range(15, 20)  # digits of a misheard card
_ASKED = 8  # digits that are blackened where a card was asked for
_REACH = 60  # characters of its own turn
_RECENT = 4  # turns a question for a card holds


@dataclass(frozen=True, slots=True)
class Policy:
    """What a line blackens. ``keep`` last digits stay; ``fuzzy`` also takes what only nearly is a card."""

    id_cards: bool = True
    bank_cards: bool = True
    phones: bool = False
    fuzzy: bool = True
    keep: int = 4


@dataclass(frozen=True, slots=True)
class Blackened:
    """A place in a turn: ``text[start:end]`` of turn number ``turn``. ``sure``: check digits prove it."""

    turn: int
    start: int
    end: int
    what: FactKind
    sure: bool


@dataclass(frozen=True, slots=True)
class _Digit:
    turn: int
    at: int
    value: str


STANDARD = Policy()


def redact(text: str, policy: Policy = STANDARD) -> tuple[str, tuple[Blackened, ...]]:
    """The text with its secrets blackened, of the same length, and where they are."""
    masked, places = _redacted([(True, text)], policy)
    return masked[0], places


def redact_turns(turns: Sequence[Turn], policy: Policy = STANDARD) -> tuple[tuple[Turn, ...], tuple[Blackened, ...]]:
    """The turns with their secrets blackened, also those said over several turns, and where they are."""
    masked, places = _redacted([(str(turn.speaker), turn.text) for turn in turns], policy)
    return tuple(replace(turn, text=text) for turn, text in zip(turns, masked, strict=True)), places


def nearly_identity(digits: str) -> bool:
    """Whether digits (and a last X) look like an identity card, one or two of them misheard or lost."""
    return len(digits) in _NEARLY and _BIRTH.fullmatch(digits) is not None


def _redacted(said: Sequence[tuple[object, str]], policy: Policy) -> tuple[list[str], tuple[Blackened, ...]]:
    texts = [list(text) for _, text in said]
    places: list[Blackened] = []
    for run in _runs(said):
        for what, sure, digits in _secrets(run, said, policy):
            for digit in digits[: -policy.keep] if policy.keep else digits:
                texts[digit.turn][digit.at] = MASK
            for turn in sorted({digit.turn for digit in digits}):
                spots = [digit.at for digit in digits if digit.turn == turn]
                places.append(Blackened(turn, spots[0], spots[-1] + 1, what, sure))
    return ["".join(text) for text in texts], tuple(places)


def _runs(said: Sequence[tuple[object, str]]) -> Iterator[list[_Digit]]:
    """The digits that were said in one go, by speaker, over pauses and the other's 嗯."""
    open_runs: dict[object, list[_Digit]] = {}
    for turn, (speaker, text) in enumerate(said):
        position = 0
        for found in _PIECE.finditer(text):
            digits = [_Digit(turn, found.start() + i, _VALUE[c]) for i, c in enumerate(found.group()) if c in _VALUE]
            run = open_runs.get(speaker)
            if (
                run
                and (len(digits) > 1 or digits[0].value == "X")
                and _FILLER.fullmatch(text[position : found.start()])
            ):
                run += digits
            else:
                if run:
                    yield run
                open_runs[speaker] = digits
            position = found.end()
        for other in list(open_runs):
            ended = not _FILLER.fullmatch(text[position:]) if other == speaker else not _BACKCHANNEL.fullmatch(text)
            if ended:
                yield open_runs.pop(other)
    yield from open_runs.values()


def _secrets(
    run: list[_Digit], said: Sequence[tuple[object, str]], policy: Policy
) -> Iterator[tuple[FactKind, bool, list[_Digit]]]:
    digits = "".join(digit.value for digit in run)
    taken = bytearray(len(digits))
    for what, sure, start, end in _readings(digits, run, said, policy):
        if not any(taken[start:end]):
            taken[start:end] = b"\1" * (end - start)
            wanted = {
                FactKind.ID_CARD: policy.id_cards,
                FactKind.BANK_CARD: policy.bank_cards,
                FactKind.PHONE: policy.phones,
            }
            if wanted[what]:
                yield what, sure, run[start:end]


def _readings(
    digits: str, run: list[_Digit], said: Sequence[tuple[object, str]], policy: Policy
) -> Iterator[tuple[FactKind, bool, int, int]]:
    """What the run may be, the surest first: (what, sure, start, end)."""
    whole = (0, len(digits))
    label = _label(run, said)
    for found in _ID.finditer(digits):
        if mod_11_2.checksum(found[1]) == 1 and _BIRTH.fullmatch(found[1]):
            yield FactKind.ID_CARD, True, *found.span(1)
    if label != "other":
        for start, end in _bank_cards(digits):
            if end - start == len(digits) or label == "card":
                yield FactKind.BANK_CARD, True, start, end
    if policy.fuzzy and label != "other" and nearly_identity(digits):
        yield FactKind.ID_CARD, False, *whole
    phone = _MOBILE.fullmatch(digits) or _FIXED.fullmatch(digits)
    if phone:
        yield FactKind.PHONE, True, *whole
    elif policy.fuzzy and label == "card" and len(digits) >= _ASKED:
        yield FactKind.BANK_CARD if "卡" in _asked(run, said) else FactKind.ID_CARD, False, *whole


def _bank_cards(digits: str) -> Iterator[tuple[int, int]]:
    """Where 16 to 19 digits have a true Luhn digit, the longest first."""
    for found in _BANK.finditer(digits):
        for length in range(len(found[1]), 15, -1):
            if luhn.is_valid(found[1][:length]):
                yield found.start(1), found.start(1) + length


def _asked(run: list[_Digit], said: Sequence[tuple[object, str]]) -> str:
    """What was said before the run: its own turn so far and the turns just before."""
    turn, at = run[0].turn, run[0].at
    return "".join(text for _, text in said[max(0, turn - _RECENT) : turn]) + said[turn][1][max(0, at - _REACH) : at]


def _label(run: list[_Digit], said: Sequence[tuple[object, str]]) -> str:
    """``card``, ``other`` or ``""``: what the words before call the run, the nearest wins."""
    before = _asked(run, said)
    card = max((found.end() for found in _CARD.finditer(before)), default=-1)
    other = max((found.end() for found in _OTHER.finditer(before)), default=-1)
    return "" if card == other == -1 else "card" if card > other else "other"
