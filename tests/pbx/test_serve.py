"""Against a real Asterisk: ``hotline serve`` pops, opens tickets and keeps recordings as the calls really were."""

import io
import wave
from itertools import pairwise
from typing import Any

import pytest

pytestmark = [pytest.mark.pbx, pytest.mark.timeout(280)]

SCENARIOS = ("a_answered", "d_blind", "c_abandon")
SOON = 1.0
"""Seconds between a phone and the page beside it, at most."""


def _linkedid(morning: Any, scenario: str) -> str:
    (call,) = morning.truths[scenario]["calls"]
    return str(call["linkedid"])


def _times(morning: Any, scenario: str, what: str, phone: str) -> list[float]:
    events = morning.truths[scenario]["sip"]
    return [event["t"] for event in events if event["what"] == what and event["phone"] == phone]


def _shown(morning: Any, agent: str, call: str) -> list[tuple[float, str]]:
    """When a call's card came, changed its state and went, on an agent's page."""
    seen: list[tuple[float, str]] = []
    for at, told in morning.pages[agent]:
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
def test_a_card_is_there_when_the_phone_rings(morning: Any, scenario: str) -> None:
    """On the page of every agent whose phone rang, within a second of its INVITE; on nobody else's."""
    call = _linkedid(morning, scenario)
    for agent in morning.pages:
        rang = _times(morning, scenario, "invite_received", agent)
        shown = _shown(morning, agent, call)
        assert bool(rang) == bool(shown), agent
        if rang:
            assert shown[0][1] == "ringing"
            assert -SOON < shown[0][0] - rang[0] < SOON


def test_the_cards_follow_an_answered_call(morning: Any) -> None:
    """Ringing, talking, gone."""
    states = [state for _, state in _shown(morning, "1001", _linkedid(morning, "a_answered"))]
    assert states == ["ringing", "talking", "ended"]


def test_the_card_moves_with_the_transfer(morning: Any) -> None:
    """1001's goes when 1003's phone rings; 1003's stays to the end."""
    call = _linkedid(morning, "d_blind")
    first, second = _shown(morning, "1001", call), _shown(morning, "1003", call)
    assert [state for _, state in first] == ["ringing", "talking", "transferred"]
    assert [state for _, state in second] == ["ringing", "talking", "ended"]
    assert abs(first[-1][0] - second[0][0]) < SOON
    assert second[-1][0] - _times(morning, "d_blind", "bye_sent", "carrier")[0] < SOON


def test_the_card_goes_when_the_caller_gives_up(morning: Any) -> None:
    """And not before."""
    gone = _shown(morning, "1001", _linkedid(morning, "c_abandon"))[-1]
    assert gone[1] == "gave_up"
    assert abs(gone[0] - _times(morning, "c_abandon", "bye_sent", "carrier")[0]) < SOON


def test_the_card_says_who_it_is(morning: Any) -> None:
    """The customer of 13812345678 by his exact number; nobody for a number that no customer has."""
    cards = [told["card"] for _, told in morning.pages["1001"] if told["type"] == "card"]
    by_caller: dict[str, Any] = {card["caller"]["raw"]: card for card in cards}
    known, unknown = by_caller["13812345678"], by_caller["01088886666"]
    assert known["match"]["sure"] is True
    assert [(customer["id"], customer["name"]) for customer in known["match"]["customers"]] == [("C1", "张伟")]
    assert unknown["match"]["customers"] == []
    assert unknown["caller"]["e164"] == "+861088886666"


def test_no_card_is_ever_doubled(morning: Any) -> None:
    """A page is never told the same state of a card twice over after it went."""
    for told in morning.pages.values():
        words = [(m["type"], m.get("call") or m.get("card", {}).get("call")) for _, m in told if m["type"] != "beat"]
        assert not any(before == after and before[0] == "gone" for before, after in pairwise(words))


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_call_is_kept_as_it_was(morning: Any, scenario: str) -> None:
    """Caller, line, agents in order, outcome, one ticket."""
    (truth,) = morning.truths[scenario]["calls"]
    call = morning.calls[truth["linkedid"]]
    answered = [event["phone"] for event in morning.truths[scenario]["sip"] if event["what"] == "answered"]
    assert (call["caller"], call["line"]) == (truth["caller_sent"], truth["is_inbound_400"])
    assert call["agents"] == answered
    assert call["outcome"] == ("answered" if answered else "abandoned")
    assert call["ticket"] is not None


def test_the_second_call_of_a_customer_joins_the_open_ticket(morning: Any) -> None:
    """a_answered and d_blind are the same customer on the same line; the stranger has a ticket of his own."""
    first, second, other = (morning.calls[_linkedid(morning, scenario)]["ticket"]["number"] for scenario in SCENARIOS)
    assert first == second != other
    assert {ticket["number"] for ticket in morning.tickets} == {first, other}
    assert sorted(ticket["calls"] for ticket in morning.tickets) == [1, 2]
    assert {ticket["customer"] and ticket["customer"]["id"] for ticket in morning.tickets} == {"C1", None}


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_recording_hangs_on_the_call(morning: Any, scenario: str) -> None:
    """Three files as long as MixMonitor made them, served to a supervisor's browser."""
    call = _linkedid(morning, scenario)
    files = {f["file"]: f for f in morning.truths[scenario]["recordings"] if call in f["file"]}
    assert set(morning.heard[call]) == {"mix", "caller", "agent"}
    for leg, suffix in (("mix", ""), ("caller", "-rx"), ("agent", "-tx")):
        (file,) = (f for name, f in files.items() if name.endswith(f"{call}{suffix}.wav"))
        with wave.open(io.BytesIO(morning.heard[call][leg])) as sound:
            assert sound.getnframes() / sound.getframerate() == pytest.approx(file["seconds"], abs=0.01)


def test_the_service_ends_in_order(morning: Any) -> None:
    """Ctrl-C: exit code 0, and nothing went wrong on the way."""
    assert morning.exit_code == 0
    assert "error" not in morning.log.lower(), morning.log
