"""What must hold of the facts whatever a stream does, tried on the captured ones."""

import gzip
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hotline.replay import calls_of, facts_of
from telephony.call import Answered, Arrived, CallKey, Ended, Fact, Outcome, Rang, Recorded
from telephony.events import DialOver, Event, Snapshot, seconds
from telephony.framing import Framer, Response
from telephony.lines import Lines
from telephony.reading import LAYOUTS
from telephony.tracker import Tracker

CAPTURES = Path(__file__).parent.parent / "captures"
NAMES = sorted(str(path.relative_to(CAPTURES)).removesuffix(".ami.gz") for path in CAPTURES.rglob("*.ami.gz"))
SMALL = [name for name in NAMES if not name.startswith(("thirty_calls", "odd_caller_ids"))]
FIELD = 79


def tracker() -> Tracker:
    """Of the captured company."""
    lines = Lines({"4007002505": ("01062802505",), "4008001234": ()})
    return Tracker("pbx", lines, ("PJSIP/carrier",), {"PJSIP/1001b": "1001"}, voicemail_event="CC400Voicemail")


@cache
def stream(name: str) -> bytes:
    """A capture's bytes."""
    return gzip.decompress((CAPTURES / f"{name}.ami.gz").read_bytes())


def read(data: bytes) -> list[Event]:
    """A stream's events."""
    return [message for message in Framer(LAYOUTS).feed(data) if not isinstance(message, Response)]


@cache
def events(name: str) -> tuple[Event, ...]:
    """A capture's events."""
    return tuple(read(stream(name)))


def feed(each: Iterable[Event]) -> list[Fact]:
    """The facts of events in a new tracker."""
    told = tracker()
    return [fact for event in each for fact in told.feed(event)]


@cache
def facts(name: str) -> tuple[Fact, ...]:
    """A capture's facts."""
    return tuple(feed(events(name)))


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(SMALL), st.data())
def test_bytes_cut_anywhere_give_the_same_facts(name: str, data: st.DataObject) -> None:
    """In reads of any sizes, one by one too."""
    whole = stream(name)
    size = data.draw(st.one_of(st.just(1), st.integers(2, 4000)))
    told = list(facts_of((whole[at : at + size] for at in range(0, len(whole), size)), tracker()))
    assert told == list(facts(name))


ALL = pytest.mark.parametrize("name", NAMES)


@dataclass
class Story:
    """What must be right of a call."""

    caller: str | None
    number: str
    agents: list[str]
    outcome: Outcome | None = None


def stories(told: Iterable[Fact]) -> dict[CallKey, Story]:
    """The calls of these facts."""
    found: dict[CallKey, Story] = {}
    for fact in told:
        if isinstance(fact, Arrived):
            found[fact.call] = Story(fact.caller, fact.number, [])
        elif isinstance(fact, Answered) and fact.agent not in found[fact.call].agents:
            found[fact.call].agents.append(fact.agent)
        elif isinstance(fact, Ended):
            found[fact.call].outcome = fact.outcome
    return found


def concerned(told: Iterable[Fact]) -> set[tuple[CallKey, str]]:
    """Whose phones rang or talked in which call."""
    return {(fact.call, fact.agent) for fact in told if isinstance(fact, Rang | Answered)}


def assert_sound(told: Sequence[Fact], name: str) -> None:
    """No call that was not there and no agent who had no part in it; every call begins, and only once."""
    whole = facts(name)
    assert {fact.call for fact in told} <= {fact.call for fact in whole}
    assert concerned(told) <= concerned(whole)
    begun: set[CallKey] = set()
    for fact in told:
        assert isinstance(fact, Arrived) != (fact.call in begun)
        begun.add(fact.call)


@ALL
@settings(max_examples=4, deadline=None)
@given(data=st.data())
def test_no_part_of_a_stream_raises_or_invents_a_call(name: str, data: st.DataObject) -> None:
    """Whoever begins to listen in the middle, of a message too, hears of no call and no agent that was not there."""
    whole = stream(name)
    assert_sound(feed(read(whole[data.draw(st.integers(0, len(whole))) :])), name)


@ALL
@settings(max_examples=5, deadline=None)
@given(data=st.data())
def test_doubling_any_event_changes_nothing(name: str, data: st.DataObject) -> None:
    """DialEnd is sent twice anyhow, and two listeners may share what they hear."""
    each = list(events(name))
    if each:
        at = data.draw(st.integers(0, len(each) - 1))
        each.insert(at, each[at])
    assert feed(each) == list(facts(name))


@ALL
def test_doubling_every_event_changes_nothing(name: str) -> None:
    """All of them at once."""
    assert feed(event for event in events(name) for _ in range(2)) == list(facts(name))


@ALL
@settings(max_examples=3, deadline=None)
@given(data=st.data())
def test_a_late_dial_end_tells_no_other_story(name: str, data: st.DataObject) -> None:
    """A DialEnd, said again up to thirty events later."""
    each = list(events(name))
    ends = [at for at, event in enumerate(each) if isinstance(event, DialOver)]
    if ends:
        at = data.draw(st.sampled_from(ends))
        each.insert(at + data.draw(st.integers(1, 30)), each[at])
    assert stories(feed(each)) == stories(facts(name))


def channels_of(event: Event) -> set[str]:
    """The channels, the pairs and the bridge that an event is about: what is said of one of them stays in order."""
    return {
        value
        for field in event._fields
        if (field.endswith("uniqueid") or field == "bridge") and (value := getattr(event, field))
    }


def late(each: Sequence[Event], delay: Callable[[], float]) -> list[Event]:
    """The events as another PBX might have sent them: each up to a second late, those of one channel in order.

    Asterisk says what happens to a channel, and in a bridge, from one thread at a time and in order; channels and
    bridges do not wait for each other.
    """
    last: dict[str, float] = {}
    when: list[float] = []
    clock = 0.0
    for event in each:
        clock = max(clock, seconds(event.stamp) or clock)
        about = channels_of(event)
        due = max([clock + delay(), *(last[x] for x in about if x in last)])
        last.update(dict.fromkeys(about, due))
        when.append(due)
    return [each[at] for at in sorted(range(len(each)), key=when.__getitem__)]


@ALL
@settings(max_examples=3, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_events_out_of_order_by_a_second_tell_the_same_story(name: str, seed: int) -> None:
    """Same calls, callers, numbers, agents in the same order of talk, outcomes."""
    delays = Random(seed)
    assert stories(feed(late(events(name), delays.random))) == stories(facts(name))


@ALL
@settings(max_examples=6, deadline=None)
@given(data=st.data())
def test_a_field_that_is_missing_invents_nothing(name: str, data: st.DataObject) -> None:
    """In one event; a PBX may leave out any, and a caller may put any in doubt."""
    each = list(events(name))
    if each:
        at = data.draw(st.integers(0, len(each) - 1))
        field = data.draw(st.sampled_from(each[at]._fields))
        each[at] = each[at]._replace(**{field: None})
    assert_sound(feed(each), name)


FIELDS = sorted({field for name in NAMES[:40] for event in events(name) for field in event._fields})


@pytest.mark.parametrize("field", FIELDS)
def test_a_field_that_no_event_has_invents_nothing(field: str) -> None:
    """A PBX that does not know it: no Timestamps, no Linkedids..."""
    for name in NAMES[::3]:
        each = [event._replace(**{field: None}) if field in event._fields else event for event in events(name)]
        assert_sound(feed(each), name)


def own_pairs(event: Event, mark: int) -> Event:
    """The event with Local channels of other names."""
    renamed = {
        field: value.replace("-0", f"-{mark}", 1)
        for field, value in event._asdict().items()
        if isinstance(value, str) and value.startswith("Local/") and ";" in value
    }
    return event._replace(**renamed)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(SMALL), min_size=2, max_size=3, unique=True), st.randoms(use_true_random=False))
def test_streams_that_interleave_do_not_touch_each_other(names: list[str], random: Random) -> None:
    """Calls at the same time, with the same channel names even (they start anew after a restart).

    Local pairs aside: only their names join them, which no PBX gives twice at a time.
    """
    left = {name: [own_pairs(event, at) for event in events(name)] for at, name in enumerate(names)}
    mixed: list[Event] = []
    while any(left.values()):
        name = random.choice([name for name, rest in left.items() if rest])
        mixed.append(left[name].pop(0))
    told = feed(mixed)
    for name in names:
        for call in {fact.call for fact in facts(name)}:
            assert [f for f in told if f.call == call] == [f for f in facts(name) if f.call == call]


@ALL
def test_nothing_but_a_recording_follows_the_end(name: str) -> None:
    """And every call that ends has arrived."""
    ended = set()
    for fact in facts(name):
        assert fact.call not in ended or isinstance(fact, Recorded)
        if isinstance(fact, Ended):
            ended.add(fact.call)


@ALL
@settings(max_examples=3, deadline=None)
@given(data=st.data())
def test_losing_any_event_never_leaves_two_cards_or_one_for_ever(name: str, data: st.DataObject) -> None:
    """Cards of one agent do not overlap, and all are withdrawn when their call ends."""
    each = list(events(name))
    for _ in range(data.draw(st.integers(1, 5))):
        if each:
            each.pop(data.draw(st.integers(0, len(each) - 1)))
    for call in calls_of(feed(each)):
        for pop in call["pops"]:
            assert pop["why"] is not None
            assert call["ended"] is None or pop["withdrawn"] is not None


@ALL
@settings(max_examples=2, deadline=None)
@given(data=st.data())
def test_whoever_is_up_when_the_pbx_dies_is_lost_and_nothing_stays(name: str, data: st.DataObject) -> None:
    """After a restart the PBX knows no channel: every call is over."""
    each = events(name)
    told = tracker()
    seen = [fact for event in each[: data.draw(st.integers(0, len(each)))] for fact in told.feed(event)]
    open_calls = set(told.calls)
    rest = told.resync(Snapshot(()), 1.0)
    assert {f.call for f in rest if isinstance(f, Ended) and f.outcome is Outcome.LOST} == open_calls
    assert not told.calls
    assert open_calls == {f.call for f in seen} - {f.call for f in seen if isinstance(f, Ended)}


# -- a hostile caller in a real stream

HEADERS = re.compile(rb"(\w*(?:CallerIDNum|ConnectedLineNum)): 13812345678(?=\r\n)")
NAMED = re.compile(rb"(\w*(?:CallerIDName|ConnectedLineName)): \xe5\xbc\xa0\xe4\xb8\x89[^\r]*(?=\r\n)")
PIECES = st.sampled_from(
    [
        "\r\n", "\r\n\r\n", "\r\n\r\n", "\r", "\n", "137", "Event: Hangup\r\n", "Event: Hold\r\n",
        "Event: AgentConnect\r\n", "Event: Newchannel\r\n", "Event: DialEnd\r\n", "Privilege: call,all\r\n",
        "Timestamp: 1795290326.000001\r\n",
        "Channel: PJSIP/carrier-00000003\r\n", "Uniqueid: 1795290326.99\r\n", "Linkedid: 1795290326.99\r\n",
        "DestChannel: PJSIP/1009-1\r\n", "DestUniqueid: 1.2\r\n", "Interface: PJSIP/1009\r\n", "Exten: 4008001234\r\n",
        "CallerIDName: x\r\n", "Priority: 1\r\n", "ConnectedLineNum: 1\r\n", "DialStatus: ANSWER\r\n",
        "Queue: sales\r\n",
    ]
)  # fmt: skip
VALUES = st.lists(PIECES, max_size=10).map(lambda pieces: "".join(pieces).encode()[:FIELD])


def same(told: Sequence[Fact], honest: Sequence[Fact], known: Callable[[Arrived], Arrived]) -> bool:
    """Whether the facts are those of the honest call, its caller's words aside."""
    return [known(f) if isinstance(f, Arrived) else f for f in told] == [
        known(f) if isinstance(f, Arrived) else f for f in honest
    ]


@settings(max_examples=300, deadline=None)
@given(VALUES, VALUES, st.sampled_from([1, 1460]))
def test_whatever_a_caller_writes_his_call_is_told_as_it_was(number: bytes, name: bytes, size: int) -> None:
    """Number and name, 79 bytes each, in every event of the caller's channel and of the phones that show them."""
    honest = stream("answered_chinese_name/asterisk22")
    hostile = HEADERS.sub(lambda m: m[1] + b": " + number, NAMED.sub(lambda m: m[1] + b": " + name, honest))
    reads = (hostile[at : at + size] for at in range(0, len(hostile), size))
    told = list(facts_of(reads, tracker()))

    def nobody(fact: Arrived) -> Arrived:
        return Arrived(
            call=fact.call, at=fact.at, caller=None, caller_name=None, number=fact.number, dialled=fact.dialled
        )

    assert same(told, facts("answered_chinese_name/asterisk22"), nobody)
