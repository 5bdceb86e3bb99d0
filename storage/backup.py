"""A copy of a SQLite database while the service runs on it, and such a copy put back while none does.

A server's own tools do the same for PostgreSQL, better than we could.
"""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from storage.migrate import known
from storage.trouble import Trouble, trouble

PAGES = 2048  # a step: others may write between two of them

Progress = Callable[[int, int], None]


def save(database: Path, copy: Path, progress: Progress) -> str:
    """Copy the database as it stands at one moment into a new file; its version. Raises StorageError.

    ``progress(done, of)`` hears of every few thousand pages. The copy appears under its name when it is whole.
    """
    if not database.is_file():
        raise trouble(Trouble.CANNOT_OPEN, f"there is no {database}")
    part = copy.with_name(f"{copy.name}.part")
    with _whole_or_not_at_all(part, Trouble.BROKEN):
        with closing(_read_only(database)) as source, closing(sqlite3.connect(part)) as target:
            source.backup(target, pages=PAGES, progress=lambda _, left, pages: progress(pages - left, pages))
            version = _version(target)
        part.replace(copy)
    return version


def put_back(copy: Path, database: Path, aside: Path) -> str:
    """Make the copy the database; what was there is kept at ``aside``. The copy's version. Raises StorageError.

    Refused while anybody has the database open, and for a copy that is damaged or of a newer program.
    """
    if not copy.is_file():
        raise trouble(Trouble.CANNOT_OPEN, f"there is no {copy}")
    part = database.with_name(f"{database.name}.part")
    with _whole_or_not_at_all(part, Trouble.NOT_A_DATABASE):
        with closing(_read_only(copy)) as source:
            version = _version(source)
            found = source.execute("PRAGMA quick_check").fetchone()[0]
            if found != "ok":
                raise trouble(Trouble.BROKEN, f"{copy}: {found}")
            database.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(part)) as target:
                source.backup(target)
        if database.exists():
            _alone(database)
            os.link(database, aside)
        part.replace(database)
    return version


@contextmanager
def _whole_or_not_at_all(part: Path, what: Trouble) -> Iterator[None]:
    """Leaves nothing half written, whatever happens. ``what`` it means when SQLite refuses."""
    try:
        yield
    except sqlite3.Error as error:
        raise trouble(what, error) from error
    except OSError as error:
        raise trouble(Trouble.CANNOT_OPEN, error) from error
    finally:
        part.unlink(missing_ok=True)


def _read_only(file: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)


def _version(conn: sqlite3.Connection) -> str:
    row = conn.execute("SELECT version_num FROM alembic_version").fetchone()
    if row is None:
        raise trouble(Trouble.NOT_A_DATABASE)
    if row[0] not in known():
        raise trouble(Trouble.TOO_NEW, f"version {row[0]}")
    return str(row[0])


def _alone(database: Path) -> None:
    """Take the write-ahead log into the file; refused while another connection is there, as SQLite must be alone."""
    with closing(sqlite3.connect(database, timeout=1.0)) as conn:
        try:
            conn.execute("PRAGMA journal_mode=DELETE")
        except sqlite3.OperationalError as error:
            raise trouble(Trouble.BUSY, "stop the service first") from error


def rewrite(database: Path) -> None:
    """Write a SQLite file anew, without what was deleted; others wait meanwhile. Raises StorageError."""
    try:
        with closing(sqlite3.connect(database, timeout=60, isolation_level=None)) as there:
            there.execute("VACUUM")
            there.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.Error as error:
        raise trouble(Trouble.BUSY, error) from error
