"""A service on a scratch folder, with the demo's company, a PBX that is up and a receiver of webhooks.

Its clock stands still and is put forward by hand: the same names at the same times in every run.
"""

import base64
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web
from argon2 import PasswordHasher

from hotline import demo
from hotline.app import Service
from hotline.crm_settings import Crm, Push
from hotline.demo.floor import Floor
from hotline.demo.manager import USER, ManagerServer
from hotline.login_settings import DeskLogin
from hotline.newcomer import bring_customers
from hotline.settings import Settings, Site, Transcription
from hotline.telephony_settings import Agent, Line, Pbx, Policy, Proposed, Recordings
from storage.migrate import upgrade
from transcription.account import Category, Urgency

PASSWORD = "only for these pictures"  # noqa: S105 - of a service that ends with them
PBX = "main"
PEOPLE = {  # login: name, role, extension
    "wangxy": ("王小雨", "agent", "1001"),
    "lisy": ("李思远", "agent", "1002"),
    "chenj": ("陈静", "agent", "1003"),
    "zhoumin": ("周敏", "supervisor", None),
    "hexd": ("何晓东", "admin", None),
    "shenjl": ("沈佳丽", "auditor", None),
}
HOOK_SECRET = "HOTLINE_HOOK_SECRET"  # noqa: S105 - a variable's name
PAGES, HOOKS = 8470, 8971
"""Ports where they are free, as they stand in a picture."""


@dataclass
class Clock:
    """Epoch seconds, put forward by hand."""

    now: float

    def __call__(self) -> float:
        """What it says."""
        return self.now


@dataclass
class House:
    """The running service. ``refuse``: the webhooks' receiver says that it is out of order."""

    service: Service
    clock: Clock
    root: Path
    url: str = ""
    refuse: bool = False

    async def _take(self, request: web.Request) -> web.Response:
        self.clock.now += 0.04 + len(await request.read()) % 7 / 100  # it takes its time
        if self.refuse:
            return web.Response(status=503, text="Service Unavailable: deploying")
        return web.json_response({"accepted": True})


def settings_of(folder: Path, host: str, port: int, hooks: int) -> Settings:
    """The configuration, as a company would have it."""
    desk = DeskLogin(user=USER, pauses=("休息", "用餐", "会议", "培训"), originate=True, context="from-desk")
    pbx = Pbx(
        name=PBX,
        host=host,
        port=port,
        user=USER,
        trunks=demo.TRUNKS,
        voicemail_event=demo.VOICEMAIL_EVENT,
        desk=desk,
    )
    policy = Policy(wrap_up=90, proposals={Category.COMPLAINT: Proposed(urgency=Urgency.HIGH, owner="chenj")})
    return Settings(
        data=folder / "var",
        site=Site(name=demo.COMPANY),
        pbx=(pbx,),
        line=tuple(
            Line(number=one.number, aliases=one.aliases, name=one.name, area=one.area, policy=policy)
            for one in demo.LINES
        ),
        agent=tuple(Agent(extension=one.extension, name=one.name) for one in demo.AGENTS),
        recordings=Recordings(root=folder / "monitor"),
        transcription=Transcription(engine="none"),
        crm=Crm(push=(Push(kind="webhook", url=f"http://127.0.0.1:{hooks}/hotline", secret_env=HOOK_SECRET),)),
    )


@asynccontextmanager
async def opened(folder: Path, clock: Clock) -> AsyncIterator[House]:
    """The service with its people and customers; everything is ended with the block."""
    manager = ManagerServer(Floor(), clock, lambda: None)
    address = await manager.open()
    os.environ["HOTLINE_PBX_MAIN_DESK_SECRET"] = address.secret
    os.environ[HOOK_SECRET] = "whsec_" + base64.b64encode(bytes(32)).decode()
    receiver = web.Application()
    hooks = web.AppRunner(receiver, access_log=None)
    house_box: list[House] = []

    async def take(request: web.Request) -> web.Response:
        return await house_box[0]._take(request)  # noqa: SLF001 - its own receiver

    receiver.router.add_post("/hotline", take)
    await hooks.setup()
    port = await _listen(hooks, HOOKS)
    settings = settings_of(folder, address.host, address.port, port)
    settings.data.mkdir()
    (folder / "monitor").mkdir()
    await upgrade(settings.database_url)
    service = Service(settings, clock, {PBX: address.secret})
    service.hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    hashed = service.hasher.hash(PASSWORD)
    for login, (name, role, extension) in PEOPLE.items():
        await service.accounts.add(login, name=name, role=role, password=hashed, now=clock(), extension=extension)
    await bring_customers(service.embedded, settings.database_url)
    runner = web.AppRunner(service.build(), access_log=None)
    house = House(service, clock, folder / "monitor")
    house_box.append(house)
    await runner.setup()
    try:
        house.url = f"http://127.0.0.1:{await _listen(runner, PAGES)}"
        yield house
    finally:
        await runner.cleanup()
        await hooks.cleanup()
        await manager.close()


async def _listen(runner: web.AppRunner, port: int) -> int:
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
    except OSError:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
    bound: int = runner.addresses[0][1]
    return bound
