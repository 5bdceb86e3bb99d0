"""After a break: what the PBX says is there now, merged with what we held. Pure; the other half of the tracker.

Channels we held that are not there any more are over, without anybody knowing how: ``lost``. Live calls to our numbers
that we did not know are adopted, as far as the list tells: CoreShowChannels has lost what was dialled, Status has it
as DNID. A row is the PBX's own word, so an adopted call is confirmed. Where events overtook the list, they are right.
"""

from telephony.bridges import Bridges, Member
from telephony.call import Fact, Over
from telephony.events import LiveChannel, Snapshot
from telephony.legs import Leg, OpenCall
from telephony.live import Live, pair_of
from telephony.phones import is_local

_RINGING = "5"  # ChannelState


def merge(live: Live, snapshot: Snapshot, now: float | None, out: list[Fact]) -> None:
    """End what vanished, adopt what is new, connect who hears whom. ``now`` is when facts without a time happened."""
    rows = _rows(snapshot)
    known = rows.keys() | snapshot.fresh
    for call in list(live.calls.values()):
        if call.uniqueid in known:
            row = rows.get(call.uniqueid)
            _keep(call, row, [uid for uid in call.legs if uid not in known], now, out)
            if row is not None:
                live.pending.pop(call.uniqueid, None)
        else:
            live.end(call, now, out, lost=True)
    _rebuild(live.bridges, rows, snapshot)
    for row in rows.values():
        _adopt(live, row, now, out)
    for waiting in snapshot.waiting:
        caller = live.calls.get(waiting.uniqueid or "")
        if caller is not None and waiting.queue and caller.uniqueid in rows:
            caller.join(waiting.queue, now, out)
    for uid, row in rows.items():
        if uid not in snapshot.fresh:
            _ring(live, row, rows, now, out)
    for call in live.calls.values():
        live.connect(call.uniqueid, now, out)


def _keep(call: OpenCall, row: LiveChannel | None, gone: list[str], now: float | None, out: list[Fact]) -> None:
    """A call that goes on: it is confirmed; phones that are gone rang or talked until nobody knows when."""
    if row is not None and row.channel is not None:
        call.channel = row.channel
        call.confirm(now, out)
    for uid in gone:
        call.hang_up(uid, Over.LOST, now, out)


def _rows(snapshot: Snapshot) -> dict[str, LiveChannel]:
    """The channels by Uniqueid, a Status row (it has the DNID) before a CoreShowChannel row of the same channel."""
    rows: dict[str, LiveChannel] = {}
    for row in snapshot.channels:
        if row.uniqueid and row.uniqueid not in snapshot.gone and (row.dnid or row.uniqueid not in rows):
            rows[row.uniqueid] = row
    return rows


def _rebuild(bridges: Bridges, rows: dict[str, LiveChannel], snapshot: Snapshot) -> None:
    for uid in bridges.channels():
        if uid not in rows and uid not in snapshot.fresh:
            bridges.leave(uid)
    for uid, row in rows.items():
        if uid in snapshot.fresh or row.channel is None:
            continue
        if row.bridge:
            bridges.enter(row.bridge, Member(uid, row.channel, row.linkedid))
        else:
            bridges.leave(uid)


def _adopt(live: Live, row: LiveChannel, now: float | None, out: list[Fact]) -> None:
    uid = row.uniqueid or ""
    if uid in live.calls or uid != row.linkedid or not live.phones.is_trunk(row.channel):
        return
    dialled = row.dnid or row.exten
    number = live.lines.number(dialled)
    if number is None or dialled is None:
        return
    call = live.arrive(row, number, dialled, now, out)
    call.confirm(now, out)
    live.pending.pop(uid, None)


def _ring(live: Live, row: LiveChannel, rows: dict[str, LiveChannel], now: float | None, out: list[Fact]) -> None:
    """A phone that rings for a call rings from now on, as far as we know."""
    call, uid = live.calls.get(row.linkedid or ""), row.uniqueid or ""
    agent = live.phones.agent(row.channel)
    if call is not None and agent is not None and row.state == _RINGING and uid not in call.legs:
        via = _consulting(live, call, row, rows)
        call.ring(uid, Leg(agent, None if via else call.queue, local=False, via=via), now, out)
        live.legs[uid] = call


def _consulting(live: Live, call: OpenCall, ringing: LiveChannel, rows: dict[str, LiveChannel]) -> str | None:
    """The Local pair through which an agent calls this phone to consult, which the caller does not hear.

    By DTMF (``*2``) the agent sits with the pair's first half in a bridge while the phone behind it rings (22 and 16).
    """
    for row in rows.values():
        if row.bridge and is_local(row.channel or "") and (row.linkedid, row.exten) == (call.uniqueid, ringing.exten):
            heard = {member.uniqueid for member in live.bridges.hearing(call.uniqueid)}
            return None if row.uniqueid in heard else pair_of(row.channel or "")
    return None
