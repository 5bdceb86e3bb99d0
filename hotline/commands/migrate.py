"""``hotline migrate``: brings the database to this version; ``serve`` does the same when it starts."""

import argparse
import asyncio
import json
import sys

from hotline.cli import UsageError
from hotline.opening import add_database, database_url
from storage.database import address
from storage.migrate import upgrade
from storage.trouble import StorageError


def add(parser: argparse.ArgumentParser) -> None:
    """Name the arguments."""
    add_database(parser)
    parser.add_argument("--json", action="store_true", help="print the versions as JSON")


def run(args: argparse.Namespace) -> int:
    """Migrate, and say from which version to which."""
    url = database_url(args)
    try:
        before, after = asyncio.run(upgrade(url))
    except StorageError as error:
        raise UsageError(str(error)) from error
    if args.json:
        sys.stdout.write(json.dumps({"before": before, "after": after}) + "\n")
    elif before == after:
        sys.stdout.write(f"{address(url).render_as_string()} is at version {after} already\n")
    else:
        sys.stdout.write(f"{address(url).render_as_string()}: from version {before or 'nothing'} to {after}\n")
    return 0
