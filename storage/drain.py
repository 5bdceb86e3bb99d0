"""The loop that does jobs: claims what is due, keeps the lease while a handler works, settles what comes of it.

A handler answers None (done) or :class:`Wait`. It raises JobError, StorageError or one of ``world`` when the outside
world failed: the job rests and is tried again; HopelessError when it will fail each time: the job is given up with that
one sentence. Anything else it raises is our own bug: that one job is buried with
its traceback, loudly, where people see it and replay it once the bug is gone; the desk goes on.
"""

import asyncio
import traceback
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING

import structlog

from storage.jobs import HopelessError, Job, JobError, Wait
from storage.trouble import StorageError

if TYPE_CHECKING:
    from storage.outbox import Outbox

log = structlog.get_logger()

Handler = Callable[[Job], Awaitable[Wait | None]]

LEASE_S = 60.0
POLL_S = 5.0  # jobs of another process, and a wake-up that was lost, are found this late at most


async def run(
    outbox: "Outbox",
    handlers: Mapping[str, Handler],
    stop: asyncio.Event,
    *,
    clock: Callable[[], float],
    parallel: int = 2,
    world: tuple[type[Exception], ...] = (),
    lease_s: float = LEASE_S,
    poll_s: float = POLL_S,
    by_need: bool = False,
) -> None:
    """Do jobs of these kinds, ``parallel`` at once, until ``stop``; then wait for those begun.

    ``by_need``: not the one longest due first, but the one needed most, see :meth:`storage.outbox.Outbox.claim`.
    Cancelled, it cancels them and gives them back. A database that is away is waited for.
    """
    with outbox.listen() as heard:
        loop = _Loop(outbox, handlers, clock, world, lease_s, by_need=by_need)
        await _run(loop, stop, heard, parallel, poll_s)


async def _run(loop: "_Loop", stop: asyncio.Event, heard: asyncio.Event, parallel: int, poll_s: float) -> None:
    running: set[asyncio.Task[None]] = set()
    async with asyncio.TaskGroup() as group:
        stopping = group.create_task(stop.wait())
        while not stop.is_set():
            heard.clear()
            job, pause = await loop.next(poll_s) if len(running) < parallel else (None, None)
            if job is not None:
                task = group.create_task(loop.do(job), name=f"job {job.kind} {job.key}")
                running.add(task)
                task.add_done_callback(running.discard)
                continue
            news = group.create_task(heard.wait())
            await asyncio.wait({stopping, news, *running}, timeout=pause, return_when=asyncio.FIRST_COMPLETED)
            news.cancel()


class _Loop:
    def __init__(
        self,
        outbox: "Outbox",
        handlers: Mapping[str, Handler],
        clock: Callable[[], float],
        world: tuple[type[Exception], ...],
        lease_s: float,
        *,
        by_need: bool,
    ) -> None:
        self._by_need = by_need
        self._outbox, self._handlers, self._clock, self._lease = outbox, handlers, clock, lease_s
        self._world = (JobError, StorageError, *world)

    async def next(self, poll_s: float) -> tuple[Job | None, float]:
        """A claimed job, or how long there is nothing to claim."""
        try:
            due = await self._outbox.next_due(self._handlers)
            if due is None or (ahead := due - self._clock()) > poll_s:
                return None, poll_s
            if ahead > 0:
                return None, ahead
            now = self._clock()
            return await self._outbox.claim(self._handlers, now, self._lease, by_need=self._by_need), 0.0
        except StorageError as error:
            log.warning("jobs wait for the database", error=str(error))
            return None, poll_s

    async def do(self, job: Job) -> None:
        """Have the handler do it, then settle it. The job's lease rescues it should settling fail."""
        work = asyncio.gather(self._handlers[job.kind](job), return_exceptions=True)
        try:
            if not await self._watch(job, work):
                return
            await self._settle(job, work.result()[0])
        except StorageError as error:
            log.warning("a job's end could not be written", job=job.id, kind=job.kind, error=str(error))
        except asyncio.CancelledError:
            await self._give_back(job, work)
            raise

    async def _watch(self, job: Job, work: "asyncio.Future[tuple[Wait | BaseException | None]]") -> bool:
        """Wait for the work, keeping the lease; False when the lease was lost and the work was cancelled."""
        while not work.done():
            await asyncio.wait({work}, timeout=self._lease / 3)
            if not work.done() and not await self._outbox.renew(job, self._clock(), self._lease):
                log.warning("a job was claimed by another", job=job.id, kind=job.kind, key=job.key)
                await _cancelled(work)
                return False
        return True

    async def _settle(self, job: Job, result: Wait | BaseException | None) -> None:
        now = self._clock()
        if result is None:
            await self._outbox.done(job, now)
        elif isinstance(result, Wait):
            await self._outbox.defer(job, result.until, result.why, now)
        elif isinstance(result, self._world):
            log.warning("a job failed", job=job.id, kind=job.kind, attempts=job.attempts, error=str(result))
            await self._outbox.retry(job, _text(result), now, at=getattr(result, "at", None))
        elif isinstance(result, HopelessError):
            log.error("a job is given up", job=job.id, kind=job.kind, key=job.key, error=str(result))
            await self._outbox.dead(job, str(result), now)
        else:
            log.error("a job's handler is broken", job=job.id, kind=job.kind, key=job.key, exc_info=result)
            await self._outbox.dead(job, "".join(traceback.format_exception(result)), now)

    async def _give_back(self, job: Job, work: "asyncio.Future[tuple[Wait | BaseException | None]]") -> None:
        await _cancelled(work)
        now = self._clock()
        try:
            await self._outbox.defer(job, now, "the service was stopped", now)
        except StorageError as error:
            log.warning("a job could not be given back", job=job.id, kind=job.kind, error=str(error))


async def _cancelled(work: "asyncio.Future[tuple[Wait | BaseException | None]]") -> None:
    work.cancel()
    await asyncio.wait({work})
    if not work.cancelled():
        work.exception()  # a gathering that was cancelled ends with CancelledError as a result to be looked at


def _text(error: BaseException) -> str:
    return str(error) or type(error).__name__
