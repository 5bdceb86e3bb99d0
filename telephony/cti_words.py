"""One word of the generic CTI dialect, read: what happened to which leg of which call. Pure.

sipgate's names and Zammad's are the same but for the users: ``user[]``, ``userId[]`` and ``fullUserId[]`` in forms,
without the brackets in JSON and where there is but one. sipgate gives a call that is forwarded or handed over a new
``callId`` and names the first one in ``origCallId`` (its first leg names itself there).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256

Told = Mapping[str, Sequence[str]]

VOICEMAIL = "voicemail"  # the user who answers for everybody
FORWARDED = "forwarded"  # the cause of a leg's end where another leg follows
NAMED = 200  # users of one word that are looked at
_USERS = ("user[]", "user", "userId[]", "userId", "fullUserId[]", "fullUserId", "answeringNumber")
_LONG = 256  # characters of a field that are looked at; a callId has 250 at most
_PLAIN = re.compile(r"[A-Za-z0-9._-]{1,100}")


class Event(StrEnum):
    """What is told."""

    NEW = "newcall"
    ANSWER = "answer"
    HANGUP = "hangup"


@dataclass(frozen=True, slots=True)
class Word:
    """A word. ``leg``: its callId; ``first``: that of the call's first leg, '' where it is not told; both made plain.

    ``users``: names, ids and numbers of users as they were told, in lower case.
    """

    event: Event
    leg: str
    first: str
    outgoing: bool
    caller: str
    dialled: str
    queue: str
    cause: str
    users: tuple[str, ...]


def word_of(told: Told) -> Word | None:
    """The word; None for what is none."""
    event, leg = _one(told, "event").casefold(), _plain(_one(told, "callId", "callid", "call_id"))
    if not leg or event not in set(Event):
        return None
    names = [name.strip().casefold() for field in _USERS for name in told.get(field, ())[:NAMED]]
    return Word(
        event=Event(event),
        leg=leg,
        first=_plain(_one(told, "origCallId", "originalCallId")),
        outgoing=_one(told, "direction").casefold() == "out",
        caller=_one(told, "from"),
        dialled=_one(told, "to"),
        queue=_one(told, "queue"),
        cause=_one(told, "cause"),
        users=tuple(dict.fromkeys(name for name in names if name)),
    )


def _one(told: Told, *names: str) -> str:
    """The first value of the first of these fields that is there, '' where none is. Line breaks and the like go."""
    value = next((told[name][0] for name in names if told.get(name)), "")
    return "".join(char for char in value[:_LONG] if char.isprintable()).strip()


def _plain(call_id: str) -> str:
    """Their name of a leg as ours: as it is where it is plain, else a digest of it."""
    if not call_id or _PLAIN.fullmatch(call_id):
        return call_id
    return sha256(call_id.encode("utf-8", "surrogatepass")).hexdigest()[:32]
