"""How a command comes to the database: its two options, the address they mean, and the open database."""

import argparse
import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from hotline.cli import UsageError
from hotline.settings import ConfigError, load
from storage.database import Database, address
from storage.migrate import check
from storage.trouble import StorageError

T = TypeVar("T")


def add_database(parser: argparse.ArgumentParser) -> None:
    """The options ``--config`` and ``--database``."""
    parser.add_argument(
        "--config", type=Path, metavar="PATH", help="the configuration (default: HOTLINE_CONFIG or ./hotline.toml)"
    )
    parser.add_argument("--database", metavar="URL", help="another database than the configured one")


def database_url(args: argparse.Namespace) -> str:
    """The database that the options mean. UsageError for a configuration or address that cannot be used."""
    try:
        url: str = args.database or load(args.config).database_url
        address(url)
    except (ConfigError, StorageError) as error:
        raise UsageError(str(error)) from error
    return url


def with_database(args: argparse.Namespace, work: Callable[[Database], Awaitable[T]]) -> T:
    """Run ``work`` on the database that the options mean. UsageError when it is unusable or of another version."""
    url = database_url(args)

    async def opened() -> T:
        db = Database.open(url)
        try:
            await check(db)
            return await work(db)
        finally:
            await db.close()

    try:
        return asyncio.run(opened())
    except StorageError as error:
        raise UsageError(str(error)) from error
