"""The real vosk at its worst, and for long: only with --long. What it hears counts only where a grammar says it."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import structlog

from transcription.engines import EngineSpec
from transcription.memory import MB
from transcription.process import Process
from transcription.worker import Limits, Poisoned, Progress, TookTooLong, Transcriber, WorkerDied

from .conftest import AUDIO, texts

log = structlog.get_logger()

REFUND = "환불 주세요"
GOOD = AUDIO / "ko_refund.wav"
FILES = 200
STEADY = 40 * MB  # what the second hundred of recordings may add
pytestmark = [pytest.mark.long, pytest.mark.timeout(1800)]


@asynccontextmanager
async def hearing(model: Path, processes: int = 1, *phrases: str, **limits: float) -> AsyncIterator[Transcriber]:
    """Real workers, gone at the end."""
    made = Limits(**limits)  # type: ignore[arg-type]
    transcriber = Transcriber(EngineSpec("vosk", model, "ko", grammar=phrases), processes=processes, limits=made)
    try:
        yield transcriber
    finally:
        await transcriber.close()
        assert transcriber.pids == []


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    """Half a minute of speech: what the workers die of."""
    clip, rate = soundfile.read(AUDIO / "ko_digits.wav", dtype="int16")
    path = tmp_path / "bad.wav"
    soundfile.write(path, np.concatenate([clip] * 9), rate, subtype="PCM_16")
    return path


@pytest.mark.parametrize("how", ["SIGSEGV", "SIGSTOP", "memory"])
async def test_a_worker_lost_costs_its_job_one_attempt_and_others_nothing(korean: Path, bad: Path, how: str) -> None:
    """Crashed, stuck or swollen: the neighbour's recordings go on, the same one may try again, twice is enough."""
    wanted, said = {
        "SIGSEGV": (WorkerDied, "SIGSEGV"),
        "SIGSTOP": (TookTooLong, "took too long"),
        "memory": (WorkerDied, "MB of memory"),
    }[how]
    stuck = {"floor": 8.0, "per_second": 0.1} if how == "SIGSTOP" else {}
    async with hearing(korean, 2, REFUND, **stuck) as transcriber:
        assert texts((await transcriber.transcribe(GOOD, None)).turns) == [("caller", REFUND)]
        struck: list[Process] = []
        for process in transcriber._all:
            _rig(process, bad, how, struck)
        for attempt in (1, 2):
            async with asyncio.TaskGroup() as group:
                neighbours = group.create_task(_neighbours(transcriber))
                with pytest.raises(Poisoned if attempt == 2 else wanted, match=said):
                    await transcriber.transcribe(bad, None)
            assert neighbours.result() == [[("caller", REFUND)]] * 3, "each was heard, and at the first attempt"
            assert len(struck) == attempt
        running = transcriber.pids
        with pytest.raises(Poisoned):
            await transcriber.transcribe(bad, None)
        assert transcriber.pids == running, "a poisoned recording costs no further worker"
        assert texts((await transcriber.transcribe(GOOD, None)).turns) == [("caller", REFUND)]


async def _neighbours(transcriber: Transcriber) -> list[list[tuple[str, str]]]:
    """Three sound recordings one after the other."""
    return [texts((await transcriber.transcribe(GOOD, None)).turns) for _ in range(3)]


def _rig(process: Process, bad: Path, how: str, struck: list[Process]) -> None:
    """Have whatever hears the bad recording crash or stop in its middle, or be allowed no memory for it."""
    ask, limits = process.ask, process._limits

    async def rigged(order: dict[str, Any], progress: Progress) -> dict[str, Any]:
        if order["caller"] != str(bad):
            return await ask(order, progress)
        struck.append(process)
        if how == "memory":
            process._limits = replace(limits, headroom=1)
            try:
                return await ask(order, progress)
            finally:
                process._limits = limits

        def blow(_share: float) -> None:
            assert process.pid is not None
            os.kill(process.pid, getattr(signal, how))

        return await ask(order, blow)

    process.ask = rigged  # type: ignore[method-assign]


async def test_two_hundred_recordings_leave_no_trace(korean: Path, tmp_path: Path) -> None:
    """One worker, one recording after another: what it holds is what it held after the first ones."""
    clip, rate = soundfile.read(AUDIO / "ko_digits.wav", dtype="int16")
    held: list[int] = []
    async with hearing(korean) as transcriber:
        for number in range(FILES):
            path = tmp_path / f"{number}.wav"
            soundfile.write(path, np.roll(clip, number), rate, subtype="PCM_16")
            await transcriber.transcribe(path, path.with_name("none.wav") if number % 50 == 49 else None)
            (pid,) = transcriber.pids
            held.append(transcriber._all[0].holds)
            path.unlink()
        first, half, last = held[9], held[FILES // 2], held[-1]
        log.info("MB held", after_10=first // MB, after_half=half // MB, after_all=last // MB, files=FILES)
        assert transcriber.pids == [pid], "the same worker heard them all"
        assert transcriber._deaths == {}
    assert last - half < STEADY
