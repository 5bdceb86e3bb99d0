"""When to stop asking a system that is in trouble, and when to try it again. Pure.

One breaker for each kind of work with one system: a feed that fails must not keep a lookup from being tried. Only what
:attr:`crm.trouble.CrmError.counts` says counts: a record that is not there is no trouble of the system.
"""

from collections import deque
from enum import StrEnum

IN_A_ROW = 5
SHARE = 0.5  # of the last :data:`OF` within :data:`WITHIN` seconds
OF = 20
WITHIN = 30.0
FIRST_REST = 2.0  # seconds; doubled by each probe that fails
LONGEST_REST = 60.0


class State(StrEnum):
    """``HALF_OPEN``: one question is let through, to see."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Breaker:
    """Whether to ask. ``now`` is epoch seconds, as everywhere.

    :meth:`may` before each question; exactly one of :meth:`succeeded`, :meth:`failed` and :meth:`unsaid` after it.
    """

    def __init__(self) -> None:
        self.state = State.CLOSED
        self.until = 0.0  # while open: when a probe may go
        self._row = 0
        self._last: deque[tuple[float, bool]] = deque(maxlen=OF)
        self._rest = FIRST_REST

    def may(self, now: float) -> bool:
        """Whether to ask now. Rested long enough, it lets one through and no second until that one is back."""
        if self.state is State.CLOSED:
            return True
        if self.state is State.OPEN and now >= self.until:
            self.state = State.HALF_OPEN
            return True
        return False

    def succeeded(self, now: float) -> None:
        """The system answered: with what was asked for, or with a refusal that is no trouble of its own."""
        self._row = 0
        self._last.append((now, True))
        if self.state is State.HALF_OPEN:
            self._close()

    def failed(self, now: float, after: float | None = None) -> None:
        """It is in trouble. ``after``: seconds that it asked to be left alone for: kept to, at once."""
        self._row += 1
        self._last.append((now, False))
        if self.state is State.HALF_OPEN:
            self._rest = min(self._rest * 2, LONGEST_REST)
            self._open(now, after)
        elif self.state is State.CLOSED and (after is not None or self._in_trouble(now)):
            self._open(now, after)
        elif self.state is State.OPEN and after is not None:
            self.until = max(self.until, now + after)

    def unsaid(self) -> None:
        """The question was broken off from our side and says nothing; a probe's place is free again."""
        if self.state is State.HALF_OPEN:
            self.state = State.OPEN

    def _in_trouble(self, now: float) -> bool:
        if self._row >= IN_A_ROW:
            return True
        recent = [good for at, good in self._last if now - at <= WITHIN]
        return len(recent) == OF and recent.count(False) >= SHARE * OF

    def _open(self, now: float, after: float | None) -> None:
        self.state = State.OPEN
        self.until = now + (self._rest if after is None else max(self._rest, after))

    def _close(self) -> None:
        self.state = State.CLOSED
        self._last.clear()
        self._rest = FIRST_REST
