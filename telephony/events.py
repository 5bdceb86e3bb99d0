"""The events of Asterisk that we read, as small typed tuples: what the PBX said, and nothing of what it means.

Every field may be None: the PBX left it out (an ``AgentComplete`` during ``core restart now`` has no ``Channel``), or a
caller wrote lines of his own there and nobody can say what the PBX meant (see :mod:`telephony.layouts`). Values are as
they arrived; ``<unknown>`` is Asterisk's word for an absent one.

``stamp`` is the ``Timestamp`` header: epoch seconds with six decimals on the PBX's clock, None where the PBX does not
send it (``timestampevents=no``). Pure: text in, tuples out.
"""

from typing import NamedTuple, TypeAlias

from telephony.queue_events import (
    Joined,
    LeftQueue,
    MemberAnswered,
    MemberCalled,
    MemberDone,
    MemberPaused,
    MemberRow,
    MemberSilent,
)

__all__ = [
    "AttendedTransfer", "BlindTransfer", "Departed", "DialOver", "Dialled", "Entered", "Event", "HangUp", "Held",
    "Joined", "LeftQueue", "ListDone", "LiveChannel", "MemberAnswered", "MemberCalled", "MemberDone", "MemberPaused",
    "MemberRow", "MemberSilent", "NewChannel", "Originated", "PickedUp", "RecordingStopped", "Renamed", "Seen",
    "Snapshot", "Told", "Unheld", "VariableSet", "Waiting", "seconds",
]  # fmt: skip

_LATEST = 1e12  # seconds; what lies beyond is no time


def seconds(stamp: str | None) -> float | None:
    """A ``Timestamp`` as epoch seconds; None when it is absent or none."""
    if stamp is None:
        return None
    try:
        told = float(stamp)
    except ValueError:
        return None
    return told if 0.0 <= told < _LATEST else None


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


class Dialled(NamedTuple):
    """``channel`` began to call ``dest``; ``string`` is what Dial() was given behind the technology."""

    stamp: str | None
    channel: str | None
    uniqueid: str | None
    linkedid: str | None
    dest_channel: str | None
    dest_uniqueid: str | None
    dest_linkedid: str | None
    string: str | None = None


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


class Originated(NamedTuple):
    """A call that an action Originate asked for: its first leg was taken up (``response`` Success), or was not.

    ``reason`` 4 answered, 3 not answered, 0 busy or no such phone (Asterisk 16.28 and 22.10 with PJSIP).
    """

    stamp: str | None
    response: str | None
    reason: str | None
    uniqueid: str | None


class Entered(NamedTuple):
    """A channel entered a bridge, in the place of ``swap`` when that is told; in a ``holding_bridge`` nobody talks."""

    stamp: str | None
    bridge: str | None
    technology: str | None
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
    """A transferer joined the two ends it talked to: its legs are ``by`` and ``by2``, the caller is ``who``.

    ``outcome`` is Asterisk's DestType; with "Threeway" the transferer stays.
    """

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
    outcome: str | None


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
    """A row of QueueStatus: a caller in a queue. Anybody could forge one; it counts with our ``action_id`` only."""

    stamp: str | None
    queue: str | None
    channel: str | None
    uniqueid: str | None
    action_id: str | None


class Snapshot(NamedTuple):
    """What the PBX says is there now, asked after every (re)connect: channels, callers and members of queues.

    Events go on while the PBX lists its channels: ``gone`` are the Uniqueids of channels that hung up meanwhile and
    ``fresh`` those that came or moved meanwhile, of which the events told better than the list.
    """

    channels: tuple[LiveChannel, ...]
    waiting: tuple[Waiting, ...] = ()
    gone: frozenset[str] = frozenset()
    fresh: frozenset[str] = frozenset()
    members: tuple[MemberRow, ...] = ()


class ListDone(NamedTuple):
    """The end of a list that we asked for, by our ActionID."""

    action_id: str | None
    stamp: str | None


Event: TypeAlias = (
    NewChannel | Seen | Renamed | HangUp | Held | Unheld | RecordingStopped | Joined | LeftQueue | Dialled | DialOver
    | MemberCalled | MemberSilent | MemberAnswered | MemberDone | Entered | Departed | BlindTransfer | AttendedTransfer
    | PickedUp | VariableSet | Told | LiveChannel | Waiting | ListDone | MemberPaused | MemberRow | Originated
)  # fmt: skip
