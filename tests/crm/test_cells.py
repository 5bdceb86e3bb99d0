"""Dates, sums and lists as they stand in customers' spreadsheets."""

from datetime import date
from decimal import Decimal

import pytest

from crm.cells import Unreadable, contracts, day, purchases, yes_or_no, yuan
from crm.customer import Contract, Purchase


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-21",
        "2026/11/21",
        "2026.11.21",
        "20261121",
        "2026年11月21日",
        " ２０２６－１１－２１ ",
        "2026/11/21 9:30",
        "2026-11-21T09:30:00+08:00",
    ],
)
def test_dates(text: str) -> None:
    """However a date is written; a time behind it is left out."""
    assert day(text) == date(2026, 11, 21)


@pytest.mark.parametrize("text", ["", "2026-02-30", "21.11.2026", "26-11-21", "昨天", "46347", "0000-01-01"])
def test_no_dates(text: str) -> None:
    """What is no day of the calendar is said to be none."""
    with pytest.raises(Unreadable):
        day(text)


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("1299", "1299.00"),
        ("1,299.50", "1299.50"),
        ("¥1299", "1299.00"),
        ("￥ 1,234,567.8元", "1234567.80"),
        ("1299 RMB", "1299.00"),
        ("-20", "-20.00"),
        ("0.005", "0.00"),
    ],
)
def test_amounts(text: str, amount: str) -> None:
    """Yuan, with or without signs and thousands, to the fen."""
    assert yuan(text) == Decimal(amount)


@pytest.mark.parametrize("text", ["", "NaN", "Infinity", "1e9", "12,34", "$12", "一千", "1" * 13, "1.2.3"])
def test_no_amounts(text: str) -> None:
    """Neither words nor other currencies nor tricks of number syntax are sums."""
    with pytest.raises(Unreadable):
        yuan(text)


def test_yes_and_no() -> None:
    """The marks people use for VIP; a maybe is neither."""
    assert all(yes_or_no(text) for text in ("是", "YES", "1", "VIP", "√", "ｙ"))
    assert not any(yes_or_no(text) for text in ("否", "no", "0", "普通", "×"))
    with pytest.raises(Unreadable):
        yes_or_no("也许")


def test_purchases() -> None:
    """Purchases come newest first, what has no date last."""
    cell = "电视|2025-01-02|3,999|A1；空调｜2026/03/04｜2999元｜A2;\n遥控器"
    assert purchases(cell) == (
        (
            Purchase("空调", date(2026, 3, 4), Decimal("2999.00"), "A2"),
            Purchase("电视", date(2025, 1, 2), Decimal("3999.00"), "A1"),
            Purchase("遥控器"),
        ),
        [],
    )


def test_unreadable_parts() -> None:
    """An unreadable part of a purchase costs only itself, and is told."""
    bought, wrong = purchases("电视|去年|白送|A1;|2026-01-01;a|b|c|d|e")
    assert bought == (Purchase("电视", None, None, "A1"),)
    assert len(wrong) == 4
    assert "去年" in wrong[0]


def test_contracts() -> None:
    """What, number, until; the last two may be missing."""
    assert contracts("延保|W-1|2027-01-01;年度维护") == (
        (Contract("延保", "W-1", date(2027, 1, 1)), Contract("年度维护")),
        [],
    )
    assert contracts("延保|W-1|永久") == (
        (Contract("延保", "W-1"),),
        ["in '延保|W-1|永久': '永久' is no date: write 2026-11-21"],
    )
