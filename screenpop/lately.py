"""What happened lately, so that one look, however many requests it takes, is one entry in the audit."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable

QUIET = 600.0  # seconds after which the same is a new one
REMEMBERED = 10_000


class Lately:
    """Remembers what was written down lately. One for each kind of entry and application."""

    def __init__(self) -> None:
        self._last: OrderedDict[Hashable, float] = OrderedDict()
        self._turn = asyncio.Lock()

    async def once(self, what: Hashable, now: float, write: Callable[[], Awaitable[None]]) -> None:
        """Have it written down, unless it was lately; doing it again keeps it going.

        When this returns, the entry is there: who comes while another one's is being written waits for it, and what
        could not be written was not written down.
        """
        if self._goes_on(what, now):
            return
        async with self._turn:
            if not self._goes_on(what, now):
                await write()
                self._keep(what, now)

    def _goes_on(self, what: Hashable, now: float) -> bool:
        last = self._last.get(what)
        if last is None or not 0 <= now - last < QUIET:  # a clock that jumped back: rather one entry too many
            return False
        self._keep(what, now)
        return True

    def _keep(self, what: Hashable, now: float) -> None:
        self._last[what] = now
        self._last.move_to_end(what)
        while len(self._last) > REMEMBERED:
            self._last.popitem(last=False)
