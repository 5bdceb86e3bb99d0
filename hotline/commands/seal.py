"""``hotline seal [status | verify | rotate | new-key FILE | open CALL]``: originals under lock and key."""

import argparse
import asyncio
import base64
import getpass
import json
import os
import shutil
import sys
from collections import Counter
from functools import partial
from pathlib import Path

from hotline.archive import keys
from hotline.cli import UsageError
from hotline.clock import now
from hotline.opening import add_database, with_database
from hotline.originals import LEGS, Originals
from hotline.recorder import Recorders
from hotline.resealing import Looked, rotate, verify
from hotline.seal_settings import KEY_BYTES
from hotline.settings import ConfigError, Settings, load
from screenpop.sounds import ClosedError, of_leg
from storage.audit import Audit, What
from storage.database import Database
from storage.reads import Reads
from storage.sealed_file import SealError
from storage.sounds import Sounds
from telephony.call import CallKey

_EVERY = 100  # files between two words of progress


def add(parser: argparse.ArgumentParser) -> None:
    """Name the arguments."""
    add_database(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--leg", choices=LEGS, default="mix", help="with open: which file of the recording (mix)")
    parser.add_argument("--recording", type=int, default=0, metavar="N", help="with open: the call's N-th, from 0")
    parser.add_argument("--out", type=Path, metavar="FILE", help="with open: where to; it must not be there yet")
    parser.add_argument(
        "action", choices=["status", "verify", "rotate", "new-key", "open"], nargs="?", default="status"
    )
    parser.add_argument("what", nargs="?", help="new-key: the file to make; open: the call")


def run(args: argparse.Namespace) -> int:
    """Do it; 1 when a file cannot be opened."""
    if args.action == "new-key":
        return _new_key(args)
    if args.action == "open" and (args.what is None or args.out is None):
        raise UsageError("open takes a call and --out FILE")
    try:
        settings = load(args.config)
    except ConfigError as error:
        raise UsageError(str(error)) from error
    work = {"status": _status, "verify": _verify, "rotate": _rotate, "open": _open}[args.action]
    try:
        return with_database(args, lambda db: work(args, db, _originals(settings, db)))
    except ClosedError as error:
        raise UsageError(str(error)) from error


def _originals(settings: Settings, db: Database) -> Originals:
    """The sealed files alone: what lies in the clear is none of this command's business."""
    chosen = partial(keys, settings.sealing) if settings.sealing.keys else None
    return Originals(recorders=Recorders({}), sounds=Sounds(db), policies={}, folder=settings.data, keys=chosen)


def _new_key(args: argparse.Namespace) -> int:
    if args.what is None:
        raise UsageError("new-key takes the file to make")
    file = Path(args.what)
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise UsageError(f"{file} cannot be made: {error.strerror or error}") from error
    with os.fdopen(handle, "wb") as out:
        out.write(base64.b64encode(os.urandom(KEY_BYTES)) + b"\n")
    print(f'[[sealing.keys]]\nid = "{file.stem}"\nfile = "{file}"')
    print("keep a copy elsewhere: what this key seals is lost without it", file=sys.stderr)
    return 0


async def _status(args: argparse.Namespace, _db: Database, originals: Originals) -> int:
    by_key: Counter[str] = Counter()
    after = 0
    while found := await originals.sounds.sealed_files(but=None, after=after):
        after = found[-1][1].id
        by_key.update(str(known.key) for _, known in found)
    current = None if (held := originals.keys) is None else held.current
    missing = sorted(set(by_key) - set(held.by_id if held else ()))
    if args.json:
        print(json.dumps({"current": current, "files": dict(by_key), "missing": missing}))
    else:
        print(f"seals with: {current or 'no key'}")
        for key, count in sorted(by_key.items()):
            print(f"{key}: {count} files{' - THIS KEY IS NOT HERE' if key in missing else ''}")
    return 1 if missing else 0


async def _verify(args: argparse.Namespace, _db: Database, originals: Originals) -> int:
    return _told(args, await verify(originals, _progress))


async def _rotate(args: argparse.Namespace, db: Database, originals: Originals) -> int:
    return _told(args, await rotate(originals, Reads(db), _progress))


async def _open(args: argparse.Namespace, db: Database, originals: Originals) -> int:
    try:
        call = CallKey.parse(args.what)
        page = await Reads(db).call(call)
    except ValueError as error:
        raise UsageError(f"{args.what!r} is no call: write pbx:linkedid") from error
    rows = () if page is None else page.recordings
    if not 0 <= args.recording < len(rows) or of_leg(rows[args.recording], args.leg) is None:
        raise UsageError(f"{call} has no such recording")
    row = rows[args.recording]
    try:
        args.out.touch(mode=0o600, exist_ok=False)
    except OSError as error:
        raise UsageError(f"{args.out} cannot be made: {error.strerror or error}") from error
    try:
        async with originals.plain(call, row, args.leg) as source:
            await Audit(db).add(f"cli:{getpass.getuser()}", What.RECORDING_OPENED, str(call), now(), {"leg": args.leg})
            await asyncio.to_thread(shutil.copyfile, source, args.out)
    except (LookupError, SealError, ClosedError, OSError) as error:
        args.out.unlink(missing_ok=True)
        sys.stderr.write(f"hotline seal: {error}\n")
        return 1
    return 0


def _progress(count: int) -> None:
    if count % _EVERY == 0:
        sys.stderr.write(f"hotline seal: {count} files\n")


def _told(args: argparse.Namespace, looked: Looked) -> int:
    if args.json:
        print(json.dumps({"files": looked.files, "sound": looked.sound, "faults": looked.faults}, ensure_ascii=False))
    else:
        for fault in looked.faults:
            print(fault)
        print(f"{looked.sound} of {looked.files} files in order")
    return 1 if looked.faults else 0
