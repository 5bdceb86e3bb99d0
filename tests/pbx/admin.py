"""A lab's Asterisk set up as an admin does it: `hotline dialplan`'s files unchanged, and what its notes ask for.

Also who is there then: phones of the lab's own tools, and an ear with the printed AMI user.
"""

import asyncio
import contextlib
import importlib
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from hotline.clock import now
from telephony.ami import AmiSettings
from telephony.call import Arrived, Fact
from telephony.events import Snapshot
from telephony.lines import Lines
from telephony.link import AmiLink, LinkState
from telephony.tracker import Tracker
from tests.pbx.labs import LINES, TRUNK, VOICEMAIL, Lab

F = TypeVar("F", bound=Fact)

SECRET = "a-secret-of-this-test"
TOKEN = "a-token-of-this-test"
AGENTS = ("1001", "1002", "1003")
CONFIG = """
[[pbx]]
name = "lab"
port = {port}
user = "hotline"
trunks = ["PJSIP/carrier"]
voicemail_event = "CC400Voicemail"
{pbx}
[[line]]
number = "4007002505"
aliases = ["01062802505"]
[line.routing]
queue = "support"
menu = {{ 1 = "sales" }}
[[line]]
number = "4008001234"
[line.routing]
queue = "ringall"
vip_announcement = "beep"
[[agent]]
extension = "1001"
[[agent]]
extension = "1002"
[[agent]]
extension = "1003"
[recordings]
root = "{root}"
[routing]
http_port = {asked}
[dialplan]
recordings = "/var/spool/asterisk/monitor"
notice = "beep"
menu_prompt = "beep"
message_prompt = "beep"
queue_wait = 1
agent_ring = 1
{dialplan}
"""


@contextmanager
def port_of_nobody() -> Iterator[int]:
    """A port that answers nobody and that nobody else gets meanwhile."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield int(held.getsockname()[1])


def printed(lab: Lab, folder: Path, asked: int, *args: str, pbx: str = "", dialplan: str = "") -> list[Path]:
    """The files as the command writes them."""
    config = folder / "hotline.toml"
    config.write_text(
        CONFIG.format(port=lab.ami_port, root=lab.recordings, asked=asked, pbx=pbx, dialplan=dialplan), encoding="utf-8"
    )
    code, said = hotline("dialplan", "--config", str(config), "--write", str(folder / "out"), *args)
    assert code == 0, said
    return [Path(line) for line in said.splitlines()]


def hotline(*args: str) -> tuple[int, str]:
    """A command with the secrets of these tests: its exit code, and what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "hotline", *args],
        env=os.environ
        | {
            "HOTLINE_PBX_LAB_SECRET": SECRET,
            "HOTLINE_PBX_LAB_RECORDER_SECRET": SECRET,
            "HOTLINE_ROUTING_TOKEN": TOKEN,
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout or done.stderr


def install(lab: Lab, files: list[Path]) -> None:
    """What the notes say: copy, two includes, the trunk's context, the modules that the lab does not load by itself."""
    for file in files:
        if file.suffix == ".conf":
            shutil.copy(file, lab.etc)
    add(lab, "manager.conf", "#include hotline_manager.conf")
    add(lab, "extensions.conf", "#include hotline_extensions.conf")
    endpoints = lab.etc / "pjsip.conf"
    endpoints.write_text(endpoints.read_text().replace("context = from-carrier", "context = hotline-trunk"))
    for module in ("res_curl", "func_curl", "func_extstate"):
        add(lab, "modules.conf", f"load = {module}.so")
        lab.cli(f"module load {module}.so")
    lab.reload()


def add(lab: Lab, name: str, lines: str) -> None:
    """Add lines to a file of the PBX."""
    with (lab.etc / name).open("a", encoding="utf-8") as file:
        file.write(f"\n{lines}\n")


@dataclass
class Phones:
    """The carrier and three agents of a lab. ``answer``: seconds after which a phone answers, others ring on.

    ``reject``: phones that are busy.
    """

    carrier: Any
    answer: dict[str, float] = field(default_factory=dict)
    reject: set[str] = field(default_factory=set)
    agents: dict[str, Any] = field(default_factory=dict)

    async def ring(self, call: Any) -> None:
        """An agent's phone is called."""
        user = call.phone.user
        if user in self.reject:
            call.reject()
            return
        call.ringing()
        if user in self.answer:
            await asyncio.sleep(self.answer[user])
            if call.state == "ringing":
                await call.answer()

    async def call(self, number: str, **how: Any) -> Any:
        """Somebody calls from outside."""
        how.setdefault("from_user", "13812345678")
        return await self.carrier.call(number, **how)


@asynccontextmanager
async def phones(lab: Lab) -> AsyncIterator[Phones]:
    """Phones on the lab's addresses; they make sound."""
    sys.path.insert(0, str(lab.folder / "tools"))
    sipua = importlib.import_module("sipua")
    sys.path.remove(str(lab.folder / "tools"))
    sound = sipua.load_alaw(str(next((lab.root / "usr/share/asterisk/sounds").glob("en*/demo-thanks.wav"))))
    made = Phones(None)
    async with AsyncExitStack() as stack:
        for last, user in ((2, "carrier"), (11, "1001"), (12, "1002"), (13, "1003")):
            phone = sipua.Phone(user, f"{lab.net}.{last}", (f"{lab.net}.1", 5060), audio=sound, on_call=made.ring)
            await phone.start()
            stack.callback(phone.close)
            made.carrier = made.carrier or phone
            made.agents[user] = phone
        yield made
        pacer = sipua.PACER.task
        if pacer is not None:
            pacer.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await pacer


@dataclass
class Ear:
    """What the service would hear by the printed AMI user."""

    facts: list[Fact] = field(default_factory=list)
    link: AmiLink | None = None
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def hear(self, facts: list[Fact]) -> None:
        """Take what was told."""
        self.facts += facts
        self._news.set()

    async def first(self, kind: type[F], call: str, within: float = 8.0) -> F:
        """The first fact of a kind of a call, waited for."""
        async with asyncio.timeout(within):
            while True:
                self._news.clear()
                for fact in self.facts:
                    if isinstance(fact, kind) and fact.call.linkedid == call:
                        return fact
                await self._news.wait()

    async def next_call(self, known: int, within: float = 5.0) -> str:
        """The Linkedid of the call after the first ``known`` ones."""
        async with asyncio.timeout(within):
            while True:
                self._news.clear()
                arrived = [fact for fact in self.facts if isinstance(fact, Arrived)]
                if len(arrived) > known:
                    return arrived[known].call.linkedid
                await self._news.wait()

    @property
    def arrivals(self) -> int:
        """How many calls there were."""
        return sum(isinstance(fact, Arrived) for fact in self.facts)


@asynccontextmanager
async def listening(lab: Lab) -> AsyncIterator[Ear]:
    """An ear that is logged in."""
    ear, up = Ear(), asyncio.Event()
    tracker = Tracker("lab", Lines(LINES), (TRUNK,), voicemail_event=VOICEMAIL)
    link = ear.link = AmiLink(
        AmiSettings(name="lab", host="127.0.0.1", port=lab.ami_port, user="hotline", secret=SECRET), now
    )

    async def read() -> None:
        async for item in link:
            if isinstance(item, Snapshot):
                ear.hear(tracker.resync(item, now()))
                up.set()
            elif not isinstance(item, LinkState):
                ear.hear(tracker.feed(item, now()))

    tasks = [asyncio.get_running_loop().create_task(work) for work in (link.run(), read())]
    try:
        async with asyncio.timeout(10):
            await up.wait()
        yield ear
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


@asynccontextmanager
async def wire(lab: Lab) -> AsyncIterator[bytearray]:
    """Everything the PBX tells a user who may read all, as bytes."""
    secret = re.sub(r"\s", "", lab.secrets["AMI_FULL_SECRET"])
    reader, writer = await asyncio.open_connection("127.0.0.1", lab.ami_port)
    await reader.readuntil(b"\r\n")
    writer.write(f"Action: Login\r\nUsername: full\r\nSecret: {secret}\r\n\r\n".encode())
    heard, logged_in = bytearray(), asyncio.Event()

    async def read() -> None:
        while data := await reader.read(65536):
            heard.extend(data)
            logged_in.set()

    task = asyncio.get_running_loop().create_task(read())
    try:
        async with asyncio.timeout(5):
            await logged_in.wait()
        yield heard
    finally:
        task.cancel()
        writer.transport.abort()
