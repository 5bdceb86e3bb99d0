"""What every part of the configuration is made of. Nothing here has a secret for a default."""

import os
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field

Phrase = Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[^\x00-\x1f]*$")]


class Part(BaseModel):
    """A table of the configuration: unknown keys are faults, nothing changes once it is read."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def zone(name: str) -> str:
    """The name of a time zone that exists; ValueError with an example otherwise."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(f"no such time zone: {name!r}; write one like Asia/Shanghai") from error
    return name


def read_secret(what: str, variable: str, file: Path | None, key: str = "secret_file") -> str:
    """A secret from its file, which ``key`` names, else from the environment; LookupError says where it was sought."""
    if file is not None:
        try:
            return file.read_text(encoding="utf-8").strip()
        except OSError as error:
            raise LookupError(f"the secret file of {what} cannot be read: {error}") from error
    if value := os.environ.get(variable):
        return value
    raise LookupError(f"no secret for {what}: set {variable} or {key}")
