"""What Asterisk's events mean for our calls. Pure: ``feed(event, now)`` gives facts, ``now`` is an argument.

How Asterisk works, as far as it matters here (each seen on Asterisk 22.10 and 16.28 unless said otherwise):

*What joins the channels of a call.* Everything is a channel. The caller's comes from the carrier's endpoint with
``Uniqueid == Linkedid``; every channel made for it (agents' phones, Local pairs of queue members, targets of blind
transfers) carries that ``Linkedid``, so the Linkedid is the call. Channel names start anew after a restart and cannot
be. What was dialled stands only in the first event: ``Exten`` follows the dialplan from then on. A colleague consulted
from a phone's second line (REFER with Replaces), one who picks the call up and one who fetches it from a parking lot
come with a call of their own, which is none of ours, and get the caller's Linkedid only after the ``BridgeEnter`` that
joins them; no event says that a Linkedid changed. Two callers joined with each other end up under one Linkedid. So a
channel's Uniqueid goes before its Linkedid, and bridges are followed for every channel, ours or not
(:mod:`telephony.bridges`). In a parking lot (``holding_bridge``) nobody hears anybody.

*Who rings.* A phone, from ``DialBegin`` on, and never a Local pair: what its other half calls rings for the caller, be
it two devices, a hot desk's phone that the member's name does not tell, or whoever a phone forwards to (302: the phone
is given up and a Local pair called by the same channel). A DTMF consultation shares the caller's Linkedid from its
start and still is none, so a phone rings for the caller only when the caller's channel calls it, or a Local pair that
was itself called for the caller or hears the caller. Where a transfer is completed while the colleague's phone rings,
it rings for the caller from then on.

*Who answered.* ``AgentConnect`` says that a queue's caller was answered, and before the ``BridgeEnter`` of either end.
By whom, the channel that was called says, and the phones behind it where it is a Local pair; the member's name and
interface say only whose turn it was: they stay as they are when a colleague picks the call up. ``DialEnd ANSWER`` does
not say it: it comes for the inner and the outer leg of a Local pair, for a consulted colleague too, seconds before
``AgentConnect`` where the queue announces the caller to the agent, and again late. Outside queues (after a blind
transfer there are no agent events) the agent talks when bridges and Local pairs lead from the agent's phone to the
caller. Not every bridge is a talk: Asterisk 16's FollowMe joins the caller to a Local channel whose phone still rings.

*Who stopped.* A ring is over by ``DialEnd``, by ``AgentRingNoAnswer``, by the phone's ``Hangup``, in any order and
doubled. A rejecting phone's ``DialEnd`` says NOANSWER as well, but comes before the queue's ``AgentRingNoAnswer`` and
not after it; without a queue, cause 17 or 21 tells. The losers of a ring-all queue get CANCEL after the winner's
ANSWER, those of a ring group (``Dial`` with ``&``) before it, and the phone of a caller who gives up gets the same
CANCEL; so its reason waits for the ANSWER or the phone's own hang-up (cause 26), some milliseconds.
``QueueCallerAbandon`` also comes when the queue's time is over and the caller goes on to voicemail, so it is not read:
a call is abandoned when the caller's channel hangs up and nobody talked and no message was left. ``AgentComplete``
comes at a transfer, when the call goes on, and may lack every channel (``core restart now``, after parking). The call
ends with the ``Hangup`` of the caller's channel and with nothing else; agents' hang-ups come before or after it.

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
AgentCalled, DialBegin     L new, for C, A has no card                  Rang
AgentCalled, DialBegin     of a Local pair, for C                       none: what the pair calls is for C
DialBegin                  by a pair, of a phone that nobody knows      Rang for the queue's member
AgentCalled, DialBegin     L new, for an agent who consults             none: L is aside
DialEnd ANSWER             -                                            none: L is up, the others are losing:
                                                                        Stopped answered_elsewhere if cancelled
DialEnd CANCEL             L rings, somebody answered                   Stopped answered_elsewhere
DialEnd CANCEL             L rings, nobody answered yet                 none yet: an ANSWER, or L's Hangup, tells
DialEnd BUSY, CONGESTION   L rings                                      Stopped rejected
DialEnd NOANSWER...        L rings, no queue called it                  Stopped no_answer
DialEnd NOANSWER...        L rings for a queue                          none yet: the next line, or L's Hangup, tells
AgentRingNoAnswer          A rings, RingTime 0 or after its DialEnd     Stopped rejected
AgentRingNoAnswer          A rings                                      Stopped no_answer
AgentDump                  A is up and does not talk yet                Stopped rejected
Hangup of L                L rings                                      Stopped by its cause, or as DialEnd said
Hangup of L                A talks, on no other leg                     Left ended
AgentConnect               who is up does not talk yet                  Answered
BridgeEnter                C's channel and A's phone hear each other    Answered
BridgeEnter                C's channel hears who calls L, L rings aside Rang
BridgeEnter                C's channel enters a parking lot             Left transferred of all
Hold, Unhold on L          A talks, and it is a change                  Held, Resumed
AgentComplete              A talks, Reason transfer                     Left transferred
AgentComplete              A talks, behind a Local channel only         Left ended
BlindTransfer              by A, successful                             Left transferred
AttendedTransfer           by A, successful                             Left transferred; Rang for who rings still
AttendedTransfer           by A, Threeway                               Resumed: A stays
Pickup                     L rings                                      Stopped answered_elsewhere
UserEvent recording        its files are new                            Recorded
MixMonitorStop             first since the last files                   Recorded stopped
UserEvent voicemail        its file is new                              LeftMessage
Hangup of C's channel      -                                            Stopped, Left of all, Ended
not in a snapshot          -                                            Stopped, Left, Ended: lost
=========================  ===========================================  ==========================================

The rows on phones and queues are :mod:`telephony.rings`, those on bridges and transfers :mod:`telephony.talks`.
A fact that would repeat the last one is not told, so doubled events change nothing; a call that ended is forgotten, so
nothing follows Ended. What is not known to belong to a call of ours makes nothing: no suffix of a stream
invents a call.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from telephony import events as ev
from telephony import rings, talks
from telephony.call import CallKey, Fact, Over
from telephony.events import seconds
from telephony.legs import OpenCall
from telephony.lines import Lines
from telephony.live import Live, Tallies
from telephony.resync import Merge

_CAUSES = {"17": Over.REJECTED, "21": Over.REJECTED, "23": Over.REJECTED, "26": Over.ANSWERED_ELSEWHERE}
_DOWN = "0"  # ChannelState of a channel that the PBX made to call out


class Tracker:
    """The live calls of one PBX.

    ``trunks`` are the carriers' endpoints ("PJSIP/carrier"), ``agents`` maps interfaces to extensions where names do
    not tell, ``voicemail_event`` and ``recording_event`` are names of the dialplan's own UserEvents (None: none).
    """

    def __init__(
        self,
        pbx: str,
        lines: Lines,
        trunks: Sequence[str],
        agents: Mapping[str, str] | None = None,
        *,
        voicemail_event: str | None = None,
        tallies: Tallies | None = None,
        recording_event: str | None = "CC400Recording",
    ) -> None:
        self._live = Live(pbx, lines, trunks, agents, tallies)
        self._voicemail = voicemail_event
        self._recording = recording_event
        live = self._live
        self._handlers: dict[type, Callable[[Any, list[Fact]], None]] = {
            ev.NewChannel: self._new,
            ev.Seen: self._seen,
            ev.Renamed: self._renamed,
            ev.HangUp: self._hang_up,
            ev.Joined: self._joined,
            ev.LeftQueue: self._left_queue,
            ev.Dialled: partial(rings.dialled, live),
            ev.DialOver: partial(rings.dial_over, live),
            ev.MemberCalled: partial(rings.member_called, live),
            ev.MemberSilent: partial(rings.member_silent, live),
            ev.MemberAnswered: partial(rings.member_answered, live),
            ev.MemberDone: partial(rings.member_done, live),
            ev.PickedUp: partial(rings.picked_up, live),
            ev.Entered: partial(talks.entered, live),
            ev.Departed: partial(talks.departed, live),
            ev.Held: partial(talks.held, live),
            ev.Unheld: partial(talks.unheld, live),
            ev.BlindTransfer: partial(talks.transferred, live),
            ev.AttendedTransfer: partial(talks.transferred, live),
            ev.RecordingStopped: self._recording_stopped,
            ev.VariableSet: self._variable,
            ev.Told: self._told,
        }

    @property
    def calls(self) -> Mapping[CallKey, OpenCall]:
        """The calls that are live, confirmed or not."""
        return {call.key: call for call in self._live.calls.values()}

    def has(self, linkedid: str) -> bool:
        """Whether a call of ours with this Linkedid is live."""
        return linkedid in self._live.calls

    @property
    def tallies(self) -> Tallies:
        """What was read and refused so far."""
        return self._live.tallies

    def feed(self, event: ev.Event, now: float | None = None) -> list[Fact]:
        """The facts of one event. ``now`` (epoch seconds, our clock) only lets unconfirmed calls expire."""
        live = self._live
        live.tallies.events += 1
        out: list[Fact] = []
        if live.pending and now is not None:
            live.expire(now, out)
        handler = self._handlers.get(type(event))
        if handler is not None:
            handler(event, out)
        return out

    def missed(self) -> None:
        """Nobody listened for a while: what ends before a snapshot tells may have been answered meanwhile."""
        for call in self._live.calls.values():
            call.unheard = True

    def resync(self, snapshot: ev.Snapshot, now: float | None = None) -> list[Fact]:
        """What must have happened while nobody listened, from what the PBX says is there now."""
        return [fact for facts in self.merge(snapshot).steps(now) for fact in facts]

    def merge(self, snapshot: ev.Snapshot) -> Merge:
        """The same in steps, between which events may be fed; what is left of an earlier merge counts no more."""
        return Merge(self._live, snapshot)

    # -- the caller

    def _new(self, event: ev.NewChannel, out: list[Fact]) -> None:
        live, uid, name = self._live, event.uniqueid, event.channel
        if not uid or uid != event.linkedid or name is None or uid in live.calls or not live.phones.is_trunk(name):
            return
        number = live.lines.number(event.exten)
        if number is not None and event.exten is not None and event.state != _DOWN:
            live.arrive(event, number, event.exten, seconds(event.stamp), out)

    def _seen(self, event: ev.Seen, out: list[Fact]) -> None:
        if self._live.pending:
            self._live.of_caller(event.uniqueid, event.channel, event.stamp, out)

    def _renamed(self, event: ev.Renamed, out: list[Fact]) -> None:
        call = self._live.of_caller(event.uniqueid, event.channel, event.stamp, out)
        if call is not None and event.new is not None:
            call.channel = event.new

    def _hang_up(self, event: ev.HangUp, out: list[Fact]) -> None:
        live, uid, at = self._live, event.uniqueid, seconds(event.stamp)
        if uid is None:
            return
        live.others.pop(uid, None)
        if uid in live.calls:
            call = live.of_caller(uid, event.channel, event.stamp, out)
            if call is None:
                return
            live.end(call, at, out)
        else:
            for owner in live.owners(uid):
                owner.hang_up(uid, _CAUSES.get(event.cause or ""), at, out)
        live.bridges.leave(uid)

    # -- queues and phones

    def _joined(self, event: ev.Joined, out: list[Fact]) -> None:
        call = self._live.of_channel(event, out)
        if call is not None and event.queue:
            call.join(event.queue, seconds(event.stamp), out)

    def _left_queue(self, event: ev.LeftQueue, out: list[Fact]) -> None:
        call = self._live.of_channel(event, out)
        if call is not None:
            call.queue = None

    # -- what the dialplan and the recorder say

    def _recording_stopped(self, event: ev.RecordingStopped, out: list[Fact]) -> None:
        call = self._live.of_caller(event.uniqueid, event.channel, event.stamp, out)
        if call is not None:
            call.stop_recording(seconds(event.stamp), out)

    def _variable(self, event: ev.VariableSet, out: list[Fact]) -> None:
        call = self._live.of_caller(event.uniqueid, event.channel, event.stamp, out)
        if call is not None and event.value:
            call.record((event.value,), seconds(event.stamp), out)

    def _told(self, event: ev.Told, out: list[Fact]) -> None:
        call = self._live.of_channel(event, out)
        if call is None or event.name is None:
            return
        if event.name == self._recording:
            body = event.body()
            files = tuple(body[key] for key in ("File", "FileRx", "FileTx") if body.get(key))
            call.record(files, seconds(event.stamp), out)
        elif event.name == self._voicemail:
            call.message(event.body().get("File"), seconds(event.stamp), out)
