"""``hotline export CALL --format vtt`` or ``hotline export --since DATE --out FOLDER``: conversations as files."""

import argparse
import asyncio
import contextlib
import getpass
import os
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from tempfile import NamedTemporaryFile

from hotline.cli import UsageError
from hotline.clock import now
from hotline.opening import add_database, with_database
from hotline.recorder import Recorder, Recorders
from hotline.settings import ConfigError, Settings, load
from screenpop.audio import Leg
from screenpop.export import SPOKEN, conversation, file_name, sounds_of, written
from screenpop.sounds import AsTheyLie
from storage.audit import Audit, What
from storage.database import Database
from storage.pages import CallPage
from storage.reads import Reads
from telephony.call import CallKey
from telephony.recordings import Rules
from transcription.formats import Format, Sound, Titles

_FOR_EVER = 1e12  # epoch seconds
TITLES = {"zh_CN": Titles(), "en": Titles("Caller", "Agent")}


def add(parser: argparse.ArgumentParser) -> None:
    """Name the arguments."""
    add_database(parser)
    parser.add_argument("call", nargs="?", metavar="CALL", help="one call: pbx:linkedid; without it all of a time")
    parser.add_argument("--format", choices=[one.value for one in Format], default="json", help="default: json")
    parser.add_argument("--out", type=Path, metavar="PATH", help="a file for one call, a folder for many")
    parser.add_argument("--since", metavar="DATE", help="calls that arrived from then on: 2026-11-21 or with a time")
    parser.add_argument("--until", metavar="DATE", help="and before then")
    parser.add_argument("--line", metavar="NUMBER", help="and only of this line")
    parser.add_argument("--masked", action="store_true", help="without numbers, names and addresses")


@dataclass(frozen=True, slots=True)
class _House:
    """Where calls are read from and how they are written."""

    settings: Settings
    reads: Reads
    audit: Audit
    wanted: Format
    masked: bool
    at: float

    async def text(self, page: CallPage) -> str:
        """The file of a call."""
        zone = self.settings.site.zone
        told = conversation(
            page,
            zone=zone,
            lines={line.number: line.name for line in self.settings.line},
            names={agent.extension: agent.name for agent in self.settings.agent if agent.name},
            masked=self.masked,
            sounds=[] if self.wanted in SPOKEN or self.masked else await self._sounds(page),
        )
        titles = TITLES[self.settings.site.language]
        return written(told, self.wanted, datetime.fromtimestamp(self.at, zone), titles, self.settings.site.name)

    async def _sounds(self, page: CallPage) -> list[Sound]:
        base = self.settings.server.url or ""

        def address(number: int, leg: Leg) -> str | None:
            path = f"/calls/{page.item.key}/audio/{number}/{leg.value}?download=1"
            return base.rstrip("/") + path if base.startswith("https://") else None

        ears = AsTheyLie(_recorders(self.settings).path)
        return await sounds_of(page, ears, unmasked=True, address=address)

    async def on_record(self, page: CallPage) -> None:
        """That it left the house."""
        detail = {"format": self.wanted.value, "masked": self.masked}
        who = f"cli:{getpass.getuser()}"
        await self.audit.add(who, What.EXPORTED, str(page.item.key), self.at, detail)


def run(args: argparse.Namespace) -> int:
    """Write the file or files; 1 when there is no such call, or nothing was written down of it."""
    try:
        settings = load(args.config)
    except ConfigError as error:
        raise UsageError(str(error)) from error
    many = args.since is not None or args.until is not None or args.line is not None
    if many == (args.call is not None):
        raise UsageError("name one CALL, or the time of many with --since (and --until, --line)")
    if many and args.out is None:
        raise UsageError("--out names the folder that many calls are written into")
    if many:
        try:
            args.out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"{args.out}: {error.strerror or error}") from error
    times = [_time(given, settings) for given in (args.since, args.until)]
    call = None if args.call is None else _call(args.call)

    async def work(db: Database) -> int:
        house = _House(settings, Reads(db), Audit(db), Format(args.format), args.masked, now())
        if call is not None:
            return await _one(house, call, args.out)
        since, until = times[0] or 0.0, _FOR_EVER if times[1] is None else times[1]
        return await _many(house, args.out, partial(house.reads.calls_between, since, until, args.line))

    return with_database(args, work)


async def _one(house: _House, call: CallKey, out: Path | None) -> int:
    page = await house.reads.call(call)
    if page is None:
        sys.stderr.write(f"hotline export: there is no call {call}\n")
        return 1
    if page.transcript is None and house.wanted in SPOKEN:
        sys.stderr.write(f"hotline export: nothing was written down of {call} yet\n")
        return 1
    text = await house.text(page)
    await house.on_record(page)
    if out is None:
        sys.stdout.write(text)
    else:
        await asyncio.to_thread(_write, out, text)
    return 0


async def _many(house: _House, folder: Path, keys: Callable[[], Awaitable[Sequence[CallKey]]]) -> int:
    written_down = skipped = 0
    for key in await keys():
        page = await house.reads.call(key)
        if page is None or (page.transcript is None and house.wanted in SPOKEN):
            skipped += 1
            continue
        text = await house.text(page)
        await house.on_record(page)
        day = datetime.fromtimestamp(page.item.arrived, house.settings.site.zone)
        await asyncio.to_thread(_write, folder / f"{day:%Y%m%d-%H%M%S}-{file_name(key, house.wanted)}", text)
        written_down += 1
    sys.stdout.write(f"{written_down} written, {skipped} without words\n")
    return 0


def _write(path: Path, text: str) -> None:
    """Whole or not at all, for nobody else's eyes. UsageError where it cannot be."""
    try:
        with NamedTemporaryFile("w", encoding="utf-8", newline="", dir=path.parent, delete=False) as file:
            name = Path(file.name)
            with contextlib.ExitStack() as undo:
                undo.callback(name.unlink, missing_ok=True)
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
                name.replace(path)
                undo.pop_all()
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}") from error


def _call(text: str) -> CallKey:
    try:
        return CallKey.parse(text)
    except ValueError as error:
        raise UsageError(f"{text!r} is no call: write pbx:linkedid") from error


def _time(text: str | None, settings: Settings) -> float | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"{text!r} is no date: write 2026-11-21 or 2026-11-21T08:00+08:00") from error
    return (moment if moment.tzinfo else moment.replace(tzinfo=settings.site.zone)).timestamp()


def _recorders(settings: Settings) -> Recorders:
    """Where the recordings lie that can be read from here; what is fetched from a server is read where it was put."""
    places = {}
    for pbx in settings.pbx:
        place = settings.recordings_of(pbx)
        own = pbx.name if pbx.recordings is not None else ""
        root = place.root or settings.data / "fetched" / own
        rules = Rules(mark=place.mark, quiet=place.wait, repairs=settings.data / "repaired" / own)
        messages = place.messages or (root.parent / "voicemail" if (root.parent / "voicemail").is_dir() else None)
        places[pbx.name] = Recorder(root, rules, now, messages=messages)
    return Recorders(places)
