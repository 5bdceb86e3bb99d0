"""The order in which Asterisk writes the headers of each event we read, and what to make of an event that breaks it.

Asterisk decodes ``%0D%0A`` in a SIP user part and writes it to AMI as it stands, so a caller can put lines of his
own into ``CallerIDNum``, ``CallerIDName`` and ``Exten`` (79 bytes each), wherever these are repeated: forged headers,
doubled headers, blank lines, whole events (seen on Asterisk 16.28 and 22.10). What he cannot do is move Asterisk's own
lines: their order is fixed for each kind of event. So a field counts only where that order puts it.

* An event in exactly the known order is *sound*: one regular expression decides, and picks the wanted values.
* Any other event is laid beside the order (longest common subsequence). A field that fits in one place only has its
  value from there; one that fits in several, or that is followed by a line that does not belong, is in doubt and
  unknown (None). ``Uniqueid`` and ``Linkedid`` come after everything a caller writes, so their last fitting line is
  Asterisk's; ``Channel`` comes before, so its first is.
* An event that stops inside a group was *cut* by a forged blank line: its remaining lines follow in the stream.
* An event without its beginning is no event: it was forged, or is the remains of one.

79 bytes do not hold a header block (``Event``, ``Privilege``, ``Timestamp``: 66) and a channel's fourteen headers, so
nothing forged passes as sound. This module is pure; it knows no sockets and nothing of what events mean.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from itertools import pairwise
from typing import Generic, TypeVar

T = TypeVar("T")

_HEAD = frozenset(
    {"Event", "Privilege", "ActionID", "SystemName", "Timestamp", "SequenceNumber", "File", "Line", "Func"}
)
_SNAPSHOT = (
    "Channel", "ChannelState", "ChannelStateDesc", "CallerIDNum", "CallerIDName", "ConnectedLineNum",
    "ConnectedLineName", "Language", "AccountCode", "Context", "Exten", "Priority", "Uniqueid", "Linkedid",
)  # fmt: skip
_BRIDGE = (
    "BridgeUniqueid", "BridgeType", "BridgeTechnology", "BridgeCreator", "BridgeName", "BridgeNumChannels",
    "BridgeVideoSourceMode", "BridgeVideoSource",
)  # fmt: skip
_ALLOWED = re.compile(r"Privilege: \w+(?:,\w+)*|ActionID: \S+")
_LONGEST = 400  # lines laid beside an order: a caller's own lines are a handful, and the work grows with the square


class Verdict(Enum):
    """Why an event gives no values."""

    CUT = "cut"  # a blank line was forged into it, the rest follows
    BROKEN = "broken"  # it does not begin as its kind does, or lacks a part of it


@dataclass(frozen=True, slots=True)
class Group:
    """Headers that Asterisk always writes together. ``needed`` ones are there in every version we know."""

    names: tuple[str, ...]
    needed: frozenset[str]
    first: str  # trusted at its first place
    last: frozenset[str]  # trusted at their last place
    optional: bool = False


def channel(prefix: str = "", *, optional: bool = False) -> Group:
    """A channel's snapshot, its header names prefixed ("Dest", "Transferee")."""
    names = tuple(prefix + name for name in _SNAPSHOT)
    needed = frozenset(names) - {f"{prefix}Language"}  # Asterisk 12 had none
    return Group(names, needed, f"{prefix}Channel", frozenset({f"{prefix}Uniqueid", f"{prefix}Linkedid"}), optional)


def bridge(prefix: str = "", *, optional: bool = False) -> Group:
    """A bridge's snapshot."""
    names = tuple(prefix + name for name in _BRIDGE)
    return Group(names, frozenset({names[0]}), names[0], frozenset(), optional)


def plain(*names: str) -> Group:
    """Headers in a row that nobody but Asterisk writes."""
    return Group(names, frozenset(names), names[0], frozenset())


@dataclass(frozen=True)
class Layout(Generic[T]):
    """One kind of event: its groups in order, the headers after them, the values wanted (in the order of the headers).

    ``make`` builds the event from the Timestamp and the wanted values. ``rest`` hands everything after the groups over
    as one text (UserEvent's free headers). ``needle`` are bytes without which the event is not worth reading.
    ``listed`` belongs to a list we asked for and has no Privilege: its ActionID comes before the other values; it is
    read when sound, or not at all.
    """

    name: str
    groups: tuple[Group, ...]
    tail: tuple[str, ...]
    wanted: tuple[str, ...]
    make: Callable[[Sequence[str | None]], T]
    rest: bool = False
    needle: bytes = b""
    listed: bool = False
    sound: re.Pattern[str] = field(init=False, repr=False)
    known: frozenset[str] = field(init=False, repr=False)
    finals: tuple[str, ...] = field(init=False, repr=False)  # what the last lines of its groups begin with

    def __post_init__(self) -> None:
        object.__setattr__(self, "sound", re.compile(self._pattern()))
        object.__setattr__(self, "known", frozenset(name for group in self.groups for name in group.names))
        lasts = (next(name for name in reversed(group.names) if name in group.needed) for group in self.groups)
        object.__setattr__(self, "finals", tuple(f"{name}:" for name in lasts))

    def _pattern(self) -> str:
        wanted = frozenset(self.wanted)
        value = "[^\r]*+"  # nothing is ever tried twice: what follows a value is the end of its line

        def line(name: str, *, optional: bool) -> str:
            text = f"\r\n{re.escape(name)}: " + (f"({value})" if name in wanted else value)
            return f"(?:{text})?+" if optional else text

        head = f"\r\n(?:Privilege: [\\w,]++|ActionID: \\S++)(?:\r\nActionID: {value})?+(?:\r\nSystemName: {value})?+"
        if self.listed:
            head = f"(?:\r\nActionID: ({value}))?+"
        parts = [f"Event: {self.name}{head}(?:\r\nTimestamp: ({value}))?+"]
        for group in self.groups:
            text = "".join(line(name, optional=name not in group.needed) for name in group.names)
            if group.last:
                prefix = group.first.removesuffix("Channel")
                text += f"(?:\r\n{prefix}ChanVariable: {value})*+"
            parts.append(f"(?:{text})?+" if group.optional else text)
        parts.extend(line(name, optional=True) for name in self.tail)
        if self.rest:
            parts.append("((?s:.*))")
        return "".join(parts)

    def begins(self, lines: Sequence[str], names: Sequence[str]) -> int | None:
        """How many lines of header precede the groups; None when this is not how such an event begins.

        Nobody but Asterisk writes before the first group's fourth header, and 79 bytes do not hold that much, so what
        begins like this is an event of its own and never the forged inside of another.
        """
        head = 0
        while head < len(names) and names[head] in _HEAD:
            head += 1
        if head <= 1 or not _ALLOWED.fullmatch(lines[1]) or len(set(names[:head])) != head:
            return None
        for at, group in enumerate(self.groups):
            order = [name for later in self.groups[at:] for name in later.names][:4]
            if list(names[head : head + len(order)]) == order:
                return head
            if not group.optional:
                break
        return None

    def align(self, lines: Sequence[str]) -> tuple[Sequence[str | None], int] | Verdict:
        """The wanted values (Timestamp first) of an event out of order, and how many lines in it are not Asterisk's."""
        names = [line.partition(":")[0] for line in lines]
        head = self.begins(lines, names)
        if head is None or sum(name in self.known for name in names) > _LONGEST:
            return Verdict.BROKEN
        fit = _Fit(self.groups, lines, names, head)
        verdict = fit.missing()
        if verdict is not None:
            return verdict
        values = {name: fit.told(group, name) for group in self.groups for name in group.names}
        tail, doubled = fit.after(self.tail)
        values |= tail
        stamp = _value(lines[head - 1]) if names[head - 1] == "Timestamp" else None
        told = [stamp, *(values.get(name) for name in self.wanted)]
        if self.rest:
            told.append(fit.rest(self.tail))
        return told, fit.foreign() + doubled


class _Fit:
    """An event's lines laid beside its order. ``head`` lines of header come first."""

    def __init__(self, groups: Sequence[Group], lines: Sequence[str], names: Sequence[str], head: int) -> None:
        self.groups = groups
        self.lines = lines
        self.names = names
        self.body = [at for at in range(head, len(names)) if not names[at].endswith("ChanVariable")]
        self.places = _places([n for g in groups for n in g.names], [(names[at], at) for at in self.body])
        reached = [at for found in self.places.values() for at in found]
        self.end = max(reached, default=head - 1) + 1
        self.trusted = {at[0] for at in self.places.values() if len(at) == 1}
        for group in groups:
            self.trusted |= {self.places[name][-1] for name in group.last if name in self.places}
            self.trusted |= {self.places[group.first][0]} if group.first in self.places else set()

    def missing(self) -> Verdict | None:
        """None when each group is there or may be absent."""
        for group in self.groups:
            there = group.needed & self.places.keys()
            if there != group.needed and (there or not group.optional):
                return Verdict.CUT if there else Verdict.BROKEN
        return None

    def told(self, group: Group, name: str) -> str | None:
        """One group's value: None when absent or in doubt."""
        at = self.places.get(name)
        if at is None:
            return None
        if name == group.first or name in group.last:
            return _value(self.lines[at[0] if name == group.first else at[-1]])
        following = at[0] + 1
        while following < self.end and self.names[following].endswith("ChanVariable"):
            following += 1
        if len(at) > 1 or (following < self.end and following not in self.trusted):
            return None  # two lines fit, or a line that does not belong follows: the value may go on in it
        return _value(self.lines[at[0]])

    def after(self, tail: Sequence[str]) -> tuple[dict[str, str | None], int]:
        """The values behind the groups, in any order, and how many of them were doubled (and do not count)."""
        found: dict[str, list[int]] = {name: [] for name in tail}
        for at in self.body:
            if at >= self.end and self.names[at] in found:
                found[self.names[at]].append(at)
        doubled = sum(len(at) - 1 for at in found.values() if at)
        return {n: _value(self.lines[at[0]]) if len(at) == 1 else None for n, at in found.items()}, doubled

    def rest(self, tail: Sequence[str]) -> str:
        """Everything behind the groups but the tail, each line after a line end."""
        return "".join(f"\r\n{self.lines[at]}" for at in self.body if at >= self.end and self.names[at] not in tail)

    def foreign(self) -> int:
        """How many lines before the end of the groups are not Asterisk's."""
        return sum(1 for at in self.body if at < self.end and at not in self.trusted)


def _value(line: str) -> str:
    return line.partition(":")[2].removeprefix(" ")


def _places(order: Sequence[str], body: Sequence[tuple[str, int]]) -> dict[str, list[int]]:
    """For each header of the order that every best fit contains: the lines where it may stand."""
    rank = {name: at for at, name in enumerate(order)}
    lines = [(name, at) for name, at in body if name in rank]
    return _between(rank, lines) or _longest(order, lines)


def _between(rank: dict[str, int], lines: Sequence[tuple[str, int]]) -> dict[str, list[int]] | None:
    """The places where headers that stand once are in order: a doubled one stands between its neighbours.

    None where that decides nothing. It is the quick way: a forging caller's events are many, and mostly like this.
    """
    found: dict[str, list[int]] = {}
    for name, at in lines:
        found.setdefault(name, []).append(at)
    once = [(rank[name], at[0]) for name, at in sorted(found.items(), key=lambda item: rank[item[0]]) if len(at) == 1]
    if any(later[1] <= earlier[1] for earlier, later in pairwise(once)):
        return None
    for name, stands in found.items():
        if len(stands) > 1:
            low = max((place for ranked, place in once if ranked < rank[name]), default=-1)
            high = min((place for ranked, place in once if ranked > rank[name]), default=stands[-1] + 1)
            found[name] = [place for place in stands if low < place < high]
    places = {name: found[name] for name in rank if name in found}
    if not all(places.values()) or any(
        later[0] <= earlier[-1] for earlier, later in pairwise(places.values()) if len(earlier) == len(later) == 1
    ):
        return None
    return places


def _longest(order: Sequence[str], lines: Sequence[tuple[str, int]]) -> dict[str, list[int]]:
    """The places by the longest common subsequences of order and lines."""
    rows, columns = len(order), len(lines)
    ahead = [[0] * (columns + 1) for _ in range(rows + 1)]
    behind = [[0] * (columns + 1) for _ in range(rows + 1)]
    for i, name in enumerate(order):
        for j, (other, _) in enumerate(lines):
            ahead[i + 1][j + 1] = ahead[i][j] + 1 if name == other else max(ahead[i][j + 1], ahead[i + 1][j])
    for i in range(rows - 1, -1, -1):
        for j in range(columns - 1, -1, -1):
            same = order[i] == lines[j][0]
            behind[i][j] = behind[i + 1][j + 1] + 1 if same else max(behind[i + 1][j], behind[i][j + 1])
    best = ahead[rows][columns]
    places: dict[str, list[int]] = {}
    for i, name in enumerate(order):
        if any(ahead[i][j] + behind[i + 1][j] == best for j in range(columns + 1)):
            continue  # some best fit does without it
        places[name] = [
            at
            for j, (other, at) in enumerate(lines)
            if other == name and ahead[i][j] + 1 + behind[i + 1][j + 1] == best
        ]
    return places
