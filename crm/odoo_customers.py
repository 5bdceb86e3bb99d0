"""Customers in Odoo: contacts (``res.partner``) found by number, with what they bought.

A person and the firm it belongs to are contacts both; what a person has none of (level, colleague in charge) its firm
has for it, and orders are those of the whole firm, as they usually stand under any of its contacts.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import structlog

from crm.customer import Contract, Customer, Purchase
from crm.fieldmap import ContractMap, FieldMap, PurchaseMap
from crm.http import BULK, LOOKUP, Pace
from crm.matching import decide
from crm.odoo_desk import Desk, Record, record_id
from crm.odoo_plan import PARTNER, Plan, customer_paths, own_or_firm, part_paths
from crm.paths import texts
from crm.terms import Terms
from crm.trouble import CrmError, InvalidError
from numbering.number import Number

CARD_PURCHASES = 3
CARD_CONTRACTS = 10
MOST_FOUND = 200  # behind a number of that many nobody is recognised anyway
MOST_DETAILED = 5  # candidates whose purchases are asked for
DETAILS_WITHIN = 0.45  # seconds more that a card may wait for purchases; the name alone is worth more in time
LATER = Pace(0.3, 3.0)  # what fills in a card that is open already
BATCH = 1000  # customers of a full load at once

_FIRM = "commercial_partner_id"

log = structlog.get_logger()


class Customers:
    """Reading contacts. ``where``: which of them are customers, as a domain of Odoo's.

    ``zone``: where its days are counted; ``currency``: that of the amounts a card may show.
    """

    def __init__(self, desk: Desk, where: Sequence[Any], *, area: str | None, zone: ZoneInfo, currency: str) -> None:
        self._desk, self._where, self._area, self._zone, self._currency = desk, list(where), area, zone, currency

    async def find(self, number: Number) -> list[Customer]:
        """Who has this number, with purchases where those came in time. Raises CrmError."""
        terms = Terms.of(number)
        if terms is None:
            return []
        try:
            rows = await self._search(terms)
        except InvalidError as error:
            log.warning("Odoo is another than it was: looking again", error=str(error))
            await self._desk.look_again()
            rows = await self._search(terms)
        found = self.read(await self._desk.plan(), rows)
        callers = {candidate.customer.id for candidate in decide(number, found, self._area).candidates}
        customers = [customer for customer in found if customer.id in callers]
        try:
            async with asyncio.timeout(DETAILS_WITHIN):
                return await self._detailed(customers, rows, LOOKUP)
        except (CrmError, TimeoutError) as error:
            log.warning("a card without purchases", error=str(error) or f"nothing within {DETAILS_WITHIN} s")
            return customers

    async def get(self, customer_id: str) -> Customer | None:
        """The customer of that id with everything; None when there is none. Raises CrmError."""
        if (number := record_id(customer_id)) is None:
            return None
        domain = [["id", "=", number], *self._where]
        rows = await self._desk.rows(PARTNER, domain, await self._paths(), pace=LATER)
        found = self.read(await self._desk.plan(), rows)
        return next(iter(await self._detailed(found, rows, LATER)), None)

    async def load(self, after: str | None) -> AsyncIterator[tuple[Sequence[Customer], str]]:
        """Every customer by id, a thousand at once."""
        paths, last = await self._paths(), record_id(after or "") or 0
        while True:
            domain = [["id", ">", last], *self._where]
            rows = await self._desk.rows(PARTNER, domain, paths, limit=BATCH, pace=BULK)
            if rows:
                last = max(row["id"] for row in rows)
                yield self.read(await self._desk.plan(), rows), str(last)
            if len(rows) < BATCH:
                return

    async def written(self, domain: Sequence[Any], order: str, limit: int) -> list[tuple[Record, Customer]]:
        """Contacts that meet ``domain``, archived ones too, without their purchases."""
        paths = [*await self._paths(), "active", "write_date"]
        whole = [*domain, *self._where]
        rows = await self._desk.rows(PARTNER, whole, paths, order=order, limit=limit, pace=BULK, archived=True)
        return list(zip(rows, self.read(await self._desk.plan(), rows), strict=True))

    def read(self, plan: Plan, rows: Sequence[Record]) -> list[Customer]:
        """The customers of these records."""
        return [self._customer(plan.fields, row) for row in rows]

    def _customer(self, fields: FieldMap, row: Record) -> Customer:
        customer = fields.customer_of(row, self._area)
        words = {word.casefold() for word in fields.customer.vip_words}
        marked = any(text.casefold() in words for text in texts(row, fields.customer.vip))  # any tag, not the first
        itself = customer.company == customer.name
        return replace(customer, vip=customer.vip or marked, company=None if itself else customer.company)

    async def _paths(self) -> list[str]:
        return [*customer_paths((await self._desk.plan()).fields.customer), f"{_FIRM}.id"]

    async def _search(self, terms: Terms) -> list[Record]:
        plan = await self._desk.plan()
        domain = [*self._where, *_numbers(plan, terms)]
        return await self._desk.rows(PARTNER, domain, await self._paths(), limit=MOST_FOUND)

    async def _detailed(self, customers: Sequence[Customer], rows: Sequence[Record], pace: Pace) -> list[Customer]:
        """The customers with purchases, contracts and what their firms have for them."""
        firms = {str(row["id"]): _firm(row) for row in rows}
        wanted = [customer for customer in customers if customer.id in firms][:MOST_DETAILED]
        asked = sorted({firms[customer.id] for customer in wanted})
        try:
            async with asyncio.TaskGroup() as group:
                of_firms = group.create_task(self._firms(wanted, firms, pace))
                bought = {firm: group.create_task(self._bought(firm, pace)) for firm in asked}
                agreed = {firm: group.create_task(self._agreed(firm, pace)) for firm in asked}
        except ExceptionGroup as several:
            troubles, slips = several.split(CrmError)
            if slips is not None or troubles is None:
                raise
            raise troubles.exceptions[0] from several
        found = of_firms.result()
        return [
            _with(customer, found.get(firms[customer.id]), bought[firm].result(), agreed[firm].result())
            if customer in wanted and (firm := firms[customer.id])
            else customer
            for customer in customers
        ]

    async def _firms(self, wanted: Sequence[Customer], firms: Mapping[str, int], pace: Pace) -> dict[int, Customer]:
        ids = sorted({firms[each.id] for each in wanted if str(firms[each.id]) != each.id})
        plan = await self._desk.plan()
        table = plan.fields.customer
        if not ids or not any(own_or_firm(table)):
            return {}
        paths = [table.id, *table.name, *own_or_firm(table)]
        rows = await self._desk.rows(PARTNER, [["id", "in", ids]], paths, pace=pace)
        return {row["id"]: self._customer(plan.fields, row) for row in rows}

    async def _bought(self, firm: int, pace: Pace) -> tuple[Purchase, ...]:
        plan = await self._desk.plan()
        table = plan.fields.customer.purchases
        if table is None or not table.object:
            return ()
        domain = [*_of_firm(table, firm), *plan.bought]
        rows = await self._parts(plan, table, domain, _Newest(table.on, CARD_PURCHASES), pace)
        kept = [self._priced(table, row) for row in rows]
        return tuple(
            replace(each, what=each.what.splitlines()[0])
            for each in plan.fields.purchases_of(kept)
            if each.what.strip()
        )

    async def _agreed(self, firm: int, pace: Pace) -> tuple[Contract, ...]:
        plan = await self._desk.plan()
        table = plan.fields.customer.contracts
        if table is None or not table.object:
            return ()
        newest = _Newest(table.until, CARD_CONTRACTS)
        rows = await self._parts(plan, table, _of_firm(table, firm), newest, pace)
        return plan.fields.contracts_of(rows)

    async def _parts(
        self, plan: Plan, table: PurchaseMap | ContractMap, domain: Sequence[Any], newest: "_Newest", pace: Pace
    ) -> list[Record]:
        order = f"{newest.by.partition('.')[0]} desc, id desc" if newest.by else "id desc"
        paths = [*part_paths(table), "currency_id.name"]
        rows = await self._desk.rows(table.object, domain, paths, order=order, limit=newest.limit, pace=pace)
        for row in rows:
            for name, value in row.items():
                if plan.kind(table.object, name) == "datetime" and isinstance(value, str):
                    row[name] = _local_day(value, self._zone)
        return rows

    def _priced(self, table: PurchaseMap, row: Record) -> Record:
        """The record, an amount in another currency than ours left out: cards speak of one."""
        names = texts(row, "currency_id.name")
        if not table.amount or not names or names[0] == self._currency:
            return row
        return {name: value for name, value in row.items() if name != table.amount.partition(".")[0]}


@dataclass(frozen=True, slots=True)
class _Newest:
    """How many, by which path."""

    by: str
    limit: int


def _of_firm(table: PurchaseMap | ContractMap, firm: int) -> list[Any]:
    return [[table.link.partition(".")[0], "child_of", [firm]]]


def _numbers(plan: Plan, terms: Terms) -> list[Any]:
    """The condition on numbers. Odoo's own normalised field misses extensions, its search full-width digits: both."""
    either: list[Any] = []
    if plan.has(PARTNER, "phone_sanitized"):
        either.append(["phone_sanitized", "=", terms.e164])
    if plan.has(PARTNER, "phone_mobile_search"):
        either.append(["phone_mobile_search", "ilike", terms.national])
    else:
        # Without phone_validation: the digits in their order, whatever stands between them.
        digits = f"%{'%'.join(terms.national)}%"
        heads = plan.heads(PARTNER, plan.fields.customer.phones)
        either += [[head, "=ilike", digits] for head in heads]
    return [*["|"] * (len(either) - 1), *either]


def _with(
    customer: Customer, firm: Customer | None, bought: tuple[Purchase, ...], agreed: tuple[Contract, ...]
) -> Customer:
    whole = replace(customer, purchases=bought, contracts=agreed)
    if firm is None:
        return whole
    return replace(whole, level=whole.level or firm.level, vip=whole.vip or firm.vip, owner=whole.owner or firm.owner)


def _firm(row: Record) -> int:
    ids = texts(row, f"{_FIRM}.id")
    return int(ids[0]) if ids else int(row["id"])


def _local_day(text: str, zone: ZoneInfo) -> str:
    """The day of a time that Odoo keeps in UTC."""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC).astimezone(zone).date().isoformat()
    except ValueError:
        return text
