"""What changed in RT since: users by the numbers of their transactions, tickets by when they were changed.

Tickets are not asked for by a time: TicketSQL reads one in the time zone of our token's user. Their list is gone
through from the one changed last down to those that were told; one that changes meanwhile moves up, and is told next.
"""

import json
from dataclasses import dataclass, replace

from crm.connector import Change, Of, Page, Ref
from crm.http import BULK
from crm.paths import moment
from crm.rt_customers import Customers
from crm.rt_feed import Place, onward
from crm.rt_rest import MOST, Rest, each_of
from crm.rt_tickets import Tickets
from crm.trouble import InvalidError

PAGE = 40  # changed users that are read at once: each is a request


@dataclass(frozen=True, slots=True)
class Walk:
    """Tickets up to ``newest`` are through. In the middle of a round: down to ``floor``, on ``page`` next."""

    newest: float
    floor: float | None = None
    page: int = 1

    def text(self) -> str:
        """As a cursor."""
        return json.dumps([self.newest, self.floor, self.page])

    @classmethod
    def read(cls, text: str) -> "Walk":
        """The walk of a cursor. ValueError when it is none."""
        match json.loads(text):
            case [int() | float() as newest, None | int() | float() as floor, int(page)]:
                return cls(newest, floor, page)
        raise ValueError(f"no cursor of an RT feed: {text[:80]!r}")


class Changes:
    """The feed. ``overlap``: seconds read again."""

    def __init__(self, rest: Rest, customers: Customers, tickets: Tickets | None, overlap: float) -> None:
        self._rest, self._customers, self._tickets, self._overlap = rest, customers, tickets, overlap

    async def start(self, of: Of) -> Page:
        """Nothing, and the cursor of now. Raises CrmError."""
        if of is Of.TICKET and self._tickets is not None:
            found = await self._tickets.page("id > 0", 1, size=1)
            return Page((), Walk(max((_changed(row) for row in found.items), default=0.0)).text())
        query = {"orderby": "id", "order": "DESC", "per_page": "1"}
        rows = (await self._rest.rows("/transactions", query, _users(0), pace=BULK)).items
        return Page((), Place(int(rows[0]["id"]) if rows else 0).text())

    async def page(self, of: Of, cursor: str) -> Page:
        """What comes behind a cursor. Raises CrmError."""
        try:
            if of is Of.TICKET and self._tickets is not None:
                return await self._changed_tickets(self._tickets, Walk.read(cursor))
            return await self._changed_users(Place.read(cursor))
        except ValueError as error:
            raise InvalidError(str(error), "cursor") from error

    async def _changed_users(self, place: Place) -> Page:
        query = {"orderby": "id", "order": "ASC", "per_page": str(PAGE), "fields": "ObjectId,Created"}
        found = await self._rest.rows("/transactions", query, _users(place.after), pace=BULK)
        page = [(int(row["id"]), _time(row.get("Created"))) for row in found.items]
        users = {int(row["id"]): str(row.get("ObjectId")) for row in found.items}
        fresh = place.fresh(page)
        last = {users[number]: number for number in fresh}  # of several changes of a user the last
        made = dict(page)
        read = await each_of(self._customers.get(user, BULK) for user in last)
        changes = [
            Change(Ref(Of.CUSTOMER, user, str(number)), made[number], customer=customer, gone=customer is None)
            for (user, number), customer in zip(last.items(), read, strict=True)
        ]
        now = found.at or max((at for _, at in page), default=0.0)
        onto = onward(place, page, now=now, overlap=self._overlap, more=found.more)
        return Page(tuple(changes), onto.text(), more=onto.at is not None)

    async def _changed_tickets(self, tickets: Tickets, walk: Walk) -> Page:
        found = await tickets.page("id > 0", walk.page, size=MOST)
        floor = walk.newest - self._overlap if walk.floor is None else walk.floor
        newest = max([walk.newest, *(_changed(row) for row in found.items)]) if walk.floor is None else walk.newest
        fresh = [row for row in found.items if _changed(row) >= floor]
        items = [tickets.item(row) for row in reversed(fresh)]
        changes = tuple(Change(item.ref, item.updated, item=item) for item in items)
        if found.more and len(fresh) == len(found.items) and found.items:
            return Page(changes, replace(walk, newest=newest, floor=floor, page=walk.page + 1).text(), more=True)
        return Page(changes, Walk(newest).text())


def _users(after: int) -> list[dict[str, str | int]]:
    return [
        {"field": "id", "operator": ">", "value": after},
        {"field": "ObjectType", "operator": "=", "value": "RT::User"},
    ]


def _changed(row: dict[str, object]) -> float:
    return _time(row.get("LastUpdated"))


def _time(text: object) -> float:
    at = moment(str(text))
    if at is None:
        raise InvalidError(f"no time: {text!r}")
    return at
