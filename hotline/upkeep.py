"""Work that comes round: recordings whose time is over are deleted, files that belong to no call are listed.

Each round is a job like any other, seen in ``hotline jobs``; its key is the time it is for, so that two services do it
once.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress

import structlog

from hotline.originals import Originals
from hotline.recorder import Recorders
from storage.drain import Handler
from storage.jobs import Job, JobError, Wait
from storage.outbox import Outbox
from storage.records import NewJob
from storage.retention import Due, Retention
from storage.strays import Stray, Strays
from storage.trouble import StorageError
from telephony.strays import look

log = structlog.get_logger()

RETENTION, STRAYS = "retention", "strays"
DAY = 86400.0
EVERY = 600.0
WHO = "policy"  # in the audit trail
LOOK_BACK = 7 * DAY  # how old a file may be and still be listed as belonging to no call
SETTLED = 600.0  # how long nothing must have changed in it: its call may be on, or its record on the way
_FIRST = 20.0  # seconds after the start: calls come first


class Upkeep:
    """The rounds and their handlers. ``keep``: seconds a line keeps recordings, by its number.

    ``originals``: what was made of recordings goes with them. ``rounds``: others' work that comes round, to be added.

    ``undeletable``, ``unsearchable``: what stood in the way, the last time this process tried.
    """

    def __init__(
        self,
        *,
        outbox: Outbox,
        retention: Retention,
        strays: Strays,
        recorders: Recorders,
        keep: Mapping[str, float],
        clock: Callable[[], float],
        originals: Originals | None = None,
        rounds: Sequence[Callable[[], Awaitable[None]]] = (),
    ) -> None:
        self._outbox, self._retention, self._strays = outbox, retention, strays
        self._recorders, self._keep, self._clock = recorders, dict(keep), clock
        self._originals, self._rounds = originals, tuple(rounds)
        self._started = clock()
        self.undeletable: str | None = None
        self.unsearchable: dict[str, str] = {}

    @property
    def handlers(self) -> dict[str, Handler]:
        """Handlers by kind of job, as the outbox takes them."""
        return {RETENTION: self.retention, STRAYS: self.strays}

    async def run(self) -> None:
        """Add the rounds' jobs until cancelled."""
        await asyncio.sleep(_FIRST)
        while True:
            with suppress(StorageError):  # whoever writes calls tells it loudly
                await self.add()
            await asyncio.sleep(EVERY)

    async def add(self) -> None:
        """Add the jobs of now, once, and forget those of long ago."""
        now = self._clock()
        await self._outbox.prune(now - 2 * DAY, self.handlers)
        if self._keep:
            await self._outbox.add_now(NewJob(RETENTION, f"{RETENTION}:{int(now // DAY)}"), now)
        for add in self._rounds:
            await add()
        for name, recorder in self._recorders:
            if recorder.mirror is None:
                job = NewJob(STRAYS, f"{STRAYS}:{name}:{int(now // EVERY)}", {"pbx": name})
                await self._outbox.add_now(job, now)

    async def retention(self, _job: Job) -> Wait | None:
        """Delete what is older than its line keeps it. What cannot be deleted fails the job, after all the rest."""
        failed: list[str] = []
        for line, keep in self._keep.items():
            after, before = 0, self._clock() - keep
            while found := await self._retention.due(line, before, after=after):
                after = found[-1].id
                failed += [trouble for due in found if (trouble := await self._delete(due, keep)) is not None]
        self.undeletable = None
        if failed:
            self.undeletable = f"{len(failed)}, the first: {failed[0]}"
            raise JobError(f"recordings cannot be deleted: {self.undeletable}")
        return None

    async def _delete(self, due: Due, keep: float) -> str | None:
        """Delete one; what stood in the way."""
        recorder = self._recorders.of(due.call)
        if recorder is None:
            return f"{due.call}: its PBX is not configured any more"
        try:
            gone = await asyncio.to_thread(recorder.forget, due.recording, due.call.linkedid)
            if self._originals is not None:
                gone += await asyncio.to_thread(self._originals.forget, due.id)
                await self._originals.sounds.forget(due.id)
        except OSError as error:
            return f"{due.call}: {error}: the service's user needs the right to write in that folder"
        why = f"older than {keep / DAY:g} days"
        if await self._retention.deleted(due, who=WHO, why=why, now=self._clock()):
            log.info("a recording was deleted by policy", call=str(due.call), files=gone, why=why)
        return None

    async def strays(self, job: Job) -> Wait | None:
        """List the sound files of one PBX that belong to no call we know."""
        pbx = str(job.payload["pbx"])
        recorder = dict(self._recorders).get(pbx)
        if recorder is None:
            return None
        now = self._clock()
        first = await self._strays.first_call(pbx)
        since = max(now - LOOK_BACK, self._started if first is None else first)
        try:
            found = await asyncio.to_thread(look, recorder.root, since=since, before=now - SETTLED)
        except OSError as error:
            self.unsearchable[pbx] = str(error)
            log.warning("recordings cannot be looked through", pbx=pbx, error=str(error))
            return None
        self.unsearchable.pop(pbx, None)
        ours = await self._strays.calls_among(pbx, {file.uniqueid for file in found})
        stray = [Stray(pbx, f.name, f.bytes, f.changed) for f in found if f.uniqueid not in ours]
        if stray:
            log.warning("recordings that belong to no call", pbx=pbx, count=len(stray), first=stray[0].name)
        await self._strays.replace(pbx, stray, now)
        return None
