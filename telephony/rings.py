"""Who rings and who answered, by what dialling and the queues say. Pure; a part of :mod:`telephony.tracker`.

Each function is one kind of event: it finds the call and the legs, :class:`telephony.legs.OpenCall` makes the facts.
"""

from typing import Any

from telephony import events as ev
from telephony.call import Fact, Over
from telephony.events import seconds
from telephony.legs import Leg, OpenCall, Pair, Phase
from telephony.live import Live, pair_of
from telephony.phones import is_local

_REFUSED = frozenset({"BUSY", "CONGESTION"})


def member_called(live: Live, event: ev.MemberCalled, out: list[Fact]) -> None:
    """A queue calls a member: a phone, which rings, or a Local pair, whose phones will."""
    _ring(live, event, event.interface, event.queue, out)


def dialled(live: Live, event: ev.Dialled, out: list[Fact]) -> None:
    """A channel calls another one."""
    _ring(live, event, None, None, out)


def _ring(
    live: Live, event: ev.Dialled | ev.MemberCalled, interface: str | None, queue: str | None, out: list[Fact]
) -> None:
    uid, channel = event.dest_uniqueid, event.dest_channel
    call = live.of_dial(event, out)
    if not uid or uid in live.calls:
        return
    if call is None:
        agent = live.phones.agent(channel)
        if agent is not None and event.uniqueid:
            live.others.setdefault(event.uniqueid, {})[uid] = agent
        return
    at, via = seconds(event.stamp), live.aside(call, event)
    call.forward(event.uniqueid)
    if channel is not None and is_local(channel):
        name = pair_of(channel)
        if via is None and (name not in call.dials or interface is not None):
            call.dials[name] = _pair(live, call, event, interface, queue)
            call.reach({name}, at, out)
        return
    pair = call.dials.get(pair_of(event.channel)) if call.dials and event.channel is not None and via is None else None
    agent = live.phones.member(interface) if interface is not None else live.phones.agent(channel)
    if pair is not None and pair.queue != call.queue:
        pair = pair._replace(queue=None)  # the caller has left the queue: a transfer
    if pair is None:
        leg = None if agent is None else Leg(agent, queue, via=via)
    elif pair.agent is not None and (agent is None or (pair.sure and not live.phones.is_sure(_endpoint(channel)))):
        leg, uid = Leg(pair.agent, pair.queue, local=agent is None, pair=pair.root), uid if agent else pair.uniqueid
    else:
        leg = None if agent is None else Leg(agent, pair.queue, pair=pair.root)
    if leg is not None:
        leg.by = event.uniqueid
        call.ring(uid, leg, at, out)
        live.own(uid, call)


def _pair(
    live: Live, call: OpenCall, event: ev.Dialled | ev.MemberCalled, interface: str | None, queue: str | None
) -> Pair:
    """A Local pair that is called for the caller: by the queue's word, which comes before the dialling's."""
    name = pair_of(event.dest_channel or "")
    outer = None if event.channel is None else call.dials.get(pair_of(event.channel))
    return Pair(
        root=name if outer is None else outer.root,
        queue=queue if outer is None else outer.queue,
        agent=live.phones.member(interface),
        sure=live.phones.is_sure(interface),
        uniqueid=event.dest_uniqueid or "",
    )


def dial_over(live: Live, event: ev.DialOver, out: list[Fact]) -> None:
    """The calling of a phone ended; often said twice, and before or after the queue says so."""
    call, uid, at = live.of_dial(event, out), event.dest_uniqueid, seconds(event.stamp)
    if call is None or not uid:
        live.others.get(event.uniqueid or "", {}).pop(uid or "", None)
        return
    leg = call.legs.get(uid)
    if call.dials and event.status == "CANCEL" and (name := pair_of(event.dest_channel or "")) in call.dials:
        call.dials[name] = call.dials[name]._replace(cancelled=True)
    if event.status == "ANSWER":
        call.pick_up(uid, at, out)
    elif event.status == "CANCEL":
        call.cancel(uid, at, out)
    elif event.status in _REFUSED:
        call.silence(uid, Over.REJECTED, at, out)
    elif leg is not None and leg.queue is not None and leg.pair is None:
        leg.ending = leg.ending or Over.NO_ANSWER  # a rejecting phone's too: the queue or the hang-up tells
    else:
        call.silence(uid, Over.NO_ANSWER, at, out)


def _concerned(live: Live, call: OpenCall, event: Any) -> list[tuple[str, Leg]]:
    """The legs that a queue's event is about: that of the channel called, or those behind the Local pair called."""
    uid, channel = event.dest_uniqueid, event.dest_channel
    if uid in call.legs:
        return [(uid, call.legs[uid])]
    pair = call.dials.get(pair_of(channel)) if channel is not None else None
    if pair is not None:
        return call.behind(pair.root)
    if channel is not None:
        return []
    agent = live.phones.member(event.interface)
    return [(found, leg) for found, leg in call.legs.items() if leg.agent == agent]


def member_silent(live: Live, event: ev.MemberSilent, out: list[Fact]) -> None:
    """AgentRingNoAnswer."""
    call = live.of_dial(event, out)
    if call is None:
        return
    legs = [leg for _, leg in _concerned(live, call, event)]
    refused = event.ring_ms == "0" or any(leg.ending is Over.NO_ANSWER for leg in legs)
    call.refuse(legs, Over.REJECTED if refused else Over.NO_ANSWER, seconds(event.stamp), out)


def member_answered(live: Live, event: ev.MemberAnswered, out: list[Fact]) -> None:
    """AgentConnect: the caller is answered. Who talks is who answered the phone called, not always the member."""
    call, uid, channel, at = live.of_dial(event, out), event.dest_uniqueid, event.dest_channel, seconds(event.stamp)
    if call is None or live.aside(call, event) is not None:
        return
    call.answered = True
    local = channel is not None and is_local(channel)
    found = _concerned(live, call, event) if local else []
    up = [(leg_uid, leg) for leg_uid, leg in found if leg.local or leg.phase is Phase.UP]
    if up:
        for leg_uid, leg in up:
            call.talk(leg_uid, leg.agent, event.queue, at, out, local=leg.local)
        return
    agent = None if local else live.phones.agent(channel)
    if agent is None and (not local or is_local(event.interface or "")):  # else the member's phone sent it elsewhere
        agent = live.phones.member(event.interface)
    if agent is not None and uid and not found:
        call.talk(uid, agent, event.queue, at, out, local=local)
        live.own(uid, call)


def member_done(live: Live, event: ev.MemberDone, out: list[Fact]) -> None:
    """AgentComplete; without a reason, AgentDump: the agent hung up before the queue let them talk."""
    call, at = live.of_dial(event, out), seconds(event.stamp)
    if call is None:
        return
    leg = call.legs.get(event.dest_uniqueid or "")
    legs = [leg] if leg is not None else [found for _, found in _concerned(live, call, event)]
    agents = [found.agent for found in legs]
    if not agents and (member := live.phones.member(event.interface)) is not None:
        agents = [member]
    for agent in agents:
        if event.reason == "transfer":
            call.leave(agent, Over.TRANSFERRED, at, out)
        elif event.reason is None and not call.talking.get(agent):
            call.refuse(legs, Over.REJECTED, at, out)
        else:
            call.done(agent, at, out)


def picked_up(live: Live, event: ev.PickedUp, out: list[Fact]) -> None:
    """Call pickup: the picker's own channel takes the place of the one that rang, which is hung up."""
    call, target, picker = live.legs.get(event.target_uniqueid or ""), event.target_uniqueid, event.uniqueid
    if call is not None and target is not None and picker:
        call.hand_over(target, picker, live.phones.agent(event.channel), seconds(event.stamp), out)
        if picker in call.legs:
            live.own(picker, call)


def _endpoint(channel: str | None) -> str | None:
    return None if channel is None else channel.rpartition("-")[0]
