"""A real Tryton 7.8 for tests: the CRM lab's, used as it runs or else installed and started (minutes, once).

What is added to the lab's: a company, a project for tickets with its statuses, and users of our own with ordinary
rights, as a company would have them for us. Records that tests make stay; nothing of the lab's own is changed.
"""

import asyncio
import importlib.util
import os
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from crm.http import BULK, Http
from crm.tryton_rpc import Rpc

REPO = Path(__file__).parents[2]
DATABASE = "tryton"
PROJECT = "客服工单"
PLAIN, BARE = "hotline", "bare"
PASSWORDS = {"admin": "admin", PLAIN: "hotline-in-the-lab", BARE: "bare-in-the-lab"}
GROUPS = {PLAIN: ["Project Administration", "Sales"], BARE: []}
STATUSES = {"新建": None, "处理中": None, "已解决": 1.0, "已关闭": 1.0}


class NoTrytonError(Exception):
    """There can be no Tryton here: the text says why."""


class Screen:
    """Tryton as one of its users, by default its administrator."""

    def __init__(self, url: str, login: str = "admin", language: str = "zh_CN") -> None:
        self._http = Http("Tryton", url)
        self._rpc = Rpc(
            self._http,
            database=DATABASE,
            user=login,
            password=lambda: PASSWORDS[login],
            language=language,
            clock=time.time,  # noqa: TID251 - a real system has a real clock
        )

    def of_company(self, company: int) -> None:
        """See with its eyes."""
        self._rpc.company = company

    async def do(self, model: str, method: str, *params: Any) -> Any:
        """Call a method."""
        return await self._rpc.call(model, method, *params, pace=BULK)

    async def wizard(self, name: str, step: str, *params: Any) -> Any:
        """Go a step in a wizard."""
        return await self._rpc.call(name, step, *params, pace=BULK, kind="wizard")

    async def create(self, model: str, **values: Any) -> int:
        """A new record."""
        made = await self.do(model, "create", [values])
        return int(made[0])

    async def write(self, model: str, record: int | str, **values: Any) -> None:
        """Change one."""
        await self.do(model, "write", [int(record)], values)

    async def read(self, model: str, record: int | str, *fields: str) -> dict[str, Any]:
        """One record."""
        [row] = await self.do(model, "read", [int(record)], list(fields))
        return dict(row)

    async def find(self, model: str, *domain: Any) -> list[int]:
        """The ids of the records that meet a condition."""
        return [int(each) for each in await self.do(model, "search", list(domain), 0, None, None)]

    async def close(self) -> None:
        """End the session."""
        await self._rpc.leave()
        await self._http.close()


@dataclass(frozen=True, slots=True)
class TrytonLab:
    """A running Tryton. ``tools``: the CRM lab's folder; ``home``: where it keeps its systems."""

    tools: Path
    home: Path
    url: str

    def labdata(self) -> ModuleType:
        """The labelled customers: ``rows(1000)``."""
        spec = importlib.util.spec_from_file_location("labdata", self.tools / "labdata.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    def dsn(self) -> str:
        """Its database, as PostgreSQL's clients name one."""
        lines = (self.home / "trytond.conf").read_text(encoding="utf-8").splitlines()
        return f"{next(line.partition('=')[2].strip() for line in lines if line.startswith('uri'))}/{DATABASE}"


@contextmanager
def running() -> Iterator[TrytonLab]:
    """A Tryton; stopped afterwards if it was started for this. Raises NoTrytonError."""
    tools = Path(os.environ.get("HOTLINE_SHARED", REPO.parent / "shared")) / "crm-lab"
    if not (tools / "tryton-lab").exists():
        raise NoTrytonError(f"no CRM lab at {tools} (HOTLINE_SHARED names the folder that has it)")
    home = Path(os.environ.get("LAB", "/var/tmp/crm-lab"))  # noqa: S108 - the lab's own default
    lab = TrytonLab(tools, home, f"http://127.0.0.1:{os.environ.get('TRYTON_PORT', '18000')}")
    ours = not _answers(lab.url)
    if ours:
        _run(tools, "install", 600)
        _run(tools, "start", 60)
    try:
        _run(tools, "seed", 120)
        asyncio.run(_prepare(lab))
        yield lab
    finally:
        if ours:
            _run(tools, "stop", 60)


async def _prepare(lab: TrytonLab) -> None:
    """Company, statuses, project and users, those that are not there yet."""
    admin = Screen(lab.url)
    try:
        company = await _company(admin)
        for name, progress in STATUSES.items():
            if not await admin.find("project.work.status", ["name", "=", name]):
                types = ["project", "task"]
                await admin.create("project.work.status", name=name, progress=progress, types=types)
        if not await admin.find("project.work", ["name", "=", PROJECT], ["parent", "=", None]):
            [status] = await admin.find("project.work.status", ["name", "=", "新建"])
            await admin.create("project.work", name=PROJECT, type="project", company=company, status=status)
        for login, names in GROUPS.items():
            if not await admin.find("res.user", ["login", "=", login]):
                user = {"name": login, "login": login, "password": PASSWORDS[login]}
                groups = await _groups(lab, names)
                of = {"companies": [["add", [company]]], "company": company, "groups": [["add", groups]]}
                await admin.create("res.user", **user, **of)
    finally:
        await admin.close()


async def _company(admin: Screen) -> int:
    [yuan] = await admin.find("currency.currency", ["code", "=", "CNY"]) or [
        await admin.create("currency.currency", name="人民币", code="CNY", symbol="¥")
    ]
    found = await admin.find("company.company")
    if not found:
        party = await admin.create("party.party", name="客服中心")
        found = [await admin.create("company.company", party=party, currency=yuan)]
    [me] = await admin.find("res.user", ["login", "=", "admin"])
    await admin.write("res.user", me, companies=[["add", found]], company=found[0])
    admin.of_company(found[0])
    return found[0]


async def _groups(lab: TrytonLab, names: list[str]) -> list[int]:
    """By their English names."""
    english = Screen(lab.url, language="en")
    try:
        return await english.find("res.group", ["name", "in", names]) if names else []
    finally:
        await english.close()


def _run(tools: Path, verb: str, within: float) -> None:
    command = [str(tools / "tryton-lab"), verb]
    try:
        done = subprocess.run(command, timeout=within, capture_output=True, text=True, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NoTrytonError(f"no Tryton: {' '.join(command)}: {error}") from error
    if done.returncode:
        raise NoTrytonError(f"no Tryton: {' '.join(command)} ended with {done.returncode}: {done.stderr[-300:]}")


def _answers(url: str) -> bool:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{url}/", timeout=5):
            return True
    except urllib.error.HTTPError:  # it has no page there, and says so
        return True
    except (OSError, urllib.error.URLError):
        return False
