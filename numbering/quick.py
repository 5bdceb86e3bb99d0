"""The commonest spellings of mobiles and fixed lines, read at one glance. Pure.

A list of a million customers is a million numbers, and a caller's candidates are all read again while a phone rings.
Nearly all are a mobile or a fixed line with its area code, written in one of a few ways: one pattern tells those. What
is known here must be what :func:`numbering.identify.carefully` would say, no more; anything in doubt is left to it.
"""

import re
from typing import NamedTuple

from numbering import plan
from numbering.number import Kind, Number

_COUNTRY = r"(?:\(?(?:\+|00)?86\)?[ -]?)?"
_MOBILE = re.compile(_COUNTRY + r"(1[3-9][0-9])[ -]?([0-9]{4})[ -]?([0-9]{4})")
_FIXED = re.compile(
    r"(?:\(?0|(?:\+|00)86[ -]?)"
    r"(10|2[0-9]|[3-9][0-9]{2})\)?[ -]?"
    r"([2-8][0-9]{2,3})[ -]?([0-9]{4})"
    r"(?:(?:(-)|转| ?#| ?(?:ext\.?|x) ?)([0-9]{1,6}))?"
)
# Behind these area codes, or begun with these digits, a line with an extension has a second reading: 950 relays, Hong
# Kong and its neighbours without 00, hotlines behind an area code.
_TWO_WAYS = ("95", "852", "853", "886")
_HOTLINES = ("400", "800")
_WHOLE_LINE = 8


# Python 3.11 takes longer to find a member of an enum than to match a short text.
_AS_MOBILE, _AS_FIXED = Kind.MOBILE, Kind.FIXED


class Glance(NamedTuple):
    """What is seen at one glance: an E.164 number, the digits behind a switchboard, mobile or fixed."""

    e164: str
    ext: str | None
    kind: Kind


def glance(raw: str) -> Glance | None:
    """What the number is, where its spelling leaves no doubt whatever the area; None: look at it carefully."""
    found = _MOBILE.fullmatch(raw)
    if found is not None:
        first, second, third = found.groups()
        return Glance(f"+86{first}{second}{third}", None, _AS_MOBILE)
    found = _FIXED.fullmatch(raw)
    if found is None:
        return None
    area, first, second, hyphen, ext = found.groups()
    local = first + second
    if area.startswith(_TWO_WAYS) or not plan.is_fixed(area, local):
        return None
    # Where only a hyphen parts them, all digits together may be a number as well.
    if hyphen is not None and (len(local) + len(ext) <= _WHOLE_LINE or local.startswith(_HOTLINES)):
        return None
    return Glance(f"+86{area}{local}", ext, _AS_FIXED)


def quick(raw: str) -> Number | None:
    """The number, where :func:`glance` sees one."""
    seen = glance(raw)
    return None if seen is None else Number(raw, seen.e164, seen.ext, seen.kind)
