"""How far a transcript has come: heard from whoever makes it, shown on the call's page, forgotten when it is old."""

import asyncio
from typing import TYPE_CHECKING

import pytest

from screenpop.progress import MOST, OLD, TOPIC, Shares, message
from storage.fanout import MemoryFanout
from telephony.call import CallKey

if TYPE_CHECKING:
    from tests.screenpop.conftest import House, Visit

KEY = CallKey("main", "1795147200.1")


async def test_the_page_of_a_call_shows_the_share_done(house: "House", visit: "Visit") -> None:
    """Whichever process writes it down; once the transcript is there nobody asks any more."""
    call = await house.answered()
    zhao = await visit("zhao")
    page = await zhao.text(f"/calls/{call}")
    assert "<progress" not in page
    part = ""
    async with asyncio.timeout(10):
        while "<progress" not in part:  # the page's process hears of it in its own time
            await house.fanout.publish(TOPIC, message(call, 0.424))
            part = await zhao.text(f"/calls/{call}/state")
    assert 'value="42"' in part
    assert "42 %" in part
    assert 'value="42"' in await zhao.text(f"/calls/{call}")
    assert "正在转写" in part
    house.time += OLD + 1
    assert "<progress" not in await zhao.text(f"/calls/{call}/state"), "nothing was heard of it for long"


@pytest.mark.parametrize(
    "told", [{}, {"call": 7, "share": 0.5}, {"call": str(KEY), "share": "half"}, {"call": str(KEY)}]
)
def test_strange_words_are_left_alone(told: dict[str, object]) -> None:
    """Another version of this service may say something else."""
    shares = Shares(MemoryFanout(), lambda: 0.0)
    shares.take(told)
    assert shares.of(KEY) is None
    shares.take({"call": str(KEY), "share": 7})
    assert shares.of(KEY) == 1.0


def test_it_does_not_grow() -> None:
    """The call heard of last is the last to go."""
    shares = Shares(MemoryFanout(), lambda: 0.0)
    keys = [CallKey("main", f"1795147200.{number}") for number in range(MOST + 1)]
    for key in keys[:-1]:
        shares.take(message(key, 0.1))
    shares.take(message(keys[0], 0.2))
    shares.take(message(keys[-1], 0.1))
    assert [shares.of(key) for key in keys[:3]] == [0.2, None, 0.1]
