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
_HELD, _HELD_BY = 6.0, 0.25  # for the share of power in such lines: nearly nought of a talker, half and more in music
_MOST = 8.0  # log odds of one window: none outvotes its neighbours
_AUDIBLE = -55.0  # dBFS; below that it is nothing at all, also where it is steady
_CALM = 9  # windows over which the verdict is averaged
SURE, STILL = 1.5, 0.0  # log odds that begin music, and at which it goes on
SHORTEST = 4.0  # seconds
_BRIDGE = 2.5  # seconds of talk between two stretches of music that are none
_TALK = 0.15  # share of a talker's power in lines that stand for an eighth of a second; of music it is 0.3 to 0.9
_STANDS = 4  # frames: that eighth
_NEARBY = 0.5  # seconds about an edge within which a pause is taken for it
_FAVOUR = 0.2  # seconds that talk is given where there is no pause
_DIP = 10.0  # dB
_REST = 7  # frames of 30 ms that make a pause


def music(samples: Samples, power: npt.NDArray[np.float64], frame: float) -> list[Span]:
    """Stretches of music in ``samples`` (8 kHz), in order; ``power`` is that of each ``frame`` seconds of them."""
    if len(samples) < _SIZE + (_WINDOW - 1) * _HOP:
        return []
    looked = [_looked_at(*piece) for piece in _pieces(samples)]
    if all(windows.max() <= 0 for windows, _ in looked):  # talk, as a rule
        return []
    shares = [_share(out, lines) for _, (out, lines) in looked]
    share = np.concatenate([one[: len(windows) * _STEP] for (windows, _), one in zip(looked, shares, strict=True)])
    share = np.concatenate([share, shares[-1][len(looked[-1][0]) * _STEP :]])
    odds = np.concatenate([windows for windows, _ in looked])
    held = np.array([np.median(share[at * _STEP : at * _STEP + _WINDOW]) for at in range(len(odds))])
    odds = np.clip(odds + _HELD * (held - _HELD_BY), -_MOST, _MOST)
    calm = np.convolve(np.pad(odds, _CALM // 2, mode="edge"), np.ones(_CALM) / _CALM, mode="valid")
    found: list[tuple[float, float]] = []
    for start, end in stretches(calm > STILL):
        sure = np.flatnonzero(odds[start:end] > 0) + start
        if calm[start:end].max() <= SURE or not len(sure):
            continue
        began, ended = _ends(share, int(sure[0]), int(sure[-1]), power, frame)
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


def _looked_at(
    lines: npt.NDArray[np.float32], level: npt.NDArray[np.float32]
) -> tuple[npt.NDArray[np.float64], tuple[npt.NDArray[np.bool_], npt.NDArray[np.float32]]]:
    """Log odds for music of each window; and which lines stand out of each frame, and how strong they are."""
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
        odds = _STANDING * float(standing) + _STEADY * float(steady) + _BIAS
        made.append(odds if np.percentile(loudness, 95) > _AUDIBLE else -_MOST)
    return np.clip(np.array(made, dtype=np.float64), -_MOST, _MOST), (out[:, _LOWEST:], lines[:, _LOWEST:])


def _share(out: npt.NDArray[np.bool_], lines: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Of each frame the share of its power in lines that stand for a while."""
    standing: npt.NDArray[np.bool_] = np.all(np.lib.stride_tricks.sliding_window_view(out, _STANDS, axis=0), axis=-1)
    held = np.zeros_like(out)
    for late in range(_STANDS):
        held[late : late + len(standing)] |= standing
    power = np.exp(lines * np.float32(np.log(10) / 10))
    return np.asarray((power * held).sum(axis=1) / power.sum(axis=1))


def _ends(
    share: npt.NDArray[np.float64], first: int, last: int, power: npt.NDArray[np.float64], frame: float
) -> tuple[float, float]:
    """The seconds between which music plays that the windows ``first`` to ``last`` are full or half full of.

    It is where lines stand as they do in the midst of it. A pause nearby is believed more, and without one talk
    is given a little more than its share. At an end of the recording there is nothing else.
    """
    at = max(0, first - 1) * _STEP
    frames = share[at : (last + 1) * _STEP + _WINDOW]
    core = float(np.median(share[first * _STEP : last * _STEP + _WINDOW]))
    gain = np.concatenate(([0.0], np.cumsum(frames - (core + _TALK) / 2)))
    end = int(gain.argmax())
    begin = int(gain[: end + 1].argmin())
    began, ended = (at + begin) * _HOP / RATE, (at + end) * _HOP / RATE
    if at + begin <= _STEP:
        began = 0.0
    else:
        near = _rests(power, began, frame)
        began = near[-1][1] if near else began + _FAVOUR
    if at + end >= len(share) - _STEP:
        ended = len(power) * frame
    else:
        near = _rests(power, ended, frame)
        ended = near[0][0] if near else ended - _FAVOUR
    return began, ended


def _rests(power: npt.NDArray[np.float64], about: float, frame: float) -> list[tuple[float, float]]:
    """Begin and end of the pauses near this second, in order."""
    first, last = max(0, int((about - 3 * _NEARBY) / frame)), min(len(power), int((about + 3 * _NEARBY) / frame))
    near = 10 * np.log10(power[first:last] + 1e-10)
    if len(near) <= _REST:
        return []
    calm = np.convolve(near, np.ones(_REST) / _REST, mode="valid")
    below = calm < np.percentile(near, 75) - _DIP
    rests = [((first + at) * frame, (first + until + _REST) * frame) for at, until in stretches(below)]
    return [rest for rest in rests if rest[0] - _NEARBY < about < rest[1] + _NEARBY]
