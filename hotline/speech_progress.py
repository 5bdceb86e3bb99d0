"""How far the writing down of a call has come, told to open pages: at most once a second, never kept."""

import asyncio
from collections.abc import Awaitable, Callable

from screenpop.progress import TOPIC, message
from storage.fanout import Fanout
from telephony.call import CallKey

EVERY = 1.0  # seconds


class Progress:
    """Publishes shares on the fan-out."""

    def __init__(self, fanout: Fanout) -> None:
        self._fanout = fanout

    def of(self, call: CallKey) -> Callable[[float], Awaitable[None]]:
        """A listener for one recording: shares of 0 to 1."""
        clock, last = asyncio.get_running_loop().time, float("-inf")

        async def tell(share: float) -> None:
            nonlocal last
            now = clock()
            if now - last >= EVERY:
                last = now
                await self._fanout.publish(TOPIC, message(call, share))

        return tell
