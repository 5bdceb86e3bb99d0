"""Many rows at once: the statements that an import of a million customers is made of. Private to storage.

One statement for each row costs three times what the row itself does. SQLite takes as many rows in a statement as it
takes parameters; PostgreSQL takes columns as arrays. Names come from our own tables, values go as parameters.
"""

from collections.abc import Callable, Sequence
from functools import cache
from itertools import chain
from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Connection, Float, Integer, String, Table
from sqlalchemy.dialects import postgresql, sqlite

_CACHE = 64 * 1024  # KiB
_LOG = 16_384  # pages of 4 KiB
_PARAMETERS = 900  # SQLite before 3.32 took 999, later ones 32,766, and more gain nothing
_ARRAYS: tuple[tuple[type, str], ...] = (
    (Boolean, "boolean"),
    (BigInteger, "bigint"),
    (Integer, "integer"),
    (Float, "double precision"),
    (String, "text"),  # not varchar(n): a cast to that cuts in silence
)


def make_room(conn: Connection) -> None:
    """Before very many rows, for this connection: SQLite then writes most pages once, not once for each transaction.

    Among a million numbers every new one falls on another page of their index; 2 MB of cache and a log folded back
    after 4 MB made the system's share of the work four times as large.
    """
    if conn.dialect.name == "sqlite":
        conn.exec_driver_sql(f"PRAGMA cache_size=-{_CACHE}")
        conn.exec_driver_sql(f"PRAGMA wal_autocheckpoint={_LOG}")


def pour(
    conn: Connection, table: Table, columns: Sequence[str], rows: Sequence[tuple[Any, ...]], key: str = ""
) -> None:
    """Insert ``rows``, their values in the order of ``columns``. With ``key`` a row of the same key is written over.

    Not for columns whose values SQLAlchemy has to turn into something else first: JSON, dates.
    """
    if not rows:
        return
    names = tuple(columns)
    if conn.dialect.name != "sqlite":
        arrays = tuple(list(values) for values in zip(*rows, strict=True))
        conn.exec_driver_sql(_from_arrays(table, names, key), arrays)
        return
    together = max(1, _PARAMETERS // len(names))
    whole = len(rows) - len(rows) % together
    if whole:
        many = [tuple(chain.from_iterable(rows[at : at + together])) for at in range(0, whole, together)]
        conn.exec_driver_sql(_from_values(table, names, key, together), many)
    if rest := rows[whole:]:
        conn.exec_driver_sql(_from_values(table, names, key, len(rest)), tuple(chain.from_iterable(rest)))


def there(conn: Connection, column: Column[str], values: Sequence[str]) -> list[str]:
    """Which of ``values`` stand in a column of texts."""
    name, table = _names(conn.dialect.name, column)
    found: list[str] = []
    for where, some in _any_of(conn, name, values):
        found += conn.exec_driver_sql(f"SELECT {name} FROM {table} WHERE {where}", some).scalars()  # noqa: S608 - our own names
    return found


def wipe(conn: Connection, column: Column[str], values: Sequence[str]) -> None:
    """Delete the rows that have one of ``values`` in a column of texts."""
    name, table = _names(conn.dialect.name, column)
    for where, some in _any_of(conn, name, values):
        conn.exec_driver_sql(f"DELETE FROM {table} WHERE {where}", some)  # noqa: S608 - our own names


def _any_of(conn: Connection, name: str, values: Sequence[str]) -> list[tuple[str, tuple[Any, ...]]]:
    """Conditions with their parameters, which together hold for all the values."""
    if conn.dialect.name != "sqlite":
        return [(f"{name} = ANY($1::text[])", (list(values),))] if values else []
    parts = [values[at : at + _PARAMETERS] for at in range(0, len(values), _PARAMETERS)]
    return [(f"{name} IN ({_marks(len(part))})", tuple(part)) for part in parts]


@cache
def _from_values(table: Table, names: tuple[str, ...], key: str, together: int) -> str:
    rows = ",".join([f"({_marks(len(names))})"] * together)
    return _insert("sqlite", table, names, f"VALUES {rows}", key)


@cache
def _from_arrays(table: Table, names: tuple[str, ...], key: str) -> str:
    arrays = (f"${at}::{_array_of(table.c[name])}[]" for at, name in enumerate(names, 1))
    rows = f"SELECT * FROM unnest({', '.join(arrays)})"  # noqa: S608 - our own types
    return _insert("postgresql", table, names, rows, key)


def _insert(dialect: str, table: Table, names: Sequence[str], rows: str, key: str) -> str:
    quote = _quote(dialect)
    statement = f"INSERT INTO {quote(table.name)} ({', '.join(map(quote, names))}) {rows}"
    if not key:
        return statement
    renewed = ", ".join(f"{quote(name)} = excluded.{quote(name)}" for name in names if name != key)
    return f"{statement} ON CONFLICT ({quote(key)}) DO UPDATE SET {renewed}"


def _array_of(column: Column[Any]) -> str:
    return next(array for kind, array in _ARRAYS if isinstance(column.type, kind))


def _names(dialect: str, column: Column[str]) -> tuple[str, str]:
    quote = _quote(dialect)
    return quote(column.name), quote(column.table.name)


@cache
def _quote(dialect: str) -> Callable[[str], str]:
    made = sqlite.dialect() if dialect == "sqlite" else postgresql.dialect()  # type: ignore[no-untyped-call]
    return made.identifier_preparer.quote


def _marks(count: int) -> str:
    return ",".join("?" * count)
