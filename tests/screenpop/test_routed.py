"""A call's page says what the dialplan was told, and why; the status page, how often that was too little."""

from typing import TYPE_CHECKING

import pytest

from screenpop import words
from telephony.call import Routed
from telephony.routing import Route, RouteReason

if TYPE_CHECKING:
    from tests.screenpop.conftest import House, Visit


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (
            Route(RouteReason.TICKET_OWNER, "support", 10, "1002"),
            "已答复转接去向 · 先呼叫分机 1002（未完结工单负责人） · 再进入队列 support · 优先级 10",
        ),
        (Route(RouteReason.LAST_AGENT, agent="1002"), "已答复转接去向 · 先呼叫分机 1002（上次与来电人通话）"),
        (Route(RouteReason.MENU, "sales"), "已答复转接去向 · 队列 sales（按键选择）"),
        (Route(RouteReason.LATE), "已答复转接去向 · 未能及时识别来电人"),
    ],
)
async def test_where_routing_sent_a_call_and_why(house: "House", visit: "Visit", told: Route, said: str) -> None:
    """In the reader's words."""
    call = await house.answered()
    fact = Routed(
        call=call,
        at=house.time + 1,
        reason=told.reason,
        queue=told.queue,
        agent=told.agent,
        priority=told.priority,
    )
    await house.ledger.record(fact, now=house.time)
    assert said in await (await visit("li")).text(f"/calls/{call}")


def test_every_reason_that_is_kept_has_a_name() -> None:
    """A question about no number of ours is on no call."""
    assert set(words.ROUTE) == {reason.value for reason in RouteReason} - {RouteReason.UNKNOWN_LINE}


async def test_the_operator_sees_how_routing_fares(house: "House", visit: "Visit") -> None:
    """Nothing while the doors are shut; else how many were asked and how many came to nothing."""
    root = await visit("root")
    house.told = {"routing": None}
    assert "电话系统问路" not in await root.text("/status")
    house.told = {"routing": {"answered": 7, "late": 2}}
    page = await root.text("/status")
    assert "电话系统问路" in page
    assert "7 次询问 · 2 次未能及时识别来电人" in page
