"""Another telephone system's words become the facts a PBX's events would have become, whatever order they come in."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telephony.call import Answered, Arrived, Confirmed, Ended, Fact, Left, Outcome, Rang, Stopped
from telephony.cti import CtiCalls, Told
from telephony.lines import Lines

LINES = Lines({"4007002505": ["01062802505"]})
USERS = {"Alice": "1001", "bob@example.org": "1002", "01062802599": "1003"}


def word(event: str, **more: str | list[str]) -> Told:
    """One word of theirs."""
    told: dict[str, list[str]] = {"event": [event], "callId": ["c1"], "direction": ["in"]}
    if event == "newCall":
        told |= {"from": ["8613812345678"], "to": ["861062802505"]}
    return told | {name: [value] if isinstance(value, str) else value for name, value in more.items()}


def calls() -> CtiCalls:
    """A system that nobody has called yet."""
    return CtiCalls("cloud", LINES, USERS)


def told(facts: list[Fact]) -> list[str]:
    """Facts as one reads them."""
    lines = []
    for fact in facts:
        who = getattr(fact, "agent", None) or getattr(fact, "queue", None) or ""
        why = getattr(fact, "why", None) or getattr(fact, "outcome", None) or ""
        lines.append(" ".join(part for part in (type(fact).__name__, who, str(why)) if part))
    return lines


STORIES: dict[str, tuple[list[Told], list[str]]] = {
    "three ring, the second answers": (
        [
            word("newCall", **{"user[]": ["Alice", "bob@example.org", "01062802599"], "queue": ["support"]}),
            word("answer", user="bob@example.org"),
            word("hangup", cause="normalClearing"),
        ],
        [
            *("Arrived", "Confirmed", "Queued support", "Rang 1001", "Rang 1002", "Rang 1003"),
            *("Answered 1002", "Stopped 1001 answered_elsewhere", "Stopped 1003 answered_elsewhere"),
            *("Left 1002 ended", "Ended answered"),
        ],
    ),
    "nobody answers": (
        [word("newCall", user="Alice"), word("hangup", cause="cancel")],
        ["Arrived", "Confirmed", "Rang 1001", "Stopped 1001 gave_up", "Ended abandoned"],
    ),
    "forwarded to a colleague who is told later": (
        [word("newCall", user="Alice"), word("newCall", user="bob@example.org"), word("answer", user="1002")],
        ["Arrived", "Confirmed", "Rang 1001", "Rang 1002", "Answered 1002", "Stopped 1001 answered_elsewhere"],
    ),
    "the only one who rings needs no name": (
        [word("newCall", user="Alice"), word("answer"), word("hangup")],
        ["Arrived", "Confirmed", "Rang 1001", "Answered 1001", "Left 1001 ended", "Ended answered"],
    ),
    "known by the number that answered": (
        [word("newCall"), word("answer", answeringNumber="01062802599"), word("hangup")],
        ["Arrived", "Confirmed", "Answered 1003", "Left 1003 ended", "Ended answered"],
    ),
    "somebody answers whom nobody knows": (
        [word("newCall", user="Alice"), word("answer", user="Zoe", answeringNumber="1"), word("hangup")],
        ["Arrived", "Confirmed", "Rang 1001", "Answered 1001", "Left 1001 ended", "Ended answered"],
    ),
    "handed over": (
        [word("newCall", user="Alice"), word("answer", user="Alice"), word("answer", user="1002"), word("hangup")],
        [
            *("Arrived", "Confirmed", "Rang 1001", "Answered 1001", "Left 1001 transferred", "Answered 1002"),
            *("Left 1002 ended", "Ended answered"),
        ],
    ),
    "each word twice": (
        [one for one in (word("newCall", user="Alice"), word("answer", user="Alice"), word("hangup")) for _ in "12"],
        ["Arrived", "Confirmed", "Rang 1001", "Answered 1001", "Left 1001 ended", "Ended answered"],
    ),
    "a newCall that comes again after the end opens nothing": (
        [word("newCall"), word("hangup"), word("newCall", user="Alice"), word("answer", user="Alice")],
        ["Arrived", "Confirmed", "Ended abandoned"],
    ),
    "outgoing": ([word("newCall", direction="out"), word("hangup", direction="out")], []),
    "to a number that is not ours": ([word("newCall", to="4001112222"), word("hangup")], []),
    "the end of a call nobody told of": ([word("hangup"), word("answer", user="Alice")], []),
    "no event, no call": ([{"callId": ["1"]}, {"event": ["newCall"]}, {}], []),
}


@pytest.mark.parametrize("story", STORIES)
def test_a_story(story: str) -> None:
    """What is told, and what becomes of it."""
    words, wanted = STORIES[story]
    system = calls()
    assert told([fact for one in words for fact in system.feed(one, 100.0)]) == wanted


def test_the_caller_and_the_line() -> None:
    """The number as it came, our 400 number for whichever form was dialled; a withheld one is none."""
    arrived = calls().feed(word("newCall"), 5.0)[0]
    assert isinstance(arrived, Arrived)
    assert (arrived.caller, arrived.number, arrived.dialled, arrived.at) == (
        "8613812345678", "4007002505", "861062802505", 5.0,
    )  # fmt: skip
    hidden = calls().feed(word("newCall", **{"from": "anonymous"}), 5.0)[0]
    assert isinstance(hidden, Arrived)
    assert hidden.caller is None


def test_a_name_that_is_no_name_becomes_one() -> None:
    """A callId goes into addresses and keys: anything but plain characters is replaced by a digest."""
    for call_id in ("../../etc", "a b", "x" * 300, "电话", "c1\r\nEvent: Hangup"):
        key = calls().feed(word("newCall", callId=call_id), 1.0)[0].call
        assert key.pbx == "cloud"
        assert key.linkedid.isalnum()
    assert calls().feed(word("newCall", callId="7f.3-A_b"), 1.0)[0].call.linkedid == "7f.3-A_b"


def test_what_never_ends_is_lost() -> None:
    """Four hours later, once; whoever had answered before the service stopped ends as answered."""
    system = calls()
    system.feed(word("newCall", user="Alice"), 0.0)
    assert system.expire(4 * 3600 - 1) == []
    (lost,) = system.expire(4 * 3600.0)
    assert isinstance(lost, Ended)
    assert lost.outcome is Outcome.LOST
    assert system.expire(9e9) == []
    again = calls()
    again.adopt([(lost.call, 0.0, True)])
    assert told(again.feed(word("hangup"), 10.0)) == ["Ended answered"]


def built(event: str, call: str, users: list[str], to: str, way: str) -> Told:
    """A word of these."""
    told = {"event": [event], "callId": [call], "user[]": users}
    return told | {"to": [to], "from": ["13812345678"], "direction": [way]}


WORDS = st.builds(
    built,
    st.sampled_from(["newCall", "answer", "hangup", "dtmf"]),
    st.sampled_from(["a", "b", ""]),
    st.lists(st.sampled_from(["Alice", "1002", "01062802599", "Zoe", ""]), max_size=3),
    st.sampled_from(["4007002505", "+8601062802505", "110"]),
    st.sampled_from(["in", "in", "in", "out"]),
)


def held_together(facts: list[Fact]) -> None:
    """A call arrives first, ends once and last; nobody rings or talks twice at once."""
    assert isinstance(facts[0], Arrived)
    assert isinstance(facts[1], Confirmed)
    assert [place for place, fact in enumerate(facts) if isinstance(fact, Ended)] == [len(facts) - 1]
    ringing, talking = Counter[str](), Counter[str]()
    for fact in facts:
        if isinstance(fact, Rang):
            ringing[fact.agent] += 1
        elif isinstance(fact, Stopped):
            ringing[fact.agent] -= 1
        elif isinstance(fact, Answered):
            talking[fact.agent] += 1
            ringing.pop(fact.agent, None)
        elif isinstance(fact, Left):
            talking[fact.agent] -= 1
        assert all(0 <= count <= 1 for count in (ringing | talking).values())
        assert sum(talking.values()) <= 1


@settings(max_examples=150)
@given(st.lists(WORDS, max_size=25))
def test_whatever_is_told_the_facts_hold_together(words: list[Told]) -> None:
    """Any words in any order, then a long time."""
    system = calls()
    seen: dict[str, list[Fact]] = {}
    for one in words:
        for fact in system.feed(one, 1.0):
            seen.setdefault(fact.call.linkedid, []).append(fact)
    for fact in system.expire(1e6):
        seen[fact.call.linkedid].append(fact)
    for facts in seen.values():
        held_together(facts)
    assert len(system) == 0
