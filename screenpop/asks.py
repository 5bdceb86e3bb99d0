"""A desk's voice: what it says on the fan-out, which is all that pages know of it, in its own process and in others.

Changes go out on the agent's own topic. A page that opens late asks for the cards that are open, and every desk answers
with its own on that topic, between the changes they belong between: a page can never see a snapshot older than a change
it has had. Now and then, and when it changes, a desk says that it lives and which PBXs it hears (:data:`DESKS`). All it
says carries its name; :mod:`screenpop.views` makes one truth of what several say. One path for one process and for
many. With no desk listening nothing comes, and the page goes on saying that it is not connected, which is true.
"""

import asyncio
from collections.abc import Callable, Mapping

from screenpop.card import Json
from screenpop.desk import Change, message, topic
from storage.fanout import Fanout

ASK = "ask"
DESKS = "desks"
ALIVE = 2.0  # seconds between a desk's signs of life; see views.SILENCE


async def ask(fanout: Fanout, agent: str) -> None:
    """Have an agent's cards told anew on the agent's topic."""
    await fanout.publish(ASK, {"agent": agent})


class Voice:
    """Speaks for the desk called ``name``. ``page(agent)`` gives its cards (:meth:`screenpop.desk.Desk.page`).

    ``hears``: the PBXs it listens to, and whether their links stand. :meth:`run` must be running.
    """

    def __init__(
        self,
        fanout: Fanout,
        page: Callable[[str], list[Json]],
        now: Callable[[], float],
        *,
        name: str = "",
        hears: Mapping[str, bool] | None = None,
    ) -> None:
        self._fanout, self._page, self._now = fanout, page, now
        self.name = name
        self._hears = dict(hears or {})

    async def tell(self, change: Change) -> None:
        """Tell a change to the agent's pages."""
        await self._fanout.publish(topic(change.agent), message(change) | {"desk": self.name})

    async def hears(self, pbx: str, *, on: bool) -> None:
        """Say that a PBX is heard from now on, with all its live calls on the desk, or is not heard any more."""
        self._hears[pbx] = on
        await self._alive()

    async def run(self) -> None:
        """Answer pages and give signs of life until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._answer())
            while True:
                await self._alive()
                await asyncio.sleep(ALIVE)

    async def _answer(self) -> None:
        async with self._fanout.subscribe(ASK) as asked:
            async for name, question in asked:
                if name != ASK:
                    continue  # questions were lost on the way: pages are told so too and ask again
                agent = str(question["agent"])
                said = {"type": "snapshot", "cards": self._page(agent), "now": self._now()}
                await self._fanout.publish(topic(agent), said | {"desk": self.name, "hears": dict(self._hears)})

    async def _alive(self) -> None:
        said = {"type": "desk", "desk": self.name, "hears": dict(self._hears), "now": self._now()}
        await self._fanout.publish(DESKS, said)
