"""Every situation of the captures, played again through real Asterisks and told as it is.

What must be told stands beside the captures (tests/captures/NAME/*.truth.json), written down for the same script. A few
in the default run, all with --long, on both Asterisks.
"""

import json
import shutil
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hotline.replay import calls_of, facts_of
from telephony.lines import Lines
from telephony.tracker import Tracker
from tests.pbx.labs import Lab

if TYPE_CHECKING:
    from tests.pbx.conftest import OwnLab

pytestmark = [pytest.mark.pbx, pytest.mark.timeout(120)]

HERE = Path(__file__).parent
ADDED = HERE / "situations"
CAPTURES = HERE.parent / "captures"
SCRIPT = HERE / "situation_scenarios.py"
SAMPLE = {("picked_up_directed", "22"), ("two_devices_one_rejects", "22")}
NAMES = [
    line.partition(":")[0]
    for line in (ADDED / "script.txt").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
]
EVERYWHERE = [
    pytest.param(name, suite, marks=() if (name, suite) in SAMPLE else pytest.mark.long)
    for suite in ("22", "16")
    for name in NAMES
]


def _prepare(lab: Lab) -> None:
    """The lab's configuration and what the situations need more."""
    for added in sorted(ADDED.glob("*.conf")):
        text = added.read_text(encoding="utf-8").replace("@NET@", lab.net).replace("@SIP_PORT@", "5060")
        file = lab.etc / added.name
        if added.stem in ("queues", "pjsip", "modules", "extensions"):
            file.write_text(f"{file.read_text(encoding='utf-8')}\n{text}", encoding="utf-8")
        else:
            shutil.copyfile(added, file)
    _change(lab.etc / "extensions.conf", "clearglobalvars = yes", "clearglobalvars = no")
    _change(
        lab.etc / "extensions.conf",
        " same => n,Read(IVR",
        ' same => n,GotoIf($["${GLOBAL(ROUTE)}" != "" & "${GLOBAL(ROUTE)}" != "none"]?situations,${GLOBAL(ROUTE)},1)\n'
        " same => n,Read(IVR",
    )
    _change(
        lab.etc / "pjsip.conf",
        "device_state_busy_at = 1",
        "device_state_busy_at = 3\ncall_group = 1\npickup_group = 1",
    )
    lab.restart()


def _change(file: Path, before: str, after: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert text.count(before) == 1, f"{file.name}: {before}"
    file.write_text(text.replace(before, after), encoding="utf-8")


@pytest.fixture(scope="module")
def prepared() -> dict[str, Lab]:
    """The labs that have the situations' configuration by now."""
    return {}


@pytest.mark.parametrize(("name", "suite"), EVERYWHERE)
def test_a_situation_is_told_as_it_is(
    name: str, suite: str, own_lab: "OwnLab", prepared: dict[str, Lab], tmp_path: Path
) -> None:
    """Callers, numbers, agents in the order of their talks, outcomes, and how each card ended."""
    if suite not in prepared:
        prepared[suite] = own_lab("situations", suite)
        _prepare(prepared[suite])
    prepared[suite].drive(SCRIPT, tmp_path, name)
    truth = json.loads((CAPTURES / name / f"asterisk{suite}.truth.json").read_text(encoding="utf-8"))
    for user in ("full", "crm"):
        told = _told((tmp_path / f"{name}.{user}.ami").read_bytes())
        assert [{key: call[key] for key in ("caller", "number", "agents", "outcome")} for call in told] == [
            {key: call[key] for key in ("caller", "number", "agents", "outcome")} for call in truth["calls"]
        ]
        for call, true in zip(told, truth["calls"], strict=True):
            cards: dict[str, list[str]] = {}
            for pop in call["pops"]:
                cards.setdefault(pop["agent"], []).append(pop["why"])
            assert {agent: cards.get(agent) for agent in true["cards"]} == true["cards"]


def _told(stream: bytes) -> list[dict[str, Any]]:
    lines = Lines({"4007002505": ("01062802505",), "4008001234": ()})
    tracker = Tracker("pbx", lines, ["PJSIP/carrier"], {"PJSIP/1001b": "1001"}, voicemail_event="CC400Voicemail")
    return sorted(calls_of(facts_of([stream], tracker)), key=itemgetter("arrived"))
