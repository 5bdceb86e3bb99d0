"""Shadow mode: calls are tracked beside whatever a company uses today, and nothing comes of it but a line in the log.

Nothing is shown to agents, nothing written to the database or a CRM, no recording touched, the dialplan not answered.
An admin compares what the service would have done with what happened, before anybody relies on it.
"""

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import structlog

from hotline.metrics import CALLS, FACTS
from hotline.replay import Calls
from numbering.display import mask
from numbering.number import Number
from telephony.call import Arrived, Ended, Fact

log = structlog.get_logger()

KEPT = 50  # calls that the status page can show


class Shadow:
    """Takes facts as the pipeline does. ``identify``: what a caller's number is, so that it can be masked."""

    def __init__(self, identify: Callable[[str | None], Number]) -> None:
        self._identify = identify
        self._calls = Calls()
        self._recent: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self._count = 0

    def deliver(self, facts: Sequence[Fact]) -> None:
        """Take facts in their order; tell each call that ended."""
        for fact in facts:
            FACTS.labels(type(fact).__name__).inc()
            line = self._calls.take(fact)
            if isinstance(fact, Arrived):
                log.info("shadow: a call arrived", call=str(fact.call), number=fact.number, caller=self._hide(fact))
            if line is None or not isinstance(fact, Ended):
                continue
            told = line | {"call": str(fact.call), "caller": self._mask(line["caller"])}
            del told["e164"]
            CALLS.labels(fact.outcome.value).inc()
            self._count += 1
            self._recent.appendleft(told)
            log.info("shadow: a call ended", **told)

    def hears(self, pbx: str, *, on: bool) -> None:
        """Nobody is shown anything, so nobody need know whom to believe."""

    def report(self) -> dict[str, Any]:
        """How many calls were followed, and the last of them, newest first. Callers are masked."""
        return {"calls": self._count, "recent": list(self._recent)}

    def _hide(self, fact: Arrived) -> str | None:
        return self._mask(fact.caller)

    def _mask(self, caller: str | None) -> str | None:
        return None if caller is None else mask(self._identify(caller))
