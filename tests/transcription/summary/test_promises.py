"""Promises: who, what, by when. The call is on Thursday, 2026-04-16, 10:00."""

from collections.abc import Callable

import pytest

from transcription.account import Summary

Told = Callable[..., Summary]
START = ("a 您好。", "c 空调坏了，想报修。")


def promised(summary: Summary) -> list[tuple[str, str]]:
    """Who and by when."""
    return [(promise.who, promise.by_when) for promise in summary.promises]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (
            ["a 明天9点到11点师傅上门，来之前会先给您打电话。"],
            [("agent", "2026-04-17T09:00/11:00"), ("agent", "2026-04-17")],
        ),
        (["a 我马上联系厂家核实，今天下午5点之前给您回电话，可以吗？", "c 行。"], [("agent", "2026-04-16T17:00")]),
        (
            ["a 师傅半小时内会先跟您联系，明天早上8点之前给您修通。"],
            [("agent", "2026-04-16T10:30"), ("agent", "2026-04-17T08:00")],
        ),
        (["a 退款三到五个工作日原路退到您的账户。"], [("agent", "2026-04-23")]),
        (["a 专员48小时内给您回电。"], [("agent", "2026-04-18T10:00")]),
        (["a 我们收到以后，三到五个工作日给您退款。"], [("agent", "")]),
        (["a 运费我们出，您不用付。"], [("agent", "")]),
        (["a 我会把您的意见转给店长。"], [("agent", "")]),
        (["a 师傅周日上午9点上门，提前一天给您打电话。"], [("agent", "2026-04-19T09:00"), ("agent", "2026-04-18")]),
        (["a 麻烦您把照片发给我们。", "c 好，我下午就发。"], [("caller", "2026-04-16")]),
        (
            ["a 周六上午9点师傅上门，行吗？", "c 周六我加班，周日吧。", "a 可以，那就周日上午9点上门。"],
            [("agent", "2026-04-19T09:00")],
        ),
    ],
)
def test_promises_and_their_deadlines(told: Told, lines: list[str], expected: list[tuple[str, str]]) -> None:
    """Counted from the call, tied to the appointment, changed by what was agreed last."""
    assert promised(told(*START, *lines)) == expected


@pytest.mark.parametrize(
    "line",
    [
        "a 已经给您登记好了。",
        "a 一般三天左右到账。",
        "a 预计明天能修好。",
        "a 今晚能不能来，这个我没办法跟您保证。",
        "a 您的意见我们一定重视，会跟进的。",
        "a 如果修不好，我们会给您退款。",
        "a 我帮您查一下，请稍等。",
        "c 我再跟他爸商量一下。",
        "c 再不修我明天就去告你们。",
        "c 我明天把饭做给孩子吃。",
    ],
)
def test_what_binds_nobody_is_no_promise(told: Told, line: str) -> None:
    """Done, forecast, refused, empty, conditional, private."""
    assert promised(told(*START, line)) == []


def test_a_refused_offer_is_no_promise(told: Told) -> None:
    """Nobody is bound by what the other side did not want."""
    assert promised(told(*START, "a 给您送一张100元的代金券，您看可以吗？", "c 券就不必了。")) == []
