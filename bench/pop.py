"""AMI byte written -> WebSocket frame read: the way of a pop, against a relay that only passes bytes on.

    .venv/bin/python bench/pop.py [--calls 1000] [--rounds 5] [--rate 9] [--json]

Three processes a way: this driver (a PBX that writes and a page that reads, so both times are of one clock), and in
turn a bare asyncio relay, or the service without ledger, with SQLite, with PostgreSQL. Rounds alternate; figures are
medians of the rounds' p50 and p99 with their spread, and ratios within each round. ``--ways sqlite decoding``: the
service with SQLite on an idle machine, and the same while every core decodes speech. See bench/README.md.
"""

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from hotline.clock import now

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
sys.path.insert(1, str(Path(__file__).parent.parent))

WAYS = ("relay", "memory", "sqlite", "postgresql", "decoding")
HERE = Path(__file__).parent
GAP = 0.3  # seconds from a call's arrival to the first ring, as in the lab's dialplan: it answers and waits that long
MEMBER = {"Queue": "support", "Interface": "PJSIP/1001", "MemberName": "Agent-1001"}


def event(name: str, cls: str, uid: str, channel: str, **more: str) -> str:
    """An event with a channel's headers, as Asterisk 22 orders them."""
    head = {
        "Event": name,
        "Privilege": f"{cls},all",
        "Timestamp": f"{now():.6f}",
        "Channel": channel,
        "ChannelState": "4",
        "ChannelStateDesc": "Ring",
        "CallerIDNum": "13812345678",
        "CallerIDName": "<unknown>",
        "ConnectedLineNum": "<unknown>",
        "ConnectedLineName": "<unknown>",
        "Language": "en",
        "AccountCode": "",
        "Context": "from-carrier",
        "Exten": "4007002505",
        "Priority": "1",
        "Uniqueid": uid,
        "Linkedid": uid,
    }
    return "".join(f"{key}: {value}\r\n" for key, value in (head | more).items()) + "\r\n"


def dest(uid: str, linked: str, channel: str) -> dict[str, str]:
    """The called phone's headers."""
    return {
        "DestChannel": channel,
        "DestChannelState": "0",
        "DestChannelStateDesc": "Down",
        "DestCallerIDNum": "1001",
        "DestCallerIDName": "<unknown>",
        "DestConnectedLineNum": "13812345678",
        "DestConnectedLineName": "<unknown>",
        "DestLanguage": "en",
        "DestAccountCode": "",
        "DestContext": "from-internal",
        "DestExten": "",
        "DestPriority": "1",
        "DestUniqueid": uid,
        "DestLinkedid": linked,
    }


class Pbx:
    """An AMI server for one listener."""

    def __init__(self) -> None:
        self.joined = asyncio.Event()
        self.writer: asyncio.StreamWriter | None = None
        self.port = 0

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"Asterisk Call Manager/11.0.0\r\n")
        block: dict[str, str] = {}
        while line := await reader.readline():
            text = line.decode().strip()
            if text:
                key, _, value = text.partition(":")
                block[key.strip().lower()] = value.strip()
                continue
            if block:
                self._answer(block, writer)
            block = {}

    def _answer(self, asked: dict[str, str], writer: asyncio.StreamWriter) -> None:
        ident, action = asked.get("actionid", ""), asked.get("action", "").lower()
        said = f"Response: Success\r\nActionID: {ident}\r\n"
        lists = {
            "coreshowchannels": "CoreShowChannelsComplete",
            "status": "StatusComplete",
            "queuestatus": "QueueStatusComplete",
        }
        if action in lists:
            said += "EventList: start\r\nMessage: list follows\r\n\r\n"
            said += f"Event: {lists[action]}\r\nActionID: {ident}\r\nEventList: Complete\r\nListItems: 0\r\n"
        elif action == "ping":
            said += f"Ping: Pong\r\nTimestamp: {now():.6f}\r\n"
        else:
            said += "Message: Authentication accepted\r\n"
        writer.write((said + "\r\n").encode())
        if action == "login":
            self.writer = writer
        if action in ("queuestatus", "login"):
            self.joined.set()

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Listen on a free port."""
        server = await asyncio.start_server(self._client, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        yield
        server.close()


@dataclass
class Round:
    """Latencies of one round, microseconds."""

    p50: float
    p99: float


async def drive(pbx: Pbx, page: aiohttp.ClientWebSocketResponse, calls: int, rate: float, first: int) -> Round:
    """Play calls at an even rate and time each card's first frame."""
    assert pbx.writer is not None
    written: dict[str, float] = {}
    seen: dict[str, float] = {}
    writer = pbx.writer

    async def read() -> None:
        while len(seen) < calls:
            message = await page.receive()
            at = time.perf_counter()
            if message.type is not aiohttp.WSMsgType.TEXT:
                raise SystemExit(f"the page's socket ended: {message!r}")
            frame = json.loads(message.data)
            if frame["type"] == "card" and (uid := frame["card"]["call"].partition(":")[2]) in written:
                seen.setdefault(uid, at)

    async def write() -> None:
        begun = time.perf_counter()
        for n in range(calls):
            await asyncio.sleep(max(0.0, begun + n / rate - time.perf_counter()))
            uid, leg = f"1795290{first + n:06d}.1", f"1795290{first + n:06d}.2"
            trunk, phone = f"PJSIP/carrier-{first + n:08x}", f"PJSIP/1001-{first + n:08x}"
            before = event("Newchannel", "call", uid, trunk)
            before += event("Newstate", "call", uid, trunk, ChannelState="6", ChannelStateDesc="Up") * 3
            before += event("QueueCallerJoin", "agent", uid, trunk, Queue="support", Position="1", Count="1")
            before += event("Newstate", "call", leg, phone, Linkedid=uid) * 8
            writer.write(before.encode())
            asyncio.get_running_loop().call_later(GAP, ring, uid, leg, trunk, phone)

    def ring(uid: str, leg: str, trunk: str, phone: str) -> None:
        called = event("AgentCalled", "agent", uid, trunk, **dest(leg, uid, phone), **MEMBER)
        raw = called.encode()
        written[uid] = time.perf_counter()
        writer.write(raw)
        asyncio.get_running_loop().call_later(0.5, over, uid, leg, trunk, phone)

    def over(uid: str, leg: str, trunk: str, phone: str) -> None:
        after = event("Hangup", "call", leg, phone, Linkedid=uid, Cause="26", **{"Cause-txt": "Answered elsewhere"})
        after += event("Hangup", "call", uid, trunk, Cause="16", **{"Cause-txt": "Normal Clearing"})
        writer.write(after.encode())

    async with asyncio.timeout(calls / rate * 3 + 60), asyncio.TaskGroup() as group:
        group.create_task(read())
        group.create_task(write())
    await asyncio.sleep(1.0)  # the last hang-ups
    took = sorted((seen[uid] - written[uid]) * 1e6 for uid in written)
    return Round(took[len(took) // 2], took[int(len(took) * 0.99)])


@asynccontextmanager
async def decoding(way: str, model: Path | None, niceness: int) -> AsyncIterator[None]:
    """For that way: as many speech workers as there are cores, the service's own, each with one call after another."""
    if way != "decoding":
        yield
        return
    from bench.speech import a_call, korean  # noqa: PLC0415 - only where speech is decoded
    from transcription.worker import EngineSpec, Limits, Transcriber  # noqa: PLC0415

    cores = os.cpu_count() or 1
    transcriber = Transcriber(EngineSpec("vosk", model or korean()), processes=cores, limits=Limits(niceness=niceness))

    async def work(call: tuple[Path, Path], begun: asyncio.Event) -> None:
        while True:
            await transcriber.transcribe(*call, progress=lambda _share: begun.set())

    with tempfile.TemporaryDirectory() as folder:
        (call,) = a_call(Path(folder), 5.0)
        at_it = [asyncio.Event() for _ in range(cores)]
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(work(call, begun)) for begun in at_it]
            for begun in at_it:
                await begun.wait()
            try:
                yield
            finally:
                for task in tasks:
                    task.cancel()
        await transcriber.close()


@asynccontextmanager
async def running(way: str, pbx: Pbx, folder: Path, postgres: str | None) -> AsyncIterator[tuple[str, dict[str, str]]]:
    """Start the process of a way; its page's WebSocket address and cookies."""
    script = "relay.py" if way == "relay" else "pop_service.py"
    sqlite = f"sqlite+aiosqlite:///{folder / f'{way}.db'}"
    url = {"sqlite": sqlite, "decoding": sqlite, "postgresql": postgres}.get(way) or "none"
    accounts = f"sqlite+aiosqlite:///{folder / f'{way}-accounts.db'}"
    command = (sys.executable, str(HERE / script), str(pbx.port), url, accounts)
    quiet = None if os.environ.get("BENCH_LOG") else asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, stderr=quiet)
    assert process.stdout is not None
    try:
        told: dict[str, Any] = json.loads(await process.stdout.readline())
        yield told["ws"], told["cookies"]
    finally:
        process.terminate()
        await process.wait()


async def measure(
    calls: int,
    rounds: int,
    rate: float,
    ways: Sequence[str],
    *,
    postgres: str | None,
    model: Path | None,
    niceness: int,
) -> dict[str, list[Round]]:
    """Alternate the ways, ``rounds`` times."""
    found: dict[str, list[Round]] = {way: [] for way in ways}
    first = 0
    with tempfile.TemporaryDirectory() as folder:
        for number in range(rounds):
            for way in ways:
                pbx = Pbx()
                async with (
                    decoding(way, model, niceness),
                    pbx.listening(),
                    running(way, pbx, Path(folder), postgres) as (address, cookies),
                ):
                    await pbx.joined.wait()
                    async with aiohttp.ClientSession(cookies=cookies) as session:
                        origin = {"Origin": address.replace("ws://", "http://").rpartition("/")[0]}
                        async with session.ws_connect(address, headers=origin, max_msg_size=0) as page:
                            await asyncio.sleep(0.5)
                            await drive(pbx, page, 50, rate, first)  # warm
                            first += 50
                            found[way].append(await drive(pbx, page, calls, rate, first))
                            first += calls
                last = found[way][-1]
                print(
                    f"round {number + 1} {way:<11} p50 {last.p50:6.0f} us  p99 {last.p99:6.0f} us",
                    file=sys.stderr,
                    flush=True,
                )
    return found


def table(found: dict[str, list[Round]]) -> str:
    """The figures as people read them."""
    lines = [f"{'way':<12}{'p50 us':>9}{'p99 us':>9}{'p99 spread':>16}"]
    for way, rounds in found.items():
        p50, p99 = [r.p50 for r in rounds], [r.p99 for r in rounds]
        spread = f"{min(p99):.0f}-{max(p99):.0f}"
        lines.append(f"{way:<12}{statistics.median(p50):>9.0f}{statistics.median(p99):>9.0f}{spread:>16}")
    for over, under in (("memory", "relay"), ("sqlite", "memory"), ("postgresql", "memory"), ("decoding", "sqlite")):
        if found.get(over) and found.get(under):
            for name in ("p50", "p99"):
                ratios = [getattr(a, name) / getattr(b, name) for a, b in zip(found[over], found[under], strict=True)]
                lines.append(
                    f"{over} / {under} at {name}: {statistics.median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})"
                )
    return "\n".join(lines)


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--rate", type=float, default=9.0, help="calls a second: 9 make 500 events a second on a real PBX"
    )
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS[:-1]))
    parser.add_argument("--model", type=Path, help="of vosk, for the way decoding; default: the development dependency")
    parser.add_argument("--nice", type=int, default=10, help="of the speech workers")
    args = parser.parse_args()
    server = None
    if "postgresql" in args.ways:
        from conftest import Postgres  # type: ignore[import-not-found]  # noqa: PLC0415 - the tests' server, only if asked for

        server = Postgres()
    try:
        url = server and server.new_url()
        print(
            table(
                asyncio.run(
                    measure(
                        args.calls,
                        args.rounds,
                        args.rate,
                        args.ways,
                        postgres=url,
                        model=args.model,
                        niceness=args.nice,
                    )
                )
            )
        )
    finally:
        if server is not None:
            server.stop()


if __name__ == "__main__":
    main()
