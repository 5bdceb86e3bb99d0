"""A second AMI login that does something, kept connected beside the one that listens.

It has rights of its own, as few as what it does needs, and its own secret. Nothing is ever sent twice: who asks while
the connection is away is told so.
"""

import asyncio
import random
from collections.abc import Callable

import structlog

from telephony.ami import AmiError, AmiSettings, Connection, RefusedError
from telephony.events import Event
from telephony.framing import Counts, Framer
from telephony.reading import LAYOUTS

log = structlog.get_logger()

_MOST = 30.0  # seconds between tries of a PBX that does not answer
_REFUSED_MOST = 300.0


class SideLogin:
    """One PBX's login for one purpose. :meth:`run` keeps it connected until cancelled.

    ``name`` for the log: "the recorder login". ``take`` gets every event that it is sent. ``up`` is set while it
    stands; ``trouble``: why it does not, or why it may not do what it is for, for the operator.
    """

    def __init__(
        self,
        settings: AmiSettings,
        name: str,
        rng: random.Random | None = None,
        take: Callable[[Event], None] = lambda _event: None,
    ) -> None:
        self.settings, self._name, self._take = settings, name, take
        self._rng = random.Random() if rng is None else rng  # noqa: S311 - jitter
        self._connection: Connection | None = None
        self.up = asyncio.Event()
        self.trouble: str | None = "not connected yet"

    @property
    def connection(self) -> Connection:
        """The connection, while it stands. Raises AmiError."""
        if self._connection is None:
            raise AmiError(self.trouble or "no connection")
        return self._connection

    async def run(self) -> None:
        """Stay connected until cancelled."""
        failed = 0
        while True:
            try:
                await self._session()
                failed, longest = 0, _MOST
            except RefusedError as error:
                self._tell(f"{self._name} {self.settings.user} is refused: {error}")
                failed, longest = failed + 1, _REFUSED_MOST
                await asyncio.sleep(self.settings.refused_retry)
            except (AmiError, OSError) as error:
                self._tell(str(error) or type(error).__name__)
                failed, longest = failed + 1, _MOST
            pause = min(longest, self.settings.first_retry * 2 ** min(failed, 10))
            await asyncio.sleep(pause * (0.5 + self._rng.random() / 2))

    async def _session(self) -> None:
        connection = Connection(self.settings, Framer(LAYOUTS, Counts()), self._take, _unheard)
        try:
            await connection.open()
            self._connection = connection
            self.trouble = None
            self.up.set()
            log.info("a login of ours stands", login=self._name, pbx=self.settings.name, user=self.settings.user)
            while not connection.lost.done():
                await asyncio.wait({connection.lost}, timeout=self.settings.ping_every)
                if not connection.lost.done():
                    await connection.ask("Ping", {}, self.settings.ping_every)
            self._tell(connection.lost.result())
        finally:
            self._connection = None
            self.up.clear()
            connection.abort("closed by us")

    def _tell(self, why: str) -> None:
        """Once, not at every try."""
        if why != self.trouble:
            log.warning("a login of ours is down", login=self._name, pbx=self.settings.name, why=why)
        self.trouble = why


def _unheard(_data: bytes) -> None:
    """No capture: what this login sends and is told is nobody's business."""
