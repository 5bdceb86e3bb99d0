"""Records of a CRM that we keep or read there: customers' tickets, notes, and what changed. Pure.

They are part of the connectors' contract and offered by :mod:`crm.connector`. Times are epoch seconds on the CRM's
clock.
"""

from dataclasses import dataclass
from enum import StrEnum

from crm.customer import Customer


class Status(StrEnum):
    """A ticket's status in our words; ``UNKNOWN`` where the mapping has none for theirs: shown, never guessed."""

    ACCEPTED = "accepted"
    WORKING = "working"
    SOLVED = "solved"
    CLOSED = "closed"
    UNKNOWN = "unknown"


class Of(StrEnum):
    """What kind of record."""

    CUSTOMER = "customer"
    TICKET = "ticket"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Ref:
    """One record of the CRM. ``version`` is what it says of itself (an ETag, a timestamp); None where it has none."""

    of: Of
    id: str
    version: str | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """A ticket in the CRM. ``said``: their own word for the status."""

    ref: Ref
    title: str
    status: Status
    said: str
    owner: str | None = None
    customer_id: str | None = None
    updated: float | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """A call on a customer's timeline: one entry, written again as more is known. ``links``: (text, URL)."""

    key: str
    customer_id: str
    title: str
    paragraphs: tuple[str, ...]
    links: tuple[tuple[str, str], ...] = ()
    ticket_id: str | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """A ticket to be made there."""

    key: str
    customer_id: str | None
    title: str
    body: str
    status: Status = Status.ACCEPTED
    urgency: str | None = None  # 高 中 低
    links: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Seen:
    """A note or ticket as it stands there. ``text``: a note's words, plain; empty where somebody has emptied it."""

    ref: Ref
    customer_id: str | None = None
    text: str = ""
    item: Item | None = None  # a ticket's


@dataclass(frozen=True, slots=True)
class Change:
    """A record is another than before. ``gone``: deleted, or ``merged`` into that id."""

    ref: Ref
    at: float | None
    customer: Customer | None = None
    item: Item | None = None
    gone: bool = False
    merged: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Changes since a cursor: repeats are possible, gaps are not. ``more``: ask again at once."""

    changes: tuple[Change, ...]
    cursor: str
    more: bool = False
