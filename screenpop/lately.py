"""What happened lately, so that one look, however many requests it takes, is one entry in the audit. Pure."""

from collections import OrderedDict
from collections.abc import Hashable

QUIET = 600.0  # seconds after which the same is a new one
REMEMBERED = 10_000


class Lately:
    """Remembers when each thing was last done."""

    def __init__(self) -> None:
        self._last: OrderedDict[Hashable, float] = OrderedDict()

    def begins(self, what: Hashable, now: float) -> bool:
        """Whether this is a new one; doing it again keeps it going."""
        last = self._last.pop(what, None)
        self._last[what] = now
        while len(self._last) > REMEMBERED:
            self._last.popitem(last=False)
        return last is None or not 0 <= now - last < QUIET
