"""What must be blackened in a text, and what must be left readable. All numbers are made up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from numbering.patterns import Secret, find

ID = "110199199302215415"
CARD = "6299990000000012348"


def found(text: str) -> list[tuple[str, str]]:
    """The places found, as text and kind."""
    return [(text[span.start : span.end], span.what.value) for span in find(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("打我电话15400001234。", [("15400001234", "phone")]),
        ("154-0000-1234，或 154 0000 5678", [("154-0000-1234", "phone"), ("154 0000 5678", "phone")]),
        ("154 0000 1234 154 0000 5678", [("154 0000 1234", "phone"), ("154 0000 5678", "phone")]),
        ("+86 154 0000 1234", [("+86 154 0000 1234", "phone")]),
        ("１５４００００１２３４", [("１５４００００１２３４", "phone")]),
        ("座机是0755-88886666", [("0755-88886666", "phone")]),
        ("座机是（0755）8888 6666", [("0755）8888 6666", "phone")]),
        ("香港的号 +852 9123 4567", [("+852 9123 4567", "phone")]),
        ("幺五四，零零零零，幺二三四", [("幺五四，零零零零，幺二三四", "phone")]),
        ("一五四零零零零一二三四", [("一五四零零零零一二三四", "phone")]),
        (f"身份证{ID}。", [(ID, "id_card")]),
        ("110199 19930221 5415", [("110199 19930221 5415", "id_card")]),
        ("11010519491231002X", [("11010519491231002X", "id_card")]),
        ("11010519491231002x", [("11010519491231002x", "id_card")]),
        ("幺幺零幺九九，幺九九三，零二二幺，五四幺五", [("幺幺零幺九九，幺九九三，零二二幺，五四幺五", "id_card")]),
        (f"卡号{CARD}", [(CARD, "bank_card")]),
        (
            "卡号 6299 9900 0000 0012 348 ，电话15400001234",
            [("6299 9900 0000 0012 348", "bank_card"), ("15400001234", "phone")],
        ),
    ],
)
def test_found(text: str, expected: list[tuple[str, str]]) -> None:
    """Digits in any width, grouped or spoken, with the separators that belong to them."""
    assert found(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "请打4007002505或10086",
        "订单20261121000154000012345",  # a mobile's digits in the midst of an order number
        "工单202611210007",
        "110199199302215416",  # a wrong check digit
        "110199199313415415",  # no such month
        "6299990000000012345",  # a wrong Luhn digit
        "一百三十八块，二零二六年",
        "尾号6072",
        "88886666",  # without an area code: more often an order than a line
        "3.1415926535897932",
    ],
)
def test_left_readable(text: str) -> None:
    """Order numbers, sums, dates, tails, hotlines and what fails its check digit are not touched."""
    assert found(text) == []


def test_only_what_is_wanted() -> None:
    """A line's policy may ask for cards alone; an id card is then still no telephone."""
    text = f"{ID} {CARD} 15400001234"
    assert [span.what for span in find(text, {Secret.BANK_CARD})] == [Secret.BANK_CARD]
    assert [span.what for span in find(text, {Secret.ID_CARD, Secret.PHONE})] == [Secret.ID_CARD, Secret.PHONE]
    assert find(text, ()) == []


@given(st.text(alphabet="0123456789 -幺零二Xx+（）()，a", max_size=80))
def test_spans_are_in_order_and_apart(text: str) -> None:
    """Nothing raises, and who blackens from the back to the front never cuts twice."""
    end = 0
    for span in find(text):
        assert end <= span.start < span.end <= len(text)
        end = span.end


def test_much_text() -> None:
    """A transcript is foreign text: digits without end are read to their end, within the suite's time limit."""
    assert len(find("15400001234 " * 2000)) == 2000
    assert find("9" * 50_000) == []
