"""What every CRM must be able to do for us, what some can do besides, and how a missing ability is told.

Answers of :meth:`Connector.find` are candidates only: :mod:`crm.matching` re-normalises and decides. Errors are those
of :mod:`crm.trouble`. Times are epoch seconds on the CRM's clock. Texts go out plain; a connector makes HTML of them
where its system wants that, escaped.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Flag, StrEnum, auto
from pathlib import Path
from typing import Any, Protocol

from crm.customer import Customer
from crm.records import Change, Draft, Item, Note, Of, Page, Ref, Seen, Status
from crm.trouble import UnsupportedError
from numbering.number import Number


class Can(Flag):
    """What a connector can do. ``find`` and ``health`` every one must."""

    FIND = auto()
    GET = auto()  # get: one customer by id
    ITEMS = auto()  # items: the customer's open tickets there
    NOTE = auto()  # keep_note: the call on the customer's timeline
    TICKET = auto()  # create_ticket, set_status, read_ticket, add_comment
    FEED = auto()  # changes: what changed since a cursor
    LOAD = auto()  # load: every customer, page by page
    DESCRIBE = auto()  # describe: the live schema
    PUSH = auto()  # take_push: its webhooks
    SURVEY = auto()  # survey: records of ours as they stand there, many at once


class Once(StrEnum):
    """How a second create with the same key is kept from making a second record."""

    NATIVE = "native"  # the system upserts by our key
    UNIQUE_KEY = "unique_key"  # the system refuses the second
    MARKER = "marker"  # the key stands in a field that can be searched: one writer at a time, looked up before
    NONE = "none"


class Feed(StrEnum):
    """What its list of changes can be trusted with."""

    MONOTONE_ID = "monotone_id"
    MTIME = "mtime"  # needs an overlap: times are those of a transaction's start
    FULL_ONLY = "full_only"


@dataclass(frozen=True, slots=True)
class Traits:
    """What the core must know of a system to plan.

    ``once``: where kinds of records differ, the weaker. ``overlap``: seconds of feed that the connector reads again.
    ``longest``: characters that a text may have there, by our name of it (``title``, ``phone``).
    """

    once: Once = Once.NONE
    feed: Feed = Feed.FULL_ONLY
    overlap: float = 120.0
    connections: int = 4
    reads_back: bool = False  # a write's success must be confirmed by reading: the connector does
    notes_on_tickets: bool = False  # a note stands on the call's ticket: it is written when that is there
    longest: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Health:
    """That the CRM answers us: its version in its own words, its clock minus ours in seconds where it tells."""

    version: str
    skew: float | None = None


@dataclass(frozen=True, slots=True)
class FieldInfo:
    """A field of a live schema."""

    kind: str
    longest: int | None = None
    choices: tuple[str, ...] = ()


Schema = Mapping[str, Mapping[str, FieldInfo]]  # object -> field -> what it is


@dataclass(frozen=True, slots=True)
class Context:
    """What a connector gets beside its own settings.

    ``secret``: the value of an environment variable that the settings name; LookupError where it is not set. ``base``:
    the folder that relative paths in the settings start from. ``clock``: epoch seconds. ``area``: the area code of
    numbers written locally in the CRM ("0755"), None where there is none. ``mapping``: what the file that ``[crm]
    mapping`` names holds, read by :mod:`crm.fieldmap`; empty without one.
    """

    secret: Callable[[str], str]
    base: Path
    clock: Callable[[], float]
    area: str | None = None
    mapping: Mapping[str, Any] = field(default_factory=dict)


class Connector(Protocol):
    """A CRM. Every method raises one of :mod:`crm.trouble`'s errors and no other."""

    @property
    def name(self) -> str:
        """What errors and pages call it."""
        ...

    @property
    def can(self) -> Can:
        """What it can do, as far as is known by now."""
        ...

    @property
    def traits(self) -> Traits:
        """What the core must know of it."""
        ...

    async def health(self) -> Health:
        """A cheap question that needs our credentials."""
        ...

    async def find(self, number: Number) -> Sequence[Customer]:
        """Every customer that may own ``number`` (any extension), with all raw numbers; empty when there is none."""
        ...

    async def get(self, customer_id: str) -> Customer | None:
        """The customer of that id; None when there is none (any more)."""
        ...

    async def items(self, customer_id: str, limit: int = 5) -> Sequence[Item]:
        """The customer's open tickets there, those changed last first."""
        ...

    async def keep_note(self, note: Note, known: Ref | None) -> Ref:
        """Write the note of ``note.key``: over ``known`` where it stands already, anew otherwise."""
        ...

    async def create_ticket(self, draft: Draft) -> Ref:
        """Make a ticket. Of a key that is there already: its ticket, nothing is made."""
        ...

    async def set_status(self, ticket: Ref, status: Status) -> Ref:
        """Set the status; ConflictError when ``ticket.version`` is not None and the ticket has changed since."""
        ...

    async def add_comment(self, ticket: Ref, text: str, key: str) -> None:
        """Add an internal comment; once for a key, as far as ``traits.once`` reaches."""
        ...

    async def read_ticket(self, ticket_id: str) -> Item | None:
        """The ticket as it is now; None when there is none (any more)."""
        ...

    async def by_key(self, of: Of, key: str) -> Ref | None:
        """The record that was made with our key: asked when the outcome of a write is unknown."""
        ...

    async def changes(self, of: Of, cursor: str | None) -> Page:
        """What changed since a cursor that an earlier page gave; None: nothing yet, only the cursor of now."""
        ...

    def load(self, after: str | None = None) -> AsyncIterator[tuple[Sequence[Customer], str]]:
        """Every customer, some at a time, each with the place to go on from (``after``) should it be broken off."""
        ...

    async def survey(self, of: Of, ids: Sequence[str]) -> Sequence[Seen]:
        """The notes or tickets of these ids (a hundred at most) as they stand there; those that are gone left out."""
        ...

    async def describe(self) -> Schema:
        """The live schema, as far as a mapping can name it."""
        ...

    async def take_push(self, headers: Mapping[str, str], body: bytes) -> Sequence[Change]:
        """The changes its webhook brought; AuthError when the signature is wrong. Header names in lower case."""
        ...

    def url_of(self, ref: Ref) -> str | None:
        """Where people see the record in a browser; None where nobody knows."""
        ...

    async def close(self) -> None:
        """Let go of connections. Raises nothing."""
        ...


class Unable:
    """A base for connectors: what one does not do it refuses, by UnsupportedError; ``can`` says so beforehand."""

    name = "unable"
    can = Can(0)
    traits = Traits()

    async def health(self) -> Health:
        """Refused."""
        raise self._refusal("tell how it is")

    async def find(self, number: Number) -> Sequence[Customer]:
        """Refused."""
        raise self._refusal("find a customer by number", number)

    async def get(self, customer_id: str) -> Customer | None:
        """Refused."""
        raise self._refusal("get a customer by id", customer_id)

    async def items(self, customer_id: str, limit: int = 5) -> Sequence[Item]:
        """Refused."""
        raise self._refusal("list a customer's tickets", customer_id, limit)

    async def keep_note(self, note: Note, known: Ref | None) -> Ref:
        """Refused."""
        raise self._refusal("keep a call note", note, known)

    async def create_ticket(self, draft: Draft) -> Ref:
        """Refused."""
        raise self._refusal("make a ticket", draft)

    async def set_status(self, ticket: Ref, status: Status) -> Ref:
        """Refused."""
        raise self._refusal("set a ticket's status", ticket, status)

    async def add_comment(self, ticket: Ref, text: str, key: str) -> None:
        """Refused."""
        raise self._refusal("comment on a ticket", ticket, text, key)

    async def read_ticket(self, ticket_id: str) -> Item | None:
        """Refused."""
        raise self._refusal("read a ticket", ticket_id)

    async def by_key(self, of: Of, key: str) -> Ref | None:
        """Refused."""
        raise self._refusal("find a record by our key", of, key)

    async def changes(self, of: Of, cursor: str | None) -> Page:
        """Refused."""
        raise self._refusal("list changes", of, cursor)

    def load(self, after: str | None = None) -> AsyncIterator[tuple[Sequence[Customer], str]]:
        """Refused, at the call already."""
        raise self._refusal("list every customer", after)

    async def survey(self, of: Of, ids: Sequence[str]) -> Sequence[Seen]:
        """Refused."""
        raise self._refusal("show many records at once", of, ids)

    async def describe(self) -> Schema:
        """Refused."""
        raise self._refusal("describe its fields")

    async def take_push(self, headers: Mapping[str, str], body: bytes) -> Sequence[Change]:
        """Refused."""
        raise self._refusal("take a webhook", headers, body)

    def url_of(self, ref: Ref) -> str | None:  # noqa: ARG002 - nobody knows
        """None."""
        return None

    async def close(self) -> None:
        """Nothing to let go of."""

    def _refusal(self, what: str, *_asked: object) -> UnsupportedError:
        return UnsupportedError(f"{self.name} cannot {what}")


__all__ = [
    "Can",
    "Change",
    "Connector",
    "Context",
    "Draft",
    "Feed",
    "FieldInfo",
    "Health",
    "Item",
    "Note",
    "Of",
    "Once",
    "Page",
    "Ref",
    "Schema",
    "Seen",
    "Status",
    "Traits",
    "Unable",
]
