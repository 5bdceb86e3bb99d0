"""What somebody waits for is read in one go: what is committed, all of one moment, and nothing can be written."""

import asyncio
import threading

import pytest
from sqlalchemy import Connection, text

from storage.database import READERS, Database
from storage.trouble import StorageError


def days(conn: Connection) -> list[str]:
    """What is in a small table."""
    return list(conn.execute(text("SELECT day FROM ticket_days ORDER BY day")).scalars())


async def count_day(db: Database, day: str) -> None:
    """Write a row of it."""
    async with db.write() as conn:
        await conn.execute(text("INSERT INTO ticket_days (day, last) VALUES (:day, 1)"), {"day": day})


async def test_what_is_committed_is_seen_and_what_is_not_is_not(db: Database) -> None:
    """Beside a writer in its middle."""
    await count_day(db, "20261121")
    async with db.write() as conn:
        await conn.execute(text("INSERT INTO ticket_days (day, last) VALUES ('20261122', 1)"))
        assert await db.look(days) == ["20261121"]
    assert await db.look(days) == ["20261121", "20261122"]


async def test_nothing_can_be_written_by_the_way(sqlite_url: str) -> None:
    """On SQLite, where a reader that writes would lock out the ledger."""
    db = Database.open(sqlite_url)
    with pytest.raises(StorageError):
        await db.look(lambda conn: conn.execute(text("DELETE FROM ticket_days")))
    assert await db.look(days) == []
    await db.close()


async def test_many_look_at_once(db: Database) -> None:
    """More than there are connections: they wait for each other."""
    await count_day(db, "20261121")
    assert await asyncio.gather(*(db.look(days) for _ in range(5 * READERS))) == [["20261121"]] * (5 * READERS)


async def test_a_look_that_is_given_up_leaves_the_database_usable(sqlite_url: str) -> None:
    """It is waited for, as its connection is in use until it is over."""
    db = Database.open(sqlite_url)
    began, go_on = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def slow(conn: Connection) -> list[str]:
        loop.call_soon_threadsafe(began.set)
        assert go_on.wait(5)
        return days(conn)

    looking = loop.create_task(db.look(slow))
    await began.wait()
    looking.cancel()
    await asyncio.sleep(0)
    assert not looking.done()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await looking
    assert await db.look(days) == []
    await db.close()


async def test_a_database_that_is_broken_is_a_storage_error(db: Database) -> None:
    """As everywhere else."""
    async with db.write() as conn:
        await conn.execute(text("ALTER TABLE ticket_days RENAME TO gone"))
    with pytest.raises(StorageError):
        await db.look(days)
