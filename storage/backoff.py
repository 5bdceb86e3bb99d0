"""How long a failed job rests before it is tried again. Pure: the dice are an argument."""

from random import Random

FIRST = 2.0  # seconds
LONGEST = 3600.0
JITTER = 0.25  # of the pause, either way: jobs that failed together do not come back together


def backoff(attempt: int, rng: Random) -> float:
    """Seconds to rest after the ``attempt``-th try (1 is the first) failed: doubling, bounded, jittered."""
    if attempt < 1:
        raise ValueError(f"attempts count from 1, not {attempt}")
    pause = min(LONGEST, FIRST * 2.0 ** min(attempt - 1, 32))
    return pause * rng.uniform(1 - JITTER, 1 + JITTER)
