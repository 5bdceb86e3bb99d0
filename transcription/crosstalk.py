"""What leaks from one party's leg into the other's: line echo, a loudspeaker near a microphone. By ear alone.

A leak is the other leg's sound, later and fainter. The delay is found where both legs, laid over each other, agree most
over the whole call; a frame no louder than the leak would be is the leak, and who speaks louder than it is heard.
"""

import math

import numpy as np
import numpy.typing as npt

from transcription.engines import Samples
from transcription.tones import FRAME, RATE

_BLOCK = RATE // 2  # samples compared at once
_LATEST = RATE  # samples: mobile networks and loudspeakers bring a voice back after 0.1 to 0.6 s
_MOST = 60  # blocks compared, the loudest
_HEARD = 1e-5  # power of a block that can be heard at all (-50 dBFS)
_ALIKE = 0.35  # mean correlation at the best delay; of two people talking at once it is 0.1
_STANDS_OUT = 2.5  # times the correlation at other delays
_FAINTER = -6.0  # dB below the other leg that a leak is at least
_MARGIN = 6.0  # dB above the expected leak up to which a frame is nothing else
_TAIL = 4  # frames a room rings on


def leaked(own: Samples, other: Samples, power: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Which frames (30 ms) of ``own`` are nothing but ``other``'s leak; both at 8 kHz, ``power`` is that of own's."""
    none = np.zeros(len(power), dtype=bool)
    found = _delay(_sharpened(own), _sharpened(other))
    if found is None:
        return none
    delay, gain = found
    source = np.zeros(len(own), dtype=np.float32)
    late = other[: max(0, len(own) - delay)]
    source[delay : delay + len(late)] = late
    expected = (source[: len(power) * FRAME].reshape(-1, FRAME) / np.float32(32_768)).var(axis=1)
    for _ in range(_TAIL):
        expected[1:] = np.maximum(expected[1:], expected[:-1] * 0.5)
    faint: npt.NDArray[np.bool_] = power < expected * gain * 10 ** (_MARGIN / 10)
    faint &= expected > _HEARD
    return faint


def _sharpened(samples: Samples) -> npt.NDArray[np.float32]:
    """The differences of neighbours, full scale 1: without the low notes that all voices have in common."""
    return np.diff(samples.astype(np.float32) / np.float32(32_768), prepend=np.float32(0))


def _delay(own: npt.NDArray[np.float32], other: npt.NDArray[np.float32]) -> tuple[int, float] | None:
    """By how many samples ``other`` leaks into ``own``, and how much of its power; None where it does not."""
    count = min(len(own), len(other)) // _BLOCK
    power = np.mean(other[: count * _BLOCK].reshape(count, _BLOCK) ** 2, axis=1) if count else np.zeros(0)
    loudest = [int(block) for block in np.argsort(power)[::-1][:_MOST] if power[block] > _HEARD]
    total, compared = np.zeros(_LATEST, dtype=np.float64), []
    for block in loudest:
        source = other[block * _BLOCK : (block + 1) * _BLOCK]
        heard = own[block * _BLOCK : (block + 1) * _BLOCK + _LATEST - 1]
        heard = np.pad(heard, (0, _BLOCK + _LATEST - 1 - len(heard)))
        alike = _correlation(source, heard)
        total += alike
        compared.append((block, alike))
    if not compared:
        return None
    mean = total / len(compared)
    best = int(mean.argmax())
    if mean[best] < _ALIKE or mean[best] < _STANDS_OUT * np.median(mean):
        return None
    ratios = []
    for block, alike in compared:
        if alike[best] > _ALIKE:
            heard = own[block * _BLOCK + best : (block + 1) * _BLOCK + best]
            ratios.append(float(np.mean(heard**2)) / float(power[block]))
    gain = float(np.median(ratios))
    return (best, gain) if 10 * math.log10(gain + 1e-12) < _FAINTER else None


def _correlation(source: npt.NDArray[np.float32], heard: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """How alike ``source`` is to each stretch of ``heard`` that is as long: 0 to 1, by delay."""
    size = 1 << (len(heard) + len(source)).bit_length()
    product = np.fft.irfft(np.fft.rfft(heard, size) * np.conj(np.fft.rfft(source, size)), size)[:_LATEST]
    sums = np.concatenate(([0.0], np.cumsum(heard.astype(np.float64) ** 2)))
    energy = (sums[len(source) :] - sums[: -len(source)])[:_LATEST]
    floor = len(source) * 1e-9  # digital silence is like nothing
    made: npt.NDArray[np.float64] = np.abs(product) / np.sqrt(float(np.sum(source**2)) * (energy + floor))
    return made
