"""The desk with much in its database: how long every list and search takes, and what idle desks cost.

    .venv/bin/python bench/desk.py [--calls 100000] [--customers 1000000] [--desks 200] [--idle 60] [--rounds 5]
                                   [--postgresql] [--keep FOLDER] [--only lists idle]

The service runs in a process of its own; times are those of its answers on loopback, the client's share included.
lists: pages and JSON, as an agent with a thousand calls, a supervisor, an administrator and an auditor, who sees no
numbers. idle: so many pages open on one service with nothing ringing, and the processor time that it takes meanwhile.
See bench/README.md.
"""

import argparse
import asyncio
import json
import random
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

REPO = Path(__file__).parent.parent
sys.path.insert(0, str(REPO))
sys.path.insert(1, str(REPO / "tests"))

import aiohttp  # noqa: E402 - from the path above
from sqlalchemy import Connection, text  # noqa: E402

from bench import callers, people, search  # noqa: E402
from bench.pop import Pbx  # noqa: E402
from bench.took import Took  # noqa: E402
from hotline.clock import now  # noqa: E402
from storage.database import Database  # noqa: E402
from storage.migrate import upgrade  # noqa: E402

LIST_GOAL, SEARCH_GOAL = 0.2, 0.3
IDLE_GOAL = 2.0  # per cent of one core
AGENTS = 100
DAY = 86400.0
LISTS = (
    "/desk/recent",
    "/tickets",
    "/tickets?status=all",
    "/tickets?status=closed",
    "/tickets?missed=1",
    "/tickets?text=%E7%A9%BA%E8%B0%83",  # 空调
    "/tickets?text=139000",
    "/calls",
    "/calls?outcome=abandoned",
    "/calls?agent=1007",
    "/api/tickets",
    "/api/tickets?status=all",
    "/api/calls",
    "/api/callbacks",
    "/api/desk",
)
ADMIN_LISTS = ("/audit", "/api/audit", "/deliveries", "/api/deliveries", "/status")
WORDS = (
    *("热水器", "空调", "王伟", "云杉 77", "云杉4999有限公司"),
    *("1390000", "15461803399", "订单号 1540", "李", "漏电保护器"),
)


def lives(conn: Connection, count: int) -> None:
    """Turn the search's calls into a year of work: owners, states, outcomes, customers, missed ones."""
    rng = random.Random(5)  # noqa: S311 - the same year every time
    newest = now() - 600
    rows, tickets = [], []
    for number in range(1, count + 1):
        came = newest - (count - number) * (365 * DAY / count)
        answered = rng.random() < 0.8
        outcome = "answered" if answered else rng.choice(("abandoned", "abandoned", "voicemail"))
        place = rng.randrange(1_000_000)
        name = f"客户{place % 9973}"
        rows.append((came, came + 20 if answered else None, came + 200, 200.0, outcome, f"+86{people.mobile(place)}",
                     people.mobile(place), f"C{place:07d}", name, number))  # fmt: skip
        status = "closed" if number < count * 0.97 else rng.choice(("accepted", "working", "solved"))
        reach = "answered" if answered else "missed" if outcome == "abandoned" else "voicemail"
        title = rng.choice(("空调不制冷", "要求开发票", "快递没有到", "退货进度", "安装预约", "投诉服务态度"))
        tickets.append((status, f"desk{number % AGENTS}", f"+86{people.mobile(place)}", f"C{place:07d}", name, reach,
                        0 if answered else 1, title, came, came + 300, number))  # fmt: skip
    calls = (
        "UPDATE calls SET arrived={}, answered={}, ended={}, duration={}, outcome={}, e164={}, caller={}, "
        "customer_id={}, customer_name={} WHERE id={}"
    )
    changed = (
        "UPDATE tickets SET status={}, owner={}, caller={}, customer_id={}, customer_name={}, reach={}, missed={}, "
        "machine_title={}, opened={}, changed={} WHERE id={}"
    )
    for statement, values in ((calls, rows), (changed, tickets)):
        width = len(values[0])
        sqlite = conn.dialect.name == "sqlite"
        holes = ["?"] * width if sqlite else [f"${n}" for n in range(1, width + 1)]
        conn.exec_driver_sql(statement.format(*holes), values)


async def fill(url: str, folder: Path, count: int, many: int) -> None:
    """A database of so many calls and customers, where it is empty."""
    await upgrade(url)
    db = Database.open(url)
    async with db.read() as conn:
        there = (await conn.execute(text("SELECT count(*) FROM calls"))).scalar_one()
    if not there:
        began = time.perf_counter()
        file = folder / "people.csv"
        people.write(file, many)
        await asyncio.to_thread(callers.load, file, url, many)
        print(f"{many} customers in {time.perf_counter() - began:.0f} s", flush=True)
        began = time.perf_counter()
        await db.transact(lambda conn: search.fill(conn, count))
        await db.transact(lambda conn: lives(conn, count))
        print(f"{count} calls in {time.perf_counter() - began:.0f} s", flush=True)
        if not db.sqlite:
            async with db.write() as conn:
                await conn.execute(text("ANALYZE"))
    await db.close()


@asynccontextmanager
async def serving(url: str, desks: int) -> AsyncIterator[tuple[asyncio.subprocess.Process, dict[str, Any]]]:
    """The service in its own process, and where it is."""
    pbx = Pbx()
    async with pbx.listening():
        service = await asyncio.create_subprocess_exec(
            sys.executable, str(REPO / "bench" / "desk_service.py"), str(pbx.port), url, str(desks),
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        assert service.stdout is not None
        try:
            yield service, json.loads(await service.stdout.readline())
        finally:
            service.kill()
            await service.wait()


async def lists(told: dict[str, Any], rounds: int) -> bool:
    """Every list and search by role; whether all kept their goal."""
    kept = True
    timeout = aiohttp.ClientTimeout(total=60)
    for login in ("desk7", "boss", "root", "revision"):
        cookies = {"hotline": told["tokens"][login]}
        async with aiohttp.ClientSession(told["url"], cookies=cookies, timeout=timeout) as client:
            asked = [(path, LIST_GOAL) for path in (*LISTS, *(ADMIN_LISTS if login == "root" else ()))]
            asked += [(f"/api/search?q={quote(word)}", SEARCH_GOAL) for word in WORDS]
            asked += [(f"/search?q={quote(word)}", SEARCH_GOAL) for word in WORDS[:3]]
            for path, goal in asked:
                took = Took(f"{login} {unquote(path)}", goal)
                status = 0
                for _ in range(rounds):
                    began = time.perf_counter()
                    async with client.get(path, allow_redirects=False) as answer:
                        await answer.read()
                        status = answer.status
                    took.rounds.append([time.perf_counter() - began])
                slow = any(one[0] > goal for one in took.rounds[1:])
                refused = login == "revision" and status == HTTPStatus.FORBIDDEN  # an auditor has no desk
                kept = kept and not slow and (status == HTTPStatus.OK or refused)
                print(f"{took.line()} {status}{' SLOW' if slow else ''}", flush=True)
    return kept


def spent(pid: int) -> float:
    """Processor time of a process so far, seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100.0


async def idle(pid: int, told: dict[str, Any], desks: int, seconds: float) -> bool:
    """So many desks, each with its page's socket, and nothing happens."""
    url = told["url"]
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as client:
        sockets = [
            await client.ws_connect(f"{url}/ws", headers={"Cookie": f"hotline={told['tokens'][f'desk{n}']}"})
            for n in range(desks)
        ]

        async def read(socket: aiohttp.ClientWebSocketResponse) -> None:
            async for _ in socket:
                pass

        async with asyncio.TaskGroup() as group:
            reading = [group.create_task(read(socket)) for socket in sockets]
            await asyncio.sleep(5)
            before, began = spent(pid), time.perf_counter()
            await asyncio.sleep(seconds)
            share = 100 * (spent(pid) - before) / (time.perf_counter() - began)
            for task in reading:
                task.cancel()
        for socket in sockets:
            await socket.close()
    print(f"{desks} idle desks: {share:.2f} % of a core (wanted {IDLE_GOAL:g})", flush=True)
    return share < IDLE_GOAL


async def one(url: str, folder: Path, args: argparse.Namespace) -> bool:
    """One database."""
    await fill(url, folder, args.calls, args.customers)
    kept = True
    async with serving(url, args.desks) as (service, told):
        if "lists" in args.only:
            kept = await lists(told, args.rounds)
        if "idle" in args.only:
            kept = await idle(service.pid, told, args.desks, args.idle) and kept
    return kept


async def main() -> int:
    """Both databases where asked for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--calls", type=int, default=100_000)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--desks", type=int, default=200)
    parser.add_argument("--idle", type=float, default=60.0)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", nargs="+", choices=("lists", "idle"), default=("lists", "idle"))
    parser.add_argument("--postgresql", action="store_true")
    parser.add_argument("--keep", type=Path)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = args.keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        print("SQLite")
        kept = await one(f"sqlite+aiosqlite:///{folder / 'desk.db'}", folder, args)
        if args.postgresql:
            from conftest import Postgres  # type: ignore[import-not-found]  # noqa: PLC0415 - only if asked for

            server = Postgres()
            print("PostgreSQL")
            kept = await one(server.new_url(), folder, args) and kept
            server.stop()
    return 0 if kept else 1


if __name__ == "__main__":
    raise SystemExit(asyncio.run(main()))
