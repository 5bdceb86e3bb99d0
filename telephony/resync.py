"""After a break: what the PBX says is there now, merged with what we held. Pure; the other half of the tracker.

Channels we held that are not there any more are over, without anybody knowing how: ``lost``. Live calls to our numbers
that we did not know are adopted, as far as the list tells: CoreShowChannels has lost what was dialled, Status has it
as DNID. A row is the PBX's own word, so an adopted call is confirmed. Who hears the caller talks; whose phone rings for
a caller whom nobody hears yet is rung. Where events overtook the list, they are right.

What happened and was over while nobody listened cannot be told. So a call that is new to us, or does not wait in the
queue it had been in, is in doubt from then on: should it end without anybody seen to talk, nobody knows whether
somebody had, and it is ``lost``; so is one that ends between the link's return and the list. The call records tell more
(:mod:`telephony.cdr`).

Thousands of calls take a while, and a phone may ring meanwhile: a merge goes in steps, one call at a time, and an event
in between first has the calls merged that it speaks of.
"""

from collections import defaultdict
from collections.abc import Iterator
from itertools import islice

from telephony.bridges import Member
from telephony.call import Fact, Over
from telephony.events import Event, LiveChannel, Snapshot
from telephony.identity import made_at
from telephony.legs import Leg, OpenCall, Pair, Phase
from telephony.live import Live, pair_of
from telephony.overtaken import Overtaken
from telephony.phones import is_local

_UP = "6"
_CALLED = ("0", "5")  # ChannelState of a phone that is about to ring, and of one that rings
_NAMED = ("uniqueid", "linkedid", "dest_linkedid", "who_uniqueid", "target_linkedid")
STEP = 20  # calls at a time: a few milliseconds with all that follows from them


class Merge:
    """One snapshot on its way into what is held. ``now`` is when facts without a time of their own happened."""

    def __init__(self, live: Live, snapshot: Snapshot) -> None:
        self._live = live
        self._overtaken = Overtaken(snapshot.gone, snapshot.fresh)
        self._rows = _rows(snapshot)
        self._queued = {row.uniqueid: row.queue for row in snapshot.waiting if row.uniqueid and row.queue}
        self._called: dict[str, list[LiveChannel]] = defaultdict(list)
        self._todo = dict.fromkeys(live.calls)
        for uid, row in self._rows.items():
            if uid == row.linkedid and live.phones.is_trunk(row.channel):
                self._todo[uid] = None
            elif row.state in _CALLED and row.linkedid and uid not in snapshot.fresh:
                self._called[row.linkedid].append(row)
        self._rebuild()

    def steps(self, now: float | None, calls: int = STEP) -> Iterator[list[Fact]]:
        """Merge so many calls at a time; the facts of each step."""
        while self._todo:
            out: list[Fact] = []
            for uid in list(islice(self._todo, calls)):
                self._one(uid, now, out)
            yield out

    def before(self, event: Event, now: float | None) -> list[Fact]:
        """To be called before an event is fed while the merge is not at its end: the calls it speaks of come first."""
        out: list[Fact] = []
        for name in _NAMED:
            uid = getattr(event, name, None)
            leg_of = self._live.legs.get(uid) if uid else None
            for told in (uid, None if leg_of is None else leg_of.uniqueid):
                if told in self._todo:
                    self._one(told, now, out)
        self._overtaken.note(event)
        return out

    def _rebuild(self) -> None:
        """Who is in which bridge. All at once: calls hear each other's channels."""
        bridges, fresh = self._live.bridges, self._overtaken.fresh
        for uid in [x for x in self._live.others if not self._there(x)]:
            del self._live.others[uid]
        for uid in bridges.channels():
            if uid not in self._rows and uid not in fresh:
                bridges.leave(uid)
        for uid, row in self._rows.items():
            if uid in fresh or row.channel is None:
                continue
            if row.bridge:
                bridges.enter(row.bridge, Member(uid, row.channel, row.linkedid))
            else:
                bridges.leave(uid)

    def _one(self, uid: str, now: float | None, out: list[Fact]) -> None:
        """One caller: end or keep or adopt, and what follows for the phones."""
        del self._todo[uid]
        live, row = self._live, self._rows.get(uid)
        call = live.calls.get(uid)
        if call is None:
            call = None if row is None else self._adopted(row, now, out)
            if call is None:
                return
        elif not self._there(uid):
            live.end(call, now, out, lost=True)
            return
        else:
            self._kept(call, row, now, out)
        if uid not in self._overtaken.fresh:
            self._where(call, now, out)
        live.connect(uid, now, out)
        self._picked_up(call, now, out)
        for agent in [name for name, talks in call.talking.items() if talks]:
            legs = [x for x, leg in call.legs.items() if leg.agent == agent and leg.phase is Phase.UP]
            if not any(self._there(leg) for leg in legs):
                call.leave(agent, Over.LOST, now, out)

    def _picked_up(self, call: OpenCall, now: float | None, out: list[Fact]) -> None:
        """A phone that rang for the caller and is up now was answered, even if its agent consults just now (22, 16)."""
        for uid, leg in list(call.legs.items()):
            row = None if uid in self._overtaken.fresh else self._rows.get(uid)
            called = leg.phase in (Phase.RINGING, Phase.UP) and leg.via is None and not leg.local
            if called and row is not None and row.state == _UP and row.bridge:
                call.talk(uid, leg.agent, leg.queue, now, out, local=False)

    def _there(self, uid: str) -> bool:
        return uid in self._rows or uid in self._overtaken.fresh

    def _kept(self, call: OpenCall, row: LiveChannel | None, now: float | None, out: list[Fact]) -> None:
        """A call that goes on: it is confirmed; phones that are gone rang or talked until nobody knows when."""
        if row is not None and row.channel is not None:
            call.channel = row.channel
            call.confirm(now, out)
            self._live.pending.pop(call.uniqueid, None)
        if call.queue is None or call.queue != self._queued.get(call.uniqueid):
            call.doubt = True
        call.unheard = False
        for uid in [leg for leg in call.legs if not self._there(leg)]:
            call.hang_up(uid, Over.LOST, now, out)

    def _adopted(self, row: LiveChannel, now: float | None, out: list[Fact]) -> OpenCall | None:
        """A call that began while nobody listened; None when it is none of ours."""
        dialled = row.dnid or row.exten
        number = self._live.lines.number(dialled)
        if number is None or dialled is None:
            return None
        if self._live.lines.number(row.caller) is not None:  # what the dialplan shows to those whom it calls for him
            row = row._replace(caller=None)
        call = self._live.arrive(row, number, dialled, _arrived(row.uniqueid, now), out)
        call.confirm(now, out)
        self._live.pending.pop(call.uniqueid, None)
        call.doubt = True
        return call

    def _where(self, call: OpenCall, now: float | None, out: list[Fact]) -> None:
        """The caller's queue, and the phones that ring; while the caller talks with somebody, they are consulted."""
        queue = self._queued.get(call.uniqueid)
        if queue is not None:
            call.join(queue, now, out)
        call.queue = queue
        if queue is None and self._live.bridges.hearing(call.uniqueid):
            return
        called = [row for row in self._called.get(call.uniqueid, ()) if row.uniqueid not in self._overtaken.gone]
        for row in called:
            self._pair(call, row, queue)
        for row in called:
            uid, agent = row.uniqueid or "", self._live.phones.agent(row.channel)
            if agent is not None and uid not in call.legs:
                call.ring(uid, Leg(agent, queue, pair=self._behind(call, agent)), now, out)
                self._live.own(uid, call)

    def _pair(self, call: OpenCall, row: LiveChannel, queue: str | None) -> None:
        """A Local pair that is called for the caller: the phones behind it ring as its parts."""
        name, phones = row.channel or "", self._live.phones
        if is_local(name) and name.endswith(";1") and pair_of(name) not in call.dials:
            interface = name.rpartition("-")[0]
            sure = phones.is_sure(interface)
            agent, uid = phones.member(interface), row.uniqueid or ""
            call.dials[pair_of(name)] = Pair(pair_of(name), queue, agent, sure=sure, uniqueid=uid)

    def _behind(self, call: OpenCall, agent: str) -> str | None:
        """The Local pair through which an agent's phone is called, as far as its name tells."""
        for name, pair in call.dials.items():
            if agent in (pair.agent, self._live.phones.member(name.rpartition("-")[0])) and self._there(pair.uniqueid):
                return pair.root
        return None


def _arrived(uniqueid: str | None, now: float | None) -> float | None:
    """When the PBX made a channel, to the second. Never later than now."""
    made = made_at(uniqueid or "")
    if made is None or now is None:
        return now if made is None else made
    return min(made, now)


def _rows(snapshot: Snapshot) -> dict[str, LiveChannel]:
    """The channels by Uniqueid, a Status row (it has the DNID) before a CoreShowChannel row of the same channel."""
    rows: dict[str, LiveChannel] = {}
    for row in snapshot.channels:
        if row.uniqueid and row.uniqueid not in snapshot.gone and (row.dnid or row.uniqueid not in rows):
            rows[row.uniqueid] = row
    return rows
