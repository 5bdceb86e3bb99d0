"""Calls and the facts about them.

A call is one inbound conversation on one of our 400 numbers, from the carrier channel's arrival to its hang-up,
through IVR, queues, holds and transfers. Its key is ``pbx:linkedid``. Everything that happens to it is told as
facts, in order; nothing but :class:`Recorded` follows :class:`Ended`.

Times (``at``) are epoch seconds on the PBX's clock; None where the stream carries no ``Timestamp``.
Agents are extensions ("1001").
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from telephony.routing import RouteReason


class CallKey(NamedTuple):
    """Which call: the PBX's configured name and the carrier channel's Linkedid."""

    pbx: str
    linkedid: str

    def __str__(self) -> str:
        return f"{self.pbx}:{self.linkedid}"

    @classmethod
    def parse(cls, text: str) -> "CallKey":
        """The key of ``pbx:linkedid``; ValueError when there is no colon."""
        pbx, colon, linkedid = text.partition(":")
        if not colon or not pbx or not linkedid:
            raise ValueError(f"not a call key: {text!r}")
        return cls(pbx, linkedid)


class Outcome(StrEnum):
    """How a call ended for the caller."""

    ANSWERED = "answered"
    ABANDONED = "abandoned"
    VOICEMAIL = "voicemail"
    LOST = "lost"  # the PBX went away or forgot it


class Over(StrEnum):
    """Why a call is over for one agent; also why the card was withdrawn."""

    ANSWERED_ELSEWHERE = "answered_elsewhere"
    GAVE_UP = "gave_up"
    NO_ANSWER = "no_answer"
    REJECTED = "rejected"
    TRANSFERRED = "transferred"
    ENDED = "ended"
    LOST = "lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """Something that happened to one call."""

    call: CallKey
    at: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived(Fact):
    """A carrier's channel rang one of our numbers: ``number``, the 400 number. ``caller`` verbatim, None: withheld."""

    caller: str | None
    caller_name: str | None
    number: str
    dialled: str  # what the carrier sent: the 400 number, a +86 form, or the landing number


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmed(Fact):
    """A second, fitting event was seen on the caller's channel: the call is no forgery, a ticket may be made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Queued(Fact):
    """The caller entered a queue."""

    queue: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rang(Fact):
    """An agent's phone began to ring for this call."""

    agent: str
    queue: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped(Fact):
    """An agent's phone stopped ringing without that agent talking."""

    agent: str
    why: Over


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered(Fact):
    """An agent talks with the caller from now on: from a queue, or after a transfer (``queue`` None)."""

    agent: str
    queue: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Left(Fact):
    """An agent who talked does not any more."""

    agent: str
    why: Over


@dataclass(frozen=True, slots=True, kw_only=True)
class Held(Fact):
    """An agent put the caller on hold."""

    agent: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumed(Fact):
    """An agent took the caller back from hold."""

    agent: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded(Fact):
    """The PBX told of a recording: its names (untrusted, below the recordings root) or, with ``stopped``, its end."""

    files: tuple[str, ...] = ()
    stopped: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftMessage(Fact):
    """The caller spoke to voicemail. ``file`` is untrusted, below the recordings root; None when not told."""

    file: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Routed(Fact):
    """The dialplan asked where this call shall go, and was told. Not the tracker's: ``at`` is our own clock's."""

    reason: RouteReason
    queue: str | None
    agent: str | None  # whose phone is to be tried before the queue
    priority: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended(Fact):
    """The caller's channel is gone."""

    outcome: Outcome
