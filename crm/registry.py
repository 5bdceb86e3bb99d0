"""Connectors by name: our own, and those that other people install beside us.

A package brings one by an entry point of the group :data:`GROUP`, whose object is its ``open_connector``
(docs/connectors.md). Opening one reads its settings and talks to nobody: a CRM that is down must not keep the service
from starting.
"""

import importlib
import sys
from collections.abc import Awaitable, Callable, Mapping
from importlib.metadata import entry_points
from importlib.util import find_spec
from typing import Any, cast

from pydantic import BaseModel, ValidationError

from crm.connector import Connector, Context
from crm.fieldmap import MappingError
from crm.trouble import CrmError

GROUP = "hotline.connectors"
OWN: Mapping[str, str] = {
    "odoo": "crm.odoo",
    "rest": "crm.rest",
    "rt": "crm.rt",
    "soap": "crm.soap",
    "sql": "crm.sql",
    "tryton": "crm.tryton",
}

Open = Callable[[Mapping[str, Any], Context], Awaitable[Connector]]


class ConnectorError(Exception):
    """There is no such connector, or it cannot be had with these settings. ``faults``: (setting, what is wrong)."""

    def __init__(self, text: str, faults: list[tuple[tuple[str | int, ...], str]] | None = None) -> None:
        super().__init__(text)
        self.faults = faults or []


def names() -> list[str]:
    """Every connector there is, ours and others'."""
    ours = (name for name, module in OWN.items() if find_spec(module) is not None)
    return sorted({*ours, *(point.name for point in entry_points(group=GROUP))})


async def open_named(name: str, settings: Mapping[str, Any], context: Context) -> Connector:
    """The connector of that name, with its settings. Raises ConnectorError."""
    opener = _opener(name)
    try:
        return await opener(settings, context)
    except ValidationError as error:
        raise _bad(name, error) from error
    except MappingError as error:
        raise ConnectorError(f"the mapping for connector {name}: {error}") from error
    except CrmError as error:  # a CA file that cannot be read
        raise ConnectorError(f"connector {name}: {error}") from error
    except LookupError as error:  # Context.secret: the environment variable that is not set
        if isinstance(error, KeyError | IndexError):
            raise  # a slip in the connector
        raise ConnectorError(f"connector {name}: {error}") from error


def check_settings(name: str, settings: Mapping[str, Any]) -> None:
    """Look at settings without opening anything. Raises ConnectorError with every fault.

    The class is the module's ``SETTINGS``, else the only one whose name ends with Settings; without such a class
    nothing can be said before it is opened.
    """
    model = _settings_class(sys.modules[_opener(name).__module__])
    if model is not None:
        try:
            model.model_validate(dict(settings))
        except ValidationError as error:
            raise _bad(name, error) from error


def _opener(name: str) -> Open:
    if (module := OWN.get(name)) and find_spec(module) is not None:
        try:
            return cast("Open", importlib.import_module(module).open_connector)
        except ImportError as error:
            raise ConnectorError(f"connector {name} cannot be loaded: {error}; is its extra installed?") from error
    found = [point for point in entry_points(group=GROUP) if point.name == name]
    if not found:
        raise ConnectorError(f"no connector {name!r}; there are: {', '.join(['embedded', *names()])}")
    if len({point.value for point in found}) > 1:
        raise ConnectorError(f"several packages bring a connector {name!r}: {', '.join(p.value for p in found)}")
    try:
        return cast("Open", found[0].load())
    except (ImportError, AttributeError) as error:
        raise ConnectorError(f"connector {name} ({found[0].value}) cannot be loaded: {error}") from error


def _settings_class(module: Any) -> type[BaseModel] | None:
    if isinstance(named := getattr(module, "SETTINGS", None), type) and issubclass(named, BaseModel):
        return named
    found = [
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, BaseModel) and value.__name__.endswith("Settings")
    ]
    own = [each for each in found if not any(other is not each and issubclass(other, each) for other in found)]
    return own[0] if len(own) == 1 else None


def _bad(name: str, error: ValidationError) -> ConnectorError:
    faults = []
    for item in error.errors():
        text = {"extra_forbidden": "no such setting here; look for a slip of the pen", "missing": "is missing"}.get(
            item["type"], str(item["msg"]).removeprefix("Value error, ")
        )
        faults.append((tuple(item["loc"]), text))
    told = "; ".join(f"{'.'.join(map(str, place)) or 'settings'}: {text}" for place, text in faults)
    return ConnectorError(f"connector {name}: {told}", faults)
