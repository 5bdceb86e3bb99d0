"""What the pages need from the rest of the house, given once when the app is built, and where an app keeps it."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import web
from argon2 import PasswordHasher

from crm.customer import Candidate
from screenpop.asks import Voice
from screenpop.assets import Assets
from screenpop.card import Json
from screenpop.door import Door
from screenpop.finding import Finding
from screenpop.hands import Hand
from screenpop.hub import Hub
from screenpop.meter import Rate
from screenpop.outgoing import Outgoing
from screenpop.privacy import Privacy
from screenpop.progress import Shares
from screenpop.sounds import AsTheyLie, Ears
from screenpop.standings import Standings
from storage.accounts import Accounts
from storage.audit import Audit
from storage.callbacks import Callbacks
from storage.fanout import Fanout
from storage.ledger import Ledger
from storage.reads import Reads
from storage.tokens import Tokens
from telephony.call import CallKey


async def no_status() -> dict[str, Any]:
    """What a process says that knows nothing of the service's state."""
    return {}


async def nobody_offered(_call: CallKey) -> Sequence[Candidate]:
    """Whom a call's number may be, where nobody can be asked."""
    return ()


async def no_card(_call: CallKey, _agent: str) -> Json | None:
    """The card of a call that is over, where none can be made."""
    return None


def no_recordings(call: CallKey, name: str) -> Path:
    """The resolver of a service without recordings."""
    raise LookupError(f"{call}: {name}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Deps:
    """Everything the pages use.

    ``voice`` speaks for the desk of this process; None where there is none, and others answer over the fan-out
    (:mod:`screenpop.asks`). ``recording(call, name)`` is the file of a call's recording by its name in the database;
    LookupError when there is none below the recordings root; ``ears`` say who hears it as it lies (None: everybody whom
    the call concerns). ``secure``: pages are reached by https, through a proxy
    perhaps. ``origins``: further ``https://host`` the service is known as. ``beat``: seconds between signs of life on
    a socket.
    """

    ledger: Ledger
    reads: Reads
    accounts: Accounts
    audit: Audit
    fanout: Fanout
    now: Callable[[], float]
    voice: Voice | None = None
    recording: Callable[[CallKey, str], Path] = no_recordings
    ears: Ears | None = None
    finding: Finding | None = None  # search, similar tickets, bursts
    callbacks: Callbacks | None = None  # missed callers
    hand: Hand | None = None  # what the PBX does for the desk; None: nothing
    standings: Standings | None = None  # what state agents are in
    phones: Callable[[], Iterable[str]] = tuple  # extensions that are known, to choose one's phone from
    offered: Callable[[CallKey], Awaitable[Sequence[Candidate]]] = nobody_offered  # whom a call's number may be
    card: Callable[[CallKey, str], Awaitable[Json | None]] = no_card  # of a call that is over, for a phone's agent
    outgoing: Outgoing | None = None  # who is told of calls
    privacy: Privacy | None = None  # one person's data
    status: Callable[[], Awaitable[Mapping[str, Any]]] = no_status
    site: str = "hotline"
    zone: ZoneInfo = ZoneInfo("Asia/Shanghai")  # noqa: RUF009 - immutable
    lines: Mapping[str, str] = field(default_factory=dict)  # our numbers and what people call them
    door: Door = field(default_factory=Door)  # what logging in takes beside a password
    secure: bool = False
    shadow: bool = False  # nothing is shown or written: the pages say so
    origins: frozenset[str] = frozenset()
    hasher: PasswordHasher = field(default_factory=PasswordHasher)  # argon2id
    beat: float = 20.0
    rate: Rate = field(default_factory=Rate)  # how much one program may ask

    @property
    def tokens(self) -> Tokens:
        """What programs log in with."""
        return Tokens(self.accounts.db)

    @property
    def hears(self) -> Ears:
        """What people hear of recordings."""
        return self.ears or AsTheyLie(self.recording)


DEPS: web.AppKey[Deps] = web.AppKey("deps", Deps)
HUB: web.AppKey[Hub] = web.AppKey("hub", Hub)
SHARES: web.AppKey[Shares] = web.AppKey("shares", Shares)
ASSETS: web.AppKey[Assets] = web.AppKey("assets", Assets)
