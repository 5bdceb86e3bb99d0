"""Listeners beside each other on one real Asterisk, some of whom miss a part, to see what they make of the same calls.

An :class:`Ear` is link, tracker and desk without a service around them. Behind a :class:`Cutter` its connection is cut
after so many events, in the middle of the next one, and cannot come back for a while.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from hotline.clock import now
from hotline.replay import Calls
from screenpop.desk import Desk
from telephony.ami import AmiSettings
from telephony.call import Answered, Ended, Fact, Left, Recorded
from telephony.events import Snapshot
from telephony.lines import Lines
from telephony.link import AmiLink, LinkState
from telephony.tracker import Tracker
from tests.pbx.labs import LINES, TRUNK, VOICEMAIL, Lab

State = frozenset[tuple[str, str, str]]
"""What all pages show: (agent, call, ringing or talking)."""


class Cutter:
    """A TCP proxy before a PBX: cuts its client off ``events`` events after :meth:`arm`, for ``gap`` seconds."""

    def __init__(self, lab: Lab, events: int, gap: float) -> None:
        self.port = 0
        self.cut_at: float | None = None
        self._lab, self._left, self._gap = lab, events, gap
        self._armed = False
        self._closed_until = 0.0
        self._clients: set[asyncio.Task[None]] = set()

    def arm(self) -> None:
        """Count from now on."""
        self._armed = True

    @asynccontextmanager
    async def serving(self) -> AsyncIterator["Cutter"]:
        """Take clients on :attr:`port` while the block lasts."""
        server = await asyncio.start_server(self._take, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for task in self._clients:
                task.cancel()
            await asyncio.gather(*self._clients, return_exceptions=True)
            await asyncio.sleep(0)  # for the transports to close

    def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._client(reader, writer))
        self._clients.add(task)
        task.add_done_callback(self._clients.discard)

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._carry(reader, writer)
        finally:
            writer.transport.abort()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if now() < self._closed_until:
            return
        with contextlib.suppress(OSError):  # a PBX that is down
            pbx_reader, pbx_writer = await asyncio.open_connection("127.0.0.1", self._lab.ami_port)
            try:
                async with asyncio.TaskGroup() as group:
                    asking = group.create_task(self._ask(reader, pbx_writer))
                    await self._answer(pbx_reader, writer)
                    asking.cancel()
            except* OSError:
                pass
            finally:
                pbx_writer.transport.abort()

    async def _ask(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
        writer.transport.abort()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        waiting = b""
        while data := await reader.read(65536):
            if not self._armed:
                writer.write(data)
                continue
            waiting += data
            while (end := waiting.find(b"\r\n\r\n")) >= 0:
                message, waiting = waiting[: end + 4], waiting[end + 4 :]
                writer.write(message)
                self._left -= b"Event: " in message
                if self._left == 0:
                    writer.write(waiting[: len(waiting) // 2])
                    self._armed = False
                    self.cut_at = now()
                    self._closed_until = self.cut_at + self._gap
                    await writer.drain()
                    return


@dataclass
class Ear:
    """One listener. ``missed``: the parts it did not hear, our clock's epoch seconds, the last one perhaps open."""

    name: str
    link: AmiLink
    cutter: Cutter | None = None
    facts: list[Fact] = field(default_factory=list)
    states: list[tuple[float, State]] = field(default_factory=list)
    snapshots: list[float] = field(default_factory=list)
    open_calls: int = 0
    ready: asyncio.Event = field(default_factory=asyncio.Event)

    async def heard_again(self) -> None:
        """Wait until no cut is open."""
        while self.missed is not None and self.missed[1] == float("inf"):
            self.ready.clear()
            await self.ready.wait()

    @property
    def missed(self) -> tuple[float, float] | None:
        """From the cut to the snapshot after it; None when it was never cut."""
        if self.cutter is None or self.cutter.cut_at is None:
            return None
        cut = self.cutter.cut_at
        return cut, next((at for at in self.snapshots if at > cut), float("inf"))

    async def run(self) -> None:
        """Listen until cancelled."""
        tracker = Tracker("lab", Lines(LINES), (TRUNK,), voicemail_event=VOICEMAIL)
        desk = Desk()
        async for item in self.link:
            at = now()
            if isinstance(item, LinkState):
                tracker.missed()
                continue
            facts = tracker.resync(item, at) if isinstance(item, Snapshot) else tracker.feed(item, at)
            for fact in facts:
                desk.apply(fact, at)
            self.facts += facts
            state = frozenset(
                (agent, card["call"], card["state"]) for agent, cards in desk.snapshot().items() for card in cards
            )
            if not self.states or self.states[-1][1] != state:
                self.states.append((at, state))
            self.open_calls = len(tracker.calls)
            if isinstance(item, Snapshot):
                self.snapshots.append(at)
                self.ready.set()

    def calls(self) -> dict[str, dict[str, Any]]:
        """The calls as ``hotline replay --calls`` tells them, by Linkedid; those that are open are not there."""
        calls = Calls()
        lines = [line for fact in self.facts if (line := calls.take(fact)) is not None]
        return {line["call"]: line for line in lines}

    def talks(self, call: str) -> list[tuple[str, float, float]]:
        """Who talked with a call's caller, from when to when."""
        facts = [fact for fact in self.facts if fact.call.linkedid == call]
        talks = []
        for fact in facts:
            if isinstance(fact, Answered) and fact.at is not None:
                after = facts[facts.index(fact) :]
                over = (f.at for f in after if isinstance(f, Ended) or (isinstance(f, Left) and f.agent == fact.agent))
                talks.append((fact.agent, fact.at, next((at for at in over if at is not None), float("inf"))))
        return talks

    def state(self, at: float) -> State:
        """What all pages showed then."""
        return next((state for since, state in reversed(self.states) if since <= at), frozenset())

    def steady(self, at: float, spell: float) -> bool:
        """Nothing changed on any page within ``spell`` seconds before or after."""
        return not any(abs(since - at) < spell for since, _ in self.states)

    def doubled(self) -> list[Fact]:
        """Facts that follow the end of their call: there must be none."""
        over: set[str] = set()
        late = []
        for fact in self.facts:
            if fact.call.linkedid in over and not isinstance(fact, Recorded):
                late.append(fact)
            if isinstance(fact, Ended):
                over.add(fact.call.linkedid)
        return late


@asynccontextmanager
async def listening(
    lab: Lab, cuts: Sequence[tuple[int, float]] = (), user: str = "crmfiltered"
) -> AsyncIterator[list[Ear]]:
    """Ears on a PBX: the first hears all; one for each cut (after so many events, seconds it lasts). All are ready."""
    async with AsyncExitStack() as stack:
        ears = []
        for events, gap in [(0, 0.0), *cuts]:
            cutter = await stack.enter_async_context(Cutter(lab, events, gap).serving()) if events else None
            settings = AmiSettings(
                name="lab",
                host="127.0.0.1",
                port=cutter.port if cutter else lab.ami_port,
                user=user,
                secret=lab.secret,
                first_retry=0.1,
            )
            ears.append(Ear(f"{user} cut after {events} for {gap} s", AmiLink(settings, now), cutter))
        tasks = [asyncio.get_running_loop().create_task(work) for ear in ears for work in (ear.link.run(), ear.run())]
        try:
            async with asyncio.timeout(20):
                for ear in ears:
                    await ear.ready.wait()
                    if ear.cutter is not None:
                        ear.cutter.arm()
            yield ears
            async with asyncio.timeout(20):
                for ear in ears:
                    await ear.heard_again()
        finally:
            for task in tasks:
                task.cancel()
            done, _ = await asyncio.wait(tasks)
            broken = [error for task in done if not task.cancelled() and (error := task.exception())]
            assert not broken, broken
