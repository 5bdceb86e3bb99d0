"""How much each program may ask: a bucket of so many requests that fills again as time goes by. Pure, no clock."""

from collections import OrderedDict
from dataclasses import dataclass

REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class Rate:
    """How much one token may ask: so many requests a minute for ever, and so many at once after a rest."""

    per_minute: float = 600.0
    burst: int = 100


class Meter:
    """Counts what each token asks."""

    def __init__(self, rate: Rate) -> None:
        self._rate = rate
        self._left: OrderedDict[int, tuple[float, float]] = OrderedDict()

    def take(self, token: int, now: float) -> float:
        """Count one request. Seconds to wait before it would be granted, 0: it is."""
        a_second = self._rate.per_minute / 60
        left, at = self._left.pop(token, (float(self._rate.burst), now))
        left = min(float(self._rate.burst), left + max(0.0, now - at) * a_second)
        wait = 0.0 if left >= 1 else (1 - left) / a_second
        self._left[token] = (left if wait else left - 1, now)
        while len(self._left) > REMEMBERED:
            self._left.popitem(last=False)
        return wait
