"""The CRM that the configuration names, opened and guarded. Opening talks to nobody: a CRM that is down stops nothing."""

import os
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from crm.connector import Context
from crm.guarded import Guarded
from crm.registry import ConnectorError, open_named
from hotline.crm_settings import Crm


async def open_crm(settings: Crm, clock: Callable[[], float]) -> Guarded:
    """The connector that ``settings`` name, which is not the embedded one. Raises ConnectorError."""
    mapping = {} if settings.mapping is None else read_mapping(settings.mapping)
    context = Context(secret=secret, base=settings.base, clock=clock, area=settings.area, mapping=mapping)
    return Guarded(await open_named(settings.connector, settings.settings, context), clock)


def read_mapping(path: Path) -> Mapping[str, Any]:
    """What a mapping file says, not yet understood. Raises ConnectorError."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ConnectorError(f"the mapping {path} cannot be read: {error.strerror or error}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConnectorError(f"the mapping {path} is not TOML: {error}") from error


def secret(variable: str) -> str:
    """A secret from the environment. Raises LookupError that says which is missing."""
    if value := os.environ.get(variable):
        return value
    raise LookupError(f"no secret: set {variable}")
