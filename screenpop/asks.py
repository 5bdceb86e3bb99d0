"""How a page that opens late gets the cards that are open: it asks, and whoever has the desk answers.

Question and answer travel over the fan-out, the answer on the agent's own topic, between the changes it belongs
between: a page can never see a snapshot older than a change it has had. One path for one process and for many. With no
desk listening nothing comes, and the page goes on saying that it is not connected, which is true.
"""

from collections.abc import Callable

from screenpop.card import Json
from screenpop.desk import topic
from storage.fanout import Fanout

ASK = "ask"


async def ask(fanout: Fanout, agent: str) -> None:
    """Have an agent's cards told anew on the agent's topic."""
    await fanout.publish(ASK, {"agent": agent})


async def answer(fanout: Fanout, page: Callable[[str], list[Json]], now: Callable[[], float]) -> None:
    """Answer until cancelled. ``page(agent)`` gives the cards (:meth:`screenpop.desk.Desk.page`)."""
    async with fanout.subscribe(ASK) as asked:
        async for _, question in asked:
            agent = str(question["agent"])
            await fanout.publish(topic(agent), {"type": "snapshot", "cards": page(agent), "now": now()})
