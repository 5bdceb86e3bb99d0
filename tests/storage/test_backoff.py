"""How long a failed job rests."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.backoff import FIRST, JITTER, LONGEST, backoff


@given(st.integers(1, 10_000), st.integers())
def test_the_pause_is_bounded_whatever_the_attempt(attempt: int, seed: int) -> None:
    """Never shorter than three quarters of the first pause, never longer than five quarters of the longest."""
    pause = backoff(attempt, Random(seed))
    assert FIRST * (1 - JITTER) <= pause <= LONGEST * (1 + JITTER)


@pytest.mark.parametrize(
    ("attempt", "plain"), [(1, 2.0), (2, 4.0), (5, 32.0), (11, 2048.0), (12, 3600.0), (99, 3600.0)]
)
def test_it_doubles_up_to_an_hour(attempt: int, plain: float) -> None:
    """Around the plain figure, jittered either way."""
    pauses = [backoff(attempt, Random(seed)) for seed in range(50)]
    assert plain * (1 - JITTER) <= min(pauses) < plain < max(pauses) <= plain * (1 + JITTER)
    assert len(set(pauses)) == 50


def test_attempts_count_from_one() -> None:
    """Zero would rest for less than the first pause."""
    with pytest.raises(ValueError, match="count from 1"):
        backoff(0, Random(1))
