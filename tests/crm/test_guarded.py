"""Whatever a connector does, a call is not kept waiting and the service goes on."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

import pytest

from crm import guarded
from crm.breaker import State
from crm.connector import Can, Connector, Of, Ref, Traits, Unable
from crm.customer import Customer
from crm.guarded import Guarded, Op
from crm.trouble import (
    InvalidError,
    NotFoundError,
    RateLimitedError,
    RestingError,
    TransientError,
    UnknownOutcomeError,
    UnsupportedError,
)
from numbering.identify import identify
from numbering.number import Number

CALLER = identify("13812345678")
LIN = Customer("C1", "林晓峰")


@dataclass(eq=False)
class Crm(Unable):
    """Finds LIN, or does what it is told: an error to raise, or to hang until let."""

    error: Exception | None = None
    hangs: bool = False
    asked: int = 0
    let: asyncio.Event = field(default_factory=asyncio.Event)
    name = "test"
    can = Can.FIND
    traits = Traits(connections=2)

    async def find(self, number: Number) -> Sequence[Customer]:
        """LIN, to his number."""
        self.asked += 1
        return [LIN] if await self._as_told() and number == CALLER else []

    async def by_key(self, of: Of, key: str) -> Ref | None:
        """Everything is there."""
        await self._as_told()
        return Ref(of, key)

    async def load(self, after: str | None = None) -> AsyncIterator[tuple[Sequence[Customer], str]]:
        """LIN, three times."""
        for step in range(int(after or 0), 3):
            await self._as_told()
            yield [LIN], str(step + 1)

    async def _as_told(self) -> bool:
        if self.hangs:
            await self.let.wait()
        if self.error is not None:
            raise self.error
        return True


@dataclass
class Clock:
    """A clock that is set."""

    now: float = 0.0

    def __call__(self) -> float:
        """What it was set to."""
        return self.now


async def test_it_is_a_connector_like_the_one_inside() -> None:
    """Answers pass, refusals pass."""
    connector: Connector = Guarded(Crm(), Clock())
    assert (connector.name, connector.can, connector.traits.connections) == ("test", Can.FIND, 2)
    assert await connector.find(CALLER) == [LIN]
    assert [place async for _, place in connector.load("1")] == ["2", "3"]
    with pytest.raises(UnsupportedError, match="test cannot get a customer"):
        await connector.get("C1")
    with pytest.raises(UnsupportedError):
        await connector.changes(Of.CUSTOMER, None)


async def test_in_trouble_it_is_not_asked_until_it_has_rested() -> None:
    """Five failures, then none asks; two seconds later one does, and all is well."""
    crm, clock = Crm(TransientError("test: out of order")), Clock()
    connector = Guarded(crm, clock)
    for _ in range(5):
        with pytest.raises(TransientError, match="out of order"):
            await connector.find(CALLER)
    with pytest.raises(RestingError, match="test is in trouble and not asked") as resting:
        await connector.find(CALLER)
    assert (crm.asked, resting.value.after) == (5, 2.0)
    assert connector.conditions()[Op.LOOKUP].state is State.OPEN
    crm.error, clock.now = None, 2.0
    assert await connector.find(CALLER) == [LIN]
    condition = connector.conditions()[Op.LOOKUP]
    assert (condition.state, condition.asked, condition.failed) == (State.CLOSED, 6, 5)


async def test_one_kind_of_work_in_trouble_leaves_the_others() -> None:
    """Lookups that fail do not keep a write from being tried."""
    crm = Crm(TransientError("test: out of order"))
    connector = Guarded(crm, Clock())
    for _ in range(6):
        with pytest.raises(TransientError):
            await connector.find(CALLER)
    crm.error = None
    assert await connector.by_key(Of.NOTE, "k") == Ref(Of.NOTE, "k")


@pytest.mark.parametrize("error", [NotFoundError("no"), InvalidError("no"), UnsupportedError("no")])
async def test_a_refusal_is_no_trouble(error: Exception) -> None:
    """However many there are."""
    crm = Crm(error)
    connector = Guarded(crm, Clock())
    for _ in range(30):
        with pytest.raises(type(error)):
            await connector.find(CALLER)
    assert crm.asked == 30


async def test_a_system_that_asks_for_rest_gets_it() -> None:
    """Retry-After: 20."""
    crm, clock = Crm(RateLimitedError("test: too many", 20.0)), Clock()
    connector = Guarded(crm, clock)
    for clock.now in (0.0, 1.0, 19.9):
        with pytest.raises(RateLimitedError):
            await connector.find(CALLER)
    assert crm.asked == 1


@pytest.mark.parametrize("slip", [KeyError("name"), TypeError("x"), AttributeError("x"), ValueError("x")])
async def test_a_slip_of_a_connector_is_an_error_like_others(slip: Exception) -> None:
    """Another schema after an upgrade costs the card, not the service."""
    with pytest.raises(InvalidError, match="stumbled"):
        await Guarded(Crm(slip), Clock()).find(CALLER)


async def test_a_lost_connection_that_nobody_sorted() -> None:
    """Of a write it is unknown whether it was done."""
    connector = Guarded(Crm(ConnectionResetError("reset")), Clock())
    with pytest.raises(TransientError) as read:
        await connector.find(CALLER)
    assert not isinstance(read.value, UnknownOutcomeError)
    with pytest.raises(UnknownOutcomeError):
        await connector.by_key(Of.NOTE, "k")


async def test_a_connector_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its place is free again for others."""
    monkeypatch.setattr(guarded, "DEADLINES", dict.fromkeys(Op, 0.05))
    crm = Crm(hangs=True)
    connector = Guarded(crm, Clock())
    for _ in range(3):
        with pytest.raises(TransientError):
            await connector.find(CALLER)
    crm.hangs = False
    assert await connector.find(CALLER) == [LIN]


async def test_a_lookup_finds_a_place_whatever_jobs_do() -> None:
    """Of two connections jobs take one; the telephone that rings has the other."""
    crm = Crm(hangs=True)
    connector = Guarded(crm, Clock())
    async with asyncio.TaskGroup() as group:
        jobs = [group.create_task(connector.by_key(Of.NOTE, str(number))) for number in range(5)]
        await asyncio.sleep(0)
        crm.hangs = False
        assert await connector.find(CALLER) == [LIN]
        assert not any(job.done() for job in jobs)
        crm.let.set()
    assert [job.result() for job in jobs] == [Ref(Of.NOTE, str(number)) for number in range(5)]


async def test_a_question_broken_off_says_nothing() -> None:
    """Callers who hang up in the middle of a lookup do not make the CRM look ill."""
    crm = Crm(hangs=True)
    connector = Guarded(crm, Clock())
    for _ in range(10):
        asking = asyncio.get_running_loop().create_task(connector.find(CALLER))
        await asyncio.sleep(0)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
    assert connector.conditions()[Op.LOOKUP].state is State.CLOSED
