"""Who looked at what, and who changed whose rights. Rows are added and read, never changed or removed."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import insert, select

from storage.account_tables import audit
from storage.database import Database
from storage.plain import plain


class What(StrEnum):
    """What was done. The subject is a call key, ticket number or login."""

    LISTENED = "listened"
    DOWNLOADED = "downloaded"
    LOOKED = "looked"
    LOGGED_IN = "logged_in"
    LOGGED_OUT = "logged_out"
    LOGIN_REFUSED = "login_refused"
    SESSION_ENDED = "session_ended"  # by hand, from the account's page
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - a word
    CODE_REFUSED = "code_refused"  # the password was right, the second factor not
    SECOND_FACTOR_SET = "second_factor_set"
    SECOND_FACTOR_REMOVED = "second_factor_removed"
    RECOVERY_CODES_MADE = "recovery_codes_made"
    RECOVERY_CODE_USED = "recovery_code_used"
    IDENTITY_LINKED = "identity_linked"  # the account of an identity provider is this user's from now on
    USER_ADDED = "user_added"
    USER_CHANGED = "user_changed"
    USER_REMOVED = "user_removed"
    PROGRAM_ADDED = "program_added"  # a token was made
    PROGRAM_REMOVED = "program_removed"
    EXPORTED = "exported"
    JOB_REPLAYED = "job_replayed"
    RECORDING_DELETED = "recording_deleted"
    RECORDING_SEALED = "recording_sealed"  # the original lies encrypted, the plain file is gone
    RECORDING_DROPPED = "recording_dropped"  # only the bleeped copy is left
    RECORDING_OPENED = "recording_opened"  # a sealed original was written out in the clear
    SEATED = "seated"  # at another phone; the subject is the login
    SHOWN = "shown"  # a number that a list masks, or a page with one
    PERSON_EXPORTED = "person_exported"  # what is kept of one person; the subject is a digest of the number
    PERSON_ERASED = "person_erased"
    DIALLED = "dialled"  # a number was called from a phone; the subject is the number


_token: ContextVar[str | None] = ContextVar("token", default=None)


@contextmanager
def by_token(name: str) -> Iterator[None]:
    """What is done inside is done by a program with somebody's token: each entry's detail names it."""
    before = _token.set(name)
    try:
        yield
    finally:
        _token.reset(before)


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One entry. ``who`` is a login, or ``cli:USER`` for the command line. ``at`` in epoch seconds."""

    id: int
    at: float
    who: str
    what: What
    subject: str
    detail: Mapping[str, Any] | None
    ip: str | None


class Audit:
    """The audit trail. All methods raise StorageError."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def add(
        self,
        who: str,
        what: What,
        subject: str,
        now: float,
        detail: Mapping[str, Any] | None = None,
        *,
        ip: str | None = None,
    ) -> None:
        """Add an entry."""
        if (token := _token.get()) is not None:
            detail = {**(detail or {}), "token": token}
        row = {
            "at": now,
            "who": plain(who, 64),
            "what": what.value,
            "subject": plain(subject, 200),
            "detail": None if detail is None else dict(detail),
            "ip": plain(ip, 64),
        }
        async with self._db.write() as conn:
            await conn.execute(insert(audit).values(row))

    async def rows(
        self,
        *,
        who: str | None = None,
        what: What | None = None,
        subject: str | None = None,
        since: float | None = None,
        until: float | None = None,
        below: int | None = None,
        limit: int = 100,
    ) -> Sequence[AuditRow]:
        """Entries, newest first; ``below`` the last id of the page before."""
        query = select(audit).order_by(audit.c.id.desc()).limit(limit)
        for column, wanted in ((audit.c.who, who), (audit.c.what, what and what.value), (audit.c.subject, subject)):
            if wanted is not None:
                query = query.where(column == wanted)
        if since is not None:
            query = query.where(audit.c.at >= since)
        if until is not None:
            query = query.where(audit.c.at < until)
        if below is not None:
            query = query.where(audit.c.id < below)
        async with self._db.read() as conn:
            return [
                AuditRow(row.id, row.at, row.who, What(row.what), row.subject, row.detail, row.ip)
                for row in await conn.execute(query)
            ]
