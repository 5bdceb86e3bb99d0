"""Days and hours resolved against the call: Thursday, 2026-04-16, 10:00."""

from collections.abc import Callable

import pytest

from transcription.account import Summary

Told = Callable[..., Summary]


def values(summary: Summary, kind: str) -> list[str]:
    """The values of one kind."""
    return [fact.value for fact in summary.facts if fact.kind == kind]


@pytest.mark.parametrize(
    ("said", "day"),
    [
        ("昨天晚上就坏了，不制冷", ["2026-04-15"]),
        ("我大前天买的冰箱坏了", ["2026-04-13"]),
        ("上周三修过的，现在又坏了", ["2026-04-08"]),
        ("周三买的，今天就坏了", ["2026-04-15"]),
        ("你们周六来修行吗，冰箱坏了", ["2026-04-18"]),
        ("下周一要用，机器坏了", ["2026-04-20"]),
        ("月底前要用，机器坏了", ["2026-04-30"]),
        ("上个月18号买的，已经坏了", ["2026-03-18"]),
        ("3月25号买的，30号就坏了", ["2026-03-25", "2026-03-30"]),
        ("去年12月3号买的，坏了", ["2025-12-03"]),
        ("1月5号买的，坏了", ["2026-01-05"]),
        ("12月30号买的，坏了", ["2025-12-30"]),
        ("机器今天坏了，周末有人修吗", []),
        ("每周四都会坏一次", []),
        ("机器坏了，你们周一到周五都上班吗", []),
        ("以后天天坏怎么办，修一下", []),
        ("机器坏了，我生日是1966年11月15号", []),
        ("2月30号买的，坏了", []),
    ],
)
def test_day_words(told: Told, said: str, day: list[str]) -> None:
    """Bare weekdays are the next unless told as past; vague and recurring days are none."""
    assert values(told("a 您好", f"c {said}"), "date") == day


@pytest.mark.parametrize(
    ("said", "at", "time"),
    [
        ("晚饭6点半吃的，菜里有头发", "2026-04-16T21:00", ["18:30"]),
        ("师傅下午2点到4点来过，没修好", "2026-04-16T19:00", ["14:00-16:00"]),
        ("早上8点半到晚上6点都没电", "2026-04-16T19:00", ["08:30-18:00"]),
        ("2点到4点之间断过网", "2026-04-16T19:00", ["14:00-16:00"]),
        ("上午10点25断的网", "2026-04-16T19:00", ["10:25"]),
        ("昨晚十一点多断的网", "2026-04-16T19:00", []),
        ("现在都9点了，网还没好", "2026-04-16T21:00", []),
        ("断网断了半小时", "2026-04-16T21:00", []),
    ],
)
def test_hours(told: Told, said: str, at: str, time: list[str]) -> None:
    """上午 and 下午 come from the sentence or plain sense; the current hour and passed spans are none."""
    assert values(told("a 您好", f"c {said}", at=at), "time") == time


@pytest.mark.parametrize(
    ("said", "time"),
    [
        ("师傅半小时内给您打电话", ["10:30"]),
        ("师傅两个半小时之内到您家", ["12:30"]),
        ("您付款后30分钟内有效", []),
        ("师傅上门前半小时给您打电话", []),
        ("24小时内给您回电话", []),
    ],
)
def test_short_deadlines(told: Told, said: str, time: list[str]) -> None:
    """Minutes and hours count from the call where they end the same day."""
    assert values(told("a 您好", "c 空调坏了，想报修", f"a {said}"), "time") == time


@pytest.mark.parametrize(
    ("lines", "dates", "times"),
    [
        (["a 明天上午9点行吗？", "c 明天不行，后天吧。", "a 后天9点可以。"], ["2026-04-18"], ["09:00"]),
        (["a 周六上午10点有，周日下午2点也有，您要哪个？", "c 周日那个吧。"], ["2026-04-19"], ["14:00"]),
        (["c 最好明天来。", "a 明天排满了，最早周六上午9点。", "c 行。"], ["2026-04-18"], ["09:00"]),
        (["c 是4月3号，不对，是4月5号买的。"], ["2026-04-05"], []),
        (["a 下午2点到4点可以吗？", "c 太早了，5点以后吧。", "a 那就下午5点到7点。"], [], ["17:00-19:00"]),
        (["a 约在明天可以吗？", "c 可以可以。"], ["2026-04-17"], []),
    ],
)
def test_only_what_was_agreed_stands(told: Told, lines: list[str], dates: list[str], times: list[str]) -> None:
    """Refused, corrected and unpicked values are no facts."""
    summary = told("a 您好", "c 空调坏了，想报修。", *lines)
    assert (values(summary, "date"), values(summary, "time")) == (dates, times)
