"""One PBX's stream into the pipeline: link, tracker, facts; and what the operator wants to know of it."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any, Protocol

import structlog

from hotline.listening import Listening
from hotline.metrics import EVENTS, LINK_UP
from hotline.settings import Settings
from hotline.telephony_settings import Pbx
from telephony.ami import AmiSettings, Login
from telephony.call import Fact
from telephony.events import Dialled, DialOver, Event, HangUp, MemberPaused, Snapshot, seconds
from telephony.lines import Lines
from telephony.link import AmiLink, Link, LinkState
from telephony.outgoing import OutCall, Outgoing
from telephony.pauses import Pauses, PauseSeen
from telephony.phones import Phones
from telephony.resync import Merge
from telephony.tracker import Tracker

log = structlog.get_logger()

BURST = 200  # events read in a row before others get a turn: about a millisecond


class Sink(Protocol):
    """Where facts go: the pipeline, or the shadow of it."""

    def deliver(self, facts: Sequence[Fact]) -> None:
        """Take facts in their order; returns at once."""

    def hears(self, pbx: str, *, on: bool) -> None:
        """Take word of a PBX's link, in its order among the facts; returns at once."""


def login_of(pbx: Pbx, secret: str) -> AmiSettings:
    """How the service reaches a PBX."""
    return AmiSettings(
        name=pbx.name,
        host=pbx.host,
        port=pbx.port,
        user=pbx.user,
        secret=secret,
        tls=pbx.tls,
        tls_ca=pbx.tls_ca,
        login=Login(pbx.login),
        ping_every=pbx.ping_every,
        capture=None if pbx.capture is None else pbx.capture / f"{pbx.name}.ami",
    )


def agents_of(settings: Settings) -> dict[str, str]:
    """Whose the interfaces are that the configuration names."""
    return {interface: agent.extension for agent in settings.agent for interface in agent.interfaces}


def tracker_of(pbx: Pbx, settings: Settings) -> Tracker:
    """A tracker that knows what is configured for a PBX."""
    return Tracker(
        pbx.name,
        Lines({line.number: line.aliases for line in settings.line}),
        pbx.trunks,
        agents_of(settings),
        voicemail_event=pbx.voicemail_event,
        recording_event=pbx.recording_event,
    )


class PbxFeed:
    """Listens to one PBX until cancelled.

    ``paused`` is told of agents who take a break, ``went`` of calls that go out; both must return at once.
    """

    def __init__(
        self,
        pbx: Pbx,
        secret: str,
        settings: Settings,
        pipeline: Sink,
        clock: Callable[[], float],
        *,
        listening: Listening | None = None,
        paused: Callable[[PauseSeen], None] | None = None,
        went: Callable[[OutCall], None] | None = None,
    ) -> None:
        self._pbx, self._pipeline, self._clock, self._listening = pbx, pipeline, clock, listening
        self._paused, self._went = paused, went
        self.name = pbx.name
        self._link = AmiLink(login_of(pbx, secret), clock)
        self._events = EVENTS.labels(pbx.name)
        self.tracker = tracker_of(pbx, settings)
        phones = Phones(pbx.trunks, agents_of(settings))
        self._pauses = Pauses(pbx.name, phones)
        self._outgoing = Outgoing(pbx.name, phones, "" if pbx.desk is None else pbx.desk.prefix)

    async def run(self) -> None:
        """Read what the PBX says, for ever."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._link.run())
            await self._read()

    async def _read(self) -> None:
        in_a_row = 0
        async for item in self._link:
            in_a_row += 1
            if isinstance(item, Snapshot):
                told = await self._reconcile(item)
            else:
                told = self._take(item)
            if told or in_a_row >= BURST:
                in_a_row = 0
                await asyncio.sleep(0)

    def _take(self, item: Event | LinkState, merge: Merge | None = None) -> bool:
        """Pass on what an event or the link says; whether it meant something. ``merge``: what is not all told yet."""
        if isinstance(item, LinkState):
            self._changed(item)
            return False
        now = self._clock()
        self._events.inc()
        facts = [] if merge is None else merge.before(item, now)
        facts += self.tracker.feed(item, now)
        if facts:
            self._pipeline.deliver(facts)
        self._beside(item)
        return bool(facts)

    def _beside(self, event: Event) -> None:
        """What is no fact of a call of ours."""
        if isinstance(event, MemberPaused):
            seen = self._pauses.feed(event, seconds(event.stamp))
            if seen is not None and self._paused is not None:
                self._paused(seen)
        elif isinstance(event, Dialled | DialOver | HangUp) and self._went is not None:
            out = self._outgoing.feed(event)
            if out is not None and not self.tracker.has(out.linkedid):
                self._went(out)

    async def _reconcile(self, snapshot: Snapshot) -> bool:
        """Merge what the PBX listed, a few calls at a time: a phone that rings meanwhile is shown at once."""
        merge, found = self.tracker.merge(snapshot), 0
        for facts in merge.steps(self._clock()):
            found += len(facts)
            self._pipeline.deliver(facts)
            await asyncio.sleep(0)
            for _ in range(BURST):
                item = self._link.ready()
                if item is None:
                    break
                if isinstance(item, Snapshot):
                    return await self._reconcile(item)  # newer, and whole
                if self._take(item, merge):
                    await asyncio.sleep(0)
                if isinstance(item, LinkState) and item.link is not Link.UP:
                    return True  # the next snapshot tells the rest
        for seen in self._pauses.listed(snapshot.members):
            if self._paused is not None:
                self._paused(seen)
        if found:
            log.info("calls reconciled with the PBX", pbx=self._pbx.name, facts=found)
        self._rebuilt()
        return bool(found)

    def _changed(self, state: LinkState) -> None:
        LINK_UP.labels(self._pbx.name).set(state.link is Link.UP)
        self.tracker.missed()
        if state.link is not Link.UP:
            self._pipeline.hears(self._pbx.name, on=False)
        if self._listening is not None:
            self._listening.link(self._pbx.name, state)

    def _rebuilt(self) -> None:
        """The PBX told which calls are up, and what followed from it was delivered."""
        self._pipeline.hears(self._pbx.name, on=True)
        if self._listening is not None:
            self._listening.told(self._pbx.name, self.tracker.calls.keys())

    def report(self) -> dict[str, Any]:
        """The connection and what was refused on it."""
        status = self._link.status
        return {
            "name": self._pbx.name,
            "link": status.link.value,
            "since": status.since,
            "why": status.why,
            "banner": status.banner,
            "waiting": status.waiting,
            "dropped": status.dropped,
            "reconnects": status.reconnects,
            "live_calls": len(self.tracker.calls),
            "counts": asdict(status.counts) | asdict(self.tracker.tallies),
        }
