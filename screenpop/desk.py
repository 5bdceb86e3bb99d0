"""Who is shown which call.

The rule, whole: an agent has a card for a call from the moment that agent's phone rings for it, or the agent talks
with the caller, until that is over for that agent; and never two cards for one call. Everything else here follows:

- Cards come from :class:`Rang` and :class:`Answered` alone, so internal and outbound calls, which have no facts, have
  no cards, and a call still in the IVR shows nowhere.
- :class:`Stopped` takes a ringing card (an agent with two telephones who talks on one keeps it), :class:`Left` a card
  of either kind, :class:`Ended` every card that is left.
- What is known of the call (customer, tickets, its own ticket) belongs to the call, not to a card: an agent who gets
  the call by transfer sees at once what the first one saw.
- A lookup that answers after the call is gone is dropped: nothing is kept of an ended call.

Pure: no clock (``now``, epoch seconds, is an argument), no I/O, and nothing here is ever stored: a late pop is a lie.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from crm.customer import Match
from numbering.display import display
from numbering.identify import identify
from numbering.number import Number
from screenpop.card import Card, Filled, Json, LineInfo, Problem, State, Ticketed
from telephony.call import (
    Answered,
    Arrived,
    CallKey,
    Ended,
    Fact,
    Held,
    Left,
    Outcome,
    Over,
    Queued,
    Rang,
    Resumed,
    Stopped,
)
from tickets.ticket import Ticket


@dataclass(frozen=True, slots=True)
class Show:
    """Open a card on an agent's page."""

    agent: str
    card: Card


@dataclass(frozen=True, slots=True)
class Update:
    """Draw an agent's open card anew."""

    agent: str
    card: Card


@dataclass(frozen=True, slots=True)
class Withdraw:
    """Take a card away, saying why."""

    agent: str
    call: CallKey
    why: Over


Change = Show | Update | Withdraw


def topic(agent: str) -> str:
    """The fan-out topic of one agent's page."""
    return f"desk:{agent}"


def message(change: Change) -> Json:
    """A change as the WebSocket carries it."""
    match change:
        case Show(card=card) | Update(card=card):
            return {"type": "card", "card": card.json()}
        case Withdraw(call=call, why=why):
            return {"type": "gone", "call": str(call), "why": why.value}


@dataclass(slots=True)
class _Phone:
    """What one agent's phone does about one call."""

    state: State
    since: float
    held: bool = False


@dataclass(slots=True)
class _Live:
    """A call that is not over, and what has been learnt about it."""

    arrived: Arrived
    number: Number
    queue: str | None = None
    match: Match | None = None
    problem: Problem | None = None
    tickets: tuple[Ticket, ...] = ()
    ticket: Ticketed | None = None
    phones: dict[str, _Phone] = field(default_factory=dict)


class Desk:
    """All cards of all agents, from the facts. ``lines`` names our numbers; ``strays`` counts facts of unknown calls."""

    def __init__(
        self,
        lines: Mapping[str, LineInfo] | None = None,
        identify: Callable[[str | None, str | None], Number] = identify,
    ) -> None:
        self._lines = dict(lines or {})
        self._identify = identify
        self._calls: dict[CallKey, _Live] = {}
        self.strays = 0

    def apply(self, news: Fact | Filled | Ticketed, now: float) -> list[Change]:
        """What changes on whose page because of one fact, lookup answer or ticket."""
        if isinstance(news, Arrived):
            return self._arrived(news)
        live = self._calls.get(news.call)
        if live is None:
            self.strays += 1
            return []
        match news:
            case Filled(match=match, tickets=tickets, problem=problem):
                live.match, live.tickets, live.problem = match, tickets, problem
                return self._redraw(live)
            case Ticketed():
                live.ticket = news
                return self._redraw(live)
            case Queued(queue=queue):
                live.queue = queue
                return self._redraw(live)
            case Rang(agent=agent, queue=queue):
                live.queue = queue or live.queue
                if agent in live.phones:
                    return []
                return self._phone(live, agent, _Phone(State.RINGING, now))
            case Answered(agent=agent, queue=queue):
                live.queue = queue or live.queue
                phone = live.phones.get(agent)
                if phone is not None and phone.state is State.TALKING:
                    return []
                return self._phone(live, agent, _Phone(State.TALKING, now))
            case Held(agent=agent) | Resumed(agent=agent):
                return self._hold(live, agent, held=isinstance(news, Held))
            case Stopped(agent=agent, why=why):
                return self._stop(live, agent, why)
            case Left(agent=agent, why=why):
                return [] if live.phones.pop(agent, None) is None else [Withdraw(agent, news.call, why)]
            case Ended(outcome=outcome):
                del self._calls[news.call]
                return [Withdraw(agent, news.call, _why(phone, outcome)) for agent, phone in live.phones.items()]
            case _:
                return []

    def cards(self, agent: str) -> list[Card]:
        """An agent's cards, the oldest call first."""
        return [self._card(live, agent) for live in self._calls.values() if agent in live.phones]

    def page(self, agent: str) -> list[Json]:
        """An agent's cards as the WebSocket's snapshot carries them."""
        return [card.json() for card in self.cards(agent)]

    def snapshot(self) -> dict[str, list[Json]]:
        """Every agent's cards, for agents who have any."""
        cards: dict[str, list[Json]] = {}
        for live in self._calls.values():
            for agent in live.phones:
                cards.setdefault(agent, []).append(self._card(live, agent).json())
        return cards

    def __len__(self) -> int:
        """How many calls are live."""
        return len(self._calls)

    def _arrived(self, fact: Arrived) -> list[Change]:
        line = self._lines.get(fact.number)
        number = self._identify(fact.caller, line.area if line else None)
        live = self._calls.get(fact.call)
        if live is None:
            self._calls[fact.call] = _Live(fact, number)
            return []
        if (live.arrived.caller, live.arrived.number) == (fact.caller, fact.number):
            return []
        live.arrived, live.number = fact, number
        return self._redraw(live)

    def _phone(self, live: _Live, agent: str, phone: _Phone) -> list[Change]:
        known = agent in live.phones
        live.phones[agent] = phone
        card = self._card(live, agent)
        return [Update(agent, card) if known else Show(agent, card)]

    def _stop(self, live: _Live, agent: str, why: Over) -> list[Change]:
        phone = live.phones.get(agent)
        if phone is None or phone.state is State.TALKING:  # a second telephone of an agent who already talks
            return []
        del live.phones[agent]
        return [Withdraw(agent, live.arrived.call, why)]

    def _hold(self, live: _Live, agent: str, *, held: bool) -> list[Change]:
        phone = live.phones.get(agent)
        if phone is None or phone.held == held:
            return []
        phone.held = held
        return [Update(agent, self._card(live, agent))]

    def _redraw(self, live: _Live) -> list[Change]:
        return [Update(agent, self._card(live, agent)) for agent in live.phones]

    def _card(self, live: _Live, agent: str) -> Card:
        phone = live.phones[agent]
        line = self._lines.get(live.arrived.number)
        return Card(
            agent=agent,
            call=live.arrived.call,
            state=phone.state,
            since=phone.since,
            held=phone.held,
            line=live.arrived.number,
            line_name=line.name if line else "",
            queue=live.queue,
            caller=live.number,
            shown=display(live.number),
            match=live.match,
            problem=live.problem,
            tickets=live.tickets,
            ticket=live.ticket,
        )


def _why(phone: _Phone, outcome: Outcome) -> Over:
    """Why a card still open at the end of its call goes: the PBX told nothing of that phone before."""
    if outcome is Outcome.LOST:
        return Over.LOST
    return Over.ENDED if phone.state is State.TALKING else Over.GAVE_UP
