"""A system in trouble is left alone, and asked again carefully."""

from hypothesis import given
from hypothesis import strategies as st

from crm.breaker import FIRST_REST, LONGEST_REST, WITHIN, Breaker, State


def broken(now: float = 0.0) -> Breaker:
    """One that has just opened, at ``now``."""
    breaker = Breaker()
    for _ in range(5):
        assert breaker.may(now)
        breaker.failed(now)
    assert breaker.state is State.OPEN
    return breaker


def test_five_failures_in_a_row_open_it() -> None:
    """Four and one good answer do not."""
    breaker = Breaker()
    for _ in range(4):
        breaker.failed(0.0)
    breaker.succeeded(0.0)
    for _ in range(4):
        breaker.failed(0.0)
    assert breaker.may(0.0)
    breaker.failed(0.0)
    assert not breaker.may(0.0)


def test_half_of_twenty_open_it_but_only_within_half_a_minute() -> None:
    """Every second one fails: never five in a row."""
    quick, slow = Breaker(), Breaker()
    for step in range(10):
        for breaker, pause in ((quick, 1.0), (slow, WITHIN / 8)):
            breaker.succeeded(step * pause)
            breaker.failed(step * pause)
    assert quick.state is State.OPEN
    assert slow.state is State.CLOSED


def test_one_probe_goes_and_closes_it() -> None:
    """No second one before the first is back."""
    breaker = broken()
    assert not breaker.may(FIRST_REST - 0.1)
    assert breaker.may(FIRST_REST)
    assert not breaker.may(FIRST_REST)
    breaker.succeeded(FIRST_REST)
    assert breaker.may(FIRST_REST)
    assert breaker.state is State.CLOSED


def test_a_probe_that_fails_makes_the_rest_longer_but_not_endless() -> None:
    """2, 4, 8 seconds, at most a minute."""
    breaker, now, rests = broken(), 0.0, []
    for _ in range(7):
        rests.append(breaker.until - now)
        now = breaker.until
        assert breaker.may(now)
        breaker.failed(now)
    assert rests == [2, 4, 8, 16, 32, 60, LONGEST_REST]


def test_a_probe_broken_off_frees_its_place() -> None:
    """A caller who hung up during the probe leaves nothing locked."""
    breaker = broken()
    assert breaker.may(FIRST_REST)
    breaker.unsaid()
    assert breaker.may(FIRST_REST)


def test_a_system_that_asks_for_rest_gets_it_at_once() -> None:
    """Retry-After: 20, at the first 429; not shorter by a second one."""
    breaker = Breaker()
    breaker.failed(0.0, after=20.0)
    breaker.failed(1.0, after=5.0)
    assert not breaker.may(19.9)
    assert breaker.may(20.0)


@given(st.lists(st.tuples(st.sampled_from(["good", "bad", "off"]), st.floats(0, 5))))
def test_it_never_locks_for_good(steps: list[tuple[str, float]]) -> None:
    """Whatever happened, a minute after the last answer somebody may ask."""
    breaker, now = Breaker(), 0.0
    for what, pause in steps:
        now += pause
        if breaker.may(now):
            match what:
                case "good":
                    breaker.succeeded(now)
                case "bad":
                    breaker.failed(now)
                case _:
                    breaker.unsaid()
    assert breaker.may(now + LONGEST_REST)
