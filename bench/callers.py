"""Who is calling, among a million: CSV load, finding and deciding, the copy of a CRM, the card with an Odoo behind.

    .venv/bin/python bench/callers.py [--customers 1000000] [--callers 5000] [--only load find copy odoo] [--postgresql]

load: `hotline import` of a made-up list, its rate, and the memory of its processes as it goes on. find: a caller's
number to a decided match among the imported customers, beside the bare statement of SQLite. copy: the same customers
through the copy of a CRM that answers at once, as fast as our side takes them, and found there. odoo: the CRM lab's
Odoo, where it can be had: the rate it gives its customers at, and how long a card takes to be there and to be complete.
See bench/README.md.
"""

import argparse
import asyncio
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from types import ModuleType

REPO = Path(__file__).parent.parent
sys.path.insert(0, str(REPO))
sys.path.insert(1, str(REPO / "tests"))

from bench import people  # noqa: E402 - from the path above
from bench.took import Took  # noqa: E402
from crm.connector import Can, Health, Unable  # noqa: E402
from crm.csvfile import CsvFile  # noqa: E402
from crm.customer import Customer  # noqa: E402
from crm.matching import decide  # noqa: E402
from hotline.clock import now  # noqa: E402
from hotline.crm_settings import Crm  # noqa: E402
from hotline.customer_file import columns_of  # noqa: E402
from hotline.index import Index  # noqa: E402
from hotline.settings import Settings  # noqa: E402
from numbering.identify import identify  # noqa: E402
from numbering.number import Number  # noqa: E402
from storage.crm_index import CrmIndex  # noqa: E402
from storage.customers import EmbeddedCrm  # noqa: E402
from storage.database import Database  # noqa: E402
from storage.migrate import upgrade  # noqa: E402

PARTS = ("load", "find", "copy", "odoo")
ROUNDS = 5
PAGE = 1000


def memory(root: int) -> float:
    """What a process and its children hold, MB; 0 when it is gone."""
    total, todo = 0, [root]
    while todo:
        pid = todo.pop()
        try:
            lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
            todo += [
                int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8").split()
            ]
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))
    return total / 1024


def load(file: Path, url: str, count: int) -> None:
    """``hotline import``, watched."""
    command = [sys.executable, "-m", "hotline", "import", str(file), "--database", url, "--json"]
    begun, held = time.perf_counter(), list[float]()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=REPO) as importing:
        while importing.poll() is None:
            held.append(memory(importing.pid))
            time.sleep(0.1)
        took = time.perf_counter() - begun
        assert importing.stdout is not None
        answer = json.loads(importing.stdout.read())
    assert answer["new"] == count, answer
    kind = url.partition("+")[0]
    print(f"CSV into {kind}: {count} customers in {took:.1f} s, {count / took:.0f} a second  (wanted 20000)")
    tenths = [max(held[len(held) * part // 10 : len(held) * (part + 1) // 10], default=0.0) for part in range(10)]
    print("  memory of both processes, MB, by tenths of the way: " + " ".join(f"{most:.0f}" for most in tenths))


async def timed(
    took: Took, callers: Sequence[tuple[str, str | None]], find: Callable[[Number], Awaitable[Sequence[Customer]]]
) -> None:
    """From the number as the carrier shows it to who it is. Stops at the first wrong answer."""
    times = []
    for raw, owner in callers:
        begun = time.perf_counter()
        number = identify(raw)
        match = decide(number, await find(number))
        times.append(time.perf_counter() - begun)
        found = match.sure.id if match.sure else None
        assert found == owner, f"{raw}: {found} instead of {owner}"
    took.rounds.append(times)


def bare(path: Path, callers: Sequence[tuple[str, str | None]]) -> list[float]:
    """The floor: one statement of SQLite's, in this thread."""
    times = []
    with sqlite3.connect(path) as conn:
        for raw, _ in callers:
            begun = time.perf_counter()
            conn.execute("SELECT customer_id FROM customer_phones WHERE e164 = ?", (f"+86{raw}",)).fetchall()
            times.append(time.perf_counter() - begun)
    return times


async def embedded(url: str, callers: Sequence[tuple[str, str | None]], path: Path | None) -> None:
    """Finding among the imported customers."""
    db = Database.open(url)
    floor, took = Took("bare statement of SQLite"), Took(f"match, {url.partition('+')[0]}", 0.001)
    try:
        crm = EmbeddedCrm(db)
        for number in range(ROUNDS):
            some = callers[number::ROUNDS]
            if path is not None:
                floor.rounds.append(bare(path, some))
            await timed(took, some, crm.find)
    finally:
        await db.close()
    for each in (floor, took):
        if each.rounds:
            print(each.line())


class Listed(Unable):
    """A CRM that gives its customers as fast as they are taken: the list itself."""

    name = "list"
    can = Can.FIND | Can.LOAD

    def __init__(self, source: CsvFile, count: int) -> None:
        self._source, self._count = source, count
        columns_of(source)

    async def health(self) -> Health:
        """It is there."""
        return Health("list")

    async def load(self, after: str | None = None) -> AsyncIterator[tuple[Sequence[Customer], str]]:
        """Everybody, in pages; made here, so their making counts as well."""
        from crm.mapping import Columns, Mapped, map_row  # noqa: PLC0415 - used here only

        assert after is None
        records = self._source.records()
        columns = Columns.of(next(records).cells)
        page: list[Customer] = []
        for record in records:
            mapped = map_row(columns, record.cells, record.line)
            assert isinstance(mapped, Mapped)
            page.append(mapped.customer)
            if len(page) == PAGE:
                yield page, page[-1].id
                page = []
        yield page, "end"


async def copied(file: Path, url: str, callers: Sequence[tuple[str, str | None]], count: int) -> None:
    """The copy of a CRM: filled, and found in."""
    db = Database.open(url)
    try:
        settings = Settings(crm=Crm(connector="list"))
        index = Index(db=db, connector=Listed(CsvFile.look_at(file), count), clock=now, settings=settings)
        begun, spent = time.perf_counter(), time.process_time()
        await index.round()
        took = time.perf_counter() - begun
        assert index.told.count == count, index.told
        used = (time.process_time() - spent) / count * 1e6
        print(f"copy of a CRM that answers at once: {count / took:.0f} a second, {used:.0f} us of processor each")
        match = Took("match, copy of a CRM", 0.001)
        for number in range(ROUNDS):
            await timed(match, callers[number::ROUNDS], finder(index.copy))
        print(match.line())
        print(f"  memory of this process: {memory(os.getpid()):.0f} MB")
    finally:
        await db.close()


def finder(copy: CrmIndex) -> Callable[[Number], Awaitable[Sequence[Customer]]]:
    """Finding in the copy."""

    async def find(number: Number) -> Sequence[Customer]:
        return (await copy.find(number)).customers

    return find


async def fresh(folder: Path, name: str) -> str:
    """A new database of our own."""
    url = f"sqlite+aiosqlite:///{folder / name}.db"
    await upgrade(url)
    return url


def run(args: argparse.Namespace, folder: Path) -> None:
    """Every part asked for."""
    file, count = folder / "people.csv", args.customers
    only = set(args.only)
    callers = people.callers(count, args.callers)
    if only & {"load", "find", "copy"}:
        people.write(file, count)
    if only & {"load", "find"}:
        url = f"sqlite+aiosqlite:///{folder / 'embedded.db'}"
        load(file, url, count)
        if "find" in only:
            asyncio.run(embedded(url, callers, folder / "embedded.db"))
        if args.postgresql:
            with_server(file, callers, count, find="find" in only)
    if "copy" in only:
        asyncio.run(copied(file, asyncio.run(fresh(folder, "copy")), callers, count))
    if "odoo" in only:
        # Some wheel brings a package "tests" of its own, which would be found instead of ours.
        ours = sys.modules["tests"] = ModuleType("tests")
        ours.__path__ = [str(REPO / "tests")]
        from bench import callers_odoo  # noqa: PLC0415 - needs what only tests need

        asyncio.run(callers_odoo.measure(asyncio.run(fresh(folder, "odoo")), args.rings))


def with_server(file: Path, callers: Sequence[tuple[str, str | None]], count: int, *, find: bool) -> None:
    """The same on PostgreSQL: the tests' server."""
    from conftest import Postgres  # type: ignore[import-not-found]  # noqa: PLC0415 - only if asked for

    server = Postgres()
    try:
        url = server.new_url()
        asyncio.run(upgrade(url))
        load(file, url, count)
        if find:
            asyncio.run(embedded(url, callers, None))
    finally:
        server.stop()


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--callers", type=int, default=5000)
    parser.add_argument("--rings", type=int, default=300, help="callers asked of the Odoo")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--postgresql", action="store_true", help="load and find on PostgreSQL as well")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hotline-callers-") as folder:
        run(args, Path(folder))


if __name__ == "__main__":
    main()
