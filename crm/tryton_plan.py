"""What a Tryton has of what we would ask for: its modules, its users' rights and its owner's own fields differ. Pure.

A field that the mapping names is demanded; one that only our defaults name is used where it is there.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from crm.connector import FieldInfo, Schema
from crm.fieldmap import ContractMap, CustomerMap, FieldMap, PurchaseMap, TicketMap

PARTY = "party.party"
MECHANISM = "party.contact_mechanism"
MECHANISMS = "contact_mechanisms"
WORK = "project.work"
OPPORTUNITY = "sale.opportunity"
_OF_A_MECHANISM = ("type", "value", "name", "comment")

Fields = Mapping[str, Mapping[str, Any]]  # a model's fields as fields_get tells them

# What a customer bought, where our user may read sales and the mapping says nothing else.
BOUGHT: Mapping[str, Any] = {
    "object": "sale.sale",
    "link": "party",
    "what": ("lines.product.rec_name", "lines.summary", "description", "number"),
    "on": "sale_date",
    "amount": "total_amount",
    "order_no": "number",
}
SOLD: Sequence[Any] = (["state", "in", ["confirmed", "processing", "done"]],)

_TICKETS: Mapping[str, Mapping[str, Any]] = {
    WORK: {"title": "name", "body": "comment", "customer": "party", "status": "status.name", "key": "comment"},
    OPPORTUNITY: {
        "title": "description",
        "body": "comment",
        "customer": "party",
        "status": "state",
        "owner": "employee.rec_name",
        "key": "reference",
    },
}


@dataclass(frozen=True, slots=True)
class Plan:
    """How to ask this Tryton. ``bought``: the condition on purchases. ``tickets``: whether tickets are kept there."""

    fields: FieldMap
    models: Mapping[str, Fields]
    bought: Sequence[Any]
    tickets: bool

    def has(self, model: str, field: str) -> bool:
        """Whether there is such a field."""
        return field in self.models.get(model, {})

    def kind(self, model: str, field: str) -> str:
        """The type of a field; "" where there is none."""
        return str(self.models.get(model, {}).get(field, {}).get("type", ""))

    def relation(self, model: str, field: str) -> str:
        """The model of the records that a field leads to; "" where it leads to none."""
        return str(self.models.get(model, {}).get(field, {}).get("relation") or "")

    def asked(self, model: str, paths: Iterable[str]) -> list[str]:
        """What to read for these paths: of those whose field is there, each once."""
        wanted: list[str] = []
        for path in paths:
            if path.partition(".")[0] == MECHANISMS:
                wanted += [f"{MECHANISMS}.{name}" for name in _OF_A_MECHANISM]
            elif path == "write_date":
                wanted += [path, "create_date"]
            elif path == "_timestamp" or self.has(model, path.partition(".")[0]):
                wanted.append(path)
        return list(dict.fromkeys(wanted))

    def schema(self) -> Schema:
        """As everybody's."""
        return {
            model: {name: _info(attributes) for name, attributes in fields.items()}
            for model, fields in self.models.items()
            if fields
        }

    def below(self) -> list[tuple[str, str, str]]:
        """(Place in the mapping, related model, field there) of every path that leads into a related record."""
        customer, ticket = self.fields.customer, self.fields.ticket
        tables: list[tuple[str, CustomerMap | PurchaseMap | ContractMap | TicketMap | None, str]] = [
            ("customer", customer, PARTY),
            ("customer.purchases", customer.purchases, customer.purchases.object if customer.purchases else ""),
            ("customer.contracts", customer.contracts, customer.contracts.object if customer.contracts else ""),
            ("ticket", ticket if self.tickets else None, ticket.object),
        ]
        found = []
        for place, table, model in tables:
            for name, value in () if table is None else table:
                for path in (value,) if isinstance(value, str) else value if isinstance(value, tuple) else ():
                    head, _, rest = path.partition(".")
                    relation = self.relation(model, head)
                    if rest and relation and head != MECHANISMS:
                        found.append((f"{place}.{name}", relation, rest.partition(".")[0]))
        return found

    def wrong_names(self) -> list[str]:
        """What the mapping names and this Tryton has not."""
        faults = self.fields.wrong_names(self.schema())
        return [fault for fault in faults if self.tickets or not fault.startswith("ticket.")]


def mapping(given: Mapping[str, Any], bought: Mapping[str, Any] | None) -> FieldMap:
    """The mapping of a file over what Tryton usually is. Raises :class:`crm.fieldmap.MappingError`."""
    customer: dict[str, Any] = {
        "object": PARTY,
        "name": ("name", "rec_name"),
        "phones": f"{MECHANISMS}.number",
        "level": "categories.name",
        "vip": "categories.name",
        "vip_words": ("VIP",),
    }
    if bought is not None:
        customer["purchases"] = bought
    ticket = given.get("ticket")
    named = ticket.get("object") if isinstance(ticket, Mapping) else None
    model = named if isinstance(named, str) else WORK
    ours = {"object": model, "updated": "write_date", **_TICKETS.get(model, {})}
    return FieldMap.read(given, {"customer": customer, "ticket": ours})


def customer_paths(table: CustomerMap) -> list[str]:
    """Every path that a card is made of, purchases and contracts apart."""
    own = [table.id, *table.name, *table.phones, table.ext, table.company, table.level, table.vip, table.owner]
    return [*own, table.note]


def part_paths(table: PurchaseMap | ContractMap) -> list[str]:
    """Every path of a purchase or a contract."""
    if isinstance(table, PurchaseMap):
        return [*table.what, table.on, table.amount, table.order_no, "currency.code"]
    return [*table.what, table.number, table.until]


def ticket_paths(table: TicketMap) -> list[str]:
    """Every path of a ticket, and the stamp that tells whether somebody changed it."""
    named = (table.id, table.title, table.body, table.customer, table.status, table.owner, table.updated, table.key)
    return [*named, "_timestamp"]


def missing(place: str, model: str, name: str, fields: Fields) -> str:
    """That a related record has no such field, in the mapping's words."""
    near = get_close_matches(name, fields, n=3)
    hint = f" (perhaps {', '.join(near)})" if near else ""
    return f"{place}: {model} has no {name!r}{hint}"


def _info(attributes: Mapping[str, Any]) -> FieldInfo:
    size, choices = attributes.get("size"), attributes.get("selection")
    pairs = choices if isinstance(choices, list) else []
    return FieldInfo(
        kind=str(attributes.get("type", "")),
        longest=size if isinstance(size, int) and size > 0 else None,
        choices=tuple(str(pair[0]) for pair in pairs if isinstance(pair, list) and pair),
    )
