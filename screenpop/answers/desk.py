"""The agent's own desk: state, phone, and what may be done there."""

from typing import Annotated

from pydantic import Field

from screenpop.presence import AgentState
from screenpop.route import Shape

Reason = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]+$")]
Extension = Annotated[str, Field(pattern=r"^[0-9]{2,8}$")]


class TicketOfWork(Shape):
    """The ticket that the work after a call is about."""

    id: int
    number: str


class DeskState(Shape):
    """An agent's state, when the phone neither rings nor talks: the cards say that, and come first."""

    state: AgentState
    reason: str | None = Field(description="of a pause")
    since: float | None = Field(description="null: nobody knows")
    until: float | None = Field(description="when the work after a call is over by itself; in a pause, too")
    call: str | None = Field(description="the call that work is about")
    ticket: TicketOfWork | None


class Desk(Shape):
    """Where one sits and what one may do there; ``state`` is null without a phone."""

    extension: str | None = Field(description="the phone this login sits at")
    own: str | None = Field(description="the phone of the account")
    state: DeskState | None
    others: tuple[str, ...] = Field(description="names of colleagues at the same phone")
    phones: tuple[str, ...] = Field(description="extensions to choose from; others may be named")
    reasons: tuple[str, ...] = Field(description="of pauses, as the administrator lists them")
    may_pause: bool
    may_dial: bool
    wrap_up: float = Field(description="seconds of work after a call, where its line says nothing else")
    missed: int = Field(description="missed callers whom nobody has taken to call back")
    now: float


class StateChange(Shape):
    """What one wants to be; ``reason`` of a pause, null for none."""

    state: AgentState
    reason: Reason | None = None


class Seat(Shape):
    """The phone one sits at from now on; null: at none."""

    extension: Extension | None


class SeatTaken(Shape):
    """Where one sits now, and who sits there besides."""

    extension: str | None
    others: tuple[str, ...]
