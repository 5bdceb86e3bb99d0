"""Which customers a caller may be, and whether one of them is certain. Pure.

A CRM's own phone search is not believed: it compares text, finds suffixes, forgets extensions. Every number of every
candidate is normalised again here and must be the caller's whole number. Knows nothing of where customers come from.
"""

from collections.abc import Sequence
from dataclasses import replace

from crm.customer import Candidate, Customer, Match, Phone, Reason
from numbering.identify import identify
from numbering.number import Kind, Number

_RANK = {reason: rank for rank, reason in enumerate(Reason)}
# These say who it is when one customer has them at all. A switchboard says only which house the call came from.
_PERSONAL = frozenset({Reason.MOBILE, Reason.FIXED_EXT})
_WHOLE_LINE = frozenset({Reason.FIXED, Reason.OTHER})


def decide(number: Number, customers: Sequence[Customer], area: str | None = None) -> Match:
    """The candidates for ``number``, strongest first and in the CRM's order within a strength; none is guessed.

    ``area`` is the area code that numbers written locally in the CRM belong to. ``sure`` is set when exactly one
    customer stands at the strongest level and that level tells persons apart: an exact mobile, a fixed line with the
    caller's extension, or an exact line without extension (a foreign or 400 number too) that nobody else shares, not
    even with an extension. A switchboard alone is never sure.
    """
    if number.e164 is None:
        return Match()
    found: dict[str, Candidate] = {}
    for customer in customers:
        candidate = _candidate(number, customer, area)
        if candidate is None:
            continue
        known = found.get(customer.id)
        if known is None or _RANK[candidate.reason] < _RANK[known.reason]:
            found[customer.id] = candidate
    ranked = sorted(found.values(), key=lambda candidate: _RANK[candidate.reason])
    return Match(tuple(ranked), _sure(ranked))


def _sure(ranked: Sequence[Candidate]) -> Customer | None:
    if not ranked:
        return None
    best = ranked[0]
    if best.reason in _PERSONAL and sum(other.reason is best.reason for other in ranked) == 1:
        return best.customer
    # A switchboard shows its bare number whoever calls, so another customer behind it may be the caller just as well.
    if best.reason in _WHOLE_LINE and len(ranked) == 1:
        return best.customer
    return None


def _candidate(number: Number, customer: Customer, area: str | None) -> Candidate | None:
    """This customer by the strongest of its numbers that is the caller's."""
    matches = [
        Candidate(customer, _reason(number, theirs), phone.raw)
        for phone in customer.phones
        if (theirs := normalised(phone, area)).e164 == number.e164
    ]
    return min(matches, key=lambda candidate: _RANK[candidate.reason], default=None)


def normalised(phone: Phone, area: str | None) -> Number:
    """What a CRM's number is by our own reading; an extension the CRM keeps in a field of its own is added.

    A number written locally (7 or 8 digits) needs an area: the one that import or connector found, but only if its
    digits end as the written ones do; else the one given, which is the line's and may be another city's.
    """
    number = identify(phone.raw)
    if number.e164 is None and phone.e164 is not None:
        stored = identify(phone.e164)
        if stored.kind is Kind.FIXED and stored.e164 is not None:
            with_area = identify(phone.raw, area_of(stored.e164))
            number = with_area if with_area.e164 == stored.e164 else number
    if number.e164 is None and area is not None:
        number = identify(phone.raw, area)
    if number.ext is None and phone.ext and number.e164 is not None:
        number = replace(number, ext=phone.ext)
    return number


def area_of(e164: str) -> str:
    """The area code, without its 0, of a fixed number in China."""
    digits = e164.removeprefix("+86")
    return digits[:2] if digits[0] in "12" else digits[:3]


def _reason(caller: Number, theirs: Number) -> Reason:
    if caller.ext != theirs.ext:
        return Reason.SWITCHBOARD  # a mobile with an extension is a delivery platform's relay: shared as well
    if caller.kind is Kind.MOBILE:
        return Reason.MOBILE
    if caller.kind is Kind.FIXED:
        return Reason.FIXED_EXT if caller.ext else Reason.FIXED
    return Reason.OTHER
