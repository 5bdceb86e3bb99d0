"""How a job writes to a CRM without ever writing twice, and what becomes of it when the CRM cannot.

Whatever goes wrong at the CRM's end costs no attempt: the job waits, visibly, as long as it takes. Only what the CRM
refuses for good is given up, with a sentence that people see in ``hotline jobs``, and may be tried afresh from there.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from zlib import crc32

import structlog

from crm.connector import Can, Connector, Of, Once, Ref
from crm.matching import decide
from crm.trouble import (
    AuthError,
    ConflictError,
    CrmError,
    NotFoundError,
    RateLimitedError,
    TransientError,
    UnsupportedError,
)
from numbering.identify import identify
from storage.choosing import is_entered
from storage.crm_refs import CrmRef, CrmRefs, RefState, Turn
from storage.jobs import HopelessError, Job, JobError, Wait
from storage.outbox import Outbox
from storage.records import NewJob
from telephony.call import CallKey

log = structlog.get_logger()

SETTLES = 45.0  # seconds in which a write without an answer may still be done; what can only be searched waits for it
AUTH_AGAIN = 60.0
LIMITED_AGAIN = 30.0
TROUBLE_AGAIN, LONGEST_AGAIN = 15.0, 300.0
PATIENCE = 4  # a record that has been out of line for an hour is tried again after a quarter of one, at most LONGEST
SPREAD = 0.25  # part of a pause over which jobs come back


class OvertakenError(Exception):
    """Another worker began on the same record meanwhile: the work is done once more, from what is known then."""


_SURE = (Once.NATIVE, Once.UNIQUE_KEY)


@dataclass(slots=True)
class Weather:
    """Whether the CRM was in trouble when it was asked last."""

    bad: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Hands:
    """What all who write share. ``area``: of numbers written locally in the CRM; ``kinds``: of our jobs."""

    crm: Connector
    refs: CrmRefs
    outbox: Outbox
    clock: Callable[[], float]
    area: str | None = None
    kinds: tuple[str, ...] = ()
    weather: Weather = field(default_factory=Weather)

    async def carried(self, job: Job, key: str, work: Awaitable[Wait | None]) -> Wait | None:
        """Do the work of a job on the record of ``key``; say what to do where the CRM does not let us."""
        try:
            return await work
        except OvertakenError:
            await self.outbox.add_now(NewJob(job.kind, job.key, job.payload, again=True), self.clock())
            return None
        except CrmError as error:
            now = self.clock()
            since = await self.refs.trouble(key, str(error), now)
            wait = waiting(error, now, job.key, since)
            if wait is not None:
                self.weather.bad = True
                return wait
            if isinstance(error, NotFoundError | ConflictError):  # changed under our hands: read and decide again
                raise JobError(str(error)) from error
            log.error("the CRM refuses a write", connector=self.crm.name, job=job.id, key=key, error=str(error))
            raise HopelessError(f"{error}. Mend that, then: hotline jobs replay {job.id}") from error

    @asynccontextmanager
    async def turn(
        self, key: str, of: Of, *, call: CallKey | None = None, ticket_id: int | None = None
    ) -> AsyncIterator[Turn]:
        """A write: begun before it is sent, and known to be open until it is known how it went."""
        turn = await self.refs.begin(key, of, now=self.clock(), call=call, ticket_id=ticket_id)
        try:
            yield turn
        except CrmError as error:
            if isinstance(error, RateLimitedError) or not isinstance(error, TransientError):
                await self.refs.over(turn, self.clock())  # it was surely not done
            raise
        else:
            await self.answered()

    async def answered(self) -> None:
        """The CRM answered: if it was in trouble before, what waits for it need not wait any longer."""
        if self.weather.bad:
            self.weather.bad = False
            await self.outbox.hurry(self.kinds, self.clock())
            self.outbox.wake()

    def settling(self, ref: CrmRef | None) -> Wait | None:
        """Whether a write whose outcome is not known may be under way still, at a CRM that cannot tell two apart."""
        if ref is None or ref.begun is None or ref.id is not None or self.crm.traits.once in _SURE:
            return None
        until = ref.begun + SETTLES
        name = self.crm.name
        return Wait(until, f"{name} may be writing it still") if self.clock() < until else None

    async def made(self, turn: Turn, of: Of) -> Ref | None:
        """The record of a key where it is there: as we know, or made by a write we have no answer of."""
        before = turn.before
        if before is None or before.state is RefState.GONE:
            return None
        if before.ref is not None or before.begun is None:
            return before.ref
        try:
            return await self.crm.by_key(of, turn.key)
        except UnsupportedError:
            log.warning("a record may stand there twice: the CRM cannot look for it", key=turn.key)
            return None

    async def whose(self, customer_id: str, e164: str | None) -> str | None:
        """The customer as the CRM has it now: that one, whom it was merged into, or who has the number; else None.

        Whom people entered here the CRM may have got to know since, by the number.
        """
        entered = is_entered(customer_id)
        if Can.GET not in self.crm.can and not entered:
            return customer_id
        found = None if entered else await self.crm.get(customer_id)
        if found is not None:
            return found.id
        number = identify(e164)
        if number.e164 is None:
            return None
        sure = decide(number, await self.crm.find(number), self.area).sure
        return None if sure is None else sure.id


def ours(kept: bool) -> None:  # noqa: FBT001 - an answer of the references
    """Raise OvertakenError where the references say so."""
    if not kept:
        raise OvertakenError


def waiting(error: CrmError, now: float, name: str, since: float) -> Wait | None:
    """When to come back after an error that may pass; None for one that will not.

    ``since``: how long it has been so. A day's jobs that all wait must not keep the database busy: the longer the
    rarer, each a little later than others by its ``name``. They are called back as soon as the CRM answers anybody.
    """
    if isinstance(error, TransientError):
        after = (error.after or LIMITED_AGAIN) if isinstance(error, RateLimitedError) else TROUBLE_AGAIN
        pause = max(after, min((now - since) / PATIENCE, LONGEST_AGAIN))
        return Wait(now + pause * (1 + SPREAD * (crc32(name.encode()) % 100) / 100), str(error))
    if isinstance(error, AuthError):
        return Wait(now + AUTH_AGAIN, f"{error}: mend the key or its rights, this goes on by itself")
    return None
