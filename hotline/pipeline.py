"""A fact's way: to the cards at once, to the ledger behind them.

One inbox, one consumer, in order: facts of every PBX, the lookups' answers and the tickets made go through it, so
that no two changes of one card can overtake each other. The consumer awaits nothing but the fan-out.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from crm.customer import Match
from hotline.early import Early
from hotline.lookup import Lookup, known_of
from hotline.metrics import CALLS, FACTS, POPS
from hotline.tasks import Crew
from hotline.writer import Writer
from numbering.number import Number
from screenpop.asks import Voice
from screenpop.card import Chosen, Filled, Problem, Recalled, Ticketed
from screenpop.desk import Desk, Show
from screenpop.hub import CALLBACKS, CALLBACKS_WORD
from storage.fanout import Fanout
from storage.ledger import Ledger
from storage.records import Entry, Known, NewJob
from telephony.call import Answered, Arrived, CallKey, Confirmed, Ended, Fact, LeftMessage, Outcome, Routed
from tickets.rules import LinePolicy


@dataclass(frozen=True, slots=True)
class Hearing:
    """A PBX's link stands and all its live calls were told (``on``), or it is broken."""

    pbx: str
    on: bool


News = Fact | Filled | Recalled | Chosen | Ticketed | Hearing
Recalls = Callable[[CallKey, Number, str | None], Awaitable[Sequence[Recalled | Chosen]]]

TICKETS = "tickets"  # the fan-out topic of ticket lists
COMPLETE = "complete:"  # and the PBX: the job that finds out how a lost call ended, for who listens to that PBX


@dataclass(frozen=True, slots=True)
class LineRules:
    """What the pipeline needs to know of one of our numbers."""

    area: str | None = None
    policy: LinePolicy = field(default_factory=LinePolicy)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: the number, and the customers it may be; ``match`` is None until the CRM said so."""

    number: Number
    match: Match | None


@dataclass(slots=True)
class _File:
    """A live call: what is not written yet, and what its lookup found. ``looked_up``: no answer need be awaited.

    ``recalled``: the customers (None: nobody for sure) of whom our own database was asked.
    """

    arrived: Arrived
    number: Number
    rules: LineRules
    looked_up: asyncio.Event = field(default_factory=asyncio.Event)
    known: Known | None = None
    written: Known | None = None  # that the ticket has, or will have
    match: Match | None = None
    confirmed: bool = False
    ticket: int | None = None
    recalled: set[str | None] = field(default_factory=set)


_Item = tuple[Fact | Known, _File | None]


class Pipeline:
    """The service's spine. ``deliver`` facts; it shows cards, writes calls and tickets, and adds the jobs."""

    def __init__(
        self,
        *,
        desk: Desk,
        ledger: Ledger,
        voice: Voice,
        fanout: Fanout,
        lookup: Lookup,
        identify: Callable[[str | None, str | None], Number],
        lines: Mapping[str, LineRules],
        recorded_by_us: frozenset[str] = frozenset(),
        unrecorded: frozenset[str] = frozenset(),
        crew: Crew,
        clock: Callable[[], float],
        wake: Callable[[], None],
        recall: Recalls | None = None,
    ) -> None:
        self._desk, self._voice, self._ledger, self._fanout, self._lookup = desk, voice, ledger, fanout, lookup
        self._unrecorded = unrecorded
        self._identify, self._lines, self._crew, self._clock = identify, lines, crew, clock
        self._wake, self._recorded_by_us, self._recall = wake, recorded_by_us, recall
        self._inbox: asyncio.Queue[News] = asyncio.Queue()
        self._files: dict[CallKey, _File] = {}
        self._early = Early()
        self.writer: Writer[_Item] = Writer(self._write, crew)

    def deliver(self, facts: Sequence[Fact]) -> None:
        """Take facts in their order; returns at once."""
        for fact in facts:
            self._inbox.put_nowait(fact)

    def hears(self, pbx: str, *, on: bool) -> None:
        """Take word of a PBX's link, in its order among the facts; returns at once."""
        self._inbox.put_nowait(Hearing(pbx, on))

    def chosen(self, news: Chosen) -> None:
        """Take word of whom a person said a caller is; returns at once."""
        if news.call in self._files:
            self._inbox.put_nowait(news)

    def recall_all(self) -> None:
        """Have everything that our own database knows of live calls read again: word of it may have been lost."""
        for call, file in self._files.items():
            file.recalled.clear()
            self._remember(call)

    def caller(self, call: CallKey) -> Caller | None:
        """Who calls, as far as it is known; None for a call that is not live."""
        file = self._files.get(call)
        return None if file is None else Caller(file.number, file.match)

    async def run(self) -> None:
        """Consume the inbox until cancelled."""
        while True:
            news = await self._inbox.get()
            try:
                await self._step(news)
            finally:
                self._inbox.task_done()

    async def settled(self) -> None:
        """Wait until everything delivered so far was shown and written (for orderly ends and tests)."""
        await self._inbox.join()
        await self.writer.drained()
        await self._inbox.join()

    async def _step(self, news: News) -> None:
        if isinstance(news, Hearing):
            await self._voice.hears(news.pbx, on=news.on)
            return
        if isinstance(news, Routed):
            FACTS.labels(type(news).__name__).inc()
            self._routed(news)
            return
        for change in self._desk.apply(news, self._clock()):
            if isinstance(change, Show):
                POPS.inc()
            await self._voice.tell(change)
        if isinstance(news, Filled | Chosen):
            self._remember(news.call)
        if isinstance(news, Filled):
            self._filled(news)
        elif isinstance(news, Fact):
            FACTS.labels(type(news).__name__).inc()
            self._keep(news)

    def _keep(self, fact: Fact) -> None:
        """Have a fact written: an arrival only with the fact that confirms it, so that a forged one leaves no trace."""
        file = self._files.get(fact.call)
        if isinstance(fact, Arrived):
            if file is None:
                self._open(fact)
            return
        if isinstance(fact, Ended):
            self._files.pop(fact.call, None)
            if file is not None and not file.confirmed:
                return
            CALLS.labels(fact.outcome.value).inc()
        if file is not None and not file.confirmed:
            file.confirmed = True
            self.writer.put(fact.call, (file.arrived, file))
            for early in self._early.take(fact.call):
                self.writer.put(fact.call, (early, file))
        self.writer.put(fact.call, (fact, file))

    def _routed(self, fact: Routed) -> None:
        """Have an answer to the dialplan written, once its call is known to be real. It proves nothing itself."""
        file = self._files.get(fact.call)
        if file is not None and file.confirmed:
            self.writer.put(fact.call, (fact, file))
        else:
            self._early.put(fact, self._clock())

    def _open(self, fact: Arrived) -> None:
        rules = self._lines.get(fact.number, LineRules())
        file = _File(fact, self._identify(fact.caller, rules.area), rules)
        self._files[fact.call] = file
        self._crew.start(self._look_up(fact.call, file), f"look up {fact.call}")

    async def _look_up(self, call: CallKey, file: _File) -> None:
        try:
            async for answer in self._lookup.answers(call, file.number, file.rules.area):
                # A copy may be of yesterday: routing and the card may go by it at once, a ticket only if need be.
                if answer.problem is None or answer.copied is not None:
                    file.match = answer.match
                if not answer.checking and answer.problem is not Problem.LATE:
                    file.known = known_of(answer.match)
                self._inbox.put_nowait(answer)
                if not answer.checking:
                    file.looked_up.set()
        finally:
            file.looked_up.set()

    def _remember(self, call: CallKey) -> None:
        """Have our own database asked about whom the card stands for, once; nothing waits for it."""
        file, whose = self._files.get(call), self._desk.whose(call)
        if file is None or self._recall is None or whose in file.recalled:
            return
        file.recalled.add(whose)
        self._crew.start(self._recalled(call, file, whose, self._recall), f"recall {call}")

    async def _recalled(self, call: CallKey, file: _File, whose: str | None, recall: Recalls) -> None:
        for news in await recall(call, file.number, whose):
            if self._files.get(call) is file:
                self._inbox.put_nowait(news)

    def _filled(self, answer: Filled) -> None:
        """A customer found after the ticket was made is written onto it; found before, it went with the ticket."""
        file = self._files.get(answer.call)
        if file is None or file.known is None or file.ticket is None or file.known == file.written:
            return
        file.written = file.known
        self.writer.put(answer.call, (file.known, file))

    async def _write(self, call: CallKey, breath: Sequence[_Item]) -> None:
        """Write what came in one breath. The ticket waits for the lookup, which says itself when it is late."""
        for _, file in breath:
            if file is not None:
                await file.looked_up.wait()
        entries = [self._entry(what, file) for what, file in breath if isinstance(what, Fact)]
        written = await self._ledger.record_all(entries) if entries else []
        for what, _ in breath:
            if isinstance(what, Known):
                await self._ledger.know(call, what, self._clock())
        if any(entry.jobs for entry in entries) or self._ledger.follow:
            self._wake()
        if any(done.callbacks for done in written):
            await self._fanout.publish(CALLBACKS, CALLBACKS_WORD)
        link = next((done.ticket for done in reversed(written) if done.ticket is not None), None)
        if link is None:
            return
        first = next((file for _, file in breath if file is not None and file.ticket is None), None)
        if first is not None:
            first.ticket = link.id
            self._inbox.put_nowait(Ticketed(call, link.id, link.number, link.joined))
        if first is not None or any(isinstance(entry.fact, Ended | Answered) for entry in entries):
            await self._fanout.publish(TICKETS, {"type": "ticket", "id": link.id, "call": str(call)})

    def _entry(self, fact: Fact, file: _File | None) -> Entry:
        if file is None:
            return Entry(fact, self._clock(), jobs=self._jobs(fact))
        file.written = file.known or file.written
        return Entry(fact, self._clock(), file.number, file.known, self._jobs(fact), file.rules.policy)

    def _jobs(self, fact: Fact) -> tuple[NewJob, ...]:
        if fact.call.pbx in self._unrecorded:
            return ()
        if isinstance(fact, Confirmed) and fact.call.pbx in self._recorded_by_us:
            return (NewJob("record", f"{fact.call}:record", {"call": str(fact.call)}),)
        return jobs_of(fact)


def jobs_of(fact: Fact) -> tuple[NewJob, ...]:
    """What must be done because of a fact, later, on every PBX."""
    call = str(fact.call)
    if isinstance(fact, LeftMessage) and fact.file is not None:
        name = sha256(fact.file.encode(errors="replace")).hexdigest()[:16]
        return (NewJob("message", f"{call}:message:{name}", {"call": call, "file": fact.file}),)
    if not isinstance(fact, Ended):
        return ()
    recording = NewJob("recording", f"{call}:recording", {"call": call})
    if fact.outcome is not Outcome.LOST:
        return (recording,)
    return (recording, NewJob(COMPLETE + fact.call.pbx, f"{call}:complete", {"call": call}))
