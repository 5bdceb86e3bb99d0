"""Brings a database to this version. Runs at every start; does nothing when there is nothing to do.

Two services that start on one PostgreSQL at once take turns; on SQLite the transaction is IMMEDIATE. A migration is
one transaction on both: it happens whole or not at all.
"""

import asyncio
import threading
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import Connection

from storage.database import Database, sqlite_file
from storage.once import take_turn
from storage.trouble import Trouble, trouble

SCRIPTS = Path(__file__).parent / "migrations"


def head() -> str:
    """The version this program works with."""
    found = ScriptDirectory.from_config(_config()).get_current_head()
    assert found is not None
    return found


_TURN = threading.Lock()


def known() -> frozenset[str]:
    """Every version this program can bring to its own."""
    return frozenset(found.revision for found in ScriptDirectory.from_config(_config()).walk_revisions())


async def current(db: Database) -> str | None:
    """The version of a database, None for an empty one. Raises StorageError."""
    async with db.read() as conn:
        return await conn.run_sync(_version)


async def check(db: Database) -> None:
    """Raises StorageError, NOT_MIGRATED, unless the database is of this version; makes nothing."""
    file = sqlite_file(db.url)
    if file is not None and not file.exists():
        raise trouble(Trouble.NOT_MIGRATED, f"there is no {file} yet")
    found = await current(db)
    if found != head():
        raise trouble(Trouble.NOT_MIGRATED, f"it is at version {found or 'nothing'}, this is {head()}")


async def upgrade(url: str) -> tuple[str | None, str]:
    """Bring the database to this version, making the SQLite file where there is none; (before, after).

    Raises StorageError, TOO_NEW when a newer program made it.
    """
    file = sqlite_file(url)
    if file is not None:
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise trouble(Trouble.CANNOT_OPEN, error) from error
    return await asyncio.to_thread(_alone, url)


def _alone(url: str) -> tuple[str | None, str]:
    """One at a time in a process, each on a loop of its own: what Alembic's scripts work on is one for all threads."""
    with _TURN:
        return asyncio.run(_bring(url))


async def _bring(url: str) -> tuple[str | None, str]:
    db = Database.open(url)
    try:
        async with db.write() as conn:
            await conn.run_sync(take_turn, ["hotline migration"])
            before = await conn.run_sync(_version)
            if before != head():
                await conn.run_sync(_upgrade)
    finally:
        await db.close()
    return before, head()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _version(conn: Connection) -> str | None:
    return MigrationContext.configure(conn).get_current_revision()


def _upgrade(conn: Connection) -> None:
    config = _config()
    config.attributes["connection"] = conn
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise trouble(Trouble.TOO_NEW, error) from error
