"""Keeps what customers are found by up to what was written: an import, the CRM's copy, somebody entered at a desk."""

import asyncio
import time

import structlog

from storage.customer_search import CustomerSearch
from storage.trouble import StorageError

PAUSE = 2.0  # seconds between looks while nothing is to be done
AWAY = 10.0
AT_ONCE = 50  # customers in one transaction: whoever writes a call meanwhile waits for no more

log = structlog.get_logger()


async def keep_up(customers: CustomerSearch) -> None:
    """Index until cancelled. Among very many it rests as long as it works: calls and pages come first."""
    while True:
        began = time.monotonic()
        try:
            some = await customers.catch_up(AT_ONCE)
        except StorageError as error:
            log.warning("customers_not_indexed", error=str(error))
            await asyncio.sleep(AWAY)
            continue
        await asyncio.sleep(time.monotonic() - began if some else PAUSE)
