"""Where a feed of changes stands, and what to ask next so that no change is missed. Pure.

Tryton stamps a record with the start of the transaction that wrote it, in microseconds: ``create_date`` when it is
made, ``write_date`` from its first change on, empty until then. So each kind of record is read as two streams, one a
column. Every round begins an overlap before the newest change seen, as a slow transaction shows up behind it, and goes
on by (time, id), so that an import of one transaction is gone through as well.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from crm.tryton_values import time_of

WRITTEN, MADE = "write_date", "create_date"
_SECOND = 1_000_000


@dataclass(frozen=True, slots=True)
class Place:
    """Where one stream stands; times in microseconds since the epoch.

    ``newest``: the newest change seen. ``at``: the time and the id that a round which is not over goes on behind.
    """

    newest: int = 0
    at: tuple[int, int] | None = None


def text_of(places: Sequence[Place]) -> str:
    """A cursor, as it is kept."""
    return json.dumps([[place.newest, *(place.at or ())] for place in places])


def read_places(cursor: str, streams: int) -> list[Place]:
    """The places of a cursor. ValueError when it is none of a feed of so many streams."""
    held = json.loads(cursor)
    if not isinstance(held, list) or len(held) != streams or not all(map(_fits, held)):
        raise ValueError(f"no cursor of a Tryton feed: {cursor[:80]!r}")
    return [Place(each[0], (each[1], each[2]) if len(each) > 1 else None) for each in held]


def domain(column: str, place: Place, overlap: float) -> list[Any]:
    """The condition of the next page, to be asked for in the order of (``column``, id)."""
    condition: list[Any]
    if place.at is None:
        condition = [[column, ">=", time_of(place.newest - int(overlap * _SECOND))]]
    else:
        at, number = place.at
        behind = [[column, "=", time_of(at)], ["id", ">", number]]
        condition = [["OR", [[column, ">", time_of(at)]], behind]]
    return condition if column == WRITTEN else [*condition, [WRITTEN, "=", None]]


def onward(place: Place, page: Sequence[tuple[int, int]], limit: int) -> Place:
    """The place after a page of (time, id) in its order; ``at`` is None when the round is over."""
    newest = max([place.newest, *(at for at, _ in page)])
    return Place(newest, page[-1]) if len(page) >= limit else replace(place, newest=newest, at=None)


def _fits(held: Any) -> bool:
    whole = isinstance(held, list) and all(isinstance(each, int) and not isinstance(each, bool) for each in held)
    return whole and len(held) in (1, 3)
