"""A number as CRMs can be asked for it. Pure.

Which spelling finds a record depends on the system: measured on five, E.164 finds a third where the field is as typed
and all where it is normalised; the national number without trunk 0 as a substring finds nearly all. Whatever comes back
is read again and compared here (:mod:`crm.matching`).
"""

from dataclasses import asdict, dataclass

import phonenumbers

from numbering.number import Number

_CHINA = "+86"


@dataclass(frozen=True, slots=True)
class Terms:
    """One number: ``+8675588886666``, ``8675588886666``, ``75588886666``, ``0755-88886666`` undashed, ``88886666``."""

    e164: str
    digits: str  # E.164 without its plus
    national: str  # the national significant number: without country and without trunk 0
    dialled: str  # as people dial it inside the country; of a foreign number 00 and its digits
    last8: str
    ext: str  # "" where there is none

    @classmethod
    def of(cls, number: Number) -> "Terms | None":
        """The terms of a number; None of one nobody can be found by."""
        if number.e164 is None:
            return None
        digits = number.e164.removeprefix("+")
        if number.e164.startswith(_CHINA):
            national = number.e164.removeprefix(_CHINA)
            mobile = len(national) == 11 and national[0] == "1"  # noqa: PLR2004
            dialled = national if mobile or national.startswith(("400", "800")) else f"0{national}"
        else:
            national = phonenumbers.national_significant_number(phonenumbers.parse(number.e164))
            dialled = f"00{digits}"
        return cls(number.e164, digits, national, dialled, digits[-8:], number.ext or "")

    def by_name(self) -> dict[str, str]:
        """The terms as placeholders name them."""
        return asdict(self)
