"""What our own database knows of a caller, as it goes onto a card. Pure: frozen rows. Times are epoch seconds."""

from dataclasses import dataclass

from telephony.call import CallKey, Outcome
from tickets.ticket import Ticket
from transcription.account import Step


@dataclass(frozen=True, slots=True)
class LastCall:
    """An earlier call; ``issue`` and ``category`` as people have its summary, ``agents`` the names of who talked."""

    call: CallKey
    at: float
    line: str
    outcome: Outcome | None
    issue: str | None
    category: str | None
    agents: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OpenTicket:
    """An open ticket, its owner's name, what its last call was about, and what was promised and comes next."""

    ticket: Ticket
    owner_name: str | None = None
    summary: str | None = None
    promise: Step | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """Whom a person said the caller is. ``who`` is that person's name."""

    customer_id: str
    name: str
    who: str
    at: float


@dataclass(frozen=True, slots=True)
class Standing:
    """What was chosen on a call: ``number`` counts choices and undoings, ``choice`` None: undone."""

    number: int
    choice: Choice | None


@dataclass(frozen=True, slots=True)
class Memory:
    """All of it. ``remembered``: whom people chose when this number rang before; ``standing``: on this very call."""

    tickets: tuple[OpenTicket, ...] = ()
    calls: tuple[LastCall, ...] = ()
    remembered: Choice | None = None
    standing: Standing | None = None
