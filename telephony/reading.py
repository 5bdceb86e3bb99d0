"""Which headers of which event we read, in Asterisk's order. Pure: a table, and :func:`parse`.

The orders are those of Asterisk 16.28 and 22.10 (the same in both); 13 to 20 write the same headers, some without the
optional ones. Anything not named here is skipped unread.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from telephony.events import (
    AttendedTransfer,
    BlindTransfer,
    Departed,
    Dialled,
    DialOver,
    Entered,
    Event,
    HangUp,
    Held,
    Joined,
    LeftQueue,
    ListDone,
    LiveChannel,
    MemberAnswered,
    MemberCalled,
    MemberDone,
    MemberPaused,
    MemberRow,
    MemberSilent,
    NewChannel,
    Originated,
    PickedUp,
    RecordingStopped,
    Renamed,
    Seen,
    Told,
    Unheld,
    VariableSet,
    Waiting,
)
from telephony.layouts import Group, Layout, bridge, channel, plain
from telephony.queue_events import headers

_LEG = ("Channel", "Uniqueid", "Linkedid")
_DIAL = (*_LEG, "DestChannel", "DestUniqueid", "DestLinkedid")
_ONE = (channel(),)
_TWO = (channel(optional=True), channel("Dest"))
_AGENT = (channel(optional=True), channel("Dest", optional=True))  # AgentComplete lacks them at times


def _of(kind: type[Event]) -> Callable[[Sequence[str | None]], Event]:
    """The event of a row: half the cost of ``_make``, whose check of the length is a test of ours."""
    return partial(tuple.__new__, kind)


def _live(row: Sequence[str | None]) -> LiveChannel:
    """CoreShowChannel has no DNID."""
    return LiveChannel._make((*row[:8], None, *row[8:]))


def _waiting(row: Sequence[str | None]) -> Waiting:
    """Without what the caller may have written. Its ActionID is the last header (Asterisk 22.10)."""
    first, stamp, queue, name, uniqueid, rest = row
    last = (rest or "").rpartition("\r\nActionID: ")[2] if "\r\nActionID: " in (rest or "") else None
    return Waiting(stamp, queue, name, uniqueid, first or last)


def _member(row: Sequence[str | None]) -> MemberRow:
    """What stands behind its name differs from version to version; its ActionID is the last header (22.10)."""
    first, stamp, queue, interface, rest = row
    told = headers(rest)
    return MemberRow(
        stamp, queue, interface, told.get("Paused"), told.get("PausedReason"), first or told.get("ActionID")
    )


def _layout(
    name: str,
    make: Callable[[Sequence[str | None]], Event],
    groups: tuple[Group, ...],
    wanted: tuple[str, ...],
    *,
    tail: tuple[str, ...] = (),
    rest: bool = False,
    needle: bytes = b"",
    listed: bool = False,
) -> Layout[Event]:
    return Layout(name, groups, tail, wanted, make, rest, needle, listed)


def _done(name: str) -> Layout[Event]:
    """The end of a list: only one that bears our ActionID, which nobody can guess, counts."""
    return _layout(name, _of(ListDone), (), (), tail=("EventList", "ListItems", "Items"), listed=True)


_QUEUE_TAIL = ("Queue", "Position", "Count")
_MEMBER_TAIL = ("Queue", "Interface", "MemberName", "HoldTime")
_SHOWN = ("Channel", "ChannelState", "CallerIDNum", "CallerIDName", "Exten", "Uniqueid", "Linkedid")
_CODECS = ("Nativeformats", "Readformat", "Readtrans", "Writeformat", "Writetrans")

_ALL: tuple[Layout[Event], ...] = (
    _layout("Newchannel", _of(NewChannel), _ONE, _SHOWN),
    _layout("Newstate", _of(Seen), _ONE, _LEG),
    _layout("MixMonitorStart", _of(Seen), _ONE, _LEG),
    _layout("MixMonitorStop", _of(RecordingStopped), _ONE, _LEG),
    _layout("Hangup", _of(HangUp), _ONE, (*_LEG, "Cause"), tail=("Cause", "Cause-txt", "TechCause")),
    _layout("Hold", _of(Held), _ONE, _LEG, tail=("MusicClass",)),
    _layout("Unhold", _of(Unheld), _ONE, _LEG),
    _layout("Rename", _of(Renamed), (plain("Channel", "Newname", "Uniqueid"),), ("Channel", "Newname", "Uniqueid")),
    _layout("QueueCallerJoin", _of(Joined), _ONE, (*_LEG, "Queue"), tail=_QUEUE_TAIL),
    _layout("QueueCallerLeave", _of(LeftQueue), _ONE, (*_LEG, "Queue"), tail=_QUEUE_TAIL),
    _layout("DialBegin", _of(Dialled), _TWO, (*_DIAL, "DialString"), tail=("DialString",)),
    _layout("DialEnd", _of(DialOver), _TWO, (*_DIAL, "DialStatus"), tail=("DialStatus", "Forward")),
    _layout("AgentCalled", _of(MemberCalled), _AGENT, (*_DIAL, "Queue", "Interface"), tail=_MEMBER_TAIL[:3]),
    _layout(
        "AgentRingNoAnswer",
        _of(MemberSilent),
        _AGENT,
        (*_DIAL, "Queue", "Interface", "RingTime"),
        tail=(*_MEMBER_TAIL[:3], "RingTime"),
    ),
    _layout(
        "AgentConnect", _of(MemberAnswered), _AGENT, (*_DIAL, "Queue", "Interface"), tail=(*_MEMBER_TAIL, "RingTime")
    ),
    _layout(
        "AgentComplete",
        _of(MemberDone),
        _AGENT,
        (*_DIAL, "Queue", "Interface", "Reason"),
        tail=(*_MEMBER_TAIL, "TalkTime", "Reason"),
    ),
    _layout(
        "AgentDump",
        _of(MemberDone),
        _AGENT,
        (*_DIAL, "Queue", "Interface", "Reason"),
        tail=(*_MEMBER_TAIL, "Reason"),
    ),
    _layout(
        "BridgeEnter",
        _of(Entered),
        (bridge(), channel()),
        ("BridgeUniqueid", "BridgeTechnology", *_LEG, "SwapUniqueid"),
        tail=("SwapUniqueid",),
    ),
    _layout("BridgeLeave", _of(Departed), (bridge(), channel()), ("BridgeUniqueid", *_LEG)),
    _layout(
        "BlindTransfer",
        _of(BlindTransfer),
        (plain("Result"), channel("Transferer"), channel("Transferee", optional=True), bridge(optional=True)),
        (
            "Result", "TransfererChannel", "TransfererUniqueid", "TransfererLinkedid", "TransfereeUniqueid",
            "TransfereeLinkedid",
        ),
        tail=("IsExternal", "Context", "Extension"),
    ),
    _layout(
        "AttendedTransfer",
        _of(AttendedTransfer),
        (
            plain("Result"), channel("OrigTransferer"), bridge("Orig", optional=True), channel("SecondTransferer"),
            bridge("Second", optional=True), channel("Transferee", optional=True),
            channel("TransferTarget", optional=True),
        ),
        (
            "Result", "OrigTransfererChannel", "OrigTransfererUniqueid", "OrigTransfererLinkedid",
            "SecondTransfererChannel", "SecondTransfererUniqueid", "TransfereeUniqueid", "TransfereeLinkedid",
            "TransferTargetChannel", "TransferTargetUniqueid", "DestType",
        ),
        tail=("IsExternal", "DestType", "DestBridgeUniqueid"),
    ),
    _layout(
        "Pickup",
        _of(PickedUp),
        (channel(), channel("Target")),
        (*_LEG, "TargetChannel", "TargetUniqueid", "TargetLinkedid"),
    ),
    _layout(
        "VarSet",
        _of(VariableSet),
        _ONE,
        (*_LEG, "Variable", "Value"),
        tail=("Variable", "Value"),
        needle=b"\r\nVariable: MIXMONITOR_FILENAME\r\n",
    ),
    _layout("UserEvent", _of(Told), _ONE, (*_LEG, "UserEvent"), tail=("UserEvent",), rest=True),
    _layout(
        "CoreShowChannel",
        _live,
        _ONE,
        (*_SHOWN, "BridgeId"),
        tail=("Application", "ApplicationData", "Duration", "BridgeId"),
    ),
    _layout(
        "Status",
        _of(LiveChannel),
        _ONE,
        (*_SHOWN, "DNID", "BridgeID"),
        tail=(
            "Type", "DNID", "EffectiveConnectedLineNum", "EffectiveConnectedLineName", "TimeToHangup", "BridgeID",
            "Application", "Data", *_CODECS, "Callgroup", "Pickupgroup", "Seconds", "ActionID",
        ),
    ),
    _layout(
        "QueueEntry",
        _waiting,
        (plain("Queue", "Position", "Channel", "Uniqueid"),),  # what follows is the caller's
        ("Queue", "Channel", "Uniqueid"),
        rest=True,
        listed=True,
    ),
    _layout(
        "QueueMember",
        _member,
        (plain("Queue", "Name", "Location"),),
        ("Queue", "Location"),
        rest=True,
        listed=True,
    ),
    _layout(
        "QueueMemberPause",
        _of(MemberPaused),
        (plain("Queue", "MemberName", "Interface"),),
        ("Queue", "Interface"),
        rest=True,
    ),
    _layout(
        "OriginateResponse",
        _of(Originated),
        (plain("Response", "Channel", "Context", "Exten", "Reason", "Uniqueid"),),
        ("Response", "Reason", "Uniqueid"),
        tail=("CallerIDNum", "CallerIDName"),
    ),
    _done("CoreShowChannelsComplete"),
    _done("StatusComplete"),
    _done("QueueStatusComplete"),
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
