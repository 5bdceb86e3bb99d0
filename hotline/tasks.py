"""Background work that must not die unseen.

A task kept here that raises takes the service down, loudly: our own bug is better restarted and resynced than
limped along with. Work that may fail (the outside world) catches its own typed errors before it comes here.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any

import structlog

log = structlog.get_logger()


class Crew:
    """The service's background tasks. ``failed`` is set with the first that raised."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()
        self.failed = asyncio.Event()
        self.error: BaseException | None = None

    def start(self, work: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
        """Run ``work`` in the background, watched until it ends."""
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if task.cancelled() or (error := task.exception()) is None:
            return
        log.critical("a background task died", task=task.get_name(), exc_info=error)
        if self.error is None:
            self.error = error
            self.failed.set()

    async def stop(self) -> None:
        """Cancel what still runs and wait until it has ended."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
