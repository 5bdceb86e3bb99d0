"""``hotline crm check [--number RAW]``: does the CRM answer, has it what is mapped, whom does it find for a number."""

import argparse
import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from crm.registry import ConnectorError
from hotline.cli import UsageError
from hotline.clock import now
from hotline.crm_opening import open_crm
from hotline.crm_probe import Probe, probe
from hotline.settings import ConfigError, Settings, load
from numbering.identify import identify
from numbering.number import Number
from storage.customers import EmbeddedCrm
from storage.database import Database
from storage.migrate import check
from storage.trouble import StorageError


def add(parser: argparse.ArgumentParser) -> None:
    """Name the arguments."""
    parser.add_argument("action", choices=["check"])
    parser.add_argument(
        "--config", type=Path, metavar="PATH", help="the configuration (default: HOTLINE_CONFIG or ./hotline.toml)"
    )
    parser.add_argument("--number", metavar="RAW", help="look for this caller, as the trunk shows the number")
    parser.add_argument("--area", metavar="CODE", help="area code of a number given locally ([crm] area)")
    parser.add_argument("--fields", action="store_true", help="list every field the CRM has")
    parser.add_argument("--json", action="store_true", help="print everything as one JSON object")


def run(args: argparse.Namespace) -> int:
    """Ask; 0 when all went well, 1 when something did not."""
    try:
        settings = load(args.config)
        area = args.area or settings.crm.area
        number = None if args.number is None else identify(args.number, area)
        found = asyncio.run(_probed(settings, number, area))
    except (ConfigError, ConnectorError, StorageError) as error:
        raise UsageError(str(error)) from error
    if args.json:
        print(json.dumps(_as_json(found), ensure_ascii=False))
    else:
        for line in (*_lines(found), *_caller_lines(found), *(_field_lines(found) if args.fields else ())):
            print("".join(char if char.isprintable() else "\ufffd" for char in line))
        for warning in found.warnings:
            print(f"warning    {warning}")
        for fault in found.faults:
            print(f"FAULT      {fault}")
    return 1 if found.faults else 0


async def _probed(settings: Settings, number: Number | None, area: str | None) -> Probe:
    if settings.crm.embedded:
        db = Database.open(settings.database_url)
        try:
            await check(db)
            return await probe(EmbeddedCrm(db), number, area)
        finally:
            await db.close()
    crm = await open_crm(settings.crm, now)
    try:
        return await probe(crm, number, area)
    finally:
        await crm.close()


def _as_json(found: Probe) -> dict[str, Any]:
    health = found.health and {"version": found.health.version, "skew": found.health.skew}
    fields = {
        name: {
            field: {"kind": info.kind, "longest": info.longest, "choices": info.choices} for field, info in of.items()
        }
        for name, of in found.schema.items()
    }
    return {
        "connector": found.connector,
        "can": found.can,
        "traits": found.traits,
        "health": health,
        "schema": fields,
        "caller": found.caller,
        "warnings": found.warnings,
        "faults": found.faults,
        "took": found.took,
    }


def _lines(found: Probe) -> Iterator[str]:
    yield f"connector  {found.connector}: {', '.join(found.can)}"
    yield f"           created once: {found.traits['once']}; changes: {found.traits['feed']}"
    if found.health is not None:
        yield f"answers    {found.health.version} ({_ms(found, 'health')})"
    if found.schema:
        yield f"has        {', '.join(f'{name} ({len(fields)} fields)' for name, fields in found.schema.items())}"


def _caller_lines(found: Probe) -> Iterator[str]:
    caller = found.caller
    if caller is None:
        return
    ext = f" extension {caller['ext']}" if caller["ext"] else ""
    yield f"number     {caller['raw']} is {caller['e164'] or 'nobody to be found by'} ({caller['kind']}){ext}"
    if caller["e164"] is None or "find" not in found.took or any(each.startswith("find:") for each in found.faults):
        return
    if not caller["candidates"]:
        yield f"           nobody ({_ms(found, 'find')})"
    for each in caller["candidates"]:
        sure = "sure" if each["id"] == caller["sure"] else "possible"
        company = f", {each['company']}" if each["company"] else ""
        yield f"{sure:10} {each['name']}{company} ({each['id']}): {each['reason']}, by {each['matched']}"
    for each in caller["refused"]:
        phones = ", ".join(each["phones"]) or "none"
        yield f"not taken  {each['name']} ({each['id']}): the CRM offers it, but its numbers are {phones}"
    for each in caller.get("items", ()):
        yield f"ticket     {each['title']} ({each['id']}): {each['said']}, for us {each['status']}"


def _field_lines(found: Probe) -> Iterator[str]:
    for name, fields in found.schema.items():
        for field, info in sorted(fields.items()):
            longest = f", at most {info.longest} characters" if info.longest else ""
            choices = f": {', '.join(info.choices)}" if info.choices else ""
            yield f"field      {name}.{field} {info.kind}{longest}{choices}"


def _ms(found: Probe, question: str) -> str:
    return f"{found.took[question] * 1000:.0f} ms"
