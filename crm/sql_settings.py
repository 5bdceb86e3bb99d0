"""Where somebody else's database is, and how carefully it is asked. Read from ``[crm.settings]``."""

import ssl
from dataclasses import dataclass
from datetime import tzinfo
from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated
from urllib.parse import parse_qs, unquote, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, field_validator

from crm.sql_statement import read_setting


class Kind(StrEnum):
    """Which database."""

    POSTGRESQL = "postgresql"
    MYSQL = "mysql"  # MariaDB too
    SQLITE = "sqlite"


_KINDS = {
    "postgres": Kind.POSTGRESQL,
    "postgresql": Kind.POSTGRESQL,
    "mysql": Kind.MYSQL,
    "mariadb": Kind.MYSQL,
    "sqlite": Kind.SQLITE,
}
_EXAMPLE = "no address: write postgresql://reader@db.example/crm, mysql://reader@db.example/crm or sqlite:///crm.db"


@dataclass(frozen=True, slots=True)
class Where:
    """An address, taken apart. ``host``: a machine or the folder (MySQL: the file) of a socket; ``name``: or a file."""

    kind: Kind
    host: str = ""
    port: int | None = None
    user: str | None = None
    name: str = ""

    @property
    def local(self) -> bool:
        """Whether nothing crosses a network."""
        if self.kind is Kind.SQLITE or self.host.startswith("/") or self.host == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False

    def __str__(self) -> str:
        if self.kind is Kind.SQLITE:
            return f"sqlite:///{self.name}"
        return f"{self.kind}://{self.host}{f':{self.port}' if self.port else ''}/{self.name}"


@dataclass(frozen=True, slots=True)
class Access:
    """What a session is opened with. ``limit``: seconds for a question; ``offset``: of ``zone`` now, ``+0800``."""

    where: Where
    password: str | None
    trust: ssl.SSLContext | None
    limit: float
    init: tuple[str, ...]
    zone: tzinfo
    offset: str


class SqlSettings(BaseModel):
    """The database, and the limits of our questions.

    ``secret_env`` names the variable with the user's password. ``timeout``: seconds a lookup may take, in the database
    and all told. ``connections``: at once; one of them is for full loads and feeds. ``session_init``: for each new
    session (row level security, a search path). ``timezone``: of times that carry none. ``plain``: allow no TLS to
    another machine, over a network nobody else hears. ``ca_file``: certificates to trust instead of the machine's.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str
    secret_env: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")] | None = None
    timeout: Annotated[float, Field(ge=0.05, le=5)] = 0.8
    connections: Annotated[int, Field(ge=2, le=32)] = 4
    session_init: tuple[str, ...] = ()
    timezone: str = "Asia/Shanghai"
    plain: bool = False
    ca_file: Path | None = None

    @field_validator("url")
    @classmethod
    def _is_an_address(cls, url: str) -> str:
        where_of(url)
        return url

    @field_validator("timezone")
    @classmethod
    def _is_a_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"no timezone {name!r}: write Asia/Shanghai or UTC") from error
        return name

    @field_validator("session_init")
    @classmethod
    def _only_sets(cls, statements: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(map(read_setting, statements))


def where_of(url: str) -> Where:
    """An address, understood. Raises ValueError."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ValueError(_EXAMPLE) from error
    kind = _KINDS.get(parts.scheme.partition("+")[0])
    if kind is None:
        raise ValueError(_EXAMPLE)
    if parts.password is not None:
        raise ValueError("no password in an address: it goes into the environment, secret_env names the variable")
    name = unquote(parts.path[1:])
    if not name or parts.fragment:
        raise ValueError(_EXAMPLE)
    if kind is Kind.SQLITE:
        if parts.netloc or parts.query:
            raise ValueError("a file is sqlite:///crm.db, or sqlite:////folder/crm.db from the root")
        return Where(kind, name=name)
    query = parse_qs(parts.query)
    if query.keys() - {"host"}:
        raise ValueError("an address may have ?host=/folder/of/a/socket behind it, and nothing else")
    host = query.get("host", [parts.hostname or ""])[0]
    if not host:
        raise ValueError(_EXAMPLE)
    return Where(kind, host, port, unquote(parts.username) if parts.username else None, name)
