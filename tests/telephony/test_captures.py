"""Every captured situation is told as its ``.facts`` file says, which people have read.

The streams are real calls through Asterisk 22.10 and 16.28, as a user with read=call,agent,user saw them. To write a
new capture's facts down (and then read them): HOTLINE_WRITE_FACTS=1 pytest tests/telephony/test_captures.py
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterable
from operator import itemgetter
from pathlib import Path

import pytest

from hotline.replay import calls_of
from telephony.call import Answered, Arrived, Ended, Fact, Left, Outcome, Over, Rang, Stopped

CAPTURES = Path(__file__).parent.parent / "captures"
NAMES = sorted(str(path.relative_to(CAPTURES)).removesuffix(".ami.gz") for path in CAPTURES.rglob("*.ami.gz"))
ROOT = Path(__file__).parents[2]
SHARED = Path(os.environ.get("HOTLINE_SHARED", ROOT.parent / "shared"))

Stream = Callable[[str], bytes]
Tell = Callable[[Iterable[bytes]], list[Fact]]


@pytest.mark.parametrize("name", NAMES)
def test_a_situation_is_told_as_written_down(
    name: str, stream: Stream, tell: Tell, write: Callable[[Iterable[Fact]], str]
) -> None:
    """Caller, number, agents, times and reasons, fact by fact."""
    told = write(tell([stream(name)]))
    file = CAPTURES / f"{name}.facts"
    if os.environ.get("HOTLINE_WRITE_FACTS"):
        file.write_text(told, encoding="utf-8")
        pytest.skip("written, not compared")
    assert told == file.read_text(encoding="utf-8")


TRUE = sorted(str(path.relative_to(CAPTURES)).removesuffix(".truth.json") for path in CAPTURES.rglob("*.truth.json"))


@pytest.mark.parametrize("name", TRUE)
def test_a_situation_is_told_as_it_was(name: str, stream: Stream, tell: Tell) -> None:
    """By whoever drove the phones: written down before anything was told, nothing of it comes from AMI."""
    truth = json.loads((CAPTURES / f"{name}.truth.json").read_text(encoding="utf-8"))
    told = sorted(calls_of(tell([stream(name)])), key=itemgetter("arrived"))
    for call in told:
        ends: dict[str, list[str]] = {}
        for pop in call["pops"]:
            ends.setdefault(pop["agent"], []).append(pop["why"])
        call["cards"] = ends
    assert [{key: call[key] for key in ("caller", "number", "agents", "outcome")} for call in told] == [
        {key: call[key] for key in ("caller", "number", "agents", "outcome")} for call in truth["calls"]
    ]
    for call, true in zip(told, truth["calls"], strict=True):
        if true["cards"]:  # the agents whose cards are not named there may have any
            assert {agent: call["cards"].get(agent) for agent in true["cards"]} == true["cards"]
            assert call["cards"].keys() <= true["cards"].keys() | set(true["agents"])


def outcomes(facts: Iterable[Fact]) -> list[Outcome]:
    """How each call ended, in the order of the ends."""
    return [fact.outcome for fact in facts if isinstance(fact, Ended)]


def story(facts: Iterable[Fact], agent: str) -> list[str]:
    """What one agent saw."""
    return [
        type(fact).__name__.lower() + (f" {fact.why}" if isinstance(fact, Stopped | Left) else "")
        for fact in facts
        if isinstance(fact, Rang | Answered | Stopped | Left) and fact.agent == agent
    ]


@pytest.fixture
def told(stream: Stream, tell: Tell) -> Callable[[str], list[Fact]]:
    """The facts of a captured stream."""
    return lambda name: tell([stream(name)])


@pytest.mark.parametrize("asterisk", ["asterisk22", "asterisk16"])
@pytest.mark.parametrize(
    ("situation", "agent", "seen"),
    [
        ("ring_all", "1002", ["rang", "answered", "left ended"]),
        ("ring_all", "1001", ["rang", "stopped answered_elsewhere"]),
        ("ring_all_one_rejects", "1001", ["rang", "stopped rejected"]),
        ("ring_no_answer", "1001", ["rang", "stopped no_answer"]),
        ("abandoned_in_queue", "1001", ["rang", "stopped gave_up"]),
        ("blind_transfer", "1001", ["rang", "answered", "left transferred"]),
        ("blind_transfer", "1003", ["rang", "answered", "left ended"]),
        ("attended_transfer", "1003", ["answered", "left ended"]),
        ("attended_transfer_dtmf", "1002", ["answered", "left ended"]),
        ("transferred_while_ringing", "1003", ["rang", "answered", "left ended"]),
        ("consulted_only_dtmf", "1003", []),
        ("consulted_only", "1003", []),
        ("transfer_unanswered", "1003", ["rang", "stopped no_answer"]),
        ("transfer_refused", "1003", ["rang", "stopped rejected"]),
        ("transferred_back", "1001", ["rang", "answered", "left transferred", "rang", "answered", "left ended"]),
        ("local_members_stay_attended", "1003", ["answered", "left ended"]),
    ],
)
def test_an_agent_sees_no_more_and_no_less_than_concerns_them(
    asterisk: str, situation: str, agent: str, seen: list[str], told: Callable[[str], list[Fact]]
) -> None:
    """The same on both Asterisks."""
    assert story(told(f"{situation}/{asterisk}"), agent) == seen


@pytest.mark.parametrize("asterisk", ["asterisk22", "asterisk16"])
@pytest.mark.parametrize(
    ("situation", "told"),
    [
        ("answered", [Outcome.ANSWERED]),
        ("abandoned_in_queue", [Outcome.ABANDONED]),
        ("voicemail", [Outcome.VOICEMAIL]),
        ("two_calls_one_number", [Outcome.ANSWERED, Outcome.ANSWERED]),
        ("landing_number", [Outcome.ANSWERED, Outcome.ANSWERED]),  # the other two calls are to numbers not ours
        ("gone_at_once", [Outcome.ABANDONED] * 3),
        ("restarted", [Outcome.ANSWERED] * 2),
        ("killed", [Outcome.ANSWERED]),  # of the call that was up nothing more is heard: it stays open
    ],
)
def test_a_call_ends_as_it_did_for_the_caller(
    asterisk: str, situation: str, told: list[Outcome], stream: Stream, tell: Tell
) -> None:
    """The same on both Asterisks."""
    assert outcomes(tell([stream(f"{situation}/{asterisk}")])) == told


def test_outbound_and_internal_calls_are_no_calls_of_ours(stream: Stream, tell: Tell) -> None:
    """Although the carrier's channel shows the customer's number and the agent's our 400 number."""
    assert tell([stream("outbound_and_internal/asterisk22")]) == []


def test_withheld_callers_are_nobody_and_odd_numbers_stay_as_they_came(stream: Stream, tell: Tell) -> None:
    """Anonymous, Privacy with the number in P-Asserted-Identity, unavailable, Restricted, no user; then numbers."""
    callers = [f.caller for f in tell([stream("odd_caller_ids/asterisk22")]) if isinstance(f, Arrived)]
    assert callers[0] is None
    assert callers[2:5] == [None, None, None]
    assert callers[5:] == [
        "8021", "+8613812345678", "008613812345678", "8613812345678", "013812345678", "01088886666",
        "02158881234", "4008205555", "0085223456789", "13812345678", "13812345678",
    ]  # fmt: skip


@pytest.mark.parametrize("asterisk", ["asterisk22", "asterisk16"])
def test_a_forging_caller_is_a_real_call_with_an_unknown_number(asterisk: str, stream: Stream, tell: Tell) -> None:
    """From users with whole events and a forged Request-URI: the two real calls to us, nothing invented."""
    facts = tell([stream(f"forged_events/{asterisk}")])
    arrived = [fact for fact in facts if isinstance(fact, Arrived)]
    assert [(fact.caller, fact.number) for fact in arrived] == [(None, "4008001234"), ("13900000001", "4008001234")]
    assert outcomes(facts) == [Outcome.ANSWERED, Outcome.ANSWERED]
    assert story(facts, "1001") == ["rang", "answered", "left ended"] * 2


def test_a_queue_that_times_out_is_no_abandonment(stream: Stream, tell: Tell) -> None:
    """QueueCallerAbandon came all the same; the phones rang in vain, nobody gave up."""
    facts = tell([stream("voicemail/asterisk22")])
    assert {fact.why for fact in facts if isinstance(fact, Stopped)} == {Over.NO_ANSWER}
    assert outcomes(facts) == [Outcome.VOICEMAIL]


@pytest.mark.skipif(not (SHARED / "checks" / "replay_check.py").exists(), reason="no shared folder with the truth")
def test_every_shared_capture_agrees_with_phones_cdr_and_queue_log() -> None:
    """Both AMI users, both Asterisks; the truth there does not come from AMI."""
    check = [sys.executable, str(SHARED / "checks" / "replay_check.py"), str(SHARED / "captures")]
    done = subprocess.run(
        [*check, "--hotline", str(Path(sys.executable).parent / "hotline")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def replay(*args: str) -> subprocess.CompletedProcess[str]:
    """``hotline replay`` as people call it."""
    return subprocess.run(
        [sys.executable, "-m", "hotline", "replay", *args], capture_output=True, text=True, check=False, cwd=ROOT
    )


COMPANY = ["--trunk", "PJSIP/carrier", "--number", "4007002505:01062802505", "--number", "4008001234"]


def test_the_command_prints_one_json_line_a_call(tmp_path: Path, stream: Stream) -> None:
    """With the keys that people's scripts read, and nothing else on stdout."""
    file = tmp_path / "x.ami"
    file.write_bytes(stream("blind_transfer/asterisk22"))
    done = replay(str(file), "--calls", *COMPANY)
    assert done.returncode == 0, done.stderr
    (line,) = [json.loads(line) for line in done.stdout.splitlines()]
    assert list(line) == ["call", "caller", "e164", "number", "queues", "agents", "outcome", "pops", "arrived", "ended"]
    assert (line["caller"], line["e164"], line["number"]) == ("13812345678", "+8613812345678", "4007002505")
    assert (line["queues"], line["agents"], line["outcome"]) == (["support"], ["1001", "1003"], "answered")
    assert [(pop["agent"], pop["why"]) for pop in line["pops"]] == [("1001", "transferred"), ("1003", "ended")]
    assert line["arrived"] < line["pops"][0]["shown"] < line["pops"][0]["withdrawn"] <= line["pops"][1]["shown"]
    assert line["pops"][1]["withdrawn"] <= line["ended"]


def test_a_call_open_at_the_end_of_the_file_is_lost(tmp_path: Path, stream: Stream) -> None:
    """Its card is over, nobody knows when."""
    data = stream("answered/asterisk22")
    file = tmp_path / "x.ami"
    file.write_bytes(data[: data.index(b"Event: HangupRequest")])
    (line,) = [json.loads(line) for line in replay(str(file), "--calls", *COMPANY).stdout.splitlines()]
    assert (line["outcome"], line["ended"]) == ("lost", None)
    assert [(pop["withdrawn"], pop["why"]) for pop in line["pops"]] == [(None, "lost")]


def test_facts_are_one_json_line_each(tmp_path: Path, stream: Stream) -> None:
    """Named as in the code, in order."""
    file = tmp_path / "x.ami"
    file.write_bytes(stream("abandoned_in_ivr/asterisk22"))
    lines = [json.loads(line) for line in replay(str(file), "--facts", *COMPANY).stdout.splitlines()]
    assert [line["fact"] for line in lines] == ["arrived", "confirmed", "recorded", "recorded", "ended"]
    assert {line["call"] for line in lines} == {"pbx:1795290349.101"}


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["/nowhere/x.ami", "--calls", *COMPANY], "cannot be read: No such file"),
        (["/dev/null", "--calls", "--number", "4007002505"], "--trunk"),
        (["/dev/null", "--calls", "--trunk", "PJSIP/carrier"], "--number"),
        (["/dev/null", "--calls", *COMPANY, "--number", "4001112222:4008001234"], "stands for both"),
    ],
)
def test_a_wrong_call_says_what_to_do(args: list[str], says: str) -> None:
    """On stderr, with exit code 2."""
    done = replay(*args)
    assert done.returncode == 2
    assert says in done.stderr
    assert done.stdout == ""


def test_the_table_of_complaints_names_captures_and_tests_that_exist() -> None:
    """In docs/telephony.md; a capture or a test that is renamed is renamed there too."""
    page = (ROOT / "docs" / "telephony.md").read_text(encoding="utf-8")
    table = page.partition("## What users of others complain of")[2].partition("\n## ")[0]
    rows = [row.split("|")[1:4] for row in table.splitlines() if row.startswith("| ")][1:]
    sources = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    assert len(rows) >= 12
    for complaint, captures, tests in rows:
        assert (
            re.findall(r"`(\w+)`", captures) or "captur" in captures or "tracker" in captures or "calls" in captures
        ), complaint
        for name in re.findall(r"`(\w+)`", captures):
            assert (CAPTURES / name).is_dir(), name
        for name in re.findall(r"\btest_\w+(?!\.py)\b", re.sub(r"test_\w+\.py", "", tests)):
            assert f"def {name}(" in sources, name
        for name in re.findall(r"tests/\w+/(?:test_\w+\.py)?", tests):
            assert (ROOT / name).exists(), name
