"""What Asterisk's events mean for our calls. Pure: ``feed(event, now)`` gives facts, ``now`` is an argument.

How Asterisk works, as far as it matters here (each seen on Asterisk 22.10 and 16.28 unless said otherwise):

*What joins the channels of a call.* Everything is a channel. The caller's comes from the carrier's endpoint with
``Uniqueid == Linkedid``; every channel made for it (agents' phones, Local pairs of queue members, targets of blind
transfers) carries that ``Linkedid``, so the Linkedid is the call. Channel names start anew after a restart and cannot
be. What was dialled stands only in the first event: ``Exten`` follows the dialplan from then on. A colleague consulted
from a phone's second line (REFER with Replaces) rings in a call of its own, which is none of ours, and gets the
caller's Linkedid only with the ``BridgeEnter`` that completes the transfer; no event says that a Linkedid changed. So
bridges are followed for every channel, ours or not (:mod:`telephony.bridges`).

*Who answered.* ``AgentConnect`` says it for a queue: it names the member behind whatever channel was called (a Local
pair, a phone), and comes before the ``BridgeEnter`` of either end. ``DialEnd ANSWER`` does not say it: behind a Local
pair it comes for the inner and the outer leg, for a consulted colleague too, and again late. Outside queues (after a
blind transfer there are no agent events) the agent talks when bridges and Local pairs lead from the agent's phone to
the caller; a DTMF consultation shares the caller's Linkedid from its start and still is none.

*Who stopped.* A ring is over by ``DialEnd``, by ``AgentRingNoAnswer``, by the phone's ``Hangup``, in any order and
doubled; a rejecting phone's ``DialEnd`` says NOANSWER as well, and only what follows at once (RingTime 0, cause 17 or
21) tells. Ring-all's losers get CANCEL after the winner's ANSWER. ``QueueCallerAbandon`` also comes when the queue's
time is over and the caller goes on to voicemail, so it is not read: a call is abandoned when the caller's channel hangs
up and nobody talked and no message was left. ``AgentComplete`` comes at a transfer, when the call goes on, and may lack
every channel (``core restart now``). The call ends with the ``Hangup`` of the caller's channel and with nothing else;
agents' hang-ups come before or after it.

*Whom to believe.* A caller can forge events (:mod:`telephony.layouts`). A new call is told at once, so that a card need
not wait, and is confirmed by a second event of another kind with the same Channel, Uniqueid and Linkedid. What names a
caller's Uniqueid under another channel's name is refused and counted. Unconfirmed calls expire.

Transitions, for a call C, an agent A and A's leg L (its channel):

=========================  ===========================================  ==========================================
event                      when                                         fact
=========================  ===========================================  ==========================================
Newchannel                 trunk, Uniqueid == Linkedid, Exten ours      Arrived
any other on C's channel   C not confirmed                              Confirmed
QueueCallerJoin            another queue than the last                  Queued
AgentCalled, DialBegin     L new, A neither rings nor talks             Rang
DialEnd ANSWER             -                                            none: L is up, the others are losing
DialEnd CANCEL             L rings, somebody answered / else            Stopped answered_elsewhere / gave_up
DialEnd BUSY, CONGESTION   L rings                                      Stopped rejected
DialEnd, any other         L rings                                      none yet: the next line, or L's Hangup, tells
AgentRingNoAnswer          A rings                                      Stopped rejected (RingTime 0) / no_answer
Hangup of L                L rings                                      Stopped by its cause
Hangup of L                A talks, on no other leg                     Left ended
AgentConnect               A does not talk yet                          Answered
BridgeEnter                C's channel and A's phone hear each other    Answered
Hold, Unhold on L          A talks, and it is a change                  Held, Resumed
AgentComplete              A talks                                      Left transferred (Reason transfer) / ended
Blind-, AttendedTransfer   by A, successful                             Left transferred
Pickup                     L rings                                      Stopped answered_elsewhere; L is the picker's
UserEvent recording        its files are new                            Recorded
MixMonitorStop             first since the last files                   Recorded stopped
UserEvent voicemail        its file is new                              LeftMessage
Hangup of C's channel      -                                            Stopped, Left of all, Ended
not in a snapshot          -                                            Stopped, Left, Ended: lost
=========================  ===========================================  ==========================================

A fact that would repeat the last one is not told, so doubled events change nothing; a call that ended is forgotten, so
nothing follows Ended. What is not known to belong to a call of ours makes nothing: no suffix of a stream invents a call.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from telephony import events as ev
from telephony.bridges import Bridges, Member
from telephony.call import Arrived, CallKey, Ended, Fact, Outcome, Over
from telephony.legs import OpenCall, Phase
from telephony.lines import Lines
from telephony.phones import Phones, is_local
from telephony.resync import merge

_NUMBER = re.compile(r"\+?[0-9*#]{1,20}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_UNCONFIRMED = 60.0  # seconds until a call that nothing confirmed is given up
_CAUSES = {"17": Over.REJECTED, "21": Over.REJECTED, "26": Over.ANSWERED_ELSEWHERE}
_STATUSES = {"BUSY": Over.REJECTED, "CONGESTION": Over.REJECTED}
_DOWN = "0"  # ChannelState


@dataclass(slots=True)
class Tallies:
    """What the tracker refused, for the operator's page."""

    events: int = 0
    mismatched: int = 0  # an event that named a caller's Uniqueid under another channel's name
    unconfirmed: int = 0  # calls that nothing confirmed


class Tracker:
    """The live calls of one PBX.

    ``trunks`` are the carriers' endpoints ("PJSIP/carrier"), ``agents`` maps interfaces to extensions where the names do
    not tell, ``voicemail_event`` and ``recording_event`` are names of the dialplan's own UserEvents (None: none).
    """

    def __init__(
        self,
        pbx: str,
        lines: Lines,
        trunks: Sequence[str],
        agents: Mapping[str, str] | None = None,
        voicemail_event: str | None = None,
        tallies: Tallies | None = None,
        recording_event: str | None = "CC400Recording",
    ) -> None:
        self.pbx = pbx
        self.tallies = Tallies() if tallies is None else tallies
        self.lines = lines
        self.phones = Phones(trunks, agents or {})
        self._voicemail = voicemail_event
        self._recording = recording_event
        self.open_calls: dict[str, OpenCall] = {}  # by the Uniqueid of the caller's channel, which is the Linkedid
        self.legs: dict[str, OpenCall] = {}  # by the Uniqueid of a leg
        self.bridges = Bridges()
        self.pending: dict[str, OpenCall] = {}
        self._handlers: dict[type, Callable[[Any, list[Fact]], None]] = {
            ev.NewChannel: self._new,
            ev.Seen: self._seen,
            ev.Renamed: self._renamed,
            ev.HangUp: self._hang_up,
            ev.Held: self._held,
            ev.Unheld: self._unheld,
            ev.RecordingStopped: self._recording_stopped,
            ev.Joined: self._joined,
            ev.LeftQueue: self._left_queue,
            ev.Dialled: self._dialled,
            ev.DialOver: self._dial_over,
            ev.MemberCalled: self._member_called,
            ev.MemberSilent: self._member_silent,
            ev.MemberAnswered: self._member_answered,
            ev.MemberDone: self._member_done,
            ev.Entered: self._entered,
            ev.Departed: self._departed,
            ev.BlindTransfer: self._transferred,
            ev.AttendedTransfer: self._transferred,
            ev.PickedUp: self._picked_up,
            ev.VariableSet: self._variable,
            ev.Told: self._told,
        }

    @property
    def calls(self) -> Mapping[CallKey, OpenCall]:
        """The calls that are live, confirmed or not."""
        return {call.key: call for call in self.open_calls.values()}

    def feed(self, event: ev.Event, now: float | None = None) -> list[Fact]:
        """The facts of one event. ``now`` (epoch seconds, our clock) only lets unconfirmed calls expire."""
        self.tallies.events += 1
        out: list[Fact] = []
        if self.pending:
            self._expire(ev.at(event) if now is None else now, out)
        handler = self._handlers.get(type(event))
        if handler is not None:
            handler(event, out)
            if now is not None and type(event) is ev.NewChannel and out and isinstance(out[-1], Arrived):
                self.open_calls[out[-1].call.linkedid].since = now
        return out

    def resync(self, snapshot: ev.Snapshot, now: float | None = None) -> list[Fact]:
        """What must have happened while nobody listened, from what the PBX says is there now."""
        out: list[Fact] = []
        merge(self, snapshot, now, out)
        return out

    # -- which call

    def _of_caller(self, uid: str | None, channel: str | None, stamp: str | None, out: list[Fact]) -> OpenCall | None:
        """The call whose caller's channel this is; it is confirmed by this."""
        call = self.open_calls.get(uid) if uid is not None else None
        if call is None:
            return None
        if channel != call.channel:
            self.tallies.mismatched += 1
            return None
        if not call.confirmed:
            call.confirm(_time(stamp), out)
            self.pending.pop(call.uniqueid, None)
        return call

    def _call(self, event: Any, out: list[Fact]) -> OpenCall | None:
        """The call an event with a channel belongs to: as its caller's, or by Linkedid."""
        if event.uniqueid in self.open_calls:
            return self._of_caller(event.uniqueid, event.channel, event.stamp, out)
        return self.open_calls.get(event.linkedid) or self.legs.get(event.uniqueid)

    def _dial_call(self, event: Any, out: list[Fact]) -> OpenCall | None:
        """The call for which ``dest`` is called: by the caller's own channel, or by Linkedid."""
        return self._call(event, out) or self.open_calls.get(event.dest_linkedid) or self.legs.get(event.dest_uniqueid)

    # -- the caller

    def _new(self, event: ev.NewChannel, out: list[Fact]) -> None:
        uid, name = event.uniqueid, event.channel
        if not uid or uid != event.linkedid or name is None or uid in self.open_calls or not self.phones.is_trunk(name):
            return
        number = self.lines.number(event.exten)
        if number is None or event.exten is None or event.state == _DOWN:
            return  # Down: a channel we made to call out
        self.arrive(event, number, event.exten, _time(event.stamp), out)

    def arrive(
        self, event: ev.NewChannel | ev.LiveChannel, number: str, dialled: str, at: float | None, out: list[Fact]
    ) -> OpenCall:
        uid, name = event.uniqueid or "", event.channel or ""
        caller = event.caller if event.caller is not None and _NUMBER.fullmatch(event.caller) else None
        fact = Arrived(
            call=CallKey(self.pbx, uid),
            at=at,
            caller=caller,
            caller_name=_name(event.caller_name),
            number=number,
            dialled=dialled,
        )
        call = self.open_calls[uid] = self.pending[uid] = OpenCall(fact, uid, name, at)
        out.append(fact)
        return call

    def _seen(self, event: ev.Seen, out: list[Fact]) -> None:
        if self.pending:
            self._of_caller(event.uniqueid, event.channel, event.stamp, out)

    def _renamed(self, event: ev.Renamed, out: list[Fact]) -> None:
        call = self._of_caller(event.uniqueid, event.channel, event.stamp, out)
        if call is not None and event.new is not None:
            call.channel = event.new

    def _hang_up(self, event: ev.HangUp, out: list[Fact]) -> None:
        uid = event.uniqueid
        if uid is None:
            return
        if uid in self.open_calls:
            call = self._of_caller(uid, event.channel, event.stamp, out)
            if call is None:
                return
            self.end(call, _time(event.stamp), out)
        else:
            owner = self.legs.get(uid)
            if owner is not None:
                why = _CAUSES.get(event.cause or "") or (Over.NO_ANSWER if owner.legs[uid].silent else Over.GAVE_UP)
                owner.hang_up(uid, why, _time(event.stamp), out)
        self.bridges.leave(uid)

    def end(self, call: OpenCall, at: float | None, out: list[Fact], *, lost: bool = False) -> None:
        call.end(at, out, lost=lost)
        del self.open_calls[call.uniqueid]
        self.pending.pop(call.uniqueid, None)
        for uid in call.legs:
            if self.legs.get(uid) is call:
                del self.legs[uid]

    def _expire(self, now: float | None, out: list[Fact]) -> None:
        for uid, call in list(self.pending.items()):
            if now is None or call.since is None or now - call.since < _UNCONFIRMED:
                return
            self.tallies.unconfirmed += 1
            del self.pending[uid], self.open_calls[uid]
            out.append(Ended(call=call.key, at=None, outcome=Outcome.LOST))

    # -- queues and phones

    def _joined(self, event: ev.Joined, out: list[Fact]) -> None:
        call = self._call(event, out)
        if call is not None and event.queue:
            call.join(event.queue, _time(event.stamp), out)

    def _left_queue(self, event: ev.LeftQueue, out: list[Fact]) -> None:
        call = self._call(event, out)
        if call is not None:
            call.queue = None

    def _ring(self, event: ev.Dialled | ev.MemberCalled, agent: str | None, queue: str | None, out: list[Fact]) -> None:
        call = self._dial_call(event, out)
        uid = event.dest_uniqueid
        if call is None or agent is None or not uid or uid in self.open_calls:
            return
        local = event.dest_channel is not None and is_local(event.dest_channel)
        call.ring(uid, agent, queue, _time(event.stamp), out, local=local)
        self.legs[uid] = call

    def _member_called(self, event: ev.MemberCalled, out: list[Fact]) -> None:
        self._ring(event, self.phones.member(event.interface), event.queue, out)

    def _dialled(self, event: ev.Dialled, out: list[Fact]) -> None:
        self._ring(event, self.phones.agent(event.dest_channel), None, out)

    def _dial_over(self, event: ev.DialOver, out: list[Fact]) -> None:
        call = self._dial_call(event, out)
        uid = event.dest_uniqueid
        if call is None or uid is None:
            return
        if event.status == "ANSWER":
            call.pick_up(uid)
        elif event.status == "CANCEL":
            why = Over.ANSWERED_ELSEWHERE if call.answering else Over.GAVE_UP
            call.silence(uid, why, _time(event.stamp), out)
        else:
            call.silence(uid, _STATUSES.get(event.status or ""), _time(event.stamp), out)

    def _member(self, call: OpenCall, event: Any) -> str | None:
        """The agent of a queue's event: who picked the leg up, else the member, else the phone."""
        leg = call.legs.get(event.dest_uniqueid)
        if leg is not None:
            return leg.agent
        return self.phones.member(event.interface) or self.phones.agent(event.dest_channel)

    def _member_silent(self, event: ev.MemberSilent, out: list[Fact]) -> None:
        call = self._dial_call(event, out)
        agent = None if call is None else self._member(call, event)
        if call is not None and agent is not None:
            why = Over.REJECTED if event.ring_ms == "0" else Over.NO_ANSWER
            call.refuse(agent, why, _time(event.stamp), out)

    def _member_answered(self, event: ev.MemberAnswered, out: list[Fact]) -> None:
        call = self._dial_call(event, out)
        if call is None:
            return
        call.answered = True
        agent, uid = self._member(call, event), event.dest_uniqueid
        if agent is not None and uid:
            local = event.dest_channel is not None and is_local(event.dest_channel)
            call.talk(uid, agent, event.queue, _time(event.stamp), out, local=local)
            self.legs[uid] = call

    def _member_done(self, event: ev.MemberDone, out: list[Fact]) -> None:
        call = self._dial_call(event, out)
        agent = None if call is None else self._member(call, event)
        if call is not None and agent is not None:
            why = Over.TRANSFERRED if event.reason == "transfer" else Over.ENDED
            call.leave(agent, why, _time(event.stamp), out)

    def _held(self, event: ev.Held, out: list[Fact]) -> None:
        call = self.legs.get(event.uniqueid or "")
        if call is not None and event.uniqueid is not None:
            call.hold(event.uniqueid, _time(event.stamp), out, on=True)

    def _unheld(self, event: ev.Unheld, out: list[Fact]) -> None:
        call = self.legs.get(event.uniqueid or "")
        if call is not None and event.uniqueid is not None:
            call.hold(event.uniqueid, _time(event.stamp), out, on=False)

    # -- who hears whom

    def _entered(self, event: ev.Entered, out: list[Fact]) -> None:
        if event.bridge is None or not event.uniqueid or event.channel is None:
            return
        if self.pending:
            self._of_caller(event.uniqueid, event.channel, event.stamp, out)
        if event.swap is not None and event.swap != event.uniqueid:
            self.bridges.leave(event.swap)
        self.bridges.enter(event.bridge, Member(event.uniqueid, event.channel, event.linkedid))
        self.connect(event.uniqueid, _time(event.stamp), out)

    def connect(self, uid: str, at: float | None, out: list[Fact]) -> None:
        """Agents whom a caller hears since this channel moved begin to talk."""
        hearing = self.bridges.hearing(uid)
        callers = [call for member in hearing if (call := self.open_calls.get(member.uniqueid)) is not None]
        for call in callers:
            for member in hearing:
                agent = self.phones.agent(member.channel)
                if agent is None:
                    continue
                leg = call.legs.get(member.uniqueid)
                queue = None if leg is None else leg.queue
                call.talk(member.uniqueid, agent, queue, at, out, local=False)
                self.legs[member.uniqueid] = call

    def _departed(self, event: ev.Departed, _out: list[Fact]) -> None:
        if event.uniqueid is not None:
            self.bridges.leave(event.uniqueid, event.bridge)

    def _transferred(self, event: ev.BlindTransfer | ev.AttendedTransfer, out: list[Fact]) -> None:
        if event.result not in ("Success", None):
            return
        legs = [event.by_uniqueid]
        if isinstance(event, ev.AttendedTransfer):
            legs.append(event.by2_uniqueid)
        for uid in legs:
            call = self.legs.get(uid or "")
            leg = None if call is None or uid is None else call.legs.get(uid)
            if call is not None and leg is not None and leg.phase is Phase.UP:
                call.leave(leg.agent, Over.TRANSFERRED, _time(event.stamp), out)

    def _picked_up(self, event: ev.PickedUp, out: list[Fact]) -> None:
        call = self.legs.get(event.target_uniqueid or "")
        agent = self.phones.agent(event.channel)
        if call is not None and agent is not None and event.target_uniqueid is not None:
            call.hand_over(event.target_uniqueid, agent, _time(event.stamp), out)

    # -- what the dialplan and the recorder say

    def _recording_stopped(self, event: ev.RecordingStopped, out: list[Fact]) -> None:
        call = self._of_caller(event.uniqueid, event.channel, event.stamp, out)
        if call is not None:
            call.stop_recording(_time(event.stamp), out)

    def _variable(self, event: ev.VariableSet, out: list[Fact]) -> None:
        call = self._of_caller(event.uniqueid, event.channel, event.stamp, out)
        if call is not None and event.value:
            call.record((event.value,), _time(event.stamp), out)

    def _told(self, event: ev.Told, out: list[Fact]) -> None:
        call = self._call(event, out)
        if call is None or event.name is None:
            return
        if event.name == self._recording:
            body = event.body()
            files = tuple(body[key] for key in ("File", "FileRx", "FileTx") if body.get(key))
            call.record(files, _time(event.stamp), out)
        elif event.name == self._voicemail:
            call.message(event.body().get("File"), _time(event.stamp), out)


def _time(stamp: str | None) -> float | None:
    return None if stamp is None else ev.at((stamp,))


def _name(text: str | None) -> str | None:
    """A display name for people; None when there is none, or one with control characters in it."""
    return text if text and text != "<unknown>" and not _CONTROL.search(text) else None
