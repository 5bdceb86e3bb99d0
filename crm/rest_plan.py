"""What a mapping file says of a REST API: which requests there are and what goes into them. Pure.

A placeholder ``{name}`` stands for a value; each request knows its own. One that is all of a JSON text becomes the
value itself (null where there is none); all of a query parameter or header without a value leaves that out.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, Literal
from urllib.parse import quote

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from crm.connector import Can, Feed, Once
from crm.fieldmap import MappingError, Path

_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_TERMS = frozenset({"e164", "digits", "national", "dialled", "last8", "ext"})
_NOTE = frozenset({"key", "customer", "title", "body", "html", "ticket"})
_KNOWN: Mapping[str, frozenset[str]] = {
    "health": frozenset(),
    "find": _TERMS,
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


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Ask(_Table):
    """One request. ``records``: where the record or records stand in the answer; ``id``: where a new one's id does.

    ``empty_on``: statuses that mean "there is none". Of lists that come in pages, ``paging`` says what ``{after}`` is:
    a text at ``next`` in the answer before, the page's number from 1, or the last record's id.
    """

    method: Literal["GET", "POST", "PUT", "PATCH"] = "GET"
    path: Annotated[str, Field(pattern=r"^/[^\s?#]*$")]
    query: Mapping[str, str] = Field(default_factory=dict)
    headers: Mapping[str, str] = Field(default_factory=dict)
    body: Any = None
    records: Path = ""
    may_lack: bool = False  # the API leaves the records out where there are none
    id: Path = "id"
    version: Path = ""
    empty_on: tuple[int, ...] = ()
    paging: Literal["none", "next", "page", "last_id"] = "none"
    next: Path = ""
    updated: Path = ""  # changes: when
    gone: Path = ""  # changes: something stands here in a record that was deleted
    merged: Path = ""  # changes: the id that it was merged into

    @model_validator(mode="after")
    def _pages_are_told(self) -> "Ask":
        if (self.paging == "next") != bool(self.next):
            raise ValueError('next goes with paging = "next", and only with it')
        return self

    def filled_path(self, values: Values) -> str:
        """The path; what is put in is quoted, a slash too."""
        return _filled(self.path, values, lambda text: quote(text, safe=""))

    def filled_query(self, values: Values) -> dict[str, str]:
        """The query parameters that have a value."""
        return dict(_with_values(self.query, values))

    def filled_headers(self, values: Values) -> dict[str, str]:
        """The headers that have a value."""
        return dict(_with_values(self.headers, values))

    def filled_body(self, values: Values) -> Any:
        """The JSON body, None where there is none."""
        return _filled_json(self.body, values)

    def placeholders(self) -> Iterator[str]:
        """Every name that a value is wanted for."""
        for text in (self.path, *self.query.values(), *self.headers.values(), *_strings(self.body)):
            yield from _PLACEHOLDER.findall(text)


class ErrorRule(_Table):
    """For APIs that answer 200 with an error inside: where the code stands, and which codes mean what."""

    code: Path
    ok: tuple[str, ...] = ("0", "true", "success")
    text: Path = ""
    auth: tuple[str, ...] = ()
    busy: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


def _one_or_more(value: Any) -> Any:
    return [value] if isinstance(value, Mapping) else value


class RestPlan(_Table):
    """Everything below ``[rest]``. What is not there the API cannot do.

    ``once``, ``feed``, ``overlap``, ``reads_back``, ``longest``: :class:`crm.connector.Traits`.
    """

    health: Ask
    find: Annotated[tuple[Ask, ...], BeforeValidator(_one_or_more)]  # all are asked, what they find is put together
    get: Ask | None = None
    items: Ask | None = None
    load: Ask | None = None
    note: Ask | None = None
    note_update: Ask | None = None
    note_by_key: Ask | None = None
    ticket: Ask | None = None
    ticket_by_key: Ask | None = None
    read_ticket: Ask | None = None
    set_status: Ask | None = None
    comment: Ask | None = None
    customer_changes: Ask | None = None
    ticket_changes: Ask | None = None
    error: ErrorRule | None = None
    customer_url: str = ""
    ticket_url: str = ""
    once: Once = Once.NONE
    feed: Feed = Feed.MTIME
    overlap: Annotated[float, Field(ge=0, le=86400)] = 120.0
    reads_back: bool = False
    longest: Mapping[str, Annotated[int, Field(ge=10)]] = Field(default_factory=dict)

    @classmethod
    def read(cls, given: Mapping[str, Any]) -> "RestPlan":
        """The plan of a mapping's table ``[rest]``. Raises MappingError with every fault."""
        try:
            plan = cls.model_validate(dict(given))
        except ValidationError as error:
            told = [f"rest.{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors()]
            raise MappingError("; ".join(told)) from error
        if faults := plan.faults():
            raise MappingError("; ".join(faults))
        return plan

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
        ):
            if needs is not None:
                can |= ability
        return can

    def faults(self) -> list[str]:
        """What makes no sense, though each part by itself is sound."""
        return [*self._unknown(), *self._halves()]

    def _asks(self) -> Iterator[tuple[str, Ask]]:
        for name in _KNOWN:
            value = getattr(self, name)
            for ask in value if isinstance(value, tuple) else (value,):
                if ask is not None:
                    yield name, ask

    def _unknown(self) -> Iterator[str]:
        for name, ask in self._asks():
            for wanted in ask.placeholders():
                if wanted not in _KNOWN[name]:
                    known = ", ".join(f"{{{each}}}" for each in sorted(_KNOWN[name])) or "none"
                    yield f"rest.{name}: {{{wanted}}} is no value of it; there are: {known}"
        for name in ("customer_url", "ticket_url"):
            yield from (
                f"rest.{name}: only {{id}}" for each in _PLACEHOLDER.findall(getattr(self, name)) if each != "id"
            )

    def _halves(self) -> Iterator[str]:
        if not any(set(ask.placeholders()) & _TERMS for ask in self.find):
            yield "rest.find: asks for no number: put {national} or {e164} into it"
        if self.ticket is not None and (self.set_status is None or self.read_ticket is None):
            yield "rest.ticket: needs set_status and read_ticket beside it"
        for name in ("customer_changes", "ticket_changes"):
            ask = getattr(self, name)
            if ask is not None and not ask.updated:
                yield f"rest.{name}.updated: where the time of the change stands"
        for name, maker in (("note_by_key", self.note), ("ticket_by_key", self.ticket)):
            if getattr(self, name) is not None and maker is not None and "key" not in set(maker.placeholders()):
                yield f"rest.{name}: finds nothing, as {{key}} is not written: put it into rest.{name.split('_')[0]}"


def _with_values(texts: Mapping[str, str], values: Values) -> Iterator[tuple[str, str]]:
    for name, text in texts.items():
        whole = _PLACEHOLDER.fullmatch(text)
        if whole and not values.get(whole[1]):
            continue
        yield name, _filled(text, values, str)


def _filled(text: str, values: Values, quoted: Callable[[str], str]) -> str:
    return _PLACEHOLDER.sub(lambda found: quoted(values.get(found[1]) or ""), text)


def _filled_json(value: Any, values: Values) -> Any:
    if isinstance(value, str):
        whole = _PLACEHOLDER.fullmatch(value)
        return values.get(whole[1]) if whole else _filled(value, values, str)
    if isinstance(value, Mapping):
        return {name: _filled_json(inner, values) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_filled_json(inner, values) for inner in value]
    return value


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _strings(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _strings(inner)
