"""Both sides compared every night, and whenever somebody asks: how far they agree, where not, and repaired on demand.

Two kinds of jobs: ``crm-instep`` compares everything that was made or changed of late, page by page, and goes on where
it was when it was broken off or the CRM was away; ``crm-mend`` repairs one difference. See docs/in-step.md for what is
counted.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime, time, timedelta
from typing import Any

import structlog

from crm.connector import Can, Connector
from crm.instep import Mend
from crm.trouble import ConflictError, CrmError, NotFoundError
from hotline.instep_look import Look, Theirs
from hotline.instep_mend import CannotMendError, Mender
from hotline.instep_quality import look_through, of_crm, of_index
from hotline.settings import Settings
from hotline.writeback import pen_of
from hotline.writeback_hands import waiting
from hotline.writeback_keys import Keys
from hotline.writeback_notes import CRM_CALL
from hotline.writeback_tickets import CRM_TICKET
from screenpop.i18n import Reader
from storage.crm_index import CrmIndex
from storage.crm_mend import CrmMend
from storage.crm_ours import CrmOurs, Scope
from storage.crm_refs import CrmRefs
from storage.crm_sync import CrmSync, Found, Open, Round
from storage.database import Database
from storage.drain import Handler
from storage.jobs import HopelessError, Job, JobError, Wait
from storage.ledger import Ledger
from storage.outbox import Outbox
from storage.reads import Reads
from storage.records import NewJob
from storage.trouble import StorageError

log = structlog.get_logger()

CRM_INSTEP, CRM_MEND = "crm-instep", "crm-mend"
DAY = 86400.0
DAYS = 90  # of what was made or changed in so many days, and all that is open, a night compares
NIGHT = time(3)
EVERY = 600.0  # seconds between looks at whether the next night's job is there
MENDED = 1.0  # seconds after which a repair is looked at,
MENDING = 900.0  # and how long its job may take
MENDING_WHY = "for the job that brings it in line"
LEFT_OVER = 10_000  # differences looked at again at the end of a round, that were about something else
SHOWN = 20  # differences on the status page

Batch = tuple[Sequence[Found], str | int]  # what was compared, and behind what it goes on
Stage = Callable[[Scope, Any], Awaitable[Batch | None]]


class InStep:
    """The handlers and the nights. ``index``: our copy of the CRM's customers, where there is one.

    ``rest``: how the CRM is left alone for some seconds.
    """

    def __init__(
        self,
        *,
        db: Database,
        ledger: Ledger,
        reads: Reads,
        outbox: Outbox,
        connector: Connector,
        clock: Callable[[], float],
        settings: Settings,
        index: CrmIndex | None = None,
        rest: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.sync = CrmSync(db)
        self._outbox, self._crm, self._clock, self._index = outbox, connector, clock, index
        self._zone = settings.site.zone
        self._ours = CrmOurs(db, calls=CRM_CALL, tickets=CRM_TICKET)
        theirs = Theirs(connector, rest)
        self._look = Look(theirs, self._ours, reads, keys=Keys(settings.site.name), pen=pen_of(settings), index=index)
        self._mender = Mender(
            theirs=theirs,
            look=self._look,
            ours=self._ours,
            refs=CrmRefs(db),
            sync=self.sync,
            writes=CrmMend(db, connector.name, ledger.follow),
            outbox=outbox,
            reader=Reader(settings.site.language, settings.site.zone),
            clock=clock,
            area=settings.crm.area,
            index=index,
        )

    @property
    def handlers(self) -> dict[str, Handler]:
        """Handlers by kind of job, as the outbox takes them."""
        return {CRM_INSTEP: self.compare, CRM_MEND: self.mend}

    async def run(self) -> None:
        """Add every night's job until cancelled."""
        while True:
            with suppress(StorageError):  # whoever writes calls tells it loudly
                await self.add()
            await asyncio.sleep(EVERY)

    async def add(self) -> None:
        """Add the job of the coming night, once, and forget those of long ago."""
        now = self._clock()
        await self._outbox.prune(now - 7 * DAY, self.handlers)
        here = datetime.fromtimestamp(now, self._zone)
        night = datetime.combine(here.date(), NIGHT, self._zone)
        if night <= here:
            night = datetime.combine(here.date() + timedelta(days=1), NIGHT, self._zone)
        job = NewJob(CRM_INSTEP, f"night:{night.date()}", not_before=night.timestamp())
        await self._outbox.add_now(job, now)

    async def compare(self, job: Job) -> Wait | None:
        """One round, from where it was broken off."""
        days = float(job.payload.get("days", DAYS))
        since = self._clock() - days * DAY if days else 0.0
        scope = Scope(since, await self._ours.kept_since())
        counts = await self._ours.counts(scope)
        total = sum(count for stage, count in counts.items() if stage in self._stages())
        found = await self.sync.begin(job.key, since=since, total=total, now=self._clock())
        if found.ended is not None:
            return None
        try:
            await self._round(found, Scope(found.since, scope.kept_since))
            quality = await self._quality()
        except CrmError as error:
            await self.sync.trouble(found.id, str(error))
            return await self._trouble(job, error)
        await self.sync.end(found.id, self._clock(), quality)
        standing = await self.sync.standing()
        log.info("both sides were compared", connector=self._crm.name, records=total, differing=standing.subjects)
        return None

    async def mend(self, job: Job) -> Wait | None:
        """Repair one difference; done when it was looked at again and is gone, or cannot be repaired."""
        now = self._clock()
        for left in await self.sync.get([int(job.payload["difference"])]):
            try:
                return await self._mend(left)
            except CannotMendError as error:
                await self.sync.mending([left.id], None, str(error))
            except CrmError as error:
                if (wait := waiting(error, now, job.key, now)) is not None:
                    return wait
                await self.sync.mending([left.id], None, str(error))
        return None

    async def _mend(self, left: Open) -> Wait | None:
        now = self._clock()
        if left.mending is None:
            await self._mender.begin(left)
        elif not (await self._mender.check(left)).waits:
            return None
        elif now - left.mending > MENDING:
            raise CannotMendError("its job has not ended yet: look at it with hotline jobs")
        there = await self.sync.get([left.id])
        return Wait(now + MENDED, MENDING_WHY) if there else None

    async def report(self) -> Mapping[str, Any]:
        """How far both sides agree, for the operator."""
        rounds, last, standing = await self.sync.rounds(1), await self.sync.last(), await self.sync.standing()
        shown = await self.sync.differences(limit=SHOWN)
        running = rounds[0] if rounds and rounds[0].ended is None else None
        return {
            "last": None if last is None else told_round(last),
            "running": None if running is None else told_round(running),
            "differing": standing.subjects,
            "kinds": {what.value: count for what, count in standing.kinds.items()},
            "differences": [told_open(each) for each in shown],
        }

    async def _round(self, found: Round, scope: Scope) -> None:
        stages = self._stages()
        names = list(stages)
        place = json.loads(found.place) if found.place else {}
        onward = names.index(place["stage"]) if place.get("stage") in names else 0
        for name in names[onward:]:
            after = place.get("after") if name == place.get("stage") else None
            while (batch := await stages[name](scope, after)) is not None:
                compared, after = batch
                where = json.dumps({"stage": name, "after": after})
                await self.sync.onward(found.id, where, compared, self._clock())
        for left in await self.sync.unseen(found.began, LEFT_OVER):  # about what is not compared any more by now
            await self.sync.settle(await self._look.again(left.difference.subject), self._clock())

    def _stages(self) -> Mapping[str, Stage]:
        """What this CRM can be compared in."""
        can = self._crm.can
        stages: dict[str, tuple[bool, Stage]] = {
            "customers": (Can.GET in can, self._customers),
            "tickets": (Can.TICKET in can, self._tickets),
            "calls": (Can.NOTE in can, self._calls),
            "moves": (Can.NOTE in can, self._moves),
        }
        return {name: stage for name, (there, stage) in stages.items() if there}

    async def _tickets(self, scope: Scope, after: int | None) -> Batch | None:
        sides = await self._ours.tickets(scope, after or 0)
        return (await self._look.tickets(sides), sides[-1].id) if sides else None

    async def _calls(self, scope: Scope, after: int | None) -> Batch | None:
        sides = await self._ours.calls(scope, after or 0)
        return (await self._look.calls(sides), sides[-1].row) if sides else None

    async def _moves(self, scope: Scope, after: str | None) -> Batch | None:
        sides = await self._ours.moves(scope, after or "")
        return (await self._look.moves(sides), sides[-1].ref.key) if sides else None

    async def _customers(self, scope: Scope, after: str | None) -> Batch | None:
        sides = await self._ours.customers(scope, after or "")
        return (await self._look.customers(sides), sides[-1].id) if sides else None

    async def _quality(self) -> Mapping[str, Any] | None:
        longest = dict(self._crm.traits.longest)
        pages = None
        if self._index is not None and (await self._index.told()).whole is not None:
            pages = of_index(self._index)
        elif Can.LOAD in self._crm.can:
            pages = of_crm(self._crm)
        if pages is None:
            return None
        return {**await look_through(pages, longest, lambda _blemish: None), "longest": longest}

    async def _trouble(self, job: Job, error: CrmError) -> Wait | None:
        now = self._clock()
        if (wait := waiting(error, now, job.key, now)) is not None:
            return wait
        if isinstance(error, NotFoundError | ConflictError):  # changed under our hands: look again
            raise JobError(str(error)) from error
        log.error("the CRM cannot be compared", connector=self._crm.name, job=job.id, error=str(error))
        raise HopelessError(f"{error}. Mend that, then: hotline jobs replay {job.id}") from error


def mend_job(difference: int, asked: float) -> NewJob:
    """The job that repairs a difference, by its number."""
    return NewJob(CRM_MEND, f"{difference}", {"difference": difference, "asked": asked}, again=True)


def repairable(left: Open) -> bool:
    """Whether a repair can be asked for."""
    return left.difference.mend is not Mend.PERSON


def told_round(found: Round) -> dict[str, Any]:
    """A round as JSON."""
    return {**asdict(found), "accuracy": found.accuracy}


def told_open(left: Open) -> dict[str, Any]:
    """A difference as JSON."""
    each = left.difference
    return {
        "id": left.id,
        "subject": each.subject,
        "what": each.what.value,
        "ours": each.ours,
        "theirs": each.theirs,
        "mend": each.mend.value,
        "call": None if left.call is None else str(left.call),
        "ticket": left.ticket_id,
        "number": left.ticket_number,
        "found": left.found,
        "seen": left.seen,
        "mending": left.mending is not None,
        "trouble": left.trouble,
    }
