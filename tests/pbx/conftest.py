"""A real Asterisk, a morning of real calls through it, and what everybody who listened made of them."""

import asyncio
import json
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from hotline.clock import now
from telephony.ami import AmiSettings
from telephony.call import Fact
from telephony.events import Snapshot
from telephony.lines import Lines
from telephony.link import AmiLink, LinkState
from telephony.tracker import Tracker
from tests.conftest import CannotRunError, RedisServer
from tests.pbx.labs import LINES, TRUNK, VOICEMAIL, Lab, NoLabError, running

SCENARIOS = ("a_answered", "d_blind", "c_abandon")
AGENTS = ("1001", "1002", "1003")
PASSWORD = "a-password-of-this-test"
OwnLab = Callable[..., Lab]
"""own_lab(name, suite="22") -> Lab."""


def _started(stack: ExitStack, suite: str) -> Lab:
    try:
        return stack.enter_context(running(suite))
    except NoLabError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    """An Asterisk 22 with the lab's configuration, the same for all tests: leave its configuration alone."""
    with ExitStack() as stack:
        yield _started(stack, "22")


@pytest.fixture(scope="session")
def lab16() -> Iterator[Lab]:
    """An Asterisk 16, otherwise like ``lab``."""
    with ExitStack() as stack:
        yield _started(stack, "16")


@pytest.fixture(scope="module")
def own_lab() -> Iterator[OwnLab]:
    """``own_lab("doctor", suite="22")``: a started Asterisk that this module alone has and may change.

    The same name gives the same one again, as it stands. Stopped at the module's end.
    """
    with ExitStack() as stack:
        labs: dict[tuple[str, str], Lab] = {}

        def give(name: str, suite: str = "22") -> Lab:
            if (name, suite) not in labs:
                labs[name, suite] = _started(stack, suite)
            return labs[name, suite]

        yield give


@pytest.fixture(scope="module")
def own_redis() -> Iterator[RedisServer]:
    """A Redis-speaking server for all tests of a module."""
    try:
        server = RedisServer()
        server.start()
    except (CannotRunError, OSError) as error:
        pytest.skip(str(error))
    yield server
    server.remove()


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


@pytest.fixture(scope="session")
def morning(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Morning:
    """The scenarios once, with a bare listener and the whole service listening side by side."""
    return asyncio.run(_morning(lab, tmp_path_factory.mktemp("morning")))


async def _morning(lab: Lab, folder: Path) -> Morning:
    day = Morning()
    async with _listening(lab, day), _serving(lab, folder, day) as (address, boss), asyncio.TaskGroup() as group:
        ready = asyncio.Barrier(len(AGENTS) + 1)
        pages = [group.create_task(_page(address, agent, ready, day)) for agent in AGENTS]
        await ready.wait()
        truths = await asyncio.to_thread(lab.scenarios, folder / "calls", *SCENARIOS)
        day.truths = dict(zip(SCENARIOS, truths, strict=True))
        for truth in truths:
            await _collect(boss, linkedid(truth), day)
        async with boss.get("/api/tickets") as answer:
            day.tickets = (await answer.json())["tickets"]
        for page in pages:
            page.cancel()
    return day


@asynccontextmanager
async def _listening(lab: Lab, day: Morning) -> AsyncIterator[None]:
    """AmiLink and Tracker alone, as the recommended AMI user."""
    settings = AmiSettings(name="lab", host="127.0.0.1", port=lab.ami_port, user="crmfiltered", secret=lab.secret)
    link = AmiLink(settings, now)
    tracker = Tracker("lab", Lines(LINES), (TRUNK,), voicemail_event=VOICEMAIL)

    async def read() -> None:
        async for item in link:
            if isinstance(item, Snapshot):
                day.facts += tracker.resync(item, now())
            elif not isinstance(item, LinkState):
                day.facts += tracker.feed(item, now())

    tasks = [asyncio.get_running_loop().create_task(work) for work in (link.run(), read())]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        counts = link.counts
        day.refused = {"forged": counts.forged_lines + counts.forged_events, "dropped": counts.dropped}


@asynccontextmanager
async def _serving(lab: Lab, folder: Path, day: Morning) -> AsyncIterator[tuple[str, aiohttp.ClientSession]]:
    """``hotline serve`` as an operator starts it; its address, and a supervisor who is logged in."""
    config = folder / "hotline.toml"
    config.write_text(
        f"""
        [server]
        port = 0
        [[pbx]]
        name = "lab"
        port = {lab.ami_port}
        user = "crmfiltered"
        trunks = ["{TRUNK}"]
        voicemail_event = "{VOICEMAIL}"
        [[line]]
        number = "4007002505"
        aliases = ["01062802505"]
        [[line]]
        number = "4008001234"
        [recordings]
        root = "{lab.recordings}"
        [transcription]
        engine = "none"
        """,
        encoding="utf-8",
    )
    customers = folder / "customers.csv"
    customers.write_text("客户编号,姓名,电话,级别\nC1,张伟,138 1234 5678,金卡\n", encoding="utf-8")
    await _hotline(folder, "migrate")
    await _hotline(folder, "import", str(customers))
    for agent in AGENTS:
        await _hotline(folder, "user", "add", f"u{agent}", "--extension", agent, "--password-stdin")
    await _hotline(folder, "user", "add", "boss", "--role", "supervisor", "--password-stdin")
    with (folder / "service.log").open("wb") as log:
        service = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "hotline", "serve", "--config", str(config)),
            env=os.environ | {"HOTLINE_PBX_LAB_SECRET": lab.secret},
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
        )
    try:
        assert service.stdout is not None
        async with asyncio.timeout(30):
            said = (await service.stdout.readuntil(b"\n")).decode()
        found = re.search(r"http://\S+", said)
        assert found, said
        async with _logged_in(found[0], "boss") as boss:
            yield found[0], boss
    finally:
        if service.returncode is None:
            service.send_signal(signal.SIGINT)
        async with asyncio.timeout(20):
            day.exit_code = await service.wait()
        day.log = (folder / "service.log").read_text(encoding="utf-8", errors="replace")


async def _hotline(folder: Path, command: str, *args: str) -> None:
    """One command with the test's configuration."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "hotline", command, "--config", str(folder / "hotline.toml"), *args),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate(f"{PASSWORD}\n".encode())
    assert process.returncode == 0, said.decode()


@asynccontextmanager
async def _logged_in(address: str, login: str) -> AsyncIterator[aiohttp.ClientSession]:
    """A browser after the login."""
    jar = aiohttp.CookieJar(unsafe=True)  # an address of loopback is no name
    async with aiohttp.ClientSession(address, cookie_jar=jar, headers={"Origin": address}) as session:
        async with session.post("/login", data={"login": login, "password": PASSWORD}, allow_redirects=False) as answer:
            assert answer.status == 303, await answer.text()
        yield session


async def _page(address: str, agent: str, ready: asyncio.Barrier, day: Morning) -> None:
    """An agent's open page: everything it is told, and when."""
    async with _logged_in(address, f"u{agent}") as session, session.ws_connect("/ws") as page:
        told = day.pages[agent] = []
        await ready.wait()
        async for message in page:
            told.append((now(), json.loads(message.data)))  # noqa: PERF401 - until cancelled


async def _collect(boss: aiohttp.ClientSession, call: str, day: Morning) -> None:
    """The call's page once its recording hangs on it, and the recording as a browser gets it."""
    async with asyncio.timeout(30):
        while True:
            async with boss.get(f"/api/calls/lab:{call}") as answer:
                assert answer.status == 200, await answer.text()
                told = await answer.json()
            if told["recordings"]:
                break
            await asyncio.sleep(0.2)
    day.calls[call] = told
    day.heard[call] = {}
    for leg, url in told["recordings"][0]["legs"].items():
        async with boss.get(url) as answer:
            day.heard[call][leg] = await answer.read()
