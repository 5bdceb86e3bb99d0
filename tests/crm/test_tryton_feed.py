"""No change is missed, whatever lies between two questions; and a round ends."""

import json
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.tryton_feed import MADE, WRITTEN, Place, domain, onward, read_places, text_of
from crm.tryton_values import microseconds, readable

NOW = 1795312800_000000
LIMIT = 4


@dataclass(frozen=True)
class Row:
    """A record of Tryton's: ``write_date`` is empty until its first change."""

    id: int
    create_date: int
    write_date: int | None


def holds(row: Row, condition: list[object]) -> bool:
    """Whether a record meets a condition, as Tryton understands one."""
    if condition[0] == "OR":
        return any(all(holds(row, each) for each in part) for part in condition[1:] if isinstance(part, list))
    field, sign, value = condition
    assert isinstance(field, str)
    held = getattr(row, field)
    if value is None:
        return (held is None) is (sign == "=")
    bound = microseconds(readable(value)) if isinstance(value, dict) else value
    return held is not None and {">=": held >= bound, ">": held > bound, "=": held == bound}[str(sign)]


def a_round(rows: list[Row], places: list[Place], overlap: float) -> tuple[set[int], list[Place]]:
    """All that a round brings, both streams gone through page by page."""
    found, after = set[int](), list[Place]()
    for column, start in zip((WRITTEN, MADE), places, strict=True):
        place = start
        for _ in range(1000):
            held = [row for row in rows if all(holds(row, each) for each in domain(column, place, overlap))]
            held.sort(key=lambda row: (getattr(row, column), row.id))
            page = [(getattr(row, column), row.id) for row in held[:LIMIT]]
            found |= {number for _, number in page}
            [place] = read_places(text_of([onward(place, page, LIMIT)]), 1)
            if place.at is None:
                break
        else:
            raise AssertionError("the round does not end")
        after.append(place)
    return found, after


MOMENTS = st.integers(0, 12).map(lambda tick: NOW + tick * 250_000)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(MOMENTS, st.none() | MOMENTS), max_size=30), st.integers(1, 3))
def test_every_change_since_is_told(times: list[tuple[int, int | None]], overlap: int) -> None:
    """Many with the very same time, some never changed since they were made."""
    rows = [Row(number, made, written) for number, (made, written) in enumerate(times, 1)]
    found, places = a_round(rows, [Place(NOW), Place(NOW)], overlap)
    assert found == {row.id for row in rows}
    assert all(place.at is None for place in places)
    assert places[0].newest == max([NOW, *(row.write_date for row in rows if row.write_date)])


def test_what_was_committed_late_is_told_by_the_overlap() -> None:
    """Stamped with its transaction's start, seen first when the cursor was beyond it already."""
    quick = [Row(number, NOW, NOW + number * 1_000_000) for number in range(1, 30)]
    _, places = a_round(quick, [Place(NOW), Place(NOW)], 10)
    late = [*quick, Row(99, NOW + 25_500_000, None), Row(98, NOW, NOW + 25_500_000)]
    assert a_round(late, places, 120)[0] >= {98, 99}
    assert 98 in a_round(late, places, 10)[0]
    assert 98 not in a_round(late, places, 1)[0]


def test_a_record_changed_after_it_was_read_as_new_is_told_again() -> None:
    """It leaves the one stream and comes by the other."""
    rows = [Row(1, NOW + 1, None)]
    found, places = a_round(rows, [Place(NOW), Place(NOW)], 1)
    assert found == {1}
    found, _ = a_round([Row(1, NOW + 1, NOW + 60_000_000)], places, 1)
    assert found == {1}


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", "[[1]]", "[[1], [1, 2]]", "[[1], [true]]", '[[1], ["2"]]', "[[1], 2]"]
)
def test_a_cursor_that_is_none_is_refused(text: str) -> None:
    """Rather than read from the beginning, or not at all."""
    with pytest.raises(ValueError, match=r"cursor|Expecting|object"):
        read_places(text, 2)


def test_a_cursor_is_kept_as_text() -> None:
    """With a round that is not over."""
    places = [Place(NOW, (NOW, 7)), Place()]
    assert read_places(text_of(places), 2) == places
    assert json.loads(text_of(places)) == [[NOW, NOW, 7], [0]]
