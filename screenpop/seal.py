"""Secrets of second factors as the database keeps them: sealed (AES-256-GCM) where the site has a key, else as is.

Who reads a database whose secrets are sealed can compute nobody's codes. Passwords and tokens never lie readable.
"""

import base64
import binascii
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

MARK = "sealed:"
NONCE = 12  # bytes


class SealError(Exception):
    """A secret cannot be read: it was sealed with another key, or there is none here."""


class Seal:
    """``key``: 32 bytes; None: secrets lie as they are."""

    def __init__(self, key: bytes | None = None) -> None:
        self._key = None if key is None else AESGCM(key)

    def close(self, secret: str, owner: int) -> str:
        """A secret as it is kept. ``owner``: whose it is, and nobody else's row can hold it."""
        if self._key is None:
            return secret
        nonce = os.urandom(NONCE)
        return MARK + base64.b64encode(nonce + self._key.encrypt(nonce, secret.encode(), _owned(owner))).decode("ascii")

    def open(self, kept: str, owner: int) -> str:
        """The secret. Raises SealError."""
        if not kept.startswith(MARK):
            return kept
        if self._key is None:
            raise SealError("second factors are sealed, and [accounts] names no key")
        try:
            raw = base64.b64decode(kept.removeprefix(MARK), validate=True)
            return self._key.decrypt(raw[:NONCE], raw[NONCE:], _owned(owner)).decode("ascii")
        except (InvalidTag, binascii.Error, ValueError) as error:
            raise SealError("a second factor was sealed with another key than the one [accounts] names") from error


def _owned(owner: int) -> bytes:
    return f"second factor of {owner}".encode("ascii")
