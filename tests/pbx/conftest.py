"""A real Asterisk, a morning of real calls through it, and what everybody who listened made of them."""

import asyncio
import fcntl
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
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

REPO = Path(__file__).parents[2]
SCENARIOS = ("a_answered", "d_blind", "c_abandon")
AGENTS = ("1001", "1002", "1003")
PASSWORD = "a-password-of-this-test"
PHONES = (1, 2, 11, 12, 13, 14)
"""Last octets of the lab's addresses: PBX, carrier, four phones."""
LINES = {"4007002505": ("01062802505",), "4008001234": ()}
TRUNK = "PJSIP/carrier"
VOICEMAIL = "CC400Voicemail"


@dataclass(frozen=True)
class Lab:
    """A running Asterisk of the PBX lab."""

    folder: Path
    prefix: Path
    net: str
    ami_port: int
    secret: str

    @property
    def recordings(self) -> Path:
        """What the PBX records, as this machine sees it."""
        return self.prefix / "root/var/spool/asterisk/monitor"

    def scenarios(self, out: Path, *names: str) -> list[dict[str, Any]]:
        """Real SIP calls, one scenario after the other; what the phones and the PBX's own records say of each."""
        tools = self.folder / "tools"
        where = ["--prefix", str(self.prefix), "--net", self.net, "--ami-port", str(self.ami_port)]
        driven = [sys.executable, str(tools / "scenarios.py"), *where, "--out", str(out), *names]
        subprocess.run(driven, check=True, timeout=150, capture_output=True)
        subprocess.run([sys.executable, str(tools / "gen_readme.py"), str(out)], check=True, timeout=30)
        return [json.loads((out / f"{name}.truth.json").read_text()) for name in names]


def _find_lab() -> Path:
    shared = Path(os.environ.get("HOTLINE_SHARED", REPO.parent / "shared"))
    folder = Path(os.environ.get("HOTLINE_PBX_LAB", shared / "pbx-lab"))
    if not (folder / "asterisk-lab").is_file():
        pytest.skip(f"no PBX lab at {folder}: set HOTLINE_PBX_LAB or HOTLINE_SHARED")
    if os.geteuid() != 0:
        pytest.skip("the PBX lab starts Asterisk by chroot and needs root")
    for program in ("apt-get", "dpkg-deb", "chroot"):
        if shutil.which(program) is None:
            pytest.skip(f"the PBX lab needs {program}, which this machine has not")
    return folder


def _bound(host: str, port: int, kind: socket.SocketKind) -> int:
    """The port that could be bound, 0 when it is taken."""
    with socket.socket(socket.AF_INET, kind) as probe:
        try:
            probe.bind((host, port))
        except OSError:
            return 0
        return int(probe.getsockname()[1])


def _free_net() -> int:
    for third in range(40, 100):
        if all(_bound(f"127.0.{third}.{last}", 5060, socket.SOCK_DGRAM) for last in PHONES):
            return third
    pytest.skip("no loopback net with free SIP ports")


def _lab(folder: Path, environment: dict[str, str], *command: str) -> None:
    done = subprocess.run(
        [folder / "asterisk-lab", *command],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    said = f"asterisk-lab {' '.join(command)}: {done.stderr.strip()[-300:]}"
    if done.returncode and command == ("install",):
        pytest.skip(f"no Asterisk can be had here, {said}")
    assert done.returncode == 0, said


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    """A real Asterisk on addresses and ports of its own; its folder is kept for the next run."""
    folder = _find_lab()
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "hotline"
    prefix = Path(os.environ.get("HOTLINE_PBX_PREFIX", cache / "asterisk-lab"))
    prefix.parent.mkdir(parents=True, exist_ok=True)
    with prefix.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # one run of these tests at a time
        third, ami_port = _free_net(), _bound("127.0.0.1", 0, socket.SOCK_STREAM)
        rtp = 30_000 + (third - 40) * 200
        environment = os.environ | {
            "ASTERISK_LAB_PREFIX": str(prefix),
            "ASTERISK_LAB_NET": f"127.0.{third}",
            "ASTERISK_LAB_AMI_PORT": str(ami_port),
            "ASTERISK_LAB_RTP": f"{rtp}-{rtp + 199}",
        }
        for command in ("install", "stop", "reset", "start"):
            _lab(folder, environment, command)
        found = re.search(r"^AMI_CRM_SECRET=(\S+)", (prefix / "secrets.env").read_text(), re.MULTILINE)
        assert found
        yield Lab(folder, prefix, f"127.0.{third}", ami_port, found[1])
        _lab(folder, environment, "stop")


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
