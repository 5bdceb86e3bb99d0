"""A recording on a busy machine is no recording that hangs."""

import pytest

from transcription.patience import Patience

LIMIT, STEP = 100.0, 0.25


def killed_after(share: float, until: float = 1e9, *, limit: float = LIMIT) -> float:
    """Seconds until somebody who gets this share of a processor, up to a moment, is out of time."""
    patience, now, burnt = Patience(limit, 0.0, 7.0), 0.0, 7.0
    while not patience.over(now, burnt):
        now += STEP
        burnt += share * STEP if now <= until else 0.0
    return now


@pytest.mark.parametrize(
    ("share", "until", "killed"),
    [
        (0.0, 1e9, 100),  # asleep, or stopped from the start
        (1.0, 1e9, 100),  # wild
        (2.0, 1e9, 100),  # wild on two processors
        (0.5, 1e9, 200),  # half of a processor: what a whole one does in the limit
        (0.05, 1e9, 500),  # next to nothing: but not for ever
        (0.005, 1e9, 100),  # a thread that looks for work now and then does none
        (1.0, 50, 100),  # stuck in its middle
        (0.5, 120, 150),  # stuck after its limit: known one window later
    ],
)
def test_who_is_out_of_time_when(share: float, until: float, killed: float) -> None:
    """The processor's time is what a recording may take; a clock alone would blame it for its neighbours."""
    assert killed_after(share, until) == pytest.approx(killed, abs=1)


def test_a_short_limit_is_kept_too() -> None:
    """Half a second."""
    assert killed_after(0.0, limit=0.5) == 0.5
