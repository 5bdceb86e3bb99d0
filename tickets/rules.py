"""Which ticket a call belongs to: one that is still open, or a new one.

Only tickets that are open (受理, 处理中) on the same line are joined. The same customer outranks the same number;
among equals the one something happened on last. A solved or closed ticket is never woken up by a call: whether the
old matter is back is for a person to say. A withheld or unusable number joins nothing by itself, or strangers would
meet on one ticket; nor does a number shared by two known customers (a company's switchboard) join one's call to the
other's ticket.

Must not know what a call, a database or a PBX is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from tickets.ticket import Ticket


@dataclass(frozen=True, slots=True)
class Incoming:
    """A call that needs a ticket. ``caller`` is E.164, None when there is nothing to recognise the caller by."""

    line: str
    caller: str | None
    customer_id: str | None
    now: float


@dataclass(frozen=True, slots=True)
class LinePolicy:
    """What a line's owner wants: whether calls join open tickets, and for how long after its last activity (seconds).

    ``join_window_s`` None: as long as the ticket is open.
    """

    join_open: bool = True
    join_window_s: float | None = None


class JoinReason(StrEnum):
    """Why a call was put on a ticket that was there."""

    CUSTOMER = "same_customer"
    NUMBER = "same_number"


class OpenReason(StrEnum):
    """Why a call got a ticket of its own."""

    FIRST = "first"  # nothing open of this caller on this line
    POLICY = "policy"  # the line opens a ticket for every call
    WITHHELD = "withheld"  # nothing to recognise the caller by
    STALE = "stale"  # what is open rests for longer than the line's window
    SPLIT = "split"  # a person said so


@dataclass(frozen=True, slots=True)
class Join:
    """The call joins this ticket."""

    ticket_id: int
    reason: JoinReason


@dataclass(frozen=True, slots=True)
class Open:
    """The call opens a ticket."""

    reason: OpenReason


def place(incoming: Incoming, open_tickets: Sequence[Ticket], policy: LinePolicy) -> Join | Open:
    """Where the call goes. Tickets that do not concern it may be among ``open_tickets``; they are passed over."""
    if not policy.join_open:
        return Open(OpenReason.POLICY)
    if incoming.caller is None:
        return Open(OpenReason.WITHHELD)
    fitting = [
        (ticket, reason)
        for ticket in open_tickets
        if ticket.status.open and ticket.line == incoming.line and (reason := _same(incoming, ticket))
    ]
    if not fitting:
        return Open(OpenReason.FIRST)
    fresh = [(ticket, reason) for ticket, reason in fitting if _fresh(ticket, incoming.now, policy.join_window_s)]
    if not fresh:
        return Open(OpenReason.STALE)
    ticket, reason = max(fresh, key=lambda it: (it[1] is JoinReason.CUSTOMER, it[0].changed, it[0].id))
    return Join(ticket.id, reason)


def _same(incoming: Incoming, ticket: Ticket) -> JoinReason | None:
    if incoming.customer_id is not None and incoming.customer_id == ticket.customer_id:
        return JoinReason.CUSTOMER
    two_customers = incoming.customer_id is not None and ticket.customer_id is not None
    if incoming.caller is not None and incoming.caller == ticket.caller and not two_customers:
        return JoinReason.NUMBER
    return None


def _fresh(ticket: Ticket, now: float, window: float | None) -> bool:
    """A clock that went back makes a ticket younger than nothing: it is still fresh."""
    return window is None or now - ticket.changed <= window
