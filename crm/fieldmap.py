"""Which of a CRM's fields is what: declared in a file, checked against the live schema, used for every record. Pure.

Fields are named by paths (:mod:`crm.paths`); an empty path says that the CRM has none.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from difflib import get_close_matches
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from crm.cells import Unreadable, day, yes_or_no, yuan
from crm.connector import Item, Of, Ref, Schema, Status
from crm.customer import Contract, Customer, Purchase
from crm.paths import first, moment, records, texts
from crm.phones import split_phones
from crm.trouble import InvalidError


class MappingError(ValueError):
    """The mapping cannot be used; the text names every fault."""


def _several(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Path = Annotated[str, Field(pattern=r"^([^\s.]+(\.[^\s.]+)*)?$")]
Paths = Annotated[tuple[Path, ...], BeforeValidator(_several)]  # the first that holds something


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PurchaseMap(_Table):
    """What a customer bought. ``object``: another object there, whose field ``link`` names the customer.

    Without ``object`` the purchases lie in the customer's record, below the path ``within``.
    """

    object: str = ""
    link: Path = ""
    within: Path = ""
    what: Paths
    on: Path = ""
    amount: Path = ""
    order_no: Path = ""


class ContractMap(_Table):
    """What is agreed with a customer; as :class:`PurchaseMap`."""

    object: str = ""
    link: Path = ""
    within: Path = ""
    what: Paths
    number: Path = ""
    until: Path = ""


class CustomerMap(_Table):
    """A customer. ``phones``: every field that may hold numbers. ``vip_words``: what ``vip`` says of one, if no yes."""

    object: str = ""
    id: Path = "id"
    name: Paths = ("name",)
    phones: Paths = ("phone",)
    ext: Path = ""
    company: Path = ""
    level: Path = ""
    vip: Path = ""
    vip_words: tuple[str, ...] = ()
    owner: Path = ""
    note: Path = ""
    version: Path = ""
    purchases: PurchaseMap | None = None
    contracts: ContractMap | None = None


class TicketMap(_Table):
    """A ticket. ``statuses``: their words for each of ours; the first is the one that is set."""

    object: str = ""
    id: Path = "id"
    title: Path = "title"
    body: Path = ""
    customer: Path = ""
    status: Path = "status"
    owner: Path = ""
    updated: Path = ""
    version: Path = ""
    key: Path = ""  # the field that holds our key
    statuses: Mapping[Status, Annotated[tuple[str, ...], BeforeValidator(_several)]] = Field(default_factory=dict)


class FieldMap(_Table):
    """The whole mapping."""

    customer: CustomerMap = CustomerMap()
    ticket: TicketMap = TicketMap()

    @classmethod
    def read(
        cls, given: Mapping[str, Any], defaults: Mapping[str, Any] | None = None, own: Sequence[str] = ()
    ) -> "FieldMap":
        """The mapping of a file over a connector's ``defaults``. ``own``: tables of the connector's, not read here.

        Raises MappingError.
        """
        merged = _merged(defaults or {}, {name: value for name, value in given.items() if name not in own})
        try:
            return cls.model_validate(merged)
        except ValidationError as error:
            raise MappingError("; ".join(_told(error))) from error

    def customer_of(self, record: Mapping[str, Any], area: str | None = None) -> Customer:
        """The customer of one record, with every number it holds. InvalidError when it has no id where it should."""
        table = self.customer
        customer_id = first(record, (table.id,))
        if customer_id is None:
            raise InvalidError(f"a customer's record has no {table.id!r}: it has {', '.join(map(str, record))[:200]}")
        company, level, ext = (first(record, (path,)) for path in (table.company, table.level, table.ext))
        phones = [
            phone for path in table.phones for cell in texts(record, path) for phone in split_phones(cell, area, ext)
        ]
        return Customer(
            id=customer_id,
            name=first(record, table.name) or company or customer_id,
            phones=tuple(dict.fromkeys(phones)),
            company=company,
            level=level,
            vip=self._vip(record, level),
            owner=first(record, (table.owner,)),
            purchases=self.purchases_of(_lying(record, table.purchases)),
            contracts=self.contracts_of(_lying(record, table.contracts)),
            note=first(record, (table.note,)),
        )

    def purchases_of(self, found: Sequence[Mapping[str, Any]]) -> tuple[Purchase, ...]:
        """The purchases of these records, newest first; what a record says unreadably is left out of it."""
        table = self.customer.purchases
        if table is None:
            return ()
        bought = [
            Purchase(what, _day(record, table.on), _yuan(record, table.amount), first(record, (table.order_no,)))
            for record in found
            if (what := first(record, table.what))
        ]
        bought.sort(key=lambda purchase: purchase.on.isoformat() if purchase.on else "", reverse=True)
        return tuple(bought)

    def contracts_of(self, found: Sequence[Mapping[str, Any]]) -> tuple[Contract, ...]:
        """The contracts of these records."""
        table = self.customer.contracts
        if table is None:
            return ()
        return tuple(
            Contract(what, first(record, (table.number,)), _day(record, table.until))
            for record in found
            if (what := first(record, table.what))
        )

    def item_of(self, record: Mapping[str, Any], url: str | None = None) -> Item:
        """The ticket of one record. InvalidError when it has no id where it should."""
        table = self.ticket
        ticket_id = first(record, (table.id,))
        if ticket_id is None:
            raise InvalidError(f"a ticket's record has no {table.id!r}: it has {', '.join(map(str, record))[:200]}")
        said = first(record, (table.status,)) or ""
        return Item(
            ref=Ref(Of.TICKET, ticket_id, first(record, (table.version,))),
            title=first(record, (table.title,)) or "",
            status=self.status_of(said),
            said=said,
            owner=first(record, (table.owner,)),
            customer_id=first(record, (table.customer,)),
            updated=moment(first(record, (table.updated,))),
            url=url,
        )

    def status_of(self, said: str) -> Status:
        """Their word in ours; UNKNOWN where the mapping has none."""
        wanted = said.strip().casefold()
        for status, words in self.ticket.statuses.items():
            if wanted in (word.strip().casefold() for word in words):
                return status
        return Status.UNKNOWN

    def word_for(self, status: Status) -> str:
        """Our status in their words. InvalidError where the mapping has none."""
        words = self.ticket.statuses.get(status, ())
        if not words:
            raise InvalidError(f"the mapping has no word for {status.value}: ticket.statuses", "status")
        return words[0]

    def wrong_names(self, schema: Schema) -> list[str]:
        """What this mapping names and the live schema has not, each with what may have been meant."""
        return [fault for place, named, path in self._names() if (fault := _missing(schema, place, named, path))]

    def _names(self) -> Iterator[tuple[str, str, str]]:
        """(Place in the mapping, object there, path) of everything named."""
        tables: list[tuple[str, _Table | None, str]] = [
            ("customer", self.customer, self.customer.object),
            ("customer.purchases", self.customer.purchases, self.customer.object),
            ("customer.contracts", self.customer.contracts, self.customer.object),
            ("ticket", self.ticket, self.ticket.object),
        ]
        for place, table, around in tables:
            values = {} if table is None else {name: getattr(table, name) for name in type(table).model_fields}
            inside = bool(values.get("within"))
            for name, value in values.items():
                if name in ("object", "statuses", "vip_words") or isinstance(value, _Table):
                    continue
                named = around if name == "within" or not values["object"] else values["object"]
                for path in (value,) if isinstance(value, str) else value or ():
                    if path and named and (name == "within" or not inside):
                        yield f"{place}.{name}", named, path

    def _vip(self, record: Mapping[str, Any], level: str | None) -> bool:
        said = first(record, (self.customer.vip,))
        if said is None:
            return not self.customer.vip and level is not None and "vip" in level.casefold()
        if any(word.casefold() == said.casefold() for word in self.customer.vip_words):
            return True
        try:
            return not self.customer.vip_words and yes_or_no(said)
        except Unreadable:
            return False


def _lying(record: Mapping[str, Any], table: PurchaseMap | ContractMap | None) -> list[Mapping[str, Any]]:
    """The parts of a customer's record that ``table`` speaks of."""
    return [] if table is None or not table.within else records(record, table.within)


def _day(record: Any, path: str) -> date | None:
    try:
        return None if (text := first(record, (path,))) is None else day(text)
    except Unreadable:
        return None


def _yuan(record: Any, path: str) -> Decimal | None:
    try:
        return None if (text := first(record, (path,))) is None else yuan(text)
    except Unreadable:
        return None


def _merged(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    both = dict(under)
    for name, value in over.items():
        below = both.get(name)
        both[name] = _merged(below, value) if isinstance(below, Mapping) and isinstance(value, Mapping) else value
    return both


def _told(error: ValidationError) -> Iterator[str]:
    for item in error.errors():
        text = {"extra_forbidden": "no such field of ours", "missing": "is missing"}.get(item["type"], item["msg"])
        yield f"{'.'.join(map(str, item['loc']))}: {text}"


def _missing(schema: Schema, place: str, named: str, path: str) -> str | None:
    fields = schema.get(named)
    if fields is None:
        return f"{place}: there is no {named!r}{_hint(named, schema)}"
    head = path.partition(".")[0]
    if head in fields or path in fields:
        return None
    return f"{place}: {named} has no {head!r}{_hint(head, fields)}"


def _hint(name: str, known: Mapping[str, Any]) -> str:
    near = get_close_matches(name, [str(each) for each in known], n=3)
    return f" (perhaps {', '.join(near)})" if near else ""
