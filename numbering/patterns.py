"""Where a text holds id cards, bank cards and telephone numbers: the places that redaction blackens. Pure.

Digits may be written in either width with spaces and hyphens between them, or spoken (幺五四，零零幺二). A number
counts only as whole groups: 11 digits out of the middle of an order number are no telephone.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum

from stdnum import luhn
from stdnum.iso7064 import mod_11_2

from numbering.identify import identify
from numbering.number import Kind


class Secret(StrEnum):
    """What may be found."""

    ID_CARD = "id_card"  # 18 characters with a true check digit and a possible birth date
    BANK_CARD = "bank_card"  # 13-19 digits with a true Luhn digit
    PHONE = "phone"  # mobiles, fixed lines with area code, foreign ones led by +; no hotlines, no short codes


@dataclass(frozen=True, slots=True)
class Span:
    """A place in a text: ``text[start:end]``."""

    start: int
    end: int
    what: Secret


ALL = frozenset(Secret)

_AS_DIGITS = str.maketrans(
    dict(zip("０１２３４５６７８９", "0123456789", strict=True))
    | dict(zip("零一二三四五六七八九", "0123456789", strict=True))
    | {"〇": "0", "幺": "1", "两": "2", "ｘ": "X", "Ｘ": "X", "叉": "X"}
)
_ARABIC = re.compile(r"[0-9０-９](?:[\s\-‐–－()（）]{0,3}[0-9０-９])+[xXｘＸ]?")
_SPOKEN = re.compile(r"[零〇一二三四五六七八九幺两](?:[\s，,、]{0,2}[零〇一二三四五六七八九幺两])+[xXｘＸ叉]?")
_BLOCK = re.compile(r"\d+[xX]?")
_ID_CARD = re.compile(r"[1-9]\d{5}(?:18|19|20)\d\d(?:0[1-9]|1[012])(?:0[1-9]|[12]\d|3[01])\d{3}[\dxX]")
_BANK_CARD = re.compile(r"[3-69]\d{12,18}")
_PHONE = re.compile(r"(?:(?:00)?86)?(?:0[1-9]\d{8,10}|0?1[3-9]\d{9})|(?:00)?86[1-9]\d{8,10}")
_SHORTEST, _LONGEST = 9, 19


def find(text: str, wanted: Collection[Secret] = ALL) -> list[Span]:
    """The places of what is ``wanted`` in ``text``, in order, never overlapping.

    Where digits can be read as several things an id card wins over anything, then the longer number, then a telephone;
    what else was not wanted still keeps its digits from being read as something that is.
    """
    found = [span for pattern in (_ARABIC, _SPOKEN) for run in pattern.finditer(text) for span in _in_run(text, run)]
    return sorted((span for span in found if span.what in wanted), key=lambda span: span.start)


def _in_run(text: str, run: re.Match[str]) -> list[Span]:
    """The best reading of one run of digits and separators."""
    candidates = sorted(
        _candidates(text, run),
        key=lambda span: (span.what is not Secret.ID_CARD, span.start - span.end, span.what is not Secret.PHONE),
    )
    taken = bytearray(run.end())
    chosen: list[Span] = []
    for span in candidates:
        if not any(taken[span.start : span.end]):
            taken[span.start : span.end] = b"\1" * (span.end - span.start)
            chosen.append(span)
    return chosen


def _candidates(text: str, run: re.Match[str]) -> Iterator[Span]:
    blocks = [
        (run.start() + block.start(), run.start() + block.end(), block[0])
        for block in _BLOCK.finditer(run[0].translate(_AS_DIGITS))
    ]
    for first, (start, _, _) in enumerate(blocks):
        plus = start > 0 and text[start - 1] in "+＋"
        digits = ""
        for _, end, block in blocks[first:]:
            digits += block
            if len(digits) > _LONGEST:
                break
            if len(digits) >= _SHORTEST and (what := _what(digits, plus=plus)):
                yield Span(start - plus if what is Secret.PHONE else start, end, what)


def _what(digits: str, *, plus: bool) -> Secret | None:
    if _ID_CARD.fullmatch(digits) and mod_11_2.checksum(digits.upper()) == 1:
        return Secret.ID_CARD
    if plus:
        return Secret.PHONE if identify("+" + digits).kind in (Kind.MOBILE, Kind.FIXED, Kind.FOREIGN) else None
    if _PHONE.fullmatch(digits) and identify(digits).kind in (Kind.MOBILE, Kind.FIXED):
        return Secret.PHONE
    return Secret.BANK_CARD if _BANK_CARD.fullmatch(digits) and luhn.is_valid(digits) else None
