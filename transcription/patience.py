"""When a child has had its time: stuck or running wild, at its limit; with little of a busy machine, later.

A machine that is busy otherwise must not make a sound recording look like one that hangs. Pure: times are arguments.
"""

MOST = 5.0  # times the limit, by the clock: whoever needs longer gets no nearer to its end
WINDOWS = 4  # looks at the processor time within one limit
WORKS = 0.01  # share of a processor, over one window, below which nobody works


class Patience:
    """With one piece of work. ``limit``: seconds it may take; ``now``: by the clock, ``burnt``: of processors."""

    def __init__(self, limit: float, now: float, burnt: float) -> None:
        self._limit, self._began, self._first = limit, now, burnt
        self._window = limit / WINDOWS
        self._look, self._last, self._works = now + self._window, burnt, False

    def over(self, now: float, burnt: float) -> bool:
        """Whether it must end now: its limit is over, and it is stuck, has burnt as much, or came five times as far."""
        if now >= self._look:
            self._works = burnt - self._last >= WORKS * self._window
            self._look, self._last = now + self._window, burnt
        took = now - self._began
        if took < self._limit:
            return False
        return not self._works or burnt - self._first >= self._limit or took >= MOST * self._limit
