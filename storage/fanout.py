"""Word to whoever listens: pages in this process, and through Redis pages in others. Never durable.

Topics are plain text. A subscriber that does not keep up loses messages, not the publisher time: it is told so by a
message whose topic is ``LAGGED`` and should take a snapshot.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Protocol

Message = Mapping[str, Any]

LAGGED = "lagged"
DEPTH = 1000


class Fanout(Protocol):
    """Publishes messages by topic."""

    async def publish(self, topic: str, message: Message) -> None:
        """Tell every subscriber of ``topic``. Never waits for a subscriber."""
        ...

    def subscribe(self, *topics: str) -> AbstractAsyncContextManager[AsyncIterator[tuple[str, Message]]]:
        """Inside the block nothing published on ``topics`` is missed, but what LAGGED stands for."""
        ...

    async def close(self) -> None:
        """End every subscription."""
        ...


class Mailbox:
    """A subscriber's bounded queue."""

    def __init__(self, depth: int = DEPTH) -> None:
        self._queue: asyncio.Queue[tuple[str, Message] | None] = asyncio.Queue()
        self._depth = depth
        self._closed = False

    def put(self, topic: str, message: Message) -> None:
        """Hand a message over; when the queue is full everything in it gives way to one LAGGED."""
        if self._closed:
            return
        if self._queue.qsize() >= self._depth:
            self.lag()
            return
        self._queue.put_nowait((topic, message))

    def lag(self) -> None:
        """Messages were lost: what is still queued is older than the snapshot that will be taken, so it goes too."""
        if self._closed:
            return
        while not self._queue.empty():
            self._queue.get_nowait()
        self._queue.put_nowait((LAGGED, {}))

    def close(self) -> None:
        """End the iteration once what is queued was read."""
        self._closed = True
        self._queue.put_nowait(None)

    async def read(self) -> AsyncGenerator[tuple[str, Message]]:
        """Every message in order."""
        while (item := await self._queue.get()) is not None:
            yield item


class MemoryFanout:
    """Within this process."""

    def __init__(self, depth: int = DEPTH) -> None:
        self._depth = depth
        self._boxes: dict[str, set[Mailbox]] = {}

    async def publish(self, topic: str, message: Message) -> None:
        """Tell every subscriber in this process."""
        for box in self._boxes.get(topic, ()):
            box.put(topic, message)

    @asynccontextmanager
    async def subscribe(self, *topics: str) -> AsyncGenerator[AsyncIterator[tuple[str, Message]]]:
        """Messages of the topics while the block lasts."""
        box = Mailbox(self._depth)
        for topic in topics:
            self._boxes.setdefault(topic, set()).add(box)
        try:
            yield box.read()
        finally:
            for topic in topics:
                boxes = self._boxes[topic]
                boxes.discard(box)
                if not boxes:
                    del self._boxes[topic]

    def lag(self) -> None:
        """Messages were lost on the way here: tell every subscriber."""
        for box in {box for boxes in self._boxes.values() for box in boxes}:
            box.lag()

    async def close(self) -> None:
        """End every subscription."""
        for boxes in self._boxes.values():
            for box in boxes:
                box.close()
