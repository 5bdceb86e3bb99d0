"""An agent's state: what follows from what, in a table and in any order."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screenpop.presence import (
    MOST_AHEAD,
    AgentState,
    Done,
    Happening,
    Longer,
    Pause,
    Ready,
    Standing,
    TakenOver,
    TalkOver,
    Talks,
    TimeOver,
    Unpaused,
    WrapUp,
    after,
)
from telephony.call import Answered, Arrived, CallKey, Ended, Fact, Held, Left, Outcome, Over, Rang, Resumed, Stopped

ONE, TWO = CallKey("main", "1.1"), CallKey("main", "1.2")
READY = Standing(AgentState.READY, 10.0)
PAUSED = Standing(AgentState.PAUSED, 10.0, "午餐")
WORK = Standing(AgentState.WRAP_UP, 10.0, until=40.0, call=ONE)
BUSY_PAUSE = replace(PAUSED, until=40.0, call=ONE)
NOW = 20.0


@pytest.mark.parametrize(
    ("before", "what", "then"),
    [
        (READY, TalkOver(ONE, 30.0), Standing(AgentState.WRAP_UP, NOW, until=50.0, call=ONE)),
        (READY, TalkOver(ONE, 0.0), READY),  # a line without work after its calls
        (WORK, TalkOver(TWO, 30.0), Standing(AgentState.WRAP_UP, NOW, until=50.0, call=TWO)),
        (WORK, TalkOver(TWO, 0.0), WORK),
        (PAUSED, TalkOver(ONE, 30.0), replace(PAUSED, until=50.0, call=ONE)),  # a pause outlasts a call
        (READY, Pause("午餐"), Standing(AgentState.PAUSED, NOW, "午餐")),
        (WORK, Pause(None), replace(WORK, state=AgentState.PAUSED, since=NOW)),  # what is typed stays
        (PAUSED, Pause("午餐"), PAUSED),  # told twice: by us, and by the PBX
        (PAUSED, Pause("培训"), Standing(AgentState.PAUSED, NOW, "培训")),
        (PAUSED, Unpaused(), Standing(AgentState.READY, NOW)),
        (BUSY_PAUSE, Unpaused(), Standing(AgentState.WRAP_UP, NOW, until=40.0, call=ONE)),
        (WORK, Unpaused(), WORK),  # the PBX knows nothing of the work after a call
        (READY, Unpaused(), READY),
        (PAUSED, Ready(), Standing(AgentState.READY, NOW)),
        (BUSY_PAUSE, Ready(), Standing(AgentState.READY, NOW)),
        (WORK, Ready(), Standing(AgentState.READY, NOW)),
        (READY, Ready(), READY),
        (READY, WrapUp(ONE, 30.0), Standing(AgentState.WRAP_UP, NOW, until=50.0, call=ONE)),
        (PAUSED, WrapUp(None, 30.0), Standing(AgentState.WRAP_UP, NOW, until=50.0)),
        (WORK, Done(), Standing(AgentState.READY, NOW)),
        (BUSY_PAUSE, Done(), PAUSED),
        (READY, Done(), READY),
        (WORK, Longer(60.0), replace(WORK, until=100.0)),
        (BUSY_PAUSE, Longer(60.0), replace(BUSY_PAUSE, until=100.0)),
        (WORK, Longer(1e6), replace(WORK, until=NOW + MOST_AHEAD)),
        (READY, Longer(60.0), READY),
        (WORK, TimeOver(), WORK),  # not yet
        (replace(WORK, until=NOW), TimeOver(), Standing(AgentState.READY, NOW)),
        (replace(BUSY_PAUSE, until=NOW), TimeOver(), PAUSED),
        (READY, TakenOver(), Standing(AgentState.READY, NOW)),
        (WORK, TakenOver(), Standing(AgentState.READY, NOW)),  # never with a colleague's work
        (BUSY_PAUSE, TakenOver(), PAUSED),  # what the PBX does is so, whoever sits there
    ],
)
def test_what_follows(before: Standing, what: Happening, then: Standing) -> None:
    """One thing after the other, the whole table."""
    assert after(before, what, NOW) == then


CALLS = st.sampled_from([ONE, TWO])
SECONDS = st.floats(0.0, 1800.0)
ANYTHING: st.SearchStrategy[Happening] = st.one_of(
    st.builds(TalkOver, CALLS, SECONDS),
    st.builds(Pause, st.sampled_from([None, "午餐", "培训"])),
    st.builds(WrapUp, st.none() | CALLS, st.floats(1.0, 1800.0)),
    st.builds(Longer, st.floats(1.0, 1800.0)),
    st.sampled_from([Unpaused(), Ready(), Done(), TimeOver(), TakenOver()]),
)
DAYS = st.lists(st.tuples(st.floats(0.0, 900.0), ANYTHING), max_size=40)


@given(DAYS)
def test_whatever_happens_a_state_makes_sense(day: list[tuple[float, Happening]]) -> None:
    """Work after a call ends, ready means ready, only pauses have reasons, and no state began in the future."""
    standing, now = Standing(), 1000.0
    for passed, what in day:
        now += passed
        before, standing = standing, after(standing, what, now)
        assert (standing.state is AgentState.WRAP_UP) <= (standing.until is not None)
        assert (standing.call is not None) <= (standing.until is not None)
        if standing.state is AgentState.READY:
            assert standing == Standing(AgentState.READY, standing.since)
        if standing.state is not AgentState.PAUSED:
            assert standing.reason is None
        if standing.until is not None:
            assert standing.until <= now + MOST_AHEAD
        if standing.state is not before.state:
            assert standing.since == now
        if before.state is AgentState.PAUSED and not isinstance(what, Unpaused | Ready | WrapUp):
            assert standing.state is AgentState.PAUSED, "nothing else ends a pause"
        if before.state is not AgentState.PAUSED and not isinstance(what, Pause):
            assert standing.state is not AgentState.PAUSED, "nothing else begins one"


@given(DAYS, st.floats(1800.0, 5000.0))
def test_nobody_is_kept_from_the_next_call_for_ever(day: list[tuple[float, Happening]], later: float) -> None:
    """Whatever happened, half an hour on there is no work after a call left."""
    standing, now = Standing(), 1000.0
    for passed, what in day:
        now += passed
        standing = after(standing, what, now)
    standing = after(standing, TimeOver(), now + later)
    assert standing.until is None
    assert standing.call is None
    assert standing.state is not AgentState.WRAP_UP


@given(DAYS, ANYTHING)
def test_what_is_told_twice_happens_once(day: list[tuple[float, Happening]], what: Happening) -> None:
    """A pause, its end, done and the clock: told again at the same moment they change nothing more."""
    standing, now = Standing(), 1000.0
    for passed, earlier in day:
        now += passed
        standing = after(standing, earlier, now)
    once = after(standing, what, now)
    if isinstance(what, Longer):
        return
    assert after(once, what, now) == once or isinstance(what, Unpaused)


def arrived(call: CallKey) -> Arrived:
    """It comes in."""
    return Arrived(call=call, at=1.0, caller="13812345678", caller_name=None, number="4007002505", dialled="x")


def story(*facts: Fact) -> list[tuple[str, str, str]]:
    """Whose talks end in some facts: agent, line, and what tells this end from others."""
    talks = Talks()
    over = [talked for fact in facts for talked in talks.apply(fact)]
    assert len(talks) == len({fact.call for fact in facts} - {f.call for f in facts if isinstance(f, Ended)})
    return [(one.agent, one.line, one.cause) for one in over]


def test_a_talk_ends_once() -> None:
    """Hung up, transferred, held meanwhile or lost with the PBX; a phone that only rang talked with nobody."""
    rang = Rang(call=ONE, at=2.0, agent="1002")
    answered = Answered(call=ONE, at=3.0, agent="1001")
    left = Left(call=ONE, at=9.0, agent="1001", why=Over.ENDED)
    ended = Ended(call=ONE, at=9.0, outcome=Outcome.ANSWERED)
    first = ("1001", "4007002505", "main:1.1#9.000000")
    lost = ("1001", "4007002505", "main:1.1#3.000000")
    assert story(arrived(ONE), rang, answered, Stopped(call=ONE, at=3.0, agent="1002", why=Over.NO_ANSWER), left) == [
        first
    ]
    assert story(arrived(ONE), answered, left, ended) == [first]
    assert (
        story(arrived(ONE), answered, Held(call=ONE, at=4.0, agent="1001"), Resumed(call=ONE, at=5.0, agent="1001"))
        == []
    )
    assert story(arrived(ONE), answered, replace(ended, outcome=Outcome.LOST)) == [lost]
    again = replace(answered, at=20.0)
    assert story(arrived(ONE), answered, left, again, replace(left, at=30.0), ended) == [
        first,
        ("1001", "4007002505", "main:1.1#30.000000"),
    ]
    assert story(answered, left, ended) == [], "a call that never arrived is none of ours"
