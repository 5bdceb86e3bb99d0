"""One call while it lasts: the phones that ring or talk for it, and the facts this makes. Pure.

Facts are about agents, events are about channels: an agent may have several legs in one call (two devices on one
extension, a Local channel with the phone behind it). The agent rings from the first leg that rings until no leg does,
and talks until the legs that were answered are gone. A leg that is over stays known until the call ends, so that a late
or doubled event about it changes nothing.
"""

from enum import Enum

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


class Leg:
    """One phone's channel in a call."""

    __slots__ = ("agent", "local", "phase", "queue", "silent", "via")

    def __init__(self, agent: str, queue: str | None, *, local: bool, via: str | None = None) -> None:
        self.agent = agent
        self.queue = queue
        self.local = local
        self.phase = Phase.RINGING
        self.via = via  # the channel that calls it, while it rings aside
        self.silent = False  # its dialling ended without an answer, the reason is not known yet


class OpenCall:
    """The state of one call. Every method appends the facts it makes to ``out``."""

    __slots__ = (
        "answered",
        "answering",
        "channel",
        "confirmed",
        "dials",
        "files",
        "held",
        "key",
        "legs",
        "messages",
        "queue",
        "since",
        "stopped",
        "talking",
        "uniqueid",
    )

    def __init__(self, key: CallKey, uniqueid: str, channel: str) -> None:
        self.key = key
        self.uniqueid = uniqueid
        self.channel = channel
        self.since: float | None = None  # our clock, when it was first seen to be unconfirmed
        self.confirmed = False
        self.queue: str | None = None
        self.legs: dict[str, Leg] = {}
        self.dials: set[str] = set()  # Local pairs (names without ;1) that were called for the caller
        self.talking: dict[str, bool] = {}  # agent -> still talking; in the order of first talk
        self.held: set[str] = set()
        self.files: set[str] = set()
        self.messages: set[str | None] = set()
        self.answered = False
        self.answering = False  # a phone has answered and the others' dialling is being cancelled
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

    def ring(self, uid: str, leg: Leg, at: float | None, out: list[Fact]) -> None:
        """A phone begins to ring. A channel rings once in its life."""
        if uid in self.legs:
            return
        self.answering = False
        rings = self._rings(leg.agent)
        self.legs[uid] = leg
        if leg.via is not None:
            leg.phase = Phase.ASIDE
        elif not rings and not self.talking.get(leg.agent):
            out.append(Rang(call=self.key, at=at, agent=leg.agent, queue=leg.queue))

    def reach(self, channels: set[str], at: float | None, out: list[Fact]) -> None:
        """The caller hears these channels: phones that they call ring for the caller from now on."""
        for uid, leg in list(self.legs.items()):
            if leg.phase is Phase.ASIDE and leg.via in channels:
                del self.legs[uid]
                leg.via, leg.phase = None, Phase.RINGING
                self.ring(uid, leg, at, out)

    def pick_up(self, uid: str) -> None:
        """A phone was answered; whether its agent talks with the caller is told by the queue or by a bridge."""
        leg = self.legs.get(uid)
        if leg is not None and leg.phase is Phase.ASIDE:
            leg.via = ""  # answered by a colleague who consults: it rings no more
            return
        self.answering = True
        if leg is not None and leg.phase is Phase.RINGING:
            leg.phase = Phase.UP

    def silence(self, uid: str, why: Over | None, at: float | None, out: list[Fact]) -> None:
        """A phone stops ringing. Without ``why`` the reason is yet to come, with the phone's hang-up at the latest."""
        leg = self.legs.get(uid)
        if leg is not None and leg.phase is Phase.ASIDE:
            leg.phase = Phase.OVER
        if leg is None or leg.phase is not Phase.RINGING:
            return
        if why is None:
            leg.silent = True
            return
        leg.phase = Phase.OVER
        self._stop(leg.agent, why, at, out)

    def refuse(self, agent: str, why: Over, at: float | None, out: list[Fact]) -> None:
        """A queue gave an agent up: all its ringing legs are over."""
        rang = False
        for leg in self.legs.values():
            if leg.agent == agent and leg.phase is Phase.RINGING:
                leg.phase = Phase.OVER
                rang = True
        if rang:
            self._stop(agent, why, at, out)

    def talk(self, uid: str, agent: str, queue: str | None, at: float | None, out: list[Fact], *, local: bool) -> None:
        """An agent talks with the caller on this channel."""
        leg = self.legs.get(uid)
        if leg is None:
            leg = self.legs[uid] = Leg(agent, queue, local=local)
        elif leg.phase is Phase.OVER:
            return
        leg.phase = Phase.UP
        self.answered = True
        if not self.talking.get(leg.agent):
            self.talking[leg.agent] = True
            out.append(Answered(call=self.key, at=at, agent=leg.agent, queue=queue))

    def leave(self, agent: str, why: Over, at: float | None, out: list[Fact]) -> None:
        """An agent talks no more, whatever its channels still do."""
        up = [leg for leg in self.legs.values() if leg.agent == agent and leg.phase is Phase.UP]
        for leg in up:
            leg.phase = Phase.OVER
        if self.talking.get(agent):
            self.talking[agent] = False
            self.held.discard(agent)
            out.append(Left(call=self.key, at=at, agent=agent, why=why))
        elif up:
            self._stop(agent, why, at, out)  # the event that told of the talk was lost

    def done(self, agent: str, at: float | None, out: list[Fact]) -> None:
        """The queue says that an agent has finished.

        Where a phone is known, its hang-up or a transfer tells better: when an agent hung up to complete a transfer
        Asterisk 16 said this just before the transfer.
        """
        if not any(x.agent == agent and x.phase is Phase.UP and not x.local for x in self.legs.values()):
            self.leave(agent, Over.ENDED, at, out)

    def hang_up(self, uid: str, why: Over, at: float | None, out: list[Fact]) -> None:
        """A phone's channel is gone; ``why`` is what its cause says, should it have rung until now."""
        leg = self.legs.get(uid)
        if leg is None or leg.phase is Phase.OVER:
            return
        if leg.phase is not Phase.UP:
            self.silence(uid, why, at, out)
            return
        leg.phase = Phase.OVER
        if not self.talking.get(leg.agent):
            self._stop(leg.agent, Over.GAVE_UP, at, out)  # answered, but the caller was gone
        elif not leg.local and not any(x.agent == leg.agent and x.phase is Phase.UP for x in self.legs.values()):
            # a Local leg goes when it is optimised away; its agent talks on, until AgentComplete or the end
            self.leave(leg.agent, Over.ENDED, at, out)

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

    def hand_over(self, uid: str, agent: str, at: float | None, out: list[Fact]) -> None:
        """A colleague picked up the call that rang on this channel: the channel is that colleague's from now on."""
        leg = self.legs.get(uid)
        if leg is None or leg.agent == agent:
            return
        before, leg.agent = leg.agent, agent
        if not self.talking.get(before):
            self._stop(before, Over.ANSWERED_ELSEWHERE, at, out)

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

    def end(self, at: float | None, out: list[Fact], *, lost: bool = False) -> None:
        """The caller is gone, or the PBX is: everybody's card goes too."""
        ringing = {x.agent: x.silent for x in self.legs.values() if x.phase in (Phase.RINGING, Phase.UP)}
        for agent in [name for name, now in self.talking.items() if now]:
            ringing.pop(agent, None)
            self.leave(agent, Over.LOST if lost else Over.ENDED, at, out)
        for agent, silent in ringing.items():
            why = Over.LOST if lost else Over.NO_ANSWER if silent else Over.GAVE_UP
            out.append(Stopped(call=self.key, at=at, agent=agent, why=why))
        out.append(Ended(call=self.key, at=at, outcome=Outcome.LOST if lost else self.outcome()))

    def outcome(self) -> Outcome:
        """How it stands for the caller if the call ended now."""
        if self.answered:
            return Outcome.ANSWERED
        return Outcome.VOICEMAIL if self.messages else Outcome.ABANDONED

    def _rings(self, agent: str) -> bool:
        return any(leg.agent == agent and leg.phase in (Phase.RINGING, Phase.UP) for leg in self.legs.values())

    def _stop(self, agent: str, why: Over, at: float | None, out: list[Fact]) -> None:
        if not self._rings(agent) and not self.talking.get(agent):
            out.append(Stopped(call=self.key, at=at, agent=agent, why=why))
