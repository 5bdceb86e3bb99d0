"""A ticket and its legal moves."""

from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """Where a ticket stands: 受理, 处理中, 解决, 关闭."""

    ACCEPTED = "accepted"
    WORKING = "working"
    SOLVED = "solved"
    CLOSED = "closed"

    @property
    def open(self) -> bool:
        """Whether a new call about the same matter joins it."""
        return self in (Status.ACCEPTED, Status.WORKING)


MOVES: dict[Status, frozenset[Status]] = {
    Status.ACCEPTED: frozenset({Status.WORKING, Status.SOLVED, Status.CLOSED}),
    Status.WORKING: frozenset({Status.SOLVED, Status.CLOSED}),
    Status.SOLVED: frozenset({Status.WORKING, Status.CLOSED}),
    Status.CLOSED: frozenset(),
}


class Reachability(StrEnum):
    """Whether somebody spoke with the caller yet."""

    ANSWERED = "answered"
    MISSED = "missed"  # abandoned, lost: to be called back
    VOICEMAIL = "voicemail"


@dataclass(frozen=True, slots=True)
class Ticket:
    """What is kept of one matter. Times are epoch seconds; ``number`` is what people say aloud (20261121-0007)."""

    id: int
    number: str
    status: Status
    line: str  # our 400 number
    title: str
    caller: str | None  # E.164, or the digits as they came, None when withheld
    customer_id: str | None
    customer_name: str | None
    category: str | None
    urgency: str | None
    owner: str | None  # login of the agent it belongs to
    opened: float
    changed: float
    calls: int = 1
