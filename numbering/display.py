"""Numbers as people read them, and as those may see them who must not ring them."""

import re

import phonenumbers

from numbering.number import Kind, Number
from numbering.plan import is_service, split_area
from numbering.spelling import Spelling, read

_CHINA = "+86"
_LONGEST_ODDITY = 40
_VISIBLE_TAIL = 4


def display(number: Number) -> str:
    """Grouped for people: 138 1234 5678, 010-8888 6666, 400-700-2505, +852 9123 4567, 010-8888 6666-8012.

    Extensions and service numbers as their digits. What else has no E.164 as it came, without control characters and
    cut to 40. Withheld: empty, the page says it in its reader's language.
    """
    if number.kind is Kind.WITHHELD:
        return ""
    if number.kind is Kind.EXTENSION:
        return number.ext or ""
    if number.e164 is None:
        digits = _digits(number.raw)
        return digits if is_service(digits) else _printable(number.raw)
    shown = _foreign(number.e164) if number.kind is Kind.FOREIGN else "".join(_parts(number))
    return f"{shown}-{number.ext}" if number.ext else shown


def mask(number: Number) -> str:
    """With its middle hidden: 138****5678, 0755-****6666, +852 ****4567. Hotlines and service numbers are public.

    Nothing of an invalid number is shown: it may be anything, an id card for example.
    """
    if number.kind is Kind.INVALID:
        return "****"
    if number.e164 is None or number.kind is Kind.HOTLINE:
        return display(number)
    tail = number.e164[-_VISIBLE_TAIL:]
    if number.kind is Kind.MOBILE:
        return f"{number.e164.removeprefix(_CHINA)[:3]}****{tail}"
    if number.kind is Kind.FIXED:
        return f"{_parts(number)[0]}****{tail}"
    return f"{_foreign(number.e164).split(' ')[0]} ****{tail}"


def _parts(number: Number) -> tuple[str, str]:
    """A number of China in two parts: what stands before the first separator, with it, and the grouped rest."""
    national = (number.e164 or "").removeprefix(_CHINA)
    if number.kind is Kind.MOBILE:
        return f"{national[:3]} ", f"{national[3:7]} {national[7:]}"
    if number.kind is Kind.HOTLINE:
        return f"{national[:-7]}-", f"{national[-7:-4]}-{national[-4:]}"
    area, local = split_area(national) or ("", national)
    return f"0{area}-", f"{local[:-4]} {local[-4:]}"


def _foreign(e164: str) -> str:
    try:
        number = phonenumbers.parse(e164)
    except phonenumbers.NumberParseException:
        return e164
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def _digits(raw: str) -> str:
    spelling = read(raw)
    return spelling.digits if isinstance(spelling, Spelling) else ""


def _printable(raw: str) -> str:
    return re.sub(r"\s+", " ", "".join(c if c.isprintable() else " " for c in raw)).strip()[:_LONGEST_ODDITY]
