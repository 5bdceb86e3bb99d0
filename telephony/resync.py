"""After a break: what the PBX says is there now, merged with what we held. Pure; the tracker's other half.

Channels we held that are not there any more are over, without anybody knowing how: ``lost``. Live calls to our numbers
that we did not know are adopted, as far as the list tells: CoreShowChannels has lost what was dialled, Status has it as
DNID. A row is the PBX's own word, so an adopted call is confirmed. Where events overtook the list, the events are right.
"""

from typing import TYPE_CHECKING

from telephony.bridges import Bridges, Member
from telephony.call import Fact, Over
from telephony.events import LiveChannel, Snapshot
from telephony.legs import OpenCall, Phase

if TYPE_CHECKING:
    from telephony.tracker import Tracker

_RINGING = "5"  # ChannelState


def merge(tracker: "Tracker", snapshot: Snapshot, now: float | None, out: list[Fact]) -> None:
    """End what vanished, adopt what is new, connect who hears whom. ``now`` becomes the start of adopted calls."""
    live = _rows(snapshot)
    known = live.keys() | snapshot.fresh
    for call in list(tracker.open_calls.values()):
        if call.uniqueid not in known:
            tracker.end(call, now, out, lost=True)
            continue
        row = live.get(call.uniqueid)
        if row is not None and row.channel is not None:
            call.channel = row.channel
            call.confirm(None, out)
            tracker.pending.pop(call.uniqueid, None)
        for uid, leg in call.legs.items():
            if uid in known or leg.phase is Phase.OVER:
                continue
            if leg.phase is Phase.RINGING:
                call.silence(uid, Over.LOST, now, out)
            else:
                call.hang_up(uid, Over.LOST, now, out)
    _rebuild(tracker.bridges, live, snapshot)
    for row in live.values():
        _adopt(tracker, row, now, out)
    for waiting in snapshot.waiting:
        caller = tracker.open_calls.get(waiting.uniqueid or "")
        if caller is not None and waiting.queue and waiting.uniqueid in live:
            caller.join(waiting.queue, now, out)
    for uid, row in live.items():
        call_of = tracker.open_calls.get(row.linkedid or "")
        agent = tracker.phones.agent(row.channel)
        if call_of is not None and agent is not None and uid not in snapshot.fresh:
            _leg(tracker, call_of, uid, row, agent, now, out)
    for call in tracker.open_calls.values():
        tracker.connect(call.uniqueid, now, out)


def _rows(snapshot: Snapshot) -> dict[str, LiveChannel]:
    """The channels by Uniqueid, a Status row (it has the DNID) before a CoreShowChannel row of the same channel."""
    rows: dict[str, LiveChannel] = {}
    for row in snapshot.channels:
        if row.uniqueid and row.uniqueid not in snapshot.gone and (row.dnid or row.uniqueid not in rows):
            rows[row.uniqueid] = row
    return rows


def _rebuild(bridges: Bridges, live: dict[str, LiveChannel], snapshot: Snapshot) -> None:
    for uid in bridges.channels():
        if uid not in live and uid not in snapshot.fresh:
            bridges.leave(uid)
    for uid, row in live.items():
        if uid in snapshot.fresh or row.channel is None:
            continue
        if row.bridge:
            bridges.enter(row.bridge, Member(uid, row.channel, row.linkedid))
        else:
            bridges.leave(uid)


def _adopt(tracker: "Tracker", row: LiveChannel, now: float | None, out: list[Fact]) -> None:
    uid = row.uniqueid or ""
    if uid in tracker.open_calls or uid != row.linkedid or not tracker.phones.is_trunk(row.channel):
        return
    dialled = row.dnid or row.exten
    number = tracker.lines.number(dialled)
    if number is None or dialled is None:
        return
    call = tracker.arrive(row, number, dialled, now, out)
    call.confirm(now, out)
    tracker.pending.pop(uid, None)


def _leg(
    tracker: "Tracker", call: OpenCall, uid: str, row: LiveChannel, agent: str, now: float | None, out: list[Fact]
) -> None:
    """A phone that rings for a call rings from now on, as far as we know."""
    if row.state == _RINGING and uid not in call.legs:
        call.ring(uid, agent, call.queue, now, out, local=False)
        tracker.legs[uid] = call
