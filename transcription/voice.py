"""Where on a leg somebody speaks: webrtcvad, less machines, music and leaks; gaps closed, long stretches cut.

Engines are fed one stretch at a time: whisper given long audio whole drops text around holds, and both engines are
faster without the pauses (docs/speech.md). Times are seconds from the leg's start.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import webrtcvad

from transcription.audio import FULL, resample
from transcription.crosstalk import leaked
from transcription.engines import Samples, Span
from transcription.music import SHORTEST, music
from transcription.tones import FRAME, RATE, machines, stretches

# RATE: telephone speech has nothing above 4 kHz, and the detector is as good here as at 16 kHz
# FRAME: 30 ms, the longest frame webrtcvad takes


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


def spans(samples: Samples, rate: int, ear: Ear | None = None, *, other: "Samples | None" = None) -> list[Span]:
    """Stretches of speech in order, none overlapping, none longer than ``ear.longest``. Empty when nobody speaks.

    ``other``: the other party's leg at the same rate; what leaks from it is said there, and not here once more.
    """
    ear = ear or Ear()
    narrow = resample(samples, rate, RATE)
    count = len(narrow) // FRAME
    if not count:
        return []
    frames = narrow[: count * FRAME].reshape(count, FRAME)
    power = loudness(narrow)
    machine = machines(frames, power)
    voiced = _voiced(frames, ear.mode) & ~machine
    if other is not None and voiced.any():
        beside = resample(other, rate, RATE)
        voiced &= ~leaked(narrow, beside, power, loudness(beside))
    for span in music(narrow, power, _FRAME_S) if voiced.any() else ():
        played = slice(round(span.start / _FRAME_S), round(span.end / _FRAME_S))
        if np.count_nonzero(~machine[played]) * _FRAME_S >= SHORTEST:  # else it is those tones that sound like music
            voiced[played] = False
    loud = float(np.percentile(power[voiced], 95)) if voiced.any() else 0.0
    voiced &= power > max(loud * _ratio(-ear.below), _noise(power, loud, ear))
    found = [run for run in _runs(voiced, ear) if voiced[run[0] : run[1]].sum() * _FRAME_S >= ear.shortest]
    cut = [piece for run in found for piece in _cut(run, power, ear)]
    return list(_padded(cut, count, ear))


_FRAME_S = FRAME / RATE
_AT_ONCE = 8192  # frames: four minutes


def loudness(samples: Samples) -> npt.NDArray[np.float64]:
    """Power of each 30 ms frame of ``samples`` (8 kHz), 1 being full scale; a constant offset is no sound."""
    count = len(samples) // FRAME
    frames = samples[: count * FRAME].reshape(count, FRAME)
    power = np.empty(count)
    for start in range(0, count, _AT_ONCE):
        part = frames[start : start + _AT_ONCE] / np.float32(FULL)
        power[start : start + _AT_ONCE] = part.var(axis=1)
    return power


def _voiced(frames: Samples, mode: int) -> npt.NDArray[np.bool_]:
    detector = webrtcvad.Vad(mode)
    gain = _gain(frames)
    made = np.empty(len(frames), dtype=bool)
    for i, frame in enumerate(frames):
        heard = frame if gain == 1 else np.clip(frame * gain, -FULL, FULL - 1).astype(np.int16)
        made[i] = detector.is_speech(heard.tobytes(), RATE)
    return made


def _gain(frames: Samples) -> float:
    """What makes a faint leg as loud as the detector is used to: it hears nothing below -45 dBFS."""
    loud = max(
        float(np.percentile(frames[at : at + _AT_ONCE].std(axis=1), 99)) for at in range(0, len(frames), _AT_ONCE)
    )
    return min(_MOST, _USUAL / loud) if 0 < loud < _FAINT else 1.0


_FAINT, _USUAL, _MOST = FULL * 10 ** (-32 / 20), FULL * 10 ** (-20 / 20), 10 ** (26 / 20)


def _ratio(decibels: float) -> float:
    return float(10 ** (decibels / 10))


def _noise(power: npt.NDArray[np.float64], loud: float, ear: Ear) -> float:
    """The power that speech must have on a bad line, where noise comes and goes; 0 on a good one.

    Frames in which the line was muted tell nothing about its noise; where it mostly is, nothing is left but speech.
    """
    open_line = power[power > _MUTED]
    if not loud or len(open_line) < _OPEN * len(power):
        return 0.0
    if float(np.percentile(open_line, 10)) < loud * _ratio(-ear.noisy):
        return 0.0
    rest = open_line[open_line < loud * _ratio(1 - ear.near)]
    return min(float(np.percentile(rest, 60)) * _ratio(ear.above), loud * _ratio(-ear.near)) if len(rest) else 0.0


_MUTED = 1e-7  # -70 dBFS; the faintest step of A-law is -72
_OPEN = 0.6


def _runs(voiced: npt.NDArray[np.bool_], ear: Ear) -> list[tuple[int, int]]:
    """Stretches that begin with ``onset`` voiced frames in a row, pauses shorter than ``gap`` closed."""
    runs: list[tuple[int, int]] = []
    for start, end in stretches(voiced):
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
