"""What the pages read: frozen rows of tickets and calls, no SQL. Times are epoch seconds."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from storage.crm_ref import CrmRef
from storage.records import AlarmKind, EventKind, Phase, RecordingKind, RecordingRow, TicketLink, TimelineKind, Waiting
from telephony.call import CallKey, Outcome
from tickets.ticket import Reachability, Status, Ticket
from transcription.account import Summary
from transcription.corrections import Correction
from transcription.transcript import Transcript


@dataclass(frozen=True, slots=True)
class TicketFilter:
    """Which tickets; None everywhere means all. ``text`` is looked for in number, caller, customer and title.

    ``numbers`` False: by whoever sees none; of callers' numbers then only the last four digits are looked at, and of
    titles nothing where it asks for digits.
    """

    status: frozenset[Status] | None = None
    line: str | None = None
    owner: str | None = None
    text: str | None = None
    missed: bool = False  # only those to be called back, voicemail too
    customer: str | None = None
    numbers: bool = True


@dataclass(frozen=True, slots=True)
class TicketItem:
    """A ticket in a list. ``reach`` is None while nothing is known yet; ``missed`` counts unanswered calls."""

    ticket: Ticket
    vip: bool
    reach: Reachability | None
    missed: int
    version: int


@dataclass(frozen=True, slots=True)
class TicketList:
    """One page of a list; ``cursor`` asks for the next, None at the end."""

    items: tuple[TicketItem, ...]
    cursor: str | None


@dataclass(frozen=True, slots=True)
class Talker:
    """Who talked with the caller, and at which phone; ``login`` None: nobody wrote down who sat there."""

    extension: str
    login: str | None
    name: str | None

    def __str__(self) -> str:
        return f"{self.name or self.login} {self.extension}" if self.login else self.extension


@dataclass(frozen=True, slots=True)
class CallItem:
    """A call in a list. ``agents`` are those who talked, by first talk, ``talkers`` the same; ``duration`` seconds."""

    key: CallKey
    caller: str | None
    e164: str | None
    region: str | None
    line: str
    phase: Phase
    arrived: float
    answered: float | None
    ended: float | None
    duration: float | None
    outcome: Outcome | None
    customer_id: str | None
    customer_name: str | None
    vip: bool
    ticket: TicketLink | None
    agents: tuple[str, ...]
    recorded: bool
    waiting: Waiting | None
    said: float | None
    talkers: tuple[Talker, ...] = ()

    @property
    def names(self) -> dict[str, str]:
        """Names of who talked, by extension, where somebody sat there."""
        return {one.extension: one.name for one in self.talkers if one.name}

    def is_of(self, login: str, own: str | None) -> bool:
        """Whether a login talked in it; ``own`` phone: for calls of which nobody knows who sat there."""
        return any(one.login == login or (one.login is None and one.extension == own) for one in self.talkers)


@dataclass(frozen=True, slots=True)
class TimelineItem:
    """Something that happened to a ticket; ``who`` None: the machine."""

    at: float
    kind: TimelineKind
    who: str | None
    call: CallKey | None
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class TicketPage:
    """A ticket whole. ``typed``: the fields whose value is a person's and not the machine's. Calls newest first.

    ``crm``: how it stands in the CRM, None where it was never to be there.
    """

    item: TicketItem
    typed: frozenset[str]
    summary: Summary | None
    calls: tuple[CallItem, ...]
    timeline: tuple[TimelineItem, ...]
    crm: CrmRef | None = None


@dataclass(frozen=True, slots=True)
class CallEvent:
    """Something that happened to a call; ``subject`` the agent or queue, empty for the call as a whole."""

    at: float
    kind: EventKind
    subject: str
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something people should look at."""

    kind: AlarmKind
    detail: str | None
    at: float


@dataclass(frozen=True, slots=True)
class Listen:
    """Somebody heard the recording."""

    who: str
    at: float


@dataclass(frozen=True, slots=True)
class CallPage:
    """A call whole. ``summary``: as people have it, their ``corrections`` laid over the machine's."""

    item: CallItem
    dialled: str
    caller_name: str | None
    events: tuple[CallEvent, ...]
    recordings: tuple[RecordingRow, ...]
    transcript: Transcript | None
    summary: Summary | None
    alarms: tuple[Alarm, ...]
    listens: tuple[Listen, ...]
    machine: Summary | None = None  # the summary before people corrected it
    corrections: tuple[Correction, ...] = ()
    corrected: int = 0  # the number of the last correction
    polished: Mapping[str, Any] | None = None  # a language model's sentences that the turns bear out

    @property
    def spoken(self) -> RecordingRow | None:
        """The recording whose words are written down; None when there is none with its sound.

        Of a call that ended in voicemail the message: the rest is music. Else the recording with both legs, the
        longest of several.
        """
        kind = RecordingKind.VOICEMAIL if self.item.outcome is Outcome.VOICEMAIL else RecordingKind.CALL
        heard = [row for row in self.recordings if row.deleted is None]
        return max(
            heard,
            key=lambda row: (row.kind is kind, row.rx is not None and row.tx is not None, row.seconds or 0.0),
            default=None,
        )
