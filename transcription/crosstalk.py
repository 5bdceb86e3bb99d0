"""What leaks from one party's leg into the other's: line echo, a loudspeaker near a microphone. By ear alone.

A leak is the other leg's sound, later and fainter. The delay is found where both legs, laid over each other, agree most
over the whole call; a frame no louder than the leak would be is the leak, and who speaks louder than it is heard.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from transcription.engines import Samples
from transcription.tones import FRAME, RATE

_BLOCK = RATE // 2  # samples compared at once
_LATEST = RATE  # samples: mobile networks and loudspeakers bring a voice back after 0.1 to 0.6 s
_MOST = 60  # blocks compared, the loudest
_HEARD = 1e-5  # power that can be heard at all (-50 dBFS)
_ALIKE = 0.35  # mean correlation at the best delay; of two people talking at once it is 0.1
_STANDS_OUT = 2.5  # times the correlation at other delays
_FAINTER = -6.0  # dB below the other leg that a leak is at least
_SAME = 0.97  # correlation of a sound with itself after two codecs
_MARGIN = 6.0  # dB above the expected leak up to which a frame is nothing else
_TAIL = 4  # frames a room rings on


@dataclass(frozen=True, slots=True)
class _Alike:
    """How one leg is found in the other: ``delay`` in samples, ``gain`` in dB, mean correlation 0 to 1."""

    delay: int
    gain: float
    correlation: float


def leaked(
    own: Samples, other: Samples, power: npt.NDArray[np.float64], theirs: npt.NDArray[np.float64]
) -> npt.NDArray[np.bool_]:
    """Which frames (30 ms) of ``own`` are nothing but ``other``'s leak. Both at 8 kHz with the ``power`` of frames."""
    none = np.zeros(len(power), dtype=bool)
    found = _alike(own, other, theirs)
    if found is None or found.gain > _FAINTER:
        return none
    late = found.delay // FRAME
    expected = np.zeros(len(power) + 1)
    known = theirs[: max(0, len(power) - late)]
    expected[late : late + len(known)] = known
    expected = np.maximum(expected[:-1], np.concatenate(([0.0], expected[:-2])))  # a delay is no whole frame
    for _ in range(_TAIL):
        expected[1:] = np.maximum(expected[1:], expected[:-1] * 0.5)
    faint: npt.NDArray[np.bool_] = power < expected * 10 ** ((found.gain + _MARGIN) / 10)
    faint &= expected > _HEARD
    return faint


def same(own: Samples, other: Samples, theirs: npt.NDArray[np.float64]) -> bool:
    """Whether both legs hold one and the same sound: a mix recorded twice, or put on both channels."""
    found = _alike(own, other, theirs)
    return found is not None and found.correlation > _SAME and abs(found.gain) < abs(_FAINTER)


def _alike(own: Samples, other: Samples, theirs: npt.NDArray[np.float64]) -> _Alike | None:
    """How ``other`` is found in ``own``; None where it is not."""
    per = _BLOCK / FRAME
    count = min(len(own), len(other)) // _BLOCK
    louder = [float(theirs[int(i * per) : int((i + 1) * per)].mean()) for i in range(count)]
    loudest = [i for i in np.argsort(louder)[::-1][:_MOST].tolist() if louder[i] > _HEARD]
    compared = [_compared(own, other, i * _BLOCK) for i in loudest]
    if not compared:
        return None
    mean = np.mean([correlation for correlation, _ in compared], axis=0)
    best = int(mean.argmax())
    if mean[best] < _ALIKE or mean[best] < _STANDS_OUT * np.median(mean):
        return None
    ratios = [float(ratio[best]) for correlation, ratio in compared if correlation[best] > _ALIKE]
    return _Alike(best, 10 * math.log10(float(np.median(ratios)) + 1e-12), float(mean[best]))


def _compared(own: Samples, other: Samples, at: int) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """How alike ``other``'s block ``at`` is to what ``own`` has later, and how loud that is beside it; by delay."""
    source = _sharpened(other[at : at + _BLOCK])
    heard = _sharpened(own[at : at + _BLOCK + _LATEST - 1])
    heard = np.pad(heard, (0, _BLOCK + _LATEST - 1 - len(heard)))
    size = 1 << (len(heard) + len(source)).bit_length()
    product = np.fft.irfft(np.fft.rfft(heard, size) * np.conj(np.fft.rfft(source, size)), size)[:_LATEST]
    sums = np.concatenate(([0.0], np.cumsum(heard**2)))
    energy = sums[_BLOCK:] - sums[:-_BLOCK] + _BLOCK * 1e-9  # digital silence is like nothing
    own_energy = float(np.sum(source**2)) + 1e-12
    return np.abs(product) / np.sqrt(own_energy * energy), energy / own_energy


def _sharpened(samples: Samples) -> npt.NDArray[np.float64]:
    """The differences of neighbours, full scale 1: without the low notes that all voices have in common."""
    return np.diff(samples.astype(np.float64) / 32_768, prepend=0.0)
