"""A PBX that plays captured calls only as far as a test says, and a running service that listens to it.

The streams are those below ``tests/captures``: real calls through a real Asterisk, told again with fresh names and the
time of day over a real AMI socket (``hotline.demo``). Times in a test are seconds of the capture, as its ``.facts``
file has them.
"""

import asyncio
import gzip
import json
import random
import re
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import soundfile
from argon2 import PasswordHasher
from sqlalchemy import text

from crm.customer import Contract, Customer, Phone, Purchase
from hotline import demo
from hotline.app import Service
from hotline.clock import now
from hotline.demo.floor import Floor
from hotline.demo.manager import DemoAddress, ManagerServer
from hotline.demo.story import Message, Names, Retelling, load_stories, value
from hotline.demo.tape import RATE, wav_header
from hotline.settings import Settings, Site, Transcription
from hotline.telephony_settings import Agent, Line, Pbx, Policy, Recordings
from storage.customers import EmbeddedCrm
from telephony.call import CallKey
from tests.screenpop.browser import Server

CAPTURES = Path(__file__).parent.parent / "captures"
PASSWORD = "correct horse"
PEOPLE = {  # login: name, role, extension
    "wang": ("王小雨", "agent", "1001"),
    "li": ("李思远", "agent", "1002"),
    "chen": ("陈静", "agent", "1003"),
    "boss": ("周敏", "supervisor", None),
    "root": ("管理员", "admin", None),
    "shen": ("审计员", "auditor", None),
}
KNOWN = "13812345678"
CUSTOMER = Customer(
    "MJ0001",
    "林晓峰",
    (Phone(KNOWN, f"+86{KNOWN}"),),
    level="金卡",
    vip=True,
    owner="王小雨",
    note="家里有老人",
    purchases=(Purchase("客厅空调"),),
    contracts=(Contract("空调整机保修"),),
)
SAID = ("您好，美家电器。", "我家客厅的空调不制冷了，我姓林。", "好的，我给您登记上门维修。")
RECORDED = 30.0
"""Seconds of a recording."""


@dataclass
class Played:
    """One capture as it is being played."""

    pbx: "StagePbx"
    messages: list[tuple[float, Message]]  # seconds of the capture, event
    told: Retelling
    other: Mapping[str, str]
    key: str = ""
    recordings: list[Path] = field(default_factory=list)

    @property
    def call(self) -> CallKey:
        """The call's name."""
        return CallKey.parse(self.key)

    def upto(self, seconds: float) -> float:
        """Tell what had happened by then; when that was written to the service, epoch seconds."""
        while self.messages and self.messages[0][0] <= seconds:
            _, message = self.messages.pop(0)
            at = now()
            day = time.strftime("%Y/%m/%d", time.localtime(at))
            message = self.told.tell(tuple((key, self._changed(words)) for key, words in message), at, day)
            if not self.key and (linked := value(message, "Linkedid")):
                self.key = f"stage:{linked}"
            if value(message, "UserEvent") == "CC400Recording":
                self.recordings.append(self.pbx.root / (value(message, "File") or "").removesuffix(".wav"))
            self.pbx.tell(message)
        return now()

    def end(self) -> float:
        """Tell the rest; what was recorded is there, and marked complete."""
        for base in self.recordings:
            self.pbx.record(base)
        return self.upto(float("inf"))

    def _changed(self, words: str) -> str:
        for old, fresh in self.other.items():
            words = words.replace(old, fresh)
        return words


class StagePbx:
    """An AMI server on loopback. ``root``: where its recordings are."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._floor = Floor(_waiting=defaultdict(list))
        self._names = Names(random.Random(6))
        self._manager = ManagerServer(self._floor, now, lambda: None)
        (self._legs,) = (story.legs for story in load_stories() if story.name == "repair")

    async def open(self) -> DemoAddress:
        """Listen."""
        return await self._manager.open()

    async def close(self) -> None:
        """Listen no more."""
        await self._manager.close()

    def tell(self, message: Message) -> None:
        """An event."""
        self._floor.follow(message, now())
        self._manager.tell(message)

    def play(self, name: str, release: str = "22", other: Mapping[str, str] | None = None) -> Played:
        """A captured situation, nothing of it told yet; ``other``: words in it (numbers) that shall be others."""
        stream = gzip.decompress((CAPTURES / name / f"asterisk{release}.ami.gz").read_bytes()).decode()
        messages: list[tuple[float, Message]] = []
        began = at = 0.0
        for part in re.split(r"\r\n\r\n", stream):
            lines = (line.partition(": ") for line in part.strip("\r\n").split("\r\n") if line)
            message = tuple((key.rstrip(":"), words) for key, _, words in lines)
            if value(message, "Event") is None:
                continue
            at = float(value(message, "Timestamp") or at)
            if not began and value(message, "Event") == "Newchannel":
                began = at
            messages.append((at - began if began else 0.0, message))
        return Played(self, messages, Retelling(self._names), other or {})

    def record(self, base: Path) -> None:
        """Both legs, their sum and the mark."""
        base.parent.mkdir(parents=True, exist_ok=True)
        for suffix, leg in (("", self._legs[0]), ("-rx", self._legs[0]), ("-tx", self._legs[1])):
            samples, _ = soundfile.read(leg, frames=int(RECORDED * RATE), dtype="int16")
            data = samples.astype("<i2").tobytes()
            base.with_name(f"{base.name}{suffix}.wav").write_bytes(wav_header(len(data)) + data)
        base.with_name(f"{base.name}.done").touch()


@dataclass
class Stage:
    """The running service, its PBX and the server of its pages."""

    service: Service
    pbx: StagePbx
    server: Server

    async def rows(self, query: str, **values: Any) -> list[Any]:
        """What the database file says."""
        async with self.service.db.read() as connection:
            return list((await connection.execute(text(query), values)).all())

    async def until(self, query: str, **values: Any) -> list[Any]:
        """The rows, once there are some: the service writes them beside what a test does."""
        async with asyncio.timeout(30):
            while not (rows := await self.rows(query, **values)):  # noqa: ASYNC110 - has no event of its own
                await asyncio.sleep(0.02)
        return rows


def settings_of(folder: Path, address: DemoAddress, root: Path, *, speech: bool) -> Settings:
    """The configuration: the captures' company, and a speech engine that says its lines where one is wanted."""
    script = folder / "script.json"
    script.write_text(json.dumps({"texts": SAID}, ensure_ascii=False), encoding="utf-8")
    pbx = Pbx(
        name="stage",
        host=address.host,
        port=address.port,
        user=address.user,
        trunks=demo.TRUNKS,
        voicemail_event=demo.VOICEMAIL_EVENT,
    )
    lines = tuple(
        Line(number=one.number, aliases=one.aliases, name=one.name, area=one.area, policy=Policy(wrap_up=600))
        for one in demo.LINES
    )
    return Settings(
        data=folder / "var",
        site=Site(name="美家电器"),
        pbx=(pbx,),
        line=lines,
        agent=tuple(Agent(extension=one.extension, name=one.name) for one in demo.AGENTS),
        recordings=Recordings(root=root),
        transcription=Transcription(engine="scripted", model=script) if speech else Transcription(engine="none"),
    )


@asynccontextmanager
async def stage(folder: Path, database_url: str, *, speech: bool = False) -> AsyncIterator[Stage]:
    """A service that hears its PBX, with people and one customer; everything is ended with the block."""
    root = folder / "monitor"
    root.mkdir()
    pbx = StagePbx(root)
    address = await pbx.open()
    settings = settings_of(folder, address, root, speech=speech)
    settings = settings.model_copy(update={"database": settings.database.model_copy(update={"url": database_url})})
    service = Service(settings, now, {"stage": address.secret})
    service.hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    hashed = service.hasher.hash(PASSWORD)
    for login, (name, role, extension) in PEOPLE.items():
        await service.accounts.add(login, name=name, role=role, password=hashed, now=now(), extension=extension)
    await EmbeddedCrm(service.db).add_many([CUSTOMER])
    server = Server(service.build())
    await server.open()
    try:
        async with asyncio.timeout(20):
            while service.feeds[0].report()["link"] != "up":  # noqa: ASYNC110 - has no event of its own
                await asyncio.sleep(0.01)
        yield Stage(service, pbx, server)
    finally:
        await server.runner.cleanup()
        await pbx.close()
    assert service.crew.error is None
