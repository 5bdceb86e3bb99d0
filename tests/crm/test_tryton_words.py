"""What Tryton says, and what is written into it."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.trouble import AuthError, ConflictError, CrmError, InvalidError, NotFoundError, TransientError
from crm.tryton_answers import error_told
from crm.tryton_values import (
    microseconds,
    note_mark,
    note_text,
    one_line,
    readable,
    record_id,
    time_of,
    without_mark,
)

KEY = "hotline:a:b:1:note"
WORDS = st.text(max_size=50).filter(lambda text: "〔" not in text)
DAY = {"__class__": "date", "year": 2026, "month": 11, "day": 4}


@pytest.mark.parametrize(
    ("told", "error", "says"),
    [
        (["'nope'", ""], InvalidError, "stumbled over 'nope'"),
        (["'contract.contract'", ""], InvalidError, "stumbled"),
        (["'res.user'", ""], TransientError, "still starting"),
        (["UserError", ['You are not allowed to access "Sale".', "Within groups: ", None]], AuthError, "the right"),
        (["UserError", ['不允许创建"Project Work"的记录', "", None]], AuthError, "the right"),
        (
            ["UserError", ['You are trying to read records "9" of "Party" that don\'t exist.', "", None]],
            NotFoundError,
            "9",
        ),
        (["UserError", ['"参与者" 的记录 "9" 已经不存在了，无法读取.', "", None]], NotFoundError, "9"),
        (["UserError", ['The phone number "8765432" for party "x" is not valid.', "", None]], InvalidError, "8765432"),
        (["ConcurrencyException", "Records were modified in the meanwhile"], ConflictError, "meanwhile"),
        (["UserWarning", ["key", "Parties have different names", ""]], InvalidError, "ask a person"),
        (["LoginException", ["sms_code", "SMS code", "char"]], AuthError, "SMS code"),
        ([], InvalidError, "stumbled"),
        (None, InvalidError, "stumbled"),
        (["UserError"], InvalidError, "stumbled"),
        (["UserError", []], InvalidError, "Tryton"),
        (["UserError", "x" * 5000], InvalidError, "x"),
    ],
)
def test_each_error_is_what_it_says(told: Any, error: type[CrmError], says: str) -> None:
    """By its class where it has one, by its words where it has none."""
    found = error_told("Tryton", told)
    assert type(found) is error
    assert says in str(found)
    assert len(str(found)) < 400


def test_a_field_that_is_refused_is_named() -> None:
    """For the list of what people must mend."""
    said = 'A value is required for field "Employee" in record "1" of "Sale Opportunity".'
    error = error_told("Tryton", ["UserError", [said, "", None]])
    assert isinstance(error, InvalidError)
    assert error.field == "Employee"


def test_values_become_readable() -> None:
    """Times, days, amounts; related records under their field's own name."""
    row = {
        "id": 1,
        "sale_date": DAY,
        "total": {"__class__": "Decimal", "decimal": "26.00"},
        "photo": {"__class__": "bytes", "base64": "AAAA"},
        "status": 2,
        "status.": {"id": 2, "name": "处理中"},
        "lines": [5],
        "lines.": [{"id": 5, "product": None, "product.": None}],
    }
    assert readable([row]) == [
        {
            "id": 1,
            "sale_date": "2026-11-04",
            "total": "26.00",
            "photo": None,
            "status": {"id": 2, "name": "处理中"},
            "lines": [{"id": 5, "product": None}],
        }
    ]


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 4102444800_000000))
def test_a_time_is_asked_for_as_it_was_told(at: int) -> None:
    """To the microsecond."""
    assert microseconds(readable(time_of(at))) == at


@pytest.mark.parametrize(
    ("text", "number"), [("7", 7), ("", None), ("0", None), ("²", None), ("-1", None), ("9" * 12, None)]
)
def test_an_id_that_cannot_be_one_is_nobody_s(text: str, number: int | None) -> None:
    """And is not asked for."""
    assert record_id(text) == number


def test_a_title_fits_on_one_line() -> None:
    """7.8 refuses a backslash and line ends in the name of a work."""
    assert one_line("热水器\\漏水\n第二次\0 ") == "热水器＼漏水 第二次"


def written(paragraphs: tuple[str, ...], before: str = "") -> str:
    """The text of the note."""
    return note_text(paragraphs, (), KEY, before)


def test_what_people_add_below_our_mark_stays() -> None:
    """As often as ours is written again."""
    text = written(("来电", "接通。"))
    assert text.startswith("来电\n接通。\n〔")
    text = written(("来电", "接通。", "已派工。"), f"{text}\n张工：周三")
    assert written(("来电", "接通。", "已派工。"), text) == text
    assert without_mark(text) == "来电\n接通。\n已派工。\n张工：周三"


def test_what_people_changed_of_ours_stays_below_ours() -> None:
    """Once, not again each time."""
    text = written(("来电", "客户说漏水。")).replace("漏水", "漏电")
    again = written(("来电", "客户说漏水。", "已结。"), text)
    assert again.startswith("来电\n客户说漏水。\n已结。\n")
    assert again.endswith("来电\n客户说漏电。")
    assert written(("来电", "客户说漏水。", "已结。"), again) == again


def test_a_text_without_our_mark_is_somebody_s() -> None:
    """They took the mark away: their words stay, ours come before."""
    assert written(("来电",), "自己写的").endswith("自己写的")
    assert without_mark(written(("来电",), "自己写的")) == "来电\n自己写的"


@settings(max_examples=30, deadline=None)
@given(st.lists(WORDS, max_size=4), WORDS, WORDS)
def test_whatever_is_said_the_mark_is_found(paragraphs: list[str], below: str, key: str) -> None:
    """And what stands below it is kept, whatever that is."""
    text = note_text(["来电", *paragraphs], (), key)
    assert note_mark(key) in text
    longer = note_text(["来电", *paragraphs, "更多"], (), key, f"{text}{below}")
    assert longer.endswith(below)
    assert "\0" not in note_text(["\0", "x"], (), key.replace("\0", ""))
