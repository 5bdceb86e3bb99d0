"""Receivers of webhooks and what they were told, as the API tells it."""

from typing import Any, Self

from pydantic import Field

from screenpop.route import Shape
from storage.deliveries import Delivery


class Receiver(Shape):
    """Somebody who is told of calls. ``gone``: since when it wants to hear no more; the counts are since the start."""

    receiver: str = Field(examples=["push:flows.example:1f0c2d3e"])
    kind: str
    state: str = Field(description="closed: it is told; open: it is left alone for now; half_open: one is tried")
    told: int
    failed: int
    waiting: int = Field(description="calls whose telling waits to be tried again")
    given_up: int = Field(description="calls of which it was not told, after a day of trying")
    error: str | None
    gone: float | None


class Receivers(Shape):
    """All of them."""

    receivers: tuple[Receiver, ...]


class DeliveryItem(Shape):
    """One attempt. ``took`` in seconds; ``status`` null: no answer came; ``error`` null: it was taken."""

    id: int
    receiver: str
    call: str
    name: str
    what: str = Field(description="arrived, identified, answered, ended, recorded or summarised")
    at: float
    took: float
    status: int | None
    error: str | None

    @classmethod
    def of(cls, kept: Delivery) -> Self:
        """From the row."""
        return cls(**fields_of(kept))


class WholeDelivery(DeliveryItem):
    """One attempt with what was sent, and the beginning of the answer.

    ``sent`` null: callers' numbers are in it, and whoever asks sees none.
    """

    sent: str | None
    answer: str | None

    @classmethod
    def of(cls, kept: Delivery, *, full: bool = False) -> Self:
        """From the row; ``full``: with numbers."""
        return cls(**fields_of(kept), sent=kept.sent if full else None, answer=kept.answer if full else None)


class DeliveryList(Shape):
    """A page of attempts, the newest first; ``cursor`` asks for the next, null at the end."""

    deliveries: tuple[DeliveryItem, ...]
    cursor: str | None


class Replayed(Shape):
    """How many calls are told anew."""

    calls: int


def fields_of(kept: Delivery) -> dict[str, Any]:
    """What both shapes have."""
    return {
        "id": kept.id,
        "receiver": kept.target,
        "call": kept.call,
        "name": kept.name,
        "what": kept.what,
        "at": kept.at,
        "took": kept.took,
        "status": kept.status,
        "error": kept.error,
    }
