"""No change of a user is missed, whatever lies between two questions; none is told twice; a round ends."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.rt_feed import MOST_REMEMBERED, Place, onward

OVERLAP = 10.0
LIMIT = 3


def a_round(rows: list[tuple[int, float]], place: Place, now: float) -> tuple[list[int], Place]:
    """All that a round tells of (number, when it was made)."""
    told: list[int] = []
    for _ in range(1000):
        behind = sorted(row for row in rows if row[0] > place.after)
        page, more = behind[:LIMIT], len(behind) > LIMIT
        told += place.fresh(page)
        place = Place.read(onward(place, page, now=now, overlap=OVERLAP, more=more).text())
        if place.at is None:
            return told, place
    raise AssertionError("the round does not end")


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 40), st.floats(0, OVERLAP - 1)), max_size=25), st.lists(st.integers(0, 60)))
def test_every_change_is_told_once(made: list[tuple[int, float]], looks: list[int]) -> None:
    """Numbers are given out as changes begin, seen when they end up to an overlap later; looked at whenever."""
    rows = [
        (number, float(began), began + took)
        for number, (began, took) in enumerate(sorted(made, key=lambda row: row[0]), 1)
    ]
    place, told = Place(0), []
    for now in (*sorted(looks), 200):
        found, place = a_round([(number, began) for number, began, seen in rows if seen <= now], place, float(now))
        told += found
    assert sorted(told) == [number for number, _, _ in rows]


def test_what_is_through_is_not_kept() -> None:
    """A quiet hour leaves a number behind and no list."""
    told, place = a_round([(number, number / 10) for number in range(1, 40)], Place(0), 5.0)
    assert (len(told), place.floor, len(place.told)) == (39, 0, 39)
    told, place = a_round([(number, number / 10) for number in range(1, 40)], place, 100.0)
    assert (told, place) == ([], Place(39))


def test_an_import_does_not_make_the_cursor_endless() -> None:
    """The oldest are settled before their time."""
    many = 2 * MOST_REMEMBERED
    page = [(number, 1.0) for number in range(1, many + 1)]
    place = onward(Place(0), page, now=1.0, overlap=OVERLAP, more=False)
    assert (place.floor, len(place.told), place.at) == (many - MOST_REMEMBERED, MOST_REMEMBERED, None)


@pytest.mark.parametrize("text", ["", "null", "[]", "[1,2,3]", "[1,[],1.5]", '["1",[],null]', "[1,[true],null]"])
def test_a_cursor_that_is_none_is_refused(text: str) -> None:
    """Rather than begun anew, which would miss what lies between."""
    with pytest.raises(ValueError, match=r"cursor|Expecting"):
        Place.read(text)
