"""A record is what Asterisk wrote; what a caller makes look like one is none."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.cdr_rows import from_csv, from_table, is_record, written
from telephony.identity import made_at

RECORDS = Path(__file__).parent / "records"
SHANGHAI = ZoneInfo("Asia/Shanghai")
BASE = (
    '"","{caller}","4007002505","in-400","""{name}"" <{caller}>","PJSIP/carrier-00000000","PJSIP/1001-00000001",'
    '"Queue","support,trk,,,30","2026-11-22 00:33:25","2026-11-22 00:33:25","2026-11-22 00:33:46",21,21,"ANSWERED",'
    '"DOCUMENTATION"'
)


def base(caller: str = "13812345678", name: str = "") -> str:
    """A record without what cdr.conf may add; text as cdr_csv writes it."""
    return BASE.format(caller=caller.replace('"', '""'), name=name.replace('"', '""'))


@pytest.mark.parametrize(
    ("more", "uniqueid", "linkedid", "userfield", "sequence"),
    [
        (',"1795307605.0"', "1795307605.0", None, "", 0),
        (',"1795307605.0","did=1"', "1795307605.0", None, "did=1", 0),
        (',"1795307605.0","","1795307600.9",7', "1795307605.0", "1795307600.9", "", 7),
        (',"1795307605.0","did=1","","1795307600.9",7', "1795307605.0", "1795307600.9", "did=1", 7),
        (',"pbx-1795307605.0","did=1"', "pbx-1795307605.0", None, "did=1", 0),
    ],
    ids=["loguniqueid", "loguserfield", "newcdrcolumns", "all", "systemname"],
)
def test_what_cdr_conf_adds_is_found(
    more: str, uniqueid: str, linkedid: str | None, userfield: str, sequence: int
) -> None:
    """Which columns follow the sixteen is told by the record itself."""
    row = from_csv(base() + more + "\n", UTC)
    assert row is not None
    assert (row.uniqueid, row.linkedid, row.userfield, row.sequence) == (uniqueid, linkedid, userfield, sequence)
    assert (row.caller, row.app, row.answered, row.end - row.start) == ("13812345678", "Queue", True, 21.0)


@pytest.mark.parametrize("more", ["", ',"did=1"', ',"did=1","","1795307600.9",7', ',"","1795307600.9",7'])
def test_a_record_without_uniqueid_is_no_use(more: str) -> None:
    """loguniqueid=no."""
    assert is_record(base() + more)
    assert from_csv(base() + more, UTC) is None


def test_times_are_the_zones() -> None:
    """Naive times as cdr_csv writes them."""
    row = from_csv(base() + ',"1795307605.0"', SHANGHAI)
    assert row is not None
    assert row.start == datetime(2026, 11, 21, 16, 33, 25, tzinfo=UTC).timestamp()
    assert written(row.start, SHANGHAI) == datetime(2026, 11, 22, 0, 33, 25)  # noqa: DTZ001 - as it stands there


def test_names_keep_their_quotes() -> None:
    """cdr_csv doubles them twice over."""
    row = from_csv(base(name='Wang "the" Fang') + ',"1795307605.0"', UTC)
    assert row is not None
    assert row.caller_name == 'Wang "the" Fang'


@given(st.text(max_size=79).filter(lambda text: "\r" not in text and "\n" not in text))
def test_whatever_a_caller_sends_stays_in_its_field(text: str) -> None:
    """One row with the caller's text in it, whole."""
    row = from_csv(base(caller=text) + ',"1795307605.0","","1795307605.0",7\n', UTC)
    assert row is not None
    assert (row.caller, row.uniqueid, row.channel) == (text, "1795307605.0", "PJSIP/carrier-00000000")


@given(st.text(alphabet=st.sampled_from('",\n\r0123456789ABc.-:/ '), max_size=158))
def test_no_line_of_a_caller_is_a_record(text: str) -> None:
    """Inside a quoted field every quote is doubled: no line break in it can begin a record that would be believed."""
    whole = base(caller=text) + ',"1795307605.0","","1795307605.0",7\n'
    lines = whole.split("\n")[:-1]
    for first in range(len(lines)):
        for last in range(first, len(lines)):
            if (first, last) != (0, len(lines) - 1):
                assert from_csv("\n".join(lines[first : last + 1]) + "\n", UTC) is None
    row = from_csv(whole, UTC)
    assert row is not None
    assert row.uniqueid == "1795307605.0"


@pytest.mark.parametrize(
    "values",
    [
        {"start": datetime(2026, 11, 22, 8, 33, 25), "duration": 21},  # noqa: DTZ001 - MySQL's
        {"start": datetime(2026, 11, 22, 0, 33, 25, tzinfo=UTC), "end": datetime(2026, 11, 22, 0, 33, 46, tzinfo=UTC)},
        {"start": "2026-11-22 08:33:25", "end": "2026-11-22 08:33:46"},
        {"start": 1795307605, "duration": "21"},
        {"start": "2026-11-22 08:33:25", "end": "0000-00-00 00:00:00", "duration": 21},
    ],
    ids=["naive", "aware", "text", "epoch", "no end"],
)
def test_times_of_a_table_in_whatever_type(values: dict[str, Any]) -> None:
    """Every database has its own idea of a time."""
    row = from_table(
        {"uniqueid": "1795307605.0", "channel": "a", "dest": "b", "disposition": "ANSWERED", **values}, SHANGHAI
    )
    assert row is not None
    assert (row.start, row.end, row.answered) == (1795307605.0, 1795307626.0, True)


@pytest.mark.parametrize("values", [{"start": None}, {"start": "yesterday"}, {"start": 5, "uniqueid": None}])
def test_a_row_without_time_or_uniqueid_is_none(values: dict[str, Any]) -> None:
    """Nothing is raised."""
    assert from_table({"uniqueid": "1795307605.0", **values}, UTC) is None


@pytest.mark.parametrize(
    ("uniqueid", "made"),
    [("1795307605.12", 1795307605.0), ("pbx1-1795307605.12", 1795307605.0), ("did=1", None), ("1795307605", None)],
)
def test_a_uniqueid_tells_when_its_channel_was_made(uniqueid: str, made: float | None) -> None:
    """With or without the system's name."""
    assert made_at(uniqueid) == made
