"""The one place that reads the wall clock. Everything that decides takes ``now`` (epoch seconds) as an argument."""

import time


def now() -> float:
    """Epoch seconds."""
    return time.time()  # noqa: TID251 - the one place
