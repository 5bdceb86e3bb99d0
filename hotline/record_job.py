"""A call on a PBX that does not record: recorded by us, once, from the moment it is known to be real.

A job, written with the fact that confirms the call: of two services one does it, and one that died before is repeated.
The PBX is asked first whether it records already, so a repeat starts nothing twice, and a dialplan that has begun to
record by itself is left alone.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

import structlog

from storage.drain import Handler
from storage.jobs import Job, JobError, Wait
from storage.ledger import Ledger
from storage.reads import Reads
from telephony.ami import AmiError, RefusedError
from telephony.call import CallKey, Recorded
from telephony.mixmonitor import Start, Starter, files

log = structlog.get_logger()

RECORD = "record"
AGAIN = 1.0  # seconds until a start that failed is tried again: the call goes on meanwhile


class RecordCall:
    """The handler. ``starters`` by PBX; ``unrecorded``: lines whose calls are not recorded."""

    def __init__(
        self,
        *,
        starters: Mapping[str, Starter],
        ledger: Ledger,
        reads: Reads,
        clock: Callable[[], float],
        zone: ZoneInfo,
        unrecorded: frozenset[str],
    ) -> None:
        self._starters, self._ledger, self._reads = starters, ledger, reads
        self._clock, self._zone, self._unrecorded = clock, zone, unrecorded

    @property
    def handlers(self) -> dict[str, Handler]:
        """Handlers by kind of job, as the outbox takes them."""
        return {RECORD: self.record}

    async def record(self, job: Job) -> Wait | None:
        """Start the recording of a call that goes on."""
        call = CallKey.parse(str(job.payload["call"]))
        page = await self._reads.call(call)
        starter = self._starters.get(call.pbx)
        if page is None or starter is None or page.item.ended is not None or page.item.line in self._unrecorded:
            return None
        day = datetime.fromtimestamp(page.item.arrived, self._zone).strftime("%Y/%m/%d")
        try:
            names = files(page.item.line.lstrip("+"), call.linkedid, day)
            began = await starter.start(call.linkedid, names)
        except RefusedError as error:
            log.error("the recorder login may not record", call=str(call), why=str(error))
            return None
        except AmiError as error:
            raise JobError(str(error), at=self._clock() + AGAIN) from error
        except ValueError as error:
            log.error("a call cannot be recorded", call=str(call), why=str(error))
            return None
        if began is Start.ALREADY:
            log.warning("the PBX records by itself: [pbx.recorder] is not needed", call=str(call))
        elif began is Start.STARTED:
            fact = Recorded(call=call, at=self._clock(), files=tuple(names))
            await self._ledger.record(fact, now=self._clock())
        return None
