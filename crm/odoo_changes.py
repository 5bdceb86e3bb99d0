"""What changed in Odoo since: contacts, tasks, and contacts merged into others.

Deleted records are not told by anything that an ordinary user may read: a full comparison finds them.
"""

import re
from collections.abc import Mapping
from typing import Any

from crm.connector import Change, Of, Page, Ref
from crm.customer import Customer
from crm.http import BULK
from crm.odoo_customers import Customers
from crm.odoo_desk import Desk
from crm.odoo_feed import Place, domain, onward, seconds
from crm.odoo_plan import PARTNER
from crm.odoo_text import text_of
from crm.odoo_tickets import MESSAGE, Tickets
from crm.trouble import InvalidError

PAGE = 500  # changes at once
NOTES_AGAIN = 1000  # ids of messages looked through again for merges: transactions commit out of order
_MERGED = re.compile(r"\(ID (\d+)\)")


class Changes:
    """The feed. ``overlap``: seconds read again."""

    def __init__(self, desk: Desk, customers: Customers, tickets: Tickets, overlap: float) -> None:
        self._desk, self._customers, self._tickets, self._overlap = desk, customers, tickets, overlap

    async def start(self, of: Of) -> Page:
        """Nothing, and the cursor of now. Raises CrmError."""
        return Page((), (await self._now(of)).text())

    async def page(self, of: Of, cursor: str) -> Page:
        """What comes behind a cursor. Raises CrmError."""
        try:
            place = Place.read(cursor)
        except ValueError as error:
            raise InvalidError(str(error), "cursor") from error
        found, page = await (self._contacts(place) if of is Of.CUSTOMER else self._tasks(place))
        onto = onward(place, self._overlap, page, PAGE)
        if onto.at is None and of is Of.CUSTOMER:
            merged, note = await self._merged(place.note)
            return Page((*found, *merged), Place(onto.newest, note=note).text())
        return Page(tuple(found), onto.text(), more=onto.at is not None)

    async def _contacts(self, place: Place) -> tuple[list[Change], list[tuple[int, int]]]:
        condition, order = domain(place, self._overlap)
        found = await self._customers.written(condition, order, PAGE)
        return [changed(row, customer) for row, customer in found], [_written(row) for row, _ in found]

    async def _tasks(self, place: Place) -> tuple[list[Change], list[tuple[int, int]]]:
        condition, order = domain(place, self._overlap)
        fields = (await self._desk.plan()).fields
        rows = await self._desk.rows(
            fields.ticket.object,
            [*await self._tickets.domain(), *condition],
            self._tickets.paths(fields),
            order=order,
            limit=PAGE,
            pace=BULK,
            archived=True,
        )
        items = [self._tickets.item(fields, row) for row in rows]
        return [Change(item.ref, item.updated, item=item) for item in items], [_written(row) for row in rows]

    async def _merged(self, after: int) -> tuple[list[Change], int]:
        """Contacts that were merged into others, and the last message looked at.

        19.0 posts a note "... (ID 12)" on the one that is left. Anybody may write such words, so a contact that is
        still there is none of them.
        """
        newest = await self._newest_message()
        told = await self._desk.rpc.call(
            MESSAGE,
            "search_read",
            domain=[
                ["id", ">", after - NOTES_AGAIN],
                ["model", "=", PARTNER],
                ["message_type", "=", "notification"],
                ["body", "ilike", "(ID "],
            ],
            fields=["body", "res_id"],
            order="id",
            limit=PAGE,
            pace=BULK,
        )
        into = {
            int(number): str(row["res_id"])
            for row in told
            for number in _MERGED.findall(text_of(str(row.get("body") or "")))
        }
        if len(told) == PAGE:
            newest = min(newest, told[-1]["id"])
        if not into:
            return [], newest
        there = await self._desk.rpc.call(
            PARTNER, "search", domain=[["id", "in", sorted(into)]], context={"active_test": False}, pace=BULK
        )
        gone = {number: left for number, left in into.items() if number not in there}
        return [
            Change(Ref(Of.CUSTOMER, str(number), f"merged into {left}"), None, gone=True, merged=left)
            for number, left in gone.items()
        ], newest

    async def _newest_message(self) -> int:
        found = await self._desk.rpc.call(MESSAGE, "search", domain=[], order="id desc", limit=1, pace=BULK)
        return int(found[0]) if found else 0

    async def _now(self, of: Of) -> Place:
        """The place that a feed begins at: the newest change there is."""
        model = PARTNER if of is Of.CUSTOMER else (await self._desk.plan()).fields.ticket.object
        rows = await self._desk.rows(model, [], ["write_date"], order="write_date desc", limit=1, pace=BULK)
        newest = max((_written(row)[0] for row in rows), default=0)
        return Place(newest, note=await self._newest_message() if of is Of.CUSTOMER else 0)


def changed(row: Mapping[str, Any], customer: Customer) -> Change:
    """The change that a contact's record tells: archived it is gone."""
    at = str(row.get("write_date"))
    ref = Ref(Of.CUSTOMER, customer.id, at)
    gone = row.get("active") is False
    return Change(ref, float(_written(row)[0]), customer=None if gone else customer, gone=gone)


def _written(row: Mapping[str, Any]) -> tuple[int, int]:
    return seconds(row.get("write_date")), int(row["id"])
