"""Search among many calls: how long a question takes, on either database.

    .venv/bin/python bench/search.py [--calls 100000] [--rounds 5] [--postgresql] [--keep FOLDER]

Calls are made of the turns of tests/dialogues, mixed anew for each, with other digits; five of them hold a word that
no other does. Asked as a supervisor, and as an agent who talked in one call of a hundred. See bench/README.md.
"""

import argparse
import asyncio
import json
import random
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

REPO = Path(__file__).parent.parent
sys.path.insert(0, str(REPO))
sys.path.insert(1, str(REPO / "tests"))

from sqlalchemy import Connection, text  # noqa: E402 - from the path above

from bench.took import Took  # noqa: E402
from storage.bulk import make_room, pour  # noqa: E402
from storage.database import Database, sqlite_file  # noqa: E402
from storage.migrate import upgrade  # noqa: E402
from storage.search import Asker, Search  # noqa: E402
from storage.search_tables import call_words, ticket_words  # noqa: E402
from storage.search_words import SCHEME, tokens, words  # noqa: E402
from storage.tables import call_agents, calls, tickets, turns  # noqa: E402

TURNS = 24
LINE = "4007002505"
TICKET = ("id", "number", "version", "status", "line", "caller", "vip", "calls", "missed", "opened", "changed")
CALL = ("id", "key", "line", "dialled", "phase", "arrived", "joined", "vip", "ticket_id", "ticket_number", "said")
BEGAN = 1_764_000_000.0
RARE = "漏电保护器"
QUESTIONS = (
    "热水器",
    "发票",
    "订单",
    "您好",
    "热水器 不加热",
    "退款 三个工作日",
    RARE,
    "订单号 1540",
    "投诉 经理 赔偿",
    "水",
)
GOAL = 0.3
_SERVER = (
    "INSERT INTO {0} ({1}, scheme, tokens{2}) SELECT x.a, 1, array_to_tsvector(string_to_array(x.b, ' ')){3}"
    " FROM unnest($1::bigint[], $2::text[], $3::text[]) AS x(a, b, c)"
)


def made(count: int) -> Iterator[tuple[int, list[tuple[str, str]]]]:
    """Calls as turns of speaker and text."""
    files = sorted((REPO / "tests" / "dialogues").glob("*.json"))
    pool = [
        (turn["speaker"], turn["text"])
        for file in files
        for turn in json.loads(file.read_text(encoding="utf-8"))["turns"]
    ]
    rng = random.Random(7)  # noqa: S311 - the same calls every time
    planted = set(rng.sample(range(1, count + 1), min(5, count)))
    for number in range(1, count + 1):
        said = [
            (who, re.sub(r"\d", lambda _: str(rng.randrange(10)), what)) for who, what in rng.choices(pool, k=TURNS)
        ]
        yield number, [*said, ("caller", f"家里的{RARE}又跳了")] if number in planted else said


def pieces(all_of_them: Iterator[Any], size: int) -> Iterator[list[Any]]:
    """So many at a time."""
    while some := list(islice(all_of_them, size)):
        yield some


def fill(conn: Connection, count: int) -> float:
    """Write them all; seconds that the index alone took."""
    make_room(conn)
    took = 0.0
    for some in pieces(made(count), 1000):
        numbers = [number for number, _ in some]
        names = [(n, f"20260101-{n}") for n in numbers]
        opened = [(n, name, 1, "accepted", LINE, f"+86139{n:08d}", False, 1, 0, BEGAN, BEGAN) for n, name in names]
        pour(conn, tickets, TICKET, opened)
        came = [
            (n, f"main:{n}.1", LINE, LINE, "ended", BEGAN + 60.0 * n, False, False, n, name, BEGAN) for n, name in names
        ]
        pour(conn, calls, CALL, came)
        pour(conn, call_agents, ("call_id", "agent", "talked"), [(n, str(1000 + n % 100), BEGAN) for n in numbers])
        spoken = [(n, at, *turn, at * 5.0, at * 5.0 + 4, 0.9) for n, said in some for at, turn in enumerate(said)]
        pour(conn, turns, ("call_id", "position", "speaker", "text", "begins", "ends", "confidence"), spoken)
        rows = [(n, " ".join(tokens(*(what for _, what in said))), " ".join(asked(said))) for n, said in some]
        began = time.perf_counter()
        index(conn, rows)
        took += time.perf_counter() - began
    return took


def asked(said: list[tuple[str, str]]) -> list[str]:
    """The caller's words."""
    return [word for who, what in said if who == "caller" for word in words(what)]


def index(conn: Connection, rows: list[tuple[int, str, str]]) -> None:
    """The index of some calls and their tickets."""
    found = [(n, " ".join(tokens(f"20260101-{n}", f"+86139{n:08d}"))) for n, *_ in rows]
    if conn.dialect.name == "sqlite":
        pour(conn, call_words, ("call_id", "scheme", "tokens", "words"), [(n, SCHEME, t, w) for n, t, w in rows])
        pour(conn, ticket_words, ("ticket_id", "scheme", "tokens"), [(n, SCHEME, t) for n, t in found])
        return
    for table, key, more, value, some in (
        ("call_words", "call_id", ", words", ", x.c", rows),
        ("ticket_words", "ticket_id", "", "", [(n, t, "") for n, t in found]),
    ):
        columns = tuple(list(column) for column in zip(*some, strict=True))
        conn.exec_driver_sql(_SERVER.format(table, key, more, value), columns)


async def ask(db: Database, rounds: int) -> bool:
    """Every question, as whoever may see all and as an agent; whether all kept the goal."""
    search = Search(db)
    kept = True
    for asker in (Asker("zhao", None, everything=True), Asker("li", "1007")):
        who = "all" if asker.everything else "own"
        for question in QUESTIONS:
            took = Took(f"{who} {question}", GOAL)
            hits: Any = None
            for _ in range(rounds):
                began = time.perf_counter()
                hits = await search.calls(question, asker)
                await search.tickets(question, asker)
                took.rounds.append([time.perf_counter() - began])
            kept = kept and all(one[0] < GOAL for one in took.rounds)
            print(f"{took.line()}  {len(hits.hits)} of a page", flush=True)
    return kept


async def one(url: str, count: int, rounds: int) -> bool:
    """One database, filled where it is empty, and asked."""
    await upgrade(url)
    db = Database.open(url)
    async with db.read() as conn:
        there = (await conn.execute(text("SELECT count(*) FROM calls"))).scalar_one()
    if not there:
        began = time.perf_counter()
        took = await db.transact(lambda conn: fill(conn, count))
        print(f"{count} calls in {time.perf_counter() - began:.0f} s, of that the index {took:.0f} s", flush=True)
        if not db.sqlite:
            async with db.write() as conn:
                await conn.execute(text("ANALYZE"))
    if (file := sqlite_file(url)) is not None:
        print(f"{file.stat().st_size / 1e6:.0f} MB", flush=True)
    kept = await ask(db, rounds)
    await db.close()
    return kept


async def main() -> int:
    """Both databases where asked for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--calls", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--postgresql", action="store_true")
    parser.add_argument("--keep", type=Path)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = args.keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        print("SQLite")
        kept = await one(f"sqlite+aiosqlite:///{folder / 'search.db'}", args.calls, args.rounds)
    if args.postgresql:
        from conftest import Postgres  # type: ignore[import-not-found]  # noqa: PLC0415 - only if asked for

        server = Postgres()
        url = server.new_url()
        print("PostgreSQL")
        kept = await one(url, args.calls, args.rounds) and kept
        server.stop()
    return 0 if kept else 1


if __name__ == "__main__":
    raise SystemExit(asyncio.run(main()))
