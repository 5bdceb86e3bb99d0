"""Sessions that were ended by hand: their open pages are closed at once, in every process."""

from collections.abc import Sequence

from aiohttp import web

from screenpop.hub import Hub
from storage.fanout import LAGGED, Fanout

SESSIONS = "sessions"


class Endings:
    """:meth:`run` must be running. What the fan-out loses is noticed by the pages' own look at their login."""

    def __init__(self, fanout: Fanout, hub: Hub) -> None:
        self._fanout, self._hub = fanout, hub

    async def tell(self, ended: Sequence[int]) -> None:
        """These sessions have ended."""
        if ended:
            await self._fanout.publish(SESSIONS, {"type": "ended", "sessions": list(ended)})

    async def renew(self, session: int) -> None:
        """This session goes on with another token: its own pages come back with it, nobody else's."""
        await self._fanout.publish(SESSIONS, {"type": "renewed", "sessions": [session]})

    async def run(self) -> None:
        """Close pages until cancelled."""
        async with self._fanout.subscribe(SESSIONS) as messages:
            async for name, message in messages:
                if name != LAGGED:
                    for session in message["sessions"]:
                        (self._hub.renew_session if message["type"] == "renewed" else self._hub.end_session)(session)


ENDINGS: web.AppKey[Endings] = web.AppKey("endings", Endings)
