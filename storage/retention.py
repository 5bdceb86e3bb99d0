"""Recordings whose time is over, and what stays of them once their sound is deleted.

That there was a recording, how long it was and when it was deleted stays on the call, and every deletion is in the
audit trail. Deletes no file: whoever does tells it here afterwards, so that a crash in between is repeated, not lost.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, insert, select, update

from storage.account_tables import audit
from storage.audit import What
from storage.call_rows import as_recording
from storage.database import Database
from storage.metadata import Moment
from storage.plain import plain
from storage.records import RecordingRow
from storage.tables import calls, recordings
from telephony.call import CallKey

_DELETED = (
    update(recordings)
    .where(recordings.c.id == bindparam("the_id"), recordings.c.deleted.is_(None))
    .values(deleted=bindparam("now", type_=Moment))
)


@dataclass(frozen=True, slots=True)
class Due:
    """A recording older than its line keeps them. ``arrived``: the call's arrival, epoch seconds."""

    id: int
    call: CallKey
    arrived: float
    recording: RecordingRow


class Retention:
    """Reads what is due and writes what was deleted. All methods raise StorageError."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def due(self, line: str, before: float, *, after: int = 0, limit: int = 200) -> Sequence[Due]:
        """Recordings of a line's calls that arrived before then and still have their sound, by ``id`` after that."""
        query = (
            select(recordings, calls.c.key.label("call"), calls.c.arrived)
            .join_from(recordings, calls)
            .where(calls.c.line == line, calls.c.arrived < before, calls.c.ended.is_not(None))
            .where(recordings.c.deleted.is_(None), recordings.c.id > after)
        )
        async with self._db.read() as conn:
            rows = await conn.execute(query.order_by(recordings.c.id).limit(limit))
            return [Due(row.id, CallKey.parse(row.call), row.arrived, as_recording(row)) for row in rows]

    async def deleted(self, due: Due, *, who: str, why: str, now: float) -> bool:
        """A recording's sound is gone: on the call and in the audit trail, in one transaction. False: known already."""
        names = [name for name in (due.recording.mix, due.recording.rx, due.recording.tx) if name is not None]

        def write(conn: Connection) -> bool:
            if not conn.execute(_DELETED, {"the_id": due.id, "now": now}).rowcount:
                return False
            row = {
                "at": now,
                "who": plain(who, 64),
                "what": What.RECORDING_DELETED.value,
                "subject": plain(str(due.call), 200),
                "detail": {"files": names, "kind": due.recording.kind.value, "why": why},
                "ip": None,
            }
            conn.execute(insert(audit), row)
            return True

        return await self._db.transact(write)
