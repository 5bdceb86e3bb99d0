"""What is going on in the demo's PBX at this moment, and its answers to those who ask.

Follows the events as they are told and keeps live channels and waiting callers; the answers to ``CoreShowChannels``,
``Status`` and ``QueueStatus`` have the lines that Asterisk 22.10 was seen sending. Knows no socket and no clock.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from hotline.demo import AGENTS
from hotline.demo.story import Message, value

SNAPSHOT = (
    "Channel",
    "ChannelState",
    "ChannelStateDesc",
    "CallerIDNum",
    "CallerIDName",
    "ConnectedLineNum",
    "ConnectedLineName",
    "Language",
    "AccountCode",
    "Context",
    "Exten",
    "Priority",
    "Uniqueid",
    "Linkedid",
)
"""The lines that tell of a channel in every event about it, in Asterisk's order."""
QUEUES = {"support": "linear", "ringall": "ringall"}
_MEMBERS = tuple(agent.extension for agent in AGENTS[:3])
_IDLE, _IN_USE, _RINGING = "1", "2", "6"  # Asterisk's device states


@dataclass(slots=True)
class _Channel:
    told: dict[str, str]
    since: float
    dialled: str
    bridge: str = ""


@dataclass(slots=True)
class Floor:
    """Live channels by name and waiting callers by queue."""

    _channels: dict[str, _Channel] = field(default_factory=dict)
    _waiting: dict[str, list[tuple[str, float]]] = field(default_factory=lambda: {queue: [] for queue in QUEUES})
    _taken: dict[str, int] = field(default_factory=dict)

    def follow(self, message: Message, now: float) -> None:
        """Take an event in, told at ``now``."""
        event, name = value(message, "Event"), value(message, "Channel") or ""
        if event == "Newchannel":
            self._channels[name] = _Channel({}, now, value(message, "Exten") or "")
        channel = self._channels.get(name)
        if channel is None:
            return
        channel.told.update({key: text for key, text in message if key in SNAPSHOT})
        match event:
            case "BridgeEnter":
                channel.bridge = value(message, "BridgeUniqueid") or ""
            case "BridgeLeave":
                channel.bridge = ""
            case "QueueCallerJoin":
                self._waiting[value(message, "Queue") or ""].append((name, now))
            case "QueueCallerLeave" | "QueueCallerAbandon":
                self._leave(name)
            case "AgentConnect":
                interface = value(message, "Interface") or ""
                self._taken[interface] = self._taken.get(interface, 0) + 1
            case "Hangup":
                self._leave(name)
                del self._channels[name]

    def _leave(self, name: str) -> None:
        for queue, waiting in self._waiting.items():
            self._waiting[queue] = [entry for entry in waiting if entry[0] != name]

    def __contains__(self, name: str) -> bool:
        return name in self._channels

    def core_show_channels(self, now: float) -> Iterator[Message]:
        """An event a channel, then the end of the list."""
        for channel in self._channels.values():
            seconds = int(now - channel.since)
            yield (
                ("Event", "CoreShowChannel"),
                *_snapshot(channel),
                ("Application", _application(channel)),
                ("ApplicationData", ""),
                ("Duration", f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"),
                ("BridgeId", channel.bridge),
            )
        yield (
            ("Event", "CoreShowChannelsComplete"),
            ("EventList", "Complete"),
            ("ListItems", f"{len(self._channels)}"),
        )

    def status(self, only: str | None, now: float) -> Iterator[Message]:
        """An event a channel, or for one channel, then the end of the list."""
        channels = [channel for name, channel in self._channels.items() if only in (None, name)]
        for channel in channels:
            yield (
                ("Event", "Status"),
                ("Privilege", "Call"),
                *_snapshot(channel),
                ("Type", "PJSIP"),
                ("DNID", channel.dialled),
                ("EffectiveConnectedLineNum", channel.told["ConnectedLineNum"]),
                ("EffectiveConnectedLineName", channel.told["ConnectedLineName"]),
                ("TimeToHangup", "0"),
                ("BridgeID", channel.bridge),
                ("Application", _application(channel)),
                ("Seconds", f"{int(now - channel.since)}"),
            )
        count = f"{len(channels)}"
        yield (("Event", "StatusComplete"), ("EventList", "Complete"), ("ListItems", count), ("Items", count))

    def queue_status(self, only: str | None, now: float) -> Iterator[Message]:
        """Each queue with its members and waiting callers, then the end of the list."""
        items = 0
        for queue, strategy in QUEUES.items():
            if only not in (None, queue):
                continue
            for message in self._queue(queue, strategy, now):
                items += 1
                yield message
        yield (("Event", "QueueStatusComplete"), ("EventList", "Complete"), ("ListItems", f"{items}"))

    def _queue(self, queue: str, strategy: str, now: float) -> Iterator[Message]:
        waiting = self._waiting[queue]
        yield (
            ("Event", "QueueParams"),
            ("Queue", queue),
            ("Max", "0"),
            ("Strategy", strategy),
            ("Calls", f"{len(waiting)}"),
        )
        for extension in _MEMBERS:
            interface = f"PJSIP/{extension}"
            state = self._device(interface)
            yield (
                ("Event", "QueueMember"),
                ("Queue", queue),
                ("Name", f"Agent-{extension}"),
                ("Location", interface),
                ("StateInterface", interface),
                ("Membership", "static"),
                ("Penalty", "0"),
                ("CallsTaken", f"{self._taken.get(interface, 0)}"),
                ("InCall", f"{int(state == _IN_USE)}"),
                ("Status", state),
                ("Paused", "0"),
                ("PausedReason", ""),
            )
        for place, (name, since) in enumerate(waiting, 1):
            told = self._channels[name].told
            yield (
                ("Event", "QueueEntry"),
                ("Queue", queue),
                ("Position", f"{place}"),
                ("Channel", name),
                ("Uniqueid", told["Uniqueid"]),
                ("CallerIDNum", told["CallerIDNum"]),
                ("CallerIDName", told["CallerIDName"]),
                ("Wait", f"{int(now - since)}"),
                ("Priority", "0"),
            )

    def _device(self, interface: str) -> str:
        mine = [channel for name, channel in self._channels.items() if name.startswith(f"{interface}-")]
        if not mine:
            return _IDLE
        return _IN_USE if any(channel.bridge for channel in mine) else _RINGING


def _snapshot(channel: _Channel) -> Iterator[tuple[str, str]]:
    return ((key, channel.told.get(key, "")) for key in SNAPSHOT)


def _application(channel: _Channel) -> str:
    return "Queue" if channel.told["Context"] in ("in-400", "start-400") else "AppDial"
