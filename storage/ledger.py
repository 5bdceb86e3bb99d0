"""The ledger of calls: one fact, one transaction, and every repeat harmless.

A call is linked to exactly one ticket, in the transaction of the fact that confirms it; jobs are written in the
transaction of the fact that causes them. The order of locks is call, caller's turn, ticket, day's counter, everywhere.

Must not know what a PBX, a page or a model is; nothing outside storage sees a row or writes SQL.
"""

from collections.abc import Mapping, Sequence
from datetime import tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import Row, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from numbering.number import Number
from storage import edits, findings
from storage.account_tables import users
from storage.database import Database
from storage.edits import TicketField
from storage.happened import hold_call, write_arrival, write_fact
from storage.jobs import add_job
from storage.placing import ensure_ticket
from storage.records import (
    AlarmKind,
    Known,
    NewJob,
    Recorded,
    RecordingRow,
    TicketLink,
    TimelineKind,
    Waiting,
)
from storage.tables import calls, tickets
from storage.ticket_rows import add_timeline, later, reach_of
from storage.trouble import UnknownCallError
from telephony.call import Answered, Arrived, CallKey, Confirmed, Ended, Fact, LeftMessage, Outcome, Queued
from tickets.rules import LinePolicy
from tickets.ticket import Reachability
from transcription.account import Summary
from transcription.transcript import Transcript

log = structlog.get_logger()

SITE_ZONE = ZoneInfo("Asia/Shanghai")
_CONFIRMING = (Confirmed, Queued, Answered, LeftMessage)  # each shows that the call is no forgery


class Ledger:
    """Writes calls and tickets. ``zone``: whose days number the tickets. All methods raise StorageError."""

    def __init__(self, db: Database, zone: tzinfo = SITE_ZONE) -> None:
        self._db = db
        self._zone = zone

    async def record(
        self,
        fact: Fact,
        *,
        now: float,
        number: Number | None = None,
        known: Known | None = None,
        jobs: Sequence[NewJob] = (),
        policy: LinePolicy = LinePolicy(),  # noqa: B008 - frozen
    ) -> Recorded:
        """Keep a fact. ``number`` is used with Arrived; ``known`` fills an unknown customer; ``jobs`` are added if new.

        A fact of a call that never arrived (the arrival was a forgery, or before our time) is logged and not kept.
        """
        async with self._db.write() as conn:
            if isinstance(fact, Arrived):
                new = await write_arrival(conn, fact, number, known, now)
                call = None if new else await hold_call(conn, fact.call)
            else:
                call = await hold_call(conn, fact.call)
                if call is None:
                    log.warning("a fact of an unknown call", call=str(fact.call), fact=type(fact).__name__)
                    return Recorded(None, new=False)
                new = await write_fact(conn, call, fact, now)
            link = None
            if call is not None:
                if known is not None:
                    call = await self._know(conn, call, known, now)
                link = await self._ticket_of(conn, call, fact, now, policy)
                if new and link is not None:
                    await self._touch_ticket(conn, call, link, fact, now)
            if new:
                for job in jobs:
                    await add_job(conn, job, now)
            return Recorded(link, new)

    async def know(self, call: CallKey, known: Known, now: float) -> TicketLink | None:
        """Fill in the customer found after the call's arrival, on the call and on its ticket, where none is yet."""
        async with self._db.write() as conn:
            row = await self._know(conn, await self._held(conn, call), known, now)
            return _link(row)

    async def link_recording(self, call: CallKey, legs: RecordingRow, now: float, jobs: Sequence[NewJob] = ()) -> None:
        """A recording belongs to this call; ``jobs``: what is to be done with it."""
        async with self._db.write() as conn:
            await findings.link_recording(conn, await self._held(conn, call), legs, now)
            for job in jobs:
                await add_job(conn, job, now)

    async def alarm(self, call: CallKey, kind: AlarmKind, detail: str | None, now: float) -> None:
        """People should look at this call's recording or transcript. The same kind again renews its detail."""
        async with self._db.write() as conn:
            await findings.alarm(conn, await self._held(conn, call), kind, detail, now)

    async def waiting(self, call: CallKey, why: Waiting | None) -> None:
        """What the call's transcript waits for; None: for nothing any more."""
        async with self._db.write() as conn:
            row = await self._held(conn, call)
            value = None if why is None else why.value
            await conn.execute(update(calls).where(calls.c.id == row.id).values(waiting=value))

    async def said(self, call: CallKey, transcript: Transcript, summary: Summary | None, now: float) -> None:
        """Keep what was said; said again replaces it. On the ticket only the machine's own fields change."""
        async with self._db.write() as conn:
            await findings.said(conn, await self._held(conn, call), transcript, summary, now)

    async def edit_ticket(
        self, ticket_id: int, changes: Mapping[TicketField, str | None], *, who: str, now: float, version: int
    ) -> int:
        """A person's changes; the new version. ``version`` is the one the person saw.

        Raises UnknownTicketError, edits.StaleError (somebody else was faster), edits.RefusedError (an illegal move).
        """
        async with self._db.write() as conn:
            return await edits.edit(conn, ticket_id, changes, who=who, now=now, version=version)

    async def note(self, ticket_id: int, text: str, who: str, now: float) -> None:
        """A person's note on a ticket. Raises UnknownTicketError."""
        async with self._db.write() as conn:
            await edits.note(conn, ticket_id, text, who, now)

    async def split_call(self, call: CallKey, who: str, now: float) -> TicketLink:
        """A person takes a call off its ticket onto one of its own. Raises UnknownCallError, edits.RefusedError."""
        async with self._db.write() as conn:
            return await edits.split(conn, await self._held(conn, call), who, now, self._zone)

    async def _held(self, conn: AsyncConnection, call: CallKey) -> Row[Any]:
        row = await hold_call(conn, call)
        if row is None:
            raise UnknownCallError(f"no such call: {call}")
        return row

    async def _know(self, conn: AsyncConnection, call: Row[Any], known: Known, now: float) -> Row[Any]:
        """The call's row with the customer filled in."""
        values = {"customer_id": known.customer_id, "customer_name": known.customer_name, "vip": known.vip}
        if call.customer_id is not None:
            return call
        await conn.execute(update(calls).where(calls.c.id == call.id).values(values))
        if call.ticket_id is not None:
            fill = update(tickets).where(tickets.c.id == call.ticket_id, tickets.c.customer_id.is_(None))
            filled = await conn.execute(fill.values(**values, changed=later(tickets.c.changed, now)))
            if filled.rowcount:
                detail = {"id": known.customer_id, "name": known.customer_name}
                await add_timeline(conn, call.ticket_id, TimelineKind.CUSTOMER, now, call_id=call.id, detail=detail)
        again = await hold_call(conn, CallKey.parse(call.key))
        assert again is not None
        return again

    async def _ticket_of(
        self, conn: AsyncConnection, call: Row[Any], fact: Fact, now: float, policy: LinePolicy
    ) -> TicketLink | None:
        """The call's ticket; made now when this fact shows that the call is real."""
        spoken = isinstance(fact, Ended) and fact.outcome in (Outcome.ANSWERED, Outcome.VOICEMAIL)
        if call.ticket_id is not None or not (isinstance(fact, _CONFIRMING) or spoken):
            return _link(call)
        return await ensure_ticket(conn, call, now, policy, self._zone)

    async def _touch_ticket(
        self, conn: AsyncConnection, call: Row[Any], link: TicketLink, fact: Fact, now: float
    ) -> None:
        """What a new fact means for the ticket: spoken with, to be called back, whose it is."""
        values: dict[str, Any] = {}
        if isinstance(fact, Answered):
            values["reach"] = Reachability.ANSWERED.value
            await self._own(conn, call, link, fact.agent, now)
        elif isinstance(fact, Ended):
            reach = reach_of(fact.outcome, call.answered)
            values["reach"] = None if reach is None else reach.value
            if reach is Reachability.MISSED:
                values["missed"] = tickets.c.missed + 1
            key, detail = f"ended:{call.key}", {"outcome": fact.outcome.value}
            await add_timeline(conn, link.id, TimelineKind.ENDED, now, key=key, call_id=call.id, detail=detail)
        if values:
            values["changed"] = later(tickets.c.changed, now)
            await conn.execute(update(tickets).where(tickets.c.id == link.id).values(values))

    async def _own(self, conn: AsyncConnection, call: Row[Any], link: TicketLink, agent: str, now: float) -> None:
        """The first agent who answers owns an unowned ticket, when exactly one login has that extension."""
        who = select(func.min(users.c.login)).where(users.c.extension == agent, users.c.active.is_(True))
        login = (await conn.execute(who.having(func.count() == 1))).scalar()
        if login is None:
            return
        free = update(tickets).where(tickets.c.id == link.id, tickets.c.owner.is_(None))
        if (await conn.execute(free.values(owner=login))).rowcount:
            detail = {"owner": login}
            await add_timeline(conn, link.id, TimelineKind.OWNER, now, call_id=call.id, detail=detail)


def _link(call: Row[Any]) -> TicketLink | None:
    return None if call.ticket_id is None else TicketLink(call.ticket_id, call.ticket_number, call.joined)
