"""``hotline index [status | load | reconcile]``: the copy of the CRM's customers that callers are known from.

Beside a running service: whichever of both has the turn reads the CRM, the other one looks on.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from crm.registry import ConnectorError
from hotline.cli import UsageError
from hotline.clock import now
from hotline.crm_opening import open_crm
from hotline.index import OTHERS_TURN, Index
from hotline.index_plan import REFUSED
from hotline.opening import add_database, database_url
from hotline.settings import ConfigError, Settings, load
from storage.crm_index_state import Told
from storage.crm_index_turn import want
from storage.database import Database
from storage.migrate import check
from storage.trouble import StorageError

LOOK_ON = 1.0  # seconds between two tellings of progress


def add(parser: argparse.ArgumentParser) -> None:
    """Name the arguments."""
    add_database(parser)
    parser.add_argument("--json", action="store_true", help="print the result as one JSON object")
    parser.add_argument(
        "action",
        nargs="?",
        choices=["status", "load", "reconcile"],
        default="status",
        help="status: how far it is; load: read all customers now; reconcile: the same, and tell what differed",
    )


def run(args: argparse.Namespace) -> int:
    """Do it; 0 done, 1 when the CRM refuses or customers were kept that it does not list any more."""
    try:
        settings = load(args.config)
    except ConfigError as error:
        raise UsageError(str(error)) from error
    if settings.crm.embedded:
        raise UsageError("there is no copy: the customers are in our own database")
    if not settings.crm.index:
        raise UsageError("there is no copy: [crm] index is false")
    actions: Mapping[str, Callable[[Index, argparse.Namespace, Settings], Awaitable[int]]] = {
        "status": _status,
        "load": _load,
        "reconcile": _load,
    }
    try:
        return asyncio.run(
            _opened(settings, database_url(args), lambda index: actions[args.action](index, args, settings))
        )
    except (StorageError, ConnectorError) as error:
        raise UsageError(str(error)) from error
    except KeyboardInterrupt:
        _say("stopped; the next reading goes on there")
        return 130


async def _opened(settings: Settings, url: str, work: Callable[[Index], Awaitable[int]]) -> int:
    db = Database.open(url)
    try:
        await check(db)
        crm = await open_crm(settings.crm, now)
        try:
            return await work(Index(db=db, connector=crm, clock=now, settings=settings))
        finally:
            await crm.close()
    finally:
        await db.close()


async def _status(index: Index, args: argparse.Namespace, settings: Settings) -> int:
    await index.look()
    sizes = await index.copy.sizes()
    report = {**index.report(), "customers": sizes.customers, "numbers": sizes.numbers}
    if args.json:
        _print(report)
        return 0
    told = index.told
    lines = [f"{sizes.customers} customers, {sizes.numbers} numbers"]
    if told.loading:
        lines.append(f"reading all customers: {_progress(told)}")
    elif told.ended is not None:
        lines.append(f"all customers read at {_when(told.ended, settings.site.zone)}: {_found(told)}")
    else:
        lines.append("never read as a whole")
    if told.fed is not None:
        lines.append(
            f"changes followed until {_when(told.fed, settings.site.zone)}: {told.news} since the last reading"
        )
    if told.held:
        lines.append(_held(told))
    if told.error is not None and told.error_at is not None:
        lines.append(f"trouble since {_when(told.error_at, settings.site.zone)}: {told.error}")
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


async def _load(index: Index, args: argparse.Namespace, _: Settings) -> int:
    before = await index.copy.told()
    wanted = before.load if before.loading else before.load + 1
    await want(index.copy)
    async with asyncio.TaskGroup() as group:
        looking = group.create_task(_look_on(index))
        told = await _until(index, wanted)
        looking.cancel()
    if told is None:
        await index.look()
        _say(index.told.error or "the CRM refuses")
        return 1
    if args.json:
        _print(index.report())
    elif args.action == "load":
        sys.stdout.write(f"{_progress(told)}\n")
    else:
        sys.stdout.write(f"{told.count} customers compared: {_found(told)}\n")
    if told.held:
        _say(_held(told))
    return 1 if told.held else 0


async def _until(index: Index, wanted: int) -> Told | None:
    """Work, or wait for who works, until that load is over; None when the CRM refuses."""
    alone = True
    while True:
        pause = await index.round()
        if pause == OTHERS_TURN and alone:
            _say("another service has the turn, or died with it less than half a minute ago: looking on")
            alone = False
        await index.look()
        told = index.told
        if told.load >= wanted and not told.loading:
            return told
        if pause >= REFUSED:
            return None
        if told.error is not None:
            _say(f"{told.error}; again in {pause:.0f} s")
        await asyncio.sleep(pause)


async def _look_on(index: Index) -> None:
    last = Told()
    while True:
        await asyncio.sleep(LOOK_ON)
        await index.look()
        told = index.told
        if told.loading and told.count != last.count:
            _say(_progress(told))
        last = told


def _progress(told: Told) -> str:
    rate = "" if told.rate is None else f", {told.rate:.0f} a second"
    return f"{told.count} customers{rate}"


def _found(told: Told) -> str:
    return f"{told.added} added, {told.changed} changed, {told.dropped} dropped"


def _held(told: Told) -> str:
    return (
        f"{told.held} customers are not listed any more and kept all the same: "
        "so many at once are rather a key that may see less. Another load that says the same drops them"
    )


def _when(at: float, zone: ZoneInfo) -> str:
    return datetime.fromtimestamp(at, zone).strftime("%Y-%m-%d %H:%M:%S")


def _print(report: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps(report, ensure_ascii=False) + "\n")


def _say(text: str) -> None:
    sys.stderr.write(f"hotline index: {text}\n")
