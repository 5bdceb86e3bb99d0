"""What can go wrong with the database, in one typed error whose text says what to do.

The caller's own mistakes (a wrong column, a broken constraint) are no trouble of the world and pass unchanged.
"""

from enum import StrEnum

from sqlalchemy.exc import DBAPIError, IntegrityError, ProgrammingError


class Trouble(StrEnum):
    """What kind of trouble; whether waiting helps is :attr:`passes`."""

    READ_ONLY = "read_only"
    FULL = "full"
    NOT_A_DATABASE = "not_a_database"
    CANNOT_OPEN = "cannot_open"
    BUSY = "busy"
    AWAY = "away"
    REFUSED = "refused"
    NOT_MIGRATED = "not_migrated"
    TOO_NEW = "too_new"
    BAD_ADDRESS = "bad_address"
    CONFLICT = "conflict"
    BROKEN = "broken"

    @property
    def passes(self) -> bool:
        """Whether the same work may succeed later without anybody doing anything."""
        return self in (Trouble.BUSY, Trouble.AWAY, Trouble.FULL, Trouble.CONFLICT)


class StorageError(Exception):
    """The database could not do it; nothing of the transaction was kept. The text says what to do."""

    def __init__(self, trouble: Trouble, text: str) -> None:
        super().__init__(text)
        self.trouble = trouble


class UnknownCallError(LookupError):
    """A fact, recording or transcript of a call that was never told to have arrived."""


class UnknownTicketError(LookupError):
    """There is no ticket of that id."""


_ADVICE = {
    Trouble.READ_ONLY: "the database is read-only: give the service's user the right to write the file and its folder",
    Trouble.FULL: "the disk is full: free some space; what could not be written is tried again",
    Trouble.NOT_A_DATABASE: "the file is not a hotline database: name another in [database] url or restore a backup",
    Trouble.CANNOT_OPEN: "the database file cannot be opened: its folder must exist and be writable for this user",
    Trouble.BUSY: "the database is busy: another program has held it for too long; it is tried again",
    Trouble.AWAY: "the database server does not answer: start it or mend [database] url; it is tried again",
    Trouble.REFUSED: "the database server refuses us: mend user, password or database name in [database] url",
    Trouble.NOT_MIGRATED: "the database is not of this version: run `hotline migrate`",
    Trouble.TOO_NEW: "the database was made by a newer hotline: install that version or restore a backup",
    Trouble.BAD_ADDRESS: "[database] url must look like sqlite+aiosqlite:///var/hotline.db or postgresql+asyncpg://...",
    Trouble.CONFLICT: "the database gave up one of two entangled transactions; it is tried again",
    Trouble.BROKEN: "the database reports damage or a failing disk: check the disk and restore a backup",
}

_SQLITE = (  # sqlite3 tells these apart by words only before Python 3.11's error names reach aiosqlite's wrapper
    ("readonly", Trouble.READ_ONLY),
    ("disk is full", Trouble.FULL),
    ("not a database", Trouble.NOT_A_DATABASE),
    ("unable to open", Trouble.CANNOT_OPEN),
    ("locked", Trouble.BUSY),
    ("malformed", Trouble.BROKEN),
    ("disk i/o error", Trouble.BROKEN),
    ("no such table", Trouble.NOT_MIGRATED),
    ("no such column", Trouble.NOT_MIGRATED),
)

_POSTGRESQL = {  # by SQLSTATE, else by its class
    "25006": Trouble.READ_ONLY,
    "53100": Trouble.FULL,
    "28": Trouble.REFUSED,
    "3D": Trouble.REFUSED,
    "42501": Trouble.REFUSED,
    "42P01": Trouble.NOT_MIGRATED,
    "42703": Trouble.NOT_MIGRATED,
    "40": Trouble.CONFLICT,
    "55P03": Trouble.BUSY,
    "08": Trouble.AWAY,
    "57": Trouble.AWAY,
    "53": Trouble.BUSY,
    "58": Trouble.BROKEN,
    "XX": Trouble.BROKEN,
}


def trouble(kind: Trouble, cause: object = "") -> StorageError:
    """The error of that kind, with what the database itself said behind the advice."""
    said = " ".join(str(cause).split())
    return StorageError(kind, f"{_ADVICE[kind]} ({said})" if said else _ADVICE[kind])


def explain(error: DBAPIError) -> StorageError | None:
    """What a database's refusal means for the operator; None when it is our own mistake."""
    state = getattr(error.orig, "sqlstate", None)
    if state is None:
        state = getattr(getattr(error.orig, "__cause__", None), "sqlstate", None)
    if isinstance(state, str):
        kind = _POSTGRESQL.get(state) or _POSTGRESQL.get(state[:2])
        return trouble(kind, error.orig) if kind else None
    if error.connection_invalidated:
        return trouble(Trouble.AWAY, error.orig)
    if isinstance(error, (IntegrityError, ProgrammingError)):
        return None
    words = str(error.orig).lower()
    for part, kind in _SQLITE:
        if part in words:
            return trouble(kind, error.orig)
    return None
