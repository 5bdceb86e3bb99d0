"""What agents' phones do, told to their states: talks that end, and pauses as the PBX has them.

Beside the pipeline and never in its way: facts are queued here and a state follows a moment later. What a database that
is down does not take is dropped: work after a call that nobody saw begin need not begin late.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import structlog

from screenpop.presence import Happening, Pause, TalkOver, Talks, Unpaused
from screenpop.standings import Standings
from storage.trouble import StorageError
from telephony.call import Answered, Fact, Rang
from telephony.pauses import PauseSeen

log = structlog.get_logger()

MOST_PHONES = 5000  # remembered to choose from


@dataclass(slots=True)
class Presence:
    """Takes facts and pauses, in their order; :meth:`run` must be running. ``wrap_up``: of a line, in seconds."""

    standings: Standings
    wrap_up: Callable[[str | None], float]
    phones: set[str] = field(default_factory=set)  # extensions that were heard of
    _talks: Talks = field(default_factory=Talks)
    _inbox: "asyncio.Queue[tuple[str, Happening, str | None]]" = field(default_factory=asyncio.Queue)

    def deliver(self, facts: Sequence[Fact]) -> None:
        """Take facts; returns at once."""
        for fact in facts:
            if isinstance(fact, Rang | Answered) and len(self.phones) < MOST_PHONES:
                self.phones.add(fact.agent)
            for talked in self._talks.apply(fact):
                over = TalkOver(talked.call, self.wrap_up(talked.line))
                self._inbox.put_nowait((talked.agent, over, talked.cause))

    def paused(self, seen: PauseSeen) -> None:
        """Take word that the PBX paused a phone, or took it back; returns at once."""
        if len(self.phones) < MOST_PHONES:
            self.phones.add(seen.agent)
        what: Happening = Pause(seen.reason) if seen.paused else Unpaused()
        if seen.paused or self.standings.maybe_paused(seen.agent):
            self._inbox.put_nowait((seen.agent, what, None))

    async def run(self) -> None:
        """Change states until cancelled."""
        while True:
            extension, what, cause = await self._inbox.get()
            try:
                await self.standings.happen(extension, what, cause=cause)
            except StorageError as error:
                log.warning("state_not_changed", extension=extension, what=type(what).__name__, error=str(error))
            finally:
                self._inbox.task_done()

    async def settled(self) -> None:
        """Wait until everything that was told is so (for tests)."""
        await self._inbox.join()
