"""Which number is meant: every spelling that carriers, phones and people use for it, brought to one form.

The readings are tried in an order that never trades a certain one for a possible one: first the digits as a whole by
the numbering plan, then with the last group as an extension, then leniently, as ranges and lengths change and a
caller's identity is worth more than the plan's newest edition. Regions are :mod:`numbering.region`'s: the place names
take seconds to load and nobody waits for them while a phone rings.
"""

from typing import NamedTuple

from numbering import plan
from numbering.number import Kind, Number
from numbering.quick import quick
from numbering.spelling import Spelling, read

_LONGEST_EXT = 6
_WITH_E164 = frozenset({Kind.MOBILE, Kind.FIXED, Kind.HOTLINE, Kind.FOREIGN})


class _Reading(NamedTuple):
    """What digits mean. ``e164`` with its plus, None for service numbers and extensions."""

    kind: Kind
    e164: str | None = None


def identify(raw: str | None, area: str | None = None) -> Number:
    """What ``raw`` is: a caller id, a dialled number, or what someone typed into a CRM.

    ``area`` is the area code of the line it arrived on ("0755"; "755" and "+86755" too), for local numbers of 7 or 8
    digits; without it they are invalid. An area China does not have counts as none. Any text is accepted: what cannot
    be a number is ``invalid``, nothing is raised. ``region`` stays None, see :func:`numbering.region.with_region`.
    """
    return (quick(raw) if raw else None) or carefully(raw, area)


def carefully(raw: str | None, area: str | None = None) -> Number:
    """As :func:`identify`, without its short cut for the commonest spellings."""
    text = raw or ""
    spelling = read(raw)
    if isinstance(spelling, Kind):
        return Number(text, None, None, spelling)
    code = plan.area_code(area)
    digits, plus = spelling.digits, spelling.plus
    if spelling.context and not plus:
        digits, plus, code = _in_context(digits, spelling.context, code)
    found, ext = _decide(spelling, digits, code, plus=plus)
    if found is None:
        return Number(text, None, None, Kind.INVALID)
    if found.kind is Kind.EXTENSION:
        return Number(text, None, digits, Kind.EXTENSION)
    return Number(text, found.e164, ext, found.kind)


def _decide(spelling: Spelling, digits: str, area: str | None, *, plus: bool) -> tuple[_Reading | None, str | None]:
    """The first reading that holds, certain ones first, and the extension that goes with it."""
    last = spelling.last if spelling.last and len(spelling.last) <= _LONGEST_EXT else None
    for strict in (True, False):
        whole = _read(digits, area, plus=plus, strict=strict)
        if whole:
            stands_alone = whole.kind is not Kind.EXTENSION or spelling.ext is None
            return (whole if stands_alone else None), spelling.ext
        base = _read(digits[: -len(last)], area, plus=plus, strict=strict) if last else None
        if base and base.kind in _WITH_E164:
            return base, last
    return None, None


def _in_context(digits: str, context: str, area: str | None) -> tuple[str, bool, str | None]:
    """Digits, plus and area of a tel URI with ``phone-context``: the country, or country and area, they belong to."""
    if not context.startswith("86"):
        return context + digits, True, area
    return digits, False, plan.area_code(context[2:]) or area


def _read(digits: str, area: str | None, *, plus: bool, strict: bool) -> _Reading | None:
    if plus and not digits.startswith("0"):
        # Some gateways set a plus before whatever they were given; +400... is no country's number.
        return _international(digits, area, strict=strict) or (
            _Reading(Kind.HOTLINE, "+86" + digits) if plan.is_hotline(digits) else None
        )
    return _dialled(digits, area, strict=strict)


def _international(digits: str, area: str | None, *, strict: bool) -> _Reading | None:
    """Digits that begin with a country code."""
    if digits.startswith("86"):
        return _national(digits[2:], area, strict=strict)
    e164 = plan.foreign_e164(digits, strict=strict)
    return _Reading(Kind.FOREIGN, e164) if e164 else None


def _dialled(digits: str, area: str | None, *, strict: bool) -> _Reading | None:
    """Digits as they are dialled in mainland China, with whatever prefix."""
    if digits.startswith("00"):
        return _international(digits[2:], area, strict=strict)
    if not digits.startswith("0"):
        found = _short_or_mobile(digits, area)
        if found:
            return found
    elif plan.is_extension(digits):
        return _Reading(Kind.EXTENSION)
    else:
        return _trunk(digits[1:], strict=strict) or _short_or_mobile(digits[1:], None)
    return (
        _prefixed(digits, area, strict=strict)
        or _without_zero(digits, area, strict=strict)
        or _sms_port(digits, strict=strict)
    )


def _sms_port(digits: str, *, strict: bool) -> _Reading | None:
    """106... in the lenient round only: 10 6473 3683 with an extension behind has as many digits."""
    return _Reading(Kind.SERVICE) if not strict and plan.is_sms_port(digits) else None


def _short_or_mobile(digits: str, area: str | None) -> _Reading | None:
    """Numbers complete in themselves, and local ones that this area surely has."""
    if plan.is_mobile(digits):
        return _Reading(Kind.MOBILE, "+86" + digits)
    if plan.is_hotline(digits):
        return _Reading(Kind.HOTLINE, "+86" + digits)
    if area and plan.is_local(digits) and plan.is_fixed(area, digits):
        return _Reading(Kind.FIXED, f"+86{area}{digits}")
    if plan.is_service(digits):
        return _Reading(Kind.SERVICE)
    return _Reading(Kind.EXTENSION) if plan.is_extension(digits) else None


def _prefixed(digits: str, area: str | None, *, strict: bool) -> _Reading | None:
    """Behind 86, a carrier's prefix (17951), or the trunk digit 1 that some PBXs and carriers add: 1 0755 8888 6666."""
    if digits.startswith("86"):
        found = _national(digits[2:], area, strict=strict)
        if found:
            return found
    inner = plan.after_carrier_prefix(digits)
    if inner:
        found = _dialled(inner, area, strict=strict)
        if found and found.kind in _WITH_E164:
            return found
    # 1 0662... may be read as an SMS port as well: those never call, but they stand in lists, and 0662... is at hand.
    trunk = digits.startswith("10") and not plan.is_sms_port(digits)
    return _trunk(digits[2:], strict=strict) if trunk else None


def _without_zero(digits: str, area: str | None, *, strict: bool) -> _Reading | None:
    """Numbers whose 0 or 00 got lost, mostly in a spreadsheet; and local ones of a length new to us."""
    if plan.may_be_neighbour(digits):
        e164 = plan.foreign_e164(digits, strict=True)
        if e164:
            return _Reading(Kind.FOREIGN, e164)
    split = plan.split_area(digits)
    if split and plan.is_fixed(*split):
        return _Reading(Kind.FIXED, "+86" + digits)
    if split and plan.is_hotline(split[1]):
        return _Reading(Kind.HOTLINE, "+86" + split[1])
    if not strict and area and plan.is_local(digits):
        return _Reading(Kind.FIXED, f"+86{area}{digits}")
    return None


def _national(digits: str, area: str | None, *, strict: bool) -> _Reading | None:
    """Digits behind +86: with or without trunk 0."""
    if digits.startswith("0"):
        return _dialled(digits, area, strict=strict) if len(digits) > len("0000") else None
    found = _short_or_mobile(digits, None)
    if found:
        return None if found.kind is Kind.EXTENSION else found
    return (
        _trunk(digits, strict=strict) or _without_zero(digits, area, strict=strict) or _sms_port(digits, strict=strict)
    )


def _trunk(digits: str, *, strict: bool) -> _Reading | None:
    """A national number without its 0: area code, then a line, a hotline, a service or even a mobile."""
    split = plan.split_area(digits)
    if split is None:
        return None
    area, rest = split
    if plan.is_local(rest):
        # A length the plan does not know is kept in the lenient round: towns move from 7 to 8 digits.
        return _Reading(Kind.FIXED, "+86" + digits) if not strict or plan.is_fixed(area, rest) else None
    found = _short_or_mobile(rest, None)
    return None if found is None or found.kind is Kind.EXTENSION else found
