"""By which keys a copy of a CRM's customers is searched, so that nobody is overlooked whom matching would accept. Pure.

A key is an E.164 number. Written locally (7 or 8 digits) where nobody knows in which city, a number is the caller's on
one line and a stranger's on another: its digits are the key, and every fixed line is looked for by its local part too.
Who of those found is the caller is :mod:`crm.matching`'s to say, as ever.
"""

from crm.customer import Phone
from crm.matching import area_of, normalised
from numbering.identify import identify
from numbering.number import Kind, Number

_CITIES = ("010", "0730")  # one whose own numbers have eight digits, one of seven


def keys_of(phone: Phone, area: str | None = None) -> frozenset[tuple[str, str | None]]:
    """Keys and extensions of a customer's number; none where it is none by which anybody could call.

    ``area``: the area code of numbers written locally in the CRM. 5551234-8 has an extension in a city of seven digits
    and none in a city of eight: it stands under both.
    """
    number = normalised(phone, area)
    if number.e164 is not None:
        return frozenset({(number.e164, number.ext)})
    local = (identify(phone.raw, city) for city in _CITIES)
    return frozenset(
        (_local(each.e164), each.ext or phone.ext)
        for each in local
        if each.kind is Kind.FIXED and each.e164 is not None
    )


def keys_for(number: Number) -> tuple[str, ...]:
    """The keys that a caller is searched by; none where nobody can be found."""
    if number.e164 is None:
        return ()
    if number.kind is Kind.FIXED and number.e164.startswith("+86"):
        return number.e164, _local(number.e164)
    return (number.e164,)


def _local(e164: str) -> str:
    return e164.removeprefix("+86" + area_of(e164))
