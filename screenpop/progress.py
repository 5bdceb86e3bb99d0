"""How far calls have come that are being written down, as far as this process has heard. Never kept.

One follower for all pages; what was last heard is shown until it is old. Must not know who writes down, or how.
"""

import math
from collections import OrderedDict
from collections.abc import Callable

from storage.fanout import Fanout, Message
from telephony.call import CallKey

TOPIC = "progress"
MOST = 256  # calls remembered; a house writes down a few at once
OLD = 120.0  # seconds after which nothing is known any more: the engine says something for every stretch of speech


def message(call: CallKey, share: float) -> Message:
    """What is published: ``share`` 0 to 1."""
    return {"call": str(call), "share": round(share, 3)}


class Shares:
    """The shares done. :meth:`run` must be running; ``clock`` in seconds."""

    def __init__(self, fanout: Fanout, clock: Callable[[], float]) -> None:
        self._fanout, self._clock = fanout, clock
        self._heard: OrderedDict[str, tuple[float, float]] = OrderedDict()

    async def run(self) -> None:
        """Listen until cancelled, or until the fan-out ends."""
        async with self._fanout.subscribe(TOPIC) as messages:
            async for topic, told in messages:
                if topic == TOPIC:
                    self.take(told)

    def take(self, told: Message) -> None:
        """Remember one message; what is none is left alone."""
        call, share = told.get("call"), told.get("share")
        if isinstance(call, str) and isinstance(share, int | float) and math.isfinite(share):
            self._heard[call] = (min(1.0, max(0.0, float(share))), self._clock())
            self._heard.move_to_end(call)
            while len(self._heard) > MOST:
                self._heard.popitem(last=False)

    def of(self, call: CallKey) -> float | None:
        """The share done, 0 to 1; None when nothing was heard of late."""
        share, at = self._heard.get(str(call), (0.0, -math.inf))
        return share if self._clock() - at <= OLD else None
