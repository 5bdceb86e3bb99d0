"""``hotline restore FILE``: a copy made by ``hotline backup`` is the database again. The service must be stopped."""

import argparse
from datetime import UTC, datetime
from pathlib import Path

from hotline.cli import UsageError
from hotline.clock import now
from hotline.commands.backup import SERVER
from hotline.opening import add_database, database_url
from storage.backup import put_back
from storage.database import sqlite_file
from storage.trouble import StorageError


def add(parser: argparse.ArgumentParser) -> None:
    """Name the arguments."""
    add_database(parser)
    parser.add_argument("file", type=Path, help="the copy")


def run(args: argparse.Namespace) -> int:
    """Put it back; what was there is kept beside it."""
    database = sqlite_file(database_url(args))
    if database is None:
        raise UsageError(SERVER % "pg_restore --clean --if-exists --dbname=URL FILE")
    stamp = datetime.fromtimestamp(now(), UTC).strftime("%Y%m%dT%H%M%SZ")
    aside = database.with_name(f"{database.name}.before-restore-{stamp}")
    try:
        version = put_back(args.file, database, aside)
    except StorageError as error:
        raise UsageError(str(error)) from error
    kept = f" What was there is kept as {aside.name}." if aside.exists() else ""
    print(f"{database} is version {version} of {args.file}.{kept} The next start brings it to this program's version.")
    return 0
