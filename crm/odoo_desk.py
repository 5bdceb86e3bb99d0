"""Odoo asked and understood: the plan kept up to date, rows made into records that paths can be followed in.

A row names related records as ``[id, name]`` or as ids alone; in a record they are objects with the fields that the
mapping asks for, so that ``category_id.name`` means what it says.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import structlog

from crm.http import LOOKUP, Pace
from crm.odoo_plan import ATTRIBUTES, BOUGHT, PARTNER, Fields, Plan, mapping
from crm.odoo_rpc import SYSTEM, Rpc
from crm.odoo_text import text_of
from crm.trouble import AuthError, InvalidError, NotFoundError

LOOK_AGAIN = 600.0  # seconds that names of tags, stages and colleagues are believed
MOST_PARTS = 500  # related records read at once
MOST_NAMES = 5000  # kept

LAST_ID = 2**31 - 1

Record = dict[str, Any]

log = structlog.get_logger()


class Desk:
    """Where Odoo is asked.

    ``given``: the mapping file. ``tickets``: whether tickets are kept there. ``clock``: epoch seconds.
    """

    def __init__(self, rpc: Rpc, given: Mapping[str, Any], *, tickets: bool, clock: Callable[[], float]) -> None:
        self.rpc, self.given, self._tickets, self._clock = rpc, given, tickets, clock
        self._plan: Plan | None = None
        self._planning = asyncio.Lock()
        self._names: dict[tuple[str, int, str], tuple[float, Record]] = {}

    async def plan(self) -> Plan:
        """What this Odoo has, looked at once. Raises CrmError."""
        if self._plan is None:
            async with self._planning:
                if self._plan is None:
                    self._plan = await self._look()
        return self._plan

    async def look_again(self) -> Plan:
        """What this Odoo has now: another add-on, other rights, another version. Raises CrmError."""
        async with self._planning:
            self._plan = await self._look()
            self._names.clear()
            return self._plan

    async def rows(
        self,
        model: str,
        domain: Sequence[Any],
        paths: Iterable[str],
        *,
        order: str = "id",
        limit: int | None = None,
        pace: Pace = LOOKUP,
        archived: bool = False,
    ) -> list[Record]:
        """The records of a model that meet ``domain``, with what ``paths`` name. Raises CrmError."""
        plan, wanted = await self.plan(), list(paths)
        heads = plan.heads(model, wanted)
        more: dict[str, Any] = {"context": {"active_test": False}} if archived else {}
        if limit is not None:
            more["limit"] = limit
        found = await self.rpc.call(
            model, "search_read", domain=list(domain), fields=heads, order=order, pace=pace, **more
        )
        if not isinstance(found, list) or not all(isinstance(row, dict) and _is_id(row.get("id")) for row in found):
            raise InvalidError(f"{SYSTEM} answered no list of records for {model}")
        for head in heads:
            steps = (path.partition(".") for path in wanted)
            below = {rest for first, _, rest in steps if first == head and rest}
            await self._open(plan.models[model][head], head, below, found, pace)
        return found

    async def _open(
        self, field: Mapping[str, Any], head: str, below: set[str], found: Sequence[Record], pace: Pace
    ) -> None:
        """Put what stands behind a field into the records: ``below`` are the related records' fields asked for."""
        kind = field.get("type")
        if kind == "html":
            for row in found:
                row[head] = text_of(row[head]) if isinstance(row[head], str) else row[head]
        if kind not in ("many2one", "one2many", "many2many"):
            return
        if kind == "many2one" and below <= {"id", "name"}:
            for row in found:
                pair = _pair(row[head])
                row[head] = pair if below or pair is None else pair["name"]
            return
        ids = {number for row in found for number in _ids(row[head])}
        parts = await self._parts(str(field.get("relation", "")), sorted(ids), sorted(below), pace)
        for row in found:
            row[head] = [parts[number] for number in _ids(row[head]) if number in parts]

    async def _parts(self, relation: str, ids: list[int], names: list[str], pace: Pace) -> dict[int, Record]:
        now, asked = self._clock(), ",".join(names)
        known = {
            number: kept[1]
            for number in ids
            if (kept := self._names.get((relation, number, asked))) and now - kept[0] < LOOK_AGAIN
        }
        missing = [number for number in ids if number not in known] if names else []
        if len(self._names) > MOST_NAMES:
            self._names.clear()
        for start in range(0, len(missing), MOST_PARTS):
            domain = [["id", "in", missing[start : start + MOST_PARTS]]]
            found = await self.rpc.call(relation, "search_read", domain=domain, fields=names, pace=pace)
            for row in found:
                part = {name: _pair(value) if _is_pair(value) else value for name, value in row.items()}
                known[row["id"]] = part
                self._names[relation, row["id"], asked] = (now, part)
        return known

    async def _look(self) -> Plan:
        partner = await self._fields(PARTNER)
        first = mapping(self.given, partner, None, None)
        models: dict[str, Fields] = {PARTNER: partner}
        if self._tickets:
            models[first.ticket.object] = await self._named(first.ticket.object)
        bought, condition = await self._bought(first.customer.purchases is not None)
        fields = mapping(self.given, partner, models.get(first.ticket.object), bought)
        for table in (fields.customer.purchases, fields.customer.contracts):
            if table is not None and table.object and table.object not in models:
                models[table.object] = await self._named(table.object)
        return Plan(fields, models, condition, self._tickets)

    async def _bought(self, said: bool) -> tuple[Mapping[str, Any] | None, list[Any]]:  # noqa: FBT001
        """Where purchases are: nothing to find out when the mapping says it."""
        for table, condition in () if said else BOUGHT:
            try:
                await self.rpc.call(table["object"], "search", domain=condition, limit=1)
            except (NotFoundError, AuthError, InvalidError) as error:
                log.debug("no purchases from there", object=table["object"], error=str(error))
            else:
                return table, condition
        return None, []

    async def _named(self, model: str) -> Fields:
        """The fields of a model that the mapping names; none at all where there is no such model."""
        try:
            return await self._fields(model)
        except (NotFoundError, InvalidError):
            return {}

    async def _fields(self, model: str) -> Fields:
        found = await self.rpc.call(model, "fields_get", attributes=list(ATTRIBUTES))
        if not isinstance(found, dict) or not found:
            raise InvalidError(f"{SYSTEM} tells no fields of {model}")
        return found


def record_id(text: str) -> int | None:
    """An id as Odoo counts them; None of a text that can be none."""
    number = int(text) if text.isascii() and text.isdecimal() else 0
    return number if 0 < number <= LAST_ID else None


def _ids(value: Any) -> list[int]:
    """The ids in the value of a related field."""
    if _is_pair(value):
        return [value[0]]
    return [number for number in value if _is_id(number)] if isinstance(value, list) else []


def _pair(value: Any) -> Any:
    return {"id": value[0], "name": value[1]} if _is_pair(value) else None


def _is_pair(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and _is_id(value[0]) and isinstance(value[1], str)  # noqa: PLR2004


def _is_id(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
