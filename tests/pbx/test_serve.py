"""Against a real Asterisk: ``hotline serve`` pops, opens tickets and keeps recordings as the calls really were."""

import io
import wave
from itertools import pairwise
from typing import Any

import pytest

from tests.pbx import morning

pytestmark = [pytest.mark.pbx, pytest.mark.timeout(280)]

work, SECONDS = morning.work, morning.SECONDS


@pytest.fixture
def day(done: morning.Morning) -> morning.Morning:
    """The calls as the phones knew them, and as they were told."""
    return done


SCENARIOS = ("a_answered", "d_blind", "c_abandon")
SOON = 1.0
"""Seconds between a phone and the page beside it, at most."""


def _linkedid(day: morning.Morning, scenario: str) -> str:
    (call,) = day.truths[scenario]["calls"]
    return str(call["linkedid"])


def _times(day: morning.Morning, scenario: str, what: str, phone: str) -> list[float]:
    events = day.truths[scenario]["sip"]
    return [event["t"] for event in events if event["what"] == what and event["phone"] == phone]


def _shown(day: morning.Morning, agent: str, call: str) -> list[tuple[float, str]]:
    """When a call's card came, changed its state and went, on an agent's page."""
    seen: list[tuple[float, str]] = []
    for at, told in day.pages[agent]:
        if told["type"] == "card" and told["card"]["call"] == f"lab:{call}":
            state = told["card"]["state"]
        elif told["type"] == "gone" and told["call"] == f"lab:{call}":
            state = told["why"]
        else:
            continue
        if not seen or seen[-1][1] != state:
            seen.append((at, state))
    return seen


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_card_is_there_when_the_phone_rings(day: morning.Morning, scenario: str) -> None:
    """On the page of every agent whose phone rang, within a second of its INVITE; on nobody else's."""
    call = _linkedid(day, scenario)
    for agent in day.pages:
        rang = _times(day, scenario, "invite_received", agent)
        shown = _shown(day, agent, call)
        assert bool(rang) == bool(shown), agent
        if rang:
            assert shown[0][1] == "ringing"
            assert -SOON < shown[0][0] - rang[0] < SOON


def test_the_cards_follow_an_answered_call(day: morning.Morning) -> None:
    """Ringing, talking, gone."""
    states = [state for _, state in _shown(day, "1001", _linkedid(day, "a_answered"))]
    assert states == ["ringing", "talking", "ended"]


def test_the_card_moves_with_the_transfer(day: morning.Morning) -> None:
    """1001's goes when 1003's phone rings; 1003's stays to the end."""
    call = _linkedid(day, "d_blind")
    first, second = _shown(day, "1001", call), _shown(day, "1003", call)
    assert [state for _, state in first] == ["ringing", "talking", "transferred"]
    assert [state for _, state in second] == ["ringing", "talking", "ended"]
    assert abs(first[-1][0] - second[0][0]) < SOON
    assert second[-1][0] - _times(day, "d_blind", "bye_sent", "carrier")[0] < SOON


def test_the_card_goes_when_the_caller_gives_up(day: morning.Morning) -> None:
    """And not before."""
    gone = _shown(day, "1001", _linkedid(day, "c_abandon"))[-1]
    assert gone[1] == "gave_up"
    assert abs(gone[0] - _times(day, "c_abandon", "bye_sent", "carrier")[0]) < SOON


def test_the_card_says_who_it_is(day: morning.Morning) -> None:
    """The customer of 13812345678 by his exact number; nobody for a number that no customer has."""
    cards = [told["card"] for _, told in day.pages["1001"] if told["type"] == "card"]
    by_caller: dict[str, Any] = {card["caller"]["raw"]: card for card in cards}
    known, unknown = by_caller["13812345678"], by_caller["01088886666"]
    assert known["match"]["sure"] is True
    assert [(customer["id"], customer["name"]) for customer in known["match"]["customers"]] == [("C1", "张伟")]
    assert unknown["match"]["customers"] == []
    assert unknown["caller"]["e164"] == "+861088886666"


def test_no_card_is_ever_doubled(day: morning.Morning) -> None:
    """A page is never told the same state of a card twice over after it went."""
    for told in day.pages.values():
        words = [(m["type"], m.get("call") or m.get("card", {}).get("call")) for _, m in told if m["type"] != "beat"]
        assert not any(before == after and before[0] == "gone" for before, after in pairwise(words))


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_call_is_kept_as_it_was(day: morning.Morning, scenario: str) -> None:
    """Caller, line, agents in order, outcome, one ticket."""
    (truth,) = day.truths[scenario]["calls"]
    call = day.calls[truth["linkedid"]]
    answered = [event["phone"] for event in day.truths[scenario]["sip"] if event["what"] == "answered"]
    assert (call["caller"], call["line"]) == (truth["caller_sent"], truth["is_inbound_400"])
    assert call["agents"] == answered
    assert call["outcome"] == ("answered" if answered else "abandoned")
    assert call["ticket"] is not None


def test_the_second_call_of_a_customer_joins_the_open_ticket(day: morning.Morning) -> None:
    """a_answered and d_blind are the same customer on the same line; the stranger has a ticket of his own."""
    first, second, other = (day.calls[_linkedid(day, scenario)]["ticket"]["number"] for scenario in SCENARIOS)
    assert first == second != other
    assert {ticket["number"] for ticket in day.tickets} == {first, other}
    assert sorted(ticket["calls"] for ticket in day.tickets) == [1, 2]
    assert {ticket["customer"] and ticket["customer"]["id"] for ticket in day.tickets} == {"C1", None}


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_recording_hangs_on_the_call(day: morning.Morning, scenario: str) -> None:
    """Three files as long as MixMonitor made them, served to a supervisor's browser."""
    call = _linkedid(day, scenario)
    files = {f["file"]: f for f in day.truths[scenario]["recordings"] if call in f["file"]}
    assert set(day.heard[call]) == {"mix", "caller", "agent"}
    for leg, suffix in (("mix", ""), ("caller", "-rx"), ("agent", "-tx")):
        (file,) = (f for name, f in files.items() if name.endswith(f"{call}{suffix}.wav"))
        with wave.open(io.BytesIO(day.heard[call][leg])) as sound:
            assert sound.getnframes() / sound.getframerate() == pytest.approx(file["seconds"], abs=0.01)


def test_the_service_ends_in_order(day: morning.Morning) -> None:
    """Ctrl-C: exit code 0, and nothing went wrong on the way."""
    assert day.exit_code == 0
    assert "error" not in day.log.lower(), day.log
