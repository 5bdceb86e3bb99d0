"""What a mapping file says of an API: which questions there are, what goes in, where the answers stand. Pure.

Common to APIs of JSON (:mod:`crm.rest_plan`) and of SOAP (:mod:`crm.soap_plan`). A placeholder ``{name}`` stands for a
value; each question knows its own. One that is all of a text becomes the value itself, nothing where there is none.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, ClassVar, Generic, Literal, Self, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from crm.connector import Can, Feed, Once
from crm.fieldmap import MappingError, Path

PLACEHOLDER = re.compile(r"\{(\w+)\}")
TERMS = frozenset({"e164", "digits", "national", "dialled", "last8", "ext"})
_NOTE = frozenset({"key", "customer", "title", "body", "html", "ticket"})
_KNOWN: Mapping[str, frozenset[str]] = {
    "health": frozenset(),
    "find": TERMS,
    "get": frozenset({"id"}),
    "items": frozenset({"customer", "limit"}),
    "load": frozenset({"after"}),
    "note": _NOTE,
    "note_update": _NOTE | {"id"},
    "note_by_key": frozenset({"key"}),
    "ticket": frozenset({"key", "customer", "title", "body", "html", "status", "urgency"}),
    "ticket_by_key": frozenset({"key"}),
    "read_ticket": frozenset({"id"}),
    "set_status": frozenset({"id", "status", "version"}),
    "comment": frozenset({"id", "text", "html", "key"}),
    "customer_changes": frozenset({"since", "since_iso", "after"}),
    "ticket_changes": frozenset({"since", "since_iso", "after"}),
}

Values = Mapping[str, str | None]


class Table(BaseModel):
    """A table of the file: unknown keys are faults."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Ask(Table):
    """One question. ``records``: where the record or records stand in the answer; ``id``: where a new one's id does.

    Of lists that come in pages, ``paging`` says what ``{after}`` is: a text at ``next`` in the answer before, the
    page's number from 1, or the last record's id.
    """

    records: Path = ""
    may_lack: bool = False  # the API leaves the records out where there are none
    id: Path = "id"
    version: Path = ""
    paging: Literal["none", "next", "page", "last_id"] = "none"
    next: Path = ""
    updated: Path = ""  # changes: when
    gone: Path = ""  # changes: something stands here in a record that was deleted
    merged: Path = ""  # changes: the id that it was merged into

    @model_validator(mode="after")
    def _pages_are_told(self) -> Self:
        if (self.paging == "next") != bool(self.next):
            raise ValueError('next goes with paging = "next", and only with it')
        return self

    def placeholders(self) -> Iterator[str]:
        """Every name that a value is wanted for."""
        for text in self.texts():
            yield from PLACEHOLDER.findall(text)

    def texts(self) -> Iterator[str]:
        """Every text that placeholders may stand in."""
        raise NotImplementedError


class ErrorRule(Table):
    """For APIs that answer 200 with an error inside: where the code stands, and which codes mean what."""

    code: Path
    ok: tuple[str, ...] = ("0", "true", "success")
    text: Path = ""
    auth: tuple[str, ...] = ()
    busy: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


class PushRule(Table):
    """A webhook of theirs, JSON. ``customer``, ``ticket``: where the ids of those that changed stand in it.

    ``signature``: the header with the HMAC-SHA256 of its body, in hexadecimal or base64. ``secret_env``: the
    environment variable with its key.
    """

    customer: Path = ""
    ticket: Path = ""
    signature: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]*$")] = ""
    secret_env: str = ""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.customer and not self.ticket:
            raise ValueError("customer or ticket: where the id stands")
        if bool(self.signature) != bool(self.secret_env):
            raise ValueError("signature and secret_env go together")
        return self


A = TypeVar("A", bound=Ask)


def _one_or_more(value: Any) -> Any:
    return [value] if isinstance(value, Mapping) else value


class Plan(Table, Generic[A]):
    """Everything that is asked. What is not there the API cannot do.

    ``once``, ``feed``, ``overlap``, ``reads_back``, ``longest``: :class:`crm.connector.Traits`. A subclass says by
    ``NAME`` what its table is called, and by ``MORE`` which placeholders all its questions know.
    """

    NAME: ClassVar[str]
    MORE: ClassVar[frozenset[str]] = frozenset()

    health: A
    find: Annotated[tuple[A, ...], BeforeValidator(_one_or_more)]  # all are asked, what they find is put together
    get: A | None = None
    items: A | None = None
    load: A | None = None
    note: A | None = None
    note_update: A | None = None
    note_by_key: A | None = None
    ticket: A | None = None
    ticket_by_key: A | None = None
    read_ticket: A | None = None
    set_status: A | None = None
    comment: A | None = None
    customer_changes: A | None = None
    ticket_changes: A | None = None
    error: ErrorRule | None = None
    push: PushRule | None = None
    customer_url: str = ""
    ticket_url: str = ""
    once: Once = Once.NONE
    feed: Feed = Feed.MTIME
    overlap: Annotated[float, Field(ge=0, le=86400)] = 120.0
    reads_back: bool = False
    longest: Mapping[str, Annotated[int, Field(ge=10)]] = Field(default_factory=dict)

    @classmethod
    def read(cls, given: Mapping[str, Any]) -> Self:
        """The plan of a mapping's table. Raises MappingError with every fault."""
        try:
            plan = cls.model_validate(dict(given))
        except ValidationError as error:
            told = [f"{cls.NAME}.{'.'.join(map(str, item['loc']))}: {_said(item)}" for item in error.errors()]
            raise MappingError("; ".join(told)) from error
        if faults := plan.faults():
            raise MappingError("; ".join(faults))
        return plan

    def push_key(self, secret: Callable[[str], str]) -> bytes | None:
        """The key that their webhooks are signed with. Raises what ``secret`` raises where it is not set."""
        return secret(self.push.secret_env).encode() if self.push is not None and self.push.secret_env else None

    @property
    def can(self) -> Can:
        """What the API can do by this plan."""
        can = Can.FIND
        for ability, needs in (
            (Can.GET, self.get),
            (Can.ITEMS, self.items),
            (Can.LOAD, self.load),
            (Can.NOTE, self.note),
            (Can.TICKET, self.ticket),
            (Can.FEED, self.customer_changes or self.ticket_changes),
            (Can.PUSH, self.push),
        ):
            if needs is not None:
                can |= ability
        return can

    def faults(self) -> list[str]:
        """What makes no sense, though each part by itself is sound."""
        return [*self._unknown(), *self._halves()]

    def asks(self) -> Iterator[tuple[str, A]]:
        """Every question that there is, with its name."""
        for name in _KNOWN:
            value = getattr(self, name)
            for ask in value if isinstance(value, tuple) else (value,):
                if ask is not None:
                    yield name, ask

    def _unknown(self) -> Iterator[str]:
        for name, ask in self.asks():
            for wanted in ask.placeholders():
                if wanted not in _KNOWN[name] | self.MORE:
                    known = ", ".join(f"{{{each}}}" for each in sorted(_KNOWN[name] | self.MORE)) or "none"
                    yield f"{self.NAME}.{name}: {{{wanted}}} is no value of it; there are: {known}"
        for name in ("customer_url", "ticket_url"):
            yield from (
                f"{self.NAME}.{name}: only {{id}}" for each in PLACEHOLDER.findall(getattr(self, name)) if each != "id"
            )

    def _halves(self) -> Iterator[str]:
        if not any(set(ask.placeholders()) & TERMS for ask in self.find):
            yield f"{self.NAME}.find: asks for no number: put {{national}} or {{e164}} into it"
        if self.ticket is not None and None in (self.set_status, self.read_ticket, self.comment):
            yield f"{self.NAME}.ticket: needs set_status, read_ticket and comment beside it"
        if self.push is not None and self.push.customer and self.get is None:
            yield f"{self.NAME}.push.customer: needs {self.NAME}.get, for only its id is believed"
        if self.push is not None and self.push.ticket and self.read_ticket is None:
            yield f"{self.NAME}.push.ticket: needs {self.NAME}.read_ticket, for only its id is believed"
        for name in ("customer_changes", "ticket_changes"):
            ask = getattr(self, name)
            if ask is not None and not ask.updated:
                yield f"{self.NAME}.{name}.updated: where the time of the change stands"
        for name, maker in (("note_by_key", self.note), ("ticket_by_key", self.ticket)):
            if getattr(self, name) is not None and maker is not None and "key" not in set(maker.placeholders()):
                into = f"{self.NAME}.{name.split('_')[0]}"
                yield f"{self.NAME}.{name}: finds nothing, as {{key}} is not written: put it into {into}"


def _said(item: Any) -> str:
    return str(item["msg"]).removeprefix("Value error, ")


def filled(text: str, values: Values, quoted: Callable[[str], str] = str) -> str:
    """A text with its values; nothing where there is none."""
    return PLACEHOLDER.sub(lambda found: quoted(values.get(found[1]) or ""), text)


def filled_json(value: Any, values: Values) -> Any:
    """Everything in a JSON value filled in. What is all placeholder becomes the value, None where there is none."""
    if isinstance(value, str):
        whole = PLACEHOLDER.fullmatch(value)
        return values.get(whole[1]) if whole else filled(value, values)
    if isinstance(value, Mapping):
        return {name: filled_json(inner, values) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [filled_json(inner, values) for inner in value]
    return value


def strings(value: Any) -> Iterator[str]:
    """Every text in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from strings(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from strings(inner)
