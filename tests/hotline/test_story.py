"""The main job, whole: a call on the built-in PBX becomes a card, a ticket, a recording, a transcript and a summary.

Everything is real but the pace: the AMI socket, the recording that grows, SQLite, the pages' WebSocket, the worker
process. The engine is the scripted one here; real engines have their own tests.
"""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from hotline import newcomer
from hotline.app import Service
from hotline.clock import now
from hotline.demo import TRUNKS, VOICEMAIL_EVENT
from hotline.demo.pbx import DemoPbx
from hotline.demo.story import load_stories
from hotline.settings import Server, Settings, Transcription
from hotline.telephony_settings import Pbx
from storage.migrate import upgrade
from telephony.call import CallKey

SPEED = 12.0
SAID = "你好，我家客厅的空调不制冷了，吹出来的都是热风。"


@dataclass
class Demo:
    """A running service and its demo accounts."""

    service: Service
    base: str
    passwords: dict[str, str]
    play: Callable[[], object]

    async def login(self, login: str) -> aiohttp.ClientSession:
        """A browser of that person."""
        session = aiohttp.ClientSession(
            self.base, cookie_jar=aiohttp.CookieJar(unsafe=True), headers={"Origin": self.base}
        )
        body = {"login": login, "password": self.passwords[login]}
        async with session.post("/login", data=body, allow_redirects=False) as answer:
            assert answer.status == 303, await answer.text()
        return session


@pytest.fixture
async def demo(tmp_path: Path) -> AsyncIterator[Demo]:
    """The service as ``hotline serve`` without a PBX runs it, on one story."""
    script = tmp_path / "script.json"
    script.write_text(json.dumps({"texts": [SAID]}, ensure_ascii=False), encoding="utf-8")
    settings = newcomer.with_demo_company(
        Settings(
            data=tmp_path / "var",
            server=Server(port=0),
            transcription=Transcription(engine="scripted", model=script),
        )
    )
    root = settings.recordings.root
    assert root is not None
    root.mkdir(parents=True)
    stories = [story for story in load_stories() if story.name == "repair"]
    pbx = DemoPbx(root, now, random.Random(1), SPEED, stories)
    address = await pbx.start()
    named = Pbx(
        name="demo",
        host=address.host,
        port=address.port,
        user=address.user,
        trunks=TRUNKS,
        voicemail_event=VOICEMAIL_EVENT,
    )
    settings = settings.model_copy(update={"pbx": (named,)})
    await upgrade(settings.database_url)
    service = Service(settings, now, {"demo": address.secret})
    await newcomer.bring_customers(service.embedded, settings.database_url)
    runner = web.AppRunner(service.build(), access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made = await newcomer.make_accounts(service.accounts, service.hasher, now())
    playing: list[asyncio.Task[None]] = []

    def play() -> None:
        playing.append(asyncio.get_running_loop().create_task(pbx.run()))

    yield Demo(
        service,
        f"http://127.0.0.1:{runner.addresses[0][1]}",
        {account.login: account.password for account in made},
        play,
    )
    for task in playing:
        task.cancel()
        await asyncio.wait({task})
    await runner.cleanup()
    await pbx.close()
    assert service.crew.error is None


async def cards_of(session: aiohttp.ClientSession, play: Callable[[], object]) -> list[dict[str, Any]]:
    """What an agent's page is told until the first call is over for that agent; calls come once the page is open."""
    told: list[dict[str, Any]] = []
    async with session.ws_connect("/ws") as page:
        while (await page.receive_json())["type"] != "snapshot":
            pass
        play()
        async for message in page:
            said = message.json()
            told.append(said)
            if said["type"] == "gone":
                break
    return told


async def work_of(session: aiohttp.ClientSession) -> dict[str, Any]:
    """The agent's state once the work after a call has begun."""
    async with session.ws_connect("/ws") as page:
        async for message in page:
            said = message.json()
            if said["type"] == "state" and said["state"]["state"] == "wrap_up":
                return dict(said["state"])
    raise AssertionError("the socket was closed")


@pytest.mark.slow
async def test_a_call_becomes_card_ticket_recording_transcript_and_summary(demo: Demo) -> None:
    """What ./run shows a newcomer, start to end."""
    agent, boss = await demo.login("demo-1001"), await demo.login("demo-boss")
    async with agent, boss, asyncio.timeout(60):
        told = await cards_of(agent, demo.play)
        cards = [said["card"] for said in told if said["type"] == "card"]
        assert cards[0]["state"] == "ringing"
        last = cards[-1]
        assert last["state"] == "talking"
        assert last["match"]["customers"][0]["name"] == "林晓峰"
        assert last["match"]["sure"] is True
        assert told[-1]["why"] == "ended"
        work = await work_of(agent)
        assert (work["call"], work["ticket"]["id"]) == (last["call"], last["ticket"]["id"])
        call = last["call"]
        page = await said_of(boss, call)
        assert {turn["text"] for turn in page["turns"]} == {SAID}
        assert "caller" in {
            turn["speaker"] for turn in page["turns"]
        }  # at this pace few of the agent's words fit the talk
        assert page["summary"]["category"] == "报修"
        ticket = await (await boss.get(f"/api/tickets/{last['ticket']['id']}")).json()
        assert ticket["category"] == "报修"
        assert ticket["customer"]["name"] == "林晓峰"
        await the_sound(demo, agent, boss, call)


async def said_of(boss: aiohttp.ClientSession, call: str) -> dict[str, Any]:
    """The call's page once its transcript is there: the supervisors' page is told when to look."""
    async with boss.ws_connect("/ws") as page:
        while True:
            found: dict[str, Any] = await (await boss.get(f"/api/calls/{call}")).json()
            if found.get("turns"):
                return found
            await page.receive()


async def the_sound(demo: Demo, agent: aiohttp.ClientSession, boss: aiohttp.ClientSession, call: str) -> None:
    """A piece of the recording, to those whom the call concerns; every listen is on record."""
    async with boss.ws_connect("/ws") as page:  # told again once what is masked is covered
        while (await (await agent.get(f"/api/calls/{call}")).json())["recordings"][0]["withheld"]:
            await page.receive()
    for session in (agent, boss):
        async with session.get(f"/calls/{call}/audio/0/mix", headers={"Range": "bytes=0-43"}) as answer:
            assert answer.status == 206
            assert (await answer.read())[:4] == b"RIFF"
    kept = await demo.service.reads.call(CallKey.parse(call))
    assert kept is not None
    assert {listen.who for listen in kept.listens} == {"demo-1001", "demo-boss"}
