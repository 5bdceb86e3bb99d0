"""What is told of a call to whoever wants to hear of calls: a help desk with its own call list, a webhook. Pure.

A push is a courtesy beside the calls: it never holds one up, and it may come late. It is told in order, and under an id
that stays the same however often it is sent, so that a receiver can tell a repeat. Who sends, keeps and repeats is
:mod:`hotline.pushing`; how it is written down is a :class:`Format`'s.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol


class What(StrEnum):
    """What happened to a call. All but the first two may happen several times."""

    ARRIVED = "arrived"  # and is no forgery
    IDENTIFIED = "identified"  # the customer is known
    ANSWERED = "answered"
    ENDED = "ended"
    RECORDED = "recorded"
    SUMMARISED = "summarised"


class Ending(StrEnum):
    """How it ended for the caller; ``LOST``: nobody saw it, and it may be told again once it is known."""

    ANSWERED = "answered"
    ABANDONED = "abandoned"
    VOICEMAIL = "voicemail"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Told:
    """The call, as it is known when it is told. ``call``: ``pbx:linkedid``. ``line``: the 400 number.

    ``caller``: E.164, or as it arrived where it has none; None: withheld. ``customer``: id and name. ``link``: where
    people see the call.
    """

    site: str
    call: str
    line: str
    caller: str | None
    arrived: float
    customer: tuple[str, str] | None = None
    vip: bool = False
    ticket: str | None = None
    link: str | None = None


@dataclass(frozen=True, slots=True)
class Happening:
    """Something happened to a call. ``name``: what tells it from the call's others. ``at``: epoch seconds, if known.

    ``agent``, ``agent_name``: who answered, or talked last when it ended. ``detail``: what else, as JSON.
    """

    name: str
    what: What
    at: float | None
    call: Told
    agent: str | None = None
    agent_name: str | None = None
    queue: str | None = None
    ending: Ending | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent, by POST."""

    body: bytes
    headers: Mapping[str, str]


class Format(Protocol):
    """How a receiver wants to be told."""

    def name_of(self, happening: Happening) -> str | None:
        """Under which name it is remembered that this call's happening was told; None: it is not told at all."""
        ...

    def message(self, happening: Happening, now: float) -> Message:
        """What to send. ``now``: epoch seconds."""
        ...

    def heard_before(self, happening: Happening, status: int, text: str, *, doubtful: bool) -> bool:
        """Whether an answer that is no success means that it was told before, as far as can be seen.

        ``doubtful``: an answer was lost before. Until a later happening of the call is taken it is told again.
        """
        ...
