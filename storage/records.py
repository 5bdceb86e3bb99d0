"""What goes into the ledger and what comes back: frozen rows, no SQL.

Times are epoch seconds. Paths of recordings are relative to the recordings root.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from numbering.number import Number
from telephony.call import Fact, Outcome
from tickets.rules import LinePolicy


@dataclass(frozen=True, slots=True)
class Known:
    """Who the caller was found to be."""

    customer_id: str
    customer_name: str
    vip: bool = False


@dataclass(frozen=True, slots=True)
class NewJob:
    """Work to be done later. ``kind`` and ``key`` together make a repeat harmless. ``payload`` is JSON.

    ``again``: work that brings something in line with what is known when it runs, wanted anew. Where its job is over
    it is ready again, with this payload; where it runs, it runs once more after that; where it rests, it rests on.
    """

    kind: str
    key: str
    payload: Mapping[str, Any] = field(default_factory=dict)
    not_before: float = 0.0
    again: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """A fact as it goes into the ledger.

    ``number`` is used with Arrived; ``known`` fills an unknown customer; ``jobs`` are added if the fact is new;
    ``policy`` is the line's, for a call that needs a ticket.
    """

    fact: Fact
    now: float
    number: Number | None = None
    known: Known | None = None
    jobs: Sequence[NewJob] = ()
    policy: LinePolicy = field(default_factory=LinePolicy)


@dataclass(frozen=True, slots=True)
class TicketLink:
    """The ticket a call is on; ``joined``: it was there before the call."""

    id: int
    number: str
    joined: bool


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of a fact: the call's ticket if it has one by now, and whether the fact was ``new``.

    ``callbacks``: whether the list of missed callers is another one now.
    """

    ticket: TicketLink | None
    new: bool
    callbacks: bool = False


class RecordingKind(StrEnum):
    """What was recorded."""

    CALL = "call"  # the whole call, as long as the PBX recorded
    VOICEMAIL = "voicemail"  # the message the caller left


@dataclass(frozen=True, slots=True)
class RecordingRow:
    """A recording of a call: the caller's leg, the agent's leg, both mixed. At least one of them. Length in seconds.

    ``began``: epoch seconds of its first sample, on the PBX's clock. ``deleted``: when its sound was deleted by policy.
    """

    rx: str | None
    tx: str | None
    mix: str | None
    seconds: float | None
    repaired: bool = False
    kind: RecordingKind = RecordingKind.CALL
    began: float | None = None
    deleted: float | None = None

    @property
    def name(self) -> str:
        """What makes it the same recording when it is linked again."""
        name = self.mix or self.rx or self.tx
        if name is None:
            raise ValueError("a recording without a file")
        return name


@dataclass(frozen=True, slots=True)
class FoundTalk:
    """An agent spoke with the caller between these moments; ``queue``: where the caller came from."""

    agent: str
    begins: float
    ends: float
    queue: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """What was found out later about a call whose end nobody saw. ``source`` says where: ``cdr`` or ``events``."""

    outcome: Outcome
    ended: float
    talks: tuple[FoundTalk, ...] = ()
    source: str = "cdr"


class Phase(StrEnum):
    """How far a call has come."""

    ARRIVED = "arrived"
    QUEUED = "queued"
    RINGING = "ringing"
    TALKING = "talking"
    HELD = "held"
    VOICEMAIL = "voicemail"
    ENDED = "ended"


class EventKind(StrEnum):
    """Kinds of events of a call, as facts name them."""

    ARRIVED = "arrived"
    CONFIRMED = "confirmed"
    QUEUED = "queued"
    RANG = "rang"
    STOPPED = "stopped"
    ANSWERED = "answered"
    LEFT = "left"
    HELD = "held"
    RESUMED = "resumed"
    RECORDED = "recorded"
    LEFT_MESSAGE = "left_message"
    ROUTED = "routed"
    ENDED = "ended"
    COMPLETED = "completed"  # written from the PBX's own records, not from what was heard


class AlarmKind(StrEnum):
    """What is wrong with a call's recording or transcript; people should look."""

    MISSING = "recording_missing"
    SILENT = "recording_silent"
    ONE_SIDED = "recording_one_sided"
    EMPTY = "recording_empty"
    UNREADABLE = "recording_unreadable"
    TRUNCATED = "recording_truncated"
    ORPHAN = "recording_orphan"
    FAINT = "recording_faint"
    CLIPPED = "recording_clipped"
    TRANSCRIPTION = "transcription_failed"


class Waiting(StrEnum):
    """What a call's transcript waits for."""

    MODEL = "model"
    RECORDING = "recording"


class TimelineKind(StrEnum):
    """What happened to a ticket."""

    OPENED = "opened"
    JOINED = "joined"
    SPLIT = "split"  # a call left for a ticket of its own
    CUSTOMER = "customer"
    CHOSEN = "chosen"  # a person said who the caller is; detail: id, name
    UNCHOSEN = "unchosen"  # and took it back
    OWNER = "owner"
    ENDED = "ended"  # a call was over; detail: outcome
    COMPLETED = "completed"  # a call nobody heard the end of was found in the PBX's own records
    RECORDING = "recording"
    SAID = "said"
    ALARM = "alarm"
    MOVED = "moved"
    EDITED = "edited"
    CORRECTED = "corrected"  # a person corrected a call's summary
    NOTED = "noted"
    CALLBACK = "callback"  # a missed caller was called back, or is not to be any more; detail: state, result, text
    CRM = "crm"  # people did something to the ticket's record in the CRM
