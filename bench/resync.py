#!/usr/bin/env python3
"""A reconnect to a PBX with thousands of channels: how long the merge takes, and what a pop waits for it.

    .venv/bin/python bench/resync.py [--channels 5000] [--ledger]

The PBX is a process of its own that lists its channels after every login and, all the while, has a phone ring every 20
milliseconds. Measured is, by one clock, from the ring's bytes written to the card on its way to the agent's page: in
the whole service without pages, with SQLite behind it (``--ledger``) or nothing. Three times one after another: a start
that knows none of the calls, a reconnect that knows them all, and quiet. The wanted figures are the reconnect's.
"""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from aiohttp import web

sys.path.insert(0, str(Path(__file__).parent.parent))

from bench.pop import MEMBER, dest, event
from bench.pop_service import Memory, nothing_kept, nothing_open
from hotline import logs
from hotline.app import Service
from hotline.clock import now
from hotline.collector import settle
from hotline.lookup import Lookup
from hotline.pbx_feed import PbxFeed
from hotline.settings import DatabaseSettings, Settings
from hotline.telephony_settings import Agent, Line, Pbx, Recordings
from screenpop.desk import topic
from storage.migrate import upgrade
from telephony.events import Snapshot

EVERY = 0.02  # seconds between rings
PACE = 0.001  # seconds between forty rows of a list; between them events go on, as from a PBX with a busy line
PHASE = 4.0  # seconds of each of the three times
WANTED_MERGE, WANTED_DELAY = 1.0, 0.05


def channel(kind: str, uid: str, name: str, linked: str, *, state: str, bridge: str, tail: str) -> str:
    """A row of a list, as Asterisk 22 orders it; {id} stands for the ActionID."""
    return (
        f"Event: {kind}\r\nActionID: {{id}}\r\nChannel: {name}\r\nChannelState: {state}\r\nChannelStateDesc: Up\r\n"
        "CallerIDNum: 13912345678\r\nCallerIDName: <unknown>\r\nConnectedLineNum: 1001\r\n"
        "ConnectedLineName: <unknown>\r\nLanguage: en\r\nAccountCode: \r\nContext: in-400\r\nExten: 4007002505\r\n"
        f"Priority: 12\r\nUniqueid: {uid}\r\nLinkedid: {linked}\r\n{tail.format(bridge=bridge)}\r\n"
    )


CORE = "Application: Queue\r\nApplicationData: support,t\r\nDuration: 00:01:40\r\nBridgeId: {bridge}\r\n"
STATUS = (
    "Type: PJSIP\r\nDNID: 4007002505\r\nEffectiveConnectedLineNum: 1001\r\nEffectiveConnectedLineName: <unknown>\r\n"
    "TimeToHangup: 0\r\nBridgeID: {bridge}\r\nApplication: Queue\r\nData: support,t\r\nNativeformats: (alaw)\r\n"
    "Readformat: alaw\r\nReadtrans: \r\nWriteformat: alaw\r\nWritetrans: \r\nCallgroup: 0\r\nPickupgroup: 0\r\n"
    "Seconds: 100\r\n"
)


def rows(kind: str, tail: str, channels: int) -> list[bytes]:
    """Every second channel a caller's, three of four of them talking with an agent, one ringing at one. In pieces."""
    told = []
    for n in range(channels // 2):
        uid, leg, rings = f"1795290000.{n}", f"1795290001.{n}", n % 4 == 0
        bridge = "" if rings else f"6f0e7c5a-{n:08d}"
        caller, agent = f"PJSIP/carrier-{n:08x}", f"PJSIP/{2000 + n % 7000}-{n:08x}"
        told.append(channel(kind, uid, caller, uid, state="6", bridge=bridge, tail=tail))
        told.append(channel(kind, leg, agent, uid, state="5" if rings else "6", bridge=bridge, tail=tail))
    return ["".join(told[at : at + 40]).encode() for at in range(0, len(told), 40)]


class Exchange:
    """The PBX, in its own process: answers logins, lists its channels, has phones ring."""

    def __init__(self, channels: int) -> None:
        self.lists = {"CoreShowChannels": rows("CoreShowChannel", CORE, channels)}
        self.lists["Status"] = rows("Status", STATUS, channels)
        self.lists["QueueStatus"] = []
        self.sent: dict[str, float] = {}
        self.logins = 0
        self.writer: asyncio.StreamWriter | None = None
        self.up = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        writer.write(b"Asterisk Call Manager/11.0.0\r\n")
        try:
            while True:
                text = (await reader.readuntil(b"\r\n\r\n")).decode()
                await self._answer(dict(line.split(": ", 1) for line in text.strip().split("\r\n")), writer)
        except (asyncio.IncompleteReadError, OSError):
            writer.close()

    async def _answer(self, asked: dict[str, str], writer: asyncio.StreamWriter) -> None:
        name, ident = asked["Action"], asked["ActionID"]
        writer.write(f"Response: Success\r\nActionID: {ident}\r\n\r\n".encode())
        if name in self.lists:
            for row in self.lists[name]:
                writer.write(row.replace(b"{id}", ident.encode()))
                await asyncio.sleep(PACE)
            writer.write(f"Event: {name}Complete\r\nActionID: {ident}\r\nEventList: Complete\r\n\r\n".encode())
        if name == "Login":
            self.writer = writer
            self.up.set()

    async def run(self) -> None:
        """Ring through the three times; between the first two the link breaks."""
        await self.up.wait()
        for phase in ("start", "reconnect", "quiet"):
            until = time.monotonic() + PHASE
            while time.monotonic() < until:
                self._ring(f"1795299{len(self.sent):06d}.{phase}")
                await asyncio.sleep(EVERY)
            if phase == "start":
                assert self.writer is not None
                self.up.clear()
                self.writer.transport.abort()
                await self.up.wait()

    def _ring(self, uid: str) -> None:
        assert self.writer is not None
        name, leg = f"PJSIP/carrier-{uid}", f"{uid}1"
        phone = dest(leg, uid, f"PJSIP/1001-{uid}")
        data = event("Newchannel", "call", uid, name) + event("Newstate", "call", uid, name)
        data += event("AgentCalled", "agent", uid, name, **phone, **MEMBER)
        self.sent[uid] = time.monotonic()
        self.writer.write(data.encode())
        loop = asyncio.get_running_loop()
        loop.call_later(0.3, self.writer.write, event("Hangup", "call", uid, name, Cause="16").encode())


async def exchange(channels: int) -> None:
    """The PBX's process: its port first, the times of its rings at the end."""
    made = Exchange(channels)
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await made.run()
    print(json.dumps(made.sent), flush=True)
    assert made.writer is not None
    made.writer.transport.abort()
    server.close()
    await asyncio.wait(asyncio.all_tasks() - {asyncio.current_task()}, timeout=1.0)


def watched() -> list[float]:
    """How long each snapshot took to be merged, with all that it showed on pages; seconds. Filled as it happens."""
    took: list[float] = []
    reconcile = PbxFeed._reconcile  # noqa: SLF001 - the bench looks on

    async def timed(feed: PbxFeed, snapshot: Snapshot) -> bool:
        began = time.monotonic()
        found = await reconcile(feed, snapshot)
        took.append(time.monotonic() - began)
        return found

    PbxFeed._reconcile = timed  # type: ignore[method-assign,assignment]  # noqa: SLF001
    return took


async def measured(channels: int, url: str, *, ledger: bool) -> tuple[dict[str, list[float]], list[float]]:
    """Delays of the rings in each phase, and the time of each merge; seconds."""
    pbx = await asyncio.create_subprocess_exec(
        sys.executable, __file__, "--exchange", "--channels", str(channels), stdout=asyncio.subprocess.PIPE
    )
    assert pbx.stdout is not None
    port = int(await pbx.stdout.readline())
    await upgrade(url)
    settings = Settings(
        pbx=(Pbx(name="hq", port=port, user="bench", trunks=("PJSIP/carrier",)),),
        line=(Line(number="4007002505", name="售后", record=False),),
        agent=(Agent(extension="1001"),),
        recordings=Recordings(root=Path("/nonexistent")),
        database=DatabaseSettings(url=url),
    )
    service = Service(settings, now, {"hq": "bench"})
    tickets = service.reads.open_tickets if ledger else nothing_open
    service.pipeline._lookup = Lookup(Memory(), tickets, 0.8)  # noqa: SLF001 - the bench puts the customer into memory
    if not ledger:
        service.ledger.record_all = nothing_kept  # type: ignore[method-assign]
    shown: dict[str, float] = {}
    took = watched()

    async def read() -> None:
        async with service.fanout.subscribe(topic("1001")) as cards:
            async for _, message in cards:
                if message.get("type") == "card":
                    shown.setdefault(message["card"]["call"].removeprefix("hq:"), time.monotonic())

    reading = asyncio.get_running_loop().create_task(read())
    runner = web.AppRunner(service.build(), access_log=None)
    settle()
    await runner.setup()
    sent = json.loads(await pbx.stdout.readline())
    reading.cancel()
    await runner.cleanup()
    delays: dict[str, list[float]] = {"start": [], "reconnect": [], "quiet": []}
    for uid, began in sent.items():
        if uid in shown:
            delays[uid.rpartition(".")[2]].append(shown[uid] - began)
    missing = len(sent) - sum(len(each) for each in delays.values())
    assert missing < len(sent) / 50, f"{missing} of {len(sent)} cards did not come"
    return delays, took


def table(name: str, delays: Sequence[float]) -> str:
    """Median, 99th percentile and worst, in milliseconds."""
    ordered = sorted(delays)
    worst = ordered[-1] * 1e3
    return f"{name:12}{statistics.median(ordered) * 1e3:9.2f}{ordered[len(ordered) * 99 // 100] * 1e3:9.2f}{worst:9.2f}"


async def main() -> int:
    """Measure and print; 1 when a wanted figure was missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--channels", type=int, default=5000)
    parser.add_argument("--ledger", action="store_true")
    parser.add_argument("--exchange", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.exchange:
        await exchange(options.channels)
        return 0
    logs.configure()
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite+aiosqlite:///{folder}/bench.db"
        delays, took = await measured(options.channels, url, ledger=options.ledger)
    start, reconnect = took[:2]
    print(f"{options.channels:,} channels: merged in {start * 1e3:,.0f} ms at the start,", end=" ")
    print(f"in {reconnect * 1e3:,.0f} ms after the reconnect (wanted at most {WANTED_MERGE * 1e3:,.0f})\n")
    print(f"{'ring to card':12}{'p50 ms':>9}{'p99 ms':>9}{'worst':>9}")
    for name, each in delays.items():
        print(table(name, each))
    later = max(delays["reconnect"]) - statistics.median(delays["quiet"])
    print(f"\na pop during the reconnect: at most {later * 1e3:.0f} ms later (wanted {WANTED_DELAY * 1e3:.0f})")
    return int(reconnect > WANTED_MERGE or later > WANTED_DELAY)


if __name__ == "__main__":
    raise SystemExit(asyncio.run(main()))
