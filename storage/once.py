"""The few statements the two databases spell differently: insert once, insert or update, wait for one's turn.

Statements are built once and kept, with their values left open: building one costs several times what running it on
SQLite does.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Delete, Table, Update, bindparam, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

_TURN = select(func.pg_advisory_xact_lock(func.hashtextextended(bindparam("turn"), 0)))


def insert_into(where: Connection | AsyncConnection | str, table: Table) -> sqlite.Insert | postgresql.Insert:
    """An INSERT that knows ON CONFLICT, for a connection or for a dialect's name."""
    dialect = where if isinstance(where, str) else where.dialect.name
    return sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)


def insert_once(conn: Connection, table: Table, values: Mapping[str, Any], unique: Sequence[str]) -> int | None:
    """Insert a row; its id, or None when a row with the same ``unique`` columns is there already.

    On PostgreSQL a rival's uncommitted row is waited for.
    """
    return conn.execute(_insert_once(conn.dialect.name, table, tuple(unique)), values).scalar()


def insert_or_update(
    conn: Connection, table: Table, values: Mapping[str, Any], unique: Sequence[str], renewed: Sequence[str]
) -> None:
    """Insert a row, or set the ``renewed`` columns of the one with the same ``unique`` columns."""
    conn.execute(_insert_or_update(conn.dialect.name, table, tuple(unique), tuple(renewed)), values)


@cache
def update_by_id(table: Table) -> Update:
    """UPDATE of the row ``the_id``; which columns is told by the values it is executed with."""
    return update(table).where(table.c.id == bindparam("the_id"))


@cache
def delete_by(table: Table, column: str) -> Delete:
    """DELETE of the rows whose column is ``wanted``."""
    return delete(table).where(table.c[column] == bindparam("wanted"))


def take_turn(conn: Connection, names: Iterable[str]) -> None:
    """Hold everybody else who names one of ``names`` until this transaction ends. SQLite has one writer anyway.

    Names are taken in one order everywhere, so that two transactions cannot wait for each other.
    """
    if conn.dialect.name == "sqlite":
        return
    for name in sorted(set(names)):
        conn.execute(_TURN, {"turn": name})


@cache
def _insert_once(dialect: str, table: Table, unique: tuple[str, ...]) -> Any:
    statement = insert_into(dialect, table).on_conflict_do_nothing(index_elements=list(unique))
    return statement.returning(table.c.id)


@cache
def _insert_or_update(dialect: str, table: Table, unique: tuple[str, ...], renewed: tuple[str, ...]) -> Any:
    statement = insert_into(dialect, table)
    news = {name: statement.excluded[name] for name in renewed}
    return statement.on_conflict_do_update(index_elements=list(unique), set_=news)
