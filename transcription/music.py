"""Hold music told from talk, by ear alone: the PBX's word for it is not always there.

A note keeps its pitch and a voice glides, so in music the same narrow lines stand out of the spectrum for seconds
(continuous frequency activation, Seyerlehner and others 2007), most clearly above 700 Hz, where a voice's overtones
move most. Talk has pauses, too. Both are weighed a window of three seconds; the weights were fitted on the music that
comes with Asterisk and with two games, against read and made-up Mandarin and English calls and noises, each clean,
through A-law and GSM, noisy and faint (see docs/audio.md). What is taken for talk by mistake costs a
sentence of nonsense, what is taken for music by mistake costs what a caller said: in doubt it is talk.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from transcription.engines import Samples, Span
from transcription.tones import stretches

RATE = 8000
_SIZE, _HOP = 512, 256  # samples: 64 ms, every 32 ms
_WINDOW, _STEP = 94, 16  # those: three seconds, every half
_LOWEST, _BINS = 45, 220  # from 700 Hz to 3.4 kHz, what a telephone carries
_AROUND = 10  # bins on each side that a line must stand out of; on one side alone it is the edge of the band
_OUT = 6.0  # dB by which it must
_FAINT = 35.0  # dB below the window's strongest line: part of the noise
_NEAR = 20.0, 15.0  # dB below the loudest: frames that count for lines, frames that are no pause
_LINES = 5
_AT_ONCE = 128  # windows looked at in one piece: a minute
_STANDING, _STEADY, _BIAS = 3.448, 8.507, -10.974
_CALM = 9  # windows over which the verdict is averaged
SURE, STILL = 1.5, 0.0  # log odds that begin music, and at which it goes on
SHORTEST = 4.0  # seconds
_BRIDGE = 2.5  # seconds of talk between two stretches of music that are none
_EDGE = 0.3  # seconds more within which a pause is looked for
_DIP = 10.0  # dB
_REST = 7  # frames of 30 ms that make a pause


def music(samples: Samples, power: npt.NDArray[np.float64], frame: float) -> list[Span]:
    """Stretches of music in ``samples`` (8 kHz), in order; ``power`` is that of each ``frame`` seconds of them."""
    if len(samples) < _SIZE + (_WINDOW - 1) * _HOP:
        return []
    odds = np.concatenate([_odds(lines, level) for lines, level in _pieces(samples)])
    calm = np.convolve(np.pad(odds, _CALM // 2, mode="edge"), np.ones(_CALM) / _CALM, mode="valid")
    found: list[tuple[float, float]] = []
    for start, end in stretches(calm > STILL):
        if calm[start:end].max() <= SURE:
            continue
        began, ended = _ends(odds, start, end, power, frame)
        if found and began - found[-1][1] < _BRIDGE:
            found[-1] = (found[-1][0], ended)
        else:
            found.append((began, ended))
    return [Span(began, ended) for began, ended in found if ended - began >= SHORTEST]


def _pieces(samples: Samples) -> Iterator[tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]]:
    """Spectra in dB and levels in dB, in pieces that share a window's length, so that each window is in one."""
    frames = np.lib.stride_tricks.sliding_window_view(samples, _SIZE)[::_HOP]
    shape = np.hanning(_SIZE).astype(np.float32) / np.float32(32_768)
    windows = (len(frames) - _WINDOW) // _STEP + 1
    for first in range(0, windows, _AT_ONCE):
        last = min(windows, first + _AT_ONCE) - 1
        piece = frames[first * _STEP : last * _STEP + _WINDOW] * shape
        spectrum = np.abs(np.fft.rfft(piece, axis=1)[:, :_BINS]).astype(np.float32) ** 2
        yield 10 * np.log10(spectrum + 1e-7), 10 * np.log10(np.mean(piece**2, axis=1) + 1e-9)


def _odds(lines: npt.NDArray[np.float32], level: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Log odds for music of each window."""
    count = lines.shape[1]
    padded = np.pad(lines, ((0, 0), (_AROUND + 1, _AROUND)), mode="edge").astype(np.float64)
    sums = np.cumsum(padded, axis=1)
    below = sums[:, _AROUND : _AROUND + count] - sums[:, :count]
    above = sums[:, 2 * _AROUND + 1 :] - sums[:, _AROUND + 1 : _AROUND + 1 + count]
    out = lines - np.maximum(below, above) / _AROUND > _OUT
    made = []
    for at in range(0, len(lines) - _WINDOW + 1, _STEP):
        window, loudness = slice(at, at + _WINDOW), level[at : at + _WINDOW]
        loud = loudness > np.percentile(loudness, 95) - _NEAR[0]
        strong = out[window] & (lines[window] > lines[window].max() - _FAINT)
        standing = np.sort(strong[loud].mean(axis=0)[_LOWEST:])[-_LINES:].sum()
        steady = np.mean(loudness > np.percentile(loudness, 95) - _NEAR[1])
        made.append(_STANDING * float(standing) + _STEADY * float(steady) + _BIAS)
    return np.array(made)


def _ends(
    odds: npt.NDArray[np.float64], start: int, end: int, power: npt.NDArray[np.float64], frame: float
) -> tuple[float, float]:
    """Seconds where the music of the windows ``start`` to ``end`` begins and ends.

    A window at the edge is called music while half of it is, or while all of it is, whichever is louder; so the edge is
    looked for in the second half of the last one that was. Between music and talk there mostly is a
    pause; of several the one that leaves more to the talk.
    """
    sure = np.flatnonzero(odds[start:end] > 0) + start
    if not len(sure):
        return 0.0, 0.0
    step, whole = _STEP * _HOP / RATE, _WINDOW * _HOP / RATE
    first, last = sure[0] * step, sure[-1] * step
    before = _rests(power, first, first + whole / 2, frame)
    after = _rests(power, last + whole / 2, last + whole, frame)
    began = 0.0 if sure[0] == 0 else before[-1][1] if before else first + whole / 2
    if sure[-1] == len(odds) - 1:  # up to the end of the recording
        return began, len(power) * frame
    return began, after[0][0] if after else last + whole / 2


def _rests(power: npt.NDArray[np.float64], start: float, end: float, frame: float) -> list[tuple[float, float]]:
    """Begin and end of the pauses about ``start`` to ``end``, in order."""
    first, last = max(0, int((start - _EDGE) / frame)), min(len(power), int((end + _EDGE) / frame))
    near = 10 * np.log10(power[first:last] + 1e-10)
    if len(near) <= _REST:
        return []
    calm = np.convolve(near, np.ones(_REST) / _REST, mode="valid")
    below = calm < np.percentile(near, 75) - _DIP
    return [((first + at) * frame, (first + until + _REST) * frame) for at, until in stretches(below)]
