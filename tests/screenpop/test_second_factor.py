"""Codes of an authenticator app: the right one once, a little early or late, and nothing else."""

import re
from xml.etree import ElementTree as ET

import pyotp
import pytest

from screenpop.second_factor import (
    CODES,
    STEP,
    address,
    new_recovery_codes,
    new_secret,
    picture,
    recovery_hash,
    step_of,
)

NOW = 1_795_147_215.0  # in the middle of a step
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
HERE = int(NOW // STEP)


def code(step: int = HERE, secret: str = SECRET) -> str:
    """What the app shows in a step."""
    return pyotp.TOTP(secret).generate_otp(step)


def test_the_standard_s_own_example() -> None:
    """RFC 6238, appendix B: 94287082 at 59 s, of which six digits."""
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    assert step_of(secret, "287082", 0, 59.0) == 1


@pytest.mark.parametrize("off", [-1, 0, 1])
def test_clocks_differ_a_little(off: int) -> None:
    """One step before and after; typed with a gap as apps show it."""
    shown = code(HERE + off)
    assert step_of(SECRET, shown, 0, NOW) == HERE + off
    assert step_of(SECRET, f" {shown[:3]} {shown[3:]} ", 0, NOW) == HERE + off


@pytest.mark.parametrize("off", [-40, -3, -2, 2, 3, 40])
def test_but_not_more(off: int) -> None:
    """An old code off a photograph is worth nothing."""
    assert step_of(SECRET, code(HERE + off), 0, NOW) is None


def test_a_code_is_taken_once() -> None:
    """Neither it nor an earlier one again; the next one is."""
    assert step_of(SECRET, code(), HERE, NOW) is None
    assert step_of(SECRET, code(HERE - 1), HERE, NOW) is None
    assert step_of(SECRET, code(HERE + 1), HERE, NOW) == HERE + 1


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "abcdef", "１２３４５６", "-12345", "12345\n", "9" * 99])
def test_what_is_no_code_opens_nothing(typed: str) -> None:
    """Six digits, and ours."""
    assert step_of(SECRET, typed, 0, NOW) is None


def test_secrets_are_long_and_each_another() -> None:
    """160 bits."""
    assert len({new_secret() for _ in range(50)}) == 50
    assert re.fullmatch("[A-Z2-7]{32}", new_secret())


def test_the_address_and_its_picture() -> None:
    """Read by apps: whose it is, where; drawn without style or script."""
    text = address(SECRET, "li", "沐川:热线")
    assert pyotp.parse_uri(text).secret == SECRET
    assert text.startswith("otpauth://totp/")
    drawn = str(picture(text))
    root = ET.fromstring(drawn)  # noqa: S314 - our own
    assert root.tag.endswith("svg")
    assert "style" not in drawn
    assert "<script" not in drawn


def test_recovery_codes_are_read_however_they_are_typed() -> None:
    """With groups, without, in capitals; each another; nothing else has a hash."""
    codes = new_recovery_codes()
    assert len(set(codes)) == CODES
    for one in codes:
        assert re.fullmatch(r"[a-z2-9]{4}(-[a-z2-9]{4}){3}", one)
        kept = recovery_hash(one)
        assert kept == recovery_hash(one.replace("-", " ").upper()) == recovery_hash(one.replace("-", ""))
        assert kept is not None
        assert one not in kept
    assert recovery_hash("") is None
    assert recovery_hash("123456") is None
    assert recovery_hash(codes[0] + "x") is None
