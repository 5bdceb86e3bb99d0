"""The part of the configuration that speaks of PBXs, numbers, phones and recordings. Read by :mod:`hotline.settings`.

Times are seconds, numbers as people write them. Nothing here has a secret for a default.
"""

import re
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from hotline.login_settings import DeskLogin, RecorderLogin
from hotline.settings_part import Part, Phrase, read_secret, zone
from telephony.cdr_rows import ALIASES
from tickets.proposals import Rule
from transcription.account import Category, Urgency

__all__ = [
    "Agent", "Cdr", "DeskLogin", "Line", "LineRouting", "LineSpeech", "Part", "Pbx", "Policy", "Proposed",
    "RecorderLogin", "Recordings", "Routing", "read_secret", "zone",
]  # fmt: skip


class Cdr(Part):
    """The PBX's own call records, read (never written) to complete calls that ended while nobody listened.

    Exactly one of ``file`` (cdr_csv's Master.csv, with loguniqueid=yes) and ``url`` (a database; its password from the
    environment variable ``url_env`` names). ``columns`` maps our names to the table's where they differ.
    """

    file: Path | None = None
    url: str | None = None
    url_env: str | None = None
    table: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_.]{0,63}$")] = "cdr"
    columns: dict[str, Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,63}$")]] = Field(default_factory=dict)
    timezone: str = "Asia/Shanghai"  # of the times written there; "UTC" with usegmtime=yes
    delay: Annotated[float, Field(ge=0, le=600)] = 5.0  # until a record of a call that ended is there

    _check_zone = field_validator("timezone")(zone)

    @field_validator("columns")
    @classmethod
    def _known_columns(cls, columns: dict[str, str]) -> dict[str, str]:
        strange = sorted(columns.keys() - ALIASES.keys())
        if strange:
            raise ValueError(f"{', '.join(strange)}: our names are {', '.join(ALIASES)}")
        return columns

    @model_validator(mode="after")
    def _one_place(self) -> "Cdr":
        if sum(place is not None for place in (self.file, self.url, self.url_env)) != 1:
            raise ValueError("name exactly one of file, url and url_env")
        if self.url is not None and re.match(r"[^:/?#]+://[^/?#]*:[^/?#]*@", self.url):
            # Said of the whole table: a fault of the key alone would be told with the password in it.
            raise ValueError("a password stands in url: put the address into a variable, and name that in url_env")
        return self


class Recordings(Part):
    """Where the PBX's recordings are: a folder readable here (``root``), or a server to fetch them from (``url``).

    ``mark`` is what the post-record command leaves beside a complete one. ``url``: ``https://host/path/`` or
    ``sftp://user@host/path/``; password or token from ``secret_env`` or ``secret_file``, an SFTP key from ``key_file``;
    ``known_hosts`` is required for SFTP.
    """

    root: Path | None = None
    messages: Path | None = None  # voicemail messages; None: below root, or in a folder "voicemail" beside it
    url: Annotated[str, Field(pattern=r"^(https?|sftp)://[^\s]+$")] | None = None
    user: str | None = None
    secret_env: str | None = None
    secret_file: Path | None = None
    key_file: Path | None = None
    known_hosts: Path | None = None
    ca_file: Path | None = None
    max_mb: Annotated[float, Field(gt=0, le=10_000)] = 200.0
    timeout: Annotated[float, Field(gt=0, le=3600)] = 120.0  # seconds for one file, in all
    mark: str = ".done"
    wait: Annotated[float, Field(gt=0)] = 20.0  # without a mark: this long unchanged, seconds, counts as complete

    @model_validator(mode="after")
    def _one_place(self) -> "Recordings":
        if self.root is not None and self.url is not None:
            raise ValueError("name root or url, not both")
        if self.url is not None and urlsplit(self.url).password is not None:
            raise ValueError("no password in the url: name secret_env or secret_file")
        if self.url is not None and self.url.startswith("http://") and (self.secret_env or self.secret_file):
            host = urlsplit(self.url).hostname or ""
            if not (host in ("localhost", "::1") or host.startswith("127.")):
                raise ValueError("over http the secret would cross the network in the clear: use https")
        if self.url is not None and self.url.startswith("sftp://") and self.known_hosts is None:
            raise ValueError("known_hosts is missing: without it anybody could pretend to be the SFTP server")
        return self


class Pbx(Part):
    """One Asterisk. Its AMI secret is read from ``HOTLINE_PBX_<NAME>_SECRET``, ``secret_env`` or ``secret_file``.

    ``recordings`` overrides the common ones where several PBXs keep them in several places.
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,32}$")]
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)] = 5038
    tls: bool = False
    tls_ca: Path | None = None  # the certificate to trust; None: what the machine trusts
    login: Literal["plain", "md5"] = "plain"  # md5: the secret itself does not cross the network
    user: str
    secret_env: str | None = None
    secret_file: Path | None = None
    trunks: Annotated[tuple[str, ...], Field(min_length=1)]
    voicemail_event: str | None = None
    recording_event: str | None = "CC400Recording"
    capture: Path | None = None
    ping_every: Annotated[float, Field(gt=0, le=300)] = 10.0
    cdr: Cdr | None = None
    recorder: RecorderLogin | None = None
    desk: DeskLogin | None = None
    recordings: Recordings | None = None

    @property
    def secret_variable(self) -> str:
        """Name of the environment variable that holds the secret."""
        return self.secret_env or f"HOTLINE_PBX_{self._shouted}_SECRET"

    @property
    def recorder_secret_variable(self) -> str:
        """Name of the environment variable that holds the recorder login's secret."""
        given = None if self.recorder is None else self.recorder.secret_env
        return given or f"HOTLINE_PBX_{self._shouted}_RECORDER_SECRET"

    @property
    def desk_secret_variable(self) -> str:
        """Name of the environment variable that holds the desk login's secret."""
        given = None if self.desk is None else self.desk.secret_env
        return given or f"HOTLINE_PBX_{self._shouted}_DESK_SECRET"

    @property
    def _shouted(self) -> str:
        return re.sub(r"[^A-Z0-9]", "_", self.name.upper())

    def secret(self) -> str:
        """Read the AMI secret; LookupError saying where it was looked for."""
        return read_secret(f"PBX {self.name!r}", self.secret_variable, self.secret_file)

    def recorder_secret(self) -> str:
        """Read the recorder login's secret; LookupError saying where it was looked for."""
        file = None if self.recorder is None else self.recorder.secret_file
        return read_secret(f"the recorder of PBX {self.name!r}", self.recorder_secret_variable, file)

    def desk_secret(self) -> str:
        """Read the desk login's secret; LookupError saying where it was looked for."""
        file = None if self.desk is None else self.desk.secret_file
        return read_secret(f"the desk login of PBX {self.name!r}", self.desk_secret_variable, file)


class Proposed(Part):
    """What is proposed for tickets of a category: at least this urgency, this owner (a login). People accept it."""

    urgency: Urgency | None = None
    owner: Annotated[str, Field(min_length=1, max_length=64)] | None = None


class Policy(Part):
    """What a line does with calls: whether a repeat call joins the open ticket, what is masked, how long audio is kept.

    ``redact``: kinds of facts masked before anything is stored; ``beep``: in the sound, too, for those who may not hear
    them. ``originals``: all sealed (``encrypt``, see ``[sealing]``), or deleted (``drop``) where something is masked in
    them and the bleeped copy is there. ``keep_recordings_days``: recordings older than that are deleted, each deletion
    audited; None keeps them. ``wrap_up``: seconds an agent has for the work after a call, 0: none.
    """

    join_open: bool = True
    join_window_hours: Annotated[float, Field(gt=0)] | None = None
    redact: tuple[Literal["id_card", "bank_card", "phone", "address", "email", "tax_no"], ...] = (
        "id_card",
        "bank_card",
    )
    beep: bool = True
    originals: Literal["keep", "encrypt", "drop"] = "keep"
    keep_recordings_days: Annotated[float, Field(gt=0)] | None = None
    proposals: dict[Category, Proposed] = Field(default_factory=dict)
    wrap_up: Annotated[float, Field(ge=0, le=1800)] = 30.0

    @model_validator(mode="after")
    def _something_stays(self) -> "Policy":
        if self.originals == "drop" and not (self.beep and self.redact):
            raise ValueError(
                "originals = drop leaves only the bleeped copy: it needs beep = true and something to redact"
            )
        return self

    @property
    def rules(self) -> dict[str, Rule]:
        """What is proposed, by category."""
        told = self.proposals.items()
        return {category.value: Rule(one.urgency and one.urgency.value, one.owner) for category, one in told}

    @property
    def bleeped(self) -> bool:
        """Whether there are recordings that not everybody may hear as they are."""
        return self.beep and bool(self.redact)


class LineRouting(Part):
    """What the dialplan is told when it asks where a call to this line shall go.

    ``queue`` by default, or by the menu key pressed (``menu``); ``prefer``: whose phone first, in this order;
    ``vip_priority``: Asterisk's queue priority for a VIP; ``announcement``: a sound the PBX plays first.
    """

    queue: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")] | None = None
    menu: dict[
        Annotated[str, Field(pattern=r"^[0-9*#]{1,8}$")], Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]
    ] = Field(default_factory=dict)
    prefer: tuple[Literal["ticket_owner", "key_account", "last_agent"], ...] = (
        "ticket_owner",
        "key_account",
        "last_agent",
    )
    last_agent_days: Annotated[float, Field(gt=0)] = 30.0
    priority: Annotated[int, Field(ge=0, le=1000)] = 0
    vip_priority: Annotated[int, Field(ge=0, le=1000)] = 10
    announcement: Annotated[str, Field(pattern=r"^[A-Za-z0-9_./-]{1,100}$")] | None = None
    vip_announcement: Annotated[str, Field(pattern=r"^[A-Za-z0-9_./-]{1,100}$")] | None = None


class LineSpeech(Part):
    """How this line's calls are written down, where it is not as ``[transcription]`` says. None: as there.

    ``grammar``: the only phrases that vosk hears on this line, ``#`` in one stands for digits; where the model allows
    it. ``hot_words``: names that whisper or a server shall rather write than others that sound alike.
    ``endpoint_model``: of ``[transcription.endpoint]``. ``lexicon``: a TOML file with words of this line's own for its
    summaries.
    """

    engine: Literal["auto", "vosk", "whisper", "openai", "scripted"] | None = None
    model: Path | None = None
    language: Annotated[str, Field(pattern=r"^[a-z]{2,3}$")] | None = None
    endpoint_model: Annotated[str, Field(pattern=r"^[^\s\x00-\x1f][^\x00-\x1f]{0,99}$")] | None = None
    grammar: Annotated[tuple[Phrase, ...], Field(max_length=2000)] = ()
    hot_words: Annotated[tuple[Phrase, ...], Field(max_length=50)] = ()
    lexicon: Path | None = None


class Line(Part):
    """One of our 400 numbers. ``aliases`` are other forms the carrier sends for it: a landing number, for example."""

    number: Annotated[str, Field(pattern=r"^\+?[0-9]{4,20}$")]
    aliases: tuple[Annotated[str, Field(pattern=r"^\+?[0-9]{3,20}$")], ...] = ()
    name: str = ""
    area: Annotated[str, Field(pattern=r"^0[0-9]{2,3}$")] | None = None
    timezone: str | None = None
    record: bool = True
    policy: Policy = Policy()
    routing: LineRouting = LineRouting()
    speech: LineSpeech = LineSpeech()

    @field_validator("timezone")
    @classmethod
    def _check_zone(cls, name: str | None) -> str | None:
        return name if name is None else zone(name)


class Agent(Part):
    """A phone and who sits there. ``interfaces``: names of the phone in queues other than PJSIP/EXTENSION."""

    extension: Annotated[str, Field(pattern=r"^[0-9]{2,10}$")]
    name: str = ""
    interfaces: tuple[str, ...] = ()


class Routing(Part):
    """Where the dialplan asks. Off until a port is named: ``agi_port`` for FastAGI, ``http_port`` for CURL().

    ``host`` is the address both listen on. HTTP asks for the token in HOTLINE_ROUTING_TOKEN, ``token_env`` or
    ``token_file``; FastAGI has none, so ``allow`` names the addresses or networks that may ask. ``budget``: seconds
    until the dialplan is told to go on by itself. ``dial``: the interface of an extension, as ``Dial()`` wants it.
    """

    host: str = "127.0.0.1"
    agi_port: Annotated[int, Field(ge=0, le=65535)] | None = None
    http_port: Annotated[int, Field(ge=0, le=65535)] | None = None
    allow: tuple[str, ...] = ("127.0.0.1", "::1")
    token_env: str = "HOTLINE_ROUTING_TOKEN"  # noqa: S105 - the name of a variable
    token_file: Path | None = None
    budget: Annotated[float, Field(gt=0, le=0.3)] = 0.25
    dial: Annotated[str, Field(pattern=r"^[A-Za-z0-9_/@.-]{0,60}\{extension\}[A-Za-z0-9_/@.-]{0,60}$")] = (
        "PJSIP/{extension}"
    )

    @field_validator("allow")
    @classmethod
    def _check_allow(cls, allow: tuple[str, ...]) -> tuple[str, ...]:
        for one in allow:
            try:
                ip_network(one, strict=False)
            except ValueError as error:
                raise ValueError(f"{one!r} is neither an address nor a network such as 10.0.0.0/24") from error
        return allow

    def token(self) -> str:
        """Read the token of HTTP questions; LookupError saying where it was looked for."""
        return read_secret("routing over HTTP", self.token_env, self.token_file, "token_file")
