"""The part of the configuration that says how originals of recordings are put under lock and key.

Read by :mod:`hotline.settings`. The keys themselves never stand in the file.
"""

import base64
import binascii
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from hotline.telephony_settings import Part, read_secret

KEY_BYTES = 32


def key_of(what: str, variable: str | None, file: Path | None, setting: str) -> bytes:
    """32 bytes, in base64 in that variable or file. LookupError says what is wrong with them, and never shows them."""
    secret = read_secret(what, variable or "", file, setting)
    try:
        key = base64.b64decode(secret, validate=True)
    except (binascii.Error, ValueError) as error:
        raise LookupError(f"{what} is no base64: make one with `hotline seal new-key`") from error
    if len(key) != KEY_BYTES:
        raise LookupError(f"{what} has {len(key)} bytes, not {KEY_BYTES}")
    return key


class SealingKey(Part):
    """One key: ``id`` stands in every file it seals, so it never changes; the key from ``env`` or ``file``, base64."""

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,32}$")]
    env: str | None = None
    file: Path | None = None

    @model_validator(mode="after")
    def _one_place(self) -> "SealingKey":
        if (self.env is None) == (self.file is None):
            raise ValueError("name env or file, where the key is; `hotline seal new-key FILE` makes one")
        return self

    def key(self) -> bytes:
        """The key's 32 bytes. LookupError says what is wrong with it, and never shows it."""
        return key_of(f"sealing key {self.id!r}", self.env, self.file, "file")


class Sealing(Part):
    """``keys``: the first one seals, all of them open. ``cipher``: of what is sealed from now on."""

    cipher: Literal["aes-256-gcm", "sm4-gcm"] = "aes-256-gcm"
    keys: tuple[SealingKey, ...] = ()

    @model_validator(mode="after")
    def _ids_are_unique(self) -> "Sealing":
        ids = [key.id for key in self.keys]
        if twice := sorted({one for one in ids if ids.count(one) > 1}):
            raise ValueError(f"a key's id stands twice: {', '.join(twice)}")
        return self
