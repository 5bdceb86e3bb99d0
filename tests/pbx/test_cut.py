"""Against real Asterisks: whatever is missed, what is told is true, and what is told of a call nobody missed is all.

One scenario is driven once and heard by many: by one listener who misses nothing and by others who are cut off after
the tenth, twentieth... event of the call, for a moment and for some seconds. The first is held against the phones, the
others against the first.
"""

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.pbx.ears import Ear, listening
from tests.pbx.labs import Lab, running
from tests.pbx.works import Tools

pytestmark = [pytest.mark.pbx, pytest.mark.timeout(900)]

SAMPLE = {"22": ("quick",), "16": ("quick",)}
REST = (
    "b_rna",
    "m_ringall",
    "d_blind",
    "d_blind:dtmf",
    "d2_blind_queue",
    "e_attended",
    "e_attended:dtmf",
    "o_local_member",
    "o2_local_rna",
    "c_abandon",
    "f_hold",
    "outside",
    "nobody_there",
)
SOON = 0.4
"""Seconds within which a page follows its phone, also when everything happens at once on a busy machine."""


@dataclass
class Heard:
    """One scenario on one PBX, as the phones had it and as each ear told it."""

    suite: str
    name: str
    truth: dict[str, Any]
    ears: list[Ear]

    @property
    def real(self) -> list[dict[str, Any]]:
        """The inbound calls to our numbers."""
        return [call for call in self.truth["calls"] if call["is_inbound_400"]]


def hear(labs: dict[str, Lab], scenarios: Mapping[str, Iterable[str]], step: int, folder: Path) -> Iterator[Heard]:
    """Drive scenarios, the PBXs beside each other, and listen."""
    with ThreadPoolExecutor() as pool:
        works = [pool.submit(asyncio.run, _all(labs[suite], scenarios[suite], step, folder)) for suite in labs]
        for work in works:
            yield from work.result()


async def _all(lab: Lab, names: Iterable[str], step: int, folder: Path) -> list[Heard]:
    heard = []
    for name in names:
        cuts = [(events, gap) for events in range(step, MOST, step) for gap in (0.0, 2.5)]
        async with listening(lab, cuts) as ears:
            (truth,) = await asyncio.to_thread(lab.scenarios, folder / lab.suite, name)
        heard.append(Heard(lab.suite, name, truth, ears))
    return heard


MOST = 41
"""Events after which no cut is tried: the filtered user sees 20 to 40 of a call."""


SECONDS = 20


def work(tools: Tools) -> list[Heard]:
    """A lot in a few seconds, cut at every tenth event."""
    with running("22") as lab, running("16") as lab16:
        return list(hear({"22": lab, "16": lab16}, SAMPLE, 10, tools.folder))


@pytest.fixture(scope="module")
def everything(lab: Lab, lab16: Lab, tmp_path_factory: pytest.TempPathFactory) -> list[Heard]:
    """Every situation, cut at every third event."""
    return list(hear({"22": lab, "16": lab16}, dict.fromkeys(SAMPLE, REST), 3, tmp_path_factory.mktemp("everything")))


@pytest.fixture(params=["done", pytest.param("everything", marks=pytest.mark.long)])
def heard(request: pytest.FixtureRequest) -> list[Heard]:
    """All that was driven and heard."""
    found: list[Heard] = request.getfixturevalue(request.param)
    return found


def test_who_hears_all_tells_what_the_phones_had(heard: list[Heard]) -> None:
    """Each call once: caller, number, agents in the order in which they had the caller, outcome, times."""
    wrong: list[tuple[Any, ...]] = []
    for one in heard:
        told = one.ears[0].calls()
        for real in one.real:
            line = told.pop(real["linkedid"], None)
            agents = phones(one.truth, real)
            outcome = "answered" if agents else "abandoned"
            expected = (real["caller_sent"], real["is_inbound_400"], agents, outcome)
            if line is None or (line["caller"], line["number"], line["agents"], line["outcome"]) != expected:
                wrong.append((one.suite, one.name, expected, line))
            elif abs(line["arrived"] - real["invite_t"]) > SOON or abs(line["ended"] - real["end_t"]) > SOON:
                wrong.append((one.suite, one.name, "times", real, line))
        if told or one.ears[0].open_calls:
            wrong.append((one.suite, one.name, "a call that nobody made", told))
    assert not wrong


def phones(truth: dict[str, Any], real: dict[str, Any]) -> list[str]:
    """The agents whose phones answered while the call was up, each once, in that order.

    Consulting a colleague before a transfer answers that colleague's phone in the same order.
    """
    answered = [
        event["phone"]
        for event in truth["sip"]
        if event["what"] == "answered" and event["phone"] != "carrier" and real["invite_t"] < event["t"] < real["end_t"]
    ]
    return list(dict.fromkeys(answered))


def test_a_cut_costs_nothing_that_was_heard(heard: list[Heard]) -> None:
    """Caller, number, agents, outcome as without the cut; lost, if the call ended meanwhile. No ghost, no double."""
    wrong = [fault for one in heard for ear in one.ears[1:] for fault in faults(one, ear)]
    assert not wrong, "\n".join(map(str, wrong))


def faults(one: Heard, ear: Ear) -> Iterator[tuple[Any, ...]]:
    """What an ear that was cut has wrong."""
    where = (one.suite, one.name, ear.name, ear.missed)
    full, told = one.ears[0].calls(), ear.calls()
    if ear.missed is None and told != full:
        yield (*where, "differs without a cut", told)
    if ear.open_calls:
        yield (*where, "ghost")
    if ear.doubled():
        yield (*where, "after the end", ear.doubled())
    if invented := told.keys() - full.keys():
        yield (*where, "invented", invented)
    if ear.missed is not None:
        for call, line in full.items():
            for fault in call_faults(line, told.get(call), one.ears[0].talks(call), *ear.missed):
                yield (*where, call, *fault)


def call_faults(
    full: dict[str, Any], told: dict[str, Any] | None, talks: list[tuple[str, float, float]], cut: float, back: float
) -> Iterator[tuple[Any, ...]]:
    """What is wrong with one call, told by somebody who heard nothing of it from ``cut`` to ``back``."""
    if told is None:
        if full["arrived"] < cut - SOON or full["ended"] > back + SOON:
            yield ("missing",)
        return
    if (told["caller"], told["number"]) != (full["caller"], full["number"]):
        yield "who", told, full
    outcomes = set()
    if full["ended"] < cut or full["ended"] > back - SOON:
        outcomes.add(full["outcome"])
    if cut - SOON < full["ended"] < back + SOON:
        outcomes.add("lost")
    sure = {agent for agent, since, until in talks if since < cut - SOON or until > back + SOON}
    if not sure and full["arrived"] < back and full["ended"] > cut:
        outcomes.add("lost")  # nobody knows whether somebody talked meanwhile
    if told["outcome"] not in outcomes:
        yield "outcome", told["outcome"], outcomes
    if not sure <= set(told["agents"]):
        yield "agents missing", told["agents"], sure
    if [agent for agent in full["agents"] if agent in told["agents"]] != told["agents"]:
        yield "agents", told["agents"], full["agents"]


def test_after_a_cut_every_page_shows_what_it_would_show_without(heard: list[Heard]) -> None:
    """From the first moment after the reconnect on, at every moment at which nothing changes anyway."""
    wrong = []
    for one in heard:
        full = one.ears[0]
        for ear in one.ears[1:]:
            if ear.missed is None:
                continue
            cut, back = ear.missed
            for tick in range(int(one.truth["started"] * 10), int(one.truth["ended"] * 10)):
                at = tick / 10
                if cut - SOON < at < back + SOON or not full.steady(at, SOON):
                    continue
                if ear.state(at) != full.state(at):
                    states = sorted(ear.state(at)), sorted(full.state(at))
                    wrong.append((one.suite, one.name, ear.name, ear.missed, at, *states))
                    break
    assert not wrong, "\n".join(map(str, wrong))


def test_everybody_was_cut_who_should_be(heard: list[Heard]) -> None:
    """The test would be worth nothing if the cuts came too late."""
    for one in heard:
        assert one.truth["error"] is None
        assert sum(ear.missed is not None for ear in one.ears) >= len(one.real)
