"""Dictated numbers: pieces, read-backs, corrections, kinds, and digits that are no facts."""

from collections.abc import Callable

import pytest

from transcription.account import Summary

Told = Callable[..., Summary]
START = ("a 您好，工号2309为您服务。", "c 空调坏了，想报修。")


def pairs(summary: Summary) -> list[tuple[str, str]]:
    """Kind and value of each fact."""
    return [(str(fact.kind), fact.value) for fact in summary.facts]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["a 订单号您有吗？", "c 有，20261110，呃，然后00558。"], ("order_no", "2026111000558")),
        (["a 电话是多少？", "c 1540331……", "a 嗯，1540331，", "c 后头是7742。"], ("phone", "15403317742")),
        (["a 运单号？", "c FT7，稍等啊，FT70。", "a 嗯。", "c 3318，2256，0941。"], ("order_no", "FT70331822560941")),
        (["a 有代码吗？", "c 显示E13，不对不对，是E15。"], ("fault_code", "E15")),
        (["a 运单号？", "c FT91，2200，7，不是7，是1，再786。"], ("order_no", "FT9122001786")),
        (["c 电话15411930028，哦不对，最后是0082。"], ("phone", "15411930082")),
        (["a 电话是15499810066吗？", "c 后面是0096。"], ("phone", "15499810096")),
        (["a 型号是？", "c 我看看啊，MX-82D。"], ("model", "MX-82D")),
        (["a 服务单号MC518033，请记好。"], ("ticket_no", "MC518033")),
        (["a 户号报一下。", "c 10083，3476。"], ("order_no", "100833476")),
        (["c 打我这个手机，尾号6072。", "a 好的，6072。"], ("phone", "6072")),
        (["a 税号呢？", "c 91330299MA12003778。"], ("tax_no", "91330299MA12003778")),
        (["c 发到caiwu@donghai.test吧。"], ("email", "caiwu@donghai.test")),
        (["c 修过一次，花了2899。"], ("amount", "2899")),
        (["c 上次收了我328块5。"], ("amount", "328.5")),
        (["c 地址是滨江市铁南区光明街217号，4单元601，六楼。"], ("address", "滨江市铁南区光明街217号4单元601")),
        (["c 在云栖路18号。", "a 几栋几室？", "c 5栋302。"], ("address", "云栖路18号5栋302")),
        (["c 海宁路，不对，海平路350弄12号401室。"], ("address", "海平路350弄12号401室")),
    ],
)
def test_one_fact_comes_out_of_the_pieces(told: Told, lines: list[str], expected: tuple[str, str]) -> None:
    """Joined, corrected, named by the question it answers; nothing else beside it."""
    assert pairs(told(*START, *lines)) == [expected]


@pytest.mark.parametrize(
    "line",
    [
        "c 我车牌是滨A7K21M。",
        "c 航班号YY2187那天就坏了。",
        "c 孩子8岁，住6楼，屋里才12度。",
        "c 鞋是42码的。",
        "c 再不修我打12315。",
        "c 我住8806房间。",
        "c 验证码是 552013。",
        "c 以前修才一百多。",
        "c 买了三十来台。",
    ],
)
def test_decoys_are_no_facts(told: Told, line: str) -> None:
    """Plates, flights, ages, sizes, public numbers, approximations."""
    assert pairs(told(*START, line)) == []


def test_cards_are_masked(told: Told) -> None:
    """Of an identity or bank card only the last four digits come out."""
    summary = told(*START, "c 身份证11019919850612342X，卡号6299991020304058。")
    assert pairs(summary) == [("id_card", "****342X"), ("bank_card", "****4058")]


def test_a_read_back_is_evidence_not_a_second_fact(told: Told) -> None:
    """Both turns are cited."""
    summary = told(*START, "c 电话15407728190。", "a 15407728190，对吧？")
    assert [fact.turns for fact in summary.facts] == [(2, 3)]


def test_a_doubtful_number_is_flagged_until_somebody_repeats_it(talk: Callable[..., list[object]]) -> None:
    """Confidence below one half; a sure read-back makes it sure."""
    from dataclasses import replace  # noqa: PLC0415
    from datetime import UTC, datetime  # noqa: PLC0415

    from transcription.summary import summarise  # noqa: PLC0415

    turns: list[object] = talk(*START, "c 电话15407728190。", "a 15407728190，对吧？")
    doubtful = replace(turns[2], confidence=0.3)  # type: ignore[type-var]
    at = datetime(2026, 4, 16, tzinfo=UTC)
    assert [fact.sure for fact in summarise([*turns[:2], doubtful], at).facts] == [False]  # type: ignore[list-item]
    assert [fact.sure for fact in summarise([*turns[:2], doubtful, turns[3]], at).facts] == [True]  # type: ignore[list-item]
