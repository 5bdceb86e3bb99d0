"""What call records tell of a call: who rang which number, who spoke with the caller, how and when it ended. Pure.

The rules, each seen on Asterisk 16.28 and 22.10 (``docs/telephony.md``, "What happened while nobody listened"):

- The rows of a call are those of the caller's channel, one for each party in turn: its ``uniqueid`` is the call.
- An agent spoke where a row says ANSWERED and its ``dstchannel`` is the agent's phone. Behind a Local pair it is the
  rows of the pair's other half (``;2``) that name the phone, and those who got the caller by transfer; an optimised
  pair is followed by a row of the caller's own. Consulted colleagues have rows of other channels and do not count.
- ``dst`` is written over by every transfer (the first row of a transferred call may say ``1003``), so the number is
  taken from a ``did`` column, from ``did=`` in ``userfield``, and only then from ``dst``.
- ``answer`` of the caller's rows is when the dialplan answered, not when an agent did: of a queue no row tells when an
  agent picked up, only between which moments. Behind a Local pair one does.
- A row without ``dstchannel`` says ANSWERED for menus, announcements and voicemail.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from telephony.call import Outcome
from telephony.cdr_rows import Row
from telephony.identity import is_number, made_at
from telephony.lines import Lines
from telephony.phones import Phones, is_local

_TOLD = re.compile(r"(?:^|[&;,|])\s*(\w+)=([^&;,|]*)")
_VOICEMAIL = frozenset({"VoiceMail", "Record", "MinivmRecord"})
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_DEEPEST = 8  # Local pairs behind Local pairs


@dataclass(frozen=True, slots=True)
class Talk:
    """An agent spoke with the caller, at some time between these moments. ``queue``: the queue it came from."""

    agent: str
    begins: float
    ends: float
    queue: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PastCall:
    """A call as its records tell it. ``number`` is None where they do not name one of ours. Times: epoch seconds.

    ``waits``: the queues and when the caller entered them at the earliest. ``talks`` are in their order; an agent may
    be there twice, but not in a row.
    """

    uniqueid: str
    caller: str | None
    caller_name: str | None
    number: str | None
    dialled: str
    arrived: float
    ended: float
    waits: tuple[tuple[str, float], ...]
    talks: tuple[Talk, ...]
    outcome: Outcome
    rows: int

    @property
    def queues(self) -> tuple[str, ...]:
        """The queues in which the caller waited, in their order."""
        return tuple(queue for queue, _ in self.waits)

    @property
    def agents(self) -> tuple[str, ...]:
        """Who spoke with the caller, each once, in the order of first talk."""
        return tuple(dict.fromkeys(talk.agent for talk in self.talks))


def past_calls(rows: Iterable[Row], phones: Phones, lines: Lines) -> list[PastCall]:
    """The calls that came in over a carrier, in the order of their arrival. Rows may come in any order, or twice."""
    by_channel: dict[str, list[Row]] = {}
    for row in sorted(set(rows), key=lambda row: (row.start, row.sequence)):
        by_channel.setdefault(row.channel, []).append(row)
    found = []
    for channel, its_rows in by_channel.items():
        if not phones.is_trunk(channel):
            continue
        calls: dict[str, list[Row]] = {}
        for row in its_rows:
            if row.linkedid in (None, row.uniqueid):
                calls.setdefault(row.uniqueid, []).append(row)
        found += [_call(uniqueid, legs, by_channel, phones, lines) for uniqueid, legs in calls.items()]
    return sorted(found, key=lambda call: call.arrived)


def _call(
    uniqueid: str, legs: Sequence[Row], by_channel: Mapping[str, Sequence[Row]], phones: Phones, lines: Lines
) -> PastCall:
    first = legs[0]
    made = made_at(uniqueid)
    number, dialled = _number(legs, lines)
    talks = _joined([talk for leg in legs for talk in _talks(leg, by_channel, phones, _queue(leg))])
    waits = [(queue, leg.start) for leg in legs if (queue := _queue(leg)) is not None]
    connected = any(leg.answered and leg.dest and leg.app == "Queue" for leg in legs)
    if talks or connected:
        outcome = Outcome.ANSWERED
    elif any(leg.app in _VOICEMAIL or "voicemail" in _told(leg) for leg in legs):
        outcome = Outcome.VOICEMAIL
    else:
        outcome = Outcome.ABANDONED
    name = first.caller_name
    return PastCall(
        uniqueid=uniqueid,
        caller=first.caller if is_number(first.caller) else None,
        caller_name=name if name and not _CONTROL.search(name) else None,
        number=number,
        dialled=dialled,
        arrived=first.start if made is None else made,
        ended=max(leg.end for leg in legs),
        waits=tuple(wait for i, wait in enumerate(waits) if i == 0 or waits[i - 1][0] != wait[0]),
        talks=tuple(talks),
        outcome=outcome,
        rows=len(legs),
    )


def _number(legs: Sequence[Row], lines: Lines) -> tuple[str | None, str]:
    """One of our numbers and how it stands there; the first row's ``dst`` where none does."""
    told = [leg.did for leg in legs] + [_told(leg).get("did", "") for leg in legs] + [leg.dialled for leg in legs]
    for dialled in told:
        number = lines.number(dialled)
        if number is not None:
            return number, dialled
    return None, legs[0].dialled


def _told(row: Row) -> Mapping[str, str]:
    """What the dialplan wrote into ``userfield`` as ``name=value&name=value``."""
    return dict(_TOLD.findall(row.userfield))


def _queue(row: Row) -> str | None:
    return row.data.partition(",")[0] or None if row.app == "Queue" else None


def _talks(
    leg: Row, by_channel: Mapping[str, Sequence[Row]], phones: Phones, queue: str | None, depth: int = 0
) -> list[Talk]:
    """Who spoke over one connection of the caller's."""
    if not leg.answered or not leg.dest:
        return []
    agent = phones.agent(leg.dest)
    if agent is not None:
        picked_up = leg.start if depth == 0 or leg.answer is None else max(leg.start, leg.answer)
        return [Talk(agent, min(picked_up, leg.end), leg.end, queue)]
    if not is_local(leg.dest):
        return []
    behind = [
        replace(row, start=max(row.start, leg.start), end=min(row.end, leg.end))
        for row in by_channel.get(leg.dest.removesuffix(";1") + ";2", ())
        # Channel names begin anew with each start of the PBX: only rows of the same time and call are the same pair.
        if row.start <= leg.end and row.end >= leg.start and row.linkedid in (None, leg.linkedid)
    ]
    if depth < _DEEPEST:
        talks = [talk for row in behind for talk in _talks(row, by_channel, phones, queue, depth + 1)]
        if talks:
            return talks
    member = phones.member(leg.dest.rpartition("-")[0])
    return [] if member is None else [Talk(member, leg.start, leg.end, queue)]


def _joined(talks: Sequence[Talk]) -> list[Talk]:
    """One talk for what two rows tell of one agent: a Local pair, then the phone alone once it was optimised away."""
    found: list[Talk] = []
    for talk in talks:
        if found and found[-1].agent == talk.agent:
            found[-1] = replace(found[-1], ends=max(found[-1].ends, talk.ends))
        else:
            found.append(talk)
    return found
