"""Two services, one page: every card once, whoever tells it first, whoever dies."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screenpop.views import SILENCE, Views

Json = dict[str, Any]


def card(call: str, state: str = "ringing") -> Json:
    """A card, as far as it matters here."""
    return {"call": call, "state": state}


def shown(desk: str, call: str, state: str = "ringing") -> Json:
    """A desk shows a card, or draws it anew."""
    return {"type": "card", "card": card(call, state), "desk": desk}


def gone(desk: str, call: str) -> Json:
    """A desk takes it away."""
    return {"type": "gone", "call": call, "why": "ended", "desk": desk}


def hears(desk: str, **pbxs: bool) -> Json:
    """A desk's sign of life."""
    return {"type": "desk", "desk": desk, "hears": pbxs, "now": 1000.0}


def snapshot(desk: str, *cards: Json, **pbxs: bool) -> Json:
    """A desk's answer to a page."""
    return {"type": "snapshot", "desk": desk, "cards": list(cards), "hears": pbxs, "now": 1000.0}


def taken(views: Views, *messages: Json, now: float = 0.0) -> list[Json]:
    """What pages hear because of messages."""
    return [told for message in messages for told in views.take(message, now)]


@pytest.fixture
def views() -> Views:
    """A page in the process of desk A; A and B both hear the PBX hq."""
    views = Views("A", 0.0)
    assert taken(views, hears("A", hq=True), hears("B", hq=True)) == []
    return views


def test_a_desk_lives_as_long_as_anybody_hears_it() -> None:
    """Its signs of life are heard once for all agents; what this agent's page shows of it stays, and goes with it."""
    signs: dict[str, float] = {}
    views = Views("A", 0.0, signs)
    taken(views, hears("A", hq=True), hears("B", west=True), shown("B", "west:1"))
    signs["B"] = 100.0
    assert views.look(100.0 + SILENCE) == []
    (answer,) = views.look(100.1 + SILENCE)
    assert answer["cards"] == []


def test_one_desk_is_heard_as_it_speaks() -> None:
    """A process alone, which never says what it hears: every message passes but its name."""
    views = Views("", 0.0)
    heard = taken(views, shown("", "hq:1"), shown("", "hq:1", "talking"), gone("", "hq:1"))
    assert [message["type"] for message in heard] == ["card", "card", "gone"]
    assert "desk" not in heard[0]


def test_a_second_desk_adds_nothing(views: Views) -> None:
    """The other service tells the same a little later, or a little earlier: the page hears it once."""
    story = [("A", "ringing"), ("B", "ringing"), ("B", "talking"), ("A", "talking")]
    heard = taken(views, *(shown(desk, "hq:1", state) for desk, state in story))
    assert [message["card"]["state"] for message in heard] == ["ringing", "talking"]
    assert taken(views, gone("A", "hq:1"), gone("B", "hq:1")) == [{"type": "gone", "call": "hq:1", "why": "ended"}]


def test_a_card_that_went_does_not_come_back(views: Views) -> None:
    """The slower desk shows it still while the believed one has taken it away."""
    taken(views, shown("A", "hq:1"), gone("A", "hq:1"))
    assert taken(views, shown("B", "hq:1"), gone("B", "hq:1")) == []


def test_each_pbx_has_its_own_desk() -> None:
    """A hears one, B the other: the page shows the cards of both, and its snapshot holds both."""
    views = Views("A", 0.0)
    taken(views, hears("A", hq=True), hears("B", west=True))
    heard = taken(views, shown("A", "hq:1"), shown("B", "west:1"))
    assert [message["card"]["call"] for message in heard] == ["hq:1", "west:1"]
    (answer,) = taken(views, snapshot("A", card("hq:1"), hq=True))
    assert [c["call"] for c in answer["cards"]] == ["hq:1", "west:1"]
    (answer,) = taken(views, snapshot("B", card("west:1"), west=True))
    assert [c["call"] for c in answer["cards"]] == ["hq:1", "west:1"]


def test_a_broken_link_is_bridged_by_the_other_desk(views: Views) -> None:
    """A does not hear the PBX any more: B is believed, without a word where both show the same; and back again."""
    taken(views, shown("A", "hq:1"), shown("B", "hq:1"))
    assert taken(views, hears("A", hq=False)) == []
    assert taken(views, gone("B", "hq:1")) == [{"type": "gone", "call": "hq:1", "why": "ended"}]
    assert taken(views, shown("B", "hq:2")) == [{"type": "card", "card": card("hq:2")}]
    assert taken(views, gone("A", "hq:1"), shown("A", "hq:2"), hears("A", hq=True)) == []


def test_with_every_link_broken_the_last_truth_stays(views: Views) -> None:
    """No link is no reason to take a ringing phone's card away."""
    taken(views, shown("A", "hq:1"), shown("B", "hq:1"))
    assert taken(views, hears("B", hq=False), hears("A", hq=False)) == []
    assert [c["call"] for c in taken(views, snapshot("A", card("hq:1"), hq=False))[0]["cards"]] == ["hq:1"]


def test_a_dead_desks_cards_go() -> None:
    """Nobody knows what becomes of those calls: a card that stays is a lie."""
    views = Views("A", 0.0)
    taken(views, hears("A", hq=True), hears("B", west=True), shown("A", "hq:1"), shown("B", "west:1"))
    assert views.look(SILENCE) == []
    (told,) = views.look(SILENCE + 0.1)
    assert [c["call"] for c in told["cards"]] == ["hq:1"]
    assert told["now"] == 1000.0 + SILENCE + 0.1
    assert views.look(SILENCE + 1) == []


def test_pages_of_a_process_without_a_desk_believe_one_that_hears() -> None:
    """The same one as long as it lives, then the other."""
    views = Views(None, 0.0)
    taken(views, hears("B", hq=True), hears("A", hq=True), shown("A", "hq:1"), shown("B", "hq:1"))
    assert taken(views, shown("A", "hq:1", "talking")) == []
    assert len(taken(views, shown("B", "hq:1", "talking"))) == 1
    assert taken(views, hears("A", hq=True), now=SILENCE + 1) == []  # B is dead, and A shows the same
    assert taken(views, gone("A", "hq:1"), now=SILENCE + 1) == [{"type": "gone", "call": "hq:1", "why": "ended"}]


STORY = [*(shown("", f"hq:{n}", state) for n in (1, 2) for state in ("ringing", "talking")), gone("", "hq:1")]


@given(st.lists(st.booleans(), min_size=2 * len(STORY), max_size=2 * len(STORY)), st.integers(0, 2 * len(STORY)))
def test_however_two_desks_interleave_a_page_hears_one_story(turns: list[bool], death: int) -> None:
    """And what it shows at the end is what both say, wherever the link of its own process broke."""
    views = Views("A", 0.0)
    taken(views, hears("A", hq=True), hears("B", hq=True))
    told = {"A": iter(STORY), "B": iter(STORY)}
    cards: dict[str, Json] = {}
    ends = []
    sides = ["A" if turn else "B" for turn in turns] + ["A"] * len(STORY) + ["B"] * len(STORY)
    for step, side in enumerate(sides):
        if step == death:
            ends += taken(views, hears("A", hq=False))
        message = next(told[side], None)
        if message is not None:
            ends += taken(views, message | {"desk": side})
    for message in ends:
        if message["type"] == "card":
            cards[message["card"]["call"]] = message["card"]
        elif message["type"] == "gone":
            del cards[message["call"]]
        else:
            cards = {c["call"]: c for c in message["cards"]}
    assert cards == {"hq:2": card("hq:2", "talking")}


def test_a_state_that_was_overtaken_is_not_shown() -> None:
    """Two services tell of one agent; told again it is shown again, and what is no desk's changes no cards."""
    views = Views("here", 0.0)
    first, second = (
        {"type": "state", "n": number, "state": {"state": state}} for number, state in ((4, "a"), (5, "b"))
    )
    assert views.take(second, 1.0) == [{"type": "state", "state": {"state": "b"}}]
    assert views.take(first, 1.0) == []
    assert views.take(second, 1.0) == [{"type": "state", "state": {"state": "b"}}]
    assert views.take({"type": "seat", "others": []}, 1.0) == [{"type": "seat", "others": []}]
    assert views.look(2.0) == []
