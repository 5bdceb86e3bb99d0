"""The configuration: one TOML file, secrets from the environment or from files beside it.

Times are seconds, numbers as people write them. Paths in the file are relative to the file. Nothing here has a
secret for a default.
"""

import os
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import Field, ValidationError, field_validator, model_validator

from hotline.account_settings import Accounts
from hotline.crm_settings import Crm
from hotline.crm_settings import faults as crm_faults
from hotline.cti_settings import Cti
from hotline.dialplan.settings import Dialplan
from hotline.oidc_settings import Oidc
from hotline.seal_settings import Sealing
from hotline.speech_settings import Transcription
from hotline.telephony_settings import Agent, Line, Part, Pbx, Recordings, Routing, zone
from hotline.tomlplace import Place, line_of, places

DEFAULT_FILE = Path("hotline.toml")
__all__ = [
    "ConfigError",
    "DatabaseSettings",
    "Fault",
    "RedisSettings",
    "Server",
    "Settings",
    "Site",
    "Transcription",
    "find",
    "load",
]

_DRIVERS = {"postgres": "postgresql+asyncpg", "postgresql": "postgresql+asyncpg", "sqlite": "sqlite+aiosqlite"}


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with the configuration: its line (None: not in the file), its key and what to do."""

    line: int | None
    key: str
    text: str

    def __str__(self) -> str:
        where = f"line {self.line}: " if self.line else ""
        return f"{where}{self.key}: {self.text}" if self.key else f"{where}{self.text}"


class ConfigError(Exception):
    """The configuration cannot be used. ``faults`` names every fault found, not only the first."""

    def __init__(self, path: Path, faults: list[Fault]) -> None:
        self.path, self.faults = path, faults
        super().__init__("\n".join(f"{path}: {fault}" for fault in faults))


class Site(Part):
    """Who we are: shown in page titles; the time zone days are counted in; the language of what we write elsewhere."""

    name: str = "hotline"
    timezone: str = "Asia/Shanghai"
    language: Literal["zh_CN", "en"] = "zh_CN"

    _check_zone = field_validator("timezone")(zone)

    @property
    def zone(self) -> ZoneInfo:
        """The time zone."""
        return ZoneInfo(self.timezone)


class Server(Part):
    """Where pages and API are served.

    ``url``: the address that people reach the pages by, for links in a CRM; without one there are none there.

    ``tls_cert``, ``tls_key``: our own certificate with what signed it, and its key, both PEM; taken up anew when the
    files change. Behind a TLS proxy set ``secure``, so that cookies are marked so, and name ``origins``
    (``https://host``) where the proxy does not pass the host on.
    """

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8400
    secure: bool = False
    tls_cert: Path | None = None
    tls_key: Path | None = None
    url: Annotated[str, Field(pattern=r"^https?://[^/\s]+(/\S*)?$")] | None = None
    origins: tuple[Annotated[str, Field(pattern=r"^https?://[^/]+$")], ...] = ()

    @model_validator(mode="after")
    def _a_pair(self) -> "Server":
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ValueError("tls_cert and tls_key go together")
        return self

    @property
    def https(self) -> bool:
        """Whether people reach the pages by https."""
        return self.secure or self.tls_cert is not None


class ApiSettings(Part):
    """How much one program's token may ask: so many requests a minute, and so many at once after a rest."""

    requests_per_minute: Annotated[float, Field(gt=0, le=1_000_000)] = 600.0
    burst: Annotated[int, Field(ge=1, le=100_000)] = 100


class DatabaseSettings(Part):
    """``sqlite:///path`` or ``postgresql://...``. With a password in it, give it as HOTLINE_DATABASE_URL instead."""

    url: str | None = None


class RedisSettings(Part):
    """Fan-out between processes; without it everything runs in one."""

    url: str | None = None


class Settings(Part):
    """Everything. ``data`` is the folder that holds what the service writes itself.

    ``shadow``: calls are tracked and told in the log; nothing is shown to agents, nothing written, nothing recorded.
    """

    data: Path = Path("var")
    shadow: bool = False
    site: Site = Site()
    server: Server = Server()
    accounts: Accounts = Accounts()
    oidc: Oidc | None = None
    api: ApiSettings = ApiSettings()
    pbx: tuple[Pbx, ...] = ()
    line: tuple[Line, ...] = ()
    agent: tuple[Agent, ...] = ()
    recordings: Recordings = Recordings()
    sealing: Sealing = Sealing()
    routing: Routing = Routing()
    dialplan: Dialplan = Dialplan()
    database: DatabaseSettings = DatabaseSettings()
    redis: RedisSettings = RedisSettings()
    transcription: Transcription = Transcription()
    crm: Crm = Crm()
    cti: tuple[Cti, ...] = ()

    @model_validator(mode="after")
    def _names_are_unique(self) -> "Settings":
        for what, names in (
            ("[[pbx]] or [[cti]] name", [*(pbx.name for pbx in self.pbx), *(cti.name for cti in self.cti)]),
            ("[[line]] number or alias", [n for line in self.line for n in (line.number, *line.aliases)]),
            ("[[agent]] extension", [agent.extension for agent in self.agent]),
        ):
            twice = sorted({name for name in names if names.count(name) > 1})
            if twice:
                raise ValueError(f"{what} stands twice: {', '.join(twice)}")
        if (self.pbx or self.cti) and not self.line:
            kind = "[[pbx]]" if self.pbx else "[[cti]]"
            raise ValueError(f"a {kind} is configured but no [[line]]: name at least one of your 400 numbers")
        if not self.sealing.keys and any(line.policy.originals == "encrypt" for line in self.line):
            raise ValueError(
                "originals = encrypt needs a key: `hotline seal new-key FILE`, then name it in [[sealing.keys]]"
            )
        speech = self.transcription
        if speech.endpoint is None and "openai" in (speech.engine, *(line.speech.engine for line in self.line)):
            raise ValueError('engine = "openai" needs the address of your server: [transcription.endpoint] url')
        if any(line.record for line in self.line):
            for pbx in self.pbx:
                if self.recordings_of(pbx).root is None and self.recordings_of(pbx).url is None:
                    raise ValueError(
                        "recordings.root is missing: the folder with the PBX's recordings (or url, or record = false)"
                    )
        return self

    @property
    def database_url(self) -> str:
        """The database: the environment's HOTLINE_DATABASE_URL, the configured one, or SQLite in the data folder."""
        given = os.environ.get("HOTLINE_DATABASE_URL") or self.database.url
        if not given:
            return f"sqlite+aiosqlite:///{self.data / 'hotline.db'}"
        return re.sub(r"^(postgres(ql)?|sqlite)://", lambda m: f"{_DRIVERS[m[1]]}://", given)

    def recordings_of(self, pbx: Pbx) -> Recordings:
        """Where this PBX's recordings are: its own setting, else the common one."""
        return pbx.recordings or self.recordings

    @property
    def redis_url(self) -> str | None:
        """Redis, from HOTLINE_REDIS_URL or the file; None: one process."""
        return os.environ.get("HOTLINE_REDIS_URL") or self.redis.url


def find(path: Path | None) -> Path | None:
    """The configuration file to use: the one named, HOTLINE_CONFIG's, or ./hotline.toml; None when there is none."""
    if path is not None:
        return path
    if named := os.environ.get("HOTLINE_CONFIG"):
        return Path(named)
    return DEFAULT_FILE if DEFAULT_FILE.exists() else None


def load(path: Path | None = None) -> Settings:
    """Read and validate the configuration; embedded defaults without a file. Raises ConfigError with all faults."""
    chosen = find(path)
    if chosen is None:
        return Settings(data=Path("var").absolute())
    try:
        text = chosen.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise ConfigError(chosen, [Fault(None, "", f"cannot be read: {error.strerror or error}")]) from error
    except UnicodeDecodeError as error:
        raise ConfigError(chosen, [Fault(None, "", f"is not UTF-8 (byte {error.start}): save it as UTF-8")]) from error
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"line (\d+)", str(error))
        raise ConfigError(chosen, [Fault(int(line[1]) if line else None, "", f"not TOML: {error}")]) from error
    known = places(text)
    wrong = [Fault(line_of(place, known), _key(place), said) for place, said in crm_faults(raw)]
    try:
        settings = Settings.model_validate(raw)
    except ValidationError as error:
        raise ConfigError(chosen, [_fault(item, known) for item in error.errors()] + wrong) from error
    if wrong:
        raise ConfigError(chosen, wrong)
    anchored: Settings = _anchored(settings, chosen.absolute().parent)
    return anchored


def _fault(item: Any, known: dict[Place, int]) -> Fault:
    place = tuple(item["loc"])
    text = {
        "extra_forbidden": "no such setting here; look for a slip of the pen",
        "missing": "is missing",
    }.get(item["type"], str(item["msg"]).removeprefix("Value error, "))
    if item["type"] not in ("extra_forbidden", "missing") and not isinstance(item["input"], dict | list):
        text += f" (given: {item['input']!r})"
    return Fault(line_of(place, known), _key(place), text)


def _key(place: Place) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place).lstrip(".")


def _anchored(part: Part, base: Path) -> Any:
    """The same settings with every path made absolute, relative ones from the file's folder."""

    def at(value: Any) -> Any:
        if isinstance(value, Path):
            return base / value.expanduser()
        if isinstance(value, Part):
            return _anchored(value, base)
        return tuple(at(item) for item in value) if isinstance(value, tuple) else value

    return part.model_copy(update={name: at(getattr(part, name)) for name in type(part).model_fields})
