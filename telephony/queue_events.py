"""What queues tell: callers who enter and leave, members whom they call, and members who take a break.

As all events (:mod:`telephony.events`): every field may be None, values are as they arrived. Pure: tuples.
"""

from typing import NamedTuple


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
    """A queue's member did not answer; ``ring_ms`` (milliseconds, unlike its peers) "0" when the phone refused."""

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
    """AgentComplete: a queue's member has finished; ``reason`` caller, agent or transfer (the call goes on then).

    AgentDump, without a reason: the member hung up while the queue announced the caller to them.
    """

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


class MemberPaused(NamedTuple):
    """A member of a queue is paused or taken back, by whomever; of one queue, though it may be in several.

    ``text`` are the headers behind its name, as they arrived: ``Paused``, ``PausedReason`` and what versions add.
    """

    stamp: str | None
    queue: str | None
    interface: str | None
    text: str | None


class MemberRow(NamedTuple):
    """A row of QueueStatus: a member as it is now. It counts with our ``action_id`` only."""

    stamp: str | None
    queue: str | None
    interface: str | None
    paused: str | None
    reason: str | None
    action_id: str | None


def headers(text: str | None) -> dict[str, str]:
    """The lines of a ``text``, each by its name; of doubled ones the last."""
    pairs = (line.partition(":") for line in (text or "").split("\r\n"))
    return {name: value.removeprefix(" ") for name, colon, value in pairs if colon}
