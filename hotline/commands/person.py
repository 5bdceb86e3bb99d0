"""``hotline person show|export|erase NUMBER``: what is kept of one person, in one file, or taken out for good.

``--customer ID`` means a customer of the CRM instead of a number. Nothing is erased without ``--yes``.
"""

import argparse
import asyncio
import getpass
import json
import sys
from dataclasses import asdict
from pathlib import Path

from hotline.archive import Archive
from hotline.cli import UsageError
from hotline.clock import now
from hotline.opening import add_database, with_database
from hotline.privacy import PrivacyDesk
from hotline.settings import ConfigError, Settings, load
from storage.audit import Audit, What
from storage.backup import rewrite
from storage.database import Database, sqlite_file
from storage.erasures import LiveCallError
from storage.jobs import HopelessError, JobError
from storage.ledger import Ledger
from storage.outbox import Outbox
from storage.persons import By, Person, known_by, subject_of
from storage.reads import Reads

LEASE = 600.0  # seconds


def add(parser: argparse.ArgumentParser) -> None:
    """Name the arguments."""
    add_database(parser)
    parser.add_argument("deed", choices=("show", "export", "erase"))
    parser.add_argument("number", nargs="?", metavar="NUMBER", help="the caller's number, as people write it")
    parser.add_argument("--customer", metavar="ID", help="a customer of the CRM instead")
    parser.add_argument("--out", type=Path, metavar="FILE", help="export: the zip file to write")
    parser.add_argument("--yes", action="store_true", help="erase: it cannot be undone, and I know")
    parser.add_argument("--vacuum", action="store_true", help="erase: then write the SQLite file anew")


def run(args: argparse.Namespace) -> int:
    """Show, export or erase; 1 when a call of theirs goes on, or files cannot be removed."""
    person = _person(args)
    if args.deed == "export" and args.out is None:
        raise UsageError("--out names the zip file to write")
    try:
        settings = load(args.config)
    except ConfigError as error:
        raise UsageError(str(error)) from error
    return with_database(args, lambda db: _do(args, db, settings, person))


async def _do(args: argparse.Namespace, db: Database, settings: Settings, person: Person) -> int:
    outbox = Outbox(db)
    desk = Archive(settings, db=db, ledger=Ledger(db), reads=Reads(db), outbox=outbox, clock=now).privacy
    who = f"cli:{getpass.getuser()}"
    if args.deed == "show":
        about = await desk.about(person)
        sys.stdout.write(json.dumps(asdict(about), ensure_ascii=False) + "\n")
        return 0
    if args.deed == "export":
        try:
            heard = await desk.pack(person, args.out)
        except OSError as error:
            raise UsageError(f"{args.out}: {error.strerror or error}") from error
        audit = Audit(db)
        await audit.add(who, What.PERSON_EXPORTED, subject_of(person), now(), {"file": args.out.name})
        for call in heard:
            await audit.add(who, What.DOWNLOADED, str(call), now(), {"person": True})
        return 0
    return await _erase(args, db, desk, outbox, person)


async def _erase(args: argparse.Namespace, db: Database, desk: PrivacyDesk, outbox: Outbox, person: Person) -> int:
    about = await desk.about(person)
    if not args.yes:
        counted = f"{about.calls} calls, {about.recordings} recordings and {about.tickets} tickets"
        raise UsageError(f"{counted} would lose whose they are, and every word. Say --yes to have it done")
    try:
        number = await desk.ask(person, f"cli:{getpass.getuser()}")
    except LiveCallError:
        sys.stderr.write("hotline person: a call of theirs goes on; wait for its end\n")
        return 1
    job = await outbox.claim(["erase"], now(), LEASE)
    while job is not None:
        try:
            await desk.erase(job)
        except (JobError, HopelessError) as error:
            await outbox.retry(job, str(error), now())
            sys.stderr.write(f"hotline person: {error}\n")
            return 1
        await outbox.done(job, now())
        job = await outbox.claim(["erase"], now(), LEASE)
    if args.vacuum and (file := sqlite_file(db.url)) is not None:
        await asyncio.to_thread(rewrite, file)
    sys.stdout.write(json.dumps({"erasure": number, "crm": list(about.crm)}, ensure_ascii=False) + "\n")
    return 0


def _person(args: argparse.Namespace) -> Person:
    if (args.number is None) == (args.customer is None):
        raise UsageError("name a NUMBER, or a customer with --customer")
    if args.customer is not None:
        return Person(By.CUSTOMER, args.customer)
    return known_by(args.number)
