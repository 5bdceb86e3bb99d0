"""The built-in PBX: plays real captured calls over a real AMI socket, in real time, over and over, with recordings.

For the demo of ``./run``. What listens to it cannot tell it from an Asterisk: calls come with fresh names and the time
of day, recordings grow below a folder and are marked complete. Knows nothing of the service that listens.
"""

import asyncio
import contextlib
import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import structlog

from hotline.demo.floor import Floor
from hotline.demo.manager import DemoAddress, ManagerServer
from hotline.demo.programme import programme
from hotline.demo.story import Beat, Message, Names, Retelling, Story, load_stories, value
from hotline.demo.tape import Tape

__all__ = ["DemoAddress", "DemoPbx"]

log = structlog.get_logger()


class DemoPbx:
    """Plays ``stories`` (all that there are unless given) to whoever logs in, from the first login on.

    ``root`` is the recordings root (``YYYY/MM/DD/NUMBER-UNIQUEID{,-rx,-tx}.wav`` and ``.done`` appear below it);
    ``clock`` says epoch seconds for Timestamps, Uniqueids and days; ``rng`` decides the programme; ``speed`` > 1
    shortens every wait, for tests. While nobody listens no new call begins.
    """

    def __init__(
        self,
        root: Path,
        clock: Callable[[], float],
        rng: random.Random,
        speed: float = 1.0,
        stories: Sequence[Story] | None = None,
    ) -> None:
        self.stories = tuple(load_stories() if stories is None else stories)
        self._root = root
        self._clock = clock
        self._rng = rng
        self._speed = speed
        self._names = Names(rng)
        self._floor = Floor()
        self._heard = asyncio.Event()
        self._manager = ManagerServer(self._floor, clock, self._heard.set)
        self._playing: set[asyncio.Task[None]] = set()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> DemoAddress:
        """Listen; calls come only with :meth:`run`. The address and a secret made now."""
        return await self._manager.open()

    async def close(self) -> None:
        """Stop listening, close every connection."""
        await self._manager.close()

    async def run(self) -> None:
        """Play the programme, for ever. Cancelled, calls end where they are and their recordings are finished."""
        loop = asyncio.get_running_loop()
        await self._listened()
        began = loop.time()
        async with asyncio.TaskGroup() as group:
            for cue in programme(self.stories, self._rng):
                await self._until(began + cue.at / self._speed)
                if not self._manager.listeners:
                    await self._listened()
                    if self._playing:  # the programme keeps agents apart only at its own times
                        await asyncio.wait(self._playing)
                    began = loop.time() - cue.at / self._speed
                task = group.create_task(self.play(cue.story))
                self._playing.add(task)
                task.add_done_callback(self._playing.discard)

    async def play(self, story: Story) -> None:
        """One call, from its first event to its last and to the mark of its recording."""
        log.info("demo call", story=story.name, caller=story.caller, number=story.number)
        told = Retelling(self._names)
        began = asyncio.get_running_loop().time()
        tape: Tape | None = None
        async with asyncio.TaskGroup() as group:
            for beat in story.beats:
                await self._until(began + beat.at / self._speed)
                message = self._tell(told, beat)
                if value(message, "UserEvent") == "CC400Recording":
                    tape = self._record(story, message, group)
                elif value(message, "Event") == "MixMonitorStop" and tape is not None:
                    tape.stop()

    def _tell(self, told: Retelling, beat: Beat) -> Message:
        now = self._clock()
        message = told.tell(beat.message, now, time.strftime("%Y/%m/%d", time.localtime(now)))
        self._floor.follow(message, now)
        self._manager.tell(message)
        return message

    def _record(self, story: Story, message: Message, group: asyncio.TaskGroup) -> Tape | None:
        name = value(message, "File")
        if name is None:
            return None
        try:
            tape = Tape(self._root / name.removesuffix(".wav"), story.legs, self._speed)
        except OSError as error:
            log.warning("the demo's PBX cannot record", error=str(error))
            return None
        group.create_task(self._keep(tape))
        return tape

    @staticmethod
    async def _keep(tape: Tape) -> None:
        try:
            await tape.run()
        except OSError as error:
            log.warning("the demo's recording broke off", error=str(error))

    async def _listened(self) -> None:
        """Wait until somebody is logged in."""
        while not self._manager.listeners:
            self._heard.clear()
            await self._heard.wait()

    @staticmethod
    async def _until(when: float) -> None:
        await asyncio.sleep(max(0.0, when - asyncio.get_running_loop().time()))

    async def __aenter__(self) -> Self:
        self.address = await self.start()
        self._task = asyncio.get_running_loop().create_task(self.run(), name="demo pbx")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
