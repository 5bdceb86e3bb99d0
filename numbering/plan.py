"""China's numbering plan: which runs of digits are subscribers, and of what sort.

Knows digits only; how people write them is :mod:`numbering.spelling`, which reading wins is :mod:`numbering.identify`.
The lengths and ranges of fixed lines come from ``phonenumbers``; mobiles, hotlines and short codes are ruled here,
because ``phonenumbers`` refuses short codes and lags behind newly allotted mobile ranges.
"""

import re
from functools import lru_cache

import phonenumbers
from phonenumbers import PhoneMetadata, ValidationResult

# Any 11 digits 13-19: new ranges are allotted every year, and a caller refused for his prefix is a caller lost.
_MOBILE = re.compile(r"1[3-9]\d{9}")
# 400 shared cost, 800 toll free, 10800 toll free from abroad.
_HOTLINE = re.compile(r"(?:[48]00|10800)\d{7}")
_SERVICE = re.compile(
    r"11[02479]|12[012]"  # police, fire, ambulance, directory: every other three digits are an extension
    r"|1[0-2]\d{3,6}"  # 10086, 12345, 118114, 1008611, 1010xxxx
    r"|16[08]\d{2,5}"  # information lines
    r"|95\d{3,4}|95\d{6}|950\d{2,10}"  # banks, insurers, couriers; 950 relays hide who calls
    r"|96\d{3,4}"  # a province's or town's own services
)
_SMS_PORT = re.compile(r"106\d{2,6}|106\d{8,17}")  # ten digits 106... are a line in Beijing whose 0 got lost
_EXTENSION = re.compile(r"\d{3,4}")
_LOCAL = re.compile(r"[2-8]\d{6,7}")
# Carrier selection before the subscriber: 17951, 12593 and the second numbers 12583x.
_CARRIER_PREFIX = re.compile(r"(?:179\d\d|12583[1-9]|12583|12593|12520|11808|10193)(?=\d{7})")
_AREA = re.compile(r"0?(10|2\d|[3-9]\d\d)")


def _fixed_pattern() -> re.Pattern[str]:
    """Taken out of ``phonenumbers``: asked for the type of a number, it tries eight other patterns before this one."""
    china = PhoneMetadata.metadata_for_region("CN")
    assert china is not None
    assert china.fixed_line is not None
    return re.compile(str(china.fixed_line.national_number_pattern))


_FIXED = _fixed_pattern()

_NEIGHBOURS = ("852", "853", "886")  # Hong Kong, Macau, Taiwan: carriers send them without 00


def is_mobile(digits: str) -> bool:
    """Whether these are the 11 digits of a mainland mobile."""
    return _MOBILE.fullmatch(digits) is not None


def is_hotline(digits: str) -> bool:
    """Whether these are a 400 or 800 number, without any area code."""
    return _HOTLINE.fullmatch(digits) is not None


def is_service(digits: str) -> bool:
    """Whether these are a short code that is dialled as it stands: no subscriber to ring back stands behind it."""
    return _SERVICE.fullmatch(digits) is not None


def is_sms_port(digits: str) -> bool:
    """Whether these may be a sender of short messages (106...): a service too, but so much looks like one."""
    return _SMS_PORT.fullmatch(digits) is not None


def is_extension(digits: str) -> bool:
    """Whether these may be a phone inside a PBX; ask :func:`is_service` first, 110 is no extension."""
    return _EXTENSION.fullmatch(digits) is not None


def is_local(digits: str) -> bool:
    """Whether these may be a fixed line dialled within its own town: 7 or 8 digits, never led by 0, 1 or 9."""
    return _LOCAL.fullmatch(digits) is not None


def after_carrier_prefix(digits: str) -> str | None:
    """What was dialled behind 17951, 12593 and the like, None where no such prefix leads."""
    found = _CARRIER_PREFIX.match(digits)
    return digits[found.end() :] if found else None


def may_be_neighbour(digits: str) -> bool:
    """Whether these begin as Hong Kong, Macau or Taiwan numbers do."""
    return digits.startswith(_NEIGHBOURS)


def area_code(text: str | None) -> str | None:
    """The area code without its trunk 0 ("0755", "755", "+86755" -> "755"), None when China has no such area."""
    if not text:
        return None
    found = _AREA.fullmatch(text.strip().removeprefix("+86").strip())
    return found[1] if found and _area_exists(found[1]) else None


def split_area(digits: str) -> tuple[str, str] | None:
    """Area code and the rest of a national number without trunk 0; None when it begins with no area of China."""
    length = 2 if digits[:1] in ("1", "2") else 3
    code = digits[:length]
    return (code, digits[length:]) if len(code) == length and _area_exists(code) else None


@lru_cache(maxsize=2048)
def _area_exists(code: str) -> bool:
    return any(is_fixed(code, "8" * length) for length in (7, 8))


def is_fixed(area: str, local: str) -> bool:
    """Whether this area has fixed lines of this length and range, by ``phonenumbers``."""
    return is_local(local) and _FIXED.fullmatch(area + local) is not None


def foreign_e164(digits: str, *, strict: bool) -> str | None:
    """E.164 of the digits behind ``+`` of another country.

    ``strict`` asks for a number that country has handed out as far as is known, else for its right length only.
    None for China itself and for anything that is neither.
    """
    try:
        number = phonenumbers.parse("+" + digits)
    except phonenumbers.NumberParseException:
        return None
    fits = (
        phonenumbers.is_valid_number(number)
        if strict
        else phonenumbers.is_possible_number_with_reason(number) == ValidationResult.IS_POSSIBLE
    )
    if not fits or number.country_code == 86:  # noqa: PLR2004 - China
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
