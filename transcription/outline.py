"""What a recording looks like: how loud each side is, step by step, and where nobody speaks. No file, no speaker.

For drawing and for skipping; what was said cannot be told from it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from transcription.audio import SILENCE_DBFS, Leg

MOST = 2000  # steps: more than a screen has columns for
SHORTEST = 0.01  # seconds of a step
LOUDEST = 255
PAUSE = 1.2  # seconds without a word that are worth skipping
KEPT = 0.2  # seconds of it on either side that are heard all the same
_FRAME = 0.05
_BELOW = 35.0  # dB under a side's own speech: its line's noise
_FULL = 32_768


@dataclass(frozen=True, slots=True)
class Outline:
    """How loud and how quiet. ``step``: seconds a value.

    A lane for each leg, as many values as cover it: the loudest sample of the step, 0 to 255, and 0 only where all
    samples are. ``quiet``: stretches in which no side is heard, (begins, ends) in seconds.
    """

    seconds: float
    step: float
    lanes: tuple[tuple[int, ...], ...]
    quiet: tuple[tuple[float, float], ...]


def outline(legs: Sequence[Leg], most: int = MOST) -> Outline:
    """The outline of legs that sound together from their first samples on; at least one."""
    seconds = max(leg.seconds for leg in legs)
    step = max(SHORTEST, seconds / most)
    return Outline(seconds, step, tuple(_lane(leg, step) for leg in legs), _quiet(legs, seconds))


def _lane(leg: Leg, step: float) -> tuple[int, ...]:
    """A step begins with the first sample that is not before it."""
    width = step * leg.rate
    count = max(1, int(np.ceil(len(leg.samples) / width - 1e-9)))
    begins = np.ceil(np.arange(count) * width - 1e-9).astype(np.int64)
    begins = begins[begins < len(leg.samples)]
    high = np.maximum.reduceat(leg.samples, begins).astype(np.int32)
    low = np.minimum.reduceat(leg.samples, begins).astype(np.int32)
    return tuple(np.ceil(np.maximum(high, -low) * (LOUDEST / _FULL)).astype(int).tolist())


def _quiet(legs: Sequence[Leg], seconds: float) -> tuple[tuple[float, float], ...]:
    frames = int(seconds / _FRAME)
    heard = np.zeros(frames, dtype=bool)
    for leg in legs:
        loud = _loud(leg)[:frames]
        heard[: len(loud)] |= loud
    edges = np.flatnonzero(np.diff(np.concatenate(([True], heard, [True])).astype(np.int8)))
    pauses = zip((edges[::2] * _FRAME).tolist(), (edges[1::2] * _FRAME).tolist(), strict=True)
    return tuple(
        (round(begins + (KEPT if begins else 0.0), 2), round(ends - KEPT, 2))
        for begins, ends in pauses
        if ends - begins >= PAUSE
    )


def _loud(leg: Leg) -> npt.NDArray[np.bool_]:
    width = max(1, round(leg.rate * _FRAME))
    whole = leg.samples[: len(leg.samples) // width * width].reshape(-1, width)
    power = np.empty(len(whole))
    for at in range(0, len(whole), 4096):  # an hour as floats would be 230 MB
        part = whole[at : at + 4096].astype(np.float32)
        power[at : at + 4096] = (part - part.mean(axis=1, keepdims=True)).var(axis=1)
    least = max(SILENCE_DBFS, leg.level - _BELOW)
    return power >= (_FULL * 10 ** (least / 20)) ** 2
