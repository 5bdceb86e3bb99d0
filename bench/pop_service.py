"""The service as bench/pop.py measures it: the real link, tracker, pipeline, hub and page; the customer in memory.

    pop_service.py AMI_PORT LEDGER_URL|none ACCOUNTS_URL ; prints {"ws": ..., "cookies": {...}}

``none``: facts are shown and not written. The accounts' database is only for the page's login.
"""

import asyncio
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from aiohttp import web
from argon2 import PasswordHasher

from crm.connector import Can, Unable
from crm.customer import Contract, Customer, Phone, Purchase
from hotline import logs
from hotline.app import Service
from hotline.clock import now
from hotline.lookup import Lookup
from hotline.settings import DatabaseSettings, Settings
from hotline.telephony_settings import Agent, Line, Pbx, Recordings
from numbering.number import Number
from storage.accounts import Accounts
from storage.migrate import upgrade
from storage.records import Entry, Recorded
from tickets.ticket import Ticket

CUSTOMER = Customer(
    "C1",
    "林晓峰",
    (Phone("13812345678", "+8613812345678"),),
    level="金卡",
    purchases=tuple(Purchase(f"空调 KFR-{n}GW", order_no=f"2026{n:04d}") for n in range(3)),
    contracts=(Contract("整机保修", "BX-1"),),
)


class Memory(Unable):
    """A CRM that knows everybody at once."""

    name = "memory"
    can = Can.FIND

    async def find(self, number: Number) -> Sequence[Customer]:
        """The one customer."""
        return [CUSTOMER] if number.e164 == "+8613812345678" else []


async def nothing_open(_customer: str | None, _e164: str | None) -> Sequence[Ticket]:
    """No database behind the card."""
    return ()


async def nothing_kept(entries: Sequence[Entry]) -> list[Recorded]:
    """No ledger."""
    return [Recorded(None, new=True) for _ in entries]


async def main(ami_port: int, ledger: str, accounts_url: str) -> None:
    """Serve until killed."""
    logs.configure()
    url = accounts_url if ledger == "none" else ledger
    await upgrade(url)
    settings = Settings(
        pbx=(Pbx(name="hq", port=ami_port, user="bench", trunks=("PJSIP/carrier",)),),
        line=(Line(number="4007002505", name="售后", record=False),),
        agent=(Agent(extension="1001"),),
        recordings=Recordings(root=Path("/nonexistent")),
        database=DatabaseSettings(url=url),
    )
    service = Service(settings, now, {"hq": "bench"})
    lookup = Lookup(Memory(), nothing_open if ledger == "none" else service.reads.open_tickets, 0.8)
    service.pipeline._lookup = lookup  # noqa: SLF001 - the bench puts the customer into memory
    if ledger == "none":
        service.pipeline._recall = None  # noqa: SLF001 - nor what it knows
        service.ledger.record_all = nothing_kept  # type: ignore[method-assign]
    runner = web.AppRunner(service.build(), access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    accounts = Accounts(service.db)
    if await accounts.find("bench") is None:
        hashed = PasswordHasher().hash("bench")
        await accounts.add("bench", name="b", role="agent", password=hashed, now=now(), extension="1001")
    user = await accounts.find("bench")
    assert user is not None
    token = await accounts.log_in(user, now(), 3600)
    told = {"ws": f"ws://127.0.0.1:{runner.addresses[0][1]}/ws", "cookies": {"hotline": token}}
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2], sys.argv[3]))
