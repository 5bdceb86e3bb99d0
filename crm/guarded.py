"""A connector that can do no harm: to a CRM in trouble, to calls that wait, or to the service by a slip of its own.

Three kinds of work, each with its breaker, its deadline and its share of the connections: while a telephone rings
nothing waits behind a full load. What a connector raises that is none of :mod:`crm.trouble`'s errors becomes one: an
answer of another shape than it was written for costs the card, not the service.
"""

from asyncio import Semaphore, timeout
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import TypeVar

import structlog

from crm.breaker import Breaker, State
from crm.connector import Can, Change, Connector, Draft, Health, Item, Note, Of, Page, Ref, Schema, Seen, Status, Traits
from crm.customer import Customer
from crm.trouble import CrmError, InvalidError, RateLimitedError, RestingError, TransientError, UnknownOutcomeError
from numbering.number import Number

T = TypeVar("T")
Batch = tuple[Sequence[Customer], str]

log = structlog.get_logger()

_SLIPS = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


class Op(StrEnum):
    """A kind of work: somebody waits for a lookup, a job for a write, nobody for the feed."""

    LOOKUP = "lookup"
    WRITE = "write"
    FEED = "feed"


DEADLINES: Mapping[Op, float] = {
    Op.LOOKUP: 5.0,
    Op.WRITE: 30.0,
    Op.FEED: 120.0,
}  # seconds, connectors keep shorter ones


@dataclass(frozen=True, slots=True)
class Condition:
    """How it goes with one kind of work: for pages. ``until``: left alone so long; ``error``: the last, ``at`` then."""

    state: State
    until: float | None
    asked: int
    failed: int
    error: str | None
    at: float | None


class Guarded:
    """A :class:`crm.connector.Connector` around another. ``clock``: epoch seconds."""

    def __init__(self, inner: Connector, clock: Callable[[], float]) -> None:
        self._inner, self._clock = inner, clock
        self._work = {op: _Work(inner.name, op) for op in Op}
        # A lookup finds a free connection whatever else goes on, unless the system grants a single one.
        self._seats = Semaphore(inner.traits.connections)
        self._bulk = Semaphore(max(1, inner.traits.connections - 1))

    @property
    def name(self) -> str:
        """The connector's."""
        return self._inner.name

    @property
    def can(self) -> Can:
        """The connector's."""
        return self._inner.can

    @property
    def traits(self) -> Traits:
        """The connector's."""
        return self._inner.traits

    def conditions(self) -> Mapping[Op, Condition]:
        """How it goes, for the operator's page."""
        return {op: work.condition() for op, work in self._work.items()}

    async def health(self) -> Health:
        """Ask for it, as a feed would."""
        return await self._do(Op.FEED, self._inner.health)

    async def find(self, number: Number) -> Sequence[Customer]:
        """A lookup."""
        return await self._do(Op.LOOKUP, partial(self._inner.find, number))

    async def get(self, customer_id: str) -> Customer | None:
        """A lookup."""
        return await self._do(Op.LOOKUP, partial(self._inner.get, customer_id))

    async def items(self, customer_id: str, limit: int = 5) -> Sequence[Item]:
        """A lookup."""
        return await self._do(Op.LOOKUP, partial(self._inner.items, customer_id, limit))

    async def keep_note(self, note: Note, known: Ref | None) -> Ref:
        """A write."""
        return await self._do(Op.WRITE, partial(self._inner.keep_note, note, known))

    async def create_ticket(self, draft: Draft) -> Ref:
        """A write."""
        return await self._do(Op.WRITE, partial(self._inner.create_ticket, draft))

    async def set_status(self, ticket: Ref, status: Status) -> Ref:
        """A write."""
        return await self._do(Op.WRITE, partial(self._inner.set_status, ticket, status))

    async def add_comment(self, ticket: Ref, text: str, key: str) -> None:
        """A write."""
        await self._do(Op.WRITE, partial(self._inner.add_comment, ticket, text, key))

    async def read_ticket(self, ticket_id: str) -> Item | None:
        """Part of writing: a job asks, no telephone rings."""
        return await self._do(Op.WRITE, partial(self._inner.read_ticket, ticket_id))

    async def by_key(self, of: Of, key: str) -> Ref | None:
        """Part of writing."""
        return await self._do(Op.WRITE, partial(self._inner.by_key, of, key))

    async def changes(self, of: Of, cursor: str | None) -> Page:
        """The feed."""
        return await self._do(Op.FEED, partial(self._inner.changes, of, cursor))

    async def load(self, after: str | None = None) -> AsyncIterator[Batch]:
        """The feed: each step is guarded by itself. After an error go on with a new one from the last place."""
        pages = self._inner.load(after)
        try:
            while (batch := await self._do(Op.FEED, partial(_next, pages))) is not None:
                yield batch
        finally:
            if isinstance(pages, AsyncGenerator):
                await pages.aclose()

    async def survey(self, of: Of, ids: Sequence[str]) -> Sequence[Seen]:
        """Part of the feed."""
        return await self._do(Op.FEED, partial(self._inner.survey, of, ids))

    async def describe(self) -> Schema:
        """Part of the feed."""
        return await self._do(Op.FEED, self._inner.describe)

    async def take_push(self, headers: Mapping[str, str], body: bytes) -> Sequence[Change]:
        """What it sends us says nothing of how it answers: no breaker, but its slips are caught."""
        try:
            return await self._inner.take_push(headers, body)
        except _SLIPS as error:
            raise self._slipped("push", error) from error

    def url_of(self, ref: Ref) -> str | None:
        """The connector's."""
        return self._inner.url_of(ref)

    async def close(self) -> None:
        """Close the connector."""
        await self._inner.close()

    async def _do(self, op: Op, ask: Callable[[], Awaitable[T]]) -> T:
        work = self._work[op]
        work.refuse_if_resting(self._clock())  # before waiting behind those that are stuck
        if op is Op.LOOKUP:
            return await self._seated(op, ask)
        async with self._bulk:
            return await self._seated(op, ask)

    async def _seated(self, op: Op, ask: Callable[[], Awaitable[T]]) -> T:
        work = self._work[op]
        async with self._seats:
            work.begin(self._clock())
            error: CrmError | None = None
            said = False
            try:
                async with timeout(DEADLINES[op]):
                    answer = await ask()
                said = True
            except CrmError as trouble:
                said, error = True, trouble
                raise
            except OSError as lost:  # TimeoutError is one
                said, error = True, _lost(self.name, op, lost)
                raise error from lost
            except _SLIPS as slip:
                said, error = True, self._slipped(op, slip)
                raise error from slip
            finally:
                work.end(self._clock(), error, said=said)
        return answer

    def _slipped(self, what: str, error: Exception) -> InvalidError:
        log.error("the connector stumbled over an answer", connector=self.name, work=what, exc_info=error)
        return InvalidError(f"{self.name}: the connector stumbled: {type(error).__name__}: {error}")


class _Work:
    """One kind of work: its breaker, and what to tell of it."""

    def __init__(self, name: str, op: Op) -> None:
        self._name, self._op, self._breaker = name, op, Breaker()
        self._asked = self._failed = 0
        self._error: str | None = None
        self._at: float | None = None

    def condition(self) -> Condition:
        """For pages."""
        until = None if self._breaker.state is State.CLOSED else self._breaker.until
        return Condition(self._breaker.state, until, self._asked, self._failed, self._error, self._at)

    def refuse_if_resting(self, now: float) -> None:
        """Raise RestingError while it must be left alone."""
        if self._breaker.state is State.OPEN and now < self._breaker.until:
            raise self._resting(now)

    def begin(self, now: float) -> None:
        """Before asking. Raises RestingError."""
        if not self._breaker.may(now):
            raise self._resting(now)
        self._asked += 1

    def end(self, now: float, error: CrmError | None, *, said: bool) -> None:
        """After it, whatever happened."""
        before = self._breaker.state
        if not said:
            self._breaker.unsaid()
        elif error is not None and error.counts:
            self._breaker.failed(now, error.after if isinstance(error, RateLimitedError) else None)
        else:
            self._breaker.succeeded(now)
        if error is not None:
            self._failed += 1
            self._error, self._at = str(error), now
        if before is State.CLOSED and self._breaker.state is State.OPEN:
            rest = round(self._breaker.until - now, 1)
            log.warning("left alone for now", connector=self._name, work=self._op, rest_s=rest, error=str(error))
        elif before is not State.CLOSED and self._breaker.state is State.CLOSED:
            log.info("answers again", connector=self._name, work=self._op)

    def _resting(self, now: float) -> RestingError:
        after = max(0.0, self._breaker.until - now)
        return RestingError(
            f"{self._name} is in trouble and not asked ({self._op}) for {after:.0f} s; last: {self._error}", after
        )


async def _next(pages: AsyncIterator[Batch]) -> Batch | None:
    return await anext(pages, None)


def _lost(name: str, op: Op, error: OSError) -> TransientError:
    said = f"{name}: {str(error) or type(error).__name__}"
    return UnknownOutcomeError(said) if op is Op.WRITE else TransientError(said)
