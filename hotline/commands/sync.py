"""``hotline sync``: how far our calls and tickets and the CRM's agree, where not, and repaired.

The work is done by jobs, as at night. Beside a running service whichever of both claims a job does it; without one this
command does all of it. Where it cannot open the CRM itself (no key in this shell) it asks the service and looks on.
"""

import argparse
import asyncio
import json
import re
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from crm.connector import Connector
from crm.quality import Blemish
from crm.registry import ConnectorError
from hotline.cli import UsageError
from hotline.clock import now
from hotline.commands.sync_text import blemish_line, faults_line, open_line, round_line, table
from hotline.crm_opening import open_crm
from hotline.crm_side import follow_of
from hotline.index import source_of
from hotline.instep import (
    CRM_INSTEP,
    CRM_MEND,
    MENDING_WHY,
    InStep,
    mend_job,
    repairable,
    told_open,
    told_round,
)
from hotline.instep_quality import HEADERS, CsvList, Pages, look_through, of_crm, of_index
from hotline.opening import add_database, database_url
from hotline.settings import ConfigError, Settings, load
from hotline.writeback import WriteBack
from storage.crm_index import CrmIndex
from storage.crm_sync import CrmSync, Open, Round
from storage.customer_pages import customer_pages
from storage.database import Database
from storage.drain import Handler
from storage.fanout import MemoryFanout
from storage.jobs import JobState
from storage.ledger import Ledger
from storage.migrate import check
from storage.outbox import Outbox
from storage.reads import Reads
from storage.records import NewJob
from storage.trouble import StorageError

LOOK_ON = 0.5  # seconds between two looks at how far it is
DIFFERENCES = ("id", "what", "call", "ticket", "ours", "theirs", "repair", "trouble")

Work = Callable[["Here"], Awaitable[int]]


class Here:
    """What a run has in its hands. ``crm``: None where it cannot be opened in this shell."""

    def __init__(self, args: argparse.Namespace, settings: Settings, db: Database, crm: Connector | None) -> None:
        self.args, self.settings, self.db, self.crm = args, settings, db, crm
        self.outbox, self.sync = Outbox(db), CrmSync(db)
        has_index = settings.crm.index and not settings.crm.embedded
        self.index = CrmIndex(db, source_of(settings.crm), settings.crm.area) if has_index else None

    def handlers(self) -> dict[str, Handler]:
        """Of all jobs that may be wanted; none where the CRM cannot be opened."""
        if self.crm is None:
            return {}
        shared: dict[str, Any] = {
            "db": self.db,
            "ledger": Ledger(self.db, self.settings.site.zone, follow_of(self.settings)),
            "reads": Reads(self.db),
            "outbox": self.outbox,
            "connector": self.crm,
            "clock": now,
            "settings": self.settings,
        }
        compared = InStep(**shared, index=self.index).handlers
        written = WriteBack(**shared, fanout=MemoryFanout()).handlers if self.args.repair else {}
        return {**written, **compared}


def add(parser: argparse.ArgumentParser) -> None:
    """Name the arguments."""
    add_database(parser)
    parser.add_argument("--last", action="store_true", help="compare nothing: what was found last")
    parser.add_argument(
        "--days", type=int, default=90, metavar="N", help="what is not older, and all open; 0: all (90)"
    )
    parser.add_argument(
        "--repair", action="append", metavar="ID", help="repair a difference by its number, may be repeated; or: all"
    )
    parser.add_argument("--quality", action="store_true", help="what is wrong with the CRM's customers, instead")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write what is listed into a file for spreadsheets")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    """0: in step (or nothing wrong with the customers), 1: not."""
    if args.quality and (args.repair or args.last):
        raise UsageError("--quality goes with --csv and --json only")
    wrong = [each for each in args.repair or () if each != "all" and not re.fullmatch(r"[0-9]+", each)]
    if wrong:
        raise UsageError(f"--repair takes a number of the list, or all: {wrong[0]!r}")
    try:
        settings = load(args.config)
    except ConfigError as error:
        raise UsageError(str(error)) from error
    if settings.crm.embedded and not args.quality:
        raise UsageError("the customers are our own: there is nothing to be in step with")
    work: Work = _quality if args.quality else _repair if args.repair else _last if args.last else _compare
    try:
        return asyncio.run(_opened(args, settings, work))
    except (StorageError, OSError) as error:
        raise UsageError(str(error)) from error
    except KeyboardInterrupt:
        _say("stopped; it goes on there the next time")
        return 130


async def _opened(args: argparse.Namespace, settings: Settings, work: Work) -> int:
    db = Database.open(database_url(args))
    crm = None
    try:
        await check(db)
        if not settings.crm.embedded and not args.last:
            try:
                crm = await open_crm(settings.crm, now)
            except ConnectorError as error:
                _say(f"{error}; the running service is asked")
        return await work(Here(args, settings, db, crm))
    finally:
        if crm is not None:
            await crm.close()
        await db.close()


async def _last(here: Here) -> int:
    return await _print(here, await here.sync.last())


async def _compare(here: Here) -> int:
    at = now()
    key = f"asked:{at:.3f}"
    await here.outbox.add_now(NewJob(CRM_INSTEP, key, {"days": here.args.days}), at)
    found: Round | None = None
    told = None

    async def over() -> bool:
        nonlocal found, told
        found = next((each for each in await here.sync.rounds(5) if each.key == key), None)
        line = None if found is None else found.trouble or f"{found.compared + found.waiting} of {found.total}"
        if line != told:
            told = line
            _say(line or "")
        return found is not None and found.ended is not None

    await _until(here, over)
    return await _print(here, found)


async def _repair(here: Here) -> int:
    every = [each async for each in _all(here.sync)]
    asked = set(here.args.repair)
    wanted = [each for each in every if str(each.id) in asked or ("all" in asked and repairable(each))]
    for number in sorted(asked - {str(each.id) for each in every} - {"all"}):
        _say(f"there is no difference {number} (any more)")
    at = now()
    for each in wanted:
        await here.outbox.add_now(mend_job(each.id, at), at)
    names = {mend_job(each.id, at).key for each in wanted}

    told = None

    async def over() -> bool:
        nonlocal told
        left = await here.outbox.undone(CRM_MEND, names)
        line = f"{len(names) - len(left)} of {len(names)} looked after"
        why = [job.why for job in await here.outbox.list(state=JobState.READY, kind=CRM_MEND, limit=1) if job.why]
        if left and why and why[0] != MENDING_WHY:
            line += f"; {why[0]}"
        if line != told:
            told = line
            _say(line)
        return not left

    if names:
        await _until(here, over)
    return await _print(here, await here.sync.last(), repaired=len(wanted))


async def _until(here: Here, over: Callable[[], Awaitable[bool]]) -> None:
    """Work, or look on, until it is over."""
    stop = asyncio.Event()
    handlers = here.handlers()
    async with asyncio.TaskGroup() as group:
        if handlers:
            group.create_task(here.outbox.run(handlers, stop, clock=now))
        else:
            _say("if nothing happens: is the service running?")
        while True:
            if await over():
                break
            await asyncio.sleep(LOOK_ON)
        stop.set()


async def _quality(here: Here) -> int:
    pages, last = await _pages(here), await here.sync.last()
    longest = dict((last.quality or {}).get("longest", {})) if last is not None else {}
    if here.crm is not None:
        longest = dict(here.crm.traits.longest)
    counts, listed = await _looked(pages, longest, here.args.csv)
    if here.args.json:
        _json({"counts": counts, "listed": [asdict(each) for each in listed]})
    else:
        sys.stdout.write("".join(f"{blemish_line(each)}\n" for each in listed))
        sys.stdout.write(f"{faults_line(counts)}\n")
    return 1 if sum(counts.values()) > counts["customers"] else 0


async def _looked(pages: Pages, longest: Mapping[str, int], sheet: Path | None) -> tuple[dict[str, int], list[Blemish]]:
    """Counts, and the list unless it goes into a file."""
    if sheet is not None:
        with CsvList(sheet, HEADERS) as rows:
            return await look_through(pages, longest, rows.tell), []
    listed: list[Blemish] = []
    return await look_through(pages, longest, listed.append), listed


async def _pages(here: Here) -> Pages:
    """The customers: our own, our copy of the CRM's where it is whole, or the CRM's."""
    if here.settings.crm.embedded:
        return customer_pages(here.db)
    if here.index is not None and (await here.index.told()).whole is not None:
        return of_index(here.index)
    if here.crm is None:
        raise UsageError("there is no whole copy of the CRM's customers: hotline index load")
    return of_crm(here.crm)


async def _print(here: Here, found: Round | None, repaired: int | None = None) -> int:
    left = [each async for each in _all(here.sync)]
    if here.args.csv is not None:
        with CsvList(here.args.csv, DIFFERENCES) as sheet:
            for each in left:
                sheet.row(open_line(each))
    if here.args.json:
        last = None if found is None else told_round(found)
        _json({"last": last, "repaired": repaired, "differences": [told_open(each) for each in left]})
    else:
        sys.stdout.write(table([DIFFERENCES, *(open_line(each) for each in left)]) if left else "")
        sys.stdout.write(f"{round_line(found, left, here.settings.site.zone)}\n")
    return 1 if left or found is None else 0


async def _all(sync: CrmSync) -> AsyncIterator[Open]:
    after = 0
    while page := await sync.differences(after=after):
        for each in page:
            yield each
        after = page[-1].id


def _json(told: Any) -> None:
    sys.stdout.write(json.dumps(told, ensure_ascii=False) + "\n")


def _say(text: str) -> None:
    sys.stderr.write(f"hotline sync: {text}\n")
