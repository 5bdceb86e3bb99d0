"""The part of the configuration that speaks of the CRM. Read by :mod:`hotline.settings`.

A connector's own settings, ``[crm.settings]``, are its own to check: :func:`faults` asks it. Times are seconds.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from crm.http_settings import HttpSettings
from crm.registry import ConnectorError, check_settings
from hotline.telephony_settings import Part
from hotline.tomlplace import Place

EMBEDDED = "embedded"
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,40}")


class Push(Part):
    """Somebody else who is told of every call: Zammad's generic CTI, or a webhook of yours, signed.

    ``secret_env``: the environment variable with the webhook's signing secret, or with Zammad's token where it is not
    part of ``url``. ``plain_http``: allow ``http://`` to another machine, over a network that nobody else hears.
    ``ca_file``: a file of certificates to trust instead of the machine's.
    """

    kind: Literal["zammad", "webhook"]
    url: Annotated[str, Field(pattern=r"^https?://[^/\s]+\S*$")]
    secret_env: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")] | None = None
    plain_http: bool = False
    ca_file: Path | None = None

    @model_validator(mode="after")
    def _nobody_else_hears_of_calls(self) -> "Push":
        if self.kind == "webhook" and self.secret_env is None:
            raise ValueError("secret_env is missing: nobody could tell our webhook from a stranger's")
        HttpSettings(url=re.sub(r"\?[^#]*", "", self.url), plain_http=self.plain_http)  # it has the rules of addresses
        return self


class Crm(Part):
    """Which CRM answers, and how we live with it.

    ``budget``: what a card waits for it before it says that it is late. ``settings``: the connector's own; relative
    paths in them start from ``base``. ``mapping``: the file that says which of its fields is what. ``area``: the area
    code of numbers written locally there. ``index``: keep its numbers here, so that a known caller is known at once and
    without it; asked for changes every ``poll_every``. ``look_ahead``: customers a minute whose purchases are read
    before they call. ``write_back``: put calls and tickets into it; ``strangers``:
    tickets of callers nobody knows, too.
    ``push_in_env``: the environment variable with the token that its webhooks carry; without it they are not taken.
    """

    connector: Annotated[str, Field(pattern=f"^{_NAME.pattern}$")] = EMBEDDED
    budget: Annotated[float, Field(gt=0, le=10)] = 0.8
    settings: Mapping[str, Any] = Field(default_factory=dict)
    base: Path = Path()
    mapping: Path | None = None
    area: Annotated[str, Field(pattern=r"^0\d{2,3}$")] | None = None
    index: bool = True
    poll_every: Annotated[float, Field(ge=1, le=3600)] = 30.0
    look_ahead: Annotated[int, Field(ge=0, le=6000)] = 30
    write_back: bool = True
    strangers: bool = False
    push_in_env: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")] | None = None
    push: tuple[Push, ...] = ()

    @property
    def embedded(self) -> bool:
        """Whether the customers are our own, in our own database."""
        return self.connector == EMBEDDED

    @model_validator(mode="after")
    def _embedded_needs_nothing(self) -> "Crm":
        if self.embedded and (self.settings or self.mapping is not None):
            raise ValueError("the embedded customers need neither settings nor mapping: name a connector")
        return self


def faults(raw: Mapping[str, Any]) -> Iterator[tuple[Place, str]]:
    """What is wrong with ``[crm.settings]`` for the connector named, by place, in a file as it was read."""
    crm = raw.get("crm")
    if not isinstance(crm, dict):
        return
    name, given = crm.get("connector", EMBEDDED), crm.get("settings", {})
    if not isinstance(name, str) or not _NAME.fullmatch(name) or name == EMBEDDED or not isinstance(given, dict):
        return  # the models say so
    try:
        check_settings(name, given)
    except ConnectorError as error:
        for place, text in error.faults:
            yield ("crm", "settings", *place), text
        if not error.faults:
            yield ("crm", "connector"), str(error)
