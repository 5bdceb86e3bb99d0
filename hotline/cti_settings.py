"""``[[cti]]``: another telephone system that tells of its calls by itself (docs/cti.md)."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from hotline.telephony_settings import Part, read_secret

Name = Annotated[str, Field(min_length=1, max_length=200)]
Extension = Annotated[str, Field(pattern=r"^[0-9A-Za-z_-]{1,32}$")]

SHORTEST = 16  # characters of a token


class Cti(Part):
    """One such system. ``users``: their users, names or numbers, and our extensions.

    The token in its address is read from ``token_env`` or ``token_file``. ``longest_hours``: after so long a call whose
    end was never told is over.
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,32}$")]
    token_env: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")] | None = None
    token_file: Path | None = None
    users: dict[Name, Extension] = Field(default_factory=dict)
    longest_hours: Annotated[float, Field(gt=0, le=24)] = 4.0

    @property
    def token_variable(self) -> str:
        """Name of the environment variable that holds the token."""
        shouted = "".join(char if char.isalnum() else "_" for char in self.name.upper())
        return self.token_env or f"HOTLINE_CTI_{shouted}_TOKEN"

    def token(self) -> str:
        """Read the token; LookupError saying where it was looked for, and when it is too short to be one."""
        token = read_secret(f"CTI {self.name!r}", self.token_variable, self.token_file, "token_file")
        if len(token) < SHORTEST:
            raise LookupError(f"the token of CTI {self.name!r} is shorter than {SHORTEST} characters")
        return token
