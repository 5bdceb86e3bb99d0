"""What agents' phones do, told to their states: talks that end, and pauses as the PBX has them.

Beside the pipeline and never in its way: facts are queued here and a state follows a moment later. While the database
is down, work after a call that nobody saw begin need not begin late and is dropped; what the PBX said last of a pause
is still so afterwards, and is told again until it is taken.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import structlog

from screenpop.presence import Happening, Pause, TalkOver, Talks, Unpaused
from screenpop.standings import Standings
from storage.trouble import StorageError
from telephony.call import Answered, Fact, Rang
from telephony.pauses import PauseSeen

log = structlog.get_logger()

MOST_PHONES = 5000  # remembered to choose from
AGAIN = 5.0  # seconds until a pause that the database did not take is told again


class _Told(NamedTuple):
    """What happened to a phone; ``news``: an event told it, not a list of how everybody stands."""

    extension: str
    what: Happening
    cause: str | None = None
    news: bool = True


@dataclass(slots=True)
class Presence:
    """Takes facts and pauses, in their order; :meth:`run` must be running. ``wrap_up``: of a line, in seconds."""

    standings: Standings
    wrap_up: Callable[[str | None], float]
    phones: set[str] = field(default_factory=set)  # extensions that were heard of
    _talks: Talks = field(default_factory=Talks)
    _inbox: "asyncio.Queue[_Told]" = field(default_factory=asyncio.Queue)
    _owed: dict[str, _Told] = field(default_factory=dict)  # pauses that the database did not take, by extension
    _due: float = 0.0  # when they are told again, on the loop's clock

    def deliver(self, facts: Sequence[Fact]) -> None:
        """Take facts; returns at once."""
        for fact in facts:
            if isinstance(fact, Rang | Answered) and len(self.phones) < MOST_PHONES:
                self.phones.add(fact.agent)
            for talked in self._talks.apply(fact):
                over = TalkOver(talked.call, self.wrap_up(talked.line))
                self._inbox.put_nowait(_Told(talked.agent, over, talked.cause))

    def paused(self, seen: PauseSeen) -> None:
        """Take word that the PBX paused a phone, or took it back; returns at once."""
        if len(self.phones) < MOST_PHONES:
            self.phones.add(seen.agent)
        what: Happening = Pause(seen.reason) if seen.paused else Unpaused()
        self._inbox.put_nowait(_Told(seen.agent, what, news=seen.at is not None))

    async def run(self) -> None:
        """Change states until cancelled."""
        while True:
            try:
                async with asyncio.timeout_at(self._due if self._owed else None):
                    told = await self._inbox.get()
            except TimeoutError:
                for told in list(self._owed.values()):
                    await self._happen(told)
                continue
            try:
                await self._happen(told)
            finally:
                self._inbox.task_done()

    async def _happen(self, told: _Told) -> None:
        """Change a state. A list names every phone: of those that are not paused nobody need ask the database."""
        extension, what = told.extension, told.what
        of_pbx = isinstance(what, Pause | Unpaused)
        known = isinstance(what, Unpaused) and not told.news and not self.standings.maybe_paused(extension)
        if known and extension not in self._owed:
            return
        try:
            await self.standings.happen(extension, what, cause=told.cause)
        except StorageError as error:
            log.warning("state_not_changed", extension=extension, what=type(what).__name__, error=str(error))
            if of_pbx:
                self._owed[extension] = told
                self._due = asyncio.get_running_loop().time() + AGAIN
        else:
            if of_pbx:
                self._owed.pop(extension, None)

    async def settled(self) -> None:
        """Wait until everything that was told is so (for tests)."""
        await self._inbox.join()
