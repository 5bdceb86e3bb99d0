"""``hotline backup FILE``: the database as it stands now, in one file, while the service goes on."""

import argparse
import sys
from pathlib import Path

from hotline.cli import UsageError
from hotline.opening import add_database, database_url
from storage.backup import save
from storage.database import sqlite_file
from storage.trouble import StorageError

SERVER = "the database is on a server: use its own tool, %s"


def add(parser: argparse.ArgumentParser) -> None:
    """Name the arguments."""
    add_database(parser)
    parser.add_argument("file", type=Path, help="where the copy goes")
    parser.add_argument("--force", action="store_true", help="write over a file that is there")


def run(args: argparse.Namespace) -> int:
    """Copy; recordings, models and the configuration are files of their own and are not in it."""
    database = sqlite_file(database_url(args))
    if database is None:
        raise UsageError(SERVER % "pg_dump --format=custom --file=FILE URL")
    if args.file.exists() and not args.force:
        raise UsageError(f"{args.file} is there already: choose another name, or write over it with --force")
    try:
        version = save(database, args.file, _tell)
    except StorageError as error:
        raise UsageError(str(error)) from error
    size = args.file.stat().st_size / 1e6
    print(f"{args.file}: {size:.1f} MB, version {version}. Recordings, models and hotline.toml are not in it.")
    return 0


def _tell(done: int, of: int) -> None:
    """Progress, for people."""
    if sys.stderr.isatty():
        print(f"\r{done * 100 // max(of, 1)} %", end="\n" if done == of else "", file=sys.stderr, flush=True)
