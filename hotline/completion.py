"""What happened while nobody listened, found out from the PBX's own call records.

Two kinds of job. ``complete``: a call that ended unseen is given its real end. ``backfill``: after a gap, calls that
the ledger still holds open although the PBX has none are ended as lost, calls that began and ended in the gap are
written, with their tickets and recordings, and who spoke unheard in a call that outlived it is added at its end. All of
it goes to the ledger alone: a late card would be a lie. Each job may run again, in two services at once: what is there
already stays as it is.
"""

from collections.abc import Callable, Collection, Mapping, Sequence

import structlog

from hotline.listening import BACKFILL
from hotline.lookup import Lookup, known_of
from hotline.pipeline import COMPLETE, TICKETS, LineRules, jobs_of
from numbering.number import Number
from screenpop.hub import CALLBACKS, CALLBACKS_WORD
from storage.drain import Handler
from storage.fanout import Fanout
from storage.gaps import Gap, Gaps
from storage.jobs import Job, JobError, Wait
from storage.ledger import Ledger
from storage.reads import Reads
from storage.records import Entry, Found, FoundTalk, Known
from telephony.call import CallKey, Ended, Outcome
from telephony.cdr import Records, RecordsError
from telephony.cdr_calls import PastCall, past_calls
from telephony.cdr_facts import facts_of
from telephony.cdr_rows import Row
from telephony.identity import made_at
from telephony.lines import Lines
from telephony.phones import Phones

log = structlog.get_logger()

MARGIN = 120.0  # seconds by which the PBX's clock and ours may differ
PATIENCE = 600.0  # seconds after which a record that is not there will not come: cdr.conf's batches take 300
LOOKS = (60.0, PATIENCE)  # seconds after a gap at which it is looked into once more
LONGEST = 7 * 86400.0  # seconds before a gap's end from which unseen calls are still written
LONGEST_CALL = 12 * 3600.0  # seconds for which the end of a call that outlived a gap is waited for
AGAIN = 15.0

Open = Callable[[], Records]
LiveCalls = Callable[[str], Collection[CallKey] | None]


class Completion:
    """The handlers. ``records``: how to read a PBX's records, by its name; none of a PBX without them.

    ``live(pbx)``: the calls that are up, None while nobody knows. ``delays``: seconds until a record is there.
    """

    def __init__(
        self,
        *,
        gaps: Gaps,
        ledger: Ledger,
        reads: Reads,
        records: Mapping[str, Open],
        delays: Mapping[str, float],
        phones: Mapping[str, Phones],
        lines: Lines,
        rules: Mapping[str, LineRules],
        identify: Callable[[str | None, str | None], Number],
        lookup: Lookup,
        live: LiveCalls,
        fanout: Fanout,
        wake: Callable[[], None],
        clock: Callable[[], float],
    ) -> None:
        self._gaps, self._ledger, self._reads, self._records = gaps, ledger, reads, dict(records)
        self._delays, self._phones, self._lines, self._rules = dict(delays), dict(phones), lines, dict(rules)
        self._identify, self._lookup, self._live = identify, lookup, live
        self._fanout, self._wake, self._clock = fanout, wake, clock

    @property
    def handlers(self) -> dict[str, Handler]:
        """Handlers by kind of job, as the outbox takes them: of our PBXs only, another service may have others."""
        kinds = {COMPLETE: self.complete, BACKFILL: self.backfill}
        return {kind + pbx: handler for pbx in self._delays for kind, handler in kinds.items()}

    async def complete(self, job: Job) -> Wait | None:
        """Find out how a lost call ended."""
        call = CallKey.parse(str(job.payload["call"]))
        page = await self._reads.call(call)
        if page is None or page.item.outcome is not Outcome.LOST or call.pbx not in self._records:
            return None
        now, lost = self._clock(), page.item.ended or page.item.arrived
        delay = self._delays[call.pbx]
        if 0 <= now - lost < delay:
            return Wait(lost + delay, "the PBX may not have written the call's record yet")
        made = made_at(call.linkedid)
        since = min(page.item.arrived, page.item.arrived if made is None else made) - MARGIN
        rows = await self._rows(call.pbx, since, call.linkedid)
        told = past_calls(rows, self._phones[call.pbx], self._lines)
        past = next((one for one in told if one.uniqueid == call.linkedid), None)
        if past is None:
            if 0 <= now - lost < PATIENCE:
                return Wait(now + max(delay, min(now - lost, 60.0)), "the PBX has no record of the call yet")
            log.info("a lost call is in no record of the PBX: it stays lost", call=str(call))
            return None
        if await self._gaps.complete(call, _found(past), now):
            log.info("a lost call was completed", call=str(call), outcome=past.outcome, agents=past.agents)
            await self._tell(call)
        return None

    async def backfill(self, job: Job) -> Wait | None:
        """Look into a gap: end what is over, write what nobody saw."""
        gap = await self._gaps.get(int(job.payload["gap"]))
        if gap is None or gap.covered:
            return None
        if await self._gaps.covered(gap):
            await self._gaps.looked(gap.id, self._clock(), covered=True)
            return None
        live = job.payload.get("live")
        closed = await self._close(gap, live)
        over = await self._read(gap, live or ()) if gap.pbx in self._records else True
        await self._gaps.looked(gap.id, self._clock())
        if not closed:
            return Wait(self._clock() + AGAIN, f"which calls are up on {gap.pbx} is not known while its link is down")
        now = self._clock()
        looks = LOOKS if gap.pbx in self._records else LOOKS[:1]  # by then another service has said that it listened
        again = next((gap.until + after for after in looks if gap.until + after > now), None)
        if again is not None:
            return Wait(again, "looked into; once more, as word of it may come late")
        if over or now > gap.until + LONGEST_CALL:
            return None
        return Wait(now + PATIENCE, "calls that were up in the gap still go on: who spoke in it is told at their end")

    async def _close(self, gap: Gap, live: Sequence[str] | None) -> bool:
        """End calls that were open when the gap began and are not up any more; False when nobody can tell now."""
        if live is None:
            return True
        still = frozenset(live)
        opened = await self._gaps.open_calls(gap.pbx, before=gap.until)
        before = [key for key in opened if key.linkedid not in still]
        up = self._live(gap.pbx)
        if up is None:
            return not before
        for key in before:
            if key in up:
                continue
            lost = Ended(call=key, at=gap.until, outcome=Outcome.LOST)
            await self._ledger.record_all([Entry(lost, self._clock(), jobs=jobs_of(lost))])
            log.info("a call ended while nobody listened", call=str(key))
            await self._tell(key)
        return True

    async def _read(self, gap: Gap, live: Sequence[str]) -> bool:
        """Write what the records tell of the gap; False while a call that was up in it still is."""
        since = max(gap.since, gap.until - LONGEST) - MARGIN
        outlived = [CallKey(gap.pbx, linkedid) for linkedid in live]
        began = [made for key in outlived if (made := made_at(key.linkedid)) is not None]
        try:
            rows = await self._rows(gap.pbx, min([since, *(made - MARGIN for made in began)]))
        except JobError as error:
            await self._gaps.looked(gap.id, self._clock(), note=str(error))
            raise
        told = past_calls(rows, self._phones[gap.pbx], self._lines)
        calls = {CallKey(gap.pbx, call.uniqueid): call for call in told}
        up = self._live(gap.pbx) or ()
        for key in [key for key in outlived if key in calls and key not in up]:
            past = calls[key]
            if past.talks and await self._gaps.amend(gap.id, key, _found(past), self._clock()):
                log.info("who spoke while nobody listened was found", call=str(key), agents=past.agents)
                await self._tell(key)
        in_gap = [key for key, call in calls.items() if call.number and since <= call.arrived <= gap.until + MARGIN]
        for key in await self._gaps.unknown(in_gap):
            if key not in up:
                await self._write(gap, key, calls[key])
        return not any(key in up for key in outlived)

    async def _write(self, gap: Gap, key: CallKey, call: PastCall) -> None:
        rules = self._rules.get(call.number or "", LineRules())
        number = self._identify(call.caller, rules.area)
        known = await self._who(key, number, rules.area)
        now = self._clock()
        entries = [Entry(fact, now, number, known, jobs_of(fact), rules.policy) for fact in facts_of(call, key)]
        detail = {"was": "unseen", "outcome": call.outcome.value, "source": "cdr"}
        if await self._gaps.write_unseen(gap.id, entries, detail, now):
            log.info("a call nobody saw was written", call=str(key), outcome=call.outcome, agents=call.agents)
            await self._tell(key)

    async def _who(self, key: CallKey, number: Number, area: str | None) -> Known | None:
        """The customer, however long the CRM takes: nobody waits for this."""
        known = None
        async for answer in self._lookup.answers(key, number, area):
            known = known_of(answer.match)
        return known

    async def _rows(self, pbx: str, since: float, call: str | None = None) -> Sequence[Row]:
        try:
            return await self._records[pbx]().rows(since, call)
        except RecordsError as error:
            raise JobError(f"call records of PBX {pbx}: {error}") from error

    async def _tell(self, call: CallKey) -> None:
        """Have open pages look again, and the new jobs begin."""
        self._wake()
        page = await self._reads.call(call)
        ticket = page.item.ticket if page else None
        await self._fanout.publish(TICKETS, {"type": "ticket", "id": ticket and ticket.id, "call": str(call)})
        await self._fanout.publish(CALLBACKS, CALLBACKS_WORD)


def _found(past: PastCall) -> Found:
    talks = tuple(FoundTalk(talk.agent, talk.begins, talk.ends, talk.queue) for talk in past.talks)
    return Found(past.outcome, past.ended, talks)
