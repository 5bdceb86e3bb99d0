"""The database: one transaction at a time on SQLite, many on PostgreSQL, the same calls for both.

SQLite: write-ahead log, ``synchronous=FULL`` (NORMAL may lose the last commits when the power goes), foreign keys on;
one writer at a time, behind a lock of ours so that coroutines queue up in order and not by SQLite's polling; readers
beside it, on connections that cannot write. PostgreSQL: a pool, READ COMMITTED.

What is done often (facts, jobs) goes through :meth:`Database.transact`, and what somebody waits for with a telephone in
the hand through :meth:`Database.look`: there SQLite runs a whole transaction in one thread at one go, instead of
handing every statement to a thread and back, three times the cost of the statement.
"""

import asyncio
import sqlite3
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self, TypeVar

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import URL, Connection, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, DisconnectionError, NoSuchModuleError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from storage.trouble import StorageError, Trouble, explain, trouble

T = TypeVar("T")

READERS = 4
SERVER_CONNECTIONS = 16
CONNECT_S = 10.0
CONFLICTS = 3  # entangled transactions are begun anew so often before the caller hears of it
BUSY_MS = 10_000  # another process (a backup, `hotline import`) may hold the file for a moment


class Database:
    """An open database. Made by :meth:`open`."""

    def __init__(
        self, url: URL, writer: AsyncEngine, reader: AsyncEngine, direct: Engine | None, looker: Engine | None = None
    ) -> None:
        self.url = url
        self.sqlite = url.get_backend_name() == "sqlite"
        self._writer = writer
        self._reader = reader
        self._direct = direct
        self._thread = ThreadPoolExecutor(1, "sqlite") if direct is not None else None
        self._looker = looker
        self._threads = ThreadPoolExecutor(READERS, "sqlite-look") if looker is not None else None
        self._turn = asyncio.Lock()

    @classmethod
    def open(cls, url: str | URL) -> Self:
        """Get ready to connect to ``url``; nothing is opened yet. Raises StorageError for an address we cannot use."""
        parsed = address(url)
        if parsed.get_backend_name() == "sqlite":
            writer = create_async_engine(parsed, pool_size=1, max_overflow=0, pool_timeout=None)
            reader = create_async_engine(parsed, pool_size=READERS, max_overflow=0, pool_timeout=None)
            direct = create_engine(parsed.set(drivername="sqlite+pysqlite"), pool_size=1, max_overflow=0)
            looker = create_engine(parsed.set(drivername="sqlite+pysqlite"), pool_size=READERS, max_overflow=0)
            for tuned in (writer.sync_engine, direct):
                _tune_sqlite(tuned, "BEGIN IMMEDIATE", read_only=False)
            for tuned in (reader.sync_engine, looker):
                _tune_sqlite(tuned, "BEGIN", read_only=True)
            return cls(parsed, writer, reader, direct, looker)
        engine = create_async_engine(
            parsed,
            pool_size=SERVER_CONNECTIONS,
            max_overflow=0,
            isolation_level="READ COMMITTED",
            pool_timeout=CONNECT_S,
            connect_args={"timeout": CONNECT_S},
        )
        event.listen(engine.sync_engine, "checkout", _refuse_closed)
        return cls(parsed, engine, engine, None)

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

    async def transact(self, work: Callable[[Connection], T]) -> T:
        """Run ``work`` in one transaction, as :meth:`write` does; it may be run again when the database gave it up.

        ``work`` is plain code on a plain connection: on SQLite it runs in the writer's thread, so it must not touch
        what belongs to the event loop. Cancelled, this still waits until the transaction is over.
        """
        if self._direct is not None and self._thread is not None:
            async with self._turn:
                return await _whole(self._thread, self._direct, work)
        for _ in range(CONFLICTS):
            try:
                async with self.write() as conn:
                    return await conn.run_sync(work)
            except StorageError as error:
                if error.trouble is not Trouble.CONFLICT:
                    raise
        async with self.write() as conn:
            return await conn.run_sync(work)

    @asynccontextmanager
    async def read(self) -> AsyncGenerator[AsyncConnection]:
        """One consistent look on SQLite, one connection on PostgreSQL. Raises StorageError."""
        async with _transaction(self._reader) as conn:
            yield conn

    async def look(self, work: Callable[[Connection], T]) -> T:
        """Run ``work`` in what :meth:`read` gives, as :meth:`transact` does: plain code, on SQLite in a thread."""
        if self._looker is not None and self._threads is not None:
            return await _whole(self._threads, self._looker, work)
        async with self.read() as conn:
            return await conn.run_sync(work)

    async def close(self) -> None:
        """Close every connection. SQLite folds its log back into the file with the last one."""
        if self._looker is not None and self._threads is not None:
            await asyncio.get_running_loop().run_in_executor(self._threads, self._looker.dispose)
            self._threads.shutdown()
        if self._direct is not None and self._thread is not None:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._direct.dispose)
            self._thread.shutdown()
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


def _refuse_closed(connection: Any, _record: object, _proxy: object) -> None:
    """Have the pool replace a connection that the server closed. Asking the server each time costs three answers."""
    if connection.driver_connection.is_closed():
        raise DisconnectionError


def _tune_sqlite(engine: Engine, begin: str, *, read_only: bool) -> None:
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

    event.listen(engine, "connect", on_connect)
    event.listen(engine, "begin", on_begin)


async def _whole(threads: ThreadPoolExecutor, engine: Engine, work: Callable[[Connection], T]) -> T:
    """A whole transaction in a thread, waited for even when nobody wants it any more: its connection is in use."""
    ran = asyncio.get_running_loop().run_in_executor(threads, _in_thread, engine, work)
    try:
        return await asyncio.shield(ran)
    except asyncio.CancelledError:
        await asyncio.wait({ran})
        raise


def _in_thread(engine: Engine, work: Callable[[Connection], T]) -> T:
    """A whole transaction, in the thread that calls."""
    try:
        with engine.begin() as conn:
            return work(conn)
    except DBAPIError as error:
        raise explain(error) or error from error
    except sqlite3.Error as error:
        raise _of_pragma(error) from error


def _of_pragma(error: sqlite3.Error) -> Exception:
    """What an error means that comes from the PRAGMAs of a new connection, which SQLAlchemy does not wrap."""
    return explain(DBAPIError("PRAGMA", None, error)) or error


@asynccontextmanager
async def _transaction(engine: AsyncEngine) -> AsyncGenerator[AsyncConnection]:
    """A transaction whose troubles of the world come out as StorageError."""
    connection = engine.connect()
    try:
        await connection.start()
    except DBAPIError as error:
        raise explain(error) or error from error
    except sqlite3.Error as error:
        raise _of_pragma(error) from error
    except (OSError, TimeoutError) as error:  # asyncpg's, before there is a connection
        raise trouble(Trouble.AWAY, error) from error
    except PoolTimeoutError as error:
        raise trouble(Trouble.BUSY, error) from error
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
