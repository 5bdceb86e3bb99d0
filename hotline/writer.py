"""To the ledger: what happened to each call in its order, calls beside each other, and never in the way of a card.

What comes in one breath is written together: a call's first facts come within milliseconds, just when its card is to
be shown, and each commit costs the disk and the processor as much as ten cards. A database that is down is waited
for: what happened is kept in memory and written when it is back. Nothing is dropped.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

import structlog

from hotline.tasks import Crew
from storage.trouble import StorageError
from telephony.call import CallKey

log = structlog.get_logger()

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0

BREATH = 0.1  # seconds; a ticket's number stands on the card that much later

T = TypeVar("T")


class Writer(Generic[T]):
    """A queue of items for each call, emptied by a task that lives as long as there is something in it.

    ``write`` takes a call's items in their order and may raise StorageError: then all of them are given to it again.
    ``trouble``: why nothing is written.
    """

    def __init__(self, write: Callable[[CallKey, Sequence[T]], Awaitable[None]], crew: Crew) -> None:
        self._write, self._crew = write, crew
        self._waiting: dict[CallKey, list[T]] = {}
        self._empty = asyncio.Event()
        self._empty.set()
        self.trouble: str | None = None

    @property
    def backlog(self) -> int:
        """How much is not written yet."""
        return sum(len(queue) for queue in self._waiting.values())

    def put(self, call: CallKey, item: T) -> None:
        """Take something to write; returns at once."""
        queue = self._waiting.get(call)
        if queue is None:
            queue = self._waiting[call] = []
            self._empty.clear()
            self._crew.start(self._drain(call, queue), f"write {call}")
        queue.append(item)

    async def drained(self) -> None:
        """Wait until everything is written."""
        await self._empty.wait()

    async def _drain(self, call: CallKey, queue: list[T]) -> None:
        while queue:
            await asyncio.sleep(BREATH)
            breath = list(queue)
            await self._until_written(call, breath)
            del queue[: len(breath)]
        del self._waiting[call]
        if not self._waiting:
            self._empty.set()

    async def _until_written(self, call: CallKey, breath: Sequence[T]) -> None:
        pause = FIRST_PAUSE
        while True:
            try:
                await self._write(call, breath)
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
