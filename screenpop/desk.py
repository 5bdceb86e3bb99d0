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
- Whom a person chose among several customers counts for all agents of the call, and more than what is remembered of
  earlier calls. What is recalled is shown only while the card stands for the customer it was recalled of; so the same
  news in another order leave the same card.

Pure: no clock (``now``, epoch seconds, is an argument), no I/O, and nothing here is ever stored: a late pop is a lie.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from crm.connector import Item
from crm.customer import Candidate, Match
from numbering.display import display
from numbering.identify import identify
from numbering.number import Number
from screenpop.card import Card, Chosen, Filled, Json, LineInfo, Problem, Recalled, State, Ticketed
from storage.recalled import Choice, Standing
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
OfAPhone = Rang | Answered | Held | Resumed | Stopped | Left
_OfAPhone = (Rang, Answered, Held, Resumed, Stopped, Left)


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


@dataclass(frozen=True, slots=True)
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
    copied: float | None = None
    items: tuple[Item, ...] | None = None
    links: Mapping[str, str] = field(default_factory=dict)
    standing: Standing = field(default_factory=lambda: Standing(0, None))
    entered: dict[str, Candidate] = field(default_factory=dict)
    recalled: dict[str | None, Recalled] = field(default_factory=dict)
    phones: dict[str, _Phone] = field(default_factory=dict)

    @property
    def denied(self) -> bool:
        """Whether a person says that it is somebody else than the lookup is sure of."""
        sure, choice = self.match and self.match.sure, self.standing.choice
        return bool(sure and choice and sure.id != choice.customer_id)

    @property
    def known(self) -> Match | None:
        """Whom the lookup found, and whom people entered for this call; sure only as long as nobody denies it."""
        if self.match is None:
            return None
        there = {candidate.customer.id for candidate in self.match.candidates}
        more = tuple(candidate for each, candidate in self.entered.items() if each not in there)
        if not more and not self.denied:
            return self.match
        return Match(self.match.candidates + more, None if self.denied else self.match.sure)

    @property
    def whose(self) -> str | None:
        """The customer that the card stands for."""
        if self.standing.choice is not None:
            return self.standing.choice.customer_id
        return self.match.sure.id if self.match is not None and self.match.sure is not None else None


class Desk:
    """All cards of all agents, from the facts.

    ``lines`` names our numbers. ``identify(raw, area)`` understands a caller; give one that knows regions once those
    are loaded (:func:`numbering.region.warm`). ``strays`` counts facts of calls that never arrived or are over.
    """

    def __init__(
        self,
        lines: Mapping[str, LineInfo] | None = None,
        identify: Callable[[str | None, str | None], Number] = identify,
    ) -> None:
        self._lines = dict(lines or {})
        self._identify = identify
        self._calls: dict[CallKey, _Live] = {}
        self.strays = 0

    def apply(self, news: Fact | Filled | Recalled | Chosen | Ticketed, now: float) -> list[Change]:
        """What changes on whose page because of one fact, lookup answer, choice or ticket."""
        if isinstance(news, Arrived):
            return self._arrived(news)
        live = self._calls.get(news.call)
        if live is None:
            self.strays += 1
            return []
        if isinstance(news, Ended):
            del self._calls[news.call]
            return [Withdraw(agent, news.call, _why(phone, news.outcome)) for agent, phone in live.phones.items()]
        if isinstance(news, _OfAPhone):
            return self._at_phone(live, news, now)
        if isinstance(news, Filled | Recalled | Chosen | Ticketed):
            _learn(live, news)
        elif isinstance(news, Queued):
            live.queue = news.queue
        else:
            return []
        return self._redraw(live)

    def whose(self, call: CallKey) -> str | None:
        """The id of the customer that a live call's card stands for: the chosen one, else the sure one."""
        live = self._calls.get(call)
        return None if live is None else live.whose

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

    def _at_phone(self, live: _Live, news: OfAPhone, now: float) -> list[Change]:
        agent = news.agent
        if isinstance(news, Rang | Answered):
            live.queue = news.queue or live.queue
        before = live.phones.get(agent)
        after = _next(before, news, now)
        if after == before:
            return []
        if after is None:
            assert isinstance(news, Stopped | Left)
            del live.phones[agent]
            return [Withdraw(agent, news.call, news.why)]
        live.phones[agent] = after
        card = self._card(live, agent)
        return [Show(agent, card) if before is None else Update(agent, card)]

    def _redraw(self, live: _Live) -> list[Change]:
        return [Update(agent, self._card(live, agent)) for agent in live.phones]

    def _card(self, live: _Live, agent: str) -> Card:
        phone = live.phones[agent]
        line = self._lines.get(live.arrived.number)
        match, recalled = live.known, live.recalled.get(live.whose)
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
            match=match,
            problem=live.problem,
            tickets=live.tickets,
            ticket=live.ticket,
            copied=live.copied,
            items=None if live.denied else live.items,
            links=live.links,
            memory=recalled.memory if recalled else None,
            today=recalled.today if recalled else None,
            chosen=live.standing.choice,
            remembered=_remembered(live, match),
            lines=self._lines,
        )


def _learn(live: _Live, news: Filled | Recalled | Chosen | Ticketed) -> None:
    """What was found out about a call, by whom- or whatever."""
    match news:
        case Filled(match=match, tickets=tickets, problem=problem, number=number):
            live.match, live.tickets, live.problem = match, tickets, problem
            live.copied, live.items, live.links = news.copied, news.items, news.links
            live.number = number or live.number
        case Recalled():
            live.recalled[news.customer] = news
        case Chosen(standing=standing, entered=entered):
            if entered is not None:
                live.entered[entered.customer.id] = entered
            live.standing = max(live.standing, standing, key=lambda one: one.number)
        case Ticketed():
            live.ticket = news


def _remembered(live: _Live, match: Match | None) -> Choice | None:
    """Whom people chose on earlier calls of this number, if that one is among those it may be now."""
    if match is None or match.sure is not None:
        return None
    there = {candidate.customer.id for candidate in match.candidates}
    told = (recalled.memory.remembered for recalled in live.recalled.values())
    kept = [choice for choice in told if choice is not None and choice.customer_id in there]
    return max(kept, key=lambda choice: (choice.at, choice.customer_id), default=None)


def _next(before: _Phone | None, news: OfAPhone, now: float) -> _Phone | None:
    """What a phone does after a fact; None: nothing about this call."""
    talks = before is not None and before.state is State.TALKING
    match news:
        case Rang():
            return before or _Phone(State.RINGING, now)
        case Answered():
            return before if talks else _Phone(State.TALKING, now)
        case Stopped():
            return before if talks else None  # a second telephone of an agent who talks on the first
        case Left():
            return None
        case Held() | Resumed():
            return replace(before, held=isinstance(news, Held)) if before and talks else before


def _why(phone: _Phone, outcome: Outcome) -> Over:
    """Why a card still open at the end of its call goes: the PBX told nothing of that phone before."""
    if outcome is Outcome.LOST:
        return Over.LOST
    return Over.ENDED if phone.state is State.TALKING else Over.GAVE_UP
