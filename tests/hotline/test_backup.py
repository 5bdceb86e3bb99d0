"""``hotline backup`` while the service writes, ``hotline restore`` while it does not."""

import asyncio
import sqlite3
from pathlib import Path

import pytest

from hotline.cli import main
from storage.accounts import Accounts
from storage.database import Database
from storage.migrate import head, upgrade


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A database of this version."""
    url = f"sqlite+aiosqlite:///{tmp_path}/hotline.db"
    asyncio.run(upgrade(url))
    return url


async def add_user(db: Database, login: str) -> None:
    """Something that is worth keeping."""
    await Accounts(db).add(login, name="李雷", role="agent", password="x", now=0.0)


async def logins(url: str) -> list[str]:
    """Who is in the database."""
    db = Database.open(url)
    try:
        return [user.login for user in await Accounts(db).everybody()]
    finally:
        await db.close()


def test_a_copy_made_beside_an_open_database_comes_back(url: str, tmp_path: Path) -> None:
    """The service need not stop for a backup; it must for a restore, and what was there is kept."""
    copy = tmp_path / "copy.db"

    async def serve() -> tuple[int, int]:
        db = Database.open(url)
        await add_user(db, "before")
        saved = await asyncio.to_thread(main, ["backup", "--database", url, str(copy)])
        await add_user(db, "after")
        refused = await asyncio.to_thread(main, ["restore", "--database", url, str(copy)])
        await db.close()
        return saved, refused

    assert asyncio.run(serve()) == (0, 2)
    assert asyncio.run(logins(url)) == ["after", "before"]
    assert main(["restore", "--database", url, str(copy)]) == 0
    assert asyncio.run(logins(url)) == ["before"]
    (kept,) = tmp_path.glob("hotline.db.before-restore-*")
    assert asyncio.run(logins(f"sqlite+aiosqlite:///{kept}")) == ["after", "before"]


def test_what_is_there_is_not_written_over(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A backup of yesterday survives a slip of the pen."""
    copy = tmp_path / "copy.db"
    copy.write_text("yesterday")
    assert main(["backup", "--database", url, str(copy)]) == 2
    assert "--force" in capsys.readouterr().err
    assert copy.read_text() == "yesterday"
    assert main(["backup", "--database", url, "--force", str(copy)]) == 0
    assert head() in capsys.readouterr().out


def test_a_file_that_is_no_backup_is_refused(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Garbage, half a file, another program's database, one of a newer hotline: refused, and nothing is lost."""
    whole = tmp_path / "whole.db"
    assert main(["backup", "--database", url, str(whole)]) == 0
    (tmp_path / "garbage").write_bytes(b"garbage " * 999)
    (tmp_path / "half").write_bytes(whole.read_bytes()[:20_000])
    with sqlite3.connect(tmp_path / "other") as other:
        other.execute("CREATE TABLE t (x)")
    (tmp_path / "newer").write_bytes(whole.read_bytes())
    with sqlite3.connect(tmp_path / "newer") as newer:
        newer.execute("UPDATE alembic_version SET version_num = '9999'")
    before = asyncio.run(logins(url))
    for name in ("garbage", "half", "other", "newer", "none"):
        assert main(["restore", "--database", url, str(tmp_path / name)]) == 2, name
        assert capsys.readouterr().err.startswith("hotline restore: the ")
    assert asyncio.run(logins(url)) == before
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize(("command", "tool"), [("backup", "pg_dump"), ("restore", "pg_restore")])
def test_a_server_has_its_own_tool(command: str, tool: str, capsys: pytest.CaptureFixture[str]) -> None:
    """We say which."""
    assert main([command, "--database", "postgresql+asyncpg://h/n", "x"]) == 2
    assert tool in capsys.readouterr().err
