"""Which call is written down first: open trouble before all else, then the newest. Pure."""

from dataclasses import dataclass

from tickets.ticket import Status
from transcription.account import Category, Urgency

FIRST = 1e11  # above any time in epoch seconds


@dataclass(frozen=True, slots=True)
class Matter:
    """What is known of a call's ticket when its recording is there; words of people before those of the machine."""

    status: Status
    category: str | None
    urgency: str | None
    vip: bool


def need(arrived: float, matter: Matter | None) -> float:
    """The greater, the sooner: a complaint, something urgent or a VIP on an open ticket, then by ``arrived``."""
    if matter is None or not matter.status.open:
        return arrived
    pressing = matter.vip or matter.category == Category.COMPLAINT or matter.urgency == Urgency.HIGH
    return arrived + FIRST if pressing else arrived
