"""No change is missed, whatever lies between two questions; and a round ends."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.odoo_feed import Place, domain, onward, seconds, stamp

NOW = 1795312800
LIMIT = 4


def page(rows: list[tuple[float, int]], place: Place, overlap: float) -> list[tuple[int, int]]:
    """What Odoo answers: it compares with all its digits and tells whole seconds."""
    condition, order = domain(place, overlap)
    for field, sign, value in condition:
        bound = value if field == "id" else seconds(value)
        rows = [
            (at, number)
            for at, number in rows
            for held in (number if field == "id" else at,)
            if {">=": held >= bound, "<": held < bound, ">": held > bound}[sign]
        ]
    rows.sort(key=lambda row: (row[1],) if order == "id" else row)
    return [(int(at), number) for at, number in rows[:LIMIT]]


def a_round(rows: list[tuple[float, int]], place: Place, overlap: float) -> tuple[list[int], Place]:
    """All that a round brings."""
    found: list[int] = []
    for _ in range(1000):
        part = page(list(rows), place, overlap)
        found += [number for _, number in part]
        place = Place.read(onward(place, overlap, part, LIMIT).text())
        if place.at is None:
            return found, place
    raise AssertionError("the round does not end")


@given(st.lists(st.integers(0, 60), max_size=40), st.integers(0, 9), st.data())
def test_every_change_since_is_told(ticks: list[int], overlap: int, data: st.DataObject) -> None:
    """Many in one second, in any order of ids; times a tenth of a second apart."""
    ids = data.draw(st.permutations(range(1, len(ticks) + 1)))
    rows = [(NOW + tick / 10, number) for tick, number in zip(ticks, ids, strict=True)]
    found, place = a_round(rows, Place(NOW), overlap)
    assert set(found) == set(ids)
    assert place.newest == max([NOW, *(int(at) for at, _ in rows)])


def test_what_was_committed_late_is_told_by_the_overlap() -> None:
    """Stamped with its transaction's start, seen first when the cursor was beyond it already."""
    quick = [(NOW + second, second) for second in range(1, 30)]
    _, place = a_round(list(quick), Place(NOW), 10)
    late = [*quick, (NOW + 25.5, 99)]
    assert 99 in a_round(list(late), place, 10)[0]
    assert 99 not in a_round(list(late), place, 1)[0]


def test_an_import_of_one_second_is_gone_through_by_id() -> None:
    """More of one time than a page holds."""
    rows = [(NOW + 5.25, number) for number in range(1, 40)] + [(NOW + 6.0, 77)]
    found, place = a_round(list(rows), Place(NOW), 3)
    assert {*range(1, 40), 77} == set(found)
    assert (place.newest, place.at, place.after) == (NOW + 6, None, None)


@pytest.mark.parametrize(
    "text", ["", "null", "[]", "[1,2,3]", "[null,1,1,1]", '["1",null,null,0]', "[1,null,null,null]"]
)
def test_a_cursor_that_is_none_is_refused(text: str) -> None:
    """Rather than begun anew, which would miss what lies between."""
    with pytest.raises(ValueError, match=r"cursor|Expecting"):
        Place.read(text)


def test_times_are_odoos() -> None:
    """UTC, in seconds; a version with more digits too."""
    assert stamp(NOW) == "2026-11-22 02:00:00"
    assert seconds("2026-11-22 02:00:00.123456") == NOW
    assert json.loads(Place(NOW, note=7).text()) == [NOW, None, None, 7]
