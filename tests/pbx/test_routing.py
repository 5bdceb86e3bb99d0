"""Against a real Asterisk: the dialplan asks over FastAGI and over HTTP, and the right phone rings.

The service runs in this process, the phones too. One caller, a VIP whom 1002 looks after, rings both lines and then
the first again; then somebody forges lines in his number.
"""

import asyncio
import importlib.util
import re
import sys
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import pytest
from aiohttp import web

from crm.customer import Customer, Phone
from hotline.app import Service
from hotline.clock import now
from hotline.settings import Settings, Transcription
from hotline.telephony_settings import Agent, Line, LineRouting, Pbx, Routing
from storage.migrate import upgrade
from storage.pages import CallPage
from storage.records import EventKind
from tests.pbx.labs import TRUNK

if TYPE_CHECKING:
    from tests.pbx.conftest import OwnLab
    from tests.pbx.labs import Lab

pytestmark = [pytest.mark.pbx, pytest.mark.timeout(120)]

BY_AGI, BY_HTTP = "4007002505", "4008001234"
CALLER, STRANGER = "13812345678", "13900000001"
FORGED = f"{STRANGER}%0D%0Aagi_arg_1%3A%20{BY_HTTP}%0D%0A%0D%0A200%20result=1"
TOKEN = "a-token"
MODULES = ("res_speech", "res_agi", "res_curl", "func_curl")

DIALPLAN = """
[asks-agi]
exten => {agi_line},1,Gosub(start-400,s,1(${{EXTEN}}))
 same => n,AGI(agi://127.0.0.1:{agi}/route,${{EXTEN}},)
 same => n,Goto(told,s,1)

[asks-http]
exten => {http_line},1,Gosub(start-400,s,1(${{EXTEN}}))
 same => n,Set(CURLOPT(hashcompat)=yes)
 same => n,Set(CURLOPT(conntimeout)=0.3)
 same => n,Set(CURLOPT(httptimeout)=0.3)
 same => n,Set(CURLOPT(httpheader)=X-Hotline-Token: {token})
 same => n,Set(HASH(H)=${{CURL(http://127.0.0.1:{http}/route?did=${{EXTEN}}&caller=${{FILTER(0-9,${{CALLERID(num)}})}}&call=${{UNIQUEID}})}})
 same => n,Set(HOTLINE_DIAL=${{HASH(H,dial)}})
 same => n,Set(HOTLINE_QUEUE=${{HASH(H,queue)}})
 same => n,Set(HOTLINE_PRIORITY=${{HASH(H,priority)}})
 same => n,Goto(told,s,1)

[told]
exten => s,1,Set(QUEUE_PRIO=${{HOTLINE_PRIORITY}})
 same => n,GotoIf($["${{HOTLINE_DIAL}}" = ""]?queue)
 same => n,Dial(${{HOTLINE_DIAL}},5,t)
 same => n(queue),Queue(${{IF($["${{HOTLINE_QUEUE}}" = ""]?support:${{HOTLINE_QUEUE}})}},trk,,,20)
 same => n,Hangup()
"""


@dataclass
class Told:
    """What a call's page says of routing, who rang and who talked."""

    routed: dict[str, Any] = field(default_factory=dict)
    rang: list[str] = field(default_factory=list)
    agents: tuple[str, ...] = ()


@dataclass
class Day:
    """The calls in their order, and what the doors counted."""

    calls: list[Told] = field(default_factory=list)
    report: dict[str, Any] = field(default_factory=dict)


def settings_of(lab: "Lab", folder: Path) -> Settings:
    """Two lines that are routed, the lab's phones."""
    trunk = Pbx(name="lab", port=lab.ami_port, user="crmfiltered", trunks=(TRUNK,))
    return Settings(
        data=folder,
        pbx=(trunk,),
        line=(
            Line(number=BY_AGI, record=False, routing=LineRouting(queue="support")),
            Line(number=BY_HTTP, record=False, routing=LineRouting(queue="ringall")),
        ),
        agent=tuple(Agent(extension=name) for name in ("1001", "1002", "1003")),
        routing=Routing(agi_port=0, http_port=0),
        transcription=Transcription(engine="none"),
    )


@asynccontextmanager
async def serving(lab: "Lab", folder: Path) -> AsyncIterator[Service]:
    """The whole service, listening to the lab."""
    settings = settings_of(lab, folder)
    await upgrade(settings.database_url)
    service = Service(settings, now, {"lab": lab.secret})
    runner = web.AppRunner(service.build(), access_log=None)
    await runner.setup()
    try:
        yield service
    finally:
        await runner.cleanup()


def ask(lab: "Lab", ports: dict[str, int]) -> None:
    """Have the lab's dialplan ask on these ports."""
    plan = lab.etc / "extensions.conf"
    text = plan.read_text(encoding="utf-8")
    for line, context in ((BY_AGI, "asks-agi"), (BY_HTTP, "asks-http")):
        text = re.sub(
            rf"^exten => {line},1,Goto\(.*\)$", f"exten => {line},1,Goto({context},{line},1)", text, flags=re.MULTILINE
        )
    wanted = DIALPLAN.format(agi_line=BY_AGI, http_line=BY_HTTP, token=TOKEN, **ports)
    plan.write_text(text + wanted, encoding="utf-8")
    modules = lab.etc / "modules.conf"
    loads = "".join(f"load = {name}.so\n" for name in MODULES)
    modules.write_text(modules.read_text(encoding="utf-8") + loads, encoding="utf-8")
    lab.restart()


def phones_of(lab: "Lab") -> Any:
    """The lab's own SIP phones."""
    spec = importlib.util.spec_from_file_location("lab_sipua", lab.folder / "tools/sipua.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


class Phones:
    """The carrier and three agents whose phones ring for a moment and answer."""

    def __init__(self, lab: "Lab") -> None:
        self._sip, self._net = phones_of(lab), lab.net
        self.carrier: Any = None
        self._all: list[Any] = []
        self._talking = asyncio.Event()

    async def __aenter__(self) -> Self:
        pbx = (f"{self._net}.1", 5060)
        self.carrier = await self._sip.Phone("carrier", f"{self._net}.2", pbx).start()
        agents = [
            await self._sip.Phone(name, f"{self._net}.{last}", pbx, on_call=self._ring).start()
            for name, last in (("1001", 11), ("1002", 12), ("1003", 13))
        ]
        self._all = [self.carrier, *agents]
        return self

    async def __aexit__(self, *_: object) -> None:
        for phone in self._all:
            phone.close()
        self._sip.PACER.task.cancel()

    async def _ring(self, call: Any) -> None:
        call.ringing()
        await asyncio.sleep(0.3)
        if await call.answer():
            self._talking.set()

    async def ring_in(self, number: str, caller: str) -> None:
        """One call: into the PBX, until an agent talks, and over."""
        self._talking.clear()
        call = await self.carrier.call(number, from_user=caller)
        async with asyncio.timeout(15):
            await self._talking.wait()
        await asyncio.sleep(0.3)  # they talk
        call.hangup()


async def played(lab: "Lab", folder: Path) -> Day:
    """The calls, one after the other, and what was written of each."""
    day = Day()
    async with serving(lab, folder) as service:
        mobile = Phone(CALLER, f"+86{CALLER}")
        await service.embedded.add_many([Customer("C1", "林晓峰", (mobile,), vip=True, owner="1002")])
        await service.accounts.add("u1002", name="李雷", role="agent", password="x", now=now(), extension="1002")
        await asyncio.to_thread(ask, lab, service.routing.ports)
        await heard(service)
        async with Phones(lab) as phones:
            for number, caller in ((BY_AGI, CALLER), (BY_HTTP, CALLER), (BY_AGI, CALLER), (BY_AGI, FORGED)):
                await phones.ring_in(number, caller)
                day.calls.append(told(await written(service, len(day.calls) + 1)))
        report = service.routing.report()
        assert report is not None
        day.report = report
        assert service.crew.error is None, service.crew.error
    return day


async def heard(service: Service) -> None:
    """Until the service listens to the PBX that was started again."""
    async with asyncio.timeout(30):
        while True:
            if service.feeds[0].report()["link"] == "up":
                return
            await asyncio.sleep(0.1)


async def written(service: Service, count: int) -> CallPage:
    """The newest of so many calls, once it is over."""
    async with asyncio.timeout(15):
        while True:
            calls = await service.reads.calls_today(0.0)
            if len(calls) == count and all(call.ended for call in calls):
                page = await service.reads.call(calls[0].key)
                assert page is not None
                return page
            await asyncio.sleep(0.1)


def told(page: CallPage) -> Told:
    """The part of a page that a test looks at."""

    def details(kind: EventKind) -> Iterable[dict[str, Any]]:
        return (dict(event.detail) for event in page.events if event.kind is kind)

    (routed,) = details(EventKind.ROUTED)
    rang = [event.subject for event in page.events if event.kind is EventKind.RANG]
    return Told(routed, rang, page.item.agents)


@pytest.fixture(scope="module", params=["22", pytest.param("16", marks=pytest.mark.long)])
def day(request: pytest.FixtureRequest, own_lab: "OwnLab", tmp_path_factory: pytest.TempPathFactory) -> Day:
    """The calls of this module."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOTLINE_ROUTING_TOKEN", TOKEN)
        return asyncio.run(played(own_lab("routing", request.param), tmp_path_factory.mktemp("routing")))


def test_over_fastagi_the_key_accounts_phone_rings_first(day: Day) -> None:
    """Although the queue would ring 1001: and the call's page says why."""
    first = day.calls[0]
    assert first.routed == {"reason": "key_account", "queue": "support", "agent": "1002", "priority": 10}
    assert (first.rang, first.agents) == (["1002"], ("1002",))


def test_over_http_the_same_answer(day: Day) -> None:
    """``CURLOPT(hashcompat)`` reads the form, the interface's slash and all."""
    second = day.calls[1]
    assert second.routed == {"reason": "key_account", "queue": "ringall", "agent": "1002", "priority": 10}
    assert (second.rang, second.agents) == (["1002"], ("1002",))


def test_who_answered_has_the_ticket_and_is_asked_again(day: Day) -> None:
    """The first call's ticket is open and 1002's."""
    third = day.calls[2]
    assert third.routed == {"reason": "ticket_owner", "queue": "support", "agent": "1002", "priority": 10}
    assert third.agents == ("1002",)


def test_a_caller_who_forges_lines_reaches_the_queue_and_chooses_nothing(day: Day) -> None:
    """His line is the one he dialled, his number unknown, what he wrote counted."""
    last = day.calls[3]
    assert last.routed == {"reason": "line", "queue": "support", "priority": 0}
    assert last.agents == ("1001",)
    assert day.report["agi"] == {"answered": 3, "refused": 0, "broken": 0, "strange": 3}
