"""Our 400 numbers and the other numbers under which a carrier delivers them. Pure."""

import re
from collections.abc import Mapping, Sequence

_DIALLED = re.compile(r"\+?\d{3,24}")


class Lines:
    """Which of our 400 numbers was dialled.

    ``numbers`` maps a 400 number to its aliases: landing numbers (落地号) and anything else a carrier may send.
    Forms of one number that differ only by ``+86``, ``0086``, ``86`` or the trunk 0 of an area code need no alias.
    So do hyphens, which Asterisk passes over where it looks for an extension: a call to 400-700-2505 reaches
    4007002505 and is told with the hyphens (Asterisk 22.10 and 16.28). Raises ValueError where two of our numbers share
    an alias.
    """

    def __init__(self, numbers: Mapping[str, Sequence[str]]) -> None:
        self._exact: dict[str, str] = {}
        self._bare: dict[str, str] = {}
        for number, aliases in numbers.items():
            for form in (number, *aliases):
                for known, key in ((self._exact, form), (self._bare, _bare(form))):
                    if known.setdefault(key, number) != number:
                        raise ValueError(f"{form} stands for both {known[key]} and {number}")

    def number(self, dialled: str | None) -> str | None:
        """The 400 number that ``dialled`` (as the carrier sent it) stands for; None when it is none of ours."""
        if dialled is None:
            return None
        exact = self._exact.get(dialled)
        plain = dialled.replace("-", "")
        if exact is not None or not _DIALLED.fullmatch(plain):
            return exact
        return self._bare.get(_bare(plain))


def _bare(number: str) -> str:
    """The digits without country code and trunk 0: 01062802505, +861062802505 and 861062802505 are one number."""
    digits = number.removeprefix("+").removeprefix("00")
    if digits.startswith("86") and len(digits) > 11:  # noqa: PLR2004 - 86 and at least ten digits
        digits = digits[2:]
    return digits.removeprefix("0")
