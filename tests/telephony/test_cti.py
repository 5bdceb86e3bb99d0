"""Another telephone system's words become the facts a PBX's events would have become, whatever order they come in."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telephony.call import Answered, Arrived, CallKey, Confirmed, Ended, Fact, Left, Outcome, Rang, Stopped
from telephony.cti import EARLY, FORWARDING, CtiCalls
from telephony.cti_words import Told
from telephony.lines import Lines

LINES = Lines({"4007002505": ["01062802505"]})
USERS = {"Alice": "1001", "bob@example.org": "1002", "01062802599": "1003", "w7": "1004"}


def word(event: str, **more: str | list[str]) -> Told:
    """One word of theirs."""
    told: dict[str, list[str]] = {"event": [event], "callId": ["c1"], "direction": ["in"]}
    if event == "newCall":
        told |= {"from": ["8613812345678"], "to": ["861062802505"]}
    return told | {name: [value] if isinstance(value, str) else value for name, value in more.items()}


def leg(event: str, name: str, **more: str | list[str]) -> Told:
    """A word of one leg of a call that began as ``c1``, as sipgate tells of it."""
    return word(event, callId=name, origCallId="c1", **more)


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
    "handed over to a colleague, as sipgate tells it": (
        [
            leg("newCall", "c1", **{"user[]": "Alice"}),
            leg("answer", "c1", user="Alice"),
            leg("newCall", "c2", **{"user[]": "bob@example.org", "to": "8613800000000", "diversion": "861062802505"}),
            leg("answer", "c2", user="bob@example.org"),
            leg("hangup", "c1", cause="normalClearing"),
            leg("hangup", "c2", cause="normalClearing"),
        ],
        [
            *("Arrived", "Confirmed", "Rang 1001", "Answered 1001", "Rang 1002", "Left 1001 transferred"),
            *("Answered 1002", "Left 1002 ended", "Ended answered"),
        ],
    ),
    "handed over, let go before the colleague answers": (
        [
            leg("newCall", "c1", **{"user[]": "Alice"}),
            leg("answer", "c1", user="Alice"),
            leg("newCall", "c2", **{"user[]": "1002"}),
            leg("hangup", "c1"),
            leg("answer", "c2", user="1002"),
            leg("hangup", "c2"),
        ],
        [
            *("Arrived", "Confirmed", "Rang 1001", "Answered 1001", "Rang 1002", "Left 1001 transferred"),
            *("Answered 1002", "Left 1002 ended", "Ended answered"),
        ],
    ),
    "handed over in vain": (
        [
            leg("newCall", "c1", **{"user[]": "Alice"}),
            leg("answer", "c1", user="Alice"),
            leg("newCall", "c2", **{"user[]": "1002"}),
            leg("hangup", "c2", cause="noAnswer"),
            leg("hangup", "c1"),
        ],
        [
            *("Arrived", "Confirmed", "Rang 1001", "Answered 1001", "Rang 1002", "Stopped 1002 no_answer"),
            *("Left 1001 ended", "Ended answered"),
        ],
    ),
    "handed over and taken back": (
        [
            leg("newCall", "c1", **{"user[]": "Alice"}),
            leg("answer", "c1", user="Alice"),
            leg("newCall", "c2", **{"user[]": "1002"}),
            leg("answer", "c2", user="1002"),
            leg("answer", "c1", user="Alice"),  # again
            leg("hangup", "c2"),
            leg("hangup", "c1"),
        ],
        [
            *("Arrived", "Confirmed", "Rang 1001", "Answered 1001", "Rang 1002", "Left 1001 transferred"),
            *("Answered 1002", "Left 1002 transferred", "Answered 1001", "Left 1001 ended", "Ended answered"),
        ],
    ),
    "forwarded because nobody answers": (
        [
            leg("newCall", "c1", **{"user[]": "Alice"}),
            leg("hangup", "c1", cause="forwarded"),
            leg("newCall", "c2", **{"user[]": "1002"}),
            leg("answer", "c2", user="1002"),
            leg("hangup", "c2"),
        ],
        [
            *("Arrived", "Confirmed", "Rang 1001", "Stopped 1001 no_answer", "Rang 1002", "Answered 1002"),
            *("Left 1002 ended", "Ended answered"),
        ],
    ),
    "forwarded to voicemail": (
        [
            leg("newCall", "c1", **{"user[]": "Alice"}),
            leg("hangup", "c1", cause="forwarded"),
            leg("newCall", "c2", **{"user[]": "voicemail", "diversion": "861062802505"}),
            leg("answer", "c2", user="voicemail"),
            leg("answer", "c2", user="voicemail"),
            leg("hangup", "c2"),
        ],
        ["Arrived", "Confirmed", "Rang 1001", "Stopped 1001 no_answer", "LeftMessage", "Ended voicemail"],
    ),
    "voicemail answers where somebody's telephone rings": (
        [word("newCall", user="Alice"), word("answer", user="voicemail"), word("hangup")],
        ["Arrived", "Confirmed", "Rang 1001", "Stopped 1001 no_answer", "LeftMessage", "Ended voicemail"],
    ),
    "forwarded, and nothing says where": (
        [word("newCall", user="Alice"), word("hangup", cause="forwarded")],
        ["Arrived", "Confirmed", "Rang 1001", "Stopped 1001 gave_up", "Ended abandoned"],
    ),
    "forwarded from a number that is not ours": (
        [
            leg("newCall", "c1", to="4001112222"),
            leg("hangup", "c1", cause="forwarded"),
            leg("newCall", "c2", user="1002"),
            leg("hangup", "c2", cause="forwarded"),
            leg("newCall", "c3", user="Alice"),
            leg("hangup", "c3"),
        ],
        [
            *("Arrived", "Confirmed", "Rang 1002", "Stopped 1002 no_answer", "Rang 1001", "Stopped 1001 gave_up"),
            "Ended abandoned",
        ],
    ),
    "the answer overtakes the call": (
        [word("answer", user="Alice"), word("newCall", **{"user[]": ["Alice", "1002"]}), word("hangup")],
        [
            *("Arrived", "Confirmed", "Rang 1001", "Rang 1002", "Answered 1001", "Stopped 1002 answered_elsewhere"),
            *("Left 1001 ended", "Ended answered"),
        ],
    ),
    "everything comes the wrong way round": (
        [word("hangup"), word("answer", user="Alice"), word("newCall", user="Alice")],
        ["Arrived", "Confirmed", "Rang 1001", "Answered 1001", "Left 1001 ended", "Ended answered"],
    ),
    "users by their ids": (
        [word("newCall", **{"user[]": "Zoe", "userId[]": "w7"}), word("answer", user="Zoe", userId="w7")],
        ["Arrived", "Confirmed", "Rang 1004", "Answered 1004"],
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


def test_what_is_forwarded_to_nowhere_ends() -> None:
    """No leg follows: half a minute later it was given up."""
    system = calls()
    system.feed(leg("newCall", "c1", user="Alice"), 0.0)
    assert told(system.feed(leg("hangup", "c1", cause="forwarded"), 9.0)) == ["Stopped 1001 no_answer"]
    assert system.expire(9.0 + FORWARDING - 1) == []
    assert told(system.expire(9.0 + FORWARDING)) == ["Ended abandoned"]
    assert len(system) == 0


def test_what_came_too_early_is_not_kept_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """An end half a minute older than its call is another call's; a million words of nobody's calls are not kept."""
    system = calls()
    system.feed(word("hangup"), 0.0)
    system.feed(word("newCall", user="Alice"), EARLY)
    assert len(system) == 1
    monkeypatch.setattr("telephony.cti.REMEMBERED", 100)
    for number in range(150):
        system.feed(word("hangup", callId=f"x{number}"), 1.0)
        system.feed(word("newCall", callId=f"y{number}"), 1.0)
        system.feed(word("hangup", callId=f"y{number}"), 1.0)
    kept = (system._early, system._ended)  # nothing else shows it
    assert all(len(each) == 100 for each in kept)


def test_after_a_restart() -> None:
    """Calls that were over stay over; of one that was handed over meanwhile the end of either leg that is unknown."""
    key = CallKey("cloud", "c1")
    system = calls()
    system.adopt([], [key])
    assert system.feed(word("newCall", user="Alice"), 1.0) == []
    system = calls()
    system.adopt([(key, 0.0, True)])
    assert told(system.feed(leg("hangup", "c2"), 1.0)) == ["Ended answered"]
    system = calls()
    system.adopt([(key, 0.0, True)])
    words = (leg("newCall", "c2", user="1002"), leg("answer", "c2", user="1002"), leg("hangup", "c1"))
    assert told([fact for one in words for fact in system.feed(one, 1.0)]) == ["Rang 1002", "Answered 1002"]
    assert told(system.feed(leg("hangup", "c2"), 1.0)) == ["Left 1002 ended", "Ended answered"]


def built(event: str, call: str, users: list[str], more: dict[str, str]) -> Told:
    """A word of these."""
    told = {"event": [event], "callId": [call], "user[]": users, "from": ["13812345678"]}
    return told | {name: [value] for name, value in more.items()}


WORDS = st.builds(
    built,
    st.sampled_from(["newCall", "answer", "hangup", "dtmf"]),
    st.sampled_from(["a", "b", "c", ""]),
    st.lists(st.sampled_from(["Alice", "1002", "01062802599", "Zoe", "voicemail", ""]), max_size=3),
    st.fixed_dictionaries(
        {
            "to": st.sampled_from(["4007002505", "+8601062802505", "110"]),
            "direction": st.sampled_from(["in", "in", "in", "out"]),
        },
        optional={
            "origCallId": st.sampled_from(["a", "b", "d"]),
            "cause": st.sampled_from(["forwarded", "cancel"]),
            "answeringNumber": st.sampled_from(["1004", "x"]),
        },
    ),
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
@given(st.lists(WORDS, max_size=25), st.lists(st.sampled_from(["a", "b"]), max_size=2))
def test_whatever_is_told_the_facts_hold_together(words: list[Told], ended: list[str]) -> None:
    """Any words in any order, then a long time."""
    system = calls()
    system.adopt([], [CallKey("cloud", name) for name in ended])
    seen: dict[str, list[Fact]] = {}
    for one in words:
        for fact in system.feed(one, 1.0):
            seen.setdefault(fact.call.linkedid, []).append(fact)
    for fact in system.expire(1e6):
        seen[fact.call.linkedid].append(fact)
    for facts in seen.values():
        held_together(facts)
    assert len(system) == 0


FORWARDS = (
    leg("newCall", "c1", **{"user[]": ["Alice", "1002"]}),
    leg("hangup", "c1", cause="forwarded"),
    leg("newCall", "c2", **{"user[]": "01062802599"}),
    leg("hangup", "c2", cause="forwarded"),
    leg("newCall", "c3", **{"user[]": "voicemail"}),
    leg("answer", "c3", user="voicemail"),
    leg("hangup", "c3"),
)


@settings(max_examples=150)
@given(st.sets(st.integers(0, len(FORWARDS) - 2)), st.lists(st.integers(0, len(FORWARDS)), max_size=5))
def test_a_call_that_is_forwarded_is_one_call(overtaken: set[int], twice: list[int]) -> None:
    """Where words overtake each other and come twice, too: it arrives once, so it has one ticket; nothing stays."""
    order = list(FORWARDS)
    for place in sorted(overtaken):
        if place - 1 not in overtaken:  # neighbours change places
            order[place], order[place + 1] = order[place + 1], order[place]
    for place in twice:
        order.insert(place + 1, order[min(place, len(order) - 1)])
    system = calls()
    facts = [fact for one in order for fact in system.feed(one, 1.0)]
    assert len(system) == 0
    held_together(facts)
    assert sum(isinstance(fact, Arrived) for fact in facts) == 1
    assert facts[-1] == Ended(call=CallKey("cloud", "c1"), at=1.0, outcome=Outcome.VOICEMAIL) or overtaken
