"""What the tracker holds about one PBX: live calls, their legs, the bridges. Pure.

Everything here goes when the call or the channel goes; nothing is kept about calls that are over.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from telephony import events as ev
from telephony.bridges import Bridges
from telephony.call import Arrived, CallKey, Ended, Fact, Outcome
from telephony.identity import is_number
from telephony.legs import OpenCall
from telephony.lines import Lines
from telephony.phones import Phones, is_local

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_UNCONFIRMED = 60.0  # seconds until a call that nothing confirmed is given up


@dataclass(slots=True)
class Tallies:
    """What the tracker read and refused, for the operator's page."""

    events: int = 0
    mismatched: int = 0  # an event that named a caller's Uniqueid under another channel's name
    unconfirmed: int = 0  # calls that nothing confirmed


class Live:
    """The live calls of one PBX, and where to find them by what events say."""

    def __init__(
        self, pbx: str, lines: Lines, trunks: Sequence[str], agents: Mapping[str, str] | None, tallies: Tallies | None
    ) -> None:
        self.pbx = pbx
        self.lines = lines
        self.phones = Phones(trunks, agents or {})
        self.tallies = Tallies() if tallies is None else tallies
        self.calls: dict[str, OpenCall] = {}  # by the Uniqueid of the caller's channel, which is the Linkedid
        self.legs: dict[str, OpenCall] = {}  # by the Uniqueid of a leg
        self.shared: dict[str, list[OpenCall]] = {}  # the other calls of a leg that talks with several callers
        self.others: dict[str, dict[str, str]] = {}  # phones that ring for calls not ours: by caller, Uniqueid -> agent
        self.pending: dict[str, OpenCall] = {}  # not confirmed yet, oldest first
        self.bridges = Bridges()

    def of_caller(self, uid: str | None, channel: str | None, stamp: str | None, out: list[Fact]) -> OpenCall | None:
        """The call whose caller's channel this is; it is confirmed by this."""
        call = self.calls.get(uid) if uid is not None else None
        if call is None:
            return None
        if channel != call.channel:
            self.tallies.mismatched += 1
            return None
        if not call.confirmed:
            call.confirm(ev.seconds(stamp), out)
            del self.pending[call.uniqueid]
        return call

    def of_channel(self, event: Any, out: list[Fact]) -> OpenCall | None:
        """The call that an event with a channel belongs to: as its caller's, as a leg of it, or by Linkedid.

        The Linkedid comes last: when two callers are joined, one of them goes on under the other's.
        """
        if event.uniqueid in self.calls:
            return self.of_caller(event.uniqueid, event.channel, event.stamp, out)
        return self.legs.get(event.uniqueid) or self.calls.get(event.linkedid)

    def of_dial(self, event: Any, out: list[Fact]) -> OpenCall | None:
        """The call for which ``dest`` is called."""
        return self.of_channel(event, out) or self.calls.get(event.dest_linkedid) or self.legs.get(event.dest_uniqueid)

    def aside(self, call: OpenCall, event: Any) -> str | None:
        """None when the caller's side calls ``dest``; else who does, an agent's consultation: a pair's name, or ""."""
        source = event.channel
        if event.uniqueid == call.uniqueid or source == call.channel or (source is None and event.uniqueid is None):
            return None
        if source is None or not is_local(source):
            return ""
        pair = pair_of(source)
        if pair in call.dials or pair in self.pairs_heard(call):
            return None
        return pair

    def pairs_heard(self, call: OpenCall) -> set[str]:
        """The Local pairs whose one end the caller hears."""
        return {pair_of(m.channel) for m in self.bridges.hearing(call.uniqueid) if is_local(m.channel)}

    def arrive(
        self, event: ev.NewChannel | ev.LiveChannel, number: str, dialled: str, at: float | None, out: list[Fact]
    ) -> OpenCall:
        """A new call. The caller's number counts only where it is one; withheld ones are words."""
        uid, name = event.uniqueid or "", event.channel or ""
        fact = Arrived(
            call=CallKey(self.pbx, uid),
            at=at,
            caller=event.caller if event.caller is not None and is_number(event.caller) else None,
            caller_name=_display(event.caller_name),
            number=number,
            dialled=dialled,
        )
        call = self.calls[uid] = self.pending[uid] = OpenCall(fact.call, uid, name)
        out.append(fact)
        return call

    def end(self, call: OpenCall, at: float | None, out: list[Fact], *, lost: bool = False) -> None:
        """A call is over; nothing of it stays."""
        call.end(at, out, lost=lost)
        del self.calls[call.uniqueid]
        self.pending.pop(call.uniqueid, None)
        for uid in call.legs:
            if uid in self.shared:
                self._disown(uid, call)
            elif self.legs.get(uid) is call:
                del self.legs[uid]

    def own(self, uid: str, call: OpenCall) -> None:
        """This leg is the call's; a leg that talks with several callers is all of theirs."""
        before = self.legs.get(uid)
        if before is not None and before is not call:
            others = self.shared.setdefault(uid, [])
            if before not in others:
                others.append(before)
        self.legs[uid] = call

    def owners(self, uid: str) -> Sequence[OpenCall]:
        """The calls whose leg this is, the latest first."""
        call = self.legs.get(uid)
        if call is None:
            return ()
        return [call, *(x for x in self.shared[uid] if x is not call)] if uid in self.shared else (call,)

    def _disown(self, uid: str, call: OpenCall) -> None:
        others = [x for x in self.shared.pop(uid) if x is not call]
        if self.legs.get(uid) is call:
            del self.legs[uid]
            if others:
                self.legs[uid] = others.pop()
        if others:
            self.shared[uid] = others

    def expire(self, now: float, out: list[Fact]) -> None:
        """Give up calls that nothing confirmed: no caller's channel says nothing for a minute."""
        for uid, call in list(self.pending.items()):
            if call.since is None:
                call.since = now
            if now - call.since < _UNCONFIRMED:
                return
            self.tallies.unconfirmed += 1
            del self.pending[uid], self.calls[uid]
            out.append(Ended(call=call.key, at=None, outcome=Outcome.LOST))

    def connect(self, uid: str, at: float | None, out: list[Fact]) -> None:
        """After a channel moved: agents whom a caller hears talk, phones that the caller's side calls ring."""
        hearing = self.bridges.hearing(uid)
        for call in [c for m in hearing if (c := self.calls.get(m.uniqueid)) is not None]:
            for member in hearing:
                agent = self.phones.agent(member.channel)
                if agent is not None:
                    leg = call.legs.get(member.uniqueid)
                    call.talk(member.uniqueid, agent, None if leg is None else leg.queue, at, out, local=False)
                    self.own(member.uniqueid, call)
                elif member.uniqueid not in self.calls and self.phones.is_person(member.channel):
                    call.answered = True  # somebody outside, or a phone that nobody told us of
            pairs = {pair_of(m.channel) for m in hearing if is_local(m.channel)}
            if pairs:
                call.reach(pairs, at, out)


def pair_of(channel: str) -> str:
    """The name that both halves of a Local pair share."""
    return channel.partition(";")[0]


def _display(text: str | None) -> str | None:
    """A display name for people; None when there is none, or one with control characters in it."""
    return text if text and text != "<unknown>" and not _CONTROL.search(text) else None
