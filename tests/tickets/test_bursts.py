"""More calls than usual: chance makes no notices to speak of, and what is planted is found within minutes."""

from bisect import bisect_right
from collections.abc import Sequence
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tickets.bursts import DAY, QUIET, WEEK, WINDOWS, Burst, Came, chance, follow, shifts, telling

HOUR = 3600.0


def poisson(rng: Random, rate: float, since: float, until: float) -> list[float]:
    """Moments that come by chance, ``rate`` an hour."""
    moments, at = [], since
    while (at := at + rng.expovariate(rate / HOUR)) < until:
        moments.append(at)
    return moments


def notices(moments: Sequence[float], since: float) -> list[tuple[float, Burst]]:
    """Every burst noticed, with the moment of its notice, each caller another."""
    told: list[tuple[float, Burst]] = []
    last: Burst | None = None
    for at in moments[bisect_right(moments, since) :]:
        back = shifts(at)
        came = [
            Came(moment, str(moment))
            for shift in (0.0, *back)
            for moment in moments[bisect_right(moments, at - shift - WINDOWS[-1]) : bisect_right(moments, at - shift)]
        ]
        if last is not None and last.over(at):
            last = None
        found = follow(at, came, back, last)
        if found is not None:
            if last is None:
                told.append((at, found))
            last = found
    return told


@pytest.mark.parametrize("rate", [0.1, 1.0])
def test_chance_makes_hardly_a_notice(rate: float) -> None:
    """About one in a hundred days of one cause, as the docs say: in ninety at most three."""
    moments = poisson(Random(3), rate, 0.0, 90 * DAY)
    assert len(notices(moments, 2 * WEEK)) <= 3


@pytest.mark.long
@pytest.mark.parametrize(("rate", "days"), [(0.02, 2000), (0.1, 2000), (0.5, 1000), (2.0, 500), (4.0, 60)])
def test_the_false_alarm_rate_that_is_stated(rate: float, days: int) -> None:
    """At most two false notices in a hundred days of one cause, whatever the rate."""
    moments = poisson(Random(11), rate, 0.0, days * DAY)
    assert len(notices(moments, 2 * WEEK)) <= days * 0.02


@pytest.mark.parametrize("rate", [0.1, 1.0, 4.0])
def test_a_planted_burst_is_found_and_told_once(rate: float) -> None:
    """Forty an hour more than usual, at any time of the day: within half an hour, in one notice."""
    for seed in range(4):
        rng = Random(seed)
        start = 60 * DAY + rng.random() * DAY
        moments = sorted([*poisson(rng, rate, 0.0, start + 2 * HOUR), *poisson(rng, 40.0, start, start + 2 * HOUR)])
        told = [(at, burst) for at, burst in notices(moments, start - HOUR) if at >= start]
        assert len(told) == 1
        at, burst = told[0]
        assert at - start <= HOUR / 2
        assert start - HOUR < burst.begins <= at
        assert burst.usual <= 3 * rate


def test_a_rush_that_comes_every_week_is_usual() -> None:
    """Monday morning is Monday morning; the same rush on a Tuesday is not."""
    rng = Random(5)
    moments = poisson(rng, 0.2, 0.0, 10 * WEEK)
    for week in range(10):
        moments += poisson(rng, 25.0, week * WEEK + 9 * HOUR, week * WEEK + 11 * HOUR)
    assert not notices(sorted(moments), 4 * WEEK)
    tuesday = 9 * WEEK + DAY + 9 * HOUR
    found = notices(sorted([*moments, *poisson(rng, 25.0, tuesday, tuesday + HOUR)]), 9 * WEEK)
    assert [tuesday <= at <= tuesday + HOUR / 2 for at, _ in found] == [True]


def test_a_stray_call_hours_before_is_no_part_of_it() -> None:
    """The burst begins with its own first call, and counts its own."""
    start = 100 * DAY
    stray = [Came(start - hours * HOUR, f"stray {hours}") for hours in (5, 2)]
    burst = follow(start + 540, [*stray, *(Came(start + 60 * one, str(one)) for one in range(10))], shifts(start), None)
    assert burst == Burst(start, start + 540, 10, 10, 0.0)


def test_one_caller_is_no_burst() -> None:
    """However often they ring."""
    came = [Came(30 * DAY + minute * 60.0, "+8613812345678") for minute in range(20)]
    assert follow(30 * DAY + 1200, came, shifts(30 * DAY), None) is None


def test_nothing_is_unusual_until_something_is_usual() -> None:
    """Weeks are looked back at, days where there are no two weeks, nothing where there are no two days."""
    assert len(shifts(20 * WEEK)) == 8
    assert shifts(2 * WEEK + DAY) == (WEEK, 2 * WEEK)
    assert shifts(5 * DAY) == (DAY, 2 * DAY, 3 * DAY, 4 * DAY)
    assert shifts(1.5 * DAY) == ()
    assert follow(DAY, [Came(DAY - 1, str(one)) for one in range(50)], (), None) is None


def test_a_burst_goes_on_and_ends() -> None:
    """It takes in what comes late, keeps its peak, and is over an hour after its last call."""
    open_one = Burst(100 * DAY, 100 * DAY + 600, 8, 8, 0.2)
    came = [Came(100 * DAY + 100 * one, str(one)) for one in range(10)]
    back = shifts(100 * DAY)
    on = follow(100 * DAY + 900, came, back, open_one)
    assert on == Burst(100 * DAY, 100 * DAY + 900, 10, 10, 0.2)
    late = follow(100 * DAY + 500, came, back, on)
    assert late == on  # told later, rung earlier
    assert not on.over(on.last + QUIET)
    assert on.over(on.last + QUIET + 1)
    alone = [Came(100 * DAY + 7200, "x")]
    assert follow(100 * DAY + 7200, alone, back, on) is None


@settings(max_examples=60)
@given(st.lists(st.integers(0, 300), min_size=2, max_size=8), st.integers(0, 400))
def test_chance_is_one(before: list[int], count: int) -> None:
    """Between nothing and certain, and the smaller the more came."""
    assert 0.0 <= chance(count + 1, before) <= chance(count, before) <= 1.0


def test_weeks_that_differ_make_more_of_it_usual() -> None:
    """The same mean, now steady, now by leaps."""
    assert chance(14, [5, 5, 5, 5, 5, 5]) < chance(14, [0, 12, 1, 11, 0, 6])


def test_the_words_that_say_why() -> None:
    """Those of the burst that the cause's other calls do not use; not those they all use."""
    inside = [
        {"断网", "红灯", "宽带", "小区"},
        {"断网", "红灯", "宽带"},
        {"断网", "宽带", "整栋"},
        {"断网", "红灯", "师傅"},
    ]
    outside = [{"宽带", "网速"}, {"宽带", "师傅"}, {"路由器", "宽带"}, {"网速", "红灯"}] * 6
    assert telling(inside, outside)[0] == "断网"
    assert not {"宽带", "小区", "整栋", "网速"} & set(telling(inside, outside))
    assert telling([], outside) == ()
