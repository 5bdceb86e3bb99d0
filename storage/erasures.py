"""Takes one person out of what is kept: numbers, names, words. What counts (line, times, outcome, agents) stays.

A row says first what is to be erased, so that a service that dies goes on where it was; once all is done the row
forgets the number, too, and only a salted digest can tell whether it was this one. Each call, with its ticket and all
that hangs on both, goes in one transaction, after its files. Of an erased call nothing more is written, whatever comes
late.

The audit trail keeps who looked at which call; a number that stands in it is replaced by the digest. That is the only
change ever made there.
"""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Table, delete, insert, select, update

from storage.account_tables import audit
from storage.call_rows import as_recording
from storage.callback_tables import callbacks
from storage.choice_tables import choices, entered_customers, note_drafts, number_choices
from storage.crm_ref_tables import crm_refs
from storage.customer_search_tables import customer_news, customer_words
from storage.customer_tables import customers
from storage.database import Database
from storage.erasure_tables import erasures
from storage.job_tables import jobs
from storage.persons import By, Person, customers_of, of_person, tickets_of
from storage.push_tables import deliveries
from storage.records import RecordingRow, TimelineKind
from storage.search_rows import index_ticket
from storage.search_tables import call_words
from storage.sound_tables import sounds
from storage.summary_edit_tables import summary_edits
from storage.tables import alarms, call_events, calls, recordings, tickets, timeline, turns
from telephony.call import CallKey

_SAYS_NOTHING = (TimelineKind.OPENED, TimelineKind.JOINED, TimelineKind.OWNER, TimelineKind.ENDED, TimelineKind.MOVED)
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
_TICKET = {"caller": None, "title": None, "machine_title": None, "summary": None, **_NOBODY}


class LiveCallError(Exception):
    """A call of theirs goes on: nothing is erased while somebody talks."""


@dataclass(frozen=True, slots=True)
class Erasure:
    """One erasure. ``person`` is None once it is done; ``digest`` is SHA-256 of ``salt`` and the number or id."""

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

        def write(conn: Connection) -> int:
            live = select(calls.c.id).where(of_person(person), calls.c.ended.is_(None)).limit(1)
            if conn.execute(live).first() is not None:
                raise LiveCallError
            row = {
                "kind": person.by.value,
                "target": person.value,
                "salt": salt,
                "digest": digest_of(salt, person.value),
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

    async def newest(self, limit: int = 50) -> Sequence[Erasure]:
        """The last ones."""
        async with self._db.read() as conn:
            rows = await conn.execute(select(erasures).order_by(erasures.c.id.desc()).limit(limit))
            return [_erasure(row) for row in rows]

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
            over = {"target": None, "done": now, "trouble": None}
            conn.execute(update(erasures).where(erasures.c.id == erasure.id).values(over))

        await self._db.transact(write)
        if self._db.sqlite:
            async with self._db.write() as conn:
                await conn.exec_driver_sql("INSERT INTO call_index(call_index) VALUES('optimize')")
                await conn.exec_driver_sql("INSERT INTO ticket_index(ticket_index) VALUES('optimize')")

    async def trouble(self, number: int, text: str) -> None:
        """Why it is not done yet."""
        async with self._db.write() as conn:
            await conn.execute(update(erasures).where(erasures.c.id == number).values(trouble=text[:500]))


def digest_of(salt: str, value: str) -> str:
    """What stays of a number."""
    return hashlib.sha256(f"{salt}:{value}".encode()).hexdigest()


def _thorough(conn: Connection) -> None:
    """Have SQLite overwrite what is deleted, on this connection."""
    if conn.dialect.name == "sqlite":
        conn.exec_driver_sql("PRAGMA secure_delete=ON")


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
    named = call_events.c.kind.in_(("recorded", "message"))
    conn.execute(update(call_events).where(call_events.c.call_id == call.id, named).values(detail=None))
    conn.execute(delete(deliveries).where(deliveries.c.call == call.key))
    conn.execute(
        update(crm_refs)
        .where(crm_refs.c.call == call.key)
        .values(state="gone", customer_id=None, said=None, owner=None, url=None)
    )
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
    conn.execute(
        update(crm_refs)
        .where(crm_refs.c.ticket_id == ticket_id)
        .values(state="gone", customer_id=None, said=None, owner=None, url=None)
    )
    conn.execute(update(tickets).where(tickets.c.id == ticket_id).values(_TICKET))
    index_ticket(conn, ticket_id)


def _erase_rest(conn: Connection, person: Person, erasure: Erasure) -> None:
    for customer_id in [row.id for row in conn.execute(customers_of(person))]:
        conn.execute(delete(customer_words).where(customer_words.c.customer_id == customer_id))
        conn.execute(delete(customer_news).where(customer_news.c.customer_id == customer_id))
        conn.execute(delete(customers).where(customers.c.id == customer_id))
    if person.by is By.CUSTOMER:
        conn.execute(delete(number_choices).where(number_choices.c.customer_id == person.value))
        return
    conn.execute(delete(callbacks).where(callbacks.c.number == person.value))
    same = number_choices.c.number == person.value
    conn.execute(
        delete(number_choices).where(same | number_choices.c.number.startswith(f"{person.value};", autoescape=True))
    )
    stands = f"erased:{erasure.digest[:16]}"
    conn.execute(update(audit).where(audit.c.subject == person.value).values(subject=stands, detail=None))


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
