"""PostgreSQL, for the direct SQL connector: one read-only session, and what its errors mean."""

import json
import ssl
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, tzinfo
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

import asyncpg

from crm.sql_advice import FEW, Scan
from crm.sql_session import First, LostError, NoSuchIdError, Row, Values
from crm.sql_settings import Access
from crm.sql_statement import Statement, Style
from crm.trouble import AuthError, CrmError, InvalidError, TransientError

_INTEGERS = {"int2": 15, "int4": 31, "int8": 63, "oid": 31}
# The internal one: a session that the server ended, noticed while the next question is put (seen with asyncpg 0.32).
_TROUBLES = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)
_MADE: Mapping[str, Callable[[Any], Any]] = {
    **dict.fromkeys(_INTEGERS, int),
    **dict.fromkeys(("float4", "float8"), float),
    "numeric": Decimal,
    "uuid": UUID,
}
_AUTH = ("28", "42501")
_GONE = ("08", "57P", "25P", "0A000")  # broken, shut down, or a prepared statement that does not fit any more
_TRY_AGAIN = ("53", "40", "55", "57014", "58")
_ANOTHER_SCHEMA = ("42703", "42P01", "42883")


async def open_session(access: Access) -> "Session":
    """A session in which nothing can be written and nothing takes longer than its limit. Raises CrmError."""
    where = access.where
    ours = {"default_transaction_read_only": "on", "statement_timeout": str(round(access.limit * 1000))}
    try:
        connection = await asyncpg.connect(
            host=where.host,
            port=where.port or 5432,
            user=where.user,
            password=access.password,
            database=where.name,
            ssl=access.trust or False,
            server_settings={"application_name": "hotline", **ours},
        )
    except _TROUBLES as error:
        raise _trouble(str(where), error) from error
    session = Session(str(where), connection, access.zone)
    try:
        for statement in access.init:
            await session.set("session_init", statement)
        if access.init:  # the last word is ours
            for name, value in ours.items():
                await session.set(str(where), f"SET {name} = '{value}'")
    except BaseException:
        session.drop()
        raise
    return session


class Session:
    """See :class:`crm.sql_session.Session`."""

    def __init__(self, where: str, connection: Any, zone: tzinfo) -> None:
        self._where, self._connection, self._zone = where, connection, zone
        self._prepared: dict[str, Any] = {}

    @property
    def version(self) -> str:
        """As the server tells at the beginning."""
        version = self._connection.get_server_version()
        return f"PostgreSQL {version.major}.{version.minor}"

    async def set(self, what: str, text: str) -> None:
        """Carry out a setting."""
        try:
            await self._connection.execute(text)
        except _TROUBLES as error:
            raise _trouble(what, error) from error

    async def rows(self, statement: Statement, values: Values) -> Sequence[Row]:
        """Prepared once a session: the server says which types the values have, and they are made so."""
        try:
            prepared = await self._prepare(statement)
            found = await prepared.fetch(*self._arguments(statement, prepared, values))
        except _TROUBLES as error:
            raise _trouble(statement.name, error) from error
        return [dict(row) for row in found]

    async def columns(self, statement: Statement, values: Values) -> Sequence[tuple[str, str]]:
        """By asking for no rows: so that rights are looked at, which preparing does not."""
        nothing = statement.within("SELECT * FROM {} AS hotline_rows LIMIT 0")
        try:
            prepared = await self._prepare(nothing)
            await prepared.fetch(*self._arguments(nothing, prepared, values))
        except _TROUBLES as error:
            raise _trouble(statement.name, error) from error
        return [(each.name, each.type.name) for each in prepared.get_attributes()]

    async def scans(self, statement: Statement, values: Values) -> Sequence[Scan]:
        """Tables that are read whole even where that is made dear: for them there is no index."""
        try:
            prepared = await self._prepare(statement)
            arguments = self._arguments(statement, prepared, values)
            await self._connection.execute("SET enable_seqscan = off")
            try:
                question = f"EXPLAIN (FORMAT JSON, VERBOSE) {statement.rendered(Style.NUMBERED)}"
                plan = json.loads(await self._connection.fetchval(question, *arguments))
            finally:
                await self._connection.execute("RESET enable_seqscan")
            return [await self._scan(*each) for each in _whole(plan[0]["Plan"])]
        except _TROUBLES as error:
            raise _trouble(statement.name, error) from error

    async def _scan(self, schema: str, table: str, alias: str) -> Scan:
        there = f'"{schema}"."{table}"'
        rows = await self._connection.fetchval(
            "SELECT reltuples::bigint FROM pg_class WHERE oid = to_regclass($1)", there
        )
        if rows is not None and rows < 0:  # nobody has counted yet
            rows = await self._connection.fetchval(f"SELECT count(*) FROM (SELECT 1 FROM {there} LIMIT {FEW}) AS few")  # noqa: S608
        made = await self._connection.fetch(
            "SELECT indexdef FROM pg_indexes WHERE schemaname = $1 AND tablename = $2", schema, table
        )
        name = table if schema == "public" else f"{schema}.{table}"
        return Scan(name, alias, rows, tuple(row["indexdef"] for row in made))

    async def now(self) -> float:
        """The server's clock."""
        try:
            return float(await self._connection.fetchval("SELECT extract(epoch FROM clock_timestamp())"))
        except _TROUBLES as error:
            raise _trouble(self._where, error) from error

    def drop(self) -> None:
        """Without goodbye."""
        self._connection.terminate()

    async def _prepare(self, statement: Statement) -> Any:
        if (prepared := self._prepared.get(statement.text)) is None:
            prepared = await self._connection.prepare(statement.rendered(Style.NUMBERED))
            self._prepared[statement.text] = prepared
        return prepared

    def _arguments(self, statement: Statement, prepared: Any, values: Values) -> list[Any]:
        kinds: Mapping[str, str] = dict(
            zip(statement.placeholders, (each.name for each in prepared.get_parameters()), strict=True)
        )
        return [_as(kind, values[name], self._zone) for name, kind in kinds.items()]


def _as(kind: str, value: Any, zone: tzinfo) -> Any:
    """A value of ours in the type that the statement has at its place. Raises NoSuchIdError."""
    if isinstance(value, First):
        return _first(kind)
    if value is None:
        return None
    if isinstance(value, datetime):
        return _moment(kind, value, zone)
    try:
        made = _MADE.get(kind, str)(value)
    except (ValueError, InvalidOperation) as error:
        raise NoSuchIdError(f"{value!r} is no {kind}") from error
    if kind in _INTEGERS and abs(made) >> _INTEGERS[kind]:
        raise NoSuchIdError(f"{value!r} is too large for {kind}")
    return made


def _first(kind: str) -> Any:
    if kind in _INTEGERS:
        return 0 if kind == "oid" else -(1 << _INTEGERS[kind])
    if kind in ("numeric", "float4", "float8"):
        return Decimal("-1e30") if kind == "numeric" else float("-inf")
    return UUID(int=0) if kind == "uuid" else ""


def _moment(kind: str, value: datetime, zone: tzinfo) -> Any:
    if kind == "timestamptz":
        return value
    local = value.astimezone(zone).replace(tzinfo=None)
    if kind == "timestamp":
        return local
    return local.date() if kind == "date" else local.isoformat(" ")


def _whole(plan: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """(Schema, table, alias) of the tables that a plan reads from end to end."""
    node = plan["Node Type"]
    if node == "Seq Scan" or (node in ("Index Scan", "Index Only Scan") and "Index Cond" not in plan):
        yield plan.get("Schema", "public"), plan["Relation Name"], plan.get("Alias", plan["Relation Name"])
    for inner in plan.get("Plans", ()):
        yield from _whole(inner)


def _trouble(what: str, error: Exception) -> CrmError:
    """What an error means. ``what``: the statement, or the address."""
    state = getattr(error, "sqlstate", None) or ""
    said = (
        f"SQL {what}: {' '.join(str(error).split()) or type(error).__name__}"  # its hints stand in lines of their own
    )
    if isinstance(error, ssl.SSLError):
        return AuthError(f"{said}; name its ca_file")
    if not state or state.startswith(_GONE):  # no answer of the server's: the connection
        return LostError(said)
    if state.startswith(_AUTH):
        return AuthError(f"{said}; give the user of url SELECT on what the statement reads, or mend its password")
    if state.startswith(_TRY_AGAIN):
        return TransientError(f"{said}: given up as too slow" if state == "57014" else said)
    upgraded = "; was the CRM upgraded? mend the statement" if state in _ANOTHER_SCHEMA else ""
    return InvalidError(f"{said}{upgraded}", what)
