"""The memory that all speech workers of one service share, whichever models they hold.

Idle models give way first, the one unused longest before the others; what is at work is killed only when nothing idle
is left, and then the one that grew most. Knows nothing of models, recordings or the system: it is told who holds what.
"""

from typing import Protocol

MB = 2**20


class Holder(Protocol):
    """A worker process as its memory is seen."""

    @property
    def holds(self) -> int:
        """Bytes it holds now; 0 when it does not run."""
        ...

    @property
    def grown(self) -> int:
        """Bytes it took since its model was loaded."""
        ...

    @property
    def idle(self) -> bool:
        """Whether it runs and could end at once without harm."""
        ...

    @property
    def loading(self) -> bool:
        """Whether its model is still being loaded, which may yet be refused for its size."""
        ...

    @property
    def used(self) -> float:
        """When it worked last: any clock that all share."""
        ...

    async def stop(self) -> None:
        """End it; it starts again when it is needed."""
        ...


class Memory:
    """Bytes that the workers may hold together; ``most`` None: no common limit."""

    def __init__(self, most: int | None = None) -> None:
        self.most = most
        self._holders: list[Holder] = []

    def add(self, holder: Holder) -> None:
        """Count this one from now on."""
        self._holders.append(holder)

    def remove(self, holder: Holder) -> None:
        """Do not count this one any more."""
        if holder in self._holders:
            self._holders.remove(holder)

    @property
    def held(self) -> int:
        """Bytes held by all of them."""
        return sum(holder.holds for holder in self._holders)

    async def make_room(self, own: Holder, more: int = 0) -> bool:
        """End idle workers, never ``own``, until ``more`` bytes fit; whether they do."""
        if self.most is None:
            return True
        while self.held + more > self.most:
            idle = [holder for holder in self._holders if holder.idle and holder is not own]
            if not idle:
                return False
            await min(idle, key=lambda holder: holder.used).stop()
        return True

    async def too_much(self, own: Holder) -> bool:
        """Whether all together hold too much, nothing idle is left to end, and ``own`` grew most of those at work.

        A model that is being loaded is not the fault of those at work, and does not count.
        """
        if self.most is None or await self.make_room(own):
            return False
        working = [holder for holder in self._holders if not holder.loading]
        too_much = sum(holder.holds for holder in working) > self.most
        return too_much and 0 < own.grown >= max(holder.grown for holder in working)
