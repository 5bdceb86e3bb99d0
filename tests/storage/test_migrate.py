"""Migrations: the database that they make is the one the program works with, from an installed package too."""

import asyncio
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Column, Connection, MetaData, text

from storage import migrate
from storage.accounts import Accounts
from storage.database import Database
from storage.reads import Reads
from storage.records import RecordingKind
from storage.schema import metadata
from storage.search_tables import FULL_TEXT
from storage.trouble import StorageError, Trouble
from telephony.call import CallKey

ROOT = Path(__file__).resolve().parents[2]


def _no_full_text(name: str | None, kind: str, _of: object) -> bool:
    """SQLite's full-text tables are its own, and are made of several."""
    return kind != "table" or name is None or not name.startswith(FULL_TEXT)


def _no_vectors(_thing: object, name: str | None, kind: str, *_: object) -> bool:
    """What PostgreSQL searches by an index of its own kind, SQLite searches by its full-text tables."""
    return kind != "index" or name is None or not name.endswith("_words_tokens")


async def test_migrations_make_exactly_the_tables_of_the_program(db: Database) -> None:
    """Alembic finds no difference between a migrated database and the tables in code."""

    def differences(conn: Connection) -> list[Any]:
        opts = {"compare_type": True, "compare_server_default": True, "include_name": _no_full_text}
        if conn.dialect.name == "sqlite":
            opts["include_object"] = _no_vectors
        context = MigrationContext.configure(conn, opts=opts)
        return list(compare_metadata(context, metadata))

    async with db.write() as conn:
        assert await conn.run_sync(differences) == []


async def test_migrating_twice_does_nothing(database_url: str) -> None:
    """A start on a database of this version changes nothing."""
    assert await migrate.upgrade(database_url) == (migrate.head(), migrate.head())


async def test_the_folder_is_made(tmp_path: Path) -> None:
    """The very first start needs nothing but the right to write."""
    url = f"sqlite+aiosqlite:///{tmp_path}/var/data/hotline.db"
    assert await migrate.upgrade(url) == (None, migrate.head())


async def test_two_services_that_start_at_once_take_turns(postgres: Any, tmp_path: Path) -> None:
    """Both find the database at this version; neither trips over the other."""
    empty = postgres.new_url(empty=True)
    for url in (f"sqlite+aiosqlite:///{tmp_path}/hotline.db", empty):
        async with asyncio.TaskGroup() as group:
            both = [group.create_task(migrate.upgrade(url)) for _ in range(2)]
        assert sorted((task.result()[0] or "") for task in both) == ["", migrate.head()]
    postgres.drop(empty)


@pytest.mark.parametrize("version", sorted(migrate.known()))
async def test_what_an_earlier_version_kept_is_there_after_the_upgrade(
    postgres: Any, tmp_path: Path, version: str
) -> None:
    """From every version that ever was: a call with its recording, and the person who may hear it."""

    def as_it_was(conn: Connection) -> None:
        config = migrate._config()
        config.attributes["connection"] = conn
        command.upgrade(config, version)
        tables = MetaData()
        tables.reflect(conn)
        for name in ("calls", "recordings", "users"):
            table = tables.tables[name]
            conn.execute(table.insert(), {column.name: _some(column) for column in table.c if not column.nullable})

    empty = postgres.new_url(empty=True)
    for url in (f"sqlite+aiosqlite:///{tmp_path}/hotline.db", empty):
        db = Database.open(url)
        async with db.write() as conn:
            await conn.run_sync(as_it_was)
        assert await migrate.upgrade(url) == (version, migrate.head())
        page = await Reads(db).call(CallKey("main", "1.1"))
        assert page is not None
        assert [row.kind for row in page.recordings] == [RecordingKind.CALL]
        assert [user.login for user in await Accounts(db).everybody()] == ["kept"]
        await db.close()
    postgres.drop(empty)


def _some(column: Column[Any]) -> Any:
    """A value that fits a column: of a call main:1.1, of a recording, of a user called kept."""
    named = {
        "key": "main:1.1",
        "pbx": "main",
        "linkedid": "1.1",
        "login": "kept",
        "role": "agent",
        "phase": "ended",
        "kind": "call",
    }
    if column.name in named:
        return named[column.name]
    kinds: dict[type, Any] = {bool: False, int: 1, float: 1.0, str: "x"}
    return kinds[column.type.python_type]


async def test_a_migration_that_breaks_leaves_nothing_behind(postgres: Any, tmp_path: Path) -> None:
    """It is one transaction on either database: the next start begins from the same place."""

    def breaks(conn: Connection) -> None:
        migrate._upgrade(conn)
        raise ZeroDivisionError

    empty = postgres.new_url(empty=True)
    for url in (f"sqlite+aiosqlite:///{tmp_path}/hotline.db", empty):
        db = Database.open(url)
        with pytest.raises(ZeroDivisionError):
            await db.transact(breaks)
        assert await migrate.current(db) is None
        await db.close()
        assert await migrate.upgrade(url) == (None, migrate.head())
    postgres.drop(empty)


async def test_a_database_of_a_newer_program_is_left_alone(database_url: str) -> None:
    """The operator is told which way out there is."""
    db = Database.open(database_url)
    async with db.write() as conn:
        await conn.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StorageError, match="newer hotline") as caught:
        await migrate.upgrade(database_url)
    assert caught.value.trouble is Trouble.TOO_NEW
    with pytest.raises(StorageError, match="9999"):
        await migrate.check(db)
    await db.close()


async def test_commands_make_no_database_by_accident(tmp_path: Path) -> None:
    """A mistyped address is told, and no empty file is left behind."""
    db = Database.open(f"sqlite+aiosqlite:///{tmp_path}/mistyped.db")
    with pytest.raises(StorageError, match="hotline migrate"):
        await migrate.check(db)
    await db.close()
    assert os.listdir(tmp_path) == []  # noqa: PTH208 - pathlib's is refused in a coroutine


def test_migrations_travel_in_the_package(tmp_path: Path) -> None:
    """A wheel, unpacked far from the source tree, migrates a database."""
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path / "dist")]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    program = (
        "import asyncio, storage.migrate as m; assert '/site/' in m.__file__, m.__file__; "
        f"print(asyncio.run(m.upgrade('sqlite+aiosqlite:///{tmp_path}/x.db'))[1])"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path / "site",
        env={**os.environ, "PYTHONPATH": str(tmp_path / "site")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, ran.stdout.strip()) == (0, migrate.head()), ran.stderr
