"""The part of the configuration that says what logging in takes. Read by :mod:`hotline.settings`."""

from pathlib import Path
from typing import Literal

from pydantic import model_validator

from hotline.seal_settings import key_of
from hotline.telephony_settings import Part

RoleName = Literal["agent", "supervisor", "admin", "auditor"]


class Accounts(Part):
    """``second_factor``: ``optional``, or the roles that log in with one only.

    ``key_env`` or ``key_file``: where the key is that seals their secrets in the database, 32 bytes in base64
    (``hotline seal new-key FILE`` makes one); None: they lie there as they are.
    """

    second_factor: Literal["optional"] | tuple[RoleName, ...] = "optional"
    key_env: str | None = None
    key_file: Path | None = None

    @model_validator(mode="after")
    def _one_place(self) -> "Accounts":
        if self.key_env is not None and self.key_file is not None:
            raise ValueError("name key_env or key_file, not both")
        return self

    @property
    def required_of(self) -> frozenset[str]:
        """The roles that must have a second factor."""
        return frozenset() if self.second_factor == "optional" else frozenset(self.second_factor)

    def key(self) -> bytes | None:
        """The key, None where none is named. LookupError says what is wrong with it, and never shows it."""
        if self.key_env is None and self.key_file is None:
            return None
        return key_of("the key of [accounts]", self.key_env, self.key_file, "key_file")
