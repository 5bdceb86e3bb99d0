"""Calls from outside into a PBX that was set up by `hotline dialplan`, and what was told of them."""

import asyncio
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hotline.clock import now
from hotline.routing import Question
from telephony.call import Answered, Ended, Fact, LeftMessage, Queued
from telephony.recordings import Legs, Rules, find, find_message
from tests.pbx import admin
from tests.pbx.labs import Lab

RULES = Rules(mark=".done", quiet=1e9, repairs=Path("/nonexistent"))
"""Complete by the mark, or not at all."""


@dataclass
class Day:
    """What was called and what was told of it. ``calls``: Linkedids by what the call was for."""

    lab: Lab
    whole: bool
    config: Path
    facts: list[Fact] = field(default_factory=list)
    calls: dict[str, str] = field(default_factory=dict)
    codes: dict[str, int] = field(default_factory=dict)
    wire: bytes = b""
    questions: list[Question] = field(default_factory=list)
    refused: int = 0
    log: str = ""

    def of(self, name: str) -> list[Fact]:
        """The facts of a call."""
        return [fact for fact in self.facts if fact.call.linkedid == self.calls[name]]

    def one(self, name: str, kind: type[admin.F]) -> admin.F:
        """The only fact of a kind of a call."""
        (fact,) = (fact for fact in self.of(name) if isinstance(fact, kind))
        return fact

    def legs(self, name: str) -> Legs:
        """The call's recording as the service finds it, complete by its mark alone."""
        call = self.calls[name]
        (legs,) = find(self.lab.recordings, call, arrived=float(call), now=now(), rules=RULES)
        return legs

    def message(self, name: str) -> Legs:
        """The message its caller left, the same way."""
        told = self.one(name, LeftMessage).file
        assert told is not None
        return find_message([self.lab.recordings], self.calls[name], told, now=now(), rules=RULES)


class Caller:
    """Makes the calls of a day, one after the other."""

    def __init__(self, day: Day, phones: admin.Phones, ear: admin.Ear) -> None:
        self.day, self.phones, self.ear = day, phones, ear
        self.one_at_a_time = asyncio.Lock()

    @asynccontextmanager
    async def call(self, name: str, number: str, **how: Any) -> AsyncIterator[tuple[Any, str]]:
        """A call that reaches the PBX; hung up at the end of the block, and waited for until it is over."""
        async with self.one_at_a_time:  # which call is whose is told by their order
            known = self.ear.arrivals
            call = await self.phones.call(number, **how)
            linkedid = self.day.calls[name] = await self.ear.next_call(known)
        try:
            yield call, linkedid
        finally:
            call.hangup()
            await self.ear.first(Ended, linkedid)

    async def answered(self, name: str, number: str, agent: str, *, digits: str = "") -> None:
        """An agent answers, both speak for a second, the caller hangs up."""
        async with self.call(name, number) as (call, linkedid):
            await asyncio.wait_for(call.answered.wait(), 5)
            if digits:
                await self._press(call, digits, linkedid)
            answered = await self.ear.first(Answered, linkedid)
            assert answered.agent == agent
            await asyncio.sleep(1.0)

    async def _press(self, call: Any, digits: str, linkedid: str) -> None:
        """As a person does: again, until the menu has heard it. Nothing tells when it begins to listen."""
        for _ in range(6):  # the menu waits for five seconds
            with suppress(TimeoutError):
                await self.ear.first(Queued, linkedid, within=0.6)
                return
            call.dtmf(digits)

    async def queued(self, name: str, number: str = "4008001234", **how: Any) -> None:
        """A caller who hangs up once he is in a queue."""
        async with self.call(name, number, **how) as (_, linkedid):
            await self.ear.first(Queued, linkedid)

    async def refused(self, name: str, number: str) -> None:
        """A call the PBX does not take."""
        call = await self.phones.call(number)
        await asyncio.wait_for(call.final.wait(), 5)
        self.day.codes[name] = call.code

    async def message(self, name: str, seconds: float) -> None:
        """Nobody is there; the caller speaks after the tone and hangs up."""
        async with self.call(name, "4008001234") as (_, linkedid):
            await self.ear.first(Queued, linkedid)
            await appears(self.day.lab.recordings, f"voicemail/*{linkedid}.wav")
            await asyncio.sleep(seconds)


async def appears(folder: Path, pattern: str) -> None:
    """Wait for a file of the PBX."""
    async with asyncio.timeout(10):
        while not list(folder.glob(pattern)):  # noqa: ASYNC110, ASYNC240 - another program writes it
            await asyncio.sleep(0.05)


def loudness(path: Path) -> tuple[float, float]:
    """Seconds, and the greatest value."""
    with wave.open(str(path)) as sound:
        frames = sound.readframes(sound.getnframes())
        values = memoryview(frames).cast("h")
        return sound.getnframes() / sound.getframerate(), max(abs(value) for value in values)
