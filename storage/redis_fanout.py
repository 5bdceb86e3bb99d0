"""Word between processes through Redis (or Valkey), over one channel.

Pages of this process never wait for Redis: what is published is handed to them at once and queued for the others.
While Redis is away, or the queue overflows, the others miss messages; they are told so (LAGGED) once it is back, and
so are this process's subscribers, who missed the others'. Messages that waited too long are dropped: a late pop is a
lie.
"""

import asyncio
import json
import secrets
from collections import deque
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Any

import structlog
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from storage.fanout import DEPTH, LAGGED, MemoryFanout, Message

log = structlog.get_logger()

CHANNEL = "hotline.fanout"
TIMEOUT_S = 5.0  # for connecting, for an answer, and for a sign of life on a silent link
LONGEST_PAUSE_S = 15.0
_TROUBLE = (RedisError, OSError, TimeoutError)


class RedisFanout:
    """Publishes to this process and to every other on the same Redis. :meth:`run` must be running."""

    def __init__(self, url: str, *, channel: str = CHANNEL, depth: int = DEPTH, timeout_s: float = TIMEOUT_S) -> None:
        """Get ready for ``redis://``, ``rediss://`` or ``unix://`` without connecting yet; ValueError for others."""
        # The library would reconnect by itself and lose messages without a word; we want to know.
        once = Retry(NoBackoff(), 0)
        waits: dict[str, Any] = {"socket_connect_timeout": timeout_s, "socket_timeout": timeout_s}
        if url.startswith("unix:"):
            del waits["socket_connect_timeout"]
        self._redis: Redis = Redis.from_url(url, retry=once, decode_responses=True, encoding_errors="replace", **waits)
        self._channel = channel
        self._timeout = timeout_s
        self._near = MemoryFanout(depth)
        self._me = secrets.token_hex(8)
        self._outgoing: deque[str] = deque()
        self._depth = depth
        self._work = asyncio.Event()
        self._others_lag = False
        self.connected = asyncio.Event()  # messages of other processes arrive

    async def publish(self, topic: str, message: Message) -> None:
        """Tell this process's subscribers now and the others as soon as Redis takes it. Never waits."""
        await self._near.publish(topic, message)
        if len(self._outgoing) >= self._depth:
            self._lose()
        self._outgoing.append(json.dumps([self._me, topic, message], ensure_ascii=False))
        self._work.set()

    def subscribe(self, *topics: str) -> AbstractAsyncContextManager[AsyncIterator[tuple[str, Message]]]:
        """Messages of the topics, from every process, while the block lasts."""
        return self._near.subscribe(*topics)

    async def run(self) -> None:
        """Carry messages until cancelled, whatever becomes of Redis."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._again_and_again(self._receive), name="fanout receive")
                group.create_task(self._again_and_again(self._send), name="fanout send")
        finally:
            self.connected.clear()
            await self._redis.aclose()

    async def close(self) -> None:
        """End every subscription; :meth:`run` is ended by cancelling it."""
        await self._near.close()

    async def _again_and_again(self, work: Any) -> None:
        pause = 0.1
        while True:
            began = asyncio.get_running_loop().time()
            try:
                await work()
            except _TROUBLE as error:
                _leave_if_cancelled()
                self.connected.clear()
                if asyncio.get_running_loop().time() - began > LONGEST_PAUSE_S:
                    pause = 0.1
                log.warning("Redis is away; pages of other processes wait", error=str(error), pause=pause)
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_S)

    async def _receive(self) -> None:
        pubsub: Any = self._redis.pubsub()
        try:
            await pubsub.subscribe(self._channel)
            silent = False
            while True:
                message = await pubsub.get_message(timeout=self._timeout)
                _leave_if_cancelled()
                if message is None:
                    if silent:
                        raise TimeoutError("no sign of life")
                    silent = True
                    await pubsub.ping()
                    continue
                silent = False
                if message["type"] == "subscribe":
                    # Ours or the library's own reconnect: whatever was said in between is lost.
                    self._near.lag()
                    self.connected.set()
                elif message["type"] == "message":
                    await self._arrived(message["data"])
        finally:
            await pubsub.aclose()

    async def _arrived(self, text: str) -> None:
        try:
            said = json.loads(text)
        except ValueError:
            said = None
        match said:
            case [self._me, *_]:
                return  # our own pages have it already
            case [str(), str(topic), dict(message)]:
                if topic == LAGGED:
                    self._near.lag()
                else:
                    await self._near.publish(topic, message)
            case _:
                log.warning("a strange message on the fan-out channel", text=text[:200])

    async def _send(self) -> None:
        try:
            while True:
                await self._work.wait()
                self._work.clear()
                if self._others_lag:
                    self._outgoing.clear()  # older than the snapshot the others will take
                    await self._redis.publish(self._channel, json.dumps([self._me, LAGGED, {}]))
                    _leave_if_cancelled()
                    self._others_lag = False
                while self._outgoing:
                    await self._redis.publish(self._channel, self._outgoing.popleft())
                    _leave_if_cancelled()
        except _TROUBLE:
            self._lose()
            raise

    def _lose(self) -> None:
        """What waits is late by now: drop it, and have the others told once they can be."""
        self._outgoing.clear()
        self._others_lag = True
        self._work.set()


def _leave_if_cancelled() -> None:
    """Raise the cancellation that the library lost: 8.1 was seen to answer a cancelled publish as if nothing was."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
