"""What must hold of the facts whatever a stream does, tried on the captured ones."""

import gzip
import re
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from hotline.replay import calls_of, facts_of
from telephony.call import Arrived, Ended, Fact, Outcome, Recorded
from telephony.events import Event, Snapshot
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


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(NAMES), st.data())
def test_no_part_of_a_stream_raises_or_invents_a_call(name: str, data: st.DataObject) -> None:
    """Whoever begins to listen in the middle, of a message too, hears of no call that was not there."""
    whole = stream(name)
    start = data.draw(st.integers(0, len(whole)))
    calls = {fact.call for fact in facts(name)}
    told = feed(read(whole[start:]))
    assert {fact.call for fact in told} <= calls
    begun: set[object] = set()
    for fact in told:
        assert isinstance(fact, Arrived) != (fact.call in begun)
        begun.add(fact.call)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(NAMES), st.data())
def test_doubling_any_event_changes_nothing(name: str, data: st.DataObject) -> None:
    """DialEnd is sent twice anyhow, and two listeners may share what they hear."""
    each = list(events(name))
    if each:
        at = data.draw(st.integers(0, len(each) - 1))
        each.insert(at, each[at])
    assert feed(each) == list(facts(name))


@settings(deadline=None)
@given(st.sampled_from(NAMES))
def test_doubling_every_event_changes_nothing(name: str) -> None:
    """All of them at once."""
    assert feed(event for event in events(name) for _ in range(2)) == list(facts(name))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(SMALL), min_size=2, max_size=3, unique=True), st.randoms(use_true_random=False))
def test_streams_that_interleave_do_not_touch_each_other(names: list[str], random: object) -> None:
    """Calls at the same time, with the same channel names even (they start anew after a restart)."""
    left = {name: list(events(name)) for name in names}
    mixed: list[Event] = []
    while any(left.values()):
        name = random.choice([name for name, rest in left.items() if rest])  # type: ignore[attr-defined]
        mixed.append(left[name].pop(0))
    told = feed(mixed)
    for name in names:
        for call in {fact.call for fact in facts(name)}:
            assert [f for f in told if f.call == call] == [f for f in facts(name) if f.call == call]


@settings(deadline=None)
@given(st.sampled_from(NAMES))
def test_nothing_but_a_recording_follows_the_end(name: str) -> None:
    """And every call that ends has arrived."""
    ended = set()
    for fact in facts(name):
        assert fact.call not in ended or isinstance(fact, Recorded)
        if isinstance(fact, Ended):
            ended.add(fact.call)


@settings(deadline=None)
@given(st.sampled_from(NAMES), st.data())
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


@settings(deadline=None)
@given(st.sampled_from(NAMES), st.data())
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
