"""What people write into the cells of a customer list: dates, sums, yes and no, purchases, contracts. Pure."""

import re
import unicodedata
from collections.abc import Iterator
from contextlib import suppress
from datetime import date
from decimal import Decimal

from crm.customer import Contract, Purchase

_DATE = re.compile(
    r"(\d{4})(?:[-/.]|年)(\d{1,2})(?:[-/.]|月)(\d{1,2})日?(?:[T ]\d{1,2}:\d{2}.*)?|(\d{4})(\d{2})(\d{2})"
)
_AMOUNT = re.compile(r"(?:¥|rmb|cny)?(-?\d{1,3}(?:,\d{3})+(?:\.\d+)?|-?\d+(?:\.\d+)?)(?:元|圆|rmb|cny|yuan)?")
_SUM = re.compile(r"[0-9]{1,9}\.[0-9]{2}")
_MOST_YUAN = 10**12
_YES = frozenset({"是", "有", "对", "y", "yes", "true", "1", "vip", "√", "✓", "✔"})
_NO = frozenset({"否", "无", "非", "不是", "n", "no", "false", "0", "-", "×", "x", "普通"})
_ENTRY = re.compile(r"[;；\n]+")
_FIELD = re.compile(r"[|｜]")
_PURCHASE_FIELDS = 4
_CONTRACT_FIELDS = 3


class Unreadable(ValueError):  # noqa: N818 - what it is, not how bad
    """A cell's text does not mean what its column asks for. The message quotes it."""


def day(text: str) -> date:
    """2026-11-21, 2026/11/21, 2026.11.21, 2026年11月21日, 20261121; a time behind it is left out. Raises Unreadable."""
    if len(text) == len("2026-11-21") and text[4] == text[7] == "-":
        with suppress(ValueError):
            return date.fromisoformat(text)  # how machines write it, three times as fast
    found = _DATE.fullmatch(_plain(text))
    if found:
        year, month, of_month = (int(part) for part in found.groups() if part)
        try:
            return date(year, month, of_month)
        except ValueError as error:
            raise Unreadable(f"{text[:40]!r} is no day of the calendar") from error
    raise Unreadable(f"{text[:40]!r} is no date: write 2026-11-21")


def yuan(text: str) -> Decimal:
    """1299, 1,299.50, ¥1299, 1299元: yuan, rounded to the fen. Raises Unreadable."""
    if _SUM.fullmatch(text):
        return Decimal(text)  # how machines write it
    found = _AMOUNT.fullmatch(_plain(text).casefold().replace(" ", ""))
    if not found:
        raise Unreadable(f"{text[:40]!r} is no amount: write 1299.50")
    amount = Decimal(found[1].replace(",", ""))
    if abs(amount) >= _MOST_YUAN:
        raise Unreadable(f"{text[:40]!r} is more than this field can hold")
    return amount.quantize(Decimal("0.01"))


def yes_or_no(text: str) -> bool:
    """是, yes, 1, √ and the like, or their contrary. Raises Unreadable."""
    said = _plain(text).casefold()
    if said in _YES:
        return True
    if said in _NO:
        return False
    raise Unreadable(f"{text[:40]!r} is neither yes nor no")


def purchases(text: str) -> tuple[tuple[Purchase, ...], list[str]]:
    """Purchases ``product|date|amount|order no`` separated by ; or line ends, newest first, and what was unreadable.

    A date or amount that cannot be read is left out of its purchase, the rest of which is kept.
    """
    found: list[Purchase] = []
    wrong: list[str] = []
    for entry, fields in _entries(text, _PURCHASE_FIELDS, wrong):
        what, on, amount, order_no = fields
        bought, paid = None, None
        try:
            bought = day(on) if on else None
        except Unreadable as error:
            wrong.append(f"in {entry[:60]!r}: {error}")
        try:
            paid = yuan(amount) if amount else None
        except Unreadable as error:
            wrong.append(f"in {entry[:60]!r}: {error}")
        found.append(Purchase(what, bought, paid, order_no or None))
    if len(found) > 1:
        found.sort(key=lambda purchase: purchase.on or date.min, reverse=True)
    return tuple(found), wrong


def contracts(text: str) -> tuple[tuple[Contract, ...], list[str]]:
    """Contracts ``what|number|valid until`` separated by ; or line ends, and what was unreadable."""
    found: list[Contract] = []
    wrong: list[str] = []
    for entry, fields in _entries(text, _CONTRACT_FIELDS, wrong):
        what, number, until = fields
        end = None
        try:
            end = day(until) if until else None
        except Unreadable as error:
            wrong.append(f"in {entry[:60]!r}: {error}")
        found.append(Contract(what, number or None, end))
    return tuple(found), wrong


def _entries(text: str, width: int, wrong: list[str]) -> Iterator[tuple[str, list[str]]]:
    """Entries of a cell with their fields, filled up to ``width``; those without a first field are reported."""
    for entry in _ENTRY.split(text):
        fields = [field.strip() for field in (_FIELD.split(entry) if "｜" in entry else entry.split("|"))]
        if not fields[0] or len(fields) > width:
            if any(fields):
                wrong.append(f"{entry[:60]!r} should be at most {width} parts, parted by |, what it is first")
            continue
        if len(fields) < width:
            fields += [""] * (width - len(fields))
        yield entry, fields


def _plain(text: str) -> str:
    return (text if text.isascii() else unicodedata.normalize("NFKC", text)).strip()
