"""What pages need to know of webhooks: who is told of calls, and how that went."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from storage.deliveries import Deliveries
from storage.outbox import Outbox


class Told(Protocol):
    """Those who are told of calls."""

    def report(self) -> Sequence[Mapping[str, Any]]:
        """How it goes with each."""
        ...

    async def resume(self, receiver: str) -> bool:
        """Ask one again that had said it was gone; False when there is none of that name."""
        ...


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What these pages look at."""

    told: Told
    deliveries: Deliveries
    outbox: Outbox
