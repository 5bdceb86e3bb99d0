"""Where a feed of changes stands, and what to ask next so that no change is missed. Pure.

Odoo marks a record with the start of the transaction that wrote it, and tells it in whole seconds: with ``>`` a cursor
lost 39 of 52 changes, with ``>=`` one, with ten seconds read again none (19.0, four writers and a slow one). So each
round begins an overlap before the newest change seen. Within a round it goes on by time; a page that lies in one second
altogether, as an import writes them, is gone through by id.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

_FORMAT = "%Y-%m-%d %H:%M:%S"


@dataclass(frozen=True, slots=True)
class Place:
    """A cursor. Times are whole epoch seconds.

    ``newest``: the newest change seen. ``at``: where a round that is not over goes on, None between rounds; ``after``:
    the id within that very second, None where it goes on by time. ``note``: the last note looked through for merges.
    """

    newest: int
    at: int | None = None
    after: int | None = None
    note: int = 0

    def text(self) -> str:
        """As a cursor is kept."""
        return json.dumps([self.newest, self.at, self.after, self.note])

    @classmethod
    def read(cls, text: str) -> "Place":
        """A cursor that :meth:`text` gave. ValueError when it is none."""
        found = json.loads(text)
        if not isinstance(found, list) or len(found) != 4 or not all(each is None or _whole(each) for each in found):  # noqa: PLR2004
            raise ValueError(f"no cursor of an Odoo feed: {text[:80]!r}")
        newest, at, after, note = found
        if newest is None or note is None:
            raise ValueError(f"no cursor of an Odoo feed: {text[:80]!r}")
        return cls(newest, at, after, note)


def domain(place: Place, overlap: float) -> tuple[list[Any], str]:
    """The condition and the order of the next page."""
    start = place.newest - int(overlap) if place.at is None else place.at
    since = ["write_date", ">=", stamp(start)]
    if place.after is None:
        return [since], "write_date, id"
    return [since, ["write_date", "<", stamp(start + 1)], ["id", ">", place.after]], "id"


def onward(place: Place, overlap: float, page: Sequence[tuple[int, int]], limit: int) -> Place:
    """The place after a page of (write_date, id) in its order; ``at`` is None when the round is over."""
    start = place.newest - int(overlap) if place.at is None else place.at
    newest = max([place.newest, *(at for at, _ in page)])
    full = len(page) >= limit
    if place.after is not None:
        if full:
            return replace(place, newest=newest, after=page[-1][1])
        return replace(place, newest=newest, at=start + 1, after=None)  # that second is through
    if not full:
        return replace(place, newest=newest, at=None)
    last = page[-1][0]
    if last > page[0][0]:
        return replace(place, newest=newest, at=last)  # those of the last second once more: some may be behind it
    return replace(place, newest=newest, at=last, after=0)


def stamp(at: float) -> str:
    """A time as Odoo compares it."""
    return datetime.fromtimestamp(at, UTC).strftime(_FORMAT)


def seconds(text: Any) -> int:
    """A time that Odoo told. ValueError when it is none."""
    return int(datetime.strptime(str(text)[:19], _FORMAT).replace(tzinfo=UTC).timestamp())


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
