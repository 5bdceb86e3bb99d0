"""To the ledger: each call's writes in their order, calls beside each other, and never in the way of a card.

A database that is down is waited for: writes are kept in memory and done when it is back. Nothing is dropped.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

import structlog

from hotline.tasks import Crew
from storage.trouble import StorageError
from telephony.call import CallKey

log = structlog.get_logger()

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0

Write = Callable[[], Awaitable[object]]


class Writer:
    """One queue a call, emptied by a task that lives as long as there is something in it. ``trouble``: why it waits."""

    def __init__(self, crew: Crew) -> None:
        self._crew = crew
        self._waiting: dict[CallKey, deque[Write]] = {}
        self._empty = asyncio.Event()
        self._empty.set()
        self.trouble: str | None = None

    @property
    def backlog(self) -> int:
        """Writes not done yet."""
        return sum(len(queue) for queue in self._waiting.values())

    def put(self, call: CallKey, write: Write) -> None:
        """Take a write of a call; returns at once."""
        queue = self._waiting.get(call)
        if queue is None:
            queue = self._waiting[call] = deque()
            self._empty.clear()
            self._crew.start(self._drain(call, queue), f"write {call}")
        queue.append(write)

    async def drained(self) -> None:
        """Wait until everything is written."""
        await self._empty.wait()

    async def _drain(self, call: CallKey, queue: deque[Write]) -> None:
        while queue:
            await self._until_done(queue[0])
            queue.popleft()
        del self._waiting[call]
        if not self._waiting:
            self._empty.set()

    async def _until_done(self, write: Write) -> None:
        pause = FIRST_PAUSE
        while True:
            try:
                await write()
            except StorageError as error:
                if self.trouble is None:
                    log.error("the database cannot be written; what happens is kept in memory", error=str(error))
                self.trouble = str(error)
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)
            else:
                if self.trouble is not None:
                    log.info("the database is back", backlog=self.backlog)
                self.trouble = None
                return
