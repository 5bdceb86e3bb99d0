"""One telephone number, understood."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What sort of subscriber stands behind a number."""

    MOBILE = "mobile"
    FIXED = "fixed"
    HOTLINE = "hotline"  # 400 and 800 numbers
    SERVICE = "service"  # 95xxx, 1xxxx, 110, 106...: dialled as they stand, no E.164
    EXTENSION = "extension"  # 3-4 digits inside a PBX
    FOREIGN = "foreign"  # every other country; Hong Kong, Macau and Taiwan too, as their networks are
    WITHHELD = "withheld"
    INVALID = "invalid"


@dataclass(frozen=True, slots=True)
class Number:
    """A number as it arrived and what we make of it.

    ``e164`` is ``+`` and digits, None for service, extension, withheld and invalid numbers. ``ext`` are the digits
    behind a switchboard, or of the extension itself when ``kind`` is extension. ``region`` is the Chinese place name
    of the number range, a hint only: numbers are ported.
    """

    raw: str
    e164: str | None
    ext: str | None
    kind: Kind
    region: str | None = None
