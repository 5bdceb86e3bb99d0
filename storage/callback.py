"""A number to be called back: what it is, and how far it has come. Frozen rows, no SQL. Times are epoch seconds."""

from dataclasses import dataclass
from enum import StrEnum

from telephony.call import CallKey, Outcome

LEASE = 600.0  # seconds that a row is one agent's


class CallbackState(StrEnum):
    """How far it has come."""

    WAITING = "waiting"
    CALLING = "calling"  # somebody took it
    REACHED = "reached"  # somebody spoke with the number since
    NOT_REACHED = "not_reached"  # it was called, in vain: to be tried again
    DONE = "done"  # a person closed it


OPEN = (CallbackState.WAITING.value, CallbackState.CALLING.value, CallbackState.NOT_REACHED.value)
"""What is on the list."""


class Result(StrEnum):
    """What became of a try."""

    NO_ANSWER = "no_answer"
    BUSY = "busy"
    FAILED = "failed"  # no such number, no free line


@dataclass(frozen=True, slots=True)
class Callback:
    """One number on one line. ``first`` and ``last``: when the missed calls ended, ``call`` the last of them.

    ``taken_by``: the login that works on it, until ``taken_until``.
    """

    id: int
    state: CallbackState
    number: str  # E.164
    line: str
    region: str | None
    customer_id: str | None
    customer_name: str | None
    vip: bool
    ticket: tuple[int, str] | None
    call: CallKey
    outcome: Outcome
    count: int
    first: float
    last: float
    taken_by: str | None
    taken_name: str | None
    taken_until: float | None
    tries: int
    tried: float | None
    result: Result | None


@dataclass(frozen=True, slots=True)
class CallbackPage:
    """A part of the list; ``waiting``: how many nobody has taken, in all; ``cursor`` asks for the next part."""

    items: tuple[Callback, ...]
    waiting: int
    cursor: str | None


class UnknownCallbackError(LookupError):
    """There is no such row."""


class CallbackError(Exception):
    """It cannot be done with this row now. ``by``: who has it."""

    def __init__(self, text: str, by: str | None = None) -> None:
        super().__init__(text)
        self.by = by
