"""Calls as another telephone system tells of them: the generic CTI dialect that sipgate began and Zammad speaks. Pure.

Three kinds of word (:mod:`telephony.cti_words`):

======== ================================================ ==========================================================
event    of                                               what becomes of it
======== ================================================ ==========================================================
newCall  a call for one of our lines                      Arrived, Confirmed, [Queued], Rang for each user
newCall  a leg that is known, with other users            Rang for those who are new
newCall  another leg of a call that is known (origCallId) Rang: the call was forwarded, or is being handed over
answer   a leg                                            Answered; who rang besides: Stopped; who talked: Left
answer   a leg, by voicemail                              who rang: Stopped; LeftMessage
hangup   a leg, while others go on                        who rang on it: Stopped; who talked on it: Left
hangup   the last leg                                     the same, and Ended
======== ================================================ ==========================================================

A last leg that was ``forwarded`` is followed by another one: the call waits :data:`FORWARDING` seconds for it. A word
of a leg whose newCall is still on its way is kept for :data:`EARLY` seconds.

Whoever posts these knows the token of the address, so that a call is confirmed as it arrives. Everything else is taken
for what it may be: doubled, out of order, for a number that is not ours, of a call nobody told of. Such words are
counted and mean nothing. A call whose hangup never comes is lost after ``longest`` seconds.
"""

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

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
    LeftMessage,
    Outcome,
    Over,
    Queued,
    Rang,
    Stopped,
)
from telephony.cti_words import FORWARDED, VOICEMAIL, Event, Told, Word, word_of
from telephony.lines import Lines

MOST = 10_000  # calls at once; more are somebody's mistake
LEGS = 50  # of one call
RINGING = 50  # telephones for one call
LONGEST = 4 * 3600.0  # seconds
FORWARDING = 30.0  # seconds; sipgate tells of the next leg a tenth of a second later
EARLY = 30.0  # seconds
REMEMBERED = 10_000  # legs that are over, so that a word that comes again opens none anew; and legs with early words
_EARLY_WORDS = 4  # of one leg


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
class _Leg:
    """A leg that is not over. ``talked``: who talks on it, or talked until the call was handed over.

    ``seen``: its newCall was; false of a call that was open when the service stopped, so that it may be over.
    """

    ringing: dict[str, None] = field(default_factory=dict)
    talked: str | None = None
    seen: bool = True


@dataclass(slots=True)
class _Open:
    """A call that is not over.

    ``names``: its legs', those over and the one it came from too. ``talking``: the extension that talks; ``answered``:
    somebody did; ``message``: voicemail did. ``waits``: since when it has no leg. ``whole``: whether all its legs are
    known.
    """

    key: CallKey
    since: float
    legs: dict[str, _Leg]
    names: set[str]
    talking: str | None = None
    answered: bool = False
    message: bool = False
    waits: float | None = None
    whole: bool = True

    @property
    def ringing(self) -> Iterator[str]:
        """Whose telephones ring."""
        return (agent for leg in self.legs.values() for agent in leg.ringing)

    @property
    def outcome(self) -> Outcome:
        """How it ends if it ends now."""
        if self.answered:
            return Outcome.ANSWERED
        return Outcome.VOICEMAIL if self.message else Outcome.ABANDONED


class CtiCalls:
    """The calls of one such system. ``name`` stands where a PBX's stands; ``users``: their users, by extension.

    A user who is one of the extensions themselves needs no entry.
    """

    def __init__(self, name: str, lines: Lines, users: Mapping[str, str], longest: float = LONGEST) -> None:
        self._name, self._lines, self._longest = name, lines, longest
        self._users = {user.strip().casefold(): extension for user, extension in users.items()}
        self._users |= {extension.casefold(): extension for extension in users.values()}
        self._calls: dict[CallKey, _Open] = {}
        self._of_leg: dict[str, _Open] = {}
        self._ended: OrderedDict[str, None] = OrderedDict()
        self._early: OrderedDict[str, list[tuple[float, Word]]] = OrderedDict()
        self.counts = Counts()

    def __len__(self) -> int:
        """How many calls are open."""
        return len(self._calls)

    def feed(self, told: Told, now: float) -> list[Fact]:
        """What a word means; nothing for one that means nothing. ``now``: epoch seconds, the facts' time."""
        word = word_of(told)
        if word is None:
            self.counts.strange += 1
            return []
        if word.outgoing:
            self.counts.outgoing += 1
            return []
        before = self.counts.other_numbers + self.counts.too_many
        facts = self._meant(word, now)
        if facts:
            self.counts.taken += 1
        elif before == self.counts.other_numbers + self.counts.too_many:
            self.counts.astray += 1
        return facts

    def expire(self, now: float) -> list[Fact]:
        """Calls that have been open for too long end as lost, those that were forwarded to nowhere as they are."""
        facts: list[Fact] = []
        for call in list(self._calls.values()):
            if now - call.since >= self._longest:
                self._forget(call)
                facts.append(Ended(call=call.key, at=now, outcome=Outcome.LOST))
            elif call.waits is not None and now - call.waits >= FORWARDING:
                facts += self._end(call, now)
        return facts

    def adopt(self, open_calls: Iterable[tuple[CallKey, float, bool]], ended: Iterable[CallKey] = ()) -> None:
        """Calls that were open when the service stopped: which, since when, and whether somebody had answered.

        ``ended``: those that were over by then.
        """
        for key, since, answered in open_calls:
            name = key.linkedid
            if name not in self._of_leg:
                call = _Open(key, since, {name: _Leg(seen=False)}, {name}, answered=answered, whole=False)
                self._calls[key] = self._of_leg[name] = call
        for key in ended:
            self._over_with(key.linkedid)

    def _meant(self, word: Word, now: float) -> list[Fact]:
        if word.leg in self._ended:
            return []
        call = self._of_leg.get(word.leg) or self._of_leg.get(word.first)
        if call is None:
            return self._begins(word, now) if word.event is Event.NEW else self._keep(word, now)
        if word.leg in call.names and word.leg not in call.legs:
            return []  # that leg is over
        if word.event is Event.NEW:
            return self._rings(call, word, now)
        if word.leg not in call.names and call.whole:
            return self._keep(word, now)
        return self._answered(call, word, now) if word.event is Event.ANSWER else self._over(call, word, now)

    def _begins(self, word: Word, now: float) -> list[Fact]:
        line = self._lines.number(word.dialled) or self._lines.number(f"+{word.dialled}")
        if line is None:
            self.counts.other_numbers += 1
            return []
        if len(self._calls) >= MOST:
            self.counts.too_many += 1
            return []
        caller = None if identify(word.caller).kind is Kind.WITHHELD else word.caller
        call = _Open(CallKey(self._name, word.leg), now, {}, set())
        self._calls[call.key] = call
        if word.first and word.first != word.leg and word.first not in self._of_leg:
            call.names.add(word.first)  # of which nobody told, or it is over: what follows it is one call
            self._of_leg[word.first] = call
        facts: list[Fact] = [
            Arrived(call=call.key, at=now, caller=caller, caller_name=None, number=line, dialled=word.dialled),
            Confirmed(call=call.key, at=now),
        ]
        if word.queue:
            facts.append(Queued(call=call.key, at=now, queue=word.queue))
        return [*facts, *self._rings(call, word, now)]

    def _rings(self, call: _Open, word: Word, now: float) -> list[Fact]:
        if word.leg not in call.legs and len(call.names) >= LEGS:
            return []
        facts: list[Fact] = []
        leg, ringing = self._leg(call, word.leg, seen=True), set(call.ringing)
        for agent in self._named(word):
            if agent not in ringing and agent != call.talking and len(ringing) < RINGING:
                leg.ringing[agent] = None
                ringing.add(agent)
                facts.append(Rang(call=call.key, at=now, agent=agent))
        return [*facts, *self._said_before(word.leg, now)]

    def _leg(self, call: _Open, name: str, *, seen: bool) -> _Leg:
        """One of a call's legs, new or not."""
        leg = call.legs.get(name)
        if leg is None:
            leg = call.legs[name] = _Leg(seen=seen)
            call.names.add(name)
            self._of_leg[name] = call
            call.waits = None
        return leg

    def _answered(self, call: _Open, word: Word, now: float) -> list[Fact]:
        leg = self._leg(call, word.leg, seen=False)
        agent = next(iter(self._named(word)), None)
        ringing = list(call.ringing)
        if agent is None and VOICEMAIL in word.users:
            return self._recorded(call, leg, now)
        if agent is None and len(ringing) == 1:
            agent = ringing[0]
        if call.answered and agent in (None, call.talking, leg.talked):
            return []
        before, call.answered, call.talking, leg.talked = call.talking, True, agent, agent
        facts: list[Fact] = []
        if before is not None:
            facts.append(Left(call=call.key, at=now, agent=before, why=Over.TRANSFERRED))
        if agent is not None:
            facts.append(Answered(call=call.key, at=now, agent=agent))
        others = (other for other in ringing if other != agent)
        facts += (Stopped(call=call.key, at=now, agent=other, why=Over.ANSWERED_ELSEWHERE) for other in others)
        for one in call.legs.values():
            one.ringing.clear()
        return facts

    def _recorded(self, call: _Open, leg: _Leg, now: float) -> list[Fact]:
        """Voicemail answers."""
        facts: list[Fact] = [Stopped(call=call.key, at=now, agent=agent, why=Over.NO_ANSWER) for agent in leg.ringing]
        leg.ringing.clear()
        if not call.message:
            call.message = True
            facts.append(LeftMessage(call=call.key, at=now, file=None))
        return facts

    def _over(self, call: _Open, word: Word, now: float) -> list[Fact]:
        """A leg is over, and the call with the last of them."""
        over = [call.legs.pop(word.leg, _Leg(seen=False))]
        if not over[0].seen:  # after a restart: which of these legs were over already, nobody knows
            over += [call.legs.pop(name) for name, leg in list(call.legs.items()) if not leg.seen]
        ringing = [agent for leg in over for agent in leg.ringing]
        if not call.legs and not (word.cause.casefold() == FORWARDED and word.first):
            return self._end(call, now, ringing)
        facts: list[Fact] = [Stopped(call=call.key, at=now, agent=agent, why=Over.NO_ANSWER) for agent in ringing]
        if call.talking is not None and call.talking in (leg.talked for leg in over):
            facts.append(Left(call=call.key, at=now, agent=call.talking, why=Over.TRANSFERRED))
            call.talking = next((leg.talked for leg in call.legs.values() if leg.talked is not None), None)
            if call.talking is not None:  # whoever had handed it over is back
                facts.append(Answered(call=call.key, at=now, agent=call.talking))
        call.waits = None if call.legs else now
        return facts

    def _end(self, call: _Open, now: float, ringing: Sequence[str] = ()) -> list[Fact]:
        self._forget(call)
        why = Over.ENDED if call.answered else Over.GAVE_UP
        facts: list[Fact] = [Stopped(call=call.key, at=now, agent=agent, why=why) for agent in ringing]
        if call.talking is not None:
            facts.append(Left(call=call.key, at=now, agent=call.talking, why=Over.ENDED))
        return [*facts, Ended(call=call.key, at=now, outcome=call.outcome)]

    def _keep(self, word: Word, now: float) -> list[Fact]:
        """It may have overtaken its newCall."""
        kept = self._early.setdefault(word.leg, [])
        if len(kept) < _EARLY_WORDS:
            kept.append((now, word))
        while len(self._early) > REMEMBERED:
            self._early.popitem(last=False)
        return []

    def _said_before(self, leg: str, now: float) -> list[Fact]:
        """What was told of a leg before its newCall came: an answer counts before the end."""
        early = [word for at, word in self._early.pop(leg, ()) if 0 <= now - at < EARLY]
        facts: list[Fact] = []
        for word in sorted(early, key=lambda word: word.event is Event.HANGUP):
            facts += self._meant(word, now)
        return facts

    def _forget(self, call: _Open) -> None:
        del self._calls[call.key]
        for name in call.names:
            del self._of_leg[name]
            self._over_with(name)

    def _over_with(self, leg: str) -> None:
        self._ended[leg] = None
        while len(self._ended) > REMEMBERED:
            self._ended.popitem(last=False)

    def _named(self, word: Word) -> Sequence[str]:
        """The extensions that a word names, each once."""
        known = (self._users.get(name) for name in word.users)
        return list(dict.fromkeys(extension for extension in known if extension is not None))
