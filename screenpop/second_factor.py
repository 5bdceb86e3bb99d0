"""Codes of an authenticator app (TOTP, RFC 6238) and recovery codes: made, shown once, held against what was typed.

Six digits every thirty seconds, SHA-1, 160 bits: what every app reads. A code holds one step before and after its own,
as clocks of phones differ. What was taken and how often somebody may be wrong is kept by :mod:`storage.second_factors`.
"""

import hashlib
import hmac
import re
import secrets

import pyotp
import segno
from markupsafe import Markup

STEP = 30  # seconds
DRIFT = 1  # steps
DIGITS = re.compile(r"[0-9]{6}")
CODES = 10
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # 31 characters, none of them misread
_GROUPS, _GROUP = 4, 4  # 79 bits
RECOVERY = re.compile(f"[{_ALPHABET}]{{{_GROUPS * _GROUP}}}")


def new_secret() -> str:
    """160 random bits in base 32, as apps want them."""
    return pyotp.random_base32()


def address(secret: str, login: str, site: str) -> str:
    """The ``otpauth:`` address that apps read off a picture."""
    return pyotp.TOTP(secret).provisioning_uri(name=login, issuer_name=site.replace(":", " ").strip() or None)


def picture(text: str) -> Markup:
    """A QR code as SVG without a style, dark on light in dark mode too: cameras want it so."""
    return Markup(segno.make(text, error="m").svg_inline(scale=4, dark="#000", light="#fff"))  # noqa: S704 - drawn here


def step_of(secret: str, typed: str, after: int, now: float) -> int | None:
    """The step whose code this is, later than ``after`` and at most :data:`DRIFT` away; None: a wrong or spent one."""
    code = re.sub(r"\s", "", typed)
    if not DIGITS.fullmatch(code):
        return None
    one, here = pyotp.TOTP(secret), int(now // STEP)
    right = [
        step
        for step in range(here - DRIFT, here + DRIFT + 1)
        if hmac.compare_digest(one.generate_otp(step), code) and step > after
    ]
    return right[-1] if right else None


def new_recovery_codes() -> list[str]:
    """Codes to print and keep in a drawer, ``abcd-efgh-jkmn-pqrs``; each opens one login."""
    return [
        "-".join("".join(secrets.choice(_ALPHABET) for _ in range(_GROUP)) for _ in range(_GROUPS))
        for _ in range(CODES)
    ]


def recovery_hash(typed: str) -> str | None:
    """What is kept of a recovery code, however its groups were typed; None for what cannot be one."""
    bare = re.sub(r"[\s-]", "", typed).lower()
    return hashlib.sha256(bare.encode("ascii")).hexdigest() if RECOVERY.fullmatch(bare) else None
