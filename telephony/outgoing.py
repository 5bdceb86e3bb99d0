"""Calls that go out to the world: which number was called from which phone, and whether anybody answered. Pure.

They are no calls of ours and have no card; but whoever was missed and is called back, by a click or by hand, needs no
further call. Asterisk tells it in two events (16.28 and 22.10): ``DialBegin`` towards the carrier with what Dial() was
given (``13812345678@carrier``), and ``DialEnd`` with ``ANSWER``, ``BUSY``, ``NOANSWER``, ``CANCEL`` (the agent gave
up), ``CONGESTION`` or ``CHANUNAVAIL``. A caller of ours who is sent on to a mobile makes such events as well: those
belong to a live call and are left out by whoever feeds this.
"""

import re
from collections import OrderedDict
from enum import StrEnum
from typing import NamedTuple

from telephony.events import Dialled, DialOver, HangUp, seconds
from telephony.phones import Phones

OURS = "hotline-"  # what the Uniqueids of channels begin with that an action of ours made
_DIGITS = re.compile(r"\+?[0-9]{5,20}")
_MOST = 2000  # calls going out at once


class Out(StrEnum):
    """How far a call out has come."""

    CALLING = "calling"
    TALKING = "talking"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    FAILED = "failed"
    OVER = "over"  # the phone that called for us is put down


_ENDS = {
    "ANSWER": Out.TALKING,
    "BUSY": Out.BUSY,
    "NOANSWER": Out.NO_ANSWER,
    "CANCEL": Out.NO_ANSWER,
    "CONGESTION": Out.FAILED,
    "CHANUNAVAIL": Out.FAILED,
    "INVALIDARGS": Out.FAILED,
}


class OutCall(NamedTuple):
    """A call out came this far. ``number`` as it was dialled; ``agent``: whose phone calls, None where it is not told.

    ``linkedid`` is that of the phone's own channel. ``at``: epoch seconds on the PBX's clock. OVER has no number, and
    is told of channels alone that an action of ours made.
    """

    pbx: str
    linkedid: str
    agent: str | None
    number: str
    state: Out
    at: float | None


class Outgoing:
    """The calls out of one PBX. ``phones`` know its trunks; ``prefix`` is what gets an outside line."""

    def __init__(self, pbx: str, phones: Phones, prefix: str = "") -> None:
        self._pbx, self._phones, self._prefix = pbx, phones, prefix
        self._legs: OrderedDict[str, tuple[str, str | None, str]] = OrderedDict()  # Linkedid, agent, number

    def feed(self, event: Dialled | DialOver | HangUp) -> OutCall | None:
        """What an event tells of a call out."""
        if isinstance(event, Dialled):
            return self._dialled(event)
        leg = event.uniqueid if isinstance(event, HangUp) else event.dest_uniqueid
        if leg is None or leg not in self._legs:
            ours = isinstance(event, HangUp) and leg is not None and leg.startswith(OURS)
            return OutCall(self._pbx, leg or "", None, "", Out.OVER, seconds(event.stamp)) if ours else None
        linkedid, agent, number = self._legs.pop(leg)
        state = Out.FAILED if isinstance(event, HangUp) else _ENDS.get(event.status or "", Out.FAILED)
        return OutCall(self._pbx, linkedid, agent, number, state, seconds(event.stamp))

    def _dialled(self, event: Dialled) -> OutCall | None:
        leg, linkedid = event.dest_uniqueid, event.dest_linkedid
        if leg is None or linkedid is None or leg == linkedid or not self._phones.is_trunk(event.dest_channel):
            return None
        number = self._number(event.string)
        if number is None or event.channel is None:
            return None
        agent = self._phones.agent(event.channel) or self._phones.member(event.channel.rpartition("-")[0])
        self._legs[leg] = (linkedid, agent, number)
        while len(self._legs) > _MOST:
            self._legs.popitem(last=False)
        return OutCall(self._pbx, linkedid, agent, number, Out.CALLING, seconds(event.stamp))

    def _number(self, string: str | None) -> str | None:
        """The one run of digits in what was dialled: an endpoint's name has none as long."""
        found = _DIGITS.findall(string or "")
        return found[0].removeprefix(self._prefix) if len(found) == 1 else None
