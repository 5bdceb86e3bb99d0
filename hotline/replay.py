"""A captured AMI stream, told as the calls in it. Needs no database and no clock."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from telephony.call import (
    Answered,
    Arrived,
    CallKey,
    Confirmed,
    Ended,
    Fact,
    Left,
    Outcome,
    Over,
    Queued,
    Rang,
    Stopped,
)
from telephony.framing import Counts, Framer, Response
from telephony.reading import LAYOUTS
from telephony.tracker import Tracker


@dataclass(slots=True)
class Pop:
    """One showing of a call on one agent's page. Times are epoch seconds, None where the stream has none."""

    agent: str
    shown: float | None
    withdrawn: float | None = None
    why: Over | None = None


@dataclass(slots=True)
class Telling:
    """What is known of one call so far."""

    arrived: Arrived
    confirmed: bool = False
    queues: list[str] = field(default_factory=list)
    agents: list[str] = field(default_factory=list)
    pops: list[Pop] = field(default_factory=list)
    showing: dict[str, Pop] = field(default_factory=dict)

    def take(self, fact: Fact) -> None:
        """Add one fact."""
        if isinstance(fact, Confirmed):
            self.confirmed = True
        elif isinstance(fact, Queued):
            if fact.queue not in self.queues:
                self.queues.append(fact.queue)
        elif isinstance(fact, Rang | Answered):
            if isinstance(fact, Answered) and fact.agent not in self.agents:
                self.agents.append(fact.agent)
            if fact.agent not in self.showing:
                pop = self.showing[fact.agent] = Pop(fact.agent, fact.at)
                self.pops.append(pop)
        elif isinstance(fact, Stopped | Left):
            shown = self.showing.pop(fact.agent, None)
            if shown is not None:
                shown.withdrawn, shown.why = fact.at, fact.why

    def line(self, outcome: Outcome, ended: float | None) -> dict[str, Any]:
        """The call as ``hotline replay --calls`` prints it."""
        return {
            "call": self.arrived.call.linkedid,
            "caller": self.arrived.caller,
            "e164": None,
            "number": self.arrived.number,
            "queues": self.queues,
            "agents": self.agents,
            "outcome": outcome.value,
            "pops": [
                {
                    "agent": p.agent,
                    "shown": p.shown,
                    "withdrawn": p.withdrawn,
                    "why": None if p.why is None else p.why.value,
                }
                for p in self.pops
            ],
            "arrived": self.arrived.at,
            "ended": ended,
        }


def facts_of(chunks: Iterable[bytes], tracker: Tracker, counts: Counts | None = None) -> Iterator[Fact]:
    """The facts of a stream of AMI bytes, in order."""
    framer = Framer(LAYOUTS, counts)
    for chunk in chunks:
        for message in framer.feed(chunk):
            if not isinstance(message, Response):
                yield from tracker.feed(message)


class Calls:
    """Puts facts together as calls. Unconfirmed calls are none."""

    def __init__(self) -> None:
        self._open: dict[CallKey, Telling] = {}

    def take(self, fact: Fact) -> dict[str, Any] | None:
        """Add one fact; the line of a call that it ended."""
        if isinstance(fact, Arrived):
            self._open[fact.call] = Telling(fact)
        telling = self._open.get(fact.call)
        if telling is None:
            return None
        if not isinstance(fact, Ended):
            telling.take(fact)
            return None
        del self._open[fact.call]
        return telling.line(fact.outcome, fact.at) if telling.confirmed else None

    def rest(self) -> Iterator[dict[str, Any]]:
        """The calls that are open still, as lost."""
        for telling in self._open.values():
            if telling.confirmed:
                for pop in telling.showing.values():
                    pop.why = Over.LOST
                yield telling.line(Outcome.LOST, None)


def calls_of(facts: Iterable[Fact]) -> Iterator[dict[str, Any]]:
    """One line per confirmed call, in the order of their ends; calls still open at the end of the stream are lost."""
    calls = Calls()
    for fact in facts:
        line = calls.take(fact)
        if line is not None:
            yield line
    yield from calls.rest()
