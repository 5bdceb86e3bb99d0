"""Reads a PBX's call records where Asterisk keeps them in a database: FreePBX, Issabel, cdr_adaptive_odbc, cdr_pgsql.

One of two readers of other people's databases, so the only SQL outside storage. It only ever selects: the connection is
read-only (SQLite ``mode=ro``, PostgreSQL and MySQL ``READ ONLY``), every value is a parameter, names of tables and
columns come from the configuration and are quoted, and a question that takes too long is given up.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

import structlog
from sqlalchemy import ColumnClause, Select, column, literal, or_, select, table
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from telephony.cdr_rows import ALIASES, NEEDED, Row, from_table, hours_off, written

log = structlog.get_logger()

MOST_ROWS = 50_000  # of one question
_DRIVERS = {
    "postgres": "postgresql+asyncpg",
    "postgresql": "postgresql+asyncpg",
    "mysql": "mysql+aiomysql",
    "mariadb": "mysql+aiomysql",
    "sqlite": "sqlite+aiosqlite",
}


class RecordsError(Exception):
    """The call records cannot be read; the text says why and what to do."""


class Records(Protocol):
    """A PBX's call records."""

    async def rows(self, since: float, call: str | None = None) -> Sequence[Row]:
        """The rows of what began at ``since`` (epoch seconds) or later, in any order; of one call (its Uniqueid) only.

        Of one call there may be rows of others beside it. Raises RecordsError.
        """
        ...


def fits(where: str, rows: Iterable[Row | None]) -> None:
    """RecordsError when the times of these rows are not of the zone that is configured: nothing would be found."""
    off = hours_off(row for row in rows if row is not None)
    if off is not None:
        advice = "set timezone in [pbx.cdr] to the PBX's, UTC with usegmtime = yes"
        raise RecordsError(f"{where}: its times are {off:+g} h off: {advice}")


class TableRecords:
    """A table of call records. ``columns``: ours (:data:`telephony.cdr_rows.ALIASES`) -> the table's, where unusual.

    ``zone``: of times without one. ``timeout``: seconds for one question. Raises RecordsError for an address of no
    database we know.
    """

    def __init__(self, url: str, name: str, columns: Mapping[str, str], zone: tzinfo, timeout: float = 15.0) -> None:
        self._columns, self._zone, self._timeout = dict(columns), zone, timeout
        strange = sorted(columns.keys() - ALIASES.keys())
        if strange:
            raise RecordsError(f"columns: {', '.join(strange)} is none of {', '.join(ALIASES)}")
        schema, _, bare = name.rpartition(".")
        self._name, self._schema = bare, schema or None
        self._url = _address(url)
        self._engine = _engine(self._url, timeout)
        self._where = f"table {name} in {self._url.render_as_string(hide_password=True)}"

    async def rows(self, since: float, call: str | None = None) -> Sequence[Row]:
        """As :meth:`Records.rows`."""
        if self._url.get_backend_name() == "sqlite" and not await asyncio.to_thread(Path(_file(self._url)).exists):
            raise RecordsError(f"{self._where}: there is no such file")
        try:
            async with asyncio.timeout(self._timeout), self._engine.connect() as conn:
                return await self._rows(conn, since, call)
        except TimeoutError as error:
            raise RecordsError(
                f"{self._where}: no answer within {self._timeout:g} s; is there an index on its time?"
            ) from error
        except (SQLAlchemyError, OSError) as error:
            raise RecordsError(f"{self._where} cannot be read: {getattr(error, 'orig', None) or error}") from error

    async def _rows(self, conn: AsyncConnection, since: float, call: str | None) -> list[Row]:
        await _bound(conn, self._timeout)
        there = (await conn.execute(select(_everything()).select_from(self._table()).limit(1))).mappings()
        example = there.first()
        names = self._names(list(there.keys()))
        if example is None:
            return []
        fits(self._where, [from_table({ours: example[name] for ours, name in names.items()}, self._zone)])
        query = self._query(names, _as_there(example[names["start"]], since, self._zone), call)
        rows = (await conn.execute(query)).mappings().all()
        if len(rows) == MOST_ROWS:
            log.warning("call records are read back only so far", where=self._where, rows=MOST_ROWS)
        return [row for values in rows if (row := from_table(values, self._zone)) is not None]

    def _table(self, *columns: Any) -> Any:
        return table(self._name, *columns, schema=self._schema)

    def _names(self, there: Sequence[str]) -> dict[str, str]:
        """Which of our columns are there, and what they are called. RecordsError when one we need is not."""
        known = {name.lower(): name for name in there}
        names = {}
        for ours, usual in ALIASES.items():
            wanted = (self._columns[ours],) if ours in self._columns else usual
            found = next((known[name.lower()] for name in wanted if name.lower() in known), None)
            if found is not None:
                names[ours] = found
            elif ours in NEEDED or ours in self._columns:
                raise RecordsError(f"{self._where} has no column {' or '.join(wanted)}; name it in columns.{ours}")
        return names

    def _query(self, names: Mapping[str, str], since: Any, call: str | None) -> Select[Any]:
        columns: dict[str, ColumnClause[Any]] = {ours: column(theirs) for ours, theirs in names.items()}
        there = self._table(*columns.values())
        wanted = [there.c[columns[ours].name].label(ours) for ours in names]
        start = there.c[names["start"]]
        query = select(*wanted).where(start >= literal(since)).order_by(start.desc()).limit(MOST_ROWS)
        if call is None:
            return query
        same = [there.c[names["uniqueid"]] == call]
        if "linkedid" in names:
            same.append(there.c[names["linkedid"]] == call)
        else:  # the other halves of Local pairs cannot be told to belong to it
            same.append(there.c[names["channel"]].like("Local/%"))
        return query.where(or_(*same))


def _everything() -> Any:
    """Every column: which there are is seen from the answer."""
    return column("*", is_literal=True)


def _as_there(example: object, moment: float, zone: tzinfo) -> Any:
    """A moment in the type that the table's time column has, for the database to compare."""
    if isinstance(example, datetime):
        return written(moment, zone) if example.tzinfo is None else datetime.fromtimestamp(moment, UTC)
    if isinstance(example, int | float):
        return int(moment)
    return written(moment, zone).isoformat(" ", "seconds")


def _address(url: str) -> URL:
    """The parsed address, with the driver we have for it."""
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise RecordsError(f"the address of the call records is none: {error}") from error
    return parsed.set(drivername=_DRIVERS.get(parsed.drivername, parsed.drivername))


def _file(url: URL) -> str:
    if not url.database or url.database == ":memory:":
        raise RecordsError("the address of the call records names no file")
    return url.database


def _engine(url: URL, limit: float) -> AsyncEngine:
    more: dict[str, Any] = {}
    try:
        backend = url.get_backend_name()
        if backend == "sqlite":  # neither makes nor changes the file
            url = make_url(f"sqlite+aiosqlite:///file:{quote(_file(url))}?mode=ro&uri=true")
        elif backend == "postgresql":
            settings = {"default_transaction_read_only": "on", "statement_timeout": str(int(limit * 1000))}
            more = {"timeout": limit, "server_settings": settings}
        elif backend == "mysql":
            more = {"connect_timeout": limit, "init_command": "SET SESSION TRANSACTION READ ONLY"}
        return create_async_engine(url, poolclass=NullPool, connect_args=more)
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as error:
        raise RecordsError(f"no way to read call records from {url.drivername}: {error}") from error


async def _bound(conn: AsyncConnection, limit: float) -> None:
    """What an address cannot say: SQLite reads only, MySQL and MariaDB give a question up by themselves."""
    if conn.dialect.name == "sqlite":
        await conn.exec_driver_sql("PRAGMA query_only=ON")
    elif getattr(conn.dialect, "is_mariadb", False):
        await conn.exec_driver_sql(f"SET SESSION max_statement_time = {limit:.3f}")
    elif conn.dialect.name == "mysql":
        await conn.exec_driver_sql(f"SET SESSION max_execution_time = {int(limit * 1000)}")
