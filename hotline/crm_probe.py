"""What a CRM says when it is asked, for ``hotline crm check``: how it is, what it has, and whom it takes a number for.

Asks as the service does, one question after the other, and tells how long each took. Changes nothing there.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, TypeVar

from crm.connector import Can, Connector, Health, Item, Schema
from crm.customer import Customer
from crm.matching import decide
from crm.trouble import CrmError
from numbering.number import Number

T = TypeVar("T")

SKEW = 60.0  # seconds that clocks may differ before it is told


@dataclass
class Probe:
    """The answers. ``faults``: what went wrong, in the CRM's words and ours; ``took``: seconds by question."""

    connector: str
    can: Sequence[str]
    traits: Mapping[str, Any]
    health: Health | None = None
    schema: Schema = field(default_factory=dict)
    caller: Mapping[str, Any] | None = None
    faults: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    took: dict[str, float] = field(default_factory=dict)

    async def ask(self, name: str, question: Callable[[], Awaitable[T]]) -> T | None:
        """Ask; None, and a fault, when it went wrong."""
        began = perf_counter()
        try:
            return await question()
        except CrmError as error:
            self.faults.append(f"{name}: {error}")
            return None
        finally:
            self.took[name] = round(perf_counter() - began, 4)


async def probe(crm: Connector, number: Number | None = None, area: str | None = None) -> Probe:
    """Ask all there is to ask. ``number``: a caller to look for; ``area``: of numbers written locally there."""
    traits = {"once": crm.traits.once, "feed": crm.traits.feed, "longest": dict(crm.traits.longest)}
    found = Probe(crm.name, [], traits)
    found.health = await found.ask("health", crm.health)
    if Can.DESCRIBE in crm.can:
        found.schema = await found.ask("describe", crm.describe) or {}
    if number is not None:
        found.caller = await _caller(found, crm, number, area)
    found.can = [can.name.lower() for can in Can if can in crm.can and can.name]  # some learn it from the schema
    skew = None if found.health is None else found.health.skew
    if skew is not None and abs(skew) > SKEW:
        found.warnings.append(f"its clock is {abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} ours")
    return found


async def _caller(found: Probe, crm: Connector, number: Number, area: str | None) -> Mapping[str, Any]:
    told: dict[str, Any] = {"raw": number.raw, "e164": number.e164, "ext": number.ext, "kind": number.kind}
    if number.e164 is None:
        return told | {"candidates": [], "refused": [], "sure": None}
    customers = await found.ask("find", lambda: crm.find(number)) or ()
    match = decide(number, customers, area)
    taken = {candidate.customer.id for candidate in match.candidates}
    told["candidates"] = [
        {**_customer(each.customer), "reason": each.reason, "matched": each.matched} for each in match.candidates
    ]
    told["refused"] = [_customer(customer) for customer in customers if customer.id not in taken]
    told["sure"] = match.sure and match.sure.id
    if match.sure is not None and Can.ITEMS in crm.can:
        sure = match.sure.id
        told["items"] = [_item(item) for item in await found.ask("items", lambda: crm.items(sure)) or ()]
    return told


def _customer(customer: Customer) -> dict[str, Any]:
    return {
        "id": customer.id,
        "name": customer.name,
        "company": customer.company,
        "level": customer.level,
        "owner": customer.owner,
        "phones": [phone.raw for phone in customer.phones],
        "purchases": len(customer.purchases),
    }


def _item(item: Item) -> dict[str, Any]:
    return {"id": item.ref.id, "title": item.title, "status": item.status, "said": item.said, "url": item.url}
