"""The database: what is promised of transactions on SQLite and PostgreSQL, and what is said when it cannot be kept."""

import asyncio
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import ForeignKey, func, insert, select, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import IntegrityError, OperationalError, ProgrammingError

from storage import database
from storage.database import Database, address
from storage.tables import call_events, ticket_days
from storage.trouble import StorageError, Trouble


async def days(db: Database) -> list[str]:
    """What is kept."""
    async with db.read() as conn:
        return list((await conn.execute(select(ticket_days.c.day).order_by(ticket_days.c.day))).scalars())


async def keep(db: Database, day: str) -> None:
    """Keep something."""
    async with db.write() as conn:
        await conn.execute(insert(ticket_days).values(day=day, last=1))


async def run(db: Database, *statements: str) -> None:
    """Statements in one transaction."""
    async with db.write() as conn:
        for statement in statements:
            await conn.execute(text(statement))


async def fail_after(db: Database, day: str) -> None:
    """Keep something, then break."""
    async with db.write() as conn:
        await conn.execute(insert(ticket_days).values(day=day, last=1))
        raise ZeroDivisionError


async def test_a_transaction_is_kept_whole_or_not_at_all(db: Database) -> None:
    """What raises undoes what it wrote; what was committed stays."""
    await keep(db, "20261121")
    with pytest.raises(ZeroDivisionError):
        await fail_after(db, "20261122")
    assert await days(db) == ["20261121"]


async def test_a_reader_neither_waits_for_a_writer_nor_sees_half_of_its_work(db: Database) -> None:
    """While a transaction is open, others read what was committed before."""
    await keep(db, "20261121")
    async with db.write() as conn:
        await conn.execute(insert(ticket_days).values(day="20261122", last=1))
        assert await days(db) == ["20261121"]
    assert await days(db) == ["20261121", "20261122"]


async def test_writers_at_once_all_succeed(db: Database) -> None:
    """Forty transactions that read, think and write lose no update."""
    await keep(db, "20261121")

    async def count() -> None:
        async with db.write() as conn:
            query = select(ticket_days.c.last).with_for_update()
            last = (await conn.execute(query)).scalar_one()
            await asyncio.sleep(0)
            await conn.execute(ticket_days.update().values(last=last + 1))

    async with asyncio.TaskGroup() as group:
        for _ in range(40):
            group.create_task(count())
    async with db.read() as conn:
        assert (await conn.execute(select(func.max(ticket_days.c.last)))).scalar_one() == 41


async def test_a_cancelled_writer_leaves_nothing_and_lets_the_next_one_in(db: Database) -> None:
    """Cancellation in the middle of a transaction undoes it and frees the writer's place."""
    inside, never = asyncio.Event(), asyncio.Event()

    async def stuck() -> None:
        async with db.write() as conn:
            await conn.execute(insert(ticket_days).values(day="20261121", last=1))
            inside.set()
            await never.wait()

    async with asyncio.TaskGroup() as group:
        task = group.create_task(stuck())
        await inside.wait()
        task.cancel()
    await keep(db, "20261122")
    assert await days(db) == ["20261122"]


async def test_foreign_keys_hold(db: Database) -> None:
    """An event of no call is refused: our own mistake, so the database's own error comes through."""
    assert any(isinstance(it, ForeignKey) for it in call_events.c.call_id.foreign_keys)
    orphan = {"call_id": 99, "kind": "rang", "subject": "1001", "moment": "1", "at": 1.0}
    with pytest.raises(IntegrityError):
        async with db.write() as conn:
            await conn.execute(insert(call_events).values(orphan))


async def test_our_own_mistakes_are_not_dressed_up_as_trouble(db: Database) -> None:
    """Broken SQL crashes loudly."""
    with pytest.raises((OperationalError, ProgrammingError)):
        async with db.write() as conn:
            await conn.execute(text("SELEKT 1"))


async def test_sqlite_survives_power_loss_as_configured(sqlite_url: str) -> None:
    """Write-ahead log, FULL, foreign keys; readers cannot write."""
    db = Database.open(sqlite_url)
    async with db.write() as conn:
        found = [
            (await conn.execute(text(f"PRAGMA {name}"))).scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        ]
    assert found == ["wal", 2, 1]
    with pytest.raises(StorageError):
        async with db.read() as conn:
            await conn.execute(insert(ticket_days).values(day="20261121", last=1))
    await db.close()


@pytest.mark.parametrize(
    "url",
    ["nonsense", "mysql://x/y", "sqlite:///x.db", "sqlite+aiosqlite://", "sqlite+aiosqlite:///:memory:", "redis://x"],
)
def test_an_address_that_cannot_be_used_is_told_at_once(url: str) -> None:
    """With the two forms that can."""
    with pytest.raises(StorageError, match=r"sqlite\+aiosqlite:///.*postgresql\+asyncpg") as caught:
        address(url)
    assert caught.value.trouble is Trouble.BAD_ADDRESS


async def trouble_of(url: str) -> Trouble:
    """What is said when something is kept there."""
    db = Database.open(url)
    try:
        with pytest.raises(StorageError) as caught:
            await keep(db, "20261121")
        return caught.value.trouble
    finally:
        await db.close()


async def test_sqlite_troubles_are_told_apart(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each with what to do: a garbage file, a missing folder, a read-only file, a busy one, one without our tables."""
    garbage = tmp_path / "garbage.db"
    garbage.write_bytes(b"no database at all " * 500)
    assert await trouble_of(f"sqlite+aiosqlite:///{garbage}") is Trouble.NOT_A_DATABASE
    assert await trouble_of(f"sqlite+aiosqlite:///{tmp_path}/no/folder/x.db") is Trouble.CANNOT_OPEN
    assert await trouble_of(f"sqlite+aiosqlite:///{tmp_path}/new.db") is Trouble.NOT_MIGRATED
    file = make_url(sqlite_url).database
    assert await trouble_of(f"sqlite+aiosqlite:///file:{file}?mode=ro&uri=true") is Trouble.READ_ONLY
    monkeypatch.setattr(database, "BUSY_MS", 1)
    other = sqlite3.connect(str(file), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert await trouble_of(sqlite_url) is Trouble.BUSY
    other.close()


async def test_a_full_disk_keeps_what_was_there_and_heals_by_itself(sqlite_url: str) -> None:
    """SQLite's page limit answers exactly as a full disk does."""
    db = Database.open(sqlite_url)
    await keep(db, "20261121")
    async with db.write() as conn:
        await conn.execute(text("PRAGMA max_page_count=1"))
    with pytest.raises(StorageError, match="free some space") as caught:
        async with db.write() as conn:
            await conn.execute(insert(ticket_days), [{"day": f"{n:08d}", "last": 1} for n in range(20_000)])
    assert caught.value.trouble is Trouble.FULL
    assert caught.value.trouble.passes
    async with db.write() as conn:
        await conn.execute(text("PRAGMA max_page_count=1073741823"))
    await keep(db, "20261122")
    assert await days(db) == ["20261121", "20261122"]
    await db.close()


async def test_postgresql_troubles_are_told_apart(postgres_url: str, tmp_path: Path) -> None:
    """No server, no such database, no such user, no right to write."""
    url = make_url(postgres_url)
    assert await trouble_of("postgresql+asyncpg://hotline@127.0.0.1:1/hotline") is Trouble.AWAY
    assert await trouble_of(f"postgresql+asyncpg://hotline@/hotline?host={tmp_path}") is Trouble.AWAY
    assert await trouble_of(url.set(database="nowhere").render_as_string()) is Trouble.REFUSED
    db = Database.open(postgres_url)
    with pytest.raises(StorageError) as caught:
        await run(db, "SET TRANSACTION READ ONLY", "INSERT INTO ticket_days (day, last) VALUES ('20261121', 1)")
    assert caught.value.trouble is Trouble.READ_ONLY
    await db.close()


async def test_connections_that_the_server_closed_meanwhile_are_replaced_unseen(postgres_url: str) -> None:
    """After its restart the first transaction succeeds."""
    db, other = Database.open(postgres_url), Database.open(postgres_url)
    await keep(db, "20261121")
    async with other.write() as conn:
        theirs = select(func.pg_terminate_backend(text("pid"), 10_000)).select_from(text("pg_stat_activity"))
        where = "datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        assert (await conn.execute(theirs.where(text(where)))).scalars().all() == [True]
    await days(other)  # meanwhile the end of the other connection is read
    await keep(db, "20261122")
    assert await days(db) == ["20261121", "20261122"]
    await db.close()
    await other.close()


async def test_a_postgresql_connection_that_dies_is_trouble_that_passes(postgres_url: str) -> None:
    """The transaction is not kept, and the next one finds a sound connection."""
    db = Database.open(postgres_url)

    async def killed() -> None:
        async with db.write() as conn, db.write() as other:
            await conn.execute(insert(ticket_days).values(day="20261121", last=1))
            mine = (await conn.execute(select(func.pg_backend_pid()))).scalar_one()
            await other.execute(select(func.pg_terminate_backend(mine)))
            await conn.execute(insert(ticket_days).values(day="20261122", last=1))

    with pytest.raises(StorageError) as caught:
        await killed()
    assert caught.value.trouble is Trouble.AWAY
    assert caught.value.trouble.passes
    await keep(db, "20261123")
    assert await days(db) == ["20261123"]
    await db.close()
