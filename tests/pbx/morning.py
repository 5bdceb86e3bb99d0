"""A morning of real calls through a real Asterisk, and what everybody who listened made of them."""

import asyncio
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from storage.migrate import upgrade
from telephony.call import Fact
from tests.pbx.ears import listening
from tests.pbx.labs import Lab, running
from tests.pbx.service import BOSS, get, hire, logged_in, pages_of, pbx_toml, service, serving, site_toml
from tests.pbx.works import Tools

SCENARIOS = ("a_answered", "d_blind", "c_abandon")
SECONDS = 65


@dataclass
class Morning:
    """The calls as the phones knew them, and as they were told."""

    truths: dict[str, dict[str, Any]] = field(default_factory=dict)
    facts: list[Fact] = field(default_factory=list)
    pages: dict[str, list[tuple[float, dict[str, Any]]]] = field(default_factory=dict)
    calls: dict[str, dict[str, Any]] = field(default_factory=dict)
    tickets: list[dict[str, Any]] = field(default_factory=list)
    heard: dict[str, dict[str, bytes]] = field(default_factory=dict)
    refused: dict[str, int] = field(default_factory=dict)
    log: str = ""
    exit_code: int | None = None


def linkedid(truth: dict[str, Any]) -> str:
    """The one inbound call of a scenario."""
    (call,) = (call for call in truth["calls"] if call["is_inbound_400"])
    return str(call["linkedid"])


def work(tools: Tools) -> Morning:
    """The morning, on an Asterisk 22 of its own."""
    with running("22") as lab:
        return asyncio.run(spend(lab, tools.folder))


async def spend(lab: Lab, folder: Path) -> Morning:
    """The scenarios once, with a bare listener and the whole service listening side by side."""
    day = Morning()
    url = f"sqlite+aiosqlite:///{folder / 'hotline.db'}"
    one = service(folder, [lab], pbx_toml(lab) + site_toml(lab.recordings), url)
    await upgrade(url)
    await _import(url, folder)
    await hire(url)
    async with listening(lab) as (ear,):
        async with serving(one):
            async with pages_of(one) as pages, logged_in(one.address, BOSS) as boss:
                truths = await asyncio.to_thread(lab.scenarios, folder / "calls", *SCENARIOS)
                day.truths = dict(zip(SCENARIOS, truths, strict=True))
                for truth in truths:
                    await _collect(boss, linkedid(truth), day)
                day.tickets = (await get(boss, "/api/tickets"))["tickets"]
            day.pages = {page.agent: page.told for page in pages}
            day.exit_code = await one.stop()
        day.log = one.log
        day.facts, counts = ear.facts, ear.link.counts
        day.refused = {"forged": counts.forged_lines + counts.forged_events, "dropped": counts.dropped}
    return day


async def _import(url: str, folder: Path) -> None:
    """One customer, as an operator imports him."""
    customers = folder / "customers.csv"
    customers.write_text("客户编号,姓名,电话,级别\nC1,张伟,138 1234 5678,金卡\n", encoding="utf-8")
    (folder / "none.toml").touch()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "hotline", "import", "--config", str(folder / "none.toml"), str(customers)),
        env=os.environ | {"HOTLINE_DATABASE_URL": url},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()


async def _collect(boss: aiohttp.ClientSession, call: str, day: Morning) -> None:
    """The call's page once its recording hangs on it, and the recording as a browser gets it."""
    async with asyncio.timeout(30):
        while not (told := await get(boss, f"/api/calls/lab:{call}"))["recordings"]:  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.2)
    day.calls[call] = told
    day.heard[call] = {}
    for leg, url in told["recordings"][0]["legs"].items():
        async with boss.get(url) as answer:
            day.heard[call][leg] = await answer.read()
