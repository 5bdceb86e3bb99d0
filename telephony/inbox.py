"""Between the socket, which must never wait, and the one consumer: bounded, in order, without a lock."""

import asyncio
from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")


class Inbox(Generic[T]):
    """``put`` from the event loop, ``get`` by one consumer. ``limit`` items; what comes on top of them is refused."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._items: deque[T] = deque()
        self._filled = asyncio.Event()
        self._drained = asyncio.Event()
        self._drained.set()

    def __len__(self) -> int:
        return len(self._items)

    def put(self, item: T) -> bool:
        """Take an item; False when the consumer is too far behind and the item is dropped."""
        if len(self._items) >= self._limit:
            self._drained.clear()
            return False
        self._items.append(item)
        self._filled.set()
        return True

    def force(self, item: T) -> None:
        """Take an item whatever the limit: for the few that must not be lost."""
        self._items.append(item)
        self._filled.set()

    async def get(self) -> T:
        """The next item."""
        while (item := self.get_nowait()) is None:
            self._filled.clear()
            await self._filled.wait()
        return item

    def get_nowait(self) -> T | None:
        """The next item, if there is one."""
        if not self._items:
            return None
        item = self._items.popleft()
        if len(self._items) <= self._limit // 2:
            self._drained.set()
        return item

    async def drained(self) -> None:
        """Wait until the consumer has worked off half of what it may be behind."""
        await self._drained.wait()
