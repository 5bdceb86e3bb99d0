"""Transcribing without risk to the service: engines run in processes of their own, which may crash, hang or swell.

Native speech libraries abort, segfault or loop on what they do not like (docs/speech.md), and Python cannot catch that.
So a :class:`Transcriber` keeps ``processes`` children, each with one loaded model, starts a new one when one dies, and
sets a recording aside that killed two. This module never touches audio or engines itself, and knows no database.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import structlog

from transcription.engines import EngineSpec
from transcription.memory import Memory
from transcription.process import (
    Limits,
    NoModel,
    NoRoom,
    Process,
    Refused,
    TookTooLong,
    TranscriptionError,
    WorkerDied,
)
from transcription.transcript import LegTrouble, Level, Speaker, Transcript, Turn, Word
from transcription.trouble import AudioProblem, Trouble

__all__ = [
    "AudioProblem",
    "EngineSpec",
    "Limits",
    "Memory",
    "NoModel",
    "NoRoom",
    "Poisoned",
    "Refused",
    "Talk",
    "TookTooLong",
    "Transcriber",
    "TranscriptionError",
    "WorkerDied",
]

MAX_SECONDS = 3 * 3600.0  # of one recording; the longest real call seen in call-center data is well below

log = structlog.get_logger()

Progress = Callable[[float], Awaitable[None] | None]


class Talk(NamedTuple):
    """When which agent talked with the caller, seconds from the recording's start; ``agent`` is the extension."""

    start: float
    end: float
    agent: str


class Poisoned(TranscriptionError):  # noqa: N818 - says it better
    """The recording killed its worker too often and is set aside: trying again needs another engine or another file."""


class Transcriber:
    """The one door to speech recognition. Use it from one event loop; ``await close()`` leaves no child behind.

    Children start with the first recording that needs them, so a service without calls holds no model in memory.
    """

    def __init__(
        self, spec: EngineSpec, *, processes: int = 1, limits: Limits | None = None, memory: Memory | None = None
    ) -> None:
        self.spec = spec
        self._limits = limits or Limits()
        shared = memory or Memory()
        self._all = [Process(spec, self._limits, shared) for _ in range(processes)]
        self._idle: asyncio.LifoQueue[Process] = asyncio.LifoQueue()  # last in first out: the rest stay unstarted
        for process in self._all:
            self._idle.put_nowait(process)
        self._deaths: dict[_Identity, int] = {}
        self._closed = self._leaving = False

    async def transcribe(
        self,
        caller: Path | None,
        agent: Path | None,
        *,
        talk: Sequence[tuple[float, float, str]] | None = None,
        progress: Progress | None = None,
        max_seconds: float = MAX_SECONDS,
        deaths: int = 0,
    ) -> Transcript:
        """What was said on the caller's and the agent's leg (the same path twice: one stereo file, caller left).

        ``talk``: when which agent talked (see :class:`Talk`). With it, speech on the agent's leg outside these windows
        is dropped (prompts, ringback, hold announcements before and between), inside it is labelled with the agent;
        None: not known, everything is kept. An empty ``talk`` says that no agent talked. ``progress`` is called, and
        waited for, with the share done, 0 to 1. ``deaths``: workers it killed before, in another run of this service.

        One bad leg is told in the transcript's ``troubles``. Raises AudioProblem (no leg can be heard; for good),
        NoModel (wait for one, or for the server that transcribes), NoRoom (wait for memory), WorkerDied and TookTooLong
        (try again later), Poisoned and Refused (for good); TranscriptionError for the rest (try again later).
        """
        if caller is None and agent is None:
            raise ValueError("a recording has at least one leg")
        order = {
            "caller": None if caller is None else str(caller),
            "agent": None if agent is None else str(agent),
            "talk": None if talk is None else [list(window) for window in talk],
            "max_seconds": max_seconds,
        }
        identity = await asyncio.to_thread(_identity, caller, agent)
        self._deaths[identity] = max(deaths, self._deaths.get(identity, 0))
        self._refuse_poison(identity)
        try:
            async with self._process() as process:
                answer = await process.ask(order, progress or _ignore)
        except WorkerDied as error:
            self._refuse_closed()  # we killed it ourselves: no fault of the recording
            if self.spec.endpoint is None or not isinstance(error, TookTooLong):  # a slow server: no fault of its
                self._deaths[identity] = self._deaths.get(identity, 0) + 1
            log.warning("a speech worker died", error=str(error), caller=order["caller"], agent=order["agent"])
            self._refuse_poison(identity, error)
            raise
        finally:
            if not self._deaths.get(identity):
                self._deaths.pop(identity, None)
        made = _transcript(answer, self.spec)
        self._deaths.pop(identity, None)
        return made

    @asynccontextmanager
    async def _process(self) -> AsyncIterator[Process]:
        """A process that nobody else uses meanwhile."""
        process = await self._idle.get()
        process.asked = True
        try:
            self._refuse_closed()
            yield process
        finally:
            process.asked = False
            self._idle.put_nowait(process)
            if self._leaving:
                await process.retire()

    def _refuse_poison(self, identity: "_Identity", last: WorkerDied | None = None) -> None:
        deaths = self._deaths.get(identity, 0)
        if deaths >= self._limits.deaths:
            names = ", ".join(sorted({str(path) for path, *_ in identity}))
            raise Poisoned(f"{names}: set aside after {deaths} workers died of it" + (f"; {last}" if last else ""))

    def _refuse_closed(self) -> None:
        if self._closed or self._leaving:
            raise TranscriptionError("speech recognition is shutting down")

    async def probe(self) -> str:
        """Load the model if it is not loaded yet, prove that it decodes, and return its name. Raises NoModel."""
        async with self._process() as process:
            return await process.start()

    @property
    def notes(self) -> tuple[str, ...]:
        """What is asked of the engine and cannot be had with this model, for the operator."""
        return tuple(dict.fromkeys(note for process in self._all for note in process.notes))

    @property
    def pids(self) -> list[int]:
        """Process ids of the children that run now."""
        return [process.pid for process in self._all if process.pid is not None]

    async def leave(self) -> None:
        """End the idle children now, the others once they are done with their recordings; nothing new is begun."""
        self._leaving = True
        await asyncio.gather(*(process.retire() for process in self._all if not process.asked))

    async def close(self) -> None:
        """End every child, also one in the middle of a recording (whoever waits for it gets TranscriptionError)."""
        self._closed = True
        await asyncio.gather(*(process.retire() for process in self._all))


_Identity = tuple[tuple[str, int, int], ...]


def _identity(*paths: Path | None) -> _Identity:
    """What makes a recording the same one again: path, size and time of change, so a repaired file gets a new try."""
    found = []
    for path in paths:
        if path is None:
            continue
        try:
            stat = path.stat()
        except OSError:  # missing or unreadable: the worker names it properly
            found.append((str(path), -1, -1))
        else:
            found.append((str(path), stat.st_size, stat.st_mtime_ns))
    return tuple(found)


def _ignore(_share: float) -> None:
    pass


def _transcript(answer: dict[str, Any], spec: EngineSpec) -> Transcript:
    """The child's answer as a transcript. Raises AudioProblem when it found nothing to hear, and a server's excuses."""
    if "problem" in answer:
        trouble, text = answer["problem"]
        raise AudioProblem(Trouble(trouble), text)
    for excuse, error in (("away", NoModel), ("busy", TranscriptionError), ("refused", Refused)):
        if excuse in answer:
            raise error(answer[excuse])
    heard = answer["heard"]
    return Transcript(
        turns=tuple(_turn(turn) for turn in heard["turns"]),
        engine=spec.engine,
        model=answer["model"],
        language=spec.language,
        troubles=tuple(
            LegTrouble(Speaker(one["speaker"]), Trouble(one["trouble"]), one["text"]) for one in heard["troubles"]
        ),
        seconds=heard["seconds"],
        levels=tuple(Level(**{**one, "speaker": Speaker(one["speaker"])}) for one in heard.get("levels", ())),
    )


def _turn(told: dict[str, Any]) -> Turn:
    words = tuple(Word(**word) for word in told["words"])
    return Turn(**{**told, "speaker": Speaker(told["speaker"]), "words": words})
