"""How long a dialplan waits for its answer: ``GET /route`` of a running service, against the same page asking nobody.

    .venv/bin/python bench/routing.py [--database URL] [--customers 20000] [--json]

The floor is a question about a number that is not ours: HTTP, and no CRM, no database. Then callers with a customer
record, an open ticket or a past call, one after the other and many in the same instant. Driver and service share one
process, so of many at once the driver's part is measured too. See bench/README.md.
"""

import argparse
import asyncio
import json
import os
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import structlog
from aiohttp import web

from crm.customer import Customer, Phone
from hotline.app import Service
from hotline.clock import now
from hotline.routing_http import TOKEN
from hotline.settings import DatabaseSettings, Settings, Transcription
from hotline.telephony_settings import Agent, Line, LineRouting, Pbx, Routing
from numbering.identify import identify
from storage.migrate import upgrade
from storage.records import Entry
from telephony.call import Answered, Arrived, CallKey, Confirmed, Ended, Outcome

LINE = "4007002505"
AGENTS = ("1001", "1002", "1003")
PAST = 150  # calls of the first customers: every second question is of one of them
ONE_BY_ONE = 300
AT_ONCE = (10, 30, 60)
WRONG_SECRET = "none"  # noqa: S105 - there is no PBX


def caller(number: int) -> str:
    """A customer's mobile number."""
    return f"138{number:08d}"


@asynccontextmanager
async def serving(url: str, customers: int, folder: Path) -> AsyncIterator[Service]:
    """A service with customers and a past, and no PBX."""
    settings = Settings(
        data=folder,
        pbx=(Pbx(name="hq", port=1, user="none", trunks=("PJSIP/carrier",)),),
        line=(Line(number=LINE, record=False, routing=LineRouting(queue="support", menu={"1": "sales"})),),
        agent=tuple(Agent(extension=extension) for extension in AGENTS),
        routing=Routing(http_port=0),
        database=DatabaseSettings(url=url),
        transcription=Transcription(engine="none"),
    )
    await upgrade(settings.database_url)
    service = Service(settings, now, {"hq": WRONG_SECRET})
    runner = web.AppRunner(service.build(), access_log=None)
    await runner.setup()
    try:
        await service.embedded.add_many(
            Customer(f"C{n}", f"客户{n}", (Phone(caller(n), f"+86{caller(n)}"),), owner="1002" if n % 3 else None)
            for n in range(customers)
        )
        for n in range(PAST):
            await service.ledger.record_all(past_call(n))
        yield service
    finally:
        await runner.cleanup()


def past_call(number: int) -> list[Entry]:
    """An answered call of an hour ago."""
    key, at = CallKey("hq", f"past.{number}"), now() - 3600 + number
    raw = caller(2 * number)
    facts = [
        Arrived(call=key, at=at, caller=raw, caller_name=None, number=LINE, dialled=LINE),
        Confirmed(call=key, at=at),
        Answered(call=key, at=at + 5, agent=AGENTS[number % len(AGENTS)]),
        Ended(call=key, at=at + 65, outcome=Outcome.ANSWERED),
    ]
    return [Entry(fact, at, identify(raw)) for fact in facts]


class Pbx400:
    """Asks as a dialplan does; keeps how long each answer took, in milliseconds."""

    def __init__(self, session: aiohttp.ClientSession, token: str) -> None:
        self._session, self._token = session, token
        self.late = 0

    async def ask(self, number: int, did: str = LINE) -> float:
        """One question."""
        began = time.perf_counter()
        asked = {"did": did, "caller": caller(number), "menu": "1", "call": f"now.{number}"}
        async with self._session.get("/route", params=asked, headers={TOKEN: self._token}) as answer:
            self.late += "reason=late" in await answer.text()
        return (time.perf_counter() - began) * 1000

    async def one_by_one(self, did: str = LINE) -> list[float]:
        """Many questions, each after the last one's answer."""
        return [await self.ask(number, did) for number in range(ONE_BY_ONE)]

    async def at_once(self, count: int) -> list[float]:
        """So many questions in the same instant."""
        return list(await asyncio.gather(*(self.ask(number) for number in range(count))))


def figures(took: Sequence[float]) -> dict[str, float]:
    """p50, p99 and the slowest, milliseconds."""
    ordered = sorted(took)
    return {
        "p50": round(ordered[len(ordered) // 2], 1),
        "p99": round(ordered[int(len(ordered) * 0.99)], 1),
        "max": round(ordered[-1], 1),
    }


async def measure(url: str, customers: int, folder: Path) -> dict[str, object]:
    """All figures of one database."""
    token = os.environ["HOTLINE_ROUTING_TOKEN"] = "a-token-of-this-bench"  # noqa: S105
    async with serving(url, customers, folder) as service:
        address = f"http://127.0.0.1:{service.routing.ports['http']}"
        async with aiohttp.ClientSession(address, connector=aiohttp.TCPConnector(limit=0)) as session:
            pbx = Pbx400(session, token)
            await pbx.one_by_one()  # warm
            told: dict[str, object] = {"floor": figures(await pbx.one_by_one("110"))}
            told["one by one"] = figures(await pbx.one_by_one())
            for count in AT_ONCE:
                told[f"{count} at once"] = figures(await pbx.at_once(count))
            told["late"] = pbx.late
    return told


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--database", help="an empty database, as postgresql://... (default: SQLite in a new folder)")
    parser.add_argument("--customers", type=int, default=20_000)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    with tempfile.TemporaryDirectory() as folder:
        url = args.database or f"sqlite:///{folder}/hotline.db"
        told = asyncio.run(measure(url, args.customers, Path(folder)))
    if args.json:
        print(json.dumps(told))
    else:
        for name, value in told.items():
            print(f"{name:12} {value}")


if __name__ == "__main__":
    main()
