"""Where we are in RT's transactions, which number every change of a user. Pure.

Numbers are given out when a change begins and seen when it ends: a slow one shows itself behind those that came after.
So transactions younger than an overlap are read again, and those told already are remembered by number.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

MOST_REMEMBERED = 5000  # told lately; beyond them the oldest are settled before their time


@dataclass(frozen=True, slots=True)
class Place:
    """All up to ``floor`` are through; of those above, ``told`` were told. ``at``: amid a round, up to here."""

    floor: int
    told: tuple[int, ...] = ()
    at: int | None = None

    def text(self) -> str:
        """As a cursor."""
        return json.dumps([self.floor, list(self.told), self.at], separators=(",", ":"))

    @classmethod
    def read(cls, text: str) -> "Place":
        """The place of a cursor. ValueError when it is none."""
        found = json.loads(text)
        match found:
            case [int(floor), list(told), None | int() as at] if all(type(each) is int for each in told):
                return cls(floor, tuple(told), at)
        raise ValueError(f"no cursor of an RT feed: {text[:80]!r}")

    @property
    def after(self) -> int:
        """The number behind which the next page begins."""
        return self.floor if self.at is None else self.at

    def fresh(self, page: Sequence[tuple[int, float]]) -> list[int]:
        """Those of a page that were not told yet."""
        known = set(self.told)
        return [number for number, _ in page if number not in known]


def onward(place: Place, page: Sequence[tuple[int, float]], *, now: float, overlap: float, more: bool) -> Place:
    """The place after a page of (number, when it was made) by number; ``now`` is RT's clock."""
    told = sorted({*place.told, *(number for number, _ in page)})
    if more and page:
        return replace(place, told=tuple(told), at=page[-1][0])
    return _settled(Place(place.floor, tuple(told)), page, now - overlap)


def _settled(place: Place, page: Sequence[tuple[int, float]], before: float) -> Place:
    """Numbers made before then are through. Of those told on earlier pages of the round the younger page tells."""
    floor = place.floor
    old = [number for number, made in page if made <= before]
    young = [number for number, made in page if made > before]
    if page:
        limit = min(young, default=page[-1][0] + 1)
        floor = max([floor, *(number for number in old if number < limit)])
    kept = [number for number in place.told if number > floor]
    if len(kept) > MOST_REMEMBERED:
        floor = kept[-MOST_REMEMBERED - 1]
        kept = kept[-MOST_REMEMBERED:]
    return Place(floor, tuple(kept))
