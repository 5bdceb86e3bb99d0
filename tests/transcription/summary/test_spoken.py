"""Spoken numbers in their written form; words that only look like numbers stay."""

import pytest

from transcription.spoken import number, written


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("幺三八零零幺三八零零零", "13800138000"),
        ("三百二十八块五", "328块5"),
        ("一万四千六", "一万四千六".replace("一万四千六", "14600")),
        ("花了一千二", "花了1200"),
        ("下午两点到四点", "下午2点到4点"),
        ("四月十七号", "4月17号"),
        ("二十四小时之内", "24小时之内"),
        ("周一三点", "周一3点"),
        ("早上八点半到晚上六点", "早上8点半到晚上6点"),
        ("版本是五点二点一", "版本是5.2.1"),
        ("三点五元一方", "3.5元一方"),
        ("M X，杠，八二 D", "MX-82D"),
        ("一直在闪E 四。", "一直在闪E4。"),
        ("C A I W U，艾特，D O N G H A I，点，T E S T", "caiwu@donghai.test"),
        ("再后面是三个零。", "再后面是000。"),
        ("要五四零零幺二八八三六", "15400128836"),
        ("1,299元", "1299元"),
        ("１５４００１２８８３６", "15400128836"),
        ("請問您的訂單編號", "请问您的订单编号"),
        ("我 想 查 一下", "我想查一下"),
    ],
)
def test_numbers_are_written_as_digits(said: str, expected: str) -> None:
    """As a person would type them."""
    assert written(said) == expected


@pytest.mark.parametrize(
    "text",
    [
        "三心二意",
        "我一直在等",
        "万一坏了",
        "重启了三四遍",
        "两三百块",
        "十分感谢",
        "一块去",
        "三点水那个洲",
        "一点都不行",
        "说一不二",
        "第一次",
    ],
)
def test_idioms_and_approximations_stay(text: str) -> None:
    """They are no numbers."""
    assert written(text) == text


@pytest.mark.parametrize(
    ("run", "value"),
    [("两万五", 25_000), ("一万零五百", 10_500), ("十二", 12), ("三百五", 350), ("七八百", None), ("百分", None)],
)
def test_a_last_digit_without_unit_counts_one_place_below(run: str, value: int | None) -> None:
    """两万五 is 25,000; two digits in a row are an approximation."""
    assert number(run) == value
