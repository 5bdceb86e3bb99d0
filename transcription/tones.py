"""Sounds of machines on a telephone leg, none of which is speech: tones, keys, fax and modem. By ear alone."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from transcription.engines import Samples

RATE, FRAME = 8000, 240  # Hz, samples: 30 ms
AUDIBLE = 1e-5  # power of a frame (-50 dBFS); below that nothing is heard
_AT_ONCE = 8192  # frames: four minutes
_FFT = 512
_PURE = 0.90  # share of a frame's power in one or two narrow lines that makes it a tone
_EVEN = 2.5  # dB by which a tone's level may vary
_BEEP, _HELD = 5, 8  # frames: 150 ms of a tone with silence around it, 240 ms of one in the midst of sound
_DRONE = 33  # frames: a second
_DRONES = 4.0  # dB between the faint and the loud frames of a drone; of a second's talk it is 10 and more
_ROWS, _COLUMNS = (697, 770, 852, 941), (1209, 1336, 1477, 1633)  # Hz of the keys
_OFF = 0.02  # share by which a key's tone may be off: half the way to the next would be 0.05
_QUICK = 5  # frames: keys dialled by a machine are 50 ms with 50 ms between them, of which one frame is whole
_KEYED = 0.80  # share of the power; clicks at its ends are in the first and last frame
_TWIST = 10.0  # dB between a key's two tones


def machines(frames: Samples, power: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Which ``frames`` (of 30 ms at 8 kHz) are a machine's; ``power`` is theirs."""
    pure = np.zeros(len(frames), dtype=bool)
    keyed = np.zeros(len(frames), dtype=bool)
    pitch = np.zeros(len(frames), dtype=np.int64)
    for start in range(0, len(frames), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        pure[part], keyed[part], pitch[part] = _looked_at(frames[part])
    audible = power > AUDIBLE
    return _held(pure & audible, pitch, power) | _keys(keyed & audible) | _drones(audible, power)


def _looked_at(frames: Samples) -> tuple[Any, Any, Any]:
    """Of each frame: whether it is one or two pure lines, whether these are a key's, and the stronger line's bin."""
    shaped = frames.astype(np.float32) * np.hanning(FRAME).astype(np.float32)
    spectrum = np.abs(np.fft.rfft(shaped, n=_FFT, axis=1)).astype(np.float32) ** 2
    total = spectrum.sum(axis=1) + 1e-9
    rows = np.arange(len(frames))[:, None]
    first, one = _strongest(spectrum, rows)
    second, other = _strongest(spectrum, rows)
    share = (one + other) / total
    low, high = np.minimum(first, second), np.maximum(first, second)
    twist = 10 * np.log10((other + 1e-9) / (one + 1e-9))
    key = (share > _KEYED) & (twist > -_TWIST) & _near(low, _ROWS) & _near(high, _COLUMNS)
    return share > _PURE, key, first


def _strongest(spectrum: npt.NDArray[np.float32], rows: npt.NDArray[np.intp]) -> tuple[Any, Any]:
    """Bin and power of each frame's strongest line, which is taken out of ``spectrum``."""
    peak = spectrum.argmax(axis=1)
    around = np.clip(peak[:, None] + np.arange(-5, 6), 0, spectrum.shape[1] - 1)
    power = spectrum[rows, around].sum(axis=1)
    spectrum[rows, around] = 0
    return peak, power


def _near(bins: npt.NDArray[np.intp], wanted: tuple[int, ...]) -> npt.NDArray[np.bool_]:
    hertz = bins * (RATE / _FFT)
    width = RATE / _FFT / 2
    near: npt.NDArray[np.bool_] = np.any([np.abs(hertz - one) <= one * _OFF + width for one in wanted], axis=0)
    return near


def _held(
    tone: npt.NDArray[np.bool_], pitch: npt.NDArray[np.int64], power: npt.NDArray[np.float64]
) -> npt.NDArray[np.bool_]:
    """Ringback (450 Hz), busy, hold beeps, two-tone hold music: a pitch held for a quarter of a second and more.

    A voice can be one line for a moment; it does not keep pitch and level that long.
    """
    held = np.zeros(len(tone), dtype=bool)
    quiet = np.concatenate(([True] * 2, power < AUDIBLE, [True] * 2))  # as if silence were around the leg
    for start, end in stretches(tone):
        level = 10 * np.log10(power[start + 1 : end - 1] + 1e-10)
        pitches = len(set((pitch[start + 1 : end - 1] // 2).tolist()))
        beep = bool(quiet[start] and quiet[end + 3])  # two frames before and after: nobody speaks around it
        if (
            end - start >= (_BEEP if beep else _HELD)
            and np.ptp(level) < _EVEN
            and pitches <= max(2, (end - start) // 5)
        ):
            held[max(0, start - 2) : end + 2] = True
    return held


def _keys(keyed: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Keys pressed, with the frames in which each begins and ends; of quick ones what is between them, too."""
    pressed = np.zeros(len(keyed), dtype=bool)
    at = np.flatnonzero(keyed)
    for first, second in zip(at[:-1].tolist(), at[1:].tolist(), strict=True):
        if second - first <= _QUICK:
            pressed[max(0, first - 1) : second + 2] = True
    return pressed


def _drones(audible: npt.NDArray[np.bool_], power: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """What keeps its level for a second: fax and modem, alarms, hum, steady noise. Nobody speaks that evenly."""
    droning = np.zeros(len(power), dtype=bool)
    if len(power) < _DRONE:
        return droning
    level = 10 * np.log10(power + 1e-10)
    seconds = np.lib.stride_tricks.sliding_window_view(level, _DRONE)
    for start in range(0, len(seconds), _AT_ONCE):
        low, high = np.percentile(seconds[start : start + _AT_ONCE], [5, 95], axis=1)
        for at in np.flatnonzero(high - low < _DRONES) + start:
            droning[at : at + _DRONE] |= np.abs(seconds[at] - np.median(seconds[at])) < _DRONES
    return droning & audible


def stretches(mask: npt.NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """Begin and end of each run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], mask, [False])).astype(np.int8)))
    yield from zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
