"""What was learnt of one PBX over AMI, from its files, and of its recordings: plain values for the judging. Pure.

None everywhere means that it could not be learnt, and nothing is concluded from it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from hotline.doctor.astconf import Conf
from hotline.doctor.dialplan import Dialplan
from hotline.settings import Settings
from hotline.telephony_settings import Pbx


class Reach(StrEnum):
    """How far the login came."""

    IN = "in"
    NO_SECRET = "no_secret"  # noqa: S105 - the name of a state
    REFUSED = "refused"
    TLS = "tls"
    AWAY = "away"


@dataclass(frozen=True, slots=True)
class Member:
    """One member of a queue. ``status`` is Asterisk's device state; 4 is a device that does not exist."""

    queue: str
    name: str
    interface: str
    device: str
    status: str
    dynamic: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What one PBX answered. ``trouble`` is its or the network's word when the login failed.

    ``actions`` maps what we may do to the classes that allow it ("<none>": everybody). ``clock`` is how far the PBX's
    clock is ahead of ours, seconds, and how far off that may be. ``offset`` is its zone ("+0800"). ``dangerous``:
    a function that ``live_dangerously = no`` refuses was run. ``own`` are keys of our own section of manager.conf as
    AST_CONFIG() told them, None where there is no such function, ``filters`` its event filters. ``seen`` counts events
    by name while we listened, ``stamped``: they bore a time. ``silent_change``: channels came or went, and no event
    told of it.
    """

    reach: Reach
    trouble: str = ""
    version: str | None = None
    actions: Mapping[str, frozenset[str]] | None = None
    queues: frozenset[str] | None = None
    members: tuple[Member, ...] = ()
    trunks: Mapping[str, str] = field(default_factory=dict)  # endpoint: device state
    contexts: Mapping[str, str] = field(default_factory=dict)  # endpoint: its context
    plan: Dialplan | None = None
    own: Mapping[str, str] | None = None
    filters: tuple[str, ...] = ()
    conf: Mapping[str, str] = field(default_factory=dict)  # "cdr.conf/csv/loguniqueid": value, as AST_CONFIG() told
    clock: tuple[float, float] | None = None
    offset: str | None = None
    dangerous: bool | None = None
    seen: Mapping[str, int] = field(default_factory=dict)
    stamped: bool | None = None
    silent_change: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """The PBX's configuration folder. ``readable`` are files with secrets that everybody on that machine can read."""

    folder: str
    confs: Mapping[str, Conf]
    readable: tuple[str, ...] = ()
    unreadable: tuple[str, ...] = ()
    plan: Dialplan | None = None

    def get(self, file: str, section: str, key: str, default: str | None = None) -> str | None:
        """One value; the default also where there is no such file."""
        conf = self.confs.get(file)
        return default if conf is None else conf.get(section, key, default)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sounds:
    """What lies in the recordings folder. Counts are of the newest ``looked_at`` recordings; names are examples."""

    trouble: str | None = None
    looked_at: int = 0
    unmarked: tuple[str, ...] = ()
    without_legs: tuple[str, ...] = ()
    without_uniqueid: tuple[str, ...] = ()
    unreadable: tuple[str, ...] = ()
    newest: float | None = None  # epoch seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """The PBX's own call records where they are a file. ``columns`` of the last whole row."""

    trouble: str | None = None
    columns: int | None = None
    uniqueid: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """Our own machine: each a word of trouble, or None. ``extensions`` are those people log in for."""

    database: str | None = None
    database_behind: bool = False
    extensions: frozenset[str] | None = None
    redis: str | None = None
    data: str | None = None
    model: bool | None = None  # None: none is wanted
    readable: tuple[str, ...] = ()  # files with secrets of ours that everybody can read


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One PBX with all that was learnt. ``source`` is the address we come from, as far as we know it."""

    settings: Settings
    pbx: Pbx
    secret: str | None
    answers: Answers
    source: str | None = None
    files: Files | None = None
    sounds: Sounds | None = None
    records: Records | None = None
    recorder: Answers | None = None
    desk: Answers | None = None
    extensions: frozenset[str] | None = None  # those people log in for

    @property
    def subject(self) -> str:
        """For people."""
        return f"PBX {self.pbx.name}"

    @property
    def plan(self) -> Dialplan | None:
        """The dialplan that runs, else the one in the files."""
        return self.answers.plan or (self.files.plan if self.files else None)
