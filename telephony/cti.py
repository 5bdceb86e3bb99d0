"""Calls as another telephone system tells of them: the generic CTI dialect that sipgate began and Zammad speaks. Pure.

Three kinds of word, each a set of fields; a field may stand several times (``user[]``):

======== ====================================================== =====================================================
event    fields                                                 what becomes of it
======== ====================================================== =====================================================
newCall  callId from to direction=in [user[]] [queue]           Arrived, Confirmed, [Queued], Rang for each user
newCall  of a call that is known, with other users              Rang for those who are new: it was forwarded
answer   callId [user] [answeringNumber]                        Answered; who rang besides: Stopped; who talked: Left
hangup   callId [cause]                                         Stopped or Left for everybody, Ended
======== ====================================================== =====================================================

Whoever posts these knows the token of the address, so that a call is confirmed as it arrives. Everything else is taken
for what it may be: doubled, out of order, for a number that is not ours, of a call nobody told of. Such words are
counted and mean nothing. A call whose hangup never comes is lost after ``longest`` seconds.
"""

import re
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from numbering.identify import identify
from numbering.number import Kind
from telephony.call import (
    Answered,
    Arrived,
    CallKey,
    Confirmed,
    Ended,
    Fact,
    Left,
    Outcome,
    Over,
    Queued,
    Rang,
    Stopped,
)
from telephony.lines import Lines

Told = Mapping[str, Sequence[str]]

MOST = 10_000  # calls at once; more are somebody's mistake
RINGING = 50  # telephones for one call
LONGEST = 4 * 3600.0  # seconds
REMEMBERED = 1000  # calls that are over, so that a word that comes again opens none anew
_PLAIN = re.compile(r"[A-Za-z0-9._-]{1,100}")
_LONG = 200  # characters of a field that are looked at


@dataclass(slots=True)
class Counts:
    """What was told. ``strange``: not understood; ``astray``: of calls not known, or known already."""

    taken: int = 0
    outgoing: int = 0
    other_numbers: int = 0
    astray: int = 0
    strange: int = 0
    too_many: int = 0


@dataclass(slots=True)
class _Open:
    """A call that is not over. ``talking``: the extension that talks; ``answered``: somebody did."""

    key: CallKey
    since: float
    ringing: dict[str, None] = field(default_factory=dict)
    talking: str | None = None
    answered: bool = False


class CtiCalls:
    """The calls of one such system. ``name`` stands where a PBX's stands; ``users``: their users, by extension.

    A user who is one of the extensions themselves needs no entry.
    """

    def __init__(self, name: str, lines: Lines, users: Mapping[str, str], longest: float = LONGEST) -> None:
        self._name, self._lines, self._longest = name, lines, longest
        self._users = {user.strip().casefold(): extension for user, extension in users.items()}
        self._users |= {extension: extension for extension in users.values()}
        self._calls: dict[str, _Open] = {}
        self._ended: OrderedDict[str, None] = OrderedDict()
        self.counts = Counts()

    def __len__(self) -> int:
        """How many calls are open."""
        return len(self._calls)

    def feed(self, told: Told, now: float) -> list[Fact]:
        """What a word means; nothing for one that means nothing. ``now``: epoch seconds, the facts' time."""
        linkedid = _linkedid(_one(told, "callId", "callid", "call_id"))
        event = _one(told, "event").casefold()
        if not linkedid or event not in ("newcall", "answer", "hangup"):
            self.counts.strange += 1
            return []
        if _one(told, "direction").casefold() == "out":
            self.counts.outgoing += 1
            return []
        call = self._calls.get(linkedid)
        if linkedid in self._ended:
            facts = []
        elif event == "newcall":
            facts = self._begins(linkedid, told, now) if call is None else self._rings(call, self._named(told), now)
        elif call is None:
            facts = []
        elif event == "answer":
            facts = self._answered(call, told, now)
        else:
            facts = self._over(linkedid, call, now)
        if facts:
            self.counts.taken += 1
        elif call is not None or event != "newcall" or linkedid in self._ended:
            self.counts.astray += 1
        return facts

    def expire(self, now: float) -> list[Fact]:
        """Calls that have been open for too long end as lost."""
        facts: list[Fact] = []
        for linkedid, call in list(self._calls.items()):
            if now - call.since >= self._longest:
                self._forget(linkedid)
                facts.append(Ended(call=call.key, at=now, outcome=Outcome.LOST))
        return facts

    def adopt(self, open_calls: Iterable[tuple[CallKey, float, bool]]) -> None:
        """Calls that were open when the service stopped: which, since when, and whether somebody had answered."""
        for key, since, answered in open_calls:
            self._calls.setdefault(key.linkedid, _Open(key, since, answered=answered))

    def _begins(self, linkedid: str, told: Told, now: float) -> list[Fact]:
        dialled = _one(told, "to")
        line = self._lines.number(dialled) or self._lines.number(f"+{dialled}")
        if line is None:
            self.counts.other_numbers += 1
            return []
        if len(self._calls) >= MOST:
            self.counts.too_many += 1
            return []
        caller: str | None = _one(told, "from")
        if identify(caller).kind is Kind.WITHHELD:
            caller = None
        call = self._calls[linkedid] = _Open(CallKey(self._name, linkedid), now)
        arrived = Arrived(call=call.key, at=now, caller=caller, caller_name=None, number=line, dialled=dialled)
        facts: list[Fact] = [arrived, Confirmed(call=call.key, at=now)]
        if queue := _one(told, "queue"):
            facts.append(Queued(call=call.key, at=now, queue=queue))
        return [*facts, *self._rings(call, self._named(told), now)]

    def _rings(self, call: _Open, users: Sequence[str], now: float) -> list[Fact]:
        facts: list[Fact] = []
        for agent in users:
            if agent not in call.ringing and agent != call.talking and len(call.ringing) < RINGING:
                call.ringing[agent] = None
                facts.append(Rang(call=call.key, at=now, agent=agent))
        return facts

    def _answered(self, call: _Open, told: Told, now: float) -> list[Fact]:
        agent = next(iter(self._named(told)), None)
        if agent is None and len(call.ringing) == 1:
            agent = next(iter(call.ringing))
        if call.answered and agent in (None, call.talking):
            return []
        before, call.answered = call.talking, True
        facts: list[Fact] = []
        if before is not None:
            facts.append(Left(call=call.key, at=now, agent=before, why=Over.TRANSFERRED))
        if agent is not None:
            facts.append(Answered(call=call.key, at=now, agent=agent))
        facts += (
            Stopped(call=call.key, at=now, agent=other, why=Over.ANSWERED_ELSEWHERE)
            for other in call.ringing
            if other != agent
        )
        call.talking = agent
        call.ringing.clear()
        return facts

    def _over(self, linkedid: str, call: _Open, now: float) -> list[Fact]:
        self._forget(linkedid)
        facts: list[Fact] = [
            Stopped(call=call.key, at=now, agent=agent, why=Over.ENDED if call.answered else Over.GAVE_UP)
            for agent in call.ringing
        ]
        if call.talking is not None:
            facts.append(Left(call=call.key, at=now, agent=call.talking, why=Over.ENDED))
        outcome = Outcome.ANSWERED if call.answered else Outcome.ABANDONED
        return [*facts, Ended(call=call.key, at=now, outcome=outcome)]

    def _forget(self, linkedid: str) -> None:
        del self._calls[linkedid]
        self._ended[linkedid] = None
        while len(self._ended) > REMEMBERED:
            self._ended.popitem(last=False)

    def _named(self, told: Told) -> list[str]:
        """The extensions that a word names, each once."""
        named = [*told.get("user[]", ()), *told.get("user", ()), *told.get("answeringNumber", ())]
        known = (self._users.get(name.strip().casefold()) for name in named[: 4 * RINGING])
        return list(dict.fromkeys(extension for extension in known if extension is not None))


def _one(told: Told, *names: str) -> str:
    """The first value of the first of these fields that is there, '' where none is. Line breaks and the like go."""
    value = next((told[name][0] for name in names if told.get(name)), "")
    return "".join(char for char in value[:_LONG] if char.isprintable()).strip()


def _linkedid(call_id: str) -> str:
    """Their name of the call as ours: as it is where it is plain, else a digest of it."""
    if not call_id or _PLAIN.fullmatch(call_id):
        return call_id
    return sha256(call_id.encode("utf-8", "surrogatepass")).hexdigest()[:32]
