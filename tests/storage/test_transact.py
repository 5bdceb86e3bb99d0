"""A whole transaction at one go: the same promises as of any other, and a second chance where two entangled."""

import asyncio
import threading
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Connection, func, insert, select, text, update

from storage.database import CONFLICTS, Database
from storage.tables import ticket_days
from storage.trouble import StorageError, Trouble, trouble

if TYPE_CHECKING:
    from pathlib import Path


def adding(conn: Connection) -> int:
    """Read, think, write."""
    last = conn.execute(select(ticket_days.c.last).with_for_update()).scalar_one()
    conn.execute(update(ticket_days).values(last=last + 1))
    return int(last)


async def begin(db: Database) -> None:
    """A counter to add to."""
    await db.transact(lambda conn: conn.execute(insert(ticket_days).values(day="20261121", last=0)).rowcount)


async def count(db: Database) -> int:
    """What the counter says."""
    async with db.read() as conn:
        last: int = (await conn.execute(select(func.max(ticket_days.c.last)))).scalar_one()
        return last


async def test_it_is_kept_whole_or_not_at_all_and_answers(db: Database) -> None:
    """The answer of the work comes back; what raises undoes what it wrote."""
    await begin(db)

    def broken(conn: Connection) -> None:
        adding(conn)
        raise ZeroDivisionError

    assert await db.transact(adding) == 0
    with pytest.raises(ZeroDivisionError):
        await db.transact(broken)
    assert await db.transact(adding) == 1
    assert await count(db) == 2


async def test_both_ways_of_writing_take_turns(db: Database) -> None:
    """Forty transactions of either kind lose no update."""
    await begin(db)

    async def other_way() -> None:
        async with db.write() as conn:
            await conn.run_sync(adding)

    async with asyncio.TaskGroup() as group:
        for number in range(40):
            group.create_task(db.transact(adding) if number % 2 else other_way())
    assert await count(db) == 40


async def test_cancelled_it_ends_before_the_next_one_begins(sqlite_url: str) -> None:
    """A thread cannot be stopped: its transaction is waited for, and was kept."""
    db = Database.open(sqlite_url)
    await begin(db)
    inside, go = threading.Event(), threading.Event()

    def slow(conn: Connection) -> None:
        inside.set()
        go.wait(10)
        adding(conn)

    async with asyncio.TaskGroup() as group:
        task = group.create_task(db.transact(slow))
        await asyncio.to_thread(inside.wait, 10)
        following = group.create_task(db.transact(adding))
        task.cancel()
        await asyncio.sleep(0)
        assert not task.done()
        assert not following.done()
        go.set()
    assert task.cancelled()
    assert following.result() == 1
    await db.close()


async def test_troubles_come_out_typed(tmp_path: "Path") -> None:
    """As from any transaction."""
    garbage = tmp_path / "garbage.db"
    garbage.write_bytes(b"no database at all " * 500)
    for file, expected in ((garbage, Trouble.NOT_A_DATABASE), (tmp_path / "new.db", Trouble.NOT_MIGRATED)):
        db = Database.open(f"sqlite+aiosqlite:///{file}")
        with pytest.raises(StorageError) as caught:
            await db.transact(adding)
        assert caught.value.trouble is expected
        await db.close()


async def test_two_that_lock_each_other_out_both_end_well(postgres_url: str) -> None:
    """PostgreSQL gives one of them up; it is begun anew and succeeds."""
    db = Database.open(postgres_url)
    async with db.write() as conn:
        await conn.execute(insert(ticket_days), [{"day": day, "last": 0} for day in ("20261121", "20261122")])
    begun: list[str] = []

    def crosswise(first: str, second: str, met: threading.Barrier) -> None:
        """Runs in a loop of its own: greenlets of one loop could not wait for each other."""

        def work(conn: Connection) -> None:
            for day in (first, second):
                row = ticket_days.c.day == day
                conn.execute(update(ticket_days).where(row).values(last=ticket_days.c.last + 1))
                if day == first:
                    begun.append(day)
                    if len(begun) <= met.parties:
                        met.wait(10)

        async def alone() -> None:
            own = Database.open(postgres_url)
            await own.transact(work)
            await own.close()

        asyncio.run(alone())

    met = threading.Barrier(2)
    await asyncio.gather(
        asyncio.to_thread(crosswise, "20261121", "20261122", met),
        asyncio.to_thread(crosswise, "20261122", "20261121", met),
    )
    assert len(begun) >= 3  # one of them anew; and once more if they meet again
    assert await count(db) == 2
    await db.close()


async def test_what_never_succeeds_is_told_in_the_end(postgres_url: str) -> None:
    """After so many times anew."""
    db, tried = Database.open(postgres_url), []

    def hopeless(_conn: Connection) -> None:
        tried.append(1)
        raise trouble(Trouble.CONFLICT)

    with pytest.raises(StorageError) as caught:
        await db.transact(hopeless)
    assert caught.value.trouble is Trouble.CONFLICT
    assert len(tried) == CONFLICTS + 1
    await db.close()


async def test_broken_sql_is_our_own_mistake(db: Database) -> None:
    """It crashes loudly."""
    with pytest.raises(Exception, match="SELEKT"):
        await db.transact(lambda conn: conn.execute(text("SELEKT 1")))
