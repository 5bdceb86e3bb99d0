"""The events of Asterisk that we read, as small typed facts of the PBX: which headers of each, and nothing of their meaning.

Every field may be None: the PBX left it out (an ``AgentComplete`` during ``core restart now`` has no ``Channel``), or a
caller wrote lines of his own there and nobody can say what the PBX meant (see :mod:`telephony.layouts`). Values are as
they arrived; ``<unknown>`` is Asterisk's word for an absent one.

``stamp`` is the ``Timestamp`` header: epoch seconds with six decimals on the PBX's clock, None where the PBX does not
send it (``timestampevents=no``). Pure: text in, tuples out.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from telephony.layouts import Group, Layout, bridge, channel, plain

_STAMP = re.compile(r"\d{1,12}(?:\.\d{1,9})?")


def at(event: "Event") -> float | None:
    """When the PBX says it happened, epoch seconds; None when it does not say."""
    stamp = event[0]
    return float(stamp) if stamp is not None and _STAMP.fullmatch(stamp) else None


class NewChannel(NamedTuple):
    """A channel came into being. Of a carrier's channel, ``exten`` is what the carrier sent; later events lose it."""

    stamp: str | None
    channel: str | None
    state: str | None
    caller: str | None
    caller_name: str | None
    exten: str | None
    uniqueid: str | None
    linkedid: str | None


class Seen(NamedTuple):
    """Something happened on a channel that only tells that the channel is there (Newstate, MixMonitorStart)."""

    stamp: str | None
    channel: str | None
    uniqueid: str | None
    linkedid: str | None


class Renamed(NamedTuple):
    """A channel has another name from now on."""

    stamp: str | None
    channel: str | None
    new: str | None
    uniqueid: str | None


class HangUp(NamedTuple):
    """A channel is gone; ``cause`` 17 busy, 21 rejected, 26 answered elsewhere; of a caller it is not reliable."""

    stamp: str | None
    channel: str | None
    uniqueid: str | None
    linkedid: str | None
    cause: str | None


class Held(NamedTuple):
    """The channel's phone put its peer on hold."""

    stamp: str | None
    channel: str | None
    uniqueid: str | None
    linkedid: str | None


class Unheld(NamedTuple):
    """The channel's phone took its peer back. Also sent with a REFER, without a hold before it."""

    stamp: str | None
    channel: str | None
    uniqueid: str | None
    linkedid: str | None


class RecordingStopped(NamedTuple):
    """StopMixMonitor ran on the channel."""

    stamp: str | None
    channel: str | None
    uniqueid: str | None
    linkedid: str | None


class Joined(NamedTuple):
    """A caller entered a queue."""

    stamp: str | None
    channel: str | None
    uniqueid: str | None
    linkedid: str | None
    queue: str | None


class LeftQueue(NamedTuple):
    """A caller left a queue: answered, timed out, or gone."""

    stamp: str | None
    channel: str | None
    uniqueid: str | None
    linkedid: str | None
    queue: str | None


class Dialled(NamedTuple):
    """``channel`` began to call ``dest``."""

    stamp: str | None
    channel: str | None
    uniqueid: str | None
    linkedid: str | None
    dest_channel: str | None
    dest_uniqueid: str | None
    dest_linkedid: str | None


class DialOver(NamedTuple):
    """The calling of ``dest`` ended: ``status`` ANSWER, NOANSWER, CANCEL, BUSY... Often sent twice."""

    stamp: str | None
    channel: str | None
    uniqueid: str | None
    linkedid: str | None
    dest_channel: str | None
    dest_uniqueid: str | None
    dest_linkedid: str | None
    status: str | None


class MemberCalled(NamedTuple):
    """A queue calls one of its members."""

    stamp: str | None
    channel: str | None
    uniqueid: str | None
    linkedid: str | None
    dest_channel: str | None
    dest_uniqueid: str | None
    dest_linkedid: str | None
    queue: str | None
    interface: str | None


class MemberSilent(NamedTuple):
    """A queue's member did not answer; ``ring_ms`` "0" when the phone refused at once. Milliseconds, unlike its peers."""

    stamp: str | None
    channel: str | None
    uniqueid: str | None
    linkedid: str | None
    dest_channel: str | None
    dest_uniqueid: str | None
    dest_linkedid: str | None
    queue: str | None
    interface: str | None
    ring_ms: str | None


class MemberAnswered(NamedTuple):
    """AgentConnect: a queue's member took the call."""

    stamp: str | None
    channel: str | None
    uniqueid: str | None
    linkedid: str | None
    dest_channel: str | None
    dest_uniqueid: str | None
    dest_linkedid: str | None
    queue: str | None
    interface: str | None


class MemberDone(NamedTuple):
    """AgentComplete: a queue's member has finished; ``reason`` caller, agent or transfer (the call goes on then)."""

    stamp: str | None
    channel: str | None
    uniqueid: str | None
    linkedid: str | None
    dest_channel: str | None
    dest_uniqueid: str | None
    dest_linkedid: str | None
    queue: str | None
    interface: str | None
    reason: str | None


class Entered(NamedTuple):
    """A channel entered a bridge, in the place of ``swap`` when that is told."""

    stamp: str | None
    bridge: str | None
    channel: str | None
    uniqueid: str | None
    linkedid: str | None
    swap: str | None


class Departed(NamedTuple):
    """A channel left a bridge."""

    stamp: str | None
    bridge: str | None
    channel: str | None
    uniqueid: str | None
    linkedid: str | None


class BlindTransfer(NamedTuple):
    """``by`` sent its peer (``who``) elsewhere without a word there."""

    stamp: str | None
    result: str | None
    by_channel: str | None
    by_uniqueid: str | None
    by_linkedid: str | None
    who_uniqueid: str | None
    who_linkedid: str | None


class AttendedTransfer(NamedTuple):
    """A transferer joined the two ends it talked to: its legs are ``by`` and ``by2``, the caller is ``who``."""

    stamp: str | None
    result: str | None
    by_channel: str | None
    by_uniqueid: str | None
    by_linkedid: str | None
    by2_channel: str | None
    by2_uniqueid: str | None
    who_uniqueid: str | None
    who_linkedid: str | None
    target_channel: str | None
    target_uniqueid: str | None


class PickedUp(NamedTuple):
    """``channel`` took the call that rang at ``target`` (call pickup)."""

    stamp: str | None
    channel: str | None
    uniqueid: str | None
    linkedid: str | None
    target_channel: str | None
    target_uniqueid: str | None
    target_linkedid: str | None


class VariableSet(NamedTuple):
    """A channel variable was set; only MIXMONITOR_FILENAME is read."""

    stamp: str | None
    channel: str | None
    uniqueid: str | None
    linkedid: str | None
    variable: str | None
    value: str | None


class Told(NamedTuple):
    """The dialplan's own UserEvent; ``text`` are its free headers as they arrived."""

    stamp: str | None
    channel: str | None
    uniqueid: str | None
    linkedid: str | None
    name: str | None
    text: str | None

    def body(self) -> dict[str, str]:
        """The free headers. One that is there twice is left out: a caller's name with a comma makes such lines."""
        found: dict[str, str] = {}
        doubled = set()
        for line in (self.text or "").split("\r\n"):
            key, colon, value = line.partition(":")
            if colon and key in found:
                doubled.add(key)
            elif colon:
                found[key] = value.removeprefix(" ")
        return {key: value for key, value in found.items() if key not in doubled}


class LiveChannel(NamedTuple):
    """A row of CoreShowChannels or Status: a channel as it is now. ``dnid`` (Status only) is what the carrier sent."""

    stamp: str | None
    channel: str | None
    state: str | None
    caller: str | None
    caller_name: str | None
    exten: str | None
    uniqueid: str | None
    linkedid: str | None
    dnid: str | None
    bridge: str | None


class Waiting(NamedTuple):
    """A row of QueueStatus: a caller in a queue."""

    stamp: str | None
    queue: str | None
    channel: str | None
    uniqueid: str | None


class Snapshot(NamedTuple):
    """What the PBX says is there now, asked after every (re)connect.

    Events go on while the PBX lists its channels: ``gone`` are the Uniqueids of channels that hung up meanwhile and
    ``fresh`` those that came or moved meanwhile, of which the events told better than the list.
    """

    channels: tuple[LiveChannel, ...]
    waiting: tuple[Waiting, ...] = ()
    gone: frozenset[str] = frozenset()
    fresh: frozenset[str] = frozenset()


Event: TypeAlias = (
    NewChannel | Seen | Renamed | HangUp | Held | Unheld | RecordingStopped | Joined | LeftQueue | Dialled | DialOver
    | MemberCalled | MemberSilent | MemberAnswered | MemberDone | Entered | Departed | BlindTransfer | AttendedTransfer
    | PickedUp | VariableSet | Told | LiveChannel | Waiting
)  # fmt: skip

_LEG = ("Channel", "Uniqueid", "Linkedid")
_DIAL = (*_LEG, "DestChannel", "DestUniqueid", "DestLinkedid")
_ONE = (channel(),)
_TWO = (channel(optional=True), channel("Dest"))
_AGENT = (channel(optional=True), channel("Dest", optional=True))  # AgentComplete lacks them at times


def _live(row: Sequence[str | None]) -> LiveChannel:
    """CoreShowChannel has no DNID."""
    return LiveChannel(*row[:8], None, *row[8:])


def _layout(
    name: str,
    make: Callable[[Sequence[str | None]], Event],
    groups: tuple[Group, ...],
    wanted: tuple[str, ...],
    *,
    tail: tuple[str, ...] = (),
    rest: bool = False,
    needle: bytes = b"",
) -> Layout[Event]:
    return Layout(name, groups, tail, wanted, make, rest, needle)


_QUEUE_TAIL = ("Queue", "Position", "Count")
_MEMBER_TAIL = ("Queue", "Interface", "MemberName", "HoldTime")
_SHOWN = ("Channel", "ChannelState", "CallerIDNum", "CallerIDName", "Exten", "Uniqueid", "Linkedid")
_CODECS = ("Nativeformats", "Readformat", "Readtrans", "Writeformat", "Writetrans")

_ALL: tuple[Layout[Event], ...] = (
    _layout("Newchannel", NewChannel._make, _ONE, _SHOWN),
    _layout("Newstate", Seen._make, _ONE, _LEG),
    _layout("MixMonitorStart", Seen._make, _ONE, _LEG),
    _layout("MixMonitorStop", RecordingStopped._make, _ONE, _LEG),
    _layout("Hangup", HangUp._make, _ONE, (*_LEG, "Cause"), tail=("Cause", "Cause-txt", "TechCause")),
    _layout("Hold", Held._make, _ONE, _LEG, tail=("MusicClass",)),
    _layout("Unhold", Unheld._make, _ONE, _LEG),
    _layout("Rename", Renamed._make, (plain("Channel", "Newname", "Uniqueid"),), ("Channel", "Newname", "Uniqueid")),
    _layout("QueueCallerJoin", Joined._make, _ONE, (*_LEG, "Queue"), tail=_QUEUE_TAIL),
    _layout("QueueCallerLeave", LeftQueue._make, _ONE, (*_LEG, "Queue"), tail=_QUEUE_TAIL),
    _layout("DialBegin", Dialled._make, _TWO, _DIAL, tail=("DialString",)),
    _layout("DialEnd", DialOver._make, _TWO, (*_DIAL, "DialStatus"), tail=("DialStatus", "Forward")),
    _layout("AgentCalled", MemberCalled._make, _AGENT, (*_DIAL, "Queue", "Interface"), tail=_MEMBER_TAIL[:3]),
    _layout(
        "AgentRingNoAnswer",
        MemberSilent._make,
        _AGENT,
        (*_DIAL, "Queue", "Interface", "RingTime"),
        tail=(*_MEMBER_TAIL[:3], "RingTime"),
    ),
    _layout(
        "AgentConnect", MemberAnswered._make, _AGENT, (*_DIAL, "Queue", "Interface"), tail=(*_MEMBER_TAIL, "RingTime")
    ),
    _layout(
        "AgentComplete",
        MemberDone._make,
        _AGENT,
        (*_DIAL, "Queue", "Interface", "Reason"),
        tail=(*_MEMBER_TAIL, "TalkTime", "Reason"),
    ),
    _layout(
        "BridgeEnter",
        Entered._make,
        (bridge(), channel()),
        ("BridgeUniqueid", *_LEG, "SwapUniqueid"),
        tail=("SwapUniqueid",),
    ),
    _layout("BridgeLeave", Departed._make, (bridge(), channel()), ("BridgeUniqueid", *_LEG)),
    _layout(
        "BlindTransfer",
        BlindTransfer._make,
        (plain("Result"), channel("Transferer"), channel("Transferee", optional=True), bridge(optional=True)),
        (
            "Result", "TransfererChannel", "TransfererUniqueid", "TransfererLinkedid", "TransfereeUniqueid",
            "TransfereeLinkedid",
        ),
        tail=("IsExternal", "Context", "Extension"),
    ),
    _layout(
        "AttendedTransfer",
        AttendedTransfer._make,
        (
            plain("Result"), channel("OrigTransferer"), bridge("Orig", optional=True), channel("SecondTransferer"),
            bridge("Second", optional=True), channel("Transferee", optional=True),
            channel("TransferTarget", optional=True),
        ),
        (
            "Result", "OrigTransfererChannel", "OrigTransfererUniqueid", "OrigTransfererLinkedid",
            "SecondTransfererChannel", "SecondTransfererUniqueid", "TransfereeUniqueid", "TransfereeLinkedid",
            "TransferTargetChannel", "TransferTargetUniqueid",
        ),
        tail=("IsExternal", "DestType", "DestBridgeUniqueid"),
    ),
    _layout(
        "Pickup",
        PickedUp._make,
        (channel(), channel("Target")),
        (*_LEG, "TargetChannel", "TargetUniqueid", "TargetLinkedid"),
    ),
    _layout(
        "VarSet",
        VariableSet._make,
        _ONE,
        (*_LEG, "Variable", "Value"),
        tail=("Variable", "Value"),
        needle=b"\r\nVariable: MIXMONITOR_FILENAME\r\n",
    ),
    _layout("UserEvent", Told._make, _ONE, (*_LEG, "UserEvent"), tail=("UserEvent",), rest=True),
    _layout(
        "CoreShowChannel",
        _live,
        _ONE,
        (*_SHOWN, "BridgeId"),
        tail=("Application", "ApplicationData", "Duration", "BridgeId"),
    ),
    _layout(
        "Status",
        LiveChannel._make,
        _ONE,
        (*_SHOWN, "DNID", "BridgeID"),
        tail=(
            "Type", "DNID", "EffectiveConnectedLineNum", "EffectiveConnectedLineName", "TimeToHangup", "BridgeID",
            "Application", "Data", *_CODECS, "Callgroup", "Pickupgroup", "Seconds", "ActionID",
        ),
    ),
    _layout(
        "QueueEntry",
        Waiting._make,
        (
            plain(
                "Queue", "Position", "Channel", "Uniqueid", "CallerIDNum", "CallerIDName", "ConnectedLineNum",
                "ConnectedLineName", "Wait", "Priority", "ActionID",
            ),
        ),
        ("Queue", "Channel", "Uniqueid"),
    ),
)  # fmt: skip

LAYOUTS: Mapping[bytes, Layout[Event]] = {layout.name.encode(): layout for layout in _ALL}
"""What we read, by the bytes after ``Event: ``; everything else is skipped by its name."""


def parse(headers: Sequence[str]) -> Event | None:
    """One event from its header lines (``Name: value``, no line ends); None when it is not one of ours, or unsound."""
    name = headers[0].removeprefix("Event: ") if headers else ""
    layout = LAYOUTS.get(name.encode())
    if layout is None:
        return None
    found = layout.align(headers)
    return layout.make(found[0]) if isinstance(found, tuple) else None
