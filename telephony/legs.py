"""One call while it lasts: the phones that ring or talk for it, and the facts this makes. Pure.

Facts are about agents, events are about channels: an agent may have several legs in one call (two devices on one
extension, a phone that takes over from another). The agent's card is shown from the first leg that rings until no leg
rings or talks; a leg that is over stays known until the call ends, so that a late or doubled event about it changes
nothing.

A Local pair is nobody's phone: the phones that its other half calls ring, and belong to the pair (``Leg.pair``). Only
where a pair calls phones that nobody knows does it stand for the queue's member itself (``Leg.local``).
"""

from enum import Enum
from typing import NamedTuple

from telephony.call import (
    Answered,
    CallKey,
    Confirmed,
    Ended,
    Fact,
    Held,
    Left,
    LeftMessage,
    Outcome,
    Over,
    Queued,
    Rang,
    Recorded,
    Resumed,
    Stopped,
)


class Phase(Enum):
    """Where one phone is in one call."""

    ASIDE = "aside"  # rings or talks for an agent who consults, the caller is not part of it
    RINGING = "ringing"
    UP = "up"
    OVER = "over"


class Pair(NamedTuple):
    """A Local pair that was called for the caller: by whose queue, for which member, as whose part."""

    root: str  # the pair that the caller's channel called; this one, or the one behind which this one was called
    queue: str | None
    agent: str | None  # the queue's member by its interface
    sure: bool  # the configuration names that agent for that interface
    uniqueid: str  # of the half that was called
    cancelled: bool = False  # whoever called it gave it up


class Leg:
    """One phone's channel in a call."""

    __slots__ = ("agent", "by", "ending", "local", "pair", "phase", "queue", "via")

    def __init__(
        self,
        agent: str,
        queue: str | None,
        *,
        local: bool = False,
        via: str | None = None,
        pair: str | None = None,
    ) -> None:
        self.agent = agent
        self.queue = queue
        self.by: str | None = None  # the Uniqueid of the channel that calls it
        self.local = local  # the channel is a Local half, with a phone behind it that nobody knows
        self.phase = Phase.RINGING
        self.via = via  # the channel that calls it, while it rings aside
        self.pair = pair  # the root of the Local pairs through which it is called for the caller
        self.ending: Over | None = None  # what the end of its dialling suggests; its hang-up tells


class OpenCall:
    """The state of one call. Every method appends the facts it makes to ``out``."""

    __slots__ = (
        "answered", "answering", "channel", "confirmed", "dials", "doubt", "files", "held", "key", "legs", "messages",
        "queue", "shown", "since", "stopped", "talking", "unheard", "uniqueid", "waning",
    )  # fmt: skip

    def __init__(self, key: CallKey, uniqueid: str, channel: str) -> None:
        self.key = key
        self.uniqueid = uniqueid
        self.channel = channel
        self.since: float | None = None  # our clock, when it was first seen to be unconfirmed
        self.confirmed = False
        self.queue: str | None = None
        self.legs: dict[str, Leg] = {}
        self.dials: dict[str, Pair] = {}  # Local pairs (names without ;1) that were called for the caller
        self.shown: dict[str, None] = {}  # the agents for whom it rings or who talk, in order
        self.talking: dict[str, bool] = {}  # agent -> still talking; in the order of first talk
        self.held: set[str] = set()
        self.files: set[str] = set()
        self.messages: set[str | None] = set()
        self.answered = False
        self.answering = False  # a phone has answered and the others' dialling is being cancelled
        self.doubt = False  # nobody listened when it may have been answered (telephony.resync)
        self.unheard = False  # the same, until a snapshot tells
        self.waning = False  # phones were given up that have not hung up yet, for all we know
        self.stopped = False

    @property
    def agents(self) -> tuple[str, ...]:
        """Everybody who talked, by first talk."""
        return tuple(self.talking)

    def confirm(self, at: float | None, out: list[Fact]) -> None:
        """A second fitting event was seen."""
        if not self.confirmed:
            self.confirmed = True
            out.append(Confirmed(call=self.key, at=at))

    def join(self, queue: str, at: float | None, out: list[Fact]) -> None:
        """The caller entered a queue."""
        if self.queue != queue:
            self.queue = queue
            out.append(Queued(call=self.key, at=at, queue=queue))

    # -- who rings

    def ring(self, uid: str, leg: Leg, at: float | None, out: list[Fact]) -> None:
        """A phone begins to ring. A channel rings once in its life."""
        if uid in self.legs:
            return
        self.answering = False
        self.legs[uid] = leg
        if leg.via is not None:
            leg.phase = Phase.ASIDE
        elif leg.agent not in self.shown:
            self.shown[leg.agent] = None
            out.append(Rang(call=self.key, at=at, agent=leg.agent, queue=leg.queue))

    def forward(self, by: str | None) -> None:
        """A channel calls on after it gave a phone up, before that hung up: the phone sent the call elsewhere (302)."""
        if self.waning:
            for leg in self.legs.values():
                cancelled = leg.ending is Over.GAVE_UP or (leg.ending is not None and leg.pair is not None)
                if cancelled and leg.phase is Phase.RINGING and leg.by == by:
                    leg.ending = Over.REJECTED

    def reach(self, channels: set[str], at: float | None, out: list[Fact]) -> None:
        """The caller's side has these channels: phones that they call ring for the caller from now on."""
        for uid, leg in list(self.legs.items()):
            if leg.phase is Phase.ASIDE and leg.via in channels:
                del self.legs[uid]
                pair = self.dials.get(leg.via)
                if pair is not None:
                    leg.pair, leg.queue = pair.root, pair.queue
                leg.via, leg.phase = None, Phase.RINGING
                self.ring(uid, leg, at, out)

    def behind(self, root: str) -> list[tuple[str, Leg]]:
        """The legs that ring or talk through a Local pair."""
        return [(uid, leg) for uid, leg in self.legs.items() if leg.pair == root]

    def pick_up(self, uid: str, at: float | None, out: list[Fact]) -> None:
        """A phone was answered; whether its agent talks with the caller is told by the queue or by a bridge.

        Dial cancels the other phones before it says so, a queue afterwards.
        """
        leg = self.legs.get(uid)
        if leg is not None and leg.phase is Phase.ASIDE:
            leg.via = ""  # answered by a colleague who consults: it rings no more
            return
        self.answering = True
        if leg is not None and leg.phase is Phase.RINGING:
            leg.phase = Phase.UP
        if self.waning:
            self.waning = False
            for other in [x for x in self.legs.values() if x.ending is Over.GAVE_UP and x.phase is Phase.RINGING]:
                other.phase = Phase.OVER
                self._stop(other.agent, Over.ANSWERED_ELSEWHERE, at, out)

    def cancel(self, uid: str, at: float | None, out: list[Fact]) -> None:
        """A phone's dialling was given up, for another phone or because the caller is gone."""
        if self.answering:
            self.silence(uid, Over.ANSWERED_ELSEWHERE, at, out)
        elif (leg := self.legs.get(uid)) is not None and leg.ending is None:
            self.waning = True
            pair = None if leg.pair is None else self.dials.get(leg.pair)
            leg.ending = Over.GAVE_UP if pair is None or pair.cancelled else Over.NO_ANSWER  # FollowMe's time was over
            if leg.phase is Phase.ASIDE:
                leg.phase = Phase.OVER

    def silence(self, uid: str, why: Over, at: float | None, out: list[Fact]) -> None:
        """A phone stops ringing."""
        leg = self.legs.get(uid)
        if leg is None or leg.phase not in (Phase.RINGING, Phase.ASIDE):
            return
        leg.phase = Phase.OVER
        self._stop(leg.agent, why, at, out)

    def refuse(self, legs: list[Leg], why: Over, at: float | None, out: list[Fact]) -> None:
        """A queue gave these legs up: they ring no more, answered or not."""
        for leg in legs:
            if leg.phase in (Phase.RINGING, Phase.UP) and not self.talking.get(leg.agent):
                leg.phase = Phase.OVER
        for leg in legs:
            self._stop(leg.agent, why, at, out)

    def hand_over(self, target: str, picker: str, agent: str | None, at: float | None, out: list[Fact]) -> None:
        """A colleague picks up the call that rings at ``target``, with a channel of their own (call pickup)."""
        leg = self.legs.get(target)
        if leg is None:
            return
        if agent is not None and picker not in self.legs:
            taken = self.legs[picker] = Leg(agent, leg.queue, via="" if leg.phase is Phase.ASIDE else None)
            taken.phase = Phase.ASIDE if leg.phase is Phase.ASIDE else Phase.UP
        if leg.phase is not Phase.ASIDE:
            self.answering = True
        if leg.phase in (Phase.RINGING, Phase.ASIDE):
            leg.phase = Phase.OVER
            self._stop(leg.agent, Over.ANSWERED_ELSEWHERE, at, out)

    # -- who talks

    def talk(self, uid: str, agent: str, queue: str | None, at: float | None, out: list[Fact], *, local: bool) -> None:
        """An agent talks with the caller on this channel."""
        leg = self.legs.get(uid)
        if leg is None:
            leg = self.legs[uid] = Leg(agent, queue, local=local)
        elif leg.phase is Phase.OVER:
            return
        for other in self.legs.values():
            if other.agent == leg.agent and other.phase is Phase.RINGING:
                other.phase = Phase.OVER
        leg.phase = Phase.UP
        self.answered = True
        if not self.talking.get(leg.agent):
            self.talking[leg.agent] = True
            self.shown[leg.agent] = None
            out.append(Answered(call=self.key, at=at, agent=leg.agent, queue=queue))

    def leave(self, agent: str, why: Over, at: float | None, out: list[Fact]) -> None:
        """An agent talks no more, whatever its channels still do."""
        for leg in self.legs.values():
            if leg.agent == agent and leg.phase is Phase.UP:
                leg.phase = Phase.OVER
        if self.talking.get(agent):
            self.talking[agent] = False
            self.held.discard(agent)
            self.shown.pop(agent, None)
            out.append(Left(call=self.key, at=at, agent=agent, why=why))
            self._ring_on(agent, at, out)
        else:
            self._stop(agent, why, at, out)  # the event that told of the talk was lost

    def done(self, agent: str, at: float | None, out: list[Fact]) -> None:
        """The queue says that an agent has finished.

        Where a phone is known, its hang-up or a transfer tells better: when an agent hung up to complete a transfer
        Asterisk 16 said this just before the transfer.
        """
        if not any(x.agent == agent and x.phase is Phase.UP and not x.local for x in self.legs.values()):
            self.leave(agent, Over.ENDED, at, out)

    def park(self, at: float | None, out: list[Fact]) -> None:
        """The caller was put where nobody talks, for anybody to fetch."""
        for agent in [name for name, now in self.talking.items() if now]:
            self.leave(agent, Over.TRANSFERRED, at, out)

    def hang_up(self, uid: str, why: Over | None, at: float | None, out: list[Fact]) -> None:
        """A phone's channel is gone; ``why`` is what its cause says, should it have rung until now."""
        leg = self.legs.get(uid)
        if leg is None or leg.phase is Phase.OVER:
            return
        if leg.phase is not Phase.UP:
            self.silence(uid, why or leg.ending or Over.GAVE_UP, at, out)
            return
        leg.phase = Phase.OVER
        if not self.talking.get(leg.agent):
            self._stop(leg.agent, Over.GAVE_UP, at, out)  # answered, but the caller was gone
        elif not leg.local and not any(x.agent == leg.agent and x.phase is Phase.UP for x in self.legs.values()):
            # a Local leg goes when it is optimised away; its agent talks on, until AgentComplete or the end
            self.leave(leg.agent, Over.LOST if why is Over.LOST else Over.ENDED, at, out)

    def hold(self, uid: str, at: float | None, out: list[Fact], *, on: bool) -> None:
        """The agent on this channel held the caller, or took the caller back."""
        leg = self.legs.get(uid)
        if leg is None or not self.talking.get(leg.agent) or (leg.agent in self.held) is on:
            return
        if on:
            self.held.add(leg.agent)
            out.append(Held(call=self.key, at=at, agent=leg.agent))
        else:
            self.held.discard(leg.agent)
            out.append(Resumed(call=self.key, at=at, agent=leg.agent))

    # -- what the dialplan and the recorder say

    def record(self, files: tuple[str, ...], at: float | None, out: list[Fact]) -> None:
        """The PBX told of a recording's files."""
        new = tuple(name for name in files if name not in self.files)
        if new:
            self.files.update(new)
            self.stopped = False
            out.append(Recorded(call=self.key, at=at, files=new))

    def stop_recording(self, at: float | None, out: list[Fact]) -> None:
        """The PBX told that the recording is at its end."""
        if not self.stopped:
            self.stopped = True
            out.append(Recorded(call=self.key, at=at, stopped=True))

    def message(self, file: str | None, at: float | None, out: list[Fact]) -> None:
        """The caller left a message."""
        if file not in self.messages:
            self.messages.add(file)
            out.append(LeftMessage(call=self.key, at=at, file=file))

    # -- the end

    def end(self, at: float | None, out: list[Fact], *, lost: bool = False) -> None:
        """The caller is gone, or the PBX is: everybody's card goes too."""
        if self.shown:
            endings = {x.agent: x.ending for x in self.legs.values() if x.phase is Phase.RINGING}
            for leg in self.legs.values():
                leg.phase = Phase.OVER
            for agent in [name for name, now in self.talking.items() if now]:
                self.leave(agent, Over.LOST if lost else Over.ENDED, at, out)
            for agent in list(self.shown):
                self._stop(agent, Over.LOST if lost else endings.get(agent) or Over.GAVE_UP, at, out)
        out.append(Ended(call=self.key, at=at, outcome=Outcome.LOST if lost else self.outcome()))

    def outcome(self) -> Outcome:
        """How it stands for the caller if the call ended now."""
        if self.answered:
            return Outcome.ANSWERED
        if self.messages:
            return Outcome.VOICEMAIL
        return Outcome.LOST if self.doubt or self.unheard else Outcome.ABANDONED

    def _rings(self, agent: str) -> bool:
        return any(leg.agent == agent and leg.phase in (Phase.RINGING, Phase.UP) for leg in self.legs.values())

    def _ring_on(self, agent: str, at: float | None, out: list[Fact]) -> None:
        """An agent who left while another phone of theirs rings for the same caller is rung by it."""
        if self._rings(agent):
            self.shown[agent] = None
            out.append(Rang(call=self.key, at=at, agent=agent))

    def _stop(self, agent: str, why: Over, at: float | None, out: list[Fact]) -> None:
        if agent in self.shown and not self._rings(agent) and not self.talking.get(agent):
            del self.shown[agent]
            out.append(Stopped(call=self.key, at=at, agent=agent, why=why))
