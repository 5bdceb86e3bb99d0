"""Facts of calls as a PBX tells them, and the ledger that keeps them."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from numbering.number import Kind, Number
from storage.database import Database
from storage.ledger import Ledger
from storage.outbox import Outbox
from storage.reads import Reads
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

NOON = 1_795_147_200.0  # 2026-11-20 12:00 in Shanghai


@dataclass(frozen=True)
class Told:
    """The facts of one call, by name; ``at`` counts seconds from its arrival."""

    key: CallKey
    raw: str | None = "13812345678"
    line: str = "4007002505"
    began: float = NOON

    @property
    def number(self) -> Number:
        """What numbering makes of the caller (a mobile, or withheld)."""
        if self.raw is None:
            return Number("", None, None, Kind.WITHHELD)
        return Number(self.raw, f"+86{self.raw}", None, Kind.MOBILE, "广东深圳")

    def arrived(self) -> Arrived:
        """The carrier's channel."""
        return Arrived(
            call=self.key, at=self.began, caller=self.raw, caller_name=None, number=self.line, dialled=self.line
        )

    def confirmed(self, at: float = 0.1) -> Confirmed:
        """The second fitting event."""
        return Confirmed(call=self.key, at=self.began + at)

    def queued(self, at: float = 1.0, queue: str = "sales") -> Queued:
        """Into a queue."""
        return Queued(call=self.key, at=self.began + at, queue=queue)

    def rang(self, agent: str = "1001", at: float = 2.0) -> Rang:
        """A phone rings."""
        return Rang(call=self.key, at=self.began + at, agent=agent, queue="sales")

    def stopped(self, agent: str = "1001", at: float = 4.0, why: Over = Over.NO_ANSWER) -> Stopped:
        """A phone stops ringing."""
        return Stopped(call=self.key, at=self.began + at, agent=agent, why=why)

    def answered(self, agent: str = "1001", at: float = 5.0) -> Answered:
        """An agent talks."""
        return Answered(call=self.key, at=self.began + at, agent=agent, queue="sales")

    def left(self, agent: str = "1001", at: float = 30.0, why: Over = Over.ENDED) -> Left:
        """An agent talks no more."""
        return Left(call=self.key, at=self.began + at, agent=agent, why=why)

    def ended(self, at: float = 30.0, outcome: Outcome = Outcome.ANSWERED) -> Ended:
        """The caller is gone."""
        return Ended(call=self.key, at=self.began + at, outcome=outcome)

    def whole(self) -> list[Fact]:
        """An answered call from beginning to end."""
        talk = [self.queued(), self.rang(), self.rang("1002"), self.stopped("1002", 5.0, Over.ANSWERED_ELSEWHERE)]
        return [self.arrived(), self.confirmed(), *talk, self.answered(), self.left(), self.ended()]

    def missed(self) -> list[Fact]:
        """A call that nobody answered."""
        return [self.arrived(), self.confirmed(), self.queued(), self.ended(12.0, Outcome.ABANDONED)]


Ring = Callable[..., Told]


@pytest.fixture
def ring() -> Ring:
    """A new call: ``ring()``, ``ring("13900000000")``, ``ring(None)`` for a withheld caller."""
    count = 0

    def make(raw: str | None = "13812345678", line: str = "4007002505", began: float = NOON) -> Told:
        nonlocal count
        count += 1
        return Told(CallKey("main", f"{NOON:.0f}.{count}"), raw, line, began)

    return make


@pytest.fixture
def ledger(db: Database) -> Ledger:
    """The ledger on either database."""
    return Ledger(db)


@pytest.fixture
def reads(db: Database) -> Reads:
    """The reads on either database."""
    return Reads(db)


@pytest.fixture
def outbox(db: Database) -> Outbox:
    """The jobs on either database."""
    return Outbox(db)
