"""``hotline crm check``: what an administrator sees who sets up a CRM."""

import asyncio
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiohttp import web

from crm.customer import Customer, Phone
from hotline.cli import main
from storage.customers import EmbeddedCrm
from storage.database import Database
from storage.migrate import upgrade
from tests.crm.smalldesk import TOKEN, SmallDesk
from tests.hotline.test_crm_opening import write


class Running:
    """A SmallDesk that answers while a command runs: in a loop and thread of its own."""

    def __init__(self) -> None:
        self.desk = SmallDesk()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self.url = ""

    def start(self) -> None:
        """Answer."""
        self._thread.start()
        self.url = asyncio.run_coroutine_threadsafe(self._serve(), self._loop).result(30)

    async def _serve(self) -> str:
        self._runner = web.AppRunner(self.desk.app())
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{self._runner.addresses[0][1]}/api"

    def stop(self) -> None:
        """Answer no more."""
        asyncio.run_coroutine_threadsafe(self._runner.cleanup(), self._loop).result(30)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


@pytest.fixture
def running() -> Iterator[Running]:
    """A SmallDesk with two contacts whose numbers end alike."""
    small = Running()
    small.desk.add_contact("林晓峰", ["138 1234 5678"])
    small.desk.add_contact("王芳", ["010-12345678"])
    small.start()
    yield small
    small.stop()


def test_it_tells_whom_a_number_is_taken_for(
    running: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And whom the CRM offers besides, and why that one is not taken."""
    monkeypatch.setenv("DESK_TOKEN", TOKEN)
    path = str(write(tmp_path, running.url))
    assert main(["crm", "check", "--config", path, "--number", "13812345678"]) == 0
    told = capsys.readouterr().out
    assert "answers    SmallDesk 1.2" in told
    assert "sure       林晓峰 (1001): mobile, by 138 1234 5678" in told
    assert "not taken  王芳 (1002): the CRM offers it, but its numbers are 010-12345678" in told
    assert main(["crm", "check", "--config", path, "--number", "13899999999", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["caller"]["candidates"], found["caller"]["sure"], found["faults"]) == ([], None, [])
    assert set(found["took"]) == {"health", "find"}
    assert main(["crm", "check", "--config", path, "--number", "95588"]) == 0
    assert "95588 is nobody to be found by (service)" in capsys.readouterr().out


def test_it_tells_what_is_wrong(
    running: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A wrong key at the CRM; one that is not set, before it is asked."""
    path = str(write(tmp_path, running.url))
    monkeypatch.setenv("DESK_TOKEN", "wrong")
    assert main(["crm", "check", "--config", path, "--number", "13812345678"]) == 1
    told = capsys.readouterr().out
    assert "FAULT      health: REST answered 403 (the key has no right to this, or is wrong)" in told
    assert "nobody" not in told
    monkeypatch.delenv("DESK_TOKEN")
    assert main(["crm", "check", "--config", path]) == 2
    assert "set DESK_TOKEN" in capsys.readouterr().err


def test_our_own_customers_are_asked_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without any CRM."""
    url = f"sqlite+aiosqlite:///{tmp_path}/hotline.db"
    monkeypatch.setenv("HOTLINE_DATABASE_URL", url)

    async def seed() -> None:
        await upgrade(url)
        db = Database.open(url)
        await EmbeddedCrm(db).add_many([Customer("7", "林晓峰", (Phone("13812345678", "+8613812345678"),))])
        await db.close()

    asyncio.run(seed())
    path = tmp_path / "hotline.toml"
    path.write_text("", encoding="utf-8")
    assert main(["crm", "check", "--config", str(path), "--number", "+86 138 1234 5678"]) == 0
    assert "sure       林晓峰 (7): mobile, by 13812345678" in capsys.readouterr().out
