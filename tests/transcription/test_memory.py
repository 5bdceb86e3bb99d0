"""Workers share the memory: idle models give way, and of those at work only the one that grew."""

import asyncio
from dataclasses import dataclass

from transcription.memory import Memory


@dataclass
class Worker:
    """A worker of so many bytes."""

    holds: int
    grown: int = 0
    idle: bool = True
    used: float = 0.0
    loading: bool = False

    async def stop(self) -> None:
        """Give all back."""
        await asyncio.sleep(0)
        self.holds = self.grown = 0
        self.idle = False


def house(most: int | None, *workers: Worker) -> Memory:
    """A memory with these in it."""
    memory = Memory(most)
    for worker in workers:
        memory.add(worker)
    return memory


async def test_the_model_unused_longest_gives_way_first() -> None:
    """And no more of them than needed."""
    new, old, newer = Worker(0), Worker(40, used=1.0), Worker(40, used=2.0)
    memory = house(100, new, old, newer)
    assert await memory.make_room(new, 50)
    assert (old.holds, newer.holds) == (0, 40)
    assert memory.held == 40


async def test_what_is_at_work_does_not_give_way() -> None:
    """Then there is no room."""
    new, busy = Worker(0), Worker(80, idle=False)
    assert not await house(100, new, busy).make_room(new, 50)
    assert busy.holds == 80


async def test_only_the_one_that_grew_most_is_too_much() -> None:
    """One recording pays, not its neighbour; and nobody while an idle model can give way."""
    swollen, modest = Worker(70, grown=50, idle=False), Worker(40, grown=1, idle=False)
    memory = house(100, swollen, modest)
    assert await memory.too_much(swollen)
    assert not await memory.too_much(modest)
    idle = Worker(20)
    memory = house(100, idle, Worker(90, grown=50, idle=False))
    assert not await memory.too_much(Worker(90, grown=50, idle=False))
    assert idle.holds == 0


async def test_what_is_being_loaded_costs_no_recording_its_worker() -> None:
    """It may be too large and be refused in a moment."""
    busy, loading = Worker(60, grown=9, idle=False), Worker(90, grown=90, idle=False, loading=True)
    assert not await house(100, busy, loading).too_much(busy)
    loading.loading = False
    assert not await house(100, busy, loading).too_much(busy)
    assert await house(100, busy, loading).too_much(loading)


async def test_a_model_alone_that_did_not_grow_is_not_killed_for_its_size() -> None:
    """Its loading is refused, with a word, elsewhere."""
    large = Worker(200, grown=0, idle=False)
    assert not await house(100, large).too_much(large)


async def test_without_a_limit_nobody_gives_way() -> None:
    """Each worker's own limit holds all the same."""
    worker, idle = Worker(10**12, grown=10**11, idle=False), Worker(10**12)
    memory = house(None, worker, idle)
    assert await memory.make_room(worker, 10**12)
    assert not await memory.too_much(worker)
    memory.remove(idle)
    memory.remove(idle)
    assert memory.held == 10**12
