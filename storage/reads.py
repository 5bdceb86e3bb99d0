"""What the desk reads: open tickets of a caller, ticket lists and pages, calls of a day, a call's page.

Nothing here writes. Who may see what is decided elsewhere; :meth:`Reads.concerns` tells whose call it is.
"""

import re
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.account_tables import audit
from storage.audit import What
from storage.call_list import LAST_DIGITS, CallFilter, CallList, call_list
from storage.call_rows import as_recording, as_transcript, call_items, calls_query
from storage.crm_ref import CrmRef
from storage.crm_ref_rows import as_ref, ref_of_ticket
from storage.database import Database
from storage.drafts import Draft, draft_of
from storage.happened import key_of
from storage.pages import (
    Alarm,
    CallEvent,
    CallItem,
    CallPage,
    Listen,
    TicketFilter,
    TicketList,
    TicketPage,
    TimelineItem,
)
from storage.plain import plain
from storage.records import AlarmKind, EventKind, TimelineKind
from storage.search import Asker
from storage.search_words import has_digits
from storage.seats import shared_by, talked_by
from storage.summary_edits import Corrected, counts, edits_query, laid_over
from storage.summary_json import from_json
from storage.tables import alarms, call_agents, call_events, calls, recordings, tickets, timeline, turns
from storage.ticket_items import ticket_item, ticket_items
from storage.ticket_rows import OPEN, TICKET_COLUMNS, as_ticket
from telephony.call import CallKey
from tickets.ticket import Reachability, Ticket

_TO_CALL_BACK = (Reachability.MISSED.value, Reachability.VOICEMAIL.value)
_TYPED = ("title", "category", "urgency")
_SPELT_NUMBER = re.compile(r"[\d\s()+-]{3,}")


class Reads:
    """Reads tickets and calls. All methods raise StorageError."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def open_tickets(
        self, customer_id: str | None, e164: str | None, line: str | None = None, limit: int = 20
    ) -> Sequence[Ticket]:
        """Open tickets of a customer or number, on one line or on all, the one that changed last first."""
        query = open_tickets_query(customer_id, e164, line, limit)
        if query is None:
            return []
        async with self._db.read() as conn:
            return [as_ticket(row) for row in await conn.execute(query)]

    async def tickets(
        self, wanted: TicketFilter | None = None, cursor: str | None = None, limit: int = 50
    ) -> TicketList:
        """A page of the list, the ticket that changed last first. ValueError for a cursor that is none of ours."""
        query = ticket_items().where(*_conditions(wanted or TicketFilter()))
        if cursor is not None:
            changed, ticket_id = cursor.split("_")
            query = query.where(tuple_(tickets.c.changed, tickets.c.id) < (float(changed), int(ticket_id)))
        async with self._db.read() as conn:
            page = query.order_by(tickets.c.changed.desc(), tickets.c.id.desc()).limit(limit + 1)
            rows = (await conn.execute(page)).all()
        items = tuple(ticket_item(row) for row in rows[:limit])
        last = items[-1].ticket if len(rows) > limit else None
        return TicketList(items, None if last is None else f"{last.changed!r}_{last.id}")

    async def ticket(self, ticket_id: int) -> TicketPage | None:
        """A ticket with its calls and timeline; None when there is none of that id."""
        async with self._db.read() as conn:
            more = (tickets.c.summary, *(tickets.c[name].is_not(None).label(f"typed_{name}") for name in _TYPED))
            row = (await conn.execute(ticket_items(*more).where(tickets.c.id == ticket_id))).first()
            if row is None:
                return None
            of_ticket = calls_query().where(calls.c.ticket_id == ticket_id)
            newest = of_ticket.order_by(calls.c.arrived.desc(), calls.c.id.desc())
            return TicketPage(
                item=ticket_item(row),
                typed=frozenset(name for name in _TYPED if getattr(row, f"typed_{name}")),
                summary=None if row.summary is None else from_json(row.summary),
                calls=await call_items(conn, (await conn.execute(newest)).all()),
                timeline=await _timeline(conn, ticket_id),
                crm=await _in_crm(conn, ticket_id),
            )

    async def calls_today(
        self, since: float, line: str | None = None, limit: int = 500, by: Asker | None = None
    ) -> Sequence[CallItem]:
        """Calls that arrived since then (the site's midnight, usually), newest first; ``by``: those one talked in."""
        query = calls_query().where(calls.c.arrived >= since)
        if line is not None:
            query = query.where(calls.c.line == line)
        if by is not None:
            mine = talked_by(by.login, by.extension) & (call_agents.c.talked >= since)
            query = query.where(calls.c.id.in_(select(call_agents.c.call_id).where(mine)))
        async with self._db.read() as conn:
            newest = query.order_by(calls.c.arrived.desc(), calls.c.id.desc()).limit(limit)
            return await call_items(conn, (await conn.execute(newest)).all())

    async def calls(self, wanted: CallFilter, cursor: str | None = None, limit: int = 50) -> CallList:
        """A page of the list of calls, the newest first. ValueError for a cursor that is none of ours."""
        return await self._db.look(lambda conn: call_list(conn, wanted, cursor, limit))

    async def call(self, key: CallKey) -> CallPage | None:
        """A call's page; None when there is no such call."""
        async with self._db.read() as conn:
            row = (await conn.execute(calls_query().where(calls.c.key == key_of(key)))).first()
            if row is None:
                return None
            spoken = select(turns).where(turns.c.call_id == row.id).order_by(turns.c.position)
            kept = None if row.summary is None else from_json(row.summary)
            summary, corrections, corrected = laid_over(kept, (await conn.execute(edits_query(row.id))).all())
            legs = select(recordings).where(recordings.c.call_id == row.id).order_by(recordings.c.id)
            return CallPage(
                item=(await call_items(conn, [row]))[0],
                dialled=row.dialled,
                caller_name=row.caller_name,
                events=await _events(conn, row.id),
                recordings=tuple(as_recording(leg) for leg in await conn.execute(legs)),
                transcript=as_transcript(row, (await conn.execute(spoken)).all()),
                summary=summary,
                alarms=await _alarms(conn, row.id),
                listens=await _listens(conn, key),
                machine=kept,
                corrections=corrections,
                corrected=corrected,
                polished=row.polished,
            )

    async def corrected(self, since: float) -> Sequence[Corrected]:
        """How much people corrected of the summaries of calls that arrived since then, by line and model."""
        async with self._db.read() as conn:
            return await conn.run_sync(counts, since)

    async def calls_between(self, since: float, until: float, line: str | None = None) -> Sequence[CallKey]:
        """Calls that are over and arrived from then up to then, in their order."""
        when = (calls.c.arrived >= since, calls.c.arrived < until, calls.c.ended.is_not(None))
        query = select(calls.c.key).where(*when).order_by(calls.c.arrived, calls.c.id)
        if line is not None:
            query = query.where(calls.c.line == line)
        async with self._db.read() as conn:
            return [CallKey.parse(key) for key in (await conn.execute(query)).scalars()]

    async def agents_of(self, key: CallKey) -> Sequence[str]:
        """Extensions that talked with the caller, each once, by first talk."""
        query = select(call_agents.c.agent).join_from(call_agents, calls).where(calls.c.key == key_of(key))
        talked = query.where(call_agents.c.talked.is_not(None)).order_by(call_agents.c.talked, call_agents.c.id)
        async with self._db.read() as conn:
            return (await conn.execute(talked)).scalars().all()

    async def draft(self, ticket_id: int, login: str) -> Draft:
        """The note that somebody is writing on a ticket."""
        return await self._db.look(lambda conn: draft_of(conn, ticket_id, login))

    async def rings_at(self, key: CallKey, extension: str) -> bool:
        """Whether a live call has rung at a phone: its agent has had the card of it."""
        mine = (calls.c.key == key_of(key), calls.c.ended.is_(None), call_agents.c.agent == extension)
        async with self._db.read() as conn:
            return (
                await conn.execute(select(calls.c.id).join_from(calls, call_agents).where(*mine))
            ).first() is not None

    async def concerns(self, key: CallKey, who: Asker) -> bool:
        """Whether a call is somebody's to see: they talked with the caller, or own its ticket, or may see all.

        Of several at one phone any may have talked.
        """
        if who.everything:
            return True
        this = select(calls.c.id).where(calls.c.key == key_of(key))
        owned = this.join_from(calls, tickets).where(tickets.c.owner == who.login)
        talked = this.join_from(calls, call_agents).where(talked_by(who.login, who.extension) | shared_by(who.login))
        async with self._db.read() as conn:
            return (await conn.execute(owned.union_all(talked).limit(1))).first() is not None


def open_tickets_query(customer_id: str | None, e164: str | None, line: str | None, limit: int) -> Select[Any] | None:
    """Open tickets of a customer or number as :meth:`Reads.open_tickets` has them; None: nobody to look for."""
    same = []
    if customer_id is not None:
        same.append(tickets.c.customer_id == customer_id)
    if e164 is not None:
        same.append(tickets.c.caller == e164)
    if not same:
        return None
    query = select(*TICKET_COLUMNS).where(tickets.c.status.in_(OPEN), or_(*same))
    if line is not None:
        query = query.where(tickets.c.line == line)
    return query.order_by(tickets.c.changed.desc(), tickets.c.id.desc()).limit(limit)


def _conditions(wanted: TicketFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.status is not None:
        found.append(tickets.c.status.in_(sorted(wanted.status)))
    if wanted.line is not None:
        found.append(tickets.c.line == wanted.line)
    if wanted.owner is not None:
        found.append(tickets.c.owner == wanted.owner)
    if wanted.customer is not None:
        found.append(tickets.c.customer_id == wanted.customer)
    if wanted.missed:
        found.append(tickets.c.reach.in_(_TO_CALL_BACK))
    if wanted.text and (text := plain(wanted.text, 200).strip()):
        if not wanted.numbers and has_digits(text):
            return [*found, _plainly(text)]
        titles = (tickets.c.number, tickets.c.caller, tickets.c.customer_name, tickets.c.title, tickets.c.machine_title)
        words = [column.icontains(text, autoescape=True) for column in titles]
        if _SPELT_NUMBER.fullmatch(text):  # 138-1234 5678 is how people write what is kept as +8613812345678
            words.append(tickets.c.caller.contains(re.sub(r"\D", "", text)))
        found.append(or_(*words))
    return found


def _plainly(text: str) -> ColumnElement[bool]:
    """What has digits, as whoever sees no numbers may look for it."""
    shown: ColumnElement[bool] = tickets.c.number.icontains(text, autoescape=True)
    tail = len(text) == LAST_DIGITS and text.isascii() and text.isdecimal()
    return or_(shown, tickets.c.caller.endswith(text, autoescape=True)) if tail else shown


async def _timeline(conn: AsyncConnection, ticket_id: int) -> tuple[TimelineItem, ...]:
    query = select(timeline, calls.c.key.label("call")).join_from(timeline, calls, isouter=True)
    rows = await conn.execute(query.where(timeline.c.ticket_id == ticket_id).order_by(timeline.c.at, timeline.c.id))
    return tuple(
        TimelineItem(
            at=row.at,
            kind=TimelineKind(row.kind),
            who=row.who,
            call=None if row.call is None else CallKey.parse(row.call),
            detail=row.detail or {},
        )
        for row in rows
    )


async def _in_crm(conn: AsyncConnection, ticket_id: int) -> CrmRef | None:
    row = (await conn.execute(ref_of_ticket(ticket_id))).first()
    return None if row is None else as_ref(row)


async def _events(conn: AsyncConnection, call_id: int) -> tuple[CallEvent, ...]:
    query = select(call_events).where(call_events.c.call_id == call_id).order_by(call_events.c.at, call_events.c.id)
    rows = await conn.execute(query)
    return tuple(CallEvent(row.at, EventKind(row.kind), row.subject, row.detail or {}) for row in rows)


async def _alarms(conn: AsyncConnection, call_id: int) -> tuple[Alarm, ...]:
    rows = await conn.execute(select(alarms).where(alarms.c.call_id == call_id).order_by(alarms.c.at, alarms.c.id))
    return tuple(Alarm(AlarmKind(row.kind), row.detail, row.at) for row in rows)


async def _listens(conn: AsyncConnection, key: CallKey) -> tuple[Listen, ...]:
    query = select(audit.c.who, audit.c.at).where(audit.c.subject == key_of(key), audit.c.what == What.LISTENED.value)
    return tuple(Listen(row.who, row.at) for row in await conn.execute(query.order_by(audit.c.at, audit.c.id)))
