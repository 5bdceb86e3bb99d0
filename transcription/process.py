"""One child process with a loaded model, seen from the parent: started, asked, watched, killed.

The child is ``python -m transcription.child``; JSON lines go both ways over its stdin and stdout. It is its own session
(Ctrl-C in the terminal does not reach it), niced, and ends by itself when its stdin closes, that is also when the
parent is killed. Its stderr goes to an unnamed file whose end is quoted when it dies.
"""

import asyncio
import contextlib
import json
import os
import signal
import sys
import tempfile
from asyncio.subprocess import PIPE
from asyncio.subprocess import Process as Child
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

import structlog

from transcription.engines import EngineSpec
from transcription.memory import MB, Memory
from transcription.patience import Patience

log = structlog.get_logger()

POLL = 0.25  # seconds between two looks at the child's memory
LONGEST_LINE = 64 * 2**20  # bytes; three hours of talk are below one megabyte
READ_BACK, QUOTED = 8192, 300  # bytes of the child's stderr looked at, characters of it quoted
TOLD_NO_MODEL = 3  # the child's exit code after it has said why there is no model


class TranscriptionError(Exception):
    """Something kept this recording from being transcribed; the recording itself may be sound."""


class NoModel(TranscriptionError):  # noqa: N818 - a state to wait in
    """The engine did not start: no model, a damaged one, or its library is not installed. The text says which."""


class NoRoom(NoModel):
    """The model does not fit into the memory that speech recognition may take, now or ever. The text says which."""


class Refused(TranscriptionError):  # noqa: N818 - says it better
    """The engine will not transcribe this recording, today or tomorrow."""


class WorkerDied(TranscriptionError):  # noqa: N818 - says it better
    """The child crashed, was killed or took too much memory in the middle of a recording."""


class TookTooLong(WorkerDied):
    """The child passed its time limit and was killed."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a child may take. Seconds and bytes. Times are those of a machine that has time: see ``patience``.

    Memory is counted from what the loaded model holds, since models differ a hundredfold: vosk's small ones take half
    a gigabyte, the large Mandarin one several.
    """

    start: float = 300.0  # to load the model, from a cold disk
    read: float = 60.0  # to read and decode the audio files
    floor: float = 60.0  # for the speech recognition of a short recording
    per_second: float = 6.0  # of audio: whisper-base on one busy old core needs about 1.5
    headroom: int = 1536 * 2**20  # above the loaded model
    deaths: int = 2  # after which a recording is set aside
    niceness: int = 10
    grace: float = 2.0  # between asking an idle child to end and killing it


class Process:
    """One child, restarted as needed. ``ask`` is for one caller at a time. ``memory``: what it shares with others."""

    def __init__(self, spec: EngineSpec, limits: Limits, memory: Memory) -> None:
        self._spec = spec
        self._limits = limits
        self._memory = memory
        memory.add(self)
        self._child: Child | None = None
        self._stderr: IO[bytes] | None = None
        self._model = ""
        self._rss_ready = 0
        self._busy = False
        self._retired = False
        self.asked = False  # whether somebody waits for it
        self.used = 0.0
        self.notes: tuple[str, ...] = ()

    @property
    def holds(self) -> int:
        """Bytes of memory the child holds."""
        return (_rss(self.pid) or 0) if self.pid is not None else 0

    @property
    def grown(self) -> int:
        """Bytes the child took since its model was loaded."""
        return max(0, self.holds - self._rss_ready) if self.pid is not None else 0

    @property
    def idle(self) -> bool:
        """Whether a child runs that nobody waits for."""
        return self.pid is not None and not self._busy and not self.asked

    @property
    def loading(self) -> bool:
        """Whether a child runs that has no model yet."""
        return self.pid is not None and not self._model

    @property
    def pid(self) -> int | None:
        """The running child's process id."""
        return self._child.pid if self._child is not None and self._child.returncode is None else None

    async def start(self) -> str:
        """Start the child unless it runs, wait until its model is loaded; the model's name. Raises NoModel."""
        if self.pid is not None and self._model:
            return self._model
        await self.stop()
        await self._memory.make_room(self, self._rss_ready)  # of a model loaded before: what it took then
        child = await self._spawn()
        patience = self._patience(self._limits.start)
        self._busy = True
        try:
            hello = await self._message(patience, "loading the model", memory=None)
            if "no_model" in hello:
                raise NoModel(hello["no_model"])
            self._rss_ready = _rss(child.pid) or 0
            await self._fit()
            self._model = str(hello["ready"])
            self._note(hello["notes"])
            self._busy = False
        except TookTooLong as error:
            raise NoModel(f"{self._spec.model}: {error}") from error
        except WorkerDied as error:
            if self._retired:
                raise
            raise NoModel(f"{self._spec.model}: the {self._spec.engine} engine could not load it: {error}") from error
        finally:
            if self._busy:
                await self.stop()
        return self._model

    async def _fit(self) -> None:
        """Have the loaded model fit into the common memory. Raises NoRoom."""
        if await self._memory.make_room(self):
            return
        most, needs = self._memory.most or 0, self._rss_ready
        text = f"{self._spec.model} takes {needs / MB:.0f} MB of memory, transcription.memory_mb allows {most / MB:.0f}"
        raise NoRoom(text if needs > most else f"{text}, and other models are at work")

    def _note(self, notes: Sequence[str]) -> None:
        """Tell the operator once what was asked of the engine and cannot be had."""
        for note in notes:
            if note not in self.notes:
                log.warning("the speech engine cannot do all that is asked", engine=self._spec.engine, note=note)
        self.notes = tuple(notes)

    async def _spawn(self) -> Child:
        order = {"spec": self._spec.as_json(), **asdict(self._limits)}
        with contextlib.ExitStack() as stack:
            stderr = stack.enter_context(tempfile.TemporaryFile())
            child = await asyncio.create_subprocess_exec(
                sys.executable, "-P", "-m", "transcription.child", json.dumps(order),
                stdin=PIPE, stdout=PIPE, stderr=stderr, limit=LONGEST_LINE, start_new_session=True,
                env=_environment(self._spec.threads),
            )  # fmt: skip
            stack.pop_all()  # from here on stop() closes it
        self._child, self._stderr = child, stderr
        if self._retired:
            await self.stop(now=True)
            raise WorkerDied("stopped before it began")
        return child

    async def ask(self, order: dict[str, Any], progress: Callable[[float], Awaitable[None] | None]) -> dict[str, Any]:
        """Send one recording and wait for what the child makes of it. Raises NoModel, WorkerDied, TookTooLong."""
        model = await self.start()
        clock = asyncio.get_running_loop().time
        patience = self._patience(self._limits.read)
        ceiling = self._rss_ready + self._limits.headroom
        what = "reading the audio"
        self._busy = True
        try:
            await self._send(order)
            while True:
                message = await self._message(patience, what, memory=ceiling)
                if "seconds" in message:
                    what = f"transcribing {message['seconds']:.0f} s of audio"
                    limit = max(self._limits.floor, self._limits.per_second * message["seconds"])
                    patience = self._patience(limit)
                elif "share" in message:
                    if (told := progress(message["share"])) is not None:
                        await told
                else:
                    self._busy, self.used = False, clock()
                    return {**message, "model": model}
        finally:
            swollen = self._child is not None and (_rss(self._child.pid) or 0) > ceiling - self._limits.headroom // 2
            if self._busy or swollen:  # in error or cancelled: it cannot be trusted any more
                await self.stop()

    async def retire(self) -> None:
        """End the child for good, whatever it is at; who waits for it gets WorkerDied."""
        self._retired = True
        await self.stop()
        self._memory.remove(self)

    async def stop(self, *, now: bool = False) -> None:
        """End the child: at once when it is busy or ``now``, else by closing its stdin. Waits until it is gone."""
        child, self._child, self._model = self._child, None, ""
        stderr, self._stderr = self._stderr, None
        busy, self._busy = self._busy, False
        if child is not None:
            if child.stdin is not None:
                child.stdin.close()
            if child.returncode is None:
                await self._end(child, now=now or busy)
        if stderr is not None:
            stderr.close()

    async def _end(self, child: Child, *, now: bool) -> None:
        if not now:
            try:
                async with asyncio.timeout(self._limits.grace):
                    await child.wait()
            except TimeoutError:
                now = True
        if now:
            with contextlib.suppress(ProcessLookupError):  # it may end between the look and the kill
                child.kill()
            await child.wait()

    async def _send(self, order: dict[str, Any]) -> None:
        assert self._child is not None
        assert self._child.stdin is not None
        try:
            self._child.stdin.write(json.dumps(order).encode() + b"\n")
            await self._child.stdin.drain()
        except ConnectionError as error:
            raise WorkerDied(await self._obituary("waiting for work")) from error

    def _patience(self, limit: float) -> Patience:
        burnt = 0.0 if self.pid is None else _burnt(self.pid)
        return Patience(limit, asyncio.get_running_loop().time(), burnt)

    async def _message(self, patience: Patience, what: str, memory: int | None) -> dict[str, Any]:
        """The child's next message. Raises WorkerDied when it ends or grows above ``memory`` bytes, TookTooLong."""
        child, clock = self._child, asyncio.get_running_loop().time
        assert child is not None
        assert child.stdout is not None
        while True:
            if patience.over(clock(), _burnt(child.pid)):
                raise TookTooLong(f"{what} took too long: killed")
            used = _rss(child.pid) or 0
            if memory is not None and used > memory:
                raise WorkerDied(f"{what} took {used / MB:.0f} MB of memory, more than {memory / MB:.0f}: killed")
            if memory is not None and await self._memory.too_much(self):
                raise WorkerDied(f"{what} took {used / MB:.0f} MB of memory, too much beside other workers: killed")
            try:
                async with asyncio.timeout(POLL):
                    line = await child.stdout.readline()
            except TimeoutError:
                continue
            if not line.endswith(b"\n"):
                raise WorkerDied(await self._obituary(what))
            message: dict[str, Any] = json.loads(line)
            return message

    async def _obituary(self, what: str) -> str:
        """What the dead child died of, with the end of what it said on stderr."""
        child, stderr = self._child, self._stderr
        if child is None or stderr is None:
            return f"stopped while {what}"
        await self._end(child, now=False)
        code = child.returncode or 0
        how = f"died of {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
        stderr.seek(max(0, stderr.seek(0, os.SEEK_END) - READ_BACK))
        return f"{how} while {what}" + _reason(stderr.read().decode(errors="replace").splitlines())


def _reason(said: list[str]) -> str:
    """The line of the child's last words that tells most: the first error a native library wrote, else the last."""
    lines = [line.strip() for line in said if line.strip()]
    telling = [line for line in lines if line.startswith(("ERROR", "terminate"))] or lines[-1:]
    return f": {telling[0][:QUOTED]}" if telling else ""


def _environment(threads: int) -> dict[str, str]:
    """The child's environment: this code importable, native threads bounded, no model hub ever asked."""
    house = str(Path(__file__).parents[1])
    path = os.pathsep.join(filter(None, [house, os.environ.get("PYTHONPATH", "")]))
    offline = {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": str(threads), "PYTHONUNBUFFERED": "1"}
    return {**os.environ, **offline, "PYTHONPATH": path}


def _rss(pid: int) -> int | None:
    """Bytes of memory the process holds; None where the system does not say (it is gone, or not Linux)."""
    try:
        with open(f"/proc/{pid}/statm", "rb") as statm:  # noqa: PTH123 - read four times a second, never on disk
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return None


def _burnt(pid: int) -> float:
    """Seconds of processors the process has used; 0 where the system does not say."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as stat:  # noqa: PTH123 - as above
            fields = stat.read().rpartition(b")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
