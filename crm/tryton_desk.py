"""Tryton asked and understood: the plan kept up to date, and records read as paths name them."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import structlog

from crm.fieldmap import PurchaseMap
from crm.http import LOOKUP, Pace
from crm.trouble import AuthError, InvalidError, NotFoundError
from crm.tryton_plan import (
    BOUGHT,
    PARTY,
    SOLD,
    Fields,
    Plan,
    customer_paths,
    mapping,
    missing,
    part_paths,
    ticket_paths,
)
from crm.tryton_rpc import SYSTEM, Rpc

LOOKING = Pace(0.3, 4.0)  # at the fields of a model: hundreds of them, seldom
ALL = ["active", "in", [True, False]]  # records put away as well; numbers put away stay away

Record = dict[str, Any]

log = structlog.get_logger()


class Desk:
    """Where Tryton is asked. ``given``: the mapping file. ``tickets``: whether tickets are kept there."""

    def __init__(self, rpc: Rpc, given: Mapping[str, Any], *, tickets: bool) -> None:
        self.rpc, self._given, self._tickets = rpc, given, tickets
        self._plan: Plan | None = None
        self._planning = asyncio.Lock()

    async def plan(self) -> Plan:
        """What this Tryton has, looked at once. Raises CrmError."""
        if self._plan is None:
            async with self._planning:
                if self._plan is None:
                    self._plan = await self._look()
        return self._plan

    async def look_again(self) -> Plan:
        """What this Tryton has now: another module, other rights, another version. Raises CrmError."""
        async with self._planning:
            self._plan = await self._look()
            return self._plan

    async def rows(
        self,
        model: str,
        domain: Sequence[Any],
        paths: Iterable[str],
        *,
        order: Sequence[tuple[str, str]] = (("id", "ASC"),),
        limit: int | None = None,
        pace: Pace = LOOKUP,
        context: Mapping[str, Any] | None = None,
    ) -> list[Record]:
        """The records of a model that meet ``domain``, with what ``paths`` name. Raises CrmError."""
        asked = (await self.plan()).asked(model, paths)
        found = await self.rpc.call(
            model, "search_read", list(domain), 0, limit, list(order), asked, pace=pace, context=context
        )
        if not isinstance(found, list) or not all(isinstance(row, dict) and _is_id(row.get("id")) for row in found):
            raise InvalidError(f"{SYSTEM} answered no list of records for {model}")
        for row in found:
            if "write_date" in row and row["write_date"] is None:  # until its first change
                row["write_date"] = row.get("create_date")
        return found

    async def wrong_names(self) -> list[str]:
        """What the mapping names and this Tryton has not, below related records too. Raises CrmError."""
        plan = await self.look_again()
        faults = plan.wrong_names()
        below = plan.below()
        models = {model: await self._named(model) for model in dict.fromkeys(model for _, model, _ in below)}
        faults += [
            missing(place, model, name, models[model]) for place, model, name in below if name not in models[model]
        ]
        customer = plan.fields.customer
        paths = {PARTY: customer_paths(customer)}
        if plan.tickets:
            paths[plan.fields.ticket.object] = ticket_paths(plan.fields.ticket)
        for table in (customer.purchases, customer.contracts):
            if table is not None and table.object:
                paths[table.object] = part_paths(table)
        if plan.tickets and plan.has(plan.fields.ticket.object, "company") and self.rpc.company is None:
            faults.append("our user has no company in its preferences: it sees and makes no tickets")
        for model, wanted in paths.items():
            try:
                if not faults:
                    await self.rows(model, [], wanted, limit=1, pace=LOOKING)
            except InvalidError as error:
                faults.append(f"{model} cannot be read as the mapping has it: {error}")
        return faults

    async def _look(self) -> Plan:
        preferences = await self.rpc.preferences(LOOKING)
        company = preferences.get("company") if isinstance(preferences, Mapping) else None
        self.rpc.company = company if _is_id(company) else None
        first = mapping(self._given, None)
        models: dict[str, Fields] = {PARTY: await self._fields(PARTY)}
        bought: Mapping[str, Any] | None = None
        if first.customer.purchases is None and await self._sells():
            bought = BOUGHT
        fields = mapping(self._given, bought)
        named = [table.object for table in (fields.customer.purchases, fields.customer.contracts) if table is not None]
        for model in [*([fields.ticket.object] if self._tickets else []), *named]:
            if model and model not in models:
                models[model] = await self._named(model)
        return Plan(fields, models, list(SOLD) if bought else [], self._tickets)

    async def _sells(self) -> bool:
        """Whether there are sales that our user may read."""
        try:
            paths = part_paths(_sales())
            await self.rpc.call("sale.sale", "search_read", list(SOLD), 0, 1, None, paths, pace=LOOKING)
        except (NotFoundError, AuthError, InvalidError) as error:
            log.debug("no purchases", error=str(error))
            return False
        return True

    async def _named(self, model: str) -> Fields:
        """The fields of a model that the mapping names; none at all where there is no such model."""
        try:
            return await self._fields(model)
        except (NotFoundError, InvalidError):
            return {}

    async def _fields(self, model: str) -> Fields:
        found = await self.rpc.call(model, "fields_get", [], pace=LOOKING)
        if not isinstance(found, dict) or not found:
            raise InvalidError(f"{SYSTEM} tells no fields of {model}")
        return found


def _sales() -> PurchaseMap:
    return PurchaseMap.model_validate(BOUGHT)


def _is_id(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
