"""What was made of a recording's files: which copy everybody may hear, and where the original lies sealed.

A row per file. Writes no file: whoever does tells it here afterwards, so that a crash in between is repeated, not lost.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, and_, exists, insert, or_, select

from storage.account_tables import audit
from storage.audit import What
from storage.database import Database
from storage.job_tables import jobs
from storage.jobs import JobState
from storage.once import delete_by, insert_or_update
from storage.plain import plain
from storage.sound_tables import sounds
from storage.tables import calls, recordings
from telephony.call import CallKey


class Safe(StrEnum):
    """Whether somebody may hear a file who may not hear what is masked in the transcript."""

    CLEAN = "clean"  # nothing is masked while it sounds: the original may be heard
    BLEEPED = "bleeped"  # there is a copy with a tone over it
    NEVER = "never"  # the transcript is not of it, or no tone can be put over it


@dataclass(frozen=True, slots=True)
class Sound:
    """One file of a recording. ``name`` makes the recording the same one; ``leg`` is ``mix``, ``rx`` or ``tx``.

    ``safe`` was decided by the transcript of ``said``: by a later one it is not decided yet. ``removed``: when the
    plain original was deleted, as it lies sealed or nobody is to hear it.
    """

    id: int
    recording: int
    name: str
    leg: str
    said: float | None = None
    safe: Safe | None = None
    bleeped: str | None = None
    sealed: str | None = None
    key: str | None = None
    bytes: int | None = None
    removed: float | None = None


class Sounds:
    """Reads and writes those rows. All methods raise StorageError."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def of(self, call: CallKey) -> Mapping[tuple[str, str], Sound]:
        """What is known of the files of a call's recordings, by the recording's name and the leg."""
        query = (
            select(sounds, recordings.c.name).join_from(sounds, recordings).join(calls).where(calls.c.key == str(call))
        )
        async with self._db.read() as conn:
            return {(row.name, row.leg): _sound(row) for row in await conn.execute(query)}

    async def recording_id(self, call: CallKey, name: str) -> int | None:
        """The number of a recording; None when there is none of that name."""
        query = select(recordings.c.id).join_from(recordings, calls)
        async with self._db.read() as conn:
            return await conn.scalar(query.where(calls.c.key == str(call), recordings.c.name == name))

    async def decided(self, recording: int, leg: str, *, said: float, safe: Safe, bleeped: str | None) -> None:
        """Who may hear a file, by the transcript of ``said``."""
        row = {"recording_id": recording, "leg": leg, "said": said, "safe": safe.value, "bleeped": bleeped}
        await self._keep(row, ("said", "safe", "bleeped"))

    async def sealed(self, recording: int, leg: str, *, name: str, key: str, size: int) -> None:
        """Where a file lies sealed, and by which key."""
        row = {"recording_id": recording, "leg": leg, "sealed": name, "key": key, "bytes": size}
        await self._keep(row, ("sealed", "key", "bytes"))

    async def removed(
        self, call: CallKey, recording: int, legs: Collection[str], *, what: What, detail: Mapping[str, Any], now: float
    ) -> None:
        """The plain files of a recording are gone: on their rows and, once, in the audit trail."""

        def write(conn: Connection) -> None:
            known = sounds.select().where(sounds.c.recording_id == recording, sounds.c.removed.is_not(None))
            if {row.leg for row in conn.execute(known)} >= set(legs):
                return
            for leg in legs:
                row = {"recording_id": recording, "leg": leg, "removed": now}
                insert_or_update(conn, sounds, row, ("recording_id", "leg"), ("removed",))
            entry = {"at": now, "who": "policy", "what": what.value, "subject": plain(str(call), 200), "ip": None}
            conn.execute(insert(audit), {**entry, "detail": dict(detail)})

        await self._db.transact(write)

    async def forget(self, recording: int) -> None:
        """The files of a recording are gone, all of them."""

        def write(conn: Connection) -> None:
            conn.execute(delete_by(sounds, "recording_id"), {"wanted": recording})

        await self._db.transact(write)

    async def undone(
        self, *, bleeped: Collection[str], sealed: Collection[str], before: float, job: str, limit: int
    ) -> Sequence[CallKey]:
        """Calls with something left to do, the newest first: lines whose recordings are ``bleeped``, and ``sealed``.

        A recording is sealed once its call was written down, or was linked ``before`` then. Left out are calls whose
        ``job`` waits, runs, or was given up: people see it and replay it.
        """
        theirs = exists().where(
            jobs.c.kind == job, jobs.c.key == calls.c.key + f":{job}", jobs.c.state != JobState.DONE.value
        )
        known = exists().where(sounds.c.recording_id == recordings.c.id)
        undecided = and_(
            calls.c.line.in_(bleeped), calls.c.said.is_not(None), ~known.where(sounds.c.said == calls.c.said)
        )
        open_ = and_(
            calls.c.line.in_(sealed),
            or_(calls.c.said.is_not(None), recordings.c.linked < before),
            ~known.where(sounds.c.removed.is_not(None)),
        )
        query = (
            select(calls.c.key, calls.c.id)
            .distinct()
            .join_from(calls, recordings)
            .where(calls.c.ended.is_not(None), recordings.c.deleted.is_(None), ~theirs, or_(undecided, open_))
            .order_by(calls.c.id.desc())
            .limit(limit)
        )
        async with self._db.read() as conn:
            return [CallKey.parse(row.key) for row in await conn.execute(query)]

    async def sealed_files(
        self, *, but: str | None = None, after: int = 0, limit: int = 200
    ) -> Sequence[tuple[CallKey, Sound]]:
        """Sealed files, but for those that the key ``but`` sealed, by ``id`` after that."""
        query = (
            select(sounds, recordings.c.name, calls.c.key.label("call"))
            .join_from(sounds, recordings)
            .join(calls)
            .where(sounds.c.sealed.is_not(None), sounds.c.id > after)
        )
        if but is not None:
            query = query.where(sounds.c.key != but)
        async with self._db.read() as conn:
            rows = await conn.execute(query.order_by(sounds.c.id).limit(limit))
            return [(CallKey.parse(row.call), _sound(row)) for row in rows]

    async def _keep(self, row: Mapping[str, Any], renewed: Sequence[str]) -> None:
        def write(conn: Connection) -> None:
            insert_or_update(conn, sounds, row, ("recording_id", "leg"), renewed)

        await self._db.transact(write)


def _sound(row: Row[Any]) -> Sound:
    return Sound(
        id=row.id,
        recording=row.recording_id,
        name=row.name,
        leg=row.leg,
        said=row.said,
        safe=None if row.safe is None else Safe(row.safe),
        bleeped=row.bleeped,
        sealed=row.sealed,
        key=row.key,
        bytes=row.bytes,
        removed=row.removed,
    )
