"""Takes one person out of what is kept: numbers, names, words. What counts (line, times, outcome, agents) stays.

A row says first what is to be erased, so that a service that dies goes on where it was; once all is done the row
forgets the number, too, and only a salted digest can tell whether it was this one. Each call, with its ticket and all
that hangs on both, goes in one transaction, after its files. Of an erased call nothing more is written, whatever comes
late.

The audit trail keeps who looked at which call; a number that stands in it, masked or not, is replaced by the digest.
That is the only change ever made there.
"""

import asyncio
import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import Connection, Row, Table, delete, insert, select, text, update

from storage.account_tables import audit
from storage.audit import What
from storage.call_rows import as_recording
from storage.callback_tables import callbacks
from storage.choice_tables import choices, entered_customers, note_drafts, number_choices
from storage.choosing import ENTERED
from storage.crm_ref_tables import crm_refs
from storage.customer_news import note
from storage.customer_search_tables import customer_news, customer_words
from storage.customer_tables import customer_phones, customers
from storage.customer_words import Kept
from storage.database import Database
from storage.erasure_tables import erasures
from storage.job_tables import jobs
from storage.persons import By, Person, customers_of, of_number, of_person, subject_of, tickets_of
from storage.push_tables import deliveries
from storage.records import EventKind, RecordingRow, TimelineKind
from storage.search_rows import index_ticket
from storage.search_tables import FULL_TEXT, call_words
from storage.sound_tables import sounds
from storage.summary_edit_tables import summary_edits
from storage.tables import alarms, call_events, calls, recordings, tickets, timeline, turns
from telephony.call import CallKey

_SAYS_NOTHING = (TimelineKind.OPENED, TimelineKind.JOINED, TimelineKind.OWNER, TimelineKind.ENDED, TimelineKind.MOVED)
_FILES = (EventKind.RECORDED.value, EventKind.LEFT_MESSAGE.value)  # PBXs name files by who called
_MERGED = 16  # pages of a full-text table in one transaction: others wait for it, 0.1 s on a machine full of work
_NOBODY = {"customer_id": None, "customer_name": None, "vip": False}
_CALL = {
    "caller": None,
    "caller_name": None,
    "e164": None,
    "ext": None,
    "kind": None,
    "region": None,
    "waiting": None,
    "summary": None,
    "polished": None,
    "said": None,
    "levels": None,
    "bleeps": None,
    **_NOBODY,
}
_REF = {"state": "gone", "customer_id": None, "said": None, "owner": None, "url": None, "trouble": None}
_TICKET = {"caller": None, "title": None, "machine_title": None, "summary": None, **_NOBODY}


class LiveCallError(Exception):
    """A call of theirs goes on: nothing is erased while somebody talks."""


@dataclass(frozen=True, slots=True)
class Erasure:
    """One erasure. ``person`` is None once it is done; ``digest``: :func:`digest_of` of ``salt`` and number or id."""

    id: int
    by: By
    person: Person | None
    salt: str
    digest: str
    who: str
    asked: float
    done: float | None
    calls: int
    tickets: int
    recordings: int
    trouble: str | None


@dataclass(frozen=True, slots=True)
class Sound:
    """A recording whose files are to go."""

    id: int
    call: CallKey
    recording: RecordingRow


class Erasures:
    """All methods raise StorageError."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def begin(self, person: Person, who: str, now: float) -> int:
        """Say what is to be erased; its number. Raises LiveCallError."""
        salt = secrets.token_hex(16)
        digest = await asyncio.to_thread(digest_of, salt, person.value)

        def write(conn: Connection) -> int:
            live = select(calls.c.id).where(of_person(person), calls.c.ended.is_(None)).limit(1)
            if conn.execute(live).first() is not None:
                raise LiveCallError
            row = {
                "kind": person.by.value,
                "target": person.value,
                "salt": salt,
                "digest": digest,
                "who": who,
                "asked": now,
                "calls": 0,
                "tickets": len(conn.execute(tickets_of(person)).all()),
                "recordings": 0,
            }
            made = conn.execute(insert(erasures).values(row).returning(erasures.c.id)).scalar_one()
            return int(made)

        return await self._db.transact(write)

    async def get(self, number: int) -> Erasure | None:
        """One of them."""
        async with self._db.read() as conn:
            row = (await conn.execute(select(erasures).where(erasures.c.id == number))).first()
            return None if row is None else _erasure(row)

    async def newest(self, limit: int = 50, below: int | None = None) -> Sequence[Erasure]:
        """The last ones; ``below`` the last id of the page before."""
        query = select(erasures).order_by(erasures.c.id.desc()).limit(limit)
        if below is not None:
            query = query.where(erasures.c.id < below)
        async with self._db.read() as conn:
            return [_erasure(row) for row in await conn.execute(query)]

    async def next_call(self, erasure: Erasure) -> tuple[CallKey, Sequence[Sound]] | None:
        """A call that is still to be erased, with the recordings whose files go first; None: all are done."""
        assert erasure.person is not None
        query = (
            select(calls.c.id, calls.c.key)
            .where(of_person(erasure.person), calls.c.arrived < erasure.asked, calls.c.erased.is_(None))
            .order_by(calls.c.id)
            .limit(1)
        )
        async with self._db.read() as conn:
            row = (await conn.execute(query)).first()
            if row is None:
                return None
            key = CallKey.parse(row.key)
            rows = await conn.execute(select(recordings).where(recordings.c.call_id == row.id))
            return key, [Sound(one.id, key, as_recording(one)) for one in rows if one.deleted is None]

    async def call(self, erasure: Erasure, key: CallKey, sounds_gone: int, now: float) -> None:
        """Erase a call, its files being gone."""

        def write(conn: Connection) -> None:
            _thorough(conn)
            call = conn.execute(select(calls).where(calls.c.key == str(key)).with_for_update()).first()
            if call is not None and call.erased is None:
                _erase_call(conn, call, now)
                _count(conn, erasure.id, calls=1, recordings=sounds_gone)

        await self._db.transact(write)

    async def finish(self, erasure: Erasure, now: float) -> None:
        """Erase tickets without calls and whatever else has the number, and forget the number itself."""
        person = erasure.person
        assert person is not None

        def write(conn: Connection) -> None:
            _thorough(conn)
            for row in conn.execute(tickets_of(person).where(tickets.c.opened < erasure.asked)).all():
                _erase_ticket(conn, row.id)
            _erase_rest(conn, person, erasure)

        def close(conn: Connection) -> None:
            _thorough(conn)
            over = {"target": None, "done": now, "trouble": None}
            conn.execute(update(erasures).where(erasures.c.id == erasure.id).values(over))

        await self._db.transact(write)
        for index in FULL_TEXT if self._db.sqlite else ():
            first = True
            while await self._db.transact(partial(_merge, index, first=first)):
                first = False
        await self._db.transact(close)

    async def trouble(self, number: int, text: str) -> None:
        """Why it is not done yet."""
        async with self._db.write() as conn:
            await conn.execute(update(erasures).where(erasures.c.id == number).values(trouble=text[:500]))


def digest_of(salt: str, value: str) -> str:
    """What stays of a number. It takes 50 ms, so that not all numbers there are can be tried."""
    return hashlib.scrypt(value.encode(), salt=salt.encode(), n=1 << 14, r=8, p=1, dklen=32).hex()


def _thorough(conn: Connection) -> None:
    """Have SQLite overwrite what is deleted, on this connection."""
    if conn.dialect.name == "sqlite":
        conn.exec_driver_sql("PRAGMA secure_delete=ON")


def _merge(index: str, conn: Connection, *, first: bool) -> bool:
    """Have a piece of a full-text table written anew, without what was deleted; whether there is more to do.

    FTS5 only notes what is deleted until it merges (``secure-delete`` came with SQLite 3.42). All of it at once would
    keep every other writer waiting, minutes where there are a hundred thousand calls.
    """
    _thorough(conn)
    counted = text("SELECT total_changes()")
    before = conn.execute(counted).scalar_one()
    pages = -_MERGED if first else _MERGED
    conn.exec_driver_sql(f"INSERT INTO {index}({index}, rank) VALUES('merge', {pages})")
    return bool(conn.execute(counted).scalar_one() - before >= 2)  # noqa: PLR2004 - what FTS5 says when it has done none


def _erase_call(conn: Connection, call: Row[Any], now: float) -> None:
    places: tuple[tuple[Table, Any], ...] = (
        (turns, turns.c.call_id),
        (summary_edits, summary_edits.c.call_id),
        (call_words, call_words.c.call_id),
        (choices, choices.c.call_id),
        (callbacks, callbacks.c.call_id),
    )
    for table, column in places:
        conn.execute(delete(table).where(column == call.id))
    conn.execute(delete(entered_customers).where(entered_customers.c.call_id == call.id))
    conn.execute(update(alarms).where(alarms.c.call_id == call.id).values(detail=None))
    named = call_events.c.kind.in_(_FILES)
    conn.execute(update(call_events).where(call_events.c.call_id == call.id, named).values(detail=None))
    conn.execute(delete(deliveries).where(deliveries.c.call == call.key))
    conn.execute(update(crm_refs).where(crm_refs.c.call == call.key).values(_REF))
    ours = (jobs.c.key == call.key) | jobs.c.key.startswith(f"{call.key}:", autoescape=True)
    conn.execute(delete(jobs).where(ours))
    for row in conn.execute(select(recordings.c.id).where(recordings.c.call_id == call.id)).all():
        gone = {"name": f"erased-{row.id}", "rx": None, "tx": None, "mix": None, "deleted": now}
        conn.execute(update(recordings).where(recordings.c.id == row.id).values(gone))
        conn.execute(delete(sounds).where(sounds.c.recording_id == row.id))
    conn.execute(update(calls).where(calls.c.id == call.id).values(**_CALL, erased=now))
    if call.ticket_id is not None:
        _erase_ticket(conn, call.ticket_id)


def _erase_ticket(conn: Connection, ticket_id: int) -> None:
    """Words and names go; what happened when stays."""
    says = timeline.c.kind.not_in([kind.value for kind in _SAYS_NOTHING])
    conn.execute(update(timeline).where(timeline.c.ticket_id == ticket_id, says).values(detail=None))
    conn.execute(delete(note_drafts).where(note_drafts.c.ticket_id == ticket_id))
    conn.execute(update(crm_refs).where(crm_refs.c.ticket_id == ticket_id).values(_REF))
    conn.execute(update(tickets).where(tickets.c.id == ticket_id).values(_TICKET))
    index_ticket(conn, ticket_id)


def _erase_rest(conn: Connection, person: Person, erasure: Erasure) -> None:
    for customer_id in [row.id for row in conn.execute(customers_of(person))]:
        conn.execute(delete(customer_words).where(customer_words.c.customer_id == customer_id))
        conn.execute(delete(customer_news).where(customer_news.c.customer_id == customer_id))
        conn.execute(delete(customers).where(customers.c.id == customer_id))
        entered = customer_id.removeprefix(ENTERED)
        if entered != customer_id and entered.isdecimal():
            conn.execute(delete(entered_customers).where(entered_customers.c.id == int(entered)))
    if person.by is By.CUSTOMER:
        conn.execute(delete(number_choices).where(number_choices.c.customer_id == person.value))
        return
    others = customer_phones.c.customer_id.startswith(ENTERED, autoescape=True)
    left = delete(customer_phones).where(others, customer_phones.c.e164 == person.value)
    note(conn, Kept.OWN, conn.execute(left.returning(customer_phones.c.customer_id)).scalars().all())
    conn.execute(delete(callbacks).where(callbacks.c.number == person.value, callbacks.c.last <= erasure.asked))
    conn.execute(delete(number_choices).where(of_number(person.value), number_choices.c.at <= erasure.asked))
    stands = {"subject": f"erased:{erasure.digest[:16]}"}
    dialled = audit.c.what == What.DIALLED.value  # somebody's login may be the same digits
    conn.execute(update(audit).where(dialled, audit.c.subject == person.value).values(stands | {"detail": None}))
    conn.execute(update(audit).where(audit.c.subject == subject_of(person)).values(stands))


def _count(conn: Connection, number: int, *, calls: int, recordings: int) -> None:
    more = {"calls": erasures.c.calls + calls, "recordings": erasures.c.recordings + recordings}
    conn.execute(update(erasures).where(erasures.c.id == number).values(more))


def _erasure(row: Row[Any]) -> Erasure:
    return Erasure(
        id=row.id,
        by=By(row.kind),
        person=None if row.target is None else Person(By(row.kind), row.target),
        salt=row.salt,
        digest=row.digest,
        who=row.who,
        asked=row.asked,
        done=row.done,
        calls=row.calls,
        tickets=row.tickets,
        recordings=row.recordings,
        trouble=row.trouble,
    )
