"""Which events an AMI user's event filter lets through. Pure.

A filter is a POSIX extended expression over the event's whole text; ``!`` before it shuts out. With only including
filters what matches none is dropped, with only excluding ones what matches one is, with both an event must match an
including and no excluding one. Since 20.14, 21.9 and 22.4 ``eventfilter(action(exclude),name(VarSet))`` exists as well.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from hotline.doctor.astconf import Item

NEEDED: Mapping[str, str] = {
    "Newchannel": "call", "Hangup": "call", "Rename": "call", "DialBegin": "call", "DialEnd": "call",
    "BridgeEnter": "call", "BridgeLeave": "call", "BlindTransfer": "call", "AttendedTransfer": "call",
    "Hold": "call", "Unhold": "call", "QueueCallerJoin": "agent", "QueueCallerLeave": "agent", "AgentCalled": "agent",
    "AgentRingNoAnswer": "agent", "AgentConnect": "agent", "AgentComplete": "agent", "UserEvent": "user",
}  # fmt: skip
"""Events without which facts are wrong, and their class."""

HELPFUL: Mapping[str, str] = {
    "Pickup": "call", "MixMonitorStart": "call", "MixMonitorStop": "call", "AgentDump": "agent",
    "QueueMemberPause": "agent",
}  # fmt: skip
"""Events that only tell it sooner or more surely."""

UNNEEDED = ("DeviceStateChange", "QueueMemberStatus", "NewConnectedLine", "MusicOnHoldStart", "RTCPSent", "VarSet")
"""Events nobody reads that make up most of the volume."""

_POSIX = {"[:alnum:]": "A-Za-z0-9", "[:alpha:]": "A-Za-z", "[:digit:]": "0-9", "[:space:]": r"\s", "[:upper:]": "A-Z",
          "[:lower:]": "a-z"}  # fmt: skip
_NEW = re.compile(r"eventfilter\s*\((.*)\)", re.DOTALL)
_PART = re.compile(r"(action|name|header|method)\(([^()]*)\)")


@dataclass(frozen=True, slots=True)
class Filter:
    """One filter: ``text`` as written for people, ``include`` or not, and what decides."""

    text: str
    include: bool
    name: str | None = None
    header: str | None = None
    pattern: re.Pattern[str] | None = None
    literal: tuple[str, str] | None = None  # how to compare (exact, starts_with, ends_with, contains), with what

    def matches(self, event: str) -> bool:
        """Whether the text of an event fits."""
        if self.name is not None and not event.startswith(f"Event: {self.name}\r\n"):
            return False
        lines = event.split("\r\n")
        texts = (
            [event]
            if self.header is None
            else [v for k, _, v in (x.partition(": ") for x in lines) if k == self.header]
        )
        if self.literal is not None:
            how, wanted = self.literal
            return any(_COMPARE[how](text, wanted) for text in texts)
        return True if self.pattern is None else any(self.pattern.search(text) for text in texts)


_COMPARE: Mapping[str, Callable[[str, str], bool]] = {
    "exact": lambda text, wanted: text == wanted,
    "starts_with": lambda text, wanted: text.startswith(wanted),
    "ends_with": lambda text, wanted: text.endswith(wanted),
    "contains": lambda text, wanted: wanted in text,
}


class Filters:
    """All filters of one user. ``unread`` are those that could not be understood."""

    def __init__(self, items: Sequence[Item]) -> None:
        self.unread: list[str] = []
        self._filters = [found for item in items if (found := self._one(item)) is not None]

    def __bool__(self) -> bool:
        return bool(self._filters)

    def _one(self, item: Item) -> Filter | None:
        new = _NEW.fullmatch(item.key)
        parts = dict(_PART.findall(new[1])) if new else {}
        include = parts.get("action", "include") != "exclude" if new else not item.value.startswith("!")
        text = item.value if new else item.value.removeprefix("!")
        how = parts.get("method", "none" if new and not text else "regex")
        try:
            pattern = re.compile(_python(text)) if how == "regex" else None
        except re.error:
            self.unread.append(item.value)
            return None
        literal = (how, text) if how in _COMPARE else None
        return Filter(f"{item.key} = {item.value}", include, parts.get("name"), parts.get("header"), pattern, literal)

    def passes(self, event: str) -> bool:
        """Whether an event of this text is sent."""
        including = [found for found in self._filters if found.include]
        if including and not any(found.matches(event) for found in including):
            return False
        return not any(found.matches(event) for found in self._filters if not found.include)

    def hidden(self, names: Mapping[str, str], channels: Sequence[str]) -> dict[str, str]:
        """Those of these events that are dropped, wholly or on some of these channels: name to what of it."""
        found = {}
        for name, kind in names.items():
            lost = [channel for channel in channels if not self.passes(_sample(name, kind, channel))]
            if lost:
                found[name] = "" if len(lost) == len(channels) else f"of {', '.join(lost)}"
        return found


def _sample(name: str, kind: str, channel: str) -> str:
    """The beginning of an event as Asterisk writes it."""
    other = "Dest" if name.startswith(("Dial", "Agent")) else ""
    first = (
        f"Channel: PJSIP/carrier-00000001\r\nDest{channel and 'Channel'}: {channel}" if other else f"Channel: {channel}"
    )
    return (
        f"Event: {name}\r\nPrivilege: {kind},all\r\nTimestamp: 1795290138.000001\r\n{first}\r\n"
        "ChannelState: 6\r\nCallerIDNum: 13812345678\r\nContext: from-internal\r\nUniqueid: 1795290138.1\r\n"
        "Linkedid: 1795290138.1\r\n\r\n"
    )


def _python(text: str) -> str:
    for posix, ours in _POSIX.items():
        text = text.replace(posix, ours)
    return text
