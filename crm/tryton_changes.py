"""What changed in Tryton since: parties and their numbers, tickets.

A number that is changed by itself leaves its party's stamp as it was (7.8), so both are watched. Deleted records are
not told: a full comparison finds them.
"""

from dataclasses import dataclass
from typing import Any

from crm.connector import Change, Of, Page, Ref
from crm.customer import Customer
from crm.http import BULK
from crm.trouble import InvalidError
from crm.tryton_customers import Customers
from crm.tryton_desk import Desk, Record
from crm.tryton_feed import MADE, WRITTEN, Place, domain, onward, read_places, text_of
from crm.tryton_plan import MECHANISM, PARTY
from crm.tryton_rpc import SYSTEM
from crm.tryton_tickets import Tickets
from crm.tryton_values import digest, microseconds

PAGE = 500  # changes at once, of each stream


@dataclass(frozen=True, slots=True)
class _Stream:
    """One column of one model to watch. ``whose``: the field that leads to the record it is about, "id" for itself."""

    model: str
    column: str
    whose: str = "id"


class Changes:
    """The feed. ``overlap``: seconds read again."""

    def __init__(self, desk: Desk, customers: Customers, tickets: Tickets, overlap: float) -> None:
        self._desk, self._customers, self._tickets, self._overlap = desk, customers, tickets, overlap

    async def start(self, of: Of) -> Page:
        """Nothing, and the cursor of now: the newest change there is. Raises CrmError."""
        places = []
        for stream in await self._streams(of):
            written = [[stream.column, "!=", None]]
            rows = await self._rows(stream, written, [[stream.column, "DESC"]], 1)
            places.append(Place(max((_at(stream, row) for row in rows), default=0)))
        return Page((), text_of(places))

    async def page(self, of: Of, cursor: str) -> Page:
        """What comes behind a cursor. Raises CrmError."""
        streams = await self._streams(of)
        try:
            places = read_places(cursor, len(streams))
        except ValueError as error:
            raise InvalidError(str(error), "cursor") from error
        between = all(place.at is None for place in places)
        ours = await self._tickets.domain() if of is Of.TICKET else []
        after, ids = [], set()
        for stream, place in zip(streams, places, strict=True):
            if place.at is None and not between:  # through for this round
                after.append(place)
                continue
            condition = [*ours, *domain(stream.column, place, self._overlap)]
            rows = await self._rows(stream, condition, [[stream.column, "ASC"], ["id", "ASC"]], PAGE)
            after.append(onward(place, [(_at(stream, row), row["id"]) for row in rows], PAGE))
            ids |= {row[stream.whose] for row in rows if isinstance(row.get(stream.whose), int)}
        found = await self._read(of, sorted(ids))
        return Page(tuple(found), text_of(after), more=any(place.at is not None for place in after))

    async def _streams(self, of: Of) -> list[_Stream]:
        if of is Of.CUSTOMER:
            watched = [(PARTY, "id"), (MECHANISM, "party")]
        else:
            watched = [((await self._desk.plan()).fields.ticket.object, "id")]
        return [_Stream(model, column, whose) for model, whose in watched for column in (WRITTEN, MADE)]

    async def _rows(self, stream: _Stream, condition: list[Any], order: list[list[str]], limit: int) -> list[Record]:
        asked = list(dict.fromkeys([stream.column, stream.whose]))
        context = {"active_test": False}  # what was put away has changed as well
        found = await self._desk.rpc.call(
            stream.model, "search_read", condition, 0, limit, order, asked, pace=BULK, context=context
        )
        if not isinstance(found, list):
            raise InvalidError(f"{SYSTEM} answered no list of records for {stream.model}")
        return found

    async def _read(self, of: Of, ids: list[int]) -> list[Change]:
        if of is Of.CUSTOMER:
            parts = [ids[start : start + PAGE] for start in range(0, len(ids), PAGE)]
            return [changed(row, customer) for part in parts for row, customer in await self._customers.of_ids(part)]
        items = [seen.item for seen in await self._tickets.seen([str(each) for each in ids]) if seen.item]
        return [Change(item.ref, item.updated, item=item) for item in items]


def changed(row: Record, customer: Customer) -> Change:
    """The change that a party's record tells: put away it is gone, replaced it is merged."""
    into = row.get("replaced_by")
    gone = row.get("active") is False
    return Change(
        Ref(Of.CUSTOMER, customer.id, f"{row.get('write_date')} {digest(row)}"),
        microseconds(row["write_date"]) / 1e6 if row.get("write_date") else None,
        customer=None if gone else customer,
        gone=gone,
        merged=str(into) if gone and isinstance(into, int) else None,
    )


def _at(stream: _Stream, row: Record) -> int:
    return microseconds(row.get(stream.column))
