"""Keeps when this process listened to which PBX, and has looked into what it missed when it did not.

What was missed begins with the last time anybody listened, so a service that was killed finds its gap at its next
start. A database that is down is waited for; nothing here ever waits in the way of a card.
"""

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass

import structlog

from storage.gaps import Gaps
from storage.records import NewJob
from storage.trouble import StorageError
from telephony.call import CallKey
from telephony.link import Link, LinkState

log = structlog.get_logger()

BACKFILL = "backfill:"  # and the PBX: only who listens to it knows which calls are up
BEAT = 15.0  # seconds between notes that we listen: what a killed service cannot know more exactly
PAUSE = 5.0  # seconds until a database that is down is tried again
STOPPED = "not_running"  # why; otherwise the link's own words


@dataclass(slots=True)
class _Missed:
    """A gap that waits for the PBX to say which calls are up. ``since`` None: the ledger knows, if anybody does."""

    since: float | None
    until: float
    why: str


@dataclass(slots=True)
class _Ear:
    """One PBX as this process hears it. ``session``: since when, None while it does not; ``before``: the one before."""

    session: float | None = None
    before: float | None = None
    why: str = STOPPED
    missed: _Missed | None = None


class Listening:
    """Who listens to what. ``delays``: seconds until a PBX's records of a call are there, by the PBX's name."""

    def __init__(
        self,
        gaps: Gaps,
        delays: Mapping[str, float],
        clock: Callable[[], float],
        wake: Callable[[], None],
        service: str | None = None,
    ) -> None:
        self._gaps, self._delays, self._clock, self._wake = gaps, dict(delays), clock, wake
        self._service = service or f"{socket.gethostname()}:{os.getpid()}"
        self._ears = {pbx: _Ear() for pbx in delays}
        self._writing: asyncio.Queue[Callable[[], Awaitable[None]]] = asyncio.Queue()

    def knows(self, pbx: str) -> bool:
        """Whether this process listens to a PBX and was told which calls are up."""
        ear = self._ears[pbx]
        return ear.session is not None and ear.missed is None

    def link(self, pbx: str, state: LinkState) -> None:
        """The link changed; returns at once."""
        ear = self._ears[pbx]
        if state.link is Link.UP and ear.session is not None:
            self._looked_into(pbx, None)  # still up, and the PBX does not tell which calls are: that is the news
        elif state.link is Link.UP:
            self._again(pbx, ear, state, ear.why)
        elif state.link is Link.GAP:
            ear.before = ear.session
            self._again(pbx, ear, state, state.why)
        elif ear.session is not None:
            ear.before, ear.session, ear.why = ear.session, None, state.why

    def told(self, pbx: str, live: Collection[CallKey]) -> None:
        """The PBX said which calls are up, and its facts were delivered; returns at once."""
        self._looked_into(pbx, live)

    async def run(self) -> None:
        """Write it down, until cancelled."""
        while True:
            try:
                async with asyncio.timeout(BEAT):
                    write = await self._writing.get()
            except TimeoutError:
                await self._until_written(self._beat)
                continue
            await self._until_written(write)
            self._writing.task_done()

    async def settled(self) -> None:
        """Wait until all that was told so far is written (for tests)."""
        await self._writing.join()

    async def stop(self) -> None:
        """Note until when we listened. Whatever else is not written yet is found by the next start."""
        try:
            await self._beat()
        except StorageError as error:
            log.warning("until when the PBX was listened to could not be written", error=str(error))

    def _again(self, pbx: str, ear: _Ear, state: LinkState, why: str) -> None:
        """We listen from now on, and did not for a while."""
        since, until = state.since, state.at if state.until is None else state.until
        before, ear.before = ear.before, None
        if ear.missed is not None:  # broken again before the PBX could tell: one gap
            since = ear.missed.since
        ear.session, ear.missed = until, _Missed(since, until, why)
        heard = state.since
        if before is not None and heard is not None:
            self._writing.put_nowait(lambda: self._gaps.heard(pbx, self._service, before, heard))

    def _looked_into(self, pbx: str, live: Collection[CallKey] | None) -> None:
        """Have what was missed looked into. ``live``: the calls that are up; None: nobody can tell."""
        ear = self._ears[pbx]
        missed, ear.missed = ear.missed, None
        if missed is None:
            return
        up = None if live is None else [key.linkedid for key in live]

        async def keep() -> None:
            # The gap first: should we be killed now, the next start finds it again, as nobody has begun to listen yet.
            since = await self._gaps.last_heard(pbx) if missed.since is None else missed.since
            if since is not None and since < missed.until:  # else nobody ever listened before, or somebody still does
                await self._keep(pbx, since, missed, up)
            await self._gaps.began(pbx, self._service, missed.until)

        self._writing.put_nowait(keep)

    async def _keep(self, pbx: str, since: float, missed: _Missed, up: list[str] | None) -> None:
        key, due, now = f"{pbx}:{self._service}:{since:.3f}", missed.until + self._delays[pbx], self._clock()
        job = NewJob(BACKFILL + pbx, key, {"pbx": pbx, "live": up}, due)
        gap = await self._gaps.missed(pbx, self._service, since, missed.until, why=missed.why, job=job, now=now)
        if gap is not None:
            seconds = round(missed.until - since, 1)
            log.info("nobody listened for a while", pbx=pbx, seconds=seconds, why=missed.why)
            self._wake()

    async def _beat(self) -> None:
        now = self._clock()
        for pbx, ear in self._ears.items():
            if ear.session is not None:
                await self._gaps.heard(pbx, self._service, ear.session, now)

    async def _until_written(self, write: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await write()
            except StorageError as error:
                log.warning("who listens cannot be written; tried again", error=str(error))
                await asyncio.sleep(PAUSE)
            else:
                return
