"""Several real Asterisks: in one service, and each in a service of its own with pages that show them all."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.pbx.labs import Lab, running
from tests.pbx.service import BOSS, Page, get, hire, logged_in, pages_of, pbx_toml, service, serving, site_toml
from tests.pbx.works import Tools, redis_running

pytestmark = [pytest.mark.pbx, pytest.mark.timeout(200)]

SCENARIO = "slow_answer"
"""All three phones of a PBX ring for some seconds, 1002 answers."""


@dataclass
class Day:
    """The calls of both PBXs, by the PBX's name, and the pages of agent 1001."""

    truths: dict[str, dict[str, Any]] = field(default_factory=dict)
    pages: dict[str, Page] = field(default_factory=dict)
    late: dict[str, list[set[str]]] = field(default_factory=dict)
    """What pages showed, snapshot by snapshot, that were opened in the middle of both calls."""
    kept: dict[tuple[str, str], Any] = field(default_factory=dict)
    links: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def calls(self) -> set[str]:
        """The keys of both calls."""
        return {f"{name}:{_inbound(truth)['linkedid']}" for name, truth in self.truths.items()}


def _inbound(truth: dict[str, Any]) -> dict[str, Any]:
    (call,) = (call for call in truth["calls"] if call["is_inbound_400"])
    return dict(call)


SECONDS = 30


def work(tools: Tools) -> Day:
    """Both PBXs ring agent 1001 at the same time, before a service that hears both and two that hear one each."""
    urls = tools.new_url(), tools.new_url()
    with running("22") as lab, running("16") as lab16, redis_running() as redis:
        return asyncio.run(_work(lab, lab16, tools.folder, urls, redis))


@pytest.fixture
def day(done: Day) -> Day:
    """What was seen."""
    return done


async def _work(lab: Lab, lab16: Lab, folder: Path, urls: tuple[str, str], redis: str) -> Day:
    day = Day()
    first, second = pbx_toml(lab, "east"), pbx_toml(lab16, "west")
    labs, rest = [lab, lab16], site_toml(lab.recordings)
    for url in urls:
        await hire(url)
    async with AsyncExitStack() as stack:
        services = {
            "both": service(folder / "both", labs, first + second + rest, urls[0]),
            "east": service(folder / "east", labs, first + rest, urls[1], redis),
            "west": service(folder / "west", labs, second + rest, urls[1], redis),
        }
        await stack.enter_async_context(serving(*services.values()))
        opened = await stack.enter_async_context(pages_of(*services.values(), agents=["1001"]))
        day.pages = dict(zip(services, opened, strict=True))
        driving = [
            asyncio.get_running_loop().create_task(asyncio.to_thread(pbx.scenarios, folder / pbx.suite, SCENARIO))
            for pbx in labs
        ]
        async with asyncio.timeout(30):
            while not all(len(page.cards) == len(labs) for page in opened):  # noqa: ASYNC110 - pages tell nobody
                await asyncio.sleep(0.02)
        late = await stack.enter_async_context(pages_of(*services.values(), agents=["1001"]))
        await asyncio.sleep(1.0)
        for name, page in zip(services, late, strict=True):
            snapshots = [said for _, said in page.told if said["type"] == "snapshot"]
            day.late[name] = [{card["call"] for card in snapshot["cards"]} for snapshot in snapshots]
        for name, drive in zip(("east", "west"), driving, strict=True):
            (day.truths[name],) = await drive
        for name, one in services.items():
            async with logged_in(one.address, BOSS) as boss:
                day.links[name] = {pbx["name"]: pbx["link"] for pbx in (await get(boss, "/api/status"))["pbx"]}
                for call in day.calls:
                    day.kept[name, call] = await get(boss, f"/api/calls/{call}")
        for page in opened:
            await page.back()
    return day


def test_one_service_hears_several_pbxs(day: Day) -> None:
    """And two services hear the one that each is configured for."""
    assert day.links == {"both": {"east": "up", "west": "up"}, "east": {"east": "up"}, "west": {"west": "up"}}


@pytest.mark.parametrize("name", ["both", "east", "west"])
def test_a_page_shows_the_calls_of_every_pbx_once(day: Day, name: str) -> None:
    """Also of the PBX that only the other service hears; each card comes once and goes."""
    page = day.pages[name]
    assert {call: len(times) for call, times in page.shown.items()} == dict.fromkeys(day.calls, 1)
    assert page.cards == {}


@pytest.mark.parametrize("name", ["both", "east", "west"])
def test_a_page_opened_in_the_middle_shows_them_all(day: Day, name: str) -> None:
    """From its first snapshots on; and none of the later ones takes a card away."""
    assert day.late[name][-1] == day.calls
    sizes = [len(calls) for calls in day.late[name]]
    assert sizes == sorted(sizes)


@pytest.mark.parametrize("name", ["both", "east", "west"])
def test_each_call_is_kept_as_it_was(day: Day, name: str) -> None:
    """Whichever service wrote it, every service of that database reads it."""
    for pbx, truth in day.truths.items():
        kept = day.kept[name, f"{pbx}:{_inbound(truth)['linkedid']}"]
        assert (kept["caller"], kept["line"]) == (_inbound(truth)["caller_sent"], "4008001234")
        assert (kept["agents"], kept["outcome"]) == (["1002"], "answered")
