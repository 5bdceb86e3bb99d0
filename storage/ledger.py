"""The ledger of calls: a fact and all that follows from it in one transaction, and every repeat harmless.

A call is linked to exactly one ticket, in the transaction of the fact that confirms it; jobs are written in the
transaction of the fact that causes them. The order of locks is call, caller's turn, ticket, day's counter, everywhere.

Must not know what a PBX, a page or a model is; nothing outside storage sees a row or writes SQL.
"""

from collections.abc import Mapping, Sequence
from datetime import tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import Connection, Row

from crm.customer import Customer
from numbering.number import Number
from storage import callback_rows, choosing, edits, findings, summary_edits
from storage.completing import complete
from storage.database import Database
from storage.drafts import Draft, keep_draft, noted
from storage.edits import TicketField
from storage.following import Follow
from storage.happened import customer_of, hold_call, write_arrival, write_fact
from storage.jobs import add_job
from storage.once import update_by_id
from storage.owning import own
from storage.placing import ensure_ticket
from storage.recalled import Standing
from storage.records import (
    AlarmKind,
    Entry,
    Found,
    Known,
    NewJob,
    Recorded,
    RecordingRow,
    TicketLink,
    TimelineKind,
    Waiting,
)
from storage.search_rows import index_ticket
from storage.tables import calls, tickets
from storage.ticket_rows import MISS_TICKET, TOUCH_TICKET, add_timeline, reach_of, touch
from storage.trouble import UnknownCallError
from telephony.call import Answered, Arrived, CallKey, Confirmed, Ended, Fact, LeftMessage, Outcome, Queued
from tickets.rules import LinePolicy
from tickets.ticket import Reachability
from transcription.account import Summary
from transcription.corrections import Change
from transcription.transcript import Transcript

log = structlog.get_logger()

SITE_ZONE = ZoneInfo("Asia/Shanghai")
_FILL_TICKET = update_by_id(tickets).where(tickets.c.customer_id.is_(None))


class Ledger:
    """Writes calls and tickets. ``zone``: whose days number the tickets; ``follow``: what jobs follow a change.

    All methods raise StorageError.
    """

    def __init__(self, db: Database, zone: tzinfo = SITE_ZONE, follow: Follow = Follow()) -> None:  # noqa: B008 - frozen
        self._db = db
        self._zone = zone
        self.follow = follow

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
        return (await self.record_all([Entry(fact, now, number, known, jobs, policy)]))[0]

    async def record_all(self, entries: Sequence[Entry]) -> list[Recorded]:
        """Keep facts that came in one breath, in their order, in one transaction: all of them or none."""
        return await self._db.transact(lambda conn: [self.record_in(conn, entry) for entry in entries])

    async def know(self, call: CallKey, known: Known, now: float) -> TicketLink | None:
        """Fill in the customer found after the call's arrival, on the call and on its ticket, where none is yet."""

        def fill(conn: Connection) -> TicketLink | None:
            before = _held(conn, call)
            link = _link(_know(conn, before, known, now))
            if before.customer_id is None:
                self._changed(conn, before, now)
            return link

        return await self._db.transact(fill)

    async def link_recording(self, call: CallKey, legs: RecordingRow, now: float, jobs: Sequence[NewJob] = ()) -> None:
        """A recording belongs to this call; ``jobs``: what is to be done with it."""

        def link(conn: Connection) -> None:
            row = _held(conn, call)
            findings.link_recording(conn, row, legs, now)
            _add_jobs(conn, jobs, now)
            self._changed(conn, row, now)

        await self._db.transact(link)

    async def alarm(self, call: CallKey, kind: AlarmKind, detail: str | None, now: float) -> None:
        """People should look at this call's recording or transcript. The same kind again renews its detail."""
        await self._db.transact(lambda conn: findings.alarm(conn, _held(conn, call), kind, detail, now))

    async def waiting(self, call: CallKey, why: Waiting | None) -> None:
        """What the call's transcript waits for; None: for nothing any more."""
        value = None if why is None else why.value

        def wait(conn: Connection) -> None:
            conn.execute(update_by_id(calls), {"the_id": _held(conn, call).id, "waiting": value})

        await self._db.transact(wait)

    async def said(
        self,
        call: CallKey,
        transcript: Transcript,
        summary: Summary | None,
        now: float,
        jobs: Sequence[NewJob] = (),
    ) -> None:
        """Keep what was said; said again replaces it. On the ticket only the machine's own fields change.

        ``jobs``: what is to be done with it.
        """

        def keep(conn: Connection) -> None:
            row = _held(conn, call)
            findings.said(conn, row, transcript, summary, now)
            _add_jobs(conn, jobs, now)
            self._changed(conn, row, now)

        await self._db.transact(keep)

    async def correct_summary(
        self, call: CallKey, changes: Sequence[Change], *, who: str, now: float, seen: int
    ) -> bool:
        """A person's corrections of a call's summary, beside the machine's; False when they say nothing new.

        ``seen`` is the number of the last one the person saw (``CallPage.corrected``). On the ticket only the machine's
        fields change. Raises UnknownCallError, summary_edits.UnsoundError and CorrectedMeanwhileError.
        """

        def keep(conn: Connection) -> bool:
            row = _held(conn, call)
            if not summary_edits.correct(conn, row, changes, who=who, now=now, seen=seen):
                return False
            findings.corrected(conn, row, who, now)
            self._changed(conn, row, now)
            return True

        return await self._db.transact(keep)

    async def polished(self, call: CallKey, said: float, polished: Mapping[str, Any]) -> bool:
        """Keep what a language model made of what was said then; False when it was said again since."""
        return await self._db.transact(lambda conn: findings.polished(conn, _held(conn, call), said, polished))

    async def edit_ticket(
        self, ticket_id: int, changes: Mapping[TicketField, str | None], *, who: str, now: float, version: int
    ) -> int:
        """A person's changes; the new version. ``version`` is the one the person saw.

        Raises UnknownTicketError, edits.StaleError (somebody else changed the same fields since), edits.RefusedError
        (an illegal move).
        """

        def edit(conn: Connection) -> int:
            after, changed = edits.edit(conn, ticket_id, changes, who=who, now=now, version=version)
            if changed:
                self.follow.changed(conn, None, ticket_id, now)
            return after

        return await self._db.transact(edit)

    async def note(self, ticket_id: int, text: str, who: str, now: float) -> None:
        """A person's note on a ticket. Raises UnknownTicketError."""

        def write(conn: Connection) -> None:
            edits.note(conn, ticket_id, text, who, now)
            noted(conn, ticket_id, who, text)
            self.follow.changed(conn, None, ticket_id, now)

        await self._db.transact(write)

    async def keep_draft(self, ticket_id: int, text: str, who: str, now: float) -> Draft:
        """What somebody has written of a note so far. Raises UnknownTicketError, edits.RefusedError (too long)."""
        return await self._db.transact(lambda conn: keep_draft(conn, ticket_id, who, text, now))

    async def choose_customer(self, call: CallKey, known: Known | None, who: str, now: float) -> Standing:
        """A person says who the caller is; None takes it back. Raises UnknownCallError."""

        def choose(conn: Connection) -> Standing:
            row = _held(conn, call)
            standing = choosing.choose(conn, row, known, who, now)
            self._changed(conn, row, now)
            return standing

        return await self._db.transact(choose)

    async def enter_customer(
        self, call: CallKey, *, name: str, company: str | None, note: str | None, who: str, now: float
    ) -> tuple[Customer, Standing]:
        """A person enters the caller as a customer of our own, who is the call's from then on. UnknownCallError."""

        def enter(conn: Connection) -> tuple[Customer, Standing]:
            row = _held(conn, call)
            made = choosing.enter(conn, row, name=name, company=company, note=note, who=who, now=now)
            standing = choosing.choose(conn, row, Known(made.id, made.name), who, now)
            self._changed(conn, row, now)
            return made, standing

        return await self._db.transact(enter)

    async def split_call(self, call: CallKey, who: str, now: float) -> TicketLink:
        """A person takes a call off its ticket onto one of its own. Raises UnknownCallError, edits.RefusedError."""

        def take_off(conn: Connection) -> TicketLink:
            before = _held(conn, call)
            link = edits.split(conn, before, who, now, self._zone)
            self.follow.changed(conn, None, before.ticket_id, now)
            self.follow.changed(conn, before.key, link.id, now)
            return link

        return await self._db.transact(take_off)

    def record_in(self, conn: Connection, told: Entry) -> Recorded:
        """Keep a fact in the caller's transaction."""
        fact, now = told.fact, told.now
        if isinstance(fact, Arrived) and write_arrival(conn, fact, told.number, told.known, now):
            _add_jobs(conn, told.jobs, now)
            return Recorded(None, new=True)
        call = hold_call(conn, fact.call)
        if call is None:
            log.warning("a fact of an unknown call", call=str(fact.call), fact=type(fact).__name__)
            return Recorded(None, new=False)
        if isinstance(fact, Ended) and fact.outcome is not Outcome.LOST and call.outcome == Outcome.LOST:
            # Another service lost sight of the call, this one saw how it ended.
            found = Found(fact.outcome, now if fact.at is None else fact.at, source="events")
            completed = complete(conn, call, found, now)
            if completed:
                self._changed(conn, call, now)
            return Recorded(_link(call), completed, completed)
        new = not isinstance(fact, Arrived) and write_fact(conn, call, fact, now)
        if told.known is not None:
            call = _know(conn, call, told.known, now)
        link = _link(call)
        if link is None and _proves(fact):
            link = ensure_ticket(conn, call, now, told.policy, self._zone)
        if not new:
            return Recorded(link, new)
        if link is not None:
            _touch_ticket(conn, call, link, fact, now)
        _add_jobs(conn, told.jobs, now)
        self.follow.told(conn, fact, None if link is None else link.id, now)
        return Recorded(link, new, link is not None and _call_back(conn, call, fact, now))

    def _changed(self, conn: Connection, call: Row[Any], now: float) -> None:
        self.follow.changed(conn, call.key, call.ticket_id, now)


def _add_jobs(conn: Connection, jobs: Sequence[NewJob], now: float) -> None:
    for job in jobs:
        add_job(conn, job, now)


def _proves(fact: Fact) -> bool:
    """Whether a fact shows that the call is no forgery."""
    if isinstance(fact, Ended):
        return fact.outcome in (Outcome.ANSWERED, Outcome.VOICEMAIL)
    return isinstance(fact, Confirmed | Queued | Answered | LeftMessage)


def _held(conn: Connection, call: CallKey) -> Row[Any]:
    row = hold_call(conn, call)
    if row is None:
        raise UnknownCallError(f"no such call: {call}")
    return row


def _link(call: Row[Any]) -> TicketLink | None:
    return None if call.ticket_id is None else TicketLink(call.ticket_id, call.ticket_number, call.joined)


def _know(conn: Connection, call: Row[Any], known: Known, now: float) -> Row[Any]:
    """The call's row with the customer filled in."""
    if call.customer_id is not None:
        return call
    values = customer_of(known)
    conn.execute(update_by_id(calls), {"the_id": call.id, **values})
    if call.ticket_id is not None and conn.execute(_FILL_TICKET, {"the_id": call.ticket_id, **values}).rowcount:
        touch(conn, call.ticket_id, now)
        index_ticket(conn, call.ticket_id)
        detail = {"id": values["customer_id"], "name": values["customer_name"]}
        add_timeline(conn, call.ticket_id, TimelineKind.CUSTOMER, now, call_id=call.id, detail=detail)
    return _held(conn, CallKey.parse(call.key))


def _call_back(conn: Connection, call: Row[Any], fact: Fact, now: float) -> bool:
    """What a new fact means for the list of missed callers; whether that changed."""
    if call.e164 is None:
        return False
    if isinstance(fact, Answered):
        return callback_rows.talked(conn, call.e164, now if fact.at is None else fact.at)
    if isinstance(fact, Ended) and call.answered is None and fact.outcome is not Outcome.ANSWERED:
        return callback_rows.renew(conn, call, now)
    return False


def _touch_ticket(conn: Connection, call: Row[Any], link: TicketLink, fact: Fact, now: float) -> None:
    """What a new fact means for the ticket: spoken with, to be called back, whose it is."""
    if isinstance(fact, Answered):
        touch(conn, link.id, now, {"reach": Reachability.ANSWERED.value})
        own(conn, call, link.id, fact.agent, now)
    elif isinstance(fact, Ended):
        reach = reach_of(fact.outcome, call.answered)
        ended = MISS_TICKET if reach is Reachability.MISSED else TOUCH_TICKET
        conn.execute(ended, {"the_id": link.id, "now": now, "reach": None if reach is None else reach.value})
        key, detail = f"ended:{call.key}", {"outcome": fact.outcome.value}
        add_timeline(conn, link.id, TimelineKind.ENDED, now, key=key, call_id=call.id, detail=detail)
