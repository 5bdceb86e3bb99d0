"""What a recording looks like: how loud each side is, step by step, and where nobody speaks. No file, no speaker.

For drawing and for skipping; what was said cannot be told from it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from transcription.audio import SILENCE_DBFS, Leg

MOST = 2000  # steps: more than a screen has columns for
LOUDEST = 255
PAUSE = 1.2  # seconds without a word that are worth skipping
KEPT = 0.2  # seconds of it on either side that are heard all the same
_BIN = 0.01  # seconds; a step is a whole number of these
_FRAME = 0.05
_BELOW = 35.0  # dB under a side's own speech: its line's noise
_FULL = 32_768


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """What is left of a leg when its sound is forgotten: a thousandth of it, so that two need not be in memory.

    ``peaks``: the loudest sample of each hundredth of a second, 0 to 255, and 0 only where all are; ``heard``: whether
    somebody speaks in each twentieth.
    """

    seconds: float
    peaks: npt.NDArray[np.uint8]
    heard: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, leg: Leg) -> "Side":
        """Of a leg."""
        return cls(leg.seconds, _peaks(leg), _heard(leg))


@dataclass(frozen=True, slots=True)
class Outline:
    """How loud and how quiet. ``step``: seconds a value.

    A lane for each side, as many values as cover it: the loudest sample of the step. ``quiet``: stretches in which no
    side is heard, (begins, ends) in seconds.
    """

    seconds: float
    step: float
    lanes: tuple[tuple[int, ...], ...]
    quiet: tuple[tuple[float, float], ...]


def outline(sides: Sequence[Side], most: int = MOST) -> Outline:
    """The outline of sides that sound together from their first samples on; at least one."""
    width = max(1, -(-max(len(side.peaks) for side in sides) // most))
    lanes = tuple(
        tuple(np.maximum.reduceat(side.peaks, np.arange(0, len(side.peaks), width)).tolist()) for side in sides
    )
    return Outline(max(side.seconds for side in sides), width * _BIN, lanes, _quiet(sides))


def _peaks(leg: Leg) -> npt.NDArray[np.uint8]:
    """A bin begins with the first sample that is not before it."""
    width = _BIN * leg.rate
    count = int(np.ceil(len(leg.samples) / width - 1e-9))
    begins = np.ceil(np.arange(count) * width - 1e-9).astype(np.int64)
    begins = begins[begins < len(leg.samples)]
    high = np.maximum.reduceat(leg.samples, begins).astype(np.int32)
    low = np.minimum.reduceat(leg.samples, begins).astype(np.int32)
    return np.ceil(np.maximum(high, -low) * (LOUDEST / _FULL)).astype(np.uint8)


def _heard(leg: Leg) -> npt.NDArray[np.bool_]:
    width = max(1, round(leg.rate * _FRAME))
    whole = leg.samples[: len(leg.samples) // width * width].reshape(-1, width)
    power = np.empty(len(whole))
    for at in range(0, len(whole), 4096):  # an hour as floats would be 115 MB
        power[at : at + 4096] = whole[at : at + 4096].astype(np.float32).var(axis=1)
    least = max(SILENCE_DBFS, leg.level - _BELOW)
    return power >= (_FULL * 10 ** (least / 20)) ** 2


def _quiet(sides: Sequence[Side]) -> tuple[tuple[float, float], ...]:
    heard = np.zeros(max(len(side.heard) for side in sides), dtype=bool)
    for side in sides:
        heard[: len(side.heard)] |= side.heard
    edges = np.flatnonzero(np.diff(np.concatenate(([True], heard, [True])).astype(np.int8)))
    pauses = zip((edges[::2] * _FRAME).tolist(), (edges[1::2] * _FRAME).tolist(), strict=True)
    return tuple(
        (round(begins + (KEPT if begins else 0.0), 2), round(ends - KEPT, 2))
        for begins, ends in pauses
        if ends - begins >= PAUSE
    )
