"""The link is cut at any event and comes back at any later one: the calls are told as if it had not been.

What a PBX lists after the reconnect is made from the whole stream: which channels live by then, in which state and
bridge, who waits in which queue. What happened in between was told to nobody.
"""

import gzip
import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from hotline.replay import calls_of
from telephony.call import Answered, Arrived, Ended, Fact
from telephony.events import Event, LiveChannel, PickedUp, Snapshot, Waiting
from telephony.framing import Framer, Response
from telephony.lines import Lines
from telephony.reading import LAYOUTS
from telephony.tracker import Tracker

LINES = {"4007002505": ("01062802505",), "4008001234": ()}
CAPTURES = Path(__file__).parent.parent / "captures"
NAMES = sorted(
    str(path.relative_to(CAPTURES)).removesuffix(".ami.gz")
    for path in CAPTURES.rglob("*.ami.gz")
    if not path.parent.name.startswith(("forged", "odd_caller"))  # whose lines are not the PBX's
)
SMALL = [name for name in NAMES if not name.startswith("thirty_calls")]


def tracker() -> Tracker:
    """Of the captured company."""
    return Tracker("pbx", Lines(LINES), ("PJSIP/carrier",), {"PJSIP/1001b": "1001"}, voicemail_event="CC400Voicemail")


@dataclass
class Channel:
    """A channel as the PBX knows it."""

    name: str
    linkedid: str
    dialled: str
    state: str = "0"
    caller: str = ""
    bridge: str = ""


@dataclass
class Pbx:
    """What a PBX knows of its channels, from all it says."""

    channels: dict[str, Channel] = field(default_factory=dict)
    queued: dict[str, tuple[str, str]] = field(default_factory=dict)

    def take(self, said: dict[str, str]) -> None:
        """One event."""
        kind, uid = said.get("Event", ""), said.get("Uniqueid", "")
        if kind == "Newchannel":
            self.channels[uid] = Channel(said["Channel"], said["Linkedid"], said["Exten"])
        for prefix in ("", "Dest"):
            channel = self.channels.get(said.get(f"{prefix}Uniqueid", ""))
            if channel is not None and f"{prefix}ChannelState" in said:
                channel.state = said[f"{prefix}ChannelState"]
                channel.caller = said[f"{prefix}CallerIDNum"]
                channel.linkedid = said[f"{prefix}Linkedid"]
        channel = self.channels.get(uid)
        if kind == "Hangup":
            self.channels.pop(uid, None)
            self.queued.pop(uid, None)
        elif kind == "Rename" and channel is not None:
            channel.name = said["Newname"]
        elif kind == "BridgeEnter" and channel is not None:
            channel.bridge = said["BridgeUniqueid"]
        elif kind == "BridgeLeave" and channel is not None:
            channel.bridge = ""
        elif kind == "QueueCallerJoin":
            self.queued[uid] = (said["Queue"], said["Channel"])
        elif kind == "QueueCallerLeave":
            self.queued.pop(uid, None)

    def heard(self, caller: str) -> set[str]:
        """The extensions of the phones whom a channel hears, Local pairs in between or not."""
        found: set[str] = set()
        todo, seen = [self.channels[caller].bridge], {""}
        while todo:
            bridge = todo.pop()
            if bridge in seen:
                continue
            seen.add(bridge)
            for channel in [c for c in self.channels.values() if c.bridge == bridge]:
                technology, _, rest = channel.name.partition("/")
                pair = channel.name.partition(";")[0]
                if technology == "Local":
                    todo += [c.bridge for c in self.channels.values() if c.name.startswith(f"{pair};")]
                else:
                    found.add(rest.partition("-")[0].removesuffix("b"))
        return found

    def snapshot(self) -> Snapshot:
        """The answers to CoreShowChannels, Status and QueueStatus."""
        rows = [
            LiveChannel(None, c.name, c.state, c.caller, "<unknown>", "s", uid, c.linkedid, dnid, c.bridge)
            for uid, c in self.channels.items()
            for dnid in (None, c.dialled)
        ]
        waiting = [Waiting(None, queue, name, uid, "1") for uid, (queue, name) in self.queued.items()]
        return Snapshot(tuple(rows), tuple(waiting))


@cache
def said(name: str) -> tuple[tuple[Event | None, dict[str, str]], ...]:
    """Every event of a capture: as we read it, and as the PBX wrote it."""
    framer, told = Framer(LAYOUTS), []
    data = gzip.decompress((CAPTURES / f"{name}.ami.gz").read_bytes())
    for block in re.split(b"(?<=\r\n\r\n)", data):
        lines = block.decode("utf-8", "replace").split("\r\n")
        headers = {key: value for key, _, value in (line.partition(": ") for line in lines) if key}
        read = [message for message in framer.feed(block) if not isinstance(message, Response)]
        told.append((read[0] if read else None, headers))
    return tuple(told)


@cache
def facts(name: str) -> tuple[Fact, ...]:
    """A capture's facts without a cut."""
    told = tracker()
    return tuple(fact for event, _ in said(name) if event is not None for fact in told.feed(event))


@dataclass
class Cut:
    """What came of a link that was down for a while."""

    out: list[Fact] = field(default_factory=list)
    gap: list[Fact] = field(default_factory=list)  # what happened meanwhile
    unsure: set[str] = field(default_factory=set)  # calls that nothing had confirmed when it began
    joined: set[str] = field(default_factory=set)  # callers who went on under another caller's Linkedid
    renamed: set[str] = field(default_factory=set)  # callers who bore one of our numbers by then
    members: set[str] = field(default_factory=set)  # whose calls went to other phones meanwhile: the queue names them
    heard: set[tuple[str, str]] = field(default_factory=set)  # calls and the agents whom they heard at its end
    left: Tracker = field(default_factory=tracker)

    @property
    def unseen(self) -> set[tuple[str, str]]:
        """Who talked in the gap only: the call records can tell, nothing else."""
        talked = {(fact.call.linkedid, fact.agent) for fact in self.gap if isinstance(fact, Answered)}
        return talked - self.heard


def cut(name: str, begin: int, end: int) -> Cut:
    """The facts when the link was down from one event to another."""
    pbx, honest, made = Pbx(), tracker(), Cut()
    for at, (event, headers) in enumerate((*said(name), (None, {}))):
        if at == begin:
            made.unsure = {key.linkedid for key, call in honest.calls.items() if not call.confirmed}
        if at == end:
            made.out += made.left.resync(pbx.snapshot(), 1.0)
            made.joined = {uid for uid, c in pbx.channels.items() if c.linkedid != uid}
            made.renamed = {uid for uid, c in pbx.channels.items() if c.caller in LINES}
            made.heard = {(call, agent) for call in pbx.channels for agent in pbx.heard(call)}
        pbx.take(headers)
        if begin <= at < end and (headers.get("Forward") or isinstance(event, PickedUp)):
            channel = headers.get("TargetChannel", headers.get("DestChannel", ""))
            made.members.add(channel.partition("/")[2].partition("-")[0])
        if event is not None and begin <= at < end:
            made.gap += honest.feed(event)
        elif event is not None:
            honest.feed(event)
            made.out += made.left.feed(event)
    return made


def judge(name: str, begin: int, end: int) -> None:
    """Hold what was told over a cut against what was told without."""
    made = cut(name, begin, end)
    honest = {call["call"]: call for call in calls_of(facts(name))}
    told = list(calls_of(made.out))
    assert len(told) == len({call["call"] for call in told}), "told twice"
    over = {fact.call.linkedid for fact in made.gap if isinstance(fact, Ended)}
    began = {fact.call.linkedid for fact in made.gap if isinstance(fact, Arrived)}
    missing = honest.keys() - {call["call"] for call in told}
    assert missing <= (over & (began | made.unsure)) | made.joined, "only what nobody could see is missing"
    for call in told:
        true = honest[call["call"]]  # no ghost
        assert call["number"] == true["number"]
        assert call["caller"] == true["caller"] or (call["call"] in made.renamed and call["caller"] is None)
        assert all(pop["why"] is not None for pop in call["pops"]), "a card stays"
        assert {pop["agent"] for pop in call["pops"]} <= {pop["agent"] for pop in true["pops"]}, "somebody else's card"
        if call["outcome"] != "lost":
            assert call["outcome"] == true["outcome"]
        if call["call"] in over:
            assert call["outcome"] == "lost"
            assert call["agents"] == true["agents"][: len(call["agents"])]
        else:
            missed = {agent for key, agent in made.unseen if key == call["call"]} | made.members
            assert [x for x in call["agents"] if x not in missed] == [x for x in true["agents"] if x not in missed]
            assert call["outcome"] == true["outcome"] or not call["agents"]
    still = {fact.call for fact in facts(name)} - {fact.call for fact in facts(name) if isinstance(fact, Ended)}
    assert set(made.left.calls) <= still, "a call stays"


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(SMALL), st.data())
def test_a_cut_anywhere_changes_nothing_that_could_be_known(name: str, data: st.DataObject) -> None:
    """Caller, number, agents and outcome, or lost, which call records complete; no ghost, no double."""
    begin = data.draw(st.integers(0, len(said(name)) - 1), "begin")
    length = data.draw(st.one_of(st.integers(0, 5), st.integers(0, len(said(name)))), "length")
    judge(name, begin, min(begin + length, len(said(name))))
