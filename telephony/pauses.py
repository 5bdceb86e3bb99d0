"""Whether agents are paused in their queues, as the PBX says. Pure: events in, changes out.

A pause belongs to a member of a queue, and an agent may be a member of several, under several names of the phone. An
agent is paused who is paused in all of them: whom one queue still rings takes calls. Members whom nobody told of by a
list (:meth:`Pauses.listed`) are learnt as events name them.
"""

from collections.abc import Sequence
from typing import NamedTuple

from telephony.phones import Phones
from telephony.queue_events import MemberPaused, MemberRow, headers

LONGEST_REASON = 79  # bytes; a longer one is cut there by Asterisk (22.10), within a character if need be
_NO = "0"


class PauseSeen(NamedTuple):
    """An agent (extension) is paused in all queues on this PBX from now on, or not any more.

    ``reason`` as the PBX was told, None without one. ``at``: epoch seconds on the PBX's clock, None: from a list.
    """

    pbx: str
    agent: str
    paused: bool
    reason: str | None
    at: float | None


class Pauses:
    """The members of one PBX's queues. ``phones`` say whose an interface is; what is nobody's is not told."""

    def __init__(self, pbx: str, phones: Phones) -> None:
        self._pbx, self._phones = pbx, phones
        self._members: dict[str, dict[tuple[str, str], tuple[bool, str | None]]] = {}
        self._told: dict[str, tuple[bool, str | None]] = {}

    def feed(self, event: MemberPaused, at: float | None) -> PauseSeen | None:
        """What an event changes; None when nothing."""
        told = headers(event.text)
        agent = self._phones.member(event.interface)
        if agent is None or event.queue is None or event.interface is None or "Paused" not in told:
            return None
        stands = self._stands(told["Paused"], told.get("PausedReason"))
        self._members.setdefault(agent, {})[event.queue, event.interface] = stands
        return self._change(agent, stands[1], at)

    def listed(self, rows: Sequence[MemberRow]) -> list[PauseSeen]:
        """All members, as the PBX lists them: how every agent stands, whether that is news or not."""
        self._members, self._told = {}, {}
        for row in rows:
            agent = self._phones.member(row.interface)
            if agent is not None and row.queue is not None and row.interface is not None and row.paused is not None:
                stands = self._stands(row.paused, row.reason)
                self._members.setdefault(agent, {})[row.queue, row.interface] = stands
        reasons = {agent: next((why for _, why in of.values() if why), None) for agent, of in self._members.items()}
        return [seen for agent, why in reasons.items() if (seen := self._change(agent, why, None)) is not None]

    def _change(self, agent: str, reason: str | None, at: float | None) -> PauseSeen | None:
        paused = all(of for of, _ in self._members[agent].values())
        now = (paused, reason if paused else None)
        if self._told.get(agent) == now:
            return None
        self._told[agent] = now
        return PauseSeen(self._pbx, agent, *now, at)

    def _stands(self, paused: str, reason: str | None) -> tuple[bool, str | None]:
        return paused.strip() != _NO, (reason or "").strip() or None
