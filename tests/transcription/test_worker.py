"""The worker may crash, hang or swell: one recording pays for it, the rest goes on and nothing is left behind."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from transcription.engines import EngineSpec
from transcription.transcript import Speaker
from transcription.worker import (
    AudioProblem,
    Limits,
    NoModel,
    Poisoned,
    TookTooLong,
    Transcriber,
    TranscriptionError,
    WorkerDied,
)

from .conftest import texts

Script = Callable[..., EngineSpec]
LegFile = Callable[..., Path]
HOUSE = Path(__file__).parents[2]


@asynccontextmanager
async def working(spec: EngineSpec, processes: int = 1, **limits: float) -> AsyncIterator[Transcriber]:
    """A transcriber that leaves no child behind."""
    transcriber = Transcriber(spec, processes=processes, limits=Limits(**limits))  # type: ignore[arg-type]
    try:
        yield transcriber
    finally:
        pids = transcriber.pids
        await transcriber.close()
        assert transcriber.pids == []
        assert not [pid for pid in pids if alive(pid)]


def alive(pid: int) -> bool:
    """Whether the process still runs (a zombie does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def gone(pid: int) -> None:
    """Wait until the process is gone; AssertionError after ten seconds."""
    deadline = time.monotonic() + 10
    while alive(pid):
        assert time.monotonic() < deadline, "the child lives on"
        time.sleep(0.02)


async def test_two_legs_become_one_conversation(script: Script, leg_file: LegFile) -> None:
    """Turns in order with speakers, engine and model named, progress to the end, agents from the talk windows."""
    caller = leg_file("rx", 20, (6, "zh_caller"))
    agent = leg_file("tx", 20, (0.5, "zh_agent"), (13, "zh_agent"))
    shares: list[float] = []
    async with working(script("一", "二", "三")) as transcriber:
        made = await transcriber.transcribe(
            caller, agent, talk=[(0.0, 10.0, "1001"), (11.0, 20.0, "1003")], progress=shares.append
        )
    assert texts(made.turns) == [("agent", "二"), ("caller", "一"), ("agent", "三")]
    assert [turn.agent for turn in made.turns] == ["1001", None, "1003"]
    assert (made.engine, made.model, made.seconds) == ("scripted", "script.json", 20.0)
    assert [round(share, 2) for share in shares] == [0.33, 0.67, 1.0]
    assert made.troubles == ()


async def test_one_process_serves_many_recordings(script: Script, leg_file: LegFile) -> None:
    """The model is loaded once."""
    leg = leg_file("rx", 6, (0.5, "zh_caller"))
    async with working(script("喂")) as transcriber:
        assert transcriber.pids == []
        await transcriber.transcribe(leg, None)
        first = transcriber.pids
        for _ in range(3):
            await transcriber.transcribe(leg, None)
        assert transcriber.pids == first


@pytest.mark.parametrize(
    ("do", "reason"), [("segv", "SIGSEGV"), ("abort", "SIGABRT"), ("kill", "SIGKILL"), ("raise", "RuntimeError")]
)
async def test_a_crash_costs_one_recording_one_attempt(script: Script, leg_file: LegFile, do: str, reason: str) -> None:
    """Others go on in a new process; the second death of the same file sets it aside, and only it."""
    bad, good = leg_file("bad", 7, (0.5, "zh_caller")), leg_file("good", 6, (0.5, "zh_caller"))
    async with working(script("喂", do=do, only=7)) as transcriber:
        assert (await transcriber.transcribe(good, None)).turns
        before = transcriber.pids
        with pytest.raises(WorkerDied, match=reason):
            await transcriber.transcribe(bad, None)
        assert (await transcriber.transcribe(good, None)).turns
        assert transcriber.pids != before
        with pytest.raises(Poisoned, match="2 workers"):
            await transcriber.transcribe(bad, None)
        running = transcriber.pids
        with pytest.raises(Poisoned):
            await transcriber.transcribe(bad, None)
        assert transcriber.pids == running, "a poisoned file is not even tried"
        assert (await transcriber.transcribe(good, None)).turns
        bad.write_bytes(good.read_bytes())
        assert (await transcriber.transcribe(bad, None)).turns, "a repaired file gets a new try"


async def test_a_hanging_engine_is_killed_in_time(script: Script, leg_file: LegFile) -> None:
    """The limit follows the length of the audio, with a floor."""
    bad = leg_file("bad", 7, (0.5, "zh_caller"))
    async with working(script("喂", do="hang"), floor=0.5, per_second=0.01) as transcriber:
        began = time.monotonic()
        with pytest.raises(TookTooLong, match="transcribing 7 s of audio"):
            await transcriber.transcribe(bad, None)
        assert time.monotonic() - began < 20
        assert transcriber.pids == []


async def test_a_swelling_engine_is_killed(script: Script, leg_file: LegFile) -> None:
    """Memory is counted above the loaded model."""
    bad = leg_file("bad", 7, (0.5, "zh_caller"))
    async with working(script("喂", do="hog"), headroom=200 * 2**20) as transcriber:
        with pytest.raises(WorkerDied, match=r"[Mm]emory"):
            await transcriber.transcribe(bad, None)


async def test_what_a_library_prints_breaks_nothing(script: Script, leg_file: LegFile) -> None:
    """The child's stdout is not the channel."""
    async with working(script("喂", do="babble")) as transcriber:
        made = await transcriber.transcribe(leg_file("rx", 6, (0.5, "zh_caller")), None)
    assert texts(made.turns) == [("caller", "喂")]


async def test_a_child_killed_from_outside_between_jobs_is_replaced(script: Script, leg_file: LegFile) -> None:
    """The system's memory killer may have come by: the next recording does not notice."""
    leg = leg_file("rx", 6, (0.5, "zh_caller"))
    async with working(script("喂")) as transcriber:
        await transcriber.transcribe(leg, None)
        (pid,) = transcriber.pids
        with suppress(ProcessLookupError):  # or it was before us
            os.kill(pid, signal.SIGKILL)
        await asyncio.to_thread(gone, pid)
        for _ in range(2):  # at worst one attempt notices, never two
            try:
                made = await transcriber.transcribe(leg, None)
                break
            except WorkerDied:
                continue
        assert made.turns


async def test_no_model_says_what_is_missing(script: Script, leg_file: LegFile, tmp_path: Path) -> None:
    """No file, no folder, no such engine, a crash while loading: a NoModel with its reason. Later it may be there."""
    leg = leg_file("rx", 6, (0.5, "zh_caller"))
    crashing = script("喂", do="segv_at_start")
    for spec, reason in (
        (EngineSpec("scripted", tmp_path / "gone.json"), "gone.json"),
        (EngineSpec("vosk", tmp_path / "gone"), "no such folder"),
        (EngineSpec("parrot", tmp_path), "no engine 'parrot'"),
        (crashing, "SIGSEGV"),
    ):
        async with working(spec) as transcriber:
            with pytest.raises(NoModel, match=reason):
                await transcriber.transcribe(leg, None)
    async with working(EngineSpec("scripted", tmp_path / "later.json")) as transcriber:
        with pytest.raises(NoModel):
            await transcriber.probe()
        script("喂").model.rename(tmp_path / "later.json")
        assert await transcriber.probe() == "later.json"
        assert (await transcriber.transcribe(leg, None)).turns


async def test_one_bad_leg_is_an_alarm_and_two_are_a_problem(script: Script, leg_file: LegFile, tmp_path: Path) -> None:
    """What can be heard is heard; the reason of the other leg goes along."""
    good, silent = leg_file("rx", 6, (0.5, "zh_caller")), leg_file("tx", 6)
    empty = tmp_path / "empty.wav"
    empty.touch()
    async with working(script("喂")) as transcriber:
        made = await transcriber.transcribe(good, silent)
        assert [(trouble.speaker, trouble.trouble) for trouble in made.troubles] == [(Speaker.AGENT, "silent")]
        made = await transcriber.transcribe(empty, good)
        assert [(trouble.speaker, trouble.trouble) for trouble in made.troubles] == [(Speaker.CALLER, "empty")]
        assert texts(made.turns) == [("agent", "喂")]
        for caller, agent, trouble in (
            (empty, silent, "empty"),
            (silent, silent, "odd_format"),
            (silent, None, "silent"),
        ):
            with pytest.raises(AudioProblem) as problem:
                await transcriber.transcribe(caller, agent)
            assert problem.value.trouble == trouble
        assert len(transcriber.pids) == 1, "bad audio costs no worker"
        with pytest.raises(ValueError, match="at least one leg"):
            await transcriber.transcribe(None, None)


async def test_the_event_loop_is_never_blocked(script: Script, leg_file: LegFile) -> None:
    """While the engine hangs the loop ticks on."""
    bad = leg_file("bad", 7, (0.5, "zh_caller"))
    worst = 0.0

    async def watch() -> None:
        nonlocal worst
        while True:
            before = time.perf_counter()
            await asyncio.sleep(0.01)
            worst = max(worst, time.perf_counter() - before)

    async with (
        working(script("喂", do="hang"), floor=1.0, per_second=0.01) as transcriber,
        asyncio.TaskGroup() as group,
    ):
        watching = group.create_task(watch())
        with pytest.raises(TookTooLong):
            await transcriber.transcribe(bad, None)
        watching.cancel()
    assert worst < 0.5


async def test_processes_work_beside_each_other(script: Script, leg_file: LegFile) -> None:
    """One that hangs does not hold up the other."""
    bad, good = leg_file("bad", 7, (0.5, "zh_caller")), leg_file("good", 6, (0.5, "zh_caller"))
    async with working(script("喂", do="hang", only=7), processes=2) as transcriber, asyncio.TaskGroup() as group:
        stuck = group.create_task(transcriber.transcribe(bad, None))
        for _ in range(3):
            assert (await transcriber.transcribe(good, None)).turns
        assert not stuck.done()
        stuck.cancel()


async def test_a_cancelled_recording_leaves_no_busy_child(script: Script, leg_file: LegFile) -> None:
    """Its process is killed and counted against nobody."""
    bad = leg_file("bad", 7, (0.5, "zh_caller"))
    spec = script("喂", do="hang")
    async with working(spec) as transcriber:
        for _ in range(3):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(1.5):
                    await transcriber.transcribe(bad, None)
            assert transcriber.pids == []
        script("喂")
        assert (await transcriber.transcribe(bad, None)).turns


@pytest.mark.parametrize("moment", [0.0, 0.001, 0.1, 1.5])
async def test_closing_at_any_moment_ends_the_child_and_says_so(
    script: Script, leg_file: LegFile, moment: float
) -> None:
    """While it starts, loads or works: shutdown waits for nothing, leaves nothing, and blames no recording."""
    bad = leg_file("bad", 7, (0.5, "zh_caller"))
    async with working(script("喂", do="hang")) as transcriber, asyncio.TaskGroup() as group:

        async def stuck() -> None:
            with pytest.raises(TranscriptionError, match="shutting down"):
                await transcriber.transcribe(bad, None)

        waiting = group.create_task(stuck())
        await asyncio.sleep(moment)
        began = time.monotonic()
        await transcriber.close()
        await waiting
        assert time.monotonic() - began < 5
        with pytest.raises(TranscriptionError, match="shutting down"):
            await transcriber.transcribe(bad, None)


PARENT = """
import asyncio, signal, sys
from pathlib import Path
from transcription.worker import EngineSpec, Transcriber

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job inherits that it is ignored

async def main():
    transcriber = Transcriber(EngineSpec("scripted", Path(sys.argv[1])))
    await transcriber.probe()
    print(*transcriber.pids, flush=True)
    await transcriber.transcribe(Path(sys.argv[2]), None)

asyncio.run(main())
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_no_child_outlives_a_killed_parent(script: Script, leg_file: LegFile, how: signal.Signals) -> None:
    """Also one that is stuck in the engine ends when the parent is gone, however it went."""
    spec, bad = script("喂", do="hang"), leg_file("bad", 7, (0.5, "zh_caller"))
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(spec.model), str(bad)],
        cwd=HOUSE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert parent.stdout is not None
    with parent, parent.stdout:
        pid = int(parent.stdout.readline())
        assert alive(pid)
        parent.send_signal(how)
        parent.wait(20)
    gone(pid)


async def test_ctrl_c_is_the_parents_business(script: Script, leg_file: LegFile) -> None:
    """An interrupt that reaches the child does not disturb the recording."""
    leg = leg_file("rx", 6, (0.5, "zh_caller"))
    async with working(script("喂")) as transcriber:
        await transcriber.probe()
        (pid,) = transcriber.pids
        os.kill(pid, signal.SIGINT)
        assert (await transcriber.transcribe(leg, None)).turns
        assert transcriber.pids == [pid]
        assert os.getsid(pid) == pid, "a session of its own: the terminal's Ctrl-C does not reach it"
        assert os.getpriority(os.PRIO_PROCESS, pid) > os.getpriority(os.PRIO_PROCESS, 0)
