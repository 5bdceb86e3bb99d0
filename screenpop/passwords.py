"""Which passwords are taken. Pure: a length, and no password that everybody tries first.

No rules about kinds of characters and no expiry: both make people choose worse ones (NIST SP 800-63B).
"""

from enum import StrEnum
from functools import cache
from pathlib import Path

SHORTEST = 10
LONGEST = 1024
FEWEST = 4  # different characters
SCRAP = 3  # letters beside digits that make no word
_LIST = Path(__file__).parent / "common_passwords.txt"


class Weakness(StrEnum):
    """Why a password is refused."""

    SHORT = "short"
    LONG = "long"
    COMMON = "common"
    NAME = "name"
    SAME = "same"


def weakness(password: str, *names: str) -> Weakness | None:
    """Why a password is refused, None when it is taken. ``names``: what others know: login, name, site."""
    plain = password.strip().lower()
    if len(password.strip()) < SHORTEST:
        return Weakness.SHORT
    if len(password) > LONGEST:
        return Weakness.LONG
    if any(_about(plain, name) for name in names):
        return Weakness.NAME
    if len(set(plain)) < FEWEST or _common(plain):
        return Weakness.COMMON
    return None


def _about(password: str, name: str) -> bool:
    """Whether a password is a name with little beside it."""
    name = name.strip().lower()
    return len(name) > 1 and name in password and len(password) - len(name) <= 2 * SCRAP


def _common(password: str) -> bool:
    """Whether it is a word of the list or a run of keys, as it is, twice over, or with digits and signs around it."""
    half = password[: len(password) // 2]
    core = password.strip("0123456789!@#$%^&*._-+ ")
    digits = "".join(char for char in password if char.isdigit())
    return (
        _known(password)
        or _known(core)
        or (half * 2 == password and (_known(half) or len(half) < SHORTEST))
        or (len(core) <= SCRAP and (password.isdigit() or _run(digits)))
    )


def _known(text: str) -> bool:
    return bool(text) and (text in _common_ones() or _run(text))


def _run(text: str) -> bool:
    """Whether it is a walk along the digits, the alphabet or the keys, one way or the other."""
    rows = ("0123456789012345678901234567890", "abcdefghijklmnopqrstuvwxyz", "qwertyuiopasdfghjklzxcvbnm")
    return len(text) > SCRAP and any(text in row or text in row[::-1] for row in rows)


@cache
def _common_ones() -> frozenset[str]:
    return frozenset(_LIST.read_text("utf-8").split())
