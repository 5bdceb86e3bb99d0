"""Word between processes: in order, to whom it concerns, never in the publisher's way, and never silently lost."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs

from storage import redis_fanout
from storage.fanout import LAGGED, Fanout, MemoryFanout, Message
from storage.redis_fanout import CHANNEL, RedisFanout

if TYPE_CHECKING:
    from tests.conftest import RedisServer

Word = tuple[str, Message]


async def hear(words: AsyncIterator[Word], count: int = 1) -> list[Word]:
    """The next words, which must come soon."""
    async with asyncio.timeout(10):
        return [await anext(words) for _ in range(count)]


@asynccontextmanager
async def running(server: "RedisServer", **options: Any) -> AsyncGenerator[RedisFanout]:
    """A fan-out of one process, connected."""
    fanout = RedisFanout(server.url, **options)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(fanout.run())
        async with asyncio.timeout(10):
            await fanout.connected.wait()
        yield fanout
        task.cancel()


@pytest.fixture(params=["memory", "redis"])
async def fanout(request: pytest.FixtureRequest) -> AsyncIterator[Fanout]:
    """Either kind."""
    if request.param == "memory":
        yield MemoryFanout()
        return
    async with running(request.getfixturevalue("redis_server")) as found:
        yield found


async def test_subscribers_hear_their_topics_in_order(fanout: Fanout) -> None:
    """Each of them all of it; nothing of other topics, nothing from before."""
    await fanout.publish("agent:1001", {"n": 0})
    async with fanout.subscribe("agent:1001", "tickets") as both, fanout.subscribe("tickets") as tickets:
        for n in range(3):
            await fanout.publish("agent:1001", {"n": n, "text": "您好"})
            await fanout.publish("agent:1002", {"n": n})
        await fanout.publish("tickets", {"id": 7})
        expected = [("agent:1001", {"n": n, "text": "您好"}) for n in range(3)]
        assert await hear(both, 4) == [*expected, ("tickets", {"id": 7})]
        assert await hear(tickets) == [("tickets", {"id": 7})]


async def test_who_left_is_forgotten(fanout: Fanout) -> None:
    """No queue fills for somebody who is gone."""
    async with fanout.subscribe("tickets"):
        pass
    await fanout.publish("tickets", {"id": 7})
    near = fanout if isinstance(fanout, MemoryFanout) else fanout._near  # type: ignore[attr-defined]
    assert near._boxes == {}


async def test_closing_ends_every_subscription_after_what_was_said(fanout: Fanout) -> None:
    """Pages say goodbye in order."""
    async with fanout.subscribe("tickets") as words:
        await fanout.publish("tickets", {"id": 7})
        await fanout.close()
        assert [word async for word in words] == [("tickets", {"id": 7})]


async def test_a_slow_subscriber_is_told_that_it_lags_and_costs_nobody_else() -> None:
    """What it has not read gives way to one marker; the others hear all."""
    fanout = MemoryFanout(depth=3)
    async with fanout.subscribe("t") as slow, fanout.subscribe("t") as quick:
        heard = []
        for n in range(10):
            await fanout.publish("t", {"n": n})
            heard += await hear(quick)
        assert heard == [("t", {"n": n}) for n in range(10)]
        await fanout.publish("t", {"n": 10})
        assert await hear(slow, 2) == [(LAGGED, {}), ("t", {"n": 10})]


async def test_processes_hear_each_other(redis_server: "RedisServer") -> None:
    """Both ways, each once; the publisher's own pages hear it without the detour."""
    async with (
        running(redis_server) as one,
        running(redis_server) as other,
        one.subscribe("t") as at_one,
        other.subscribe("t") as at_other,
    ):
        await one.publish("t", {"from": "one"})
        assert await hear(at_other) == [("t", {"from": "one"})]
        await other.publish("t", {"from": "other"})
        assert await hear(at_one, 2) == [("t", {"from": "one"}), ("t", {"from": "other"})]
        await other.publish("t", {"from": "again"})
        assert await hear(at_other, 2) == [("t", {"from": "other"}), ("t", {"from": "again"})]


def loss_of(fanout: RedisFanout) -> asyncio.Event:
    """Set once the connection is known to be gone."""
    lost, clear = asyncio.Event(), fanout.connected.clear

    def cleared() -> None:
        clear()
        lost.set()

    fanout.connected.clear = cleared  # type: ignore[method-assign]
    return lost


async def test_redis_restarts_and_everybody_is_told_to_look_again(
    redis_server: "RedisServer", monkeypatch: pytest.MonkeyPatch
) -> None:
    """Own pages go on hearing while it is away; afterwards both processes lag, then hear each other again."""
    monkeypatch.setattr(redis_fanout, "LONGEST_PAUSE_S", 0.2)
    async with (
        running(redis_server) as one,
        running(redis_server) as other,
        one.subscribe("t") as at_one,
        other.subscribe("t") as at_other,
    ):
        lost = [loss_of(one), loss_of(other)]
        with capture_logs() as logs:
            redis_server.stop()
            async with asyncio.timeout(10):
                for event in lost:
                    await event.wait()
            await one.publish("t", {"n": "alone"})
            assert await hear(at_one) == [("t", {"n": "alone"})]
            redis_server.start()
            assert await hear(at_one) == [(LAGGED, {})]
            assert await hear(at_other) == [(LAGGED, {})]
        assert any("Redis is away" in entry["event"] for entry in logs)
        async with asyncio.timeout(10):
            await one.connected.wait()
            await other.connected.wait()
        seen = []
        await one.publish("t", {"n": "back"})
        while ("t", {"n": "back"}) not in seen:
            seen += await hear(at_other)
        assert {topic for topic, _ in seen} <= {LAGGED, "t"}


async def test_a_server_that_stops_answering_is_noticed(
    redis_server: "RedisServer", monkeypatch: pytest.MonkeyPatch
) -> None:
    """A half-open link looks like silence: without a sign of life it is given up."""
    monkeypatch.setattr(redis_fanout, "LONGEST_PAUSE_S", 0.2)
    async with running(redis_server, timeout_s=0.3) as fanout:
        lost = loss_of(fanout)
        redis_server.freeze()
        async with asyncio.timeout(10):
            await lost.wait()
            redis_server.thaw()
            await fanout.connected.wait()


async def test_a_silent_healthy_link_stays(redis_server: "RedisServer") -> None:
    """Nothing said for many time-outs is no trouble: pings are answered."""
    async with running(redis_server, timeout_s=0.05) as fanout, fanout.subscribe("t") as words:
        with capture_logs() as logs, suppress(TimeoutError):
            await asyncio.wait_for(anext(words), 1.0)
        assert logs == []
        assert fanout.connected.is_set()


async def test_the_publisher_never_waits_for_redis(redis_server: "RedisServer") -> None:
    """Frozen, the server takes nothing; ten thousand messages are handed to the own pages all the same."""
    async with (
        running(redis_server, depth=100) as one,
        running(redis_server) as other,
        one.subscribe("t") as words,
        other.subscribe("t") as far,
    ):
        redis_server.freeze()
        for n in range(10_000):
            await one.publish("t", {"n": n})
            assert (await hear(words))[0][1]["n"] == n
        assert len(one._outgoing) <= 100
        redis_server.thaw()
        while (await hear(far))[0][0] != LAGGED:
            pass


async def test_it_ends_when_cancelled_whatever_it_is_doing(redis_server: "RedisServer") -> None:
    """While connecting for the first publish, the library was seen to lose a cancellation."""
    for turns in range(25):
        async with running(redis_server) as fanout:
            await fanout.publish("t", {})
            for _ in range(turns):
                await asyncio.sleep(0)


async def test_strange_messages_on_the_channel_harm_nobody(redis_server: "RedisServer") -> None:
    """Somebody else's program publishes there: logged, and the next message arrives."""
    client: Redis = Redis.from_url(redis_server.url)
    async with running(redis_server) as fanout, fanout.subscribe("t") as words:
        with capture_logs() as logs:
            for strange in ("no json", "[1]", '{"a": 1}', '["x", 5, {}]', '["x", "t", 5]', b"\xff\xfe"):
                await client.publish(CHANNEL, strange)
            await client.publish(CHANNEL, '["x", "t", {"n": 1}]')
            assert await hear(words) == [("t", {"n": 1})]
        assert {entry["event"] for entry in logs} == {"a strange message on the fan-out channel"}
        assert len(logs) == 6
        assert fanout.connected.is_set()
    await client.aclose()


def test_an_address_that_is_none_is_told() -> None:
    """At the start, not when the first page waits."""
    with pytest.raises(ValueError, match="redis://"):
        RedisFanout("postgresql://x")
