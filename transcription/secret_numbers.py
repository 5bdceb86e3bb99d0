"""Which digits of a run are an identity card, a bank card or a telephone. Pure.

Check digits prove a number. Recognisers mishear digits: what nearly is an identity card, and a long number that answers
a question for a card, count as well, unless they are called an order, a parcel or the like.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from stdnum import luhn
from stdnum.iso7064 import mod_11_2

from transcription.account import FactKind
from transcription.digit_runs import Run
from transcription.secret_labels import Called, Label

_PROVINCE = "1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[1-3]|91"
_ID = re.compile(rf"(?=((?:{_PROVINCE})\d{{15}}[\dX]))")
_BIRTH = re.compile(r"(?:19[2-9]\d|20[0-2]\d)(?:0[1-9]|1[012])(?:0[1-9]|[12]\d|3[01])")
_NEARLY = re.compile(rf"\d{{4,8}}{_BIRTH.pattern}\d{{1,5}}X?")
_BANK = re.compile(r"[3-69]\d{15,18}")
_ISSUED = re.compile("62|4|5|3[457]|6[05]|955")  # what numbers of bank cards begin with
_UNION = "62"  # what numbers of cards issued here begin with
_MOBILE = re.compile(r"(?:86)?1[3-9]\d{9}")
_FIXED = re.compile(r"0(?:10|2\d|[3-9]\d{2})[2-8]\d{6,7}")
_LOCAL = re.compile(r"[2-8]\d{6,7}")
_LIKE_PHONE = re.compile("1[3-9]|0[1-9]")
NEARLY = range(15, 20)  # digits of a misheard identity card
_CARD_LENGTHS = range(16, 20)
_PHONE_LENGTHS = range(9, 14)
_LONGEST = 24
_ASKED = 6  # digits that count where a card was asked for
_ADDED = 3  # digits
_ONE = 22  # digits of a run that may be one number, misheard
_MOST_OF_IT = 13  # digits of a bank card, however it begins


Windows = Sequence[tuple[int, int, bool]]


@dataclass(frozen=True, slots=True)
class Reading:
    """What a stretch of a run is: ``digits[start:end]``; ``sure``: check digits prove it."""

    what: FactKind
    start: int
    end: int
    sure: bool


def nearly_identity(digits: str) -> bool:
    """Whether digits (and a last X) look like an identity card, one or two of them misheard or lost."""
    return len(digits) in NEARLY and _NEARLY.fullmatch(digits) is not None


def readings(run: Run, called: Called, *, fuzzy: bool) -> Iterator[Reading]:
    """What the run may be, the surest first. Stretches may overlap: the first one counts."""
    digits = "".join(digit.value for digit in run.digits)
    windows = sorted(run.windows(_LONGEST), key=lambda window: window[0] - window[1])
    for found in _identities(digits):
        yield _to_edges(found, windows)
    if called.label is Label.CARD:
        yield from _of_a_card(run, digits, windows, called, fuzzy=fuzzy)
        return
    if called.label is not Label.OTHER:
        yield from _bank_cards(digits, windows)
        if fuzzy:
            yield from _nearly_cards(digits, windows)
    elif called.phone or called.turn != run.digits[0].turn:  # nothing else is that long, or another was asked for
        yield from (found for found in _bank_cards(digits, windows) if digits.startswith(_UNION, found.start))
    yield from _phones(digits, windows)
    if fuzzy and called.phone:
        yield from _nearly_phones(digits, windows)


def _of_a_card(run: Run, digits: str, windows: Windows, called: Called, *, fuzzy: bool) -> Iterator[Reading]:
    """A run that is called a card. Whole rather than a stretch of it that happens to have a true check digit."""
    if fuzzy and len(digits) <= _ONE:
        pieces = [(0, len(piece), False) for piece in run.pieces[:1]] if len(run.pieces) == 1 else []
        yield from _phones(digits, pieces)
        yield from _asked_for(digits, windows, called)
        return
    yield from _bank_cards(digits, windows)
    if fuzzy:
        yield from _nearly_cards(digits, windows)
    for found in _hidden_cards(digits):
        yield _to_edges(found, windows)
    yield from _phones(digits, windows)
    if fuzzy:
        yield from _asked_for(digits, windows, called)


def _identities(digits: str) -> Iterator[Reading]:
    """18 digits of a province and a birthday, with a true check digit, anywhere."""
    for found in _ID.finditer(digits):
        if mod_11_2.checksum(found[1]) == 1 and _BIRTH.match(found[1], 6):
            yield Reading(FactKind.ID_CARD, *found.span(1), sure=True)


def _nearly_cards(digits: str, windows: Windows) -> Iterator[Reading]:
    """Misheard ones that still look the part."""
    for start, end, _ in windows:
        text = digits[start:end]
        if nearly_identity(text):
            yield Reading(FactKind.ID_CARD, start, end, sure=False)
        elif len(text) in _CARD_LENGTHS and text.startswith("62") and text.isdigit():
            yield Reading(FactKind.BANK_CARD, start, end, sure=False)


def _asked_for(digits: str, windows: Windows, called: Called) -> Iterator[Reading]:
    """Whatever answers a question for a card, unless no bank issues such numbers."""
    for start, end, dates in windows:
        text = digits[start:end]
        sure = bool(_BANK.fullmatch(text)) and luhn.is_valid(text)
        bank = sure or (called.bank and not nearly_identity(text))
        like = not called.bank or end - start >= _MOST_OF_IT or (not start and _ISSUED.match(digits))
        if end - start >= _ASKED and not dates and like:
            yield Reading(FactKind.BANK_CARD if bank else FactKind.ID_CARD, start, end, sure)


def _phones(digits: str, windows: Windows) -> Iterator[Reading]:
    for start, end, _ in windows:
        if _MOBILE.fullmatch(digits, start, end) or _FIXED.fullmatch(digits, start, end):
            yield Reading(FactKind.PHONE, start, end, sure=True)


def _nearly_phones(digits: str, windows: Windows) -> Iterator[Reading]:
    """Where a telephone was asked for: local numbers, misheard ones."""
    for start, end, dates in windows:
        text = digits[start:end]
        misheard = len(text) in _PHONE_LENGTHS and _LIKE_PHONE.match(text)
        if not dates and (misheard or _LOCAL.fullmatch(text)):
            yield Reading(FactKind.PHONE, start, end, sure=False)


def _bank_cards(digits: str, windows: Windows) -> Iterator[Reading]:
    """16 to 19 digits with a true Luhn digit, the longest first."""
    for start, end, _ in windows:
        if _BANK.fullmatch(digits, start, end) and luhn.is_valid(digits[start:end]):
            yield Reading(FactKind.BANK_CARD, start, end, sure=True)


def _hidden_cards(digits: str) -> Iterator[Reading]:
    """Such cards anywhere in the run, the longest first."""
    for length in reversed(_CARD_LENGTHS):
        for start in range(len(digits) - length + 1):
            if _BANK.fullmatch(digits, start, start + length) and luhn.is_valid(digits[start : start + length]):
                yield Reading(FactKind.BANK_CARD, start, start + length, sure=True)


def _to_edges(found: Reading, windows: Windows) -> Reading:
    """The reading with the digits that a recogniser added before or behind it."""
    start = max((first for first, _, _ in windows if first <= found.start), default=found.start)
    end = min((last for _, last, _ in windows if last >= found.end), default=found.end)
    return replace(
        found,
        start=start if found.start - start <= _ADDED else found.start,
        end=end if end - found.end <= _ADDED else found.end,
    )
