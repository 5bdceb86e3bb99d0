"""SQLite, for the direct SQL connector: a file opened read-only, each session in a thread of its own."""

import asyncio
import re
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

from crm.sql_advice import FEW, Scan, tables_of
from crm.sql_session import First, Row, Values
from crm.sql_settings import Access
from crm.sql_statement import Statement
from crm.trouble import AuthError, CrmError, InvalidError, TransientError

T = TypeVar("T")

_SCAN = re.compile(r"SCAN (?:TABLE \w+ AS )?(\w+)")
_LEAST = -(1 << 63)
_TRANSIENT = {
    sqlite3.SQLITE_BUSY: "somebody has locked it",
    sqlite3.SQLITE_LOCKED: "somebody has locked it",
    sqlite3.SQLITE_INTERRUPT: "given up as too slow",
    sqlite3.SQLITE_CANTOPEN: "is the file there?",
    sqlite3.SQLITE_IOERR: "it cannot be read",
    sqlite3.SQLITE_NOMEM: "no memory",
    sqlite3.SQLITE_PROTOCOL: "it cannot be locked",
}


async def open_session(access: Access, base: Path) -> "Session":
    """A session in which nothing can be written. ``base``: where a relative address begins. Raises CrmError."""
    session = Session(base / access.where.name, access.zone)
    try:
        await session.start(access.limit, access.init)
    except BaseException:
        session.drop()
        raise
    return session


class Session:
    """See :class:`crm.sql_session.Session`."""

    version = f"SQLite {sqlite3.sqlite_version}"

    def __init__(self, file: Path, zone: tzinfo) -> None:
        self._file, self._zone = file, zone
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="crm-sqlite")
        self._connection: sqlite3.Connection | None = None

    async def start(self, limit: float, init: Sequence[str]) -> None:
        """Open the file. A lock is waited for a little less long than a question may take."""

        def opens() -> None:
            uri = f"file:{quote(str(self._file))}?mode=ro"
            connection = sqlite3.connect(
                uri,
                uri=True,
                isolation_level=None,
                check_same_thread=False,
                timeout=limit * 0.8,
                cached_statements=0,  # a kept EXPLAIN tells what was
            )
            self._connection = connection
            connection.text_factory = lambda data: data.decode("utf-8", "replace")
            for statement in (*init, "PRAGMA query_only=ON"):
                connection.execute(statement)
            connection.execute("SELECT count(*) FROM sqlite_master")

        await self._do(str(self._file), opens)

    async def rows(self, statement: Statement, values: Values) -> Sequence[Row]:
        """Ask, in the thread."""
        _, found = await self._ask(statement, statement.text, values)
        return found

    async def columns(self, statement: Statement, values: Values) -> Sequence[tuple[str, str]]:
        """By asking for no rows. It has no types to tell."""
        names, _ = await self._ask(statement, statement.within("SELECT * FROM {} LIMIT 0").text, values)
        return [(name, "") for name in names]

    async def scans(self, statement: Statement, values: Values) -> Sequence[Scan]:
        """By its plan. A question before it has SQLite see a new index, which an EXPLAIN alone overlooks."""
        await self.rows(Statement("scan", "SELECT count(*) FROM sqlite_master"), {})
        _, plan = await self._ask(statement, f"EXPLAIN QUERY PLAN {statement.text}", values)
        tables = tables_of(statement)
        aliases = [found[1] for row in plan if (found := _SCAN.match(row["detail"]))]
        return [await self._scan(alias, tables[alias.lower()]) for alias in aliases if alias.lower() in tables]

    async def _scan(self, alias: str, table: str) -> Scan:
        few = Statement("scan", f"SELECT count(*) AS rows FROM (SELECT 1 FROM {table} LIMIT {FEW})")  # noqa: S608
        [row] = await self.rows(few, {})
        return Scan(table, alias, row["rows"] if row["rows"] < FEW else None)

    async def now(self) -> None:
        """It has none: whoever writes into the file stamps with the machine's."""

    def drop(self) -> None:
        """The question under way is broken off; the file is closed behind it, in its thread."""
        if self._connection is not None:
            self._connection.interrupt()
            self._thread.submit(self._connection.close)
            self._connection = None
        self._thread.shutdown(wait=False)

    async def _ask(self, statement: Statement, text: str, values: Values) -> tuple[list[str], list[dict[str, Any]]]:
        given = {name: _as(values[name], self._zone) for name in statement.placeholders}

        def asks() -> tuple[list[str], list[dict[str, Any]]]:
            assert self._connection is not None
            cursor = self._connection.execute(text, given)
            names = [each[0] for each in cursor.description]
            return names, [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

        return await self._do(statement.name, asks)

    async def _do(self, what: str, work: Callable[[], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except sqlite3.Error as error:
            raise _trouble(what, error) from error


def _as(value: Any, zone: tzinfo) -> Any:
    """A value of ours; an id that is a number as one: SQLite compares by type where a column tells none."""
    if isinstance(value, First):
        return _LEAST
    if isinstance(value, datetime):
        return value.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, str) and value.isdecimal() and value.isascii() and str(number := int(value)) == value:
        return number if number < -_LEAST else value
    return value


def _trouble(what: str, error: sqlite3.Error) -> CrmError:
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    said = f"SQL {what}: {error}"
    if code in _TRANSIENT:
        return TransientError(f"{said}: {_TRANSIENT[code]}")
    if code in (sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH):
        return AuthError(said)
    if code == sqlite3.SQLITE_READONLY:
        return InvalidError(f"{said}: nothing is written into this database", what)
    return InvalidError(f"{said}; was the CRM upgraded? mend the statement", what)
