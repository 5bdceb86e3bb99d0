"""Two services on one real Asterisk and one database, killed and started again in the middle of overlapping calls.

Held against the phones: every call is kept once, with its agents and its end; every ticket is there once; every card
is shown once on a page for each time that phone rang.
"""

import asyncio
import re
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from storage.database import Database
from storage.drain import LEASE_S
from tests.pbx.labs import Lab, running
from tests.pbx.service import Page, cdr_toml, hire, pages_of, pbx_toml, service, serving, site_toml
from tests.pbx.works import Tools, redis_running

if TYPE_CHECKING:
    from tests.conftest import RedisServer

pytestmark = [pytest.mark.pbx, pytest.mark.timeout(400)]

DOWN = 1.0
"""Seconds a killed service stays away."""
SOON = 1.0
"""Seconds between a phone and its page, at most."""

Kills = Sequence[tuple[float, int]]
"""When, in seconds after the first call, and which service."""


@dataclass
class Day:
    """What the phones did, what was kept of it, and what the pages showed."""

    truth: dict[str, Any]
    pages: list[Page]
    killed: set[int] = field(default_factory=set)  # their id()
    rows: dict[str, list[Any]] = field(default_factory=dict)


QUERIES = {
    "calls": "SELECT c.id, c.key, c.caller, c.line, c.outcome, c.ticket_id, c.ended FROM calls c ORDER BY c.id",
    "agents": "SELECT call_id, agent FROM call_agents WHERE talked IS NOT NULL ORDER BY talked",
    "events": "SELECT call_id, kind, subject FROM call_events",
    "tickets": "SELECT id, caller, calls FROM tickets",
    "recordings": "SELECT call_id FROM recordings",
    "jobs": "SELECT kind, state FROM jobs",
}


async def live(lab: Lab, folder: Path, stores: tuple[str, str | None], scenario: str, kills: Kills) -> Day:
    """A busy minute: a scenario of overlapping calls, two services, the pages of all agents on both.

    ``stores``: the addresses of the database and of Redis.
    """
    database_url, redis_url = stores
    await hire(database_url)
    lab.cdr.unlink(missing_ok=True)  # or the calls of another test are found in it, which nobody listened to here
    # A service that came in the middle of a call cannot know that nobody had talked: the PBX's records can.
    config = pbx_toml(lab, more=cdr_toml(lab)) + site_toml(lab.recordings)
    async with AsyncExitStack() as stack:
        services = [service(folder / name, [lab], config, database_url, redis_url) for name in ("a", "b")]
        await stack.enter_async_context(serving(*services))
        pages = await stack.enter_async_context(pages_of(*services))
        driving = asyncio.get_running_loop().create_task(asyncio.to_thread(lab.scenarios, folder / "calls", scenario))
        began = asyncio.get_running_loop().time() + 1.0  # the driver needs about that to start
        for after, which in kills:
            await asyncio.sleep(max(0.0, began + after - asyncio.get_running_loop().time()))
            await services[which].kill()
            await asyncio.sleep(DOWN)
            await services[which].start()
            await services[which].listening()
        (truth,) = await driving
        day = Day(truth, pages, {id(services[which]) for _, which in kills})
        await settled(database_url, len(inbound(truth)), day)
        async with asyncio.timeout(30):
            for page in pages:
                await page.back()
    return day


async def settled(database_url: str, calls: int, day: Day) -> None:
    """Read the database once every call has ended in it and has its recording."""
    db = Database.open(database_url)
    missing: set[str] = set()
    try:
        async with asyncio.timeout(LEASE_S + 30):  # what a killed service was about is taken up then
            while True:
                for name, query in QUERIES.items():
                    async with db.read() as connection:
                        day.rows[name] = list((await connection.execute(text(query))).all())
                recorded = {call_id for (call_id,) in day.rows["recordings"]}
                missing = {
                    row.key
                    for row in day.rows["calls"]
                    if row.ended is None or row.outcome == "lost" or row.id not in recorded
                }
                if len(day.rows["calls"]) >= calls and not missing:
                    return
                await asyncio.sleep(0.5)
    except TimeoutError:
        pytest.fail(f"no end or no recording: {missing}; {len(day.rows['calls'])} calls of {calls}; {day.rows['jobs']}")
    finally:
        await db.close()


def inbound(truth: dict[str, Any]) -> list[dict[str, Any]]:
    """The real calls."""
    return [call for call in truth["calls"] if call["is_inbound_400"]]


def rings(truth: dict[str, Any]) -> dict[tuple[str, str], list[float]]:
    """When each agent's phone rang for each caller."""
    found: dict[tuple[str, str], list[float]] = {}
    for event in truth["sip"]:
        if event["what"] == "invite_received":
            found.setdefault((event["phone"], _user(event["frm"])), []).append(event["t"])
    return found


def _user(sip: str) -> str:
    found = re.search(r"sip:([^@>]+)@", sip)
    assert found, sip
    return found[1]


def check(day: Day) -> None:
    """Every call once, every ticket once, every card once."""
    real = {f"lab:{call['linkedid']}": call for call in inbound(day.truth)}
    assert Counter(row.key for row in day.rows["calls"]) == Counter(real.keys())
    for row in day.rows["calls"]:
        call = real[row.key]
        # By the PBX's queue_log: of three phones picked up in one moment one has the caller.
        agents = [name.removeprefix("Agent-") for name in call["answered_by_agents"]]
        kept = [agent for call_id, agent in day.rows["agents"] if call_id == row.id]
        assert (row.caller, row.line) == (call["caller_sent"], call["is_inbound_400"])
        assert (kept, row.outcome) == (agents, "answered" if agents else "abandoned"), call
        assert row.ended == pytest.approx(call["end_t"], abs=SOON)
        counts = Counter((kind, subject) for call_id, kind, subject in day.rows["events"] if call_id == row.id)
        for once in ("arrived", "confirmed", "ended"):
            assert counts[once, ""] == 1, (row.key, counts)
        for agent in agents:
            assert counts["answered", agent] == 1, (row.key, counts)
        for agent in ("1001", "1002", "1003"):
            rang = rings(day.truth).get((agent, call["caller_sent"]), [])
            assert counts["rang", agent] == len(rang), (row.key, agent, counts)
    assert Counter(row.caller for row in day.rows["tickets"]) == Counter(
        f"+86{c['caller_sent']}" for c in real.values()
    )
    assert {row.calls for row in day.rows["tickets"]} == {1}
    assert {row.ticket_id for row in day.rows["calls"]} == {row.id for row in day.rows["tickets"]}
    assert Counter(row.call_id for row in day.rows["recordings"]) == Counter(row.id for row in day.rows["calls"])
    assert "dead" not in {row.state for row in day.rows["jobs"]}, day.rows["jobs"]
    for page in day.pages:
        check_page(day, page, real)


def check_page(day: Day, page: Page, real: dict[str, Any]) -> None:
    """A card for each time the phone rang, none besides, and none left."""
    assert page.cards == {}, (page.agent, page.open, page.story())
    shown = {real[call]["caller_sent"]: times for call, times in page.shown.items()}
    rang = {caller: times for (agent, caller), times in rings(day.truth).items() if agent == page.agent}
    if id(page.service) not in day.killed:
        assert {caller: len(times) for caller, times in shown.items()} == {c: len(times) for c, times in rang.items()}
    for caller, times in shown.items():
        assert len(times) <= len(rang.get(caller, ())), (page.agent, caller, times, rang.get(caller))
    for caller, times in rang.items():
        for at in times:
            if page.was_open(at - SOON, at + SOON):
                assert any(abs(then - at) < SOON for then in shown.get(caller, ())), (page.agent, caller, at, shown)


@pytest.fixture
def stores(postgres_url: str, redis_server: "RedisServer") -> tuple[str, str]:
    """A PostgreSQL and a Redis of the test's own."""
    return postgres_url, redis_server.url


SECONDS = 25


def work(tools: Tools) -> Day:
    """Ten calls; one of the services dies while they ring and talk, and comes back."""
    kills = [(1.5, 0)]  # before a job runs, whose lease would be waited for
    with running("22") as lab, redis_running() as redis:
        return asyncio.run(live(lab, tools.folder, (tools.new_url(), redis), "busy", kills))


def test_calls_survive_the_death_of_a_service(done: Day) -> None:
    """Every call once, every ticket once, every card once."""
    check(done)


@pytest.mark.long
@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("offset", [0.0, 0.7, 1.4])
async def test_thirty_calls_survive_the_death_of_either_service_at_any_moment(
    lab: Lab, tmp_path: Path, stores: tuple[str, str], first: int, offset: float
) -> None:
    """Every few seconds one of them is killed and comes back, in turns."""
    kills = [(offset + 1.0 + 4.5 * turn, (first + turn) % 2) for turn in range(5)]
    check(await live(lab, tmp_path, stores, "busy:thirty", kills))


@pytest.mark.long
async def test_two_services_may_share_one_sqlite_file(lab: Lab, tmp_path: Path, sqlite_url: str) -> None:
    """On one machine, without Redis: each has its own pages."""
    kills = [(1.0 + 4.5 * turn, turn % 2) for turn in range(5)]
    check(await live(lab, tmp_path, (sqlite_url, None), "busy:thirty", kills))
