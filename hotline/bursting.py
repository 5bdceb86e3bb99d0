"""Whether there is more of what a call was about than usual, looked at once its transcript is kept.

A look is a job of its own, so that neither a transcript waits for it nor a look is lost. Word of a burst goes to the
open lists of tickets, which show it.
"""

from collections.abc import Callable, Sequence
from typing import Any

import structlog
from prometheus_client import Counter

from hotline.metrics import JOBS
from storage.bursts import Bursts
from storage.database import Database
from storage.drain import Handler
from storage.fanout import Fanout
from storage.jobs import Job, Wait
from storage.pages import CallPage
from storage.records import NewJob
from storage.search import Search
from storage.search_words import SCHEME
from telephony.call import CallKey
from transcription.transcript import Transcript

log = structlog.get_logger()

LOOK, INDEX = "burst", "index"
AT_ONCE = 50  # calls indexed in one transaction: whoever writes a call meanwhile waits for no more
BURSTS = Counter("hotline_bursts", "Bursts noticed, by what they are of", ["kind"])


class Bursting:
    """The handlers of looks, and of the index made anew after an update. ``follow``: for :class:`hotline.said.Said`."""

    def __init__(self, *, db: Database, fanout: Fanout, clock: Callable[[], float]) -> None:
        self._bursts, self._search = Bursts(db), Search(db)
        self._fanout, self._clock = fanout, clock

    @property
    def handlers(self) -> dict[str, Handler]:
        """Handlers by kind of job, as the outbox takes them."""
        return {LOOK: self.look, INDEX: self.index}

    @staticmethod
    def follow(page: CallPage, _transcript: Transcript) -> Sequence[NewJob]:
        """The look that follows a transcript."""
        call = str(page.item.key)
        return (NewJob(LOOK, call, {"call": call}, again=True),)

    @staticmethod
    def at_start() -> NewJob:
        """Index what an older version kept: done once for each way of indexing."""
        return NewJob(INDEX, f"{INDEX}:{SCHEME}")

    async def look(self, job: Job) -> Wait | None:
        """Whether the call is one of too many. Told to open lists."""
        for found in await self._bursts.look(CallKey.parse(str(job.payload["call"])), self._clock()):
            BURSTS.labels(found.kind).inc()
            log.warning(
                "more calls than usual",
                line=found.line,
                about=f"{found.kind} {found.value}",
                callers=found.burst.callers,
                usual=round(found.burst.usual, 2),
                words=found.words,
            )
            told: dict[str, Any] = {"type": "ticket", "id": None, "burst": found.id}
            await self._fanout.publish("tickets", told)
        JOBS.labels(LOOK, "done").inc()
        return None

    async def index(self, _job: Job) -> Wait | None:
        """A piece of what is not in the index yet; again until all is."""
        if await self._search.catch_up(AT_ONCE):
            return Wait(self._clock(), "calls of an older version are being indexed")
        JOBS.labels(INDEX, "done").inc()
        return None
