"""The few statements the two databases spell differently: insert once, insert or update, wait for one's turn."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Table, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection


def insert_into(conn: AsyncConnection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """An INSERT that knows ON CONFLICT."""
    return sqlite.insert(table) if conn.dialect.name == "sqlite" else postgresql.insert(table)


async def insert_once(
    conn: AsyncConnection, table: Table, values: Mapping[str, Any], unique: Sequence[str]
) -> int | None:
    """Insert a row; its id, or None when a row with the same ``unique`` columns is there already.

    On PostgreSQL a rival's uncommitted row is waited for.
    """
    statement = insert_into(conn, table).values(**values).on_conflict_do_nothing(index_elements=list(unique))
    row = (await conn.execute(statement.returning(table.c.id))).first()
    return None if row is None else int(row[0])


async def take_turn(conn: AsyncConnection, names: Iterable[str]) -> None:
    """Hold everybody else who names one of ``names`` until this transaction ends. SQLite has one writer anyway.

    Names are taken in one order everywhere, so that two transactions cannot wait for each other.
    """
    if conn.dialect.name == "sqlite":
        return
    for name in sorted(set(names)):
        await conn.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))
