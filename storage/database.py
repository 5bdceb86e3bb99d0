"""The database: one transaction at a time on SQLite, many on PostgreSQL, the same calls for both.

SQLite: write-ahead log, ``synchronous=FULL`` (NORMAL may lose the last commits when the power goes), foreign keys on;
one writer at a time, behind a lock of ours so that coroutines queue up in order and not by SQLite's polling; readers
beside it, on connections that cannot write. PostgreSQL: a pool, READ COMMITTED.
"""

import asyncio
import sqlite3
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self

from sqlalchemy import event
from sqlalchemy.engine import URL, Connection, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from storage.trouble import StorageError, Trouble, explain, trouble

READERS = 4
SERVER_CONNECTIONS = 16
BUSY_MS = 10_000  # another process (a backup, `hotline import`) may hold the file for a moment


class Database:
    """An open database. Made by :meth:`open`."""

    def __init__(self, url: URL, writer: AsyncEngine, reader: AsyncEngine) -> None:
        self.url = url
        self.sqlite = url.get_backend_name() == "sqlite"
        self._writer = writer
        self._reader = reader
        self._turn = asyncio.Lock()

    @classmethod
    def open(cls, url: str | URL) -> Self:
        """Get ready to connect to ``url``; nothing is opened yet. Raises StorageError for an address we cannot use."""
        parsed = address(url)
        if parsed.get_backend_name() == "sqlite":
            writer = create_async_engine(parsed, pool_size=1, max_overflow=0, pool_timeout=None)
            reader = create_async_engine(parsed, pool_size=READERS, max_overflow=0, pool_timeout=None)
            for engine, begin, read_only in ((writer, "BEGIN IMMEDIATE", False), (reader, "BEGIN", True)):
                _tune_sqlite(engine, begin, read_only=read_only)
            return cls(parsed, writer, reader)
        engine = create_async_engine(
            parsed, pool_size=SERVER_CONNECTIONS, max_overflow=0, pool_pre_ping=True, isolation_level="READ COMMITTED"
        )
        return cls(parsed, engine, engine)

    @asynccontextmanager
    async def write(self) -> AsyncGenerator[AsyncConnection]:
        """One transaction: committed when the block ends, undone when it raises. Raises StorageError.

        Do not open a second one inside it: on SQLite that would wait for itself.
        """
        if self.sqlite:
            async with self._turn, _transaction(self._writer) as conn:
                yield conn
        else:
            async with _transaction(self._writer) as conn:
                yield conn

    @asynccontextmanager
    async def read(self) -> AsyncGenerator[AsyncConnection]:
        """One consistent look on SQLite, one connection on PostgreSQL. Raises StorageError."""
        async with _transaction(self._reader) as conn:
            yield conn

    async def close(self) -> None:
        """Close every connection. SQLite folds its log back into the file with the last one."""
        await self._reader.dispose()
        await self._writer.dispose()


def address(url: str | URL) -> URL:
    """The parsed address; StorageError when it is neither a SQLite file nor PostgreSQL through asyncpg."""
    try:
        parsed = make_url(url)
        parsed.get_dialect()
    except (ArgumentError, NoSuchModuleError) as error:
        raise trouble(Trouble.BAD_ADDRESS, error) from error
    if parsed.drivername == "postgresql+asyncpg":
        return parsed
    # In memory every connection would see a database of its own.
    if parsed.drivername == "sqlite+aiosqlite" and parsed.database not in (None, "", ":memory:"):
        return parsed
    raise trouble(Trouble.BAD_ADDRESS, parsed.render_as_string())


def sqlite_file(url: str | URL) -> Path | None:
    """The file behind a SQLite address, None for a server."""
    parsed = address(url)
    return Path(parsed.database) if parsed.get_backend_name() == "sqlite" and parsed.database else None


def _tune_sqlite(engine: AsyncEngine, begin: str, *, read_only: bool) -> None:
    """Our own BEGIN instead of the driver's, which begins late and never IMMEDIATE."""

    def on_connect(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout={BUSY_MS}")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute("PRAGMA synchronous=FULL")
        if read_only:
            cursor.execute("PRAGMA query_only=ON")
        else:
            cursor.execute("PRAGMA journal_mode=WAL")
        cursor.close()

    def on_begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    event.listen(engine.sync_engine, "connect", on_connect)
    event.listen(engine.sync_engine, "begin", on_begin)


@asynccontextmanager
async def _transaction(engine: AsyncEngine) -> AsyncGenerator[AsyncConnection]:
    """A transaction whose troubles of the world come out as StorageError."""
    connection = engine.connect()
    try:
        await connection.start()
    except DBAPIError as error:
        raise explain(error) or error from error
    except sqlite3.Error as error:  # from the PRAGMAs of on_connect, which SQLAlchemy does not wrap
        raise explain(DBAPIError("PRAGMA", None, error)) or error from error
    except (OSError, TimeoutError) as error:  # asyncpg's, before there is a connection
        raise trouble(Trouble.AWAY, error) from error
    try:
        async with connection.begin():
            yield connection
    except DBAPIError as error:
        found = explain(error)
        if found is None:
            raise
        raise found from error
    finally:
        await connection.close()


__all__ = ["Database", "StorageError", "address", "sqlite_file"]
