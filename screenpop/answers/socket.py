"""What the socket says, message by message. The document of the socket is made of these."""

from typing import Literal

from pydantic import Field

from screenpop.answers.cards import CallCard
from screenpop.answers.desk import DeskState
from screenpop.route import Shape
from telephony.call import Over


class Snapshot(Shape):
    """The cards that are open now; replaces everything. On connecting, every 20 s, and when something was lost."""

    type: Literal["snapshot"]
    cards: tuple[CallCard, ...]
    now: float = Field(description="the service's clock")


class CardMessage(Shape):
    """A card is new, or replaces the one with the same `call`."""

    type: Literal["card"]
    card: CallCard


class GoneMessage(Shape):
    """A card goes, and why."""

    type: Literal["gone"]
    call: str
    why: Over


class StateMessage(Shape):
    """The state of this phone's agent."""

    type: Literal["state"]
    state: DeskState


class SeatMessage(Shape):
    """Who sits at this phone besides; after a move the socket closes (4402): come back for the new phone's cards."""

    type: Literal["seat"]
    extension: str | None
    others: tuple[str, ...]


class DialNews(Shape):
    """How far a call by a click has come. ``state``: as the PBX tells it, ``over`` at last; ``why`` it was in vain."""

    state: str = Field(examples=["ringing", "talking", "over"])
    why: str | None = Field(examples=["no_answer"])
    e164: str
    who: str


class DialMessage(Shape):
    """What became of a call by a click."""

    type: Literal["dial"]
    dial: DialNews


class CallbacksMessage(Shape):
    """The list of missed callers has changed: ask for it again."""

    type: Literal["callbacks"]


class TicketMessage(Shape):
    """A ticket is new or changed. To those who may list all, and to the desks of who talked in its calls."""

    type: Literal["ticket"]
    id: int | None = None
    call: str | None = None
    burst: int | None = None


class BeatMessage(Shape):
    """A sign of life where there are no cards."""

    type: Literal["beat"]


MESSAGES: tuple[type[Shape], ...] = (
    Snapshot,
    CardMessage,
    GoneMessage,
    StateMessage,
    SeatMessage,
    DialMessage,
    CallbacksMessage,
    TicketMessage,
    BeatMessage,
)
