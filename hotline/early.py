"""Facts that came before their call: kept for a while, and never many.

A dialplan may ask where a call shall go before AMI told of it, and a caller whose arrival nothing confirmed yet is
written nowhere. What is said of such a call waits here.
"""

from telephony.call import CallKey, Fact

MOST_CALLS = 500
PATIENCE = 60.0  # seconds, as long as an unconfirmed arrival lives


class Early:
    """Facts by call, the oldest call first."""

    def __init__(self) -> None:
        self._waiting: dict[CallKey, tuple[float, list[Fact]]] = {}

    def put(self, fact: Fact, now: float) -> None:
        """Keep a fact until its call is there; the oldest go when there are too many."""
        self._forget(now)
        if fact.call not in self._waiting and len(self._waiting) >= MOST_CALLS:
            del self._waiting[next(iter(self._waiting))]
        self._waiting.setdefault(fact.call, (now, []))[1].append(fact)

    def take(self, call: CallKey) -> list[Fact]:
        """What waited for a call, in its order; it waits no more."""
        return self._waiting.pop(call, (0.0, []))[1]

    def __len__(self) -> int:
        """How many calls are waited for."""
        return len(self._waiting)

    def _forget(self, now: float) -> None:
        """Drop what has waited too long. A clock that jumped back only makes it wait longer."""
        for call, (since, _) in list(self._waiting.items()):
            if now - since <= PATIENCE:
                break
            del self._waiting[call]
