"""One test call as it is told, step by step, and what of it was missing. Pure: events and facts in, words out."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import singledispatch

from hotline.doctor.catalogue import Code
from hotline.doctor.finding import Report
from hotline.settings import Settings
from hotline.telephony_settings import Pbx
from telephony import call as facts_of
from telephony import events as ev
from telephony.call import CallKey, Fact, Over
from telephony.events import Event
from telephony.lines import Lines
from telephony.phones import Phones

_AGENT = (ev.Joined, ev.LeftQueue, ev.MemberCalled, ev.MemberAnswered, ev.MemberSilent, ev.MemberDone)
_LATE = 2.0  # seconds between the PBX's word and ours
_MOST_SEEN = 10_000  # channels whose birth is remembered

_OVER: Mapping[Over, str] = {
    Over.ANSWERED_ELSEWHERE: "a colleague answered",
    Over.GAVE_UP: "the caller gave up",
    Over.NO_ANSWER: "nobody answered it",
    Over.REJECTED: "it was rejected",
    Over.TRANSFERRED: "transferred",
    Over.ENDED: "the talk is over",
    Over.LOST: "the PBX knows it no more",
}


@dataclass(frozen=True, slots=True)
class Step:
    """Something that was seen: seconds since the call arrived (None: not of the call, or no time told), in words."""

    after: float | None
    text: str
    lag: float | None = None  # seconds from the PBX's word to our reading it


@dataclass(frozen=True, slots=True)
class Expected:
    """What the dialplan says should be seen of the line; None where it is not known."""

    queue: bool | None = None
    user_events: bool | None = None


class Watch:
    """Follows the first call of ours that arrives after the start."""

    def __init__(self, settings: Settings, pbx: Pbx) -> None:
        self._pbx = pbx
        self._lines = Lines({line.number: line.aliases for line in settings.line})
        agents = {interface: agent.extension for agent in settings.agent for interface in agent.interfaces}
        self._phones = Phones(pbx.trunks, agents)
        self.arrived: facts_of.Arrived | None = None
        self.ended: facts_of.Ended | None = None
        self.facts: list[Fact] = []
        self._live: set[str | None] = set()
        self._born: dict[str | None, None] = {}
        self._unborn: set[str] = set()
        self._told: list[ev.Told] = []
        self._members: set[str] = set()
        self._agent_events = self._bridges = 0
        self._lag = 0.0
        self._elsewhere: dict[str, str] = {}
        self._unstamped = False

    @property
    def call(self) -> CallKey | None:
        """The call that is followed."""
        return None if self.arrived is None else self.arrived.call

    def present(self, snapshot: ev.Snapshot) -> list[Step]:
        """Calls that were there before are not followed."""
        self._live |= {row.linkedid for row in snapshot.channels}
        live = len(self._live)
        return [Step(None, f"{live} call{'s' * (live != 1)} that were there already are not followed")] if live else []

    def see(self, event: Event, facts: Sequence[Fact], now: float) -> list[Step]:
        """What this event tells; ``facts`` are what the tracker made of it."""
        steps = list(self._aside(event))
        for fact in facts:
            if isinstance(fact, facts_of.Arrived) and self.arrived is None and fact.call.linkedid not in self._live:
                self.arrived = fact
            if fact.call != self.call:
                continue
            self.facts.append(fact)
            if isinstance(fact, facts_of.Ended):
                self.ended = fact
            lag = None if fact.at is None else now - fact.at
            if lag is not None and abs(lag) > abs(self._lag):
                self._lag = lag
            self._unstamped |= fact.at is None
            began = self.arrived.at if self.arrived is not None else None
            after = None if began is None or fact.at is None else fact.at - began
            steps.append(Step(after, tell(fact), lag))
        return steps

    def _aside(self, event: Event) -> Iterator[Step]:
        """What is no fact of the call and says why there is none, or counts for the end."""
        linkedid = getattr(event, "linkedid", None)
        ours = self.call is not None and linkedid == self.call.linkedid
        if isinstance(event, ev.NewChannel):
            if len(self._born) < _MOST_SEEN:
                self._born[event.linkedid] = None
            if event.uniqueid == event.linkedid and self.arrived is None:
                yield from self._stranger(event)
        elif self.arrived is None and isinstance(event, (*_AGENT, ev.Told)) and self._from_nowhere(linkedid):
            yield Step(None, f"a call {linkedid} is spoken of whose beginning was not sent")
        if isinstance(event, ev.Told) and ours:
            self._told.append(event)
            yield Step(
                None, f"the dialplan's event {event.name}: {', '.join(f'{k}={v}' for k, v in event.body().items())}"
            )
        if isinstance(event, ev.MemberCalled) and ours and event.interface:
            self._members.add(event.interface)
        self._agent_events += ours and isinstance(event, _AGENT)
        self._bridges += ours and isinstance(event, ev.Entered)

    def _from_nowhere(self, linkedid: str | None) -> bool:
        """Whether a call is spoken of for the first time, and nobody told that it began."""
        if not linkedid or linkedid in self._born or linkedid in self._live or linkedid in self._unborn:
            return False
        self._unborn.add(linkedid)
        return True

    def _stranger(self, event: ev.NewChannel) -> Iterator[Step]:
        number = self._lines.number(event.exten)
        if self._phones.is_trunk(event.channel) and number is None:
            self._elsewhere["number"] = event.exten or "nothing"
            yield Step(None, f"a call came on the trunk for {event.exten}, which is none of our numbers")
        elif number is not None and not self._phones.is_trunk(event.channel):
            name = (event.channel or "").rpartition("-")[0]
            self._elsewhere["trunk"] = name
            yield Step(None, f"a call for {number} came on {name}, which is none of trunks")

    def judge(self, expected: Expected, report: Report) -> None:
        """What was missing, once the call is over or the waiting is."""
        subject, user = f"PBX {self._pbx.name}", f"PBX {self._pbx.name}, user {self._pbx.user}"
        if self.arrived is None:
            self._nothing(subject, user, report)
            return
        if self._unstamped:
            report.tell(Code.NO_TIMESTAMPS, subject, "the call's events have no Timestamp")
        if abs(self._lag) > _LATE:
            report.tell(Code.CLOCK, subject, f"events came up to {self._lag:.1f} s after their own time")
        rang = any(isinstance(fact, facts_of.Rang | facts_of.Answered) for fact in self.facts)
        if expected.queue and rang and not self._agent_events:
            report.tell(Code.CLASS_MISSING, user, "the call was led to a queue, and no queue event came: class agent")
        if expected.user_events and not self._told:
            report.tell(Code.CLASS_MISSING, user, "the dialplan sends UserEvents, and none came: class user")
        if any(isinstance(fact, facts_of.Answered) for fact in self.facts) and not self._bridges:
            report.tell(Code.FILTER_NARROW, user, "the call was answered, and no BridgeEnter came")
        for interface in sorted(self._members):
            if self._phones.member(interface) is None:
                what = f"the queue called {interface}, which is nobody's phone here"
                report.tell(Code.MEMBER_UNKNOWN, f"member {interface}", what, f'interfaces = ["{interface}"]')
        self._events(subject, report)
        if self.ended is None:
            how = "let it end while watching, or look whether the event filter drops Hangup"
            report.unknown(subject, "the call's end: none was told while we watched", how)

    def _nothing(self, subject: str, user: str, report: Report) -> None:
        if self._unborn:
            report.tell(Code.CLASS_MISSING, user, "a call was spoken of, and its Newchannel never came: class call")
        elif "trunk" in self._elsewhere:
            trunk = self._elsewhere["trunk"]
            report.tell(
                Code.TRUNK_UNKNOWN, subject, f"a call for one of our numbers came on {trunk}", f'trunks = ["{trunk}"]'
            )
        elif "number" in self._elsewhere:
            number = self._elsewhere["number"]
            what = f"a call came on the trunk for {number}, which is none of our numbers"
            report.tell(Code.ALIAS_MISSING, subject, what)
        else:
            how = "call one of your numbers from outside while this runs; does the carrier's call reach this PBX?"
            report.unknown(subject, "the test call: nothing came", how)

    def _events(self, subject: str, report: Report) -> None:
        """The dialplan's own events under names that are not configured."""
        known = {self._pbx.recording_event, self._pbx.voicemail_event}
        with_files = {told.name for told in self._told if told.name and "File" in told.body()}
        recorded = any(isinstance(fact, facts_of.Recorded) and fact.files for fact in self.facts)
        others = sorted(name for name in with_files - known if name)
        if others and self._pbx.recording_event and not recorded:
            what = f"recording_event is {self._pbx.recording_event}, and the dialplan sent {', '.join(others)}"
            report.tell(Code.RECORDING_EVENT, subject, what)
        elif others:
            what = f"the dialplan sent {', '.join(others)} with a File, and no setting names it"
            report.tell(Code.VOICEMAIL_UNTOLD, subject, what)


@singledispatch
def tell(fact: Fact) -> str:
    """A fact in words."""
    return type(fact).__name__.lower()


@tell.register
def _(fact: facts_of.Arrived) -> str:
    sent = "" if fact.dialled == fact.number else f" (the carrier sent {fact.dialled})"
    return f"{fact.caller or 'a withheld number'} calls {fact.number}{sent}"


@tell.register
def _(_fact: facts_of.Confirmed) -> str:
    return "it is a real call: a ticket would be made"


@tell.register
def _(fact: facts_of.Queued) -> str:
    return f"it waits in the queue {fact.queue}"


@tell.register
def _(fact: facts_of.Rang) -> str:
    return f"{fact.agent}'s phone rings: the card would open"


@tell.register
def _(fact: facts_of.Stopped) -> str:
    return f"{fact.agent}'s phone stops: {_OVER[fact.why]}"


@tell.register
def _(fact: facts_of.Answered) -> str:
    return f"{fact.agent} talks"


@tell.register
def _(fact: facts_of.Left) -> str:
    return f"{fact.agent} has finished: {_OVER[fact.why]}"


@tell.register
def _(fact: facts_of.Held) -> str:
    return f"{fact.agent} puts the caller on hold"


@tell.register
def _(fact: facts_of.Resumed) -> str:
    return f"{fact.agent} takes the caller back"


@tell.register
def _(fact: facts_of.Recorded) -> str:
    return "the recording has ended" if fact.stopped else f"it is recorded to {', '.join(fact.files)}"


@tell.register
def _(fact: facts_of.LeftMessage) -> str:
    return f"a message was left: {fact.file or 'its file was not told'}"


@tell.register
def _(fact: facts_of.Ended) -> str:
    return f"the call has ended: {fact.outcome}"
