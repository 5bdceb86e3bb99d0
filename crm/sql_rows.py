"""Rows of somebody else's database as records that a mapping reads, and where a feed of them stands. Pure."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, tzinfo
from typing import Any
from urllib.parse import quote

from crm.connector import Change, Item, Of, Ref
from crm.customer import Customer
from crm.fieldmap import FieldMap
from crm.paths import first, moment
from crm.sql_plan import SqlPlan
from crm.sql_statement import Statement
from crm.trouble import InvalidError

_NEEDED = {"customer": ("id", "name", "phones"), "ticket": ("id", "title", "status")}


@dataclass(frozen=True, slots=True)
class Mark:
    """Where a feed stands: ``seen`` is the newest change read, by their clock. Within a round: from where, how many."""

    seen: float
    position: float | None = None
    limit: int | None = None

    @classmethod
    def read(cls, cursor: str) -> "Mark":
        """Of a cursor. InvalidError of one that is none of ours."""
        try:
            return cls(**json.loads(cursor))
        except (ValueError, TypeError) as error:
            raise InvalidError(f"SQL: no cursor of ours: {cursor[:80]!r}") from error

    def __str__(self) -> str:
        return json.dumps({name: value for name, value in asdict(self).items() if value is not None})


@dataclass(frozen=True, slots=True)
class Reading:
    """How rows are read. ``zone``: of times without one; ``area``: of numbers without an area code."""

    plan: SqlPlan
    map: FieldMap
    zone: tzinfo
    area: str | None

    def customers(self, rows: Sequence[Mapping[str, Any]]) -> list[Customer]:
        """The customers of these rows, in their order; several rows of one are several of its numbers."""
        found: dict[str, Customer] = {}
        for row in map(self.record, rows):
            customer = self.map.customer_of(row, self.area)
            if (known := found.get(customer.id)) is not None:
                customer = replace(known, phones=tuple(dict.fromkeys((*known.phones, *customer.phones))))
            found[customer.id] = customer
        return list(found.values())

    def items(self, rows: Sequence[Mapping[str, Any]]) -> list[Item]:
        """The tickets of these rows."""
        return [self._item(self.record(row)) for row in rows]

    def changes(self, of: Of, rows: Sequence[Mapping[str, Any]]) -> list[Change]:
        """The changes of these rows. InvalidError when one does not say when it was, or they are out of order."""
        if of is Of.CUSTOMER:
            whole = {customer.id: customer for customer in self.customers(rows)}
        found: list[Change] = []
        for row in map(self.record, rows):
            at = self.when(row.get(self.plan.updated))
            if at is None:
                raise InvalidError(f"SQL: a change has no time in {self.plan.updated!r}", "updated")
            if found and found[-1].at is not None and at < found[-1].at:
                raise InvalidError(f"SQL: changes must come oldest first: ORDER BY {self.plan.updated}", "updated")
            table = self.map.customer if of is Of.CUSTOMER else self.map.ticket
            ref = Ref(of, first(row, (table.id,)) or "", first(row, (table.version,)) or f"{at:.6f}")
            merged = first(row, (self.plan.merged,))
            if merged is not None or first(row, (self.plan.gone,)) is not None:
                found.append(Change(ref, at, gone=True, merged=merged))
            elif of is Of.CUSTOMER:
                found.append(Change(ref, at, customer=whole[ref.id]))
            else:
                found.append(Change(ref, at, item=self._item(row)))
        return found

    def record(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """A row: times with their zone, texts for bytes, JSON taken apart where the mapping looks into it."""
        inside = {
            table.within.partition(".")[0]
            for table in (self.map.customer.purchases, self.map.customer.contracts)
            if table is not None and table.within
        }
        return {name: self._value(value, inside=name in inside) for name, value in row.items()}

    def when(self, value: Any) -> float | None:
        """Epoch seconds of a time as a database has it, or of a text or a number."""
        if isinstance(value, datetime):
            return value.timestamp()
        if isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
        try:
            read = datetime.fromisoformat(str(value))
        except ValueError:
            return moment(None if value is None else str(value))
        return (read if read.tzinfo else read.replace(tzinfo=self.zone)).timestamp()

    def faults(self, said: Mapping[str, Any], kind: str, statement: Statement, columns: Sequence[str]) -> Iterator[str]:
        """What the mapping wants of a statement and its columns lack. ``said``: the mapping as the file has it."""
        twice = sorted({name for name in columns if columns.count(name) > 1})
        if twice:
            yield f"{statement.name} has several columns {', '.join(twice)}: give them names of their own"
        wrong = self.map.wrong_names({kind: dict.fromkeys(columns)})  # type: ignore[dict-item]  # only names are looked at
        phones = self.map.customer.phones
        for fault in wrong:
            place, _, text = fault.partition(": ")
            if f"there is no {kind!r}" in text or not text.startswith(f"{kind} has no "):
                continue
            field = place.rpartition(".")[2]
            if field == "phones" and not _is_said(said, place) and set(phones) & set(columns):
                continue
            if field in _NEEDED.get(kind, ("what",)) or _is_said(said, place):
                yield f"{statement.name} has no column for {place}: {text.removeprefix(f'{kind} has no ')}"

    def _item(self, row: Mapping[str, Any]) -> Item:
        item = self.map.item_of(row)
        url = self.plan.ticket_url
        updated = self.when(row[self.map.ticket.updated]) if self.map.ticket.updated in row else None
        return replace(item, updated=updated, url=url.replace("{id}", quote(item.ref.id, safe="")) if url else None)

    def _value(self, value: Any, *, inside: bool) -> Any:
        if isinstance(value, datetime) and value.tzinfo is None:
            return value.replace(tzinfo=self.zone)
        if isinstance(value, datetime):
            return value.astimezone(self.zone)
        if isinstance(value, bytes | bytearray | memoryview):
            value = bytes(value).decode("utf-8", "replace")
        if inside and isinstance(value, str):
            try:
                return json.loads(value)
            except ValueError:
                return value
        return value


def at(moment_: float) -> datetime:
    """A moment with its zone."""
    return datetime.fromtimestamp(moment_, UTC)


def _is_said(said: Mapping[str, Any], place: str) -> bool:
    within: Any = said
    for step in place.split("."):
        if not isinstance(within, Mapping) or step not in within:
            return False
        within = within[step]
    return True
