"""Against a real Asterisk: what AMI says becomes exactly the calls that the phones had."""

from pathlib import Path
from typing import Any

import pytest

from telephony.call import (
    Answered,
    Arrived,
    Confirmed,
    Ended,
    Fact,
    Left,
    Outcome,
    Over,
    Queued,
    Rang,
    Recorded,
    Stopped,
)
from tests.pbx import morning

pytestmark = [pytest.mark.pbx, pytest.mark.timeout(280)]

work, SECONDS = morning.work, morning.SECONDS


@pytest.fixture
def day(done: morning.Morning) -> morning.Morning:
    """The calls as the phones knew them, and as they were told."""
    return done


def _call(day: morning.Morning, scenario: str) -> tuple[dict[str, Any], list[Fact]]:
    truth = day.truths[scenario]
    (call,) = truth["calls"]
    return call, [fact for fact in day.facts if fact.call.linkedid == call["linkedid"]]


def _phones(day: morning.Morning, scenario: str, what: str) -> list[str]:
    return [event["phone"] for event in day.truths[scenario]["sip"] if event["what"] == what]


@pytest.mark.parametrize("scenario", ["a_answered", "d_blind", "c_abandon"])
def test_a_call_is_told_as_the_phones_had_it(day: morning.Morning, scenario: str) -> None:
    """Who called what, whose phones rang, who answered in which order, and how it ended."""
    call, facts = _call(day, scenario)
    arrived, ended = facts[0], facts[-2] if isinstance(facts[-1], Recorded) else facts[-1]
    assert isinstance(arrived, Arrived)
    assert (arrived.caller, arrived.number) == (call["caller_sent"], call["is_inbound_400"])
    assert isinstance(facts[1], Confirmed)
    assert [fact.queue for fact in facts if isinstance(fact, Queued)] == call["queues"]
    assert [fact.agent for fact in facts if isinstance(fact, Rang)] == _phones(day, scenario, "invite_received")
    answered = _phones(day, scenario, "answered")
    assert [fact.agent for fact in facts if isinstance(fact, Answered)] == answered
    assert isinstance(ended, Ended)
    assert ended.outcome is (Outcome.ANSWERED if answered else Outcome.ABANDONED)
    assert arrived.at == pytest.approx(call["invite_t"], abs=0.5)
    assert ended.at == pytest.approx(call["end_t"], abs=0.5)


@pytest.mark.parametrize("scenario", ["a_answered", "d_blind", "c_abandon"])
def test_the_recording_is_named(day: morning.Morning, scenario: str) -> None:
    """The names that the dialplan tells are those of the files that are there."""
    call, facts = _call(day, scenario)
    told = {name for fact in facts if isinstance(fact, Recorded) for name in fact.files}
    assert told == set(call["recordings"])
    assert all(Path(name).name.startswith(f"4007002505-{call['uniqueid']}") for name in told)


def test_the_transfer_moves_the_call(day: morning.Morning) -> None:
    """1001 leaves because of it, 1003 has the caller to the end."""
    _, facts = _call(day, "d_blind")
    assert {fact.agent: fact.why for fact in facts if isinstance(fact, Left)} == {
        "1001": Over.TRANSFERRED,
        "1003": Over.ENDED,
    }


def test_the_caller_who_gives_up_ends_the_ringing(day: morning.Morning) -> None:
    """Whoever's phone rang at the end stops because the caller gave up."""
    _, facts = _call(day, "c_abandon")
    stopped = [fact for fact in facts if isinstance(fact, Stopped)]
    assert stopped[-1].why is Over.GAVE_UP
    assert {fact.agent for fact in stopped} == {fact.agent for fact in facts if isinstance(fact, Rang)}


def test_nothing_of_it_was_refused(day: morning.Morning) -> None:
    """Asterisk writes as the framing expects: no honest line is taken for a forged one."""
    assert day.refused == {"forged": 0, "dropped": 0}


def test_nothing_else_was_a_call(day: morning.Morning) -> None:
    """Three calls, no more."""
    assert len({fact.call for fact in day.facts}) == 3
