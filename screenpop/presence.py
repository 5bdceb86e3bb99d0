"""What state an agent is in, as a table of what may happen to it.

Three states are kept, by extension: ready, paused, and the work after a call (wrap-up), which ends by itself. Whether
the phone rings or somebody talks is not among them: the cards know that, and they are shown first. What follows:

- The end of a talk begins the work after it, for as long as the line says (0: none). A later talk's end begins anew,
  about the later call.
- A pause outlasts calls, reloads and restarts; only a person ends it, or the PBX. The work after a call goes on in it,
  so that nothing that was being typed is taken away.
- What the PBX says of a pause is so, whoever did it. When it ends one, the work after a call may still go on.
- Somebody else who sits down at the phone finds it ready, or paused as it is at the PBX; never with a colleague's work.

Pure: no clock (``now``, epoch seconds, is an argument), no I/O.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, TypeAlias

from telephony.call import Answered, Arrived, CallKey, Ended, Fact, Left

MOST_AHEAD = 1800.0  # seconds; the work after a call is prolonged to so long from now at most


class AgentState(StrEnum):
    """What an agent is, when the phone is silent."""

    READY = "ready"
    PAUSED = "paused"
    WRAP_UP = "wrap_up"


@dataclass(frozen=True, slots=True)
class Standing:
    """An agent's state ``since`` epoch seconds (None: since nobody knows when); ``reason`` is a pause's.

    ``call``: which call the work is about, ``until`` when that is over by itself; both None where there is none.
    """

    state: AgentState = AgentState.READY
    since: float | None = None
    reason: str | None = None
    until: float | None = None
    call: CallKey | None = None


@dataclass(frozen=True, slots=True)
class TalkOver:
    """The agent talked in ``call`` and does not any more; ``seconds`` of work follow."""

    call: CallKey
    seconds: float


@dataclass(frozen=True, slots=True)
class Pause:
    """The agent takes a pause, or the PBX says so."""

    reason: str | None


@dataclass(frozen=True, slots=True)
class Unpaused:
    """The PBX has ended the pause."""


@dataclass(frozen=True, slots=True)
class Ready:
    """The agent is ready for the next call."""


@dataclass(frozen=True, slots=True)
class WrapUp:
    """The agent goes back to work about ``call``, None: about no call in particular."""

    call: CallKey | None
    seconds: float


@dataclass(frozen=True, slots=True)
class Done:
    """The work after the call is done."""


@dataclass(frozen=True, slots=True)
class Longer:
    """The work takes ``seconds`` longer."""

    seconds: float


@dataclass(frozen=True, slots=True)
class TimeOver:
    """Time has passed."""


@dataclass(frozen=True, slots=True)
class TakenOver:
    """Somebody sits down at a phone where nobody sat, or somebody else."""


Happening: TypeAlias = TalkOver | Pause | Unpaused | Ready | WrapUp | Done | Longer | TimeOver | TakenOver


def after(before: Standing, what: Happening, now: float) -> Standing:
    """The state after something happened; the same one where that changes nothing."""
    paused = before.state is AgentState.PAUSED
    found = before
    match what:
        case TalkOver(call=call, seconds=seconds) if seconds > 0:
            found = _work(before, call, seconds, now)
        case WrapUp(call=call, seconds=seconds):
            found = Standing(AgentState.WRAP_UP, now, until=now + seconds, call=call)
        case Pause(reason=reason) if not paused or before.reason != reason:
            found = replace(before, state=AgentState.PAUSED, since=now, reason=reason)
        case Unpaused() if paused:
            still = before.until is not None and before.until > now
            found = replace(before, state=AgentState.WRAP_UP, since=now, reason=None) if still else _ready(now)
        case Longer(seconds=seconds) if before.until is not None:
            found = replace(before, until=min(max(before.until, now) + seconds, now + MOST_AHEAD))
        case Ready() if before.state is not AgentState.READY:
            found = _ready(now)
        case Done() if before.until is not None:
            found = _free(before, now)
        case TimeOver() if before.until is not None and before.until <= now:
            found = _free(before, now)
        case TakenOver():
            found = replace(before, until=None, call=None) if paused else _ready(now)
    return found


def _ready(now: float) -> Standing:
    return Standing(AgentState.READY, now)


def _work(before: Standing, call: CallKey, seconds: float, now: float) -> Standing:
    if before.state is AgentState.PAUSED:
        return replace(before, until=now + seconds, call=call)
    return Standing(AgentState.WRAP_UP, now, until=now + seconds, call=call)


def _free(before: Standing, now: float) -> Standing:
    """Without the work after a call."""
    if before.state is AgentState.PAUSED:
        return replace(before, until=None, call=None)
    return _ready(now)


def standing_json(standing: Standing, ticket: tuple[int, str] | None = None) -> dict[str, Any]:
    """As pages read it; ``ticket``: id and number of the call's."""
    return {
        "state": standing.state.value,
        "reason": standing.reason,
        "since": standing.since,
        "until": standing.until,
        "call": None if standing.call is None else str(standing.call),
        "ticket": None if ticket is None else {"id": ticket[0], "number": ticket[1]},
    }


@dataclass(frozen=True, slots=True)
class Talked:
    """An agent's talk on one of our numbers (``line``) is over; ``cause`` is the same for whoever saw it."""

    agent: str
    call: CallKey
    line: str
    cause: str


class Talks:
    """Tells ends of talks from the facts, in their order; an agent whom a lost call was with has talked too."""

    def __init__(self) -> None:
        self._lines: dict[CallKey, str] = {}
        self._talking: dict[CallKey, dict[str, str]] = {}  # the agents, and what tells this talk from another

    def apply(self, fact: Fact) -> list[Talked]:
        """The talks that a fact ends."""
        call = fact.call
        match fact:
            case Arrived(number=number):
                self._lines[call] = number
            case Answered(agent=agent, at=at) if call in self._lines:
                self._talking.setdefault(call, {}).setdefault(agent, "" if at is None else _moment(at))
            case Left(agent=agent, at=at):
                began = self._talking.get(call, {}).pop(agent, None)
                # Whoever saw only the end of a talk saw it at the same moment as others.
                return [] if began is None else [self._over(call, agent, began if at is None else _moment(at))]
            case Ended():
                left = self._talking.pop(call, {})
                over = [self._over(call, agent, began) for agent, began in left.items()]
                self._lines.pop(call, None)
                return over
        return []

    def __len__(self) -> int:
        """How many calls are watched."""
        return len(self._lines)

    def _over(self, call: CallKey, agent: str, began: str) -> Talked:
        return Talked(agent, call, self._lines.get(call, ""), f"{call}#{began}")


def _moment(at: float) -> str:
    return f"{at:.6f}"
