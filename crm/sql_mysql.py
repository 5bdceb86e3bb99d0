"""MySQL and MariaDB, for the direct SQL connector: one read-only session, and what their errors mean."""

import json
import ssl
from collections.abc import Iterator, Sequence
from datetime import datetime, tzinfo
from typing import Any

import aiomysql
from pymysql.constants import FIELD_TYPE
from pymysql.err import Error

from crm.sql_advice import Scan
from crm.sql_session import First, LostError, Row, Values
from crm.sql_settings import Access
from crm.sql_statement import Statement, Style
from crm.trouble import AuthError, CrmError, InvalidError, TransientError

_KINDS = {number: name.lower() for name, number in vars(FIELD_TYPE).items() if name.isupper()}
_AUTH = frozenset({1044, 1045, 1142, 1143, 1227, 1370, 1698, 2026, 2049, 2059})
_GONE = frozenset({1053, 1077, 1079, 1080, 1152, 1927, 2003, 2006, 2013, 2014, 2055})
_SLOW = frozenset({1317, 1969, 3024})
_TRY_AGAIN = frozenset({1021, 1040, 1041, 1129, 1203, 1205, 1213, 1226, 1637, 2002})
_ANOTHER_SCHEMA = frozenset({1054, 1146, 1305, 1356})


async def open_session(access: Access) -> "Session":
    """A session in which nothing can be written and nothing takes longer than its limit. Raises CrmError.

    Times with a zone (TIMESTAMP) come and go in the zone of the settings, by its distance from UTC now.
    """
    where = access.where
    socket = {"unix_socket": where.host} if where.host.startswith("/") else {}
    connection = aiomysql.Connection(
        host=where.host,
        port=where.port or 3306,
        **socket,
        user=where.user,
        password=access.password or "",
        db=where.name,
        charset="utf8mb4",
        autocommit=True,
        ssl=access.trust,
        program_name="hotline",
    )
    try:
        await connection.ping()  # the driver's connect() lets go of no connection that the server refuses
    except BaseException as error:
        connection.close()
        if isinstance(error, Error | OSError):
            raise _trouble(str(where), error) from error
        raise
    session = Session(str(where), connection, access.zone)
    try:
        await session.begin(access)
    except BaseException:
        session.drop()
        raise
    return session


class _Cursor(aiomysql.Cursor):  # type: ignore[misc]  # the driver has no types
    """Does not ask after every question what the server thinks of it: a round trip more, told to Python's warnings."""

    async def _show_warnings(self, conn: Any) -> None:
        """Not asked."""


class Session:
    """See :class:`crm.sql_session.Session`."""

    def __init__(self, where: str, connection: Any, zone: tzinfo) -> None:
        self._where, self._connection, self._zone = where, connection, zone
        server = str(connection.get_server_info()).removeprefix("5.5.5-")  # for clients of another century
        self._maria = "mariadb" in server.lower()
        self.version = server if self._maria else f"MySQL {server}"

    async def begin(self, access: Access) -> None:
        """The limits; the last word is ours."""
        limit, offset = access.limit, access.offset
        slow = f"max_statement_time = {limit:.3f}" if self._maria else f"max_execution_time = {round(limit * 1000)}"
        wait = max(1, round(limit))
        ours = f"{slow}, lock_wait_timeout = {wait}, innodb_lock_wait_timeout = {wait}"
        for text in (f"SET time_zone = '{offset[:3]}:{offset[3:]}'", *access.init, f"SET SESSION {ours}"):
            await self._ask("session_init", text)
        await self._ask(self._where, "SET SESSION TRANSACTION READ ONLY")

    async def rows(self, statement: Statement, values: Values) -> Sequence[Row]:
        """Ask."""
        _, found = await self._ask(statement.name, statement.rendered(Style.PERCENT), self._given(statement, values))
        return found

    async def columns(self, statement: Statement, values: Values) -> Sequence[tuple[str, str]]:
        """By asking for no rows."""
        empty = statement.within("SELECT * FROM {} AS hotline_rows LIMIT 0").rendered(Style.PERCENT)
        columns, _ = await self._ask(statement.name, empty, self._given(statement, values))
        return columns

    async def scans(self, statement: Statement, values: Values) -> Sequence[Scan]:
        """By its plan."""
        question = f"EXPLAIN FORMAT=JSON {statement.rendered(Style.PERCENT)}"
        _, [row] = await self._ask(statement.name, question, self._given(statement, values))
        plan = json.loads(next(iter(row.values())))
        return [
            Scan(table["table_name"], table["table_name"], table.get("rows", table.get("rows_examined_per_scan")))
            for table in _tables(plan)
            if table.get("access_type") in ("ALL", "index") and not table["table_name"].startswith("<")
        ]

    async def now(self) -> float:
        """The server's clock."""
        _, [row] = await self._ask(self._where, "SELECT unix_timestamp(now(6)) AS now")
        return float(row["now"])

    def drop(self) -> None:
        """Without goodbye."""
        self._connection.close()

    def _given(self, statement: Statement, values: Values) -> dict[str, Any]:
        return {name: _as(values[name], self._zone) for name in statement.placeholders}

    async def _ask(
        self, what: str, text: str, given: dict[str, Any] | None = None
    ) -> tuple[list[tuple[str, str]], list[dict[str, Any]]]:
        try:
            async with self._connection.cursor(_Cursor) as cursor:
                await cursor.execute(text, given)
                columns = [(each[0], _KINDS.get(each[1], "")) for each in cursor.description or ()]
                found = await cursor.fetchall() if columns else ()
        except (Error, OSError, RuntimeError) as error:  # aiomysql's own when the transport is closed
            raise _trouble(what, error) from error
        return columns, [dict(zip((name for name, _ in columns), row, strict=True)) for row in found]


def _as(value: Any, zone: tzinfo) -> Any:
    if isinstance(value, First):
        return ""
    if isinstance(value, datetime):
        return value.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S.%f")
    return value


def _tables(plan: Any) -> Iterator[dict[str, Any]]:
    """Every table of a plan, however deep."""
    if isinstance(plan, dict):
        if "table_name" in plan:
            yield plan
        for inner in plan.values():
            yield from _tables(inner)
    elif isinstance(plan, list):
        for inner in plan:
            yield from _tables(inner)


def _trouble(what: str, error: Exception) -> CrmError:
    number = error.args[0] if isinstance(error, Error) and error.args and isinstance(error.args[0], int) else None
    text = error.args[1] if number is not None and len(error.args) > 1 else error
    if isinstance(error.__cause__, OSError):  # the driver does not say why
        text = f"{text}: {error.__cause__}"
    said = f"SQL {what}: {str(text) or type(error).__name__}"
    if isinstance(error.__cause__ or error, ssl.SSLError):
        return AuthError(f"{said}; name its ca_file")
    if number is None or number in _GONE:
        return LostError(said)
    if number in _AUTH:
        return AuthError(f"{said}; give the user of url SELECT on what the statement reads, or mend its password")
    if number in _SLOW or number in _TRY_AGAIN:
        return TransientError(f"{said}: given up as too slow" if number in _SLOW else said)
    upgraded = "; was the CRM upgraded? mend the statement" if number in _ANOTHER_SCHEMA else ""
    return InvalidError(f"{said}{upgraded}", what)
