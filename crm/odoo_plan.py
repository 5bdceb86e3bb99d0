"""What an Odoo has of what we would ask for: its version, its add-ons and its owner's own fields differ. Pure.

A field that the mapping names is demanded; one that only our defaults name is used where it is there. ``fields_get``
tells, for the user that our key belongs to.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from crm.connector import FieldInfo, Schema
from crm.fieldmap import ContractMap, CustomerMap, FieldMap, PurchaseMap, TicketMap

PARTNER = "res.partner"
ATTRIBUTES = ("type", "size", "selection", "relation", "store")

Fields = Mapping[str, Mapping[str, Any]]  # a model's fields as fields_get tells them

# The first of these that the user may read is what a customer bought, unless the mapping says.
BOUGHT: tuple[tuple[Mapping[str, Any], list[Any]], ...] = (
    (
        {
            "object": "sale.order",
            "link": "partner_id",
            "what": ("order_line.name", "name"),
            "on": "date_order",
            "amount": "amount_total",
            "order_no": "name",
        },
        [["state", "in", ["sale", "done"]]],
    ),
    (
        {
            "object": "crm.lead",
            "link": "partner_id",
            "what": ("name",),
            "on": "date_closed",
            "amount": "expected_revenue",
        },
        [["type", "=", "opportunity"], ["stage_id.is_won", "=", True]],
    ),
)


@dataclass(frozen=True, slots=True)
class Plan:
    """How to ask this Odoo. ``bought``: the condition on purchases. ``tickets``: whether tickets are kept there."""

    fields: FieldMap
    models: Mapping[str, Fields]
    bought: list[Any]
    tickets: bool

    def has(self, model: str, field: str) -> bool:
        """Whether there is such a field."""
        return field in self.models.get(model, {})

    def kind(self, model: str, field: str) -> str:
        """The type of a field; "" where there is none."""
        return str(self.models.get(model, {}).get(field, {}).get("type", ""))

    def heads(self, model: str, paths: Iterable[str]) -> list[str]:
        """The fields to read for these paths: those that are there, each once."""
        found = (path.partition(".")[0] for path in paths if path)
        return [head for head in dict.fromkeys(found) if self.has(model, head)]

    def schema(self) -> Schema:
        """As everybody's."""
        return {
            model: {name: _info(attributes) for name, attributes in fields.items()}
            for model, fields in self.models.items()
        }

    def wrong_names(self) -> list[str]:
        """What the mapping names and this Odoo has not."""
        faults = self.fields.wrong_names(self.schema())
        return [fault for fault in faults if self.tickets or not fault.startswith("ticket.")]


def mapping(
    given: Mapping[str, Any], partner: Fields | None, ticket: Fields | None, bought: Mapping[str, Any] | None
) -> FieldMap:
    """The mapping of a file over what Odoo usually is, as far as it is there; None: not looked at yet, all of it.

    Raises :class:`crm.fieldmap.MappingError`.
    """
    customer: dict[str, Any] = {
        "object": PARTNER,
        "name": ("name", "display_name"),
        "phones": _those(partner, "phone", "mobile"),  # 18 has both, 19 has no mobile
        "company": _one(partner, "commercial_company_name"),
        "level": _one(partner, "category_id.name"),
        "vip": _one(partner, "category_id.name"),
        "vip_words": ("VIP",),
        "owner": _one(partner, "user_id.name"),
        "note": _one(partner, "comment"),
        "version": "write_date",
    }
    if bought is not None:
        customer["purchases"] = bought
    ours = {
        "object": "project.task",
        "title": "name",
        "body": "description",
        "customer": "partner_id.id",
        "status": "stage_id.name",
        "owner": _one(ticket, "user_ids.name", "user_id.name"),  # 14 had one person
        "updated": "write_date",
    }
    return FieldMap.read(given, {"customer": customer, "ticket": ours})


def customer_paths(table: CustomerMap) -> list[str]:
    """Every path that a card is made of."""
    return [table.id, *table.name, *table.phones, table.ext, table.company, *own_or_firm(table), table.note]


def own_or_firm(table: CustomerMap) -> list[str]:
    """The paths of what a person has from the firm where it has none of its own."""
    return [table.level, table.vip, table.owner]


def part_paths(table: PurchaseMap | ContractMap) -> list[str]:
    """Every path of a purchase or a contract."""
    if isinstance(table, PurchaseMap):
        return [*table.what, table.on, table.amount, table.order_no]
    return [*table.what, table.number, table.until]


def ticket_paths(table: TicketMap) -> list[str]:
    """Every path of a ticket, and what else tells that somebody changed it."""
    named = (table.id, table.title, table.body, table.customer, table.status, table.owner, table.updated)
    return [*named, "priority", "state", "write_date"]


def _those(fields: Fields | None, *paths: str) -> tuple[str, ...]:
    return tuple(path for path in paths if fields is None or path.partition(".")[0] in fields)


def _one(fields: Fields | None, *paths: str) -> str:
    return next(iter(_those(fields, *paths)), "")


def _info(attributes: Mapping[str, Any]) -> FieldInfo:
    size, choices = attributes.get("size"), attributes.get("selection")
    pairs = choices if isinstance(choices, list) else []
    return FieldInfo(
        kind=str(attributes.get("type", "")),
        longest=size if isinstance(size, int) and size > 0 else None,
        choices=tuple(str(pair[0]) for pair in pairs if isinstance(pair, list) and pair),
    )
