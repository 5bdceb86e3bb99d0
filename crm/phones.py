"""One cell, several telephone numbers: where one ends and the next begins. Pure."""

import re
from collections.abc import Iterator, Sequence

from crm.customer import Phone
from numbering.identify import identify
from numbering.number import Kind, Number
from numbering.quick import glance

_SEPARATOR = re.compile(r"\s*([;；,，、/／|｜\r\n\t]|\s(?:and|or)\s|或|和|及)+\s*")
_EXTENSION = re.compile(r"\d{1,6}")
_BEFORE_EXTENSION = frozenset(",，、/／")


def split_phones(cell: str, area: str | None = None, ext: str | None = None) -> Sequence[Phone]:
    """The numbers of a cell, each with its raw text; E.164 None where it is no number that has one.

    Numbers are parted by ; , 、 / | or line ends. Such a sign also stands before extensions:
    ``0755-88886666,8012`` is one number with its extension, ``0755-88886666转8012/8013`` one switchboard with two.
    ``area`` is for numbers written locally. ``ext`` is the extension kept in a column of its own: it belongs to
    fixed numbers that have none.
    """
    cell = cell.strip()
    seen = glance(cell)
    if seen is not None and (ext is None or seen.kind is not Kind.FIXED):
        return (Phone(cell, seen.e164, seen.ext),)
    whole = identify(cell, area)
    if whole.e164 is not None:
        return (_phone(cell, whole, ext),)
    return [_phone(raw, number, ext) for raw, number in _numbers(cell, area)]


def _phone(raw: str, number: Number, ext: str | None) -> Phone:
    if ext and number.kind is Kind.FIXED and number.ext is None and _EXTENSION.fullmatch(ext):
        return Phone(f"{raw}转{ext}", number.e164, ext)  # in the text as well: matching reads the text again
    return Phone(raw, number.e164, number.ext if number.e164 else None)


def _numbers(cell: str, area: str | None) -> Iterator[tuple[str, Number]]:
    """The numbers of a cell that is not one number as a whole."""
    base: str | None = None  # the fixed number before, without extension: the next piece may be another extension
    held: tuple[str, Number] | None = None
    for signs, piece in _pieces(cell):
        if base is not None and held is not None and signs <= _BEFORE_EXTENSION and _EXTENSION.fullmatch(piece):
            if held[1].ext is not None:
                yield held
            held = (f"{base}转{piece}", identify(f"{base}转{piece}", area))
            continue
        if held is not None:
            yield held
        held = None
        for raw in _by_spaces(piece, area):
            if held is not None:
                yield held
            held = (raw, identify(raw, area))
        base = _switchboard(*held) if held is not None and held[1].kind is Kind.FIXED else None
    if held is not None:
        yield held


def _pieces(cell: str) -> Iterator[tuple[frozenset[str], str]]:
    """Pieces of a cell, each with the signs that stand before it."""
    signs: frozenset[str] = frozenset()
    start = 0
    for found in (*_SEPARATOR.finditer(cell), None):
        piece = cell[start : found.start() if found else None].strip()
        if piece:
            yield signs, piece
        if found:
            signs, start = frozenset(found[0].replace(" ", "")), found.end()


def _by_spaces(piece: str, area: str | None) -> list[str]:
    """``piece``, or its parts where only spaces stand between whole numbers."""
    parts = piece.split()
    if len(parts) > 1 and identify(piece, area).e164 is None and all(identify(part, area).e164 for part in parts):
        return parts
    return [piece]


def _switchboard(raw: str, number: Number) -> str:
    """The text of a number without its extension."""
    if number.ext is None or number.ext not in raw:
        return raw
    return re.sub(r"[^\d)]+$", "", raw[: raw.rindex(number.ext)])
