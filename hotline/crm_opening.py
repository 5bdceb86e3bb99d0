"""The CRM that the configuration names, opened and guarded.

Opening talks to nobody, and a CRM that is down does not keep the service from starting. One that is up and has not the
fields that the mapping names does: it would find nobody, call after call.
"""

import asyncio
import os
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import structlog

from crm.connector import Connector, Context
from crm.guarded import Guarded
from crm.registry import ConnectorError, open_named
from crm.trouble import CrmError, InvalidError
from hotline.crm_settings import Crm

log = structlog.get_logger()

FIRST_WORD = 5.0  # seconds that the CRM may take to answer at start


async def open_crm(settings: Crm, clock: Callable[[], float]) -> Guarded:
    """The connector that ``settings`` name, which is not the embedded one. Raises ConnectorError."""
    mapping = {} if settings.mapping is None else read_mapping(settings.mapping)
    context = Context(secret=secret, base=settings.base, clock=clock, area=settings.area, mapping=mapping)
    return Guarded(await open_named(settings.connector, settings.settings, context), clock)


async def first_word(crm: Connector) -> None:
    """Ask the CRM how it is, once. Raises ConnectorError when it is up and what we would ask for is not there."""
    try:
        async with asyncio.timeout(FIRST_WORD):
            health = await crm.health()
    except InvalidError as error:
        raise ConnectorError(str(error)) from error
    except (CrmError, TimeoutError) as error:
        log.warning("the CRM does not answer yet", connector=crm.name, error=str(error) or f"nothing in {FIRST_WORD} s")
    else:
        log.info("the CRM answers", connector=crm.name, version=health.version, skew_s=health.skew)


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


def report(crm: Guarded) -> Mapping[str, Any]:
    """How it goes with the CRM, for the operator: by kind of work."""
    conditions = {op.value: asdict(condition) for op, condition in crm.conditions().items()}
    return {"connector": crm.name, "work": conditions}
