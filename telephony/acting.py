"""What the desk has a PBX do, over a login of its own: pause a phone in its queues, call a number from it.

Asterisk (16.28 and 22.10) gives QueuePause to the write class ``agent`` and Originate to ``originate``, and nothing
else of note with them; OriginateResponse comes with the read class ``call``. With ``originate`` whoever has the secret
can call any number through any context: that is what a caller's bill is made of, so the context named in the
configuration should let out no more than agents may call. Of what people typed only digits are ever sent.

Originate is asked for in the background (Async): it rings the phone, and once that is taken up the PBX goes on in the
configured context. The first channel bears a Uniqueid of ours, so that what becomes of the call can be told from
everybody else's.
"""

import asyncio
import random
import re
import secrets
from collections.abc import Callable, Sequence
from typing import NamedTuple

import structlog

from telephony.ami import AmiSettings, RefusedError
from telephony.events import Event, Originated
from telephony.outgoing import OURS
from telephony.pauses import LONGEST_REASON
from telephony.queue_events import MemberRow
from telephony.side_login import SideLogin

log = structlog.get_logger()

_EXTEN = re.compile(r"[0-9]{3,24}")
_WORD = re.compile(r"[A-Za-z0-9_.@/-]{1,80}")
_REASON = re.compile(r"[^\x00-\x1f\x7f]+")


def new_uniqueid() -> str:
    """The Uniqueid of a channel of ours; nobody can guess it."""
    return f"{OURS}{secrets.token_hex(8)}"


class Order(NamedTuple):
    """A call to be made: ring ``phone`` for so many seconds, then go on at ``exten`` in ``context``.

    ``uniqueid`` is the first channel's (:func:`new_uniqueid`). ``caller_id`` is what the called one sees, digits.
    ``callback``: which ticket it is about, for the dialplan (``HOTLINE_CALLBACK``).
    """

    uniqueid: str
    phone: str
    context: str
    exten: str
    caller_id: str
    ring: float
    callback: str = ""


class Actor:
    """One PBX's desk login. ``told`` gets what became of each Originate. :meth:`run` keeps the connection."""

    def __init__(
        self, settings: AmiSettings, told: Callable[[Originated], None], rng: random.Random | None = None
    ) -> None:
        self._told = told
        self._rows: list[MemberRow] = []
        self._asking = asyncio.Lock()
        self.login = SideLogin(settings, "the desk login", rng, self._take)

    async def run(self) -> None:
        """Stay connected until cancelled."""
        await self.login.run()

    async def members(self) -> Sequence[MemberRow]:
        """Every member of every queue as it is now. Raises AmiError."""
        async with self._asking:
            self._rows = []
            connection, deadline = self.login.connection, self.login.settings.deadline
            asked = (await connection.ask("QueueStatus", {}, deadline, rows=True))["ActionID"]
            return [row for row in self._rows if row.action_id == asked]

    async def pause(self, interface: str, reason: str | None, *, paused: bool) -> None:
        """Pause a member in all queues that have it, or take it back.

        Raises RefusedError, AmiError: whether it was done is unknown; ValueError for a reason that is no line of text.
        """
        if reason is not None and (not _REASON.fullmatch(reason) or len(reason.encode()) > LONGEST_REASON):
            raise ValueError(f"a reason is one line of up to {LONGEST_REASON} bytes")
        fields = {"Interface": interface, "Paused": "true" if paused else "false"}
        if reason is not None and paused:
            fields["Reason"] = reason
        await self._ask("QueuePause", fields, "agent")

    async def originate(self, order: Order) -> None:
        """Have a call made. Never sent twice.

        Raises RefusedError, AmiError: whether it rings is unknown; ValueError for an order with anything odd in it.
        """
        if not (_EXTEN.fullmatch(order.exten) and _EXTEN.fullmatch(order.caller_id)):
            raise ValueError(f"only digits are called and shown: {order.exten!r}, {order.caller_id!r}")
        odd = [word for word in (*order[:3], order.callback or "1") if not _WORD.fullmatch(word)]
        if odd:
            raise ValueError(f"a phone, context or mark with anything odd in it: {odd[0]!r}")
        fields = {
            "Channel": order.phone,
            "Context": order.context,
            "Exten": order.exten,
            "Priority": "1",
            "Timeout": str(round(order.ring * 1000)),
            "CallerID": f"<{order.caller_id}>",
            "Async": "true",
            "ChannelId": order.uniqueid,
            "Variable": f"__HOTLINE_CALLBACK={order.callback or 1}",
        }
        if order.phone.startswith("Local/"):
            fields["OtherChannelId"] = f"{order.uniqueid}-2"
        await self._ask("Originate", fields, "originate")

    async def _ask(self, action: str, fields: dict[str, str], right: str) -> None:
        login = self.login
        try:
            await login.connection.ask(action, fields, login.settings.deadline)
        except RefusedError as error:
            if "permission" in str(error).lower():
                login.trouble = f"{error} for {action}: grant [{login.settings.user}] write = {right} in manager.conf"
                log.error("the desk login may not", pbx=login.settings.name, action=action, advice=login.trouble)
            raise

    def _take(self, event: Event) -> None:
        if isinstance(event, MemberRow):
            self._rows.append(event)
        elif isinstance(event, Originated) and (event.uniqueid or "").startswith(OURS):
            self._told(event)
