"""``hotline serve`` as an operator starts it, as often as a test wants, and the pages of the people who use it."""

import asyncio
import json
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from argon2 import PasswordHasher

from hotline.clock import now
from storage.accounts import Accounts
from storage.database import Database
from tests.pbx.labs import TRUNK, VOICEMAIL, Lab

AGENTS = ("1001", "1002", "1003")
BOSS = "boss"
PASSWORD = "a-password-of-this-test"


def pbx_toml(lab: Lab, name: str = "lab", port: int | None = None, more: str = "") -> str:
    """The configuration's table for one lab. ``port``: of a proxy before it; ``more``: further lines."""
    return f"""
        [[pbx]]
        name = "{name}"
        port = {port or lab.ami_port}
        user = "crmfiltered"
        secret_env = "SECRET_OF_{lab.ami_port}"
        trunks = ["{TRUNK}"]
        voicemail_event = "{VOICEMAIL}"
        {more}
        """


def cdr_toml(lab: Lab) -> str:
    """The line that names the PBX's own call records, for :func:`pbx_toml`. It writes them in this machine's zone."""
    zone = Path("/etc/localtime").resolve().as_posix().partition("zoneinfo/")[2] or "UTC"
    return f'cdr = {{ file = "{lab.cdr}", timezone = "{zone}", delay = 0.5 }}'


def site_toml(recordings: Path) -> str:
    """The rest of the configuration: the lab's numbers, its recordings, no speech."""
    return f"""
        [server]
        port = 0
        [[line]]
        number = "4007002505"
        aliases = ["01062802505"]
        [[line]]
        number = "4008001234"
        [recordings]
        root = "{recordings}"
        [transcription]
        engine = "none"
        """


async def hire(database_url: str) -> None:
    """Accounts for the lab's agents (u1001...) and an administrator."""
    db = Database.open(database_url)
    password = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    accounts = Accounts(db)
    for agent in AGENTS:
        await accounts.add(f"u{agent}", name=agent, role="agent", password=password, now=now(), extension=agent)
    await accounts.add(BOSS, name=BOSS, role="admin", password=password, now=now(), extension=None)
    await db.close()


@dataclass
class Service:
    """One ``hotline serve`` with a folder of its own, started and stopped as often as you like."""

    folder: Path
    config: str
    environment: dict[str, str]
    address: str = ""
    process: asyncio.subprocess.Process | None = None

    @property
    def log(self) -> str:
        """What it wrote on stderr since it was made."""
        return (self.folder / "service.log").read_text(encoding="utf-8", errors="replace")

    async def start(self) -> None:
        """Start it and wait until it takes requests; an address is kept from one start to the next."""
        self.folder.mkdir(parents=True, exist_ok=True)
        file = self.folder / "hotline.toml"
        port = self.address.rpartition(":")[2].strip("/") or "0"
        file.write_text(self.config.replace("port = 0", f"port = {port}"), encoding="utf-8")
        with (self.folder / "service.log").open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "hotline", "serve", "--config", str(file)),
                env=os.environ | self.environment,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
            )
        assert self.process.stdout is not None
        async with asyncio.timeout(90):
            said = (await self.process.stdout.read(4096)).decode()
        found = re.search(r"http://\S+", said)
        assert found, said + self.log
        self.address = found[0]

    async def listening(self) -> None:
        """Wait until it hears its PBXs and has been told what is there."""
        async with asyncio.timeout(30), aiohttp.ClientSession(self.address) as session:
            while not (await get(session, "/healthz"))["pbx"]:  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.05)
        await asyncio.sleep(0.3)  # for the answer to what the service asked the PBX first

    async def kill(self) -> None:
        """End it as a power cut would."""
        assert self.process is not None
        self.process.kill()
        await self.process.wait()

    async def stop(self) -> int:
        """Ctrl-C; its exit code, 0 when it never ran. What does not end within twenty seconds is killed."""
        if self.process is None:
            return 0
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGINT)
        try:
            async with asyncio.timeout(20):
                return await self.process.wait()
        except TimeoutError:
            self.process.kill()
            raise


def service(folder: Path, labs: Sequence[Lab], config: str, database_url: str, redis_url: str | None = None) -> Service:
    """A service, not started yet."""
    environment = {f"SECRET_OF_{lab.ami_port}": lab.secret for lab in labs} | {"HOTLINE_DATABASE_URL": database_url}
    if redis_url is not None:
        environment["HOTLINE_REDIS_URL"] = redis_url
    return Service(folder, config, environment)


@asynccontextmanager
async def serving(*services: Service) -> AsyncIterator[None]:
    """Services started beside each other; stopped in order at the end, whatever happened to them meanwhile."""
    try:
        await asyncio.gather(*(one.start() for one in services))
        yield
    finally:
        await asyncio.gather(*(one.stop() for one in services))


@asynccontextmanager
async def logged_in(address: str, login: str) -> AsyncIterator[aiohttp.ClientSession]:
    """A browser after the login."""
    jar = aiohttp.CookieJar(unsafe=True)  # an address of loopback is no name
    async with aiohttp.ClientSession(address, cookie_jar=jar, headers={"Origin": address}) as session:
        async with session.post("/login", data={"login": login, "password": PASSWORD}, allow_redirects=False) as answer:
            assert answer.status == 303, await answer.text()
        yield session


@dataclass
class Page:
    """An agent's open page on one service: what it is told and when, and what it shows.

    ``shown`` has every showing of a card: when it appeared, by call. A page that lost its connection comes back by
    itself, as a browser's does, and counts what is still there as not shown anew.
    """

    service: Service
    agent: str
    told: list[tuple[float, dict[str, Any]]] = field(default_factory=list)
    cards: dict[str, dict[str, Any]] = field(default_factory=dict)
    shown: dict[str, list[float]] = field(default_factory=dict)
    open: list[list[float]] = field(default_factory=list)  # from its first snapshot on, to the loss of the connection
    ready: asyncio.Event = field(default_factory=asyncio.Event)

    async def back(self) -> None:
        """Wait until it is open."""
        while not self.open or self.open[-1][1] != float("inf"):
            self.ready.clear()
            await self.ready.wait()

    def was_open(self, since: float, until: float) -> bool:
        """Whether the connection stood all that time."""
        return any(began <= since and until <= ended for began, ended in self.open)

    def story(self) -> str:
        """What it was told of cards, a line each, for whoever looks for a fault."""
        lines = []
        for at, said in self.told:
            cards = said.get("cards", [said["card"]] if "card" in said else [])
            what = " ".join(f"{card['call']}={card['state']}" for card in cards) or said.get("call", "")
            lines.append(f"{at:.3f} {said['type']} {what} {said.get('why', '')}")
        return "\n".join(lines)

    async def run(self) -> None:
        """Stay open until cancelled."""
        while True:
            try:
                async with logged_in(self.service.address, f"u{self.agent}") as me, me.ws_connect("/ws") as socket:
                    fresh = True
                    async for message in socket:
                        said = json.loads(message.data)
                        if fresh and said["type"] == "snapshot":  # before it is told who else sits there
                            self.open.append([now(), float("inf")])
                            fresh = False
                        self.take(said)
            except (aiohttp.ClientError, OSError):
                pass
            if self.open:
                self.open[-1][1] = min(self.open[-1][1], now())
            await asyncio.sleep(0.2)

    def take(self, said: dict[str, Any]) -> None:
        """One message."""
        self.told.append((now(), said))
        if said["type"] == "snapshot":
            cards = {card["call"]: card for card in said["cards"]}
            for call in cards.keys() - self.cards.keys():
                self.shown.setdefault(call, []).append(now())
            self.cards = cards
            self.ready.set()
        elif said["type"] == "card":
            if said["card"]["call"] not in self.cards:
                self.shown.setdefault(said["card"]["call"], []).append(now())
            self.cards[said["card"]["call"]] = said["card"]
        elif said["type"] == "gone":
            self.cards.pop(said["call"], None)


@asynccontextmanager
async def pages_of(*services: Service, agents: Sequence[str] = AGENTS) -> AsyncIterator[list[Page]]:
    """The page of every agent on every service, open while the block lasts."""
    pages = [Page(service, agent) for service in services for agent in agents]
    tasks = [asyncio.get_running_loop().create_task(page.run()) for page in pages]
    try:
        async with asyncio.timeout(30):
            for page in pages:
                await page.ready.wait()
        yield pages
    finally:
        for task in tasks:
            task.cancel()
        done, _ = await asyncio.wait(tasks)
        broken = [error for task in done if not task.cancelled() and (error := task.exception())]
        assert not broken, broken


async def get(session: aiohttp.ClientSession, path: str) -> Any:
    """An answer of the API that is there."""
    async with session.get(path) as answer:
        assert answer.status == 200, (path, answer.status, await answer.text())
        return await answer.json()
