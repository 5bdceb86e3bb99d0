"""Where on a leg somebody speaks: webrtcvad, tones taken out, gaps closed, long stretches cut where it is quietest.

Engines are fed one stretch at a time: whisper given long audio whole drops text around holds, and both engines are
faster without the pauses (docs/speech.md). Times are seconds from the leg's start.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import webrtcvad

from transcription.audio import SILENCE_DBFS, resample
from transcription.engines import Samples, Span

RATE = 8000  # Hz; telephone speech has nothing above 4 kHz, and the detector is as good here as at 16 kHz
FRAME = 240  # samples: 30 ms, the longest frame webrtcvad takes
FULL = 32_768.0


@dataclass(frozen=True, slots=True)
class Ear:
    """How speech is told from the rest. Seconds, dB.

    Mode 3 keeps 96 % of speech and passes 2.5 % of the rest of real calls (docs/speech.md). The other values were tried
    on the six spoken dialogues this project is measured with, where turns of one speaker are 0.35 s and more apart.
    """

    mode: int = 3
    onset: int = 3  # voiced frames in a row that begin speech: a click is shorter
    gap: float = 0.45  # a shorter pause does not end a stretch
    before: float = 0.30  # kept before the first voiced frame: soft consonants begin earlier than the detector hears
    after: float = 0.30
    shortest: float = 0.18  # of voiced sound; 喂 and 嗯 are longer
    longest: float = 20.0  # whisper reads 30 s windows, and noise once glued 24 s together
    below: float = 35.0  # dB under the leg's loud stretches: the other party's echo, breath, line noise
    noisy: float = 28.0  # dB between loud and quietest stretches; below that the line is bad and the detector unsure
    above: float = 4.0  # dB over the noise of a bad line that speech must be (tried on one with 13 dB SNR)
    near: float = 9.0  # dB: but no closer to the loud stretches than this
    pure: float = 0.90  # share of a frame's power in one or two narrow peaks that makes it a tone
    even: float = 2.5  # dB by which a tone's level may vary


def spans(samples: Samples, rate: int, ear: Ear | None = None) -> list[Span]:
    """Stretches of speech in order, none overlapping, none longer than ``ear.longest``. Empty when nobody speaks."""
    ear = ear or Ear()
    narrow = resample(samples, rate, RATE)
    count = len(narrow) // FRAME
    if not count:
        return []
    frames = narrow[: count * FRAME].reshape(count, FRAME)
    power = np.mean((frames.astype(np.float64) / FULL) ** 2, axis=1)
    voiced = _voiced(frames, ear.mode) & ~_tones(frames, power, ear)
    loud = float(np.percentile(power[voiced], 95)) if voiced.any() else 0.0
    voiced &= power > max(loud * _ratio(-ear.below), _noise(power, loud, ear))
    found = [run for run in _runs(voiced, ear) if voiced[run[0] : run[1]].sum() * _FRAME_S >= ear.shortest]
    cut = [piece for run in found for piece in _cut(run, power, ear)]
    return list(_padded(cut, count, ear))


_FRAME_S = FRAME / RATE
_BEEP, _HELD = 5, 8  # frames: 150 ms of a tone with silence around it, 240 ms of one in the midst of sound


def _voiced(frames: Samples, mode: int) -> npt.NDArray[np.bool_]:
    detector = webrtcvad.Vad(mode)
    return np.fromiter((detector.is_speech(frame.tobytes(), RATE) for frame in frames), dtype=bool, count=len(frames))


def _ratio(decibels: float) -> float:
    return float(10 ** (decibels / 10))


def _noise(power: npt.NDArray[np.float64], loud: float, ear: Ear) -> float:
    """The power that speech must have on a bad line, where noise comes and goes; 0 on a good one."""
    if not loud or float(np.percentile(power, 10)) < loud * _ratio(-ear.noisy):
        return 0.0
    rest = power[power < loud * _ratio(1 - ear.near)]
    return min(float(np.percentile(rest, 60)) * _ratio(ear.above), loud * _ratio(-ear.near)) if len(rest) else 0.0


def _tones(frames: Samples, power: npt.NDArray[np.float64], ear: Ear) -> npt.NDArray[np.bool_]:
    """Frames of ringback (450 Hz), hold beeps, two-tone hold music and held keys: machines that sing.

    Nearly all power in one or two lines, for a quarter of a second and more, on few pitches and at one level. A voice
    can be one line for a moment; it does not keep pitch and level that long.
    """
    spectrum = np.abs(np.fft.rfft(frames * np.hanning(FRAME), n=512, axis=1)) ** 2
    total = spectrum.sum(axis=1) + 1e-9
    rows = np.arange(len(frames))[:, None]
    first, alone = _strongest(spectrum, rows)
    tone = ((alone + _strongest(spectrum, rows)[1]) / total > ear.pure) & (power > _ratio(SILENCE_DBFS))
    held = np.zeros(len(frames), dtype=bool)
    quiet = np.concatenate(([True] * 2, power < _ratio(SILENCE_DBFS), [True] * 2))  # as if silence were around the leg
    for start, end in _stretches(tone):
        level = 10 * np.log10(power[start + 1 : end - 1] + 1e-10)
        pitches = len(set((first[start + 1 : end - 1] // 2).tolist()))
        beep = bool(quiet[start] and quiet[end + 3])  # two frames before and after: nobody speaks around it
        if (
            end - start >= (_BEEP if beep else _HELD)
            and np.ptp(level) < ear.even
            and pitches <= max(2, (end - start) // 5)
        ):
            held[max(0, start - 2) : end + 2] = True
    return held


def _strongest(spectrum: npt.NDArray[np.float64], rows: npt.NDArray[np.intp]) -> tuple[Any, Any]:
    """Bin and power of each frame's strongest line, which is taken out of ``spectrum``."""
    peak = spectrum.argmax(axis=1)
    around = np.clip(peak[:, None] + np.arange(-5, 6), 0, spectrum.shape[1] - 1)
    power = spectrum[rows, around].sum(axis=1)
    spectrum[rows, around] = 0
    return peak, power


def _stretches(mask: npt.NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate(([False], mask, [False])).astype(np.int8)))
    yield from zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)


def _runs(voiced: npt.NDArray[np.bool_], ear: Ear) -> list[tuple[int, int]]:
    """Stretches that begin with ``onset`` voiced frames in a row, pauses shorter than ``gap`` closed."""
    runs: list[tuple[int, int]] = []
    for start, end in _stretches(voiced):
        near = bool(runs) and (start - runs[-1][1]) * _FRAME_S < ear.gap
        if near:
            runs[-1] = (runs[-1][0], end)
        elif end - start >= ear.onset:
            runs.append((start, end))
    return runs


def _cut(run: tuple[int, int], power: npt.NDArray[np.float64], ear: Ear) -> list[tuple[int, int]]:
    """The run in pieces of at most ``longest``, each cut made where the second half of the piece is quietest."""
    most = int((ear.longest - ear.before - ear.after) / _FRAME_S)
    pieces = []
    start, end = run
    while end - start > most:
        half = start + most // 2
        calm = np.convolve(power[half : start + most], np.ones(7) / 7, mode="same")
        at = half + int(calm.argmin())
        pieces.append((start, at))
        start = at
    return [*pieces, (start, end)]


def _padded(runs: list[tuple[int, int]], count: int, ear: Ear) -> Iterator[Span]:
    """The runs in seconds with air around them, but never into a neighbour's: a gap is shared where it is short."""
    for i, (start, end) in enumerate(runs):
        previous = runs[i - 1][1] if i else 0
        following = runs[i + 1][0] if i + 1 < len(runs) else count
        left = max(start * _FRAME_S - ear.before, (previous + start) / 2 * _FRAME_S if i else 0.0)
        right = min(
            end * _FRAME_S + ear.after, (end + following) / 2 * _FRAME_S if i + 1 < len(runs) else count * _FRAME_S
        )
        yield Span(round(left, 3), round(right, 3))
