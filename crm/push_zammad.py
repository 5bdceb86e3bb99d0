"""Zammad's generic CTI: newCall, answer, hangup, as JSON. Pure.

It has its own caller log, pop-up and search by number: it is told of calls, not asked. Read in its source (5.0): a
second ``newCall`` of a call is an error, of an unknown call so are ``answer`` and ``hangup``; times are those when it
hears; whom an ``answer`` opens a page for is found by ``answeringNumber``, else by ``user`` as a login, and a list of
users breaks there: ``user`` is always one text.
"""

import json
from collections.abc import Mapping

from crm.push import Ending, Happening, Message, What
from numbering.identify import identify

LONGEST_CALL = 250  # characters of callId

_EVENTS = {What.ARRIVED: "newCall", What.ANSWERED: "answer", What.ENDED: "hangup"}
_CAUSES: Mapping[Ending | None, str] = {
    Ending.ANSWERED: "normalClearing",
    Ending.ABANDONED: "cancel",
    Ending.VOICEMAIL: "noAnswer",
    Ending.LOST: "congestion",
    None: "normalClearing",
}
_SERVER_ERROR = 500


class Zammad:
    """Tells Zammad."""

    def name_of(self, happening: Happening) -> str | None:
        """Every answer, but one arrival and one end: a second end would move the first one's time."""
        event = _EVENTS.get(happening.what)
        return happening.name if event == "answer" else event

    def message(self, happening: Happening, now: float) -> Message:  # noqa: ARG002 - it takes its own time
        """The event."""
        call = happening.call
        told = {
            "event": _EVENTS[happening.what],
            "from": _digits(call.caller) or "anonymous",
            "to": _digits(identify(call.line).e164) or call.line,
            "direction": "in",
            "callId": call.call[:LONGEST_CALL],
        }
        if happening.agent is not None:
            told["answeringNumber"] = happening.agent
            told["user"] = happening.agent_name or happening.agent
        if happening.what is What.ENDED:
            told["cause"] = _CAUSES[happening.ending]
        body = json.dumps(told, ensure_ascii=False).encode()
        return Message(body, {"Content-Type": "application/json; charset=utf-8"})

    def heard_before(self, happening: Happening, status: int, text: str, *, doubtful: bool) -> bool:
        """It says so; or it breaks, as it does at a second newCall, after an answer to the first one was lost."""
        if happening.what is not What.ARRIVED:
            return False
        return "already exists" in text or (doubtful and status == _SERVER_ERROR)


def _digits(number: str | None) -> str | None:
    """A number as Zammad has them: ``8613812345678``; it puts a plus before whatever it shows."""
    return None if number is None else "".join(char for char in number if char in "0123456789")
