"""Where a number was handed out (归属地), in Chinese. A hint for people only: mobiles are ported and move house.

The tables take half a second on a quiet machine (7.8 s were seen on a busy one without compiled files) and 117 MB, so
they load with the first question, not with this module. A service asks once in a thread at its start (:func:`warm`)
and answers calls from the memory of :func:`region`; in the event loop an unwarmed first call would stop every card.
"""

from dataclasses import replace
from functools import lru_cache

from numbering.number import Number

_WHOLE_COUNTRY = frozenset({"中国"})  # what new mobile ranges and 400 numbers give: no hint at all


@lru_cache(maxsize=65536)
def region(e164: str) -> str | None:
    """The place of an E.164 number: 北京市, 广东省深圳市, 香港. None where the tables have none or say only 中国."""
    import phonenumbers  # noqa: PLC0415 - with the tables, see above
    from phonenumbers import geocoder  # noqa: PLC0415

    try:
        number = phonenumbers.parse(e164)
    except phonenumbers.NumberParseException:
        return None
    # The checking variant leaves out ranges that phonenumbers does not know yet; their area code is still true.
    place = geocoder.description_for_valid_number(number, "zh")
    place = place or geocoder.country_name_for_number(number, "zh")
    return place if place and place not in _WHOLE_COUNTRY else None


def with_region(number: Number) -> Number:
    """The same number with its region filled in. Hotlines have none: they ring where their owner wants."""
    return replace(number, region=region(number.e164)) if number.e164 else number


def warm() -> None:
    """Load the tables, once, before the first call may arrive: whatever else runs meanwhile runs slowly."""
    region("+861088886666")
