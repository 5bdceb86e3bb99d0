"""Customers in Tryton: parties, found by their contact mechanisms, with what they bought."""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import structlog

from crm.customer import Contract, Customer, Purchase
from crm.fieldmap import ContractMap, FieldMap, PurchaseMap
from crm.http import BULK, LOOKUP, Pace
from crm.matching import decide
from crm.paths import texts
from crm.terms import Terms
from crm.trouble import CrmError, InvalidError, NotFoundError
from crm.tryton_desk import ALL, Desk, Record
from crm.tryton_plan import MECHANISMS, PARTY, customer_paths, part_paths
from crm.tryton_rpc import SYSTEM
from crm.tryton_values import record_id
from numbering.identify import identify
from numbering.number import Kind, Number

CARD_PURCHASES = 3
CARD_CONTRACTS = 10
MOST_FOUND = 200  # behind a number of that many nobody is recognised anyway
MOST_DETAILED = 5  # candidates whose purchases are asked for
DETAILS_WITHIN = 0.45  # seconds more that a card may wait for purchases; the name alone is worth more in time
LATER = Pace(0.3, 3.0)  # what fills in a card that is open already
BATCH = 1000  # customers of a full load at once; 7.8 answers at most 2,000
MOST_MERGES = 10  # followed from one party to the next

_EXTENSION = re.compile(r"(?:分机|内线|转|ext\w*|#)\s*[:：.]?\s*(\d{1,6})\b", re.IGNORECASE)

log = structlog.get_logger()


class Customers:
    """Reading parties.

    ``where``: which of them are customers, as a domain of Tryton's. ``types``: the contact mechanisms that may hold a
    number. ``currency``: that of the amounts a card may show.
    """

    def __init__(
        self, desk: Desk, where: Sequence[Any], *, types: Sequence[str], area: str | None, currency: str
    ) -> None:
        self._desk, self._where, self._types, self._area, self._currency = desk, list(where), types, area, currency

    async def find(self, number: Number) -> list[Customer]:
        """Who has this number, with purchases where those came in time. Raises CrmError."""
        terms = Terms.of(number)
        if terms is None:
            return []
        try:
            rows = await self._search(terms)
        except InvalidError as error:
            log.warning("Tryton is another than it was: looking again", error=str(error))
            await self._desk.look_again()
            rows = await self._search(terms)
        found = await self.read(rows)
        callers = {candidate.customer.id for candidate in decide(number, found, self._area).candidates}
        customers = [customer for customer in found if customer.id in callers]
        try:
            async with asyncio.timeout(DETAILS_WITHIN):
                return await self._detailed(customers, LOOKUP)
        except (CrmError, TimeoutError) as error:
            log.warning("a card without purchases", error=str(error) or f"nothing within {DETAILS_WITHIN} s")
            return customers

    async def get(self, customer_id: str) -> Customer | None:
        """The customer of that id, or who replaces it, with everything; None when there is none. Raises CrmError."""
        row = await self._standing(customer_id, await self._paths(), LATER, self._where)
        return None if row is None else next(iter(await self._detailed(await self.read([row]), LATER)))

    async def standing(self, customer_id: str, pace: Pace) -> int:
        """The id of the party that stands for this one now: itself, or what it was merged into. Raises CrmError."""
        row = await self._standing(customer_id, ["id"], pace, ())
        if row is None:
            raise NotFoundError(f"{SYSTEM} has no party {customer_id} (any more)")
        return int(row["id"])

    async def load(self, after: str | None) -> AsyncIterator[tuple[Sequence[Customer], str]]:
        """Every customer by id."""
        paths, last = await self._paths(), record_id(after or "") or 0
        while True:
            rows = await self._desk.rows(PARTY, [["id", ">", last], *self._where], paths, limit=BATCH, pace=BULK)
            if rows:
                last = max(row["id"] for row in rows)
                yield await self.read(rows), str(last)
            if len(rows) < BATCH:
                return

    async def of_ids(self, ids: Sequence[int]) -> list[tuple[Record, Customer]]:
        """The customers among these parties, those put away too, without their purchases. Raises CrmError."""
        paths = [*await self._paths(), "active", "replaced_by", "write_date"]
        rows = await self._desk.rows(PARTY, [["id", "in", list(ids)], ALL, *self._where], paths, pace=BULK)
        return list(zip(rows, await self.read(rows), strict=True))

    async def read(self, rows: Sequence[Record]) -> list[Customer]:
        """The customers of these records."""
        fields = (await self._desk.plan()).fields
        return [self._customer(fields, row) for row in rows]

    def _customer(self, fields: FieldMap, row: Record) -> Customer:
        held = row.get(MECHANISMS)
        mechanisms = [
            {**each, "number": self._number(each)}
            for each in (held if isinstance(held, list) else [])
            if isinstance(each, Mapping) and each.get("type") in self._types
        ]
        customer = fields.customer_of({**row, MECHANISMS: mechanisms}, self._area)
        words = {word.casefold() for word in fields.customer.vip_words}
        marked = any(text.casefold() in words for text in texts(row, fields.customer.vip))  # any category
        return replace(customer, vip=customer.vip or marked)

    def _number(self, mechanism: Mapping[str, Any]) -> str:
        """The number with its extension: Tryton takes none in a number (7.8), so people write it beside."""
        value = str(mechanism.get("value") or "")
        number = identify(value, self._area)
        if number.kind is not Kind.FIXED or number.ext is not None:
            return value
        beside = " ".join(str(mechanism.get(name) or "") for name in ("comment", "name"))
        return f"{value}转{found[1]}" if (found := _EXTENSION.search(beside)) else value

    async def _paths(self) -> list[str]:
        return customer_paths((await self._desk.plan()).fields.customer)

    async def _search(self, terms: Terms) -> list[Record]:
        plan = await self._desk.plan()
        digits = f"%{'%'.join(self._local(terms))}%"  # in their order, whatever stands between them
        numbers = ["OR", ["value_compact", "=", terms.e164], ["value", "like", digits]]
        either: list[Any] = [[MECHANISMS, "where", [["type", "in", list(self._types)], numbers]]]
        own = {path.partition(".")[0] for path in plan.fields.customer.phones} - {MECHANISMS}
        either += [[head, "like", digits] for head in sorted(own) if plan.kind(PARTY, head) in ("char", "text")]
        return await self._desk.rows(PARTY, [*self._where, ["OR", *either]], await self._paths(), limit=MOST_FOUND)

    def _local(self, terms: Terms) -> str:
        """What of the number every spelling has: in our own area people leave the area code out."""
        area = (self._area or "").removeprefix("0")
        national = terms.national
        own = terms.dialled != national and area and national.startswith(area)  # mobiles have no area
        return national[len(area) :] if own else national

    async def _standing(
        self, customer_id: str, paths: Sequence[str], pace: Pace, where: Sequence[Any]
    ) -> Record | None:
        number = record_id(customer_id)
        for _ in range(MOST_MERGES):
            if number is None:
                return None
            wanted = [*paths, "active", "replaced_by"]
            rows = await self._desk.rows(PARTY, [["id", "=", number], ALL, *where], wanted, pace=pace)
            row = next(iter(rows), None)
            if row is None or row.get("active"):
                return row
            number = row.get("replaced_by")
        return None

    async def _detailed(self, customers: Sequence[Customer], pace: Pace) -> list[Customer]:
        """The customers with purchases and contracts."""
        wanted = {customer.id for customer in customers[:MOST_DETAILED]}
        try:
            async with asyncio.TaskGroup() as group:
                bought = {each: group.create_task(self._bought(each, pace)) for each in wanted}
                agreed = {each: group.create_task(self._agreed(each, pace)) for each in wanted}
        except ExceptionGroup as several:
            troubles, slips = several.split(CrmError)
            if slips is not None or troubles is None:
                raise
            raise troubles.exceptions[0] from several
        return [
            replace(each, purchases=bought[each.id].result(), contracts=agreed[each.id].result())
            if each.id in wanted
            else each
            for each in customers
        ]

    async def _bought(self, party: str, pace: Pace) -> tuple[Purchase, ...]:
        plan = await self._desk.plan()
        table = plan.fields.customer.purchases
        if table is None or not table.object:
            return ()
        rows = await self._parts(table, party, plan.bought, pace)
        return plan.fields.purchases_of([self._priced(table, row) for row in rows])

    async def _agreed(self, party: str, pace: Pace) -> tuple[Contract, ...]:
        plan = await self._desk.plan()
        table = plan.fields.customer.contracts
        if table is None or not table.object:
            return ()
        return plan.fields.contracts_of(await self._parts(table, party, [], pace))

    async def _parts(
        self, table: PurchaseMap | ContractMap, party: str, condition: Sequence[Any], pace: Pace
    ) -> list[Record]:
        if isinstance(table, PurchaseMap):
            newest, limit = table.on, CARD_PURCHASES
        else:
            newest, limit = table.until, CARD_CONTRACTS
        order = [(newest.partition(".")[0], "DESC NULLS LAST"), ("id", "DESC")] if newest else [("id", "DESC")]
        domain = [[table.link.partition(".")[0], "=", int(party)], *condition]
        return await self._desk.rows(table.object, domain, part_paths(table), order=order, limit=limit, pace=pace)

    def _priced(self, table: PurchaseMap, row: Record) -> Record:
        """The record, an amount in another currency than ours left out: cards speak of one."""
        names = texts(row, "currency.code")
        if not table.amount or not names or names[0] == self._currency:
            return row
        return {name: value for name, value in row.items() if name != table.amount.partition(".")[0]}
