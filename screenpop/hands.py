"""What the desk may have the PBX do: pause an agent's phone in its queues, and call a number for an agent.

Only the protocol: the hand itself is ``hotline``'s, as it knows PBXs and their logins. Where a PBX has no login for it
(``[pbx.desk]``), a hand may do neither and the pages do not offer it.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol

from telephony.call import CallKey


class Cannot(StrEnum):
    """Why the PBX did not do it."""

    NOT_ALLOWED = "not_allowed"  # not configured, or a number that is not called from here
    NO_PHONE = "no_phone"  # the extension is in no queue, or its phone cannot be rung
    PBX_AWAY = "pbx_away"  # it does not answer: whether it did it is not known
    REFUSED = "refused"  # the PBX said no
    BUSY = "busy"  # a call is being made from this phone already


class HandError(Exception):
    """The PBX did not do it; ``text`` is English, for programs and logs."""

    def __init__(self, kind: Cannot, text: str) -> None:
        super().__init__(text)
        self.kind, self.text = kind, text


class Hand(Protocol):
    """The PBX's hand. All methods raise HandError, and return once the PBX has taken the order."""

    @property
    def may_pause(self) -> bool:
        """Whether agents' phones can be paused."""

    @property
    def may_dial(self) -> bool:
        """Whether numbers can be called for agents."""

    @property
    def pauses(self) -> Sequence[str]:
        """The reasons an agent may choose from, in the administrator's order."""

    async def pause(self, extension: str, paused: bool, reason: str | None = None) -> None:  # noqa: FBT001 - a state
        """Pause a phone in all its queues, or take it back."""

    async def dial(
        self,
        extension: str,
        number: str,
        call: CallKey | None = None,
        *,
        line: str | None = None,
        ticket: int | None = None,
        who: str = "",
    ) -> None:
        """Ring the agent's phone, then call ``number`` (E.164) from it, showing ``line`` (one of our 400 numbers).

        ``call``: the call that is called back, ``ticket``: its ticket; ``who``: the login that asks. Returns when the
        phone begins to be rung; what becomes of it is told on the fan-out: ``{"type":"dial"}`` on the agent's topic.
        """
