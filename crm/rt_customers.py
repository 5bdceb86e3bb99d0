"""Customers in RT: its users, found by the numbers that stand with them.

RT's search leaves out a condition on a field that it does not search, and gives everybody: whatever comes back is
compared here, and a search that brings too many is refused.
"""

from collections.abc import AsyncIterator, Sequence
from typing import Any

from crm.customer import Customer
from crm.fieldmap import FieldMap
from crm.http import BULK, LOOKUP, Pace
from crm.matching import decide
from crm.rt_plan import SYSTEM_USERS, asked_for, customer_paths, in_order, record
from crm.rt_rest import MOST, SYSTEM, Rest, Search, each_of
from crm.terms import Terms
from crm.trouble import InvalidError, NotFoundError
from numbering.number import Number

MOST_FOUND = 100  # behind a number of that many nobody is recognised anyway
LATER = Pace(0.3, 3.0)  # what fills in a card that is open already
NOBODYS = "0000000000000"  # a number that nobody has


class Customers:
    """Reading users. ``typed``: fields with numbers as people write them; ``exact``: custom fields with E.164."""

    def __init__(
        self, rest: Rest, fields: FieldMap, *, typed: Sequence[str], exact: Sequence[str], area: str | None
    ) -> None:
        self._rest, self._fields, self._area = rest, fields, area
        self._typed, self._exact = typed, exact
        self._asked = asked_for(customer_paths(fields))

    async def check(self) -> list[str]:
        """Which of the search fields RT does not search. Raises CrmError."""
        faults = []
        for field in (*self._typed, *map(_custom, self._exact)):
            found = await self._rest.rows("/users", {"per_page": "1"}, [_like(field, NOBODYS)], pace=BULK)
            if found.items:
                faults.append(f"{field!r} is not searched by RT: it overlooks it and gives everybody")
        return faults

    async def find(self, number: Number) -> list[Customer]:
        """Who has this number. Raises CrmError."""
        terms = Terms.of(number)
        if terms is None:
            return []
        asked = [_like(field, in_order(terms)) for field in self._typed]
        asked += [{"field": _custom(field), "operator": "=", "value": terms.e164} for field in self._exact]
        answers = await each_of(self._search([each]) for each in asked)
        found = {customer.id: customer for answer in answers for customer in answer}
        callers = {candidate.customer.id for candidate in decide(number, list(found.values()), self._area).candidates}
        return [customer for key, customer in found.items() if key in callers]

    async def get(self, customer_id: str, pace: Pace = LATER) -> Customer | None:
        """The customer of that id; None when there is none, or a disabled one. Raises CrmError."""
        if not (customer_id.isdecimal() and customer_id.isascii()) or len(customer_id) > 10:  # noqa: PLR2004
            return None
        try:
            row = (await self._rest.ask("GET", f"/user/{customer_id}", pace=pace)).json_object()
        except NotFoundError:
            return None
        if str(row.get("Disabled", "0")) != "0" or row.get("Name") in SYSTEM_USERS:
            return None
        if "Name" not in row:
            raise InvalidError(f"{SYSTEM} tells nothing of user {customer_id}: our token's user needs AdminUsers")
        return self._customer(row)

    async def load(self, after: str | None) -> AsyncIterator[tuple[Sequence[Customer], str]]:
        """Every customer by id.

        RT cannot be asked for ids above another, only for pages of its list, and a user disabled meanwhile moves those
        behind it forward. So every page begins with somebody who was read already: when none is, it is stepped back.
        """
        last, count = _place(after)
        while True:
            size, page = _window(count)
            query = {"orderby": "id", "per_page": str(size), "page": str(page), "fields": self._asked}
            found = await self._rest.rows("/users", query, pace=BULK)
            rows = [(_number(row), row) for row in found.items]
            start = size * (page - 1)
            if (
                found.total is not None and 0 < found.total <= start
            ):  # the list has become shorter: this is its last page
                count = found.total
                continue
            if count and start and (not rows or rows[0][0] > last):
                count = max(0, start - size)
                continue
            new = [(number, row) for number, row in rows if number > last]
            count = start + len(rows)
            if new:
                last = new[-1][0]
                yield [self._customer(row) for _, row in new if row.get("Name") not in SYSTEM_USERS], f"{last} {count}"
            if not found.more or (not new and not rows):
                return

    async def _search(self, search: Search) -> list[Customer]:
        found = await self._rest.rows("/users", {"per_page": str(MOST), "fields": self._asked}, search, pace=LOOKUP)
        if found.more or (found.total or 0) > MOST_FOUND:
            raise InvalidError(
                f"{SYSTEM} gives {found.total} users for one number: it overlooks the field {search[0]['field']}"
            )
        return [self._customer(row) for row in found.items]

    def _customer(self, row: dict[str, Any]) -> Customer:
        return self._fields.customer_of(record(row), self._area)


def _like(field: str, digits: str) -> dict[str, str | int]:
    return {"field": field, "operator": "LIKE", "value": digits}


def _custom(name: str) -> str:
    return f"CustomField.{{{name}}}"


def _number(row: dict[str, Any]) -> int:
    number = str(row["id"])
    if not number.isdecimal():
        raise InvalidError(f"{SYSTEM} gives users without numbers: our token's user needs AdminUsers", "id")
    return int(number)


def _place(after: str | None) -> tuple[int, int]:
    """(The last id read, about how many there are up to it)."""
    parts = (after or "0 0").split()
    if len(parts) != 2 or not all(part.isdecimal() for part in parts):  # noqa: PLR2004
        raise InvalidError(f"no place in a load from {SYSTEM}: {after!r}")
    return int(parts[0]), int(parts[1])


def _window(count: int) -> tuple[int, int]:
    """(Rows a page, which page): the page that begins at most one row before those not read, or a little more."""
    if not count:
        return MOST, 1
    size = max(range(MOST // 2, MOST + 1), key=lambda each: ((count - 1) // each * each, each))
    return size, (count - 1) // size + 1
