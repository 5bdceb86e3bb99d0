"""The states of all phones' agents: changes them, tells their pages, and sees to it that time passes.

A change is decided by :mod:`screenpop.presence` in the database, a phone's one after the other, so that several
processes that see the same happen change it once. Each tells the others on :data:`STATES`, and the phone's pages on
their topic; a page that opens asks there, and gets what is known. Messages are numbered: :mod:`screenpop.views` drops
one that was overtaken.
"""

import asyncio
from collections.abc import Callable

import structlog

from screenpop.asks import ASK
from screenpop.card import Json
from screenpop.desk import topic
from screenpop.presence import AgentState, Happening, Standing, TimeOver, after, standing_json
from storage.agent_states import AgentStates, KeptState
from storage.fanout import LAGGED, Fanout
from storage.trouble import StorageError
from telephony.call import CallKey

STATES = "states"
WRAP_UP = 30.0  # seconds of work after a call, where nothing says how long
AGAIN = 5.0  # seconds until a database that does not answer is asked again
LEAST = 0.05  # seconds between two looks at the clock

log = structlog.get_logger()


class Standings:
    """:meth:`run` must be running. ``wrap_up``: seconds of work after a call on one of our numbers."""

    def __init__(
        self,
        states: AgentStates,
        fanout: Fanout,
        now: Callable[[], float],
        wrap_up: Callable[[str | None], float] = lambda _line: WRAP_UP,
    ) -> None:
        self._states, self._fanout, self._now = states, fanout, now
        self.wrap_up = wrap_up
        self._known: dict[str, KeptState] = {}
        self._ends: dict[str, tuple[float, float]] = {}  # work after calls: until when, and that on the loop's clock
        self._news = asyncio.Event()

    async def of(self, extension: str) -> Json:
        """A phone's state, from the database."""
        return _json(await self._states.of(extension))

    def maybe_paused(self, extension: str) -> bool:
        """Whether a phone is paused as far as this process knows, or it does not know."""
        known = self._known.get(extension)
        return known is None or known.state == AgentState.PAUSED.value

    async def last_work(self, extension: str, since: float) -> CallKey | None:
        """The call that the last work after a call was about, of those begun since then."""
        return await self._states.last_work(extension, since)

    async def happen(
        self,
        extension: str,
        what: Happening,
        *,
        who: str | None = None,
        cause: str | None = None,
        at: float | None = None,
    ) -> bool:
        """Something happened to a phone's agent, now or ``at``; whether that changed the state. Raises StorageError."""
        now = self._now() if at is None else at

        def decide(before: KeptState | None) -> KeptState | None:
            standing = _standing(before)
            follows = after(standing, what, now)
            return None if follows == standing else _kept(follows, now)

        kept = await self._states.change(extension, decide, who=who, now=now, cause=cause)
        if kept is None:
            return False
        self._learn(extension, kept)
        await self._tell(extension, kept)
        await self._fanout.publish(STATES, {"extension": extension, "version": kept.version})
        return True

    async def run(self) -> None:
        """Answer pages, hear other processes and have time pass, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._listen())
            group.create_task(self._pass_time())

    def wake(self) -> None:
        """Look at the clock again."""
        self._news.set()

    def _learn(self, extension: str, kept: KeptState) -> None:
        known = self._known.get(extension)
        if known is None or known.version <= kept.version:
            self._known[extension] = kept
            self._ends.pop(extension, None) if kept.until is None else self._begin(extension, kept.until)
            self._news.set()

    def _begin(self, extension: str, until: float) -> None:
        """Have the work end at the time agreed upon: a clock that is set back meanwhile does not prolong it."""
        if self._ends.get(extension, (None,))[0] != until:
            self._ends[extension] = until, asyncio.get_running_loop().time() + until - self._now()

    async def _tell(self, extension: str, kept: KeptState | None) -> None:
        version = 0 if kept is None else kept.version
        await self._fanout.publish(topic(extension), {"type": "state", "n": version, "state": _json(kept)})

    async def _listen(self) -> None:
        async with self._fanout.subscribe(ASK, STATES) as messages:
            await self._load()
            async for name, said in messages:
                if name == LAGGED:
                    await self._load()
                elif name == STATES:
                    await self._heard(str(said["extension"]), int(said["version"]))
                else:
                    await self._answer(str(said["agent"]))

    async def _heard(self, extension: str, version: int) -> None:
        """Another process, or this one, changed a state."""
        known = self._known.get(extension)
        if known is None or known.version < version:
            await self._look_up(extension)

    async def _answer(self, extension: str) -> None:
        known = self._known.get(extension)
        if known is not None and known.call is not None and known.ticket is None:
            await self._look_up(extension)  # the call is written a moment after it was told
        await self._tell(extension, self._known.get(extension))

    async def _look_up(self, extension: str) -> bool:
        """Learn a phone's state; False where the database does not say."""
        try:
            kept = await self._states.of(extension)
        except StorageError as error:
            log.warning("state_unknown", extension=extension, error=str(error))
            return False
        if kept is not None:
            self._learn(extension, kept)
        return True

    async def _load(self) -> None:
        """Learn what is so from the database."""
        while True:
            try:
                kept = await self._states.now()
            except StorageError as error:
                log.warning("states_unknown", error=str(error))
                await asyncio.sleep(AGAIN)
            else:
                for extension, one in kept.items():
                    self._learn(extension, one)
                return

    async def _pass_time(self) -> None:
        """Sleep until some work after a call is over, or until that may have changed."""
        while True:
            self._news.clear()
            pause = await self._look_at_the_clock()
            try:
                async with asyncio.timeout(pause):
                    await self._news.wait()
            except TimeoutError:
                continue

    async def _look_at_the_clock(self) -> float | None:
        """End what is over, by either clock. Seconds until the next look; None: nothing ends by itself."""
        time = asyncio.get_running_loop().time
        for extension, (until, then) in list(self._ends.items()):
            if self._now() < until and time() < then:
                continue
            try:
                done = await self.happen(extension, TimeOver(), at=max(self._now(), until))
                if not done and not await self._look_up(extension):  # another process was faster
                    return AGAIN
            except StorageError as error:
                log.warning("state_not_changed", extension=extension, error=str(error))
                return AGAIN
            if self._ends.get(extension) == (until, then):
                del self._ends[extension]  # the database says nothing of it
        left = (min(until - self._now(), then - time()) for until, then in self._ends.values())
        return min((max(LEAST, seconds) for seconds in left), default=None)


def _standing(kept: KeptState | None) -> Standing:
    if kept is None:
        return Standing()
    return Standing(AgentState(kept.state), kept.since, kept.reason, kept.until, kept.call)


def _kept(standing: Standing, since: float) -> KeptState:
    begun = since if standing.since is None else standing.since
    return KeptState(standing.state.value, begun, standing.reason, standing.until, standing.call)


def _json(kept: KeptState | None) -> Json:
    return standing_json(_standing(kept), None if kept is None else kept.ticket)
