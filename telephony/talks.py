"""Who hears whom: bridges, holds and transfers. Pure; a part of :mod:`telephony.tracker`."""

from telephony import events as ev
from telephony.bridges import Member
from telephony.call import Fact, Over
from telephony.events import seconds
from telephony.legs import Leg, Phase
from telephony.live import Live

_HOLDING = "holding_bridge"  # a parking lot: many may be in it, none hears another
_THREEWAY = "Threeway"


def entered(live: Live, event: ev.Entered, out: list[Fact]) -> None:
    """A channel entered a bridge."""
    uid, at = event.uniqueid, seconds(event.stamp)
    if event.bridge is None or not uid or event.channel is None:
        return
    if live.pending:
        live.of_caller(uid, event.channel, event.stamp, out)
    if event.swap is not None and event.swap != uid:
        live.bridges.leave(event.swap)
    if event.technology == _HOLDING:
        live.bridges.leave(uid)
        if uid in live.calls:
            live.calls[uid].park(at, out)
        return
    live.bridges.enter(event.bridge, Member(uid, event.channel, event.linkedid))
    live.connect(uid, at, out)


def departed(live: Live, event: ev.Departed, _out: list[Fact]) -> None:
    """A channel left a bridge."""
    if event.uniqueid is not None:
        live.bridges.leave(event.uniqueid, event.bridge)


def held(live: Live, event: ev.Held, out: list[Fact]) -> None:
    """A phone put its peer on hold."""
    _hold(live, event.uniqueid, event.stamp, out, on=True)


def unheld(live: Live, event: ev.Unheld, out: list[Fact]) -> None:
    """A phone took its peer back."""
    _hold(live, event.uniqueid, event.stamp, out, on=False)


def _hold(live: Live, uid: str | None, stamp: str | None, out: list[Fact], *, on: bool) -> None:
    call = live.legs.get(uid or "")
    if call is not None and uid is not None:
        call.hold(uid, seconds(stamp), out, on=on)


def transferred(live: Live, event: ev.BlindTransfer | ev.AttendedTransfer, out: list[Fact]) -> None:
    """The transferer talks no more, unless an attended transfer was made a talk of three."""
    if event.result not in ("Success", None):
        return
    if isinstance(event, ev.BlindTransfer):
        _leave(live, event.by_uniqueid, event.stamp, out)
    elif event.outcome == _THREEWAY:
        _hold(live, event.by_uniqueid, event.stamp, out, on=False)
        _hold(live, event.by2_uniqueid, event.stamp, out, on=False)
    else:
        call = live.calls.get(event.who_uniqueid or "")
        _leave(live, event.by_uniqueid, event.stamp, out)
        _leave(live, event.by2_uniqueid, event.stamp, out)
        if call is not None:  # the colleague's phone may ring still: for the caller from now on
            for uid, agent in live.others.pop(event.by2_uniqueid or "", {}).items():
                call.ring(uid, Leg(agent, None), seconds(event.stamp), out)
                live.own(uid, call)


def _leave(live: Live, uid: str | None, stamp: str | None, out: list[Fact]) -> None:
    for call in live.owners(uid or ""):
        leg = call.legs.get(uid or "")
        if leg is not None and leg.phase is Phase.UP:
            call.leave(leg.agent, Over.TRANSFERRED, seconds(stamp), out)
