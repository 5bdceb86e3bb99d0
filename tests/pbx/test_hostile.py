"""Callers who forge AMI events, through real Asterisks, before a running service: nothing is invented, all is counted.

What they send is the lab's (scenario ``p_hostile``, ``tools/probes.py``) and some of ours: From and Request-URI with
percent-encoded line ends, which Asterisk decodes and writes to AMI as they stand.
"""

import asyncio
import subprocess
import sys
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.pbx.labs import Lab, running
from tests.pbx.service import BOSS, Page, get, hire, logged_in, pages_of, pbx_toml, service, serving, site_toml
from tests.pbx.works import Tools

if TYPE_CHECKING:
    from tests.conftest import Postgres
    from tests.pbx.conftest import OwnLab

pytestmark = [pytest.mark.pbx, pytest.mark.timeout(400)]

FORGED = ("13800138000", "13800138001", "13800138009")
"""Callers that stand in forged events only."""


@dataclass
class Siege:
    """What the callers really did, and what became of it."""

    real: list[dict[str, Any]]
    pages: list[Page]
    status: dict[str, Any]
    metrics: str
    tickets: list[dict[str, Any]]
    kept: dict[str, dict[str, Any]]
    alive: bool

    @property
    def counts(self) -> dict[str, int]:
        """What the service says of what it read and refused."""
        (pbx,) = self.status["pbx"]
        return dict(pbx["counts"])


async def besiege(lab: Lab, folder: Path, url: str, scenarios: tuple[str, ...], *, probes: bool = False) -> Siege:
    """A service, its pages, and one hostile caller after the other."""
    await hire(url)
    one = service(folder / "service", [lab], pbx_toml(lab) + site_toml(lab.recordings), url)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(serving(one))
        pages = await stack.enter_async_context(pages_of(one))
        truths = await asyncio.to_thread(lab.scenarios, folder / "calls", *scenarios) if scenarios else []
        if probes:
            await asyncio.to_thread(probe, lab)
        real = [call for truth in truths for call in truth["calls"] if call["is_inbound_400"]]
        async with logged_in(one.address, BOSS) as boss:
            kept = {call["linkedid"]: await get(boss, f"/api/calls/lab:{call['linkedid']}") for call in real}
            tickets = (await get(boss, "/api/tickets"))["tickets"]
            status = await get(boss, "/api/status")
            async with boss.get("/metrics") as answer:
                metrics = await answer.text()
        assert one.process is not None
        return Siege(real, pages, status, metrics, tickets, kept, one.process.returncode is None)


def probe(lab: Lab) -> None:
    """The lab's hostile probes, as they are."""
    where = ["--prefix", str(lab.prefix), "--net", lab.net, "--ami-port", str(lab.ami_port), "--hostile-only"]
    done = subprocess.run(
        [sys.executable, str(lab.folder / "tools/probes.py"), *where],
        env=lab.environment,
        capture_output=True,
        timeout=200,
        check=False,
    )
    assert b"## 6 when is a recording complete" in done.stdout, done.stderr[-500:]


def check(siege: Siege) -> None:
    """Every real call is told right, nothing else is, and what was refused is counted."""
    assert siege.alive
    calls = {f"lab:{call['linkedid']}": 1 for call in siege.real}
    assert len(calls) == len(siege.real)
    assert sum(ticket["calls"] for ticket in siege.tickets) == len(siege.real)
    for call in siege.real:
        kept = siege.kept[call["linkedid"]]
        assert kept["line"] == call["is_inbound_400"]
        assert (kept["agents"], kept["outcome"]) == (["1001"], "answered"), call
        assert kept["caller"] == "13900000001" if "honest" in call["caller_sent"] else kept["caller"] not in FORGED
    for page in siege.pages:  # the queue of that line rings all three
        assert page.cards == {}
        assert {call: len(times) for call, times in page.shown.items()} == calls, page.story()
        assert not any(number in page.story() for number in FORGED)
    counts = siege.counts
    assert counts["forged_lines"] + counts["forged_events"] + counts["dropped"] > 0, counts
    assert siege.status["live_calls"] == 0


@pytest.fixture
def url(postgres: "Postgres") -> str:
    """A database of the test's own."""
    return postgres.new_url()


SECONDS = 30


def work(tools: Tools) -> Siege:
    """A whole Newchannel in From, another in a Request-URI that the dialplan refuses, and an honest caller."""
    with running("22") as lab:
        return asyncio.run(besiege(lab, tools.folder, tools.new_url(), ("p_hostile:v2",)))


def test_forged_events_invent_nothing(done: Siege) -> None:
    """Nothing but the real calls is shown or kept, and what was refused is counted."""
    check(done)


@pytest.mark.long
@pytest.mark.parametrize("suite", ["22", "16"])
async def test_no_forgery_invents_anything(own_lab: "OwnLab", tmp_path: Path, url: str, suite: str) -> None:
    """Every variant, then the lab's probes."""
    scenarios = ("p_hostile", "p_hostile:v2", "p_hostile:ours")
    check(await besiege(own_lab("siege", suite), tmp_path, url, scenarios, probes=True))
