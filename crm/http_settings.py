"""Settings that every connector over HTTP has in common. Read from ``[crm.settings]``."""

from ipaddress import ip_address
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator


class HttpSettings(BaseModel):
    """Where the system is. A subclass adds what it needs.

    ``plain_http``: allow ``http://`` to another machine, over a network that nobody else hears. ``ca_file``: a file of
    certificates to trust instead of the machine's. ``connections``: requests at once.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str
    plain_http: bool = False
    ca_file: Path | None = None
    connections: Annotated[int, Field(ge=1, le=64)] = 4

    @field_validator("url")
    @classmethod
    def _is_an_address(cls, url: str) -> str:
        try:
            parts = urlsplit(url)
            parts.port  # noqa: B018 - raises when it is none
        except ValueError as error:
            raise ValueError("no address: write https://crm.example.com") from error
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("no address: write https://crm.example.com")
        if parts.username is not None or parts.password is not None:
            raise ValueError("no password in an address: it goes into the environment")
        if parts.query or parts.fragment:
            raise ValueError("an address without ? and #")
        return url.rstrip("/")

    @model_validator(mode="after")
    def _no_key_in_the_clear(self) -> "HttpSettings":
        parts = urlsplit(self.url)
        if parts.scheme == "http" and not self.plain_http and not _loopback(parts.hostname or ""):
            raise ValueError("url: our key would cross the network readable: use https, or set plain_http = true")
        return self


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
