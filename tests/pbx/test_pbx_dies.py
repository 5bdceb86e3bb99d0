"""Against real Asterisks that are killed, reloaded and restarted in the middle of a call."""

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from telephony.call import Answered, Ended, Over, Stopped
from tests.pbx.ears import Ear, listening
from tests.pbx.labs import Lab, NoLabError, running
from tests.pbx.works import Tools

pytestmark = [pytest.mark.pbx, pytest.mark.timeout(200)]

Deaths = Mapping[str, tuple[dict[str, Any], Ear]]
"""By scenario: what the phones had, and what was told by somebody who listened all the time."""

KILLED, RESTARTED = "j_killed", "n_restart_reload"


SECONDS = 25


def work(tools: Tools) -> Deaths:
    """A PBX that is killed and one that is reloaded and restarted; each takes a second call after that."""
    return _drive("22", tools.folder)


def _drive(suite: str, folder: Path) -> Deaths:
    with ThreadPoolExecutor() as pool, running(suite) as one, running(suite) as other:
        labs = {KILLED: one, RESTARTED: other}
        works = {name: pool.submit(asyncio.run, _hear(lab, folder / name, name)) for name, lab in labs.items()}
        return {name: work.result() for name, work in works.items()}


@pytest.fixture(scope="module")
def done16(tmp_path_factory: pytest.TempPathFactory) -> Deaths:
    """The same on Asterisk 16."""
    try:
        return _drive("16", tmp_path_factory.mktemp("deaths"))
    except NoLabError as error:
        pytest.skip(str(error))


@pytest.fixture(params=["done", pytest.param("done16", marks=pytest.mark.long)])
def deaths(request: pytest.FixtureRequest) -> Deaths:
    """On Asterisk 22 and 16."""
    found: Deaths = request.getfixturevalue(request.param)
    return found


async def _hear(lab: Lab, folder: Path, name: str) -> tuple[dict[str, Any], Ear]:
    async with listening(lab) as (ear,):
        (truth,) = await asyncio.to_thread(lab.scenarios, folder, name)
    return truth, ear


def _calls(truth: dict[str, Any]) -> list[dict[str, Any]]:
    return sorted((call for call in truth["calls"] if call["is_inbound_400"]), key=lambda call: float(call["invite_t"]))


@pytest.mark.parametrize(("name", "outcome"), [(KILLED, "lost"), (RESTARTED, "answered")])
def test_the_call_that_was_up_is_over_and_its_agent_is_known(deaths: Deaths, name: str, outcome: str) -> None:
    """Killed: nobody knows how it ended. Restarted in order: the PBX hung it up."""
    truth, ear = deaths[name]
    assert truth["error"] is None
    first, second = _calls(truth)
    told = ear.calls()
    assert told.keys() == {first["linkedid"], second["linkedid"]}
    assert (told[first["linkedid"]]["agents"], told[first["linkedid"]]["outcome"]) == (["1001"], outcome)
    assert (told[second["linkedid"]]["agents"], told[second["linkedid"]]["outcome"]) == (["1001"], "answered")
    for call in (first, second):
        line = told[call["linkedid"]]
        assert (line["caller"], line["number"]) == (call["caller_sent"], call["is_inbound_400"])


@pytest.mark.parametrize("name", [KILLED, RESTARTED])
def test_nothing_of_it_stays_and_nothing_comes_twice(deaths: Deaths, name: str) -> None:
    """No card, no call, no fact after the end; one talk and one end a call, whatever was reloaded."""
    truth, ear = deaths[name]
    assert (ear.open_calls, ear.states[-1][1], ear.doubled()) == (0, frozenset(), [])
    for call in _calls(truth):
        facts = [fact for fact in ear.facts if fact.call.linkedid == call["linkedid"]]
        assert [len([fact for fact in facts if isinstance(fact, kind)]) for kind in (Answered, Ended)] == [1, 1]
        assert not [fact for fact in facts if isinstance(fact, Stopped) and fact.why is Over.LOST]


def test_what_a_killed_pbx_forgot_is_told_before_anything_new(deaths: Deaths) -> None:
    """The lost call has ended when the next one is told, be that only found when the link is back."""
    truth, ear = deaths[KILLED]
    first, second = _calls(truth)
    order = [fact.call.linkedid for fact in ear.facts]
    assert order == sorted(order, key=[first["linkedid"], second["linkedid"]].index)
