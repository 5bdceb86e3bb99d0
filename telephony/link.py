"""Keeps one PBX's events coming, whatever happens to the connection.

AMI cannot replay. After every (re)connect the PBX is asked what is there (CoreShowChannels, Status, QueueStatus), and
the answer goes through the same queue as the events, in order. The reader never waits: what a slow consumer cannot take
is dropped, the gap is told and the PBX is asked again. Hands over typed events; knows nothing of calls.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from enum import StrEnum

import structlog

from telephony.ami import AmiError, AmiSettings, Connection, RefusedError
from telephony.capture import Capture
from telephony.events import Event, LiveChannel, MemberRow, Snapshot, Waiting
from telephony.framing import Counts, Framer
from telephony.inbox import Inbox
from telephony.overtaken import Overtaken
from telephony.reading import LAYOUTS

log = structlog.get_logger()

_MOST = 5.0  # seconds between tries of a PBX that does not answer: a try is cheap, a second without it costs pops
_REFUSED_MOST = 300.0  # and of one that refuses us
_STEADY = 60.0  # seconds after which a connection was a good one
_ADVICE = (
    "{answer}: Asterisk says the same for a wrong secret, an unknown user and an address that is not permitted; "
    "check secret, permit and deny of [{user}] in manager.conf, and that the manager was reloaded"
)


class Link(StrEnum):
    """What became of the connection."""

    UP = "up"  # logged in; a snapshot follows
    DOWN = "down"
    REFUSED = "refused"  # the PBX does not take our login
    GAP = "gap"  # events were dropped; a snapshot follows


@dataclass(frozen=True, slots=True)
class LinkState:
    """A change of the connection, at epoch seconds of our clock. ``why`` is for the operator.

    UP and GAP end a time from which events are missing, ``since`` to ``until``; what is known of it is in the Snapshot
    that follows. ``since`` None: nobody listened before, as far as this process knows.
    """

    link: Link
    at: float
    why: str = ""
    since: float | None = None
    until: float | None = None


@dataclass(frozen=True, slots=True)
class LinkStatus:
    """One connection for the operator's page. ``since`` is epoch seconds of the last change."""

    link: Link
    since: float
    why: str
    banner: str | None
    waiting: int  # events the consumer has not taken yet
    dropped: int
    reconnects: int
    counts: Counts


class AmiLink:
    """One PBX: :meth:`run` keeps the connection until cancelled, :meth:`next` gives what came, in order.

    ``clock`` gives epoch seconds. Events, snapshots and changes of the connection come in one sequence; a Snapshot
    follows each Link.UP and Link.GAP, unless the PBX refuses to list its channels (then ``status.why`` says what to
    grant). An answer to a question is not part of the sequence.
    """

    def __init__(self, settings: AmiSettings, clock: Callable[[], float], rng: random.Random | None = None) -> None:
        self.settings = settings
        self.counts = Counts()
        self._clock = clock
        self._rng = random.Random() if rng is None else rng  # noqa: S311 - jitter
        self._inbox: Inbox[Event | Snapshot | LinkState] = Inbox(settings.inbox)
        self._capture = None if settings.capture is None else Capture(settings.capture, clock)
        self._state = LinkState(Link.DOWN, clock(), "not connected yet")
        self._banner: str | None = None
        self._dropped = self._logins = 0
        self._connection: Connection | None = None
        self._last_read: float | None = None  # epoch seconds
        self._heard_until: float | None = None  # when the last connection that was logged in was last heard of
        self._dropped_since: float | None = None
        self._gap = asyncio.Event()
        self._asking = asyncio.Lock()
        self._listing = False
        self._rows: list[LiveChannel] = []
        self._queued: list[Waiting | MemberRow] = []
        self._overtaken = Overtaken()

    async def next(self) -> Event | Snapshot | LinkState:
        """What came next."""
        return await self._inbox.get()

    def ready(self) -> Event | Snapshot | LinkState | None:
        """What came next, if it is there already."""
        return self._inbox.get_nowait()

    async def __aiter__(self) -> AsyncIterator[Event | Snapshot | LinkState]:
        while True:
            yield await self._inbox.get()

    @property
    def status(self) -> LinkStatus:
        """How the connection stands."""
        state, reconnects = self._state, max(0, self._logins - 1)
        return LinkStatus(
            link=state.link,
            since=state.at,
            why=state.why,
            banner=self._banner,
            waiting=len(self._inbox),
            dropped=self._dropped,
            reconnects=reconnects,
            counts=replace(self.counts),
        )

    async def action(self, name: str, **fields: str) -> dict[str, str]:
        """Ask the PBX one thing; the headers of its answer. Raises as :meth:`telephony.ami.Connection.ask`."""
        if self._connection is None:
            raise AmiError(f"no connection to PBX {self.settings.name}")
        return await self._connection.ask(name, fields, self.settings.deadline)

    async def run(self) -> None:
        """Connect, listen, connect again; until cancelled, which closes the connection for good."""
        if self._capture is None:
            await self._keep_connected()
            return
        async with asyncio.TaskGroup() as group:
            group.create_task(self._capture.run())
            await self._keep_connected()

    # -- what comes

    def _take(self, event: Event) -> None:
        """Called for every event in the middle of a read: only sorts."""
        if isinstance(event, LiveChannel):
            if self._listing:
                self._rows.append(event)
        elif isinstance(event, Waiting | MemberRow):
            if self._listing:
                self._queued.append(event)
        else:
            if self._listing:
                self._overtaken.note(event)
            if not self._inbox.put(event):
                self._drop()

    def _drop(self) -> None:
        self._dropped += 1
        if self._dropped_since is None:
            self._dropped_since = self._clock()
        self._gap.set()

    def _heard(self, data: bytes) -> None:
        self._last_read = self._clock()
        if self._capture is not None:
            self._capture.read(data)

    # -- keeping the connection

    async def _keep_connected(self) -> None:
        refused = failed = 0
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            try:
                why = await self._session()
                refused = 0
                failed = 0 if loop.time() - began > _STEADY else failed
                self._change(Link.DOWN, why)
            except RefusedError as error:
                self._change(Link.REFUSED, _ADVICE.format(answer=error, user=self.settings.user))
                pause = min(_REFUSED_MOST, self.settings.refused_retry * 2**refused)
                refused = min(refused + 1, 16)
                await asyncio.sleep(pause * (1 + self._rng.random() / 4))
                continue
            except (AmiError, OSError) as error:
                self._change(Link.DOWN, str(error) or type(error).__name__)
            pause = min(_MOST, self.settings.first_retry * 2**failed)
            failed = min(failed + 1, 16)
            await asyncio.sleep(pause * (0.5 + self._rng.random() / 2))

    async def _session(self) -> str:
        """One connection from its beginning to its end; why it ended. Raises what kept it from coming about."""
        framer = Framer(LAYOUTS, self.counts)
        connection = Connection(self.settings, framer, self._take, self._heard)
        if self._capture is not None:
            self._capture.begin()
        try:
            await connection.open()
            self._connection = connection
            self._banner = framer.banner
            self._logins += 1
            self._change(
                Link.UP,
                f"logged in to {framer.banner or 'a PBX without a name'}",
                since=self._heard_until,
                until=self._clock(),
            )
            return await self._listen(connection)
        finally:
            if self._connection is not None:
                self._connection, self._heard_until = None, self._last_read
            connection.abort("closed by us")

    async def _listen(self, connection: Connection) -> str:
        """Ask what is there, then stay until the connection is lost."""
        async with asyncio.TaskGroup() as group:
            helpers = [group.create_task(self._ping(connection)), group.create_task(self._mend_gaps(connection))]
            await self._snapshot(connection)
            await asyncio.wait({connection.lost})
            for helper in helpers:
                helper.cancel()
        return connection.lost.result()

    async def _ping(self, connection: Connection) -> None:
        """The PBX says nothing by itself on an idle connection: silence after a ping is a dead link."""
        every = self.settings.ping_every
        while not connection.lost.done():
            await asyncio.sleep(every)
            before = connection.reads
            try:
                await connection.ask("Ping", {}, every)
            except AmiError as error:
                if connection.reads == before:
                    connection.abort(f"half-open link: {error}")

    async def _mend_gaps(self, connection: Connection) -> None:
        """After events were dropped: wait until there is room again, tell the gap, ask what is there."""
        while not connection.lost.done():
            await self._gap.wait()
            await self._inbox.drained()
            self._gap.clear()
            log.error("AMI events were dropped", pbx=self.settings.name, dropped=self._dropped)
            now, since, self._dropped_since = self._clock(), self._dropped_since, None
            why = f"{self._dropped} events dropped so far"
            self._inbox.force(LinkState(Link.GAP, now, why, since=since, until=now))
            await self._snapshot(connection)

    async def _snapshot(self, connection: Connection) -> None:
        """What the PBX says is there, into the queue. A PBX that does not answer is given up and tried anew."""
        async with self._asking:
            await self._list(connection)

    async def _list(self, connection: Connection) -> None:
        self._rows, self._queued, self._overtaken = [], [], Overtaken()
        self._listing = True
        deadline = self.settings.deadline * 4  # thousands of channels take a while
        try:
            await connection.ask("CoreShowChannels", {}, deadline, rows=True)
            asked = ""
            for name in ("Status", "QueueStatus"):
                try:
                    asked = (await connection.ask(name, {}, deadline, rows=True))["ActionID"]
                except RefusedError as error:
                    log.warning("the PBX does not tell", pbx=self.settings.name, action=name, answer=str(error))
            told = [row for row in self._queued if row.action_id == asked]
            queued = tuple(row for row in told if isinstance(row, Waiting))
            members = tuple(row for row in told if isinstance(row, MemberRow))
            gone, fresh = frozenset(self._overtaken.gone), frozenset(self._overtaken.fresh)
            self._inbox.force(Snapshot(tuple(self._rows), queued, gone, fresh, members))
        except RefusedError as error:
            grant = f"grant AMI user {self.settings.user} write = reporting, or calls that end unseen stay for ever"
            self._change(Link.UP, f"{error} for CoreShowChannels: {grant}")
        except AmiError as error:
            connection.abort(str(error))
        finally:
            self._listing = False
            self._rows, self._queued = [], []

    def _change(self, link: Link, why: str, *, since: float | None = None, until: float | None = None) -> None:
        """Tell a change once, not at every try."""
        if (link, why) == (self._state.link, self._state.why):
            return
        self._state = LinkState(link, self._clock(), why, since, until)
        self._inbox.force(self._state)
        if self._capture is not None:
            self._capture.note(f"{link}: {why}")
        tell = {Link.UP: log.info, Link.REFUSED: log.error}.get(link, log.warning)
        tell("AMI", pbx=self.settings.name, link=link.value, why=why)
