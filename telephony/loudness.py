"""How loud a recording is, and whether anything can be heard on a leg while people talked. Blocking: use a thread.

Only plain 16-bit samples are looked at, as MixMonitor writes them by default; of other codings nothing is said. This is
no speech recognition: it needs no model, so that a recorder that hears nothing is an alarm on the first day.
"""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

from telephony.wavhead import Head, Wav, read

SILENCE_DBFS = -50.0  # an empty line's comfort noise is quieter, the quietest that was still understood louder
_FLOOR = -96.0
_FRAME = 0.03  # seconds
_PIECE = 60.0  # seconds read at once
_PLAIN, _BITS = 1, 16


def loudest(path: Path, windows: Sequence[tuple[float, float]] | None = None) -> float | None:
    """Level of the loudest 30 ms in dBFS, of all or within these ``(start, end)`` seconds; None where nothing is known.

    Raises OSError.
    """
    import numpy as np  # noqa: PLC0415 - 100 ms, and only services with recordings need it

    wav = read(path)
    if wav.head is not Head.SOUND or wav.coding != _PLAIN or wav.bits != _BITS or not wav.rate:
        return None
    frame = max(1, int(wav.rate * _FRAME)) * wav.channels
    best = 0.0
    with path.open("rb") as file:
        for start, end in _pieces(wav, windows):
            file.seek(wav.data_at + start)
            samples = np.frombuffer(file.read(end - start)[: (end - start) // 2 * 2], dtype="<i2")
            whole = samples[: len(samples) // frame * frame].astype(np.float32) / 32768
            if len(whole):
                best = max(best, float(np.max(np.mean(whole.reshape(-1, frame) ** 2, axis=1))))
    return max(_FLOOR, 10 * math.log10(best)) if best > 0 else _FLOOR


def silent(level: float | None) -> bool:
    """Whether a level is that of a line on which nobody is; an unknown one is not."""
    return level is not None and level < SILENCE_DBFS


def _pieces(wav: Wav, windows: Sequence[tuple[float, float]] | None) -> Iterator[tuple[int, int]]:
    """Byte ranges of the sound, on whole samples."""
    for start, end in [(0.0, wav.seconds or 0.0)] if windows is None else windows:
        at = start
        while at < end:
            until = min(at + _PIECE, end)
            yield _byte(wav, at), _byte(wav, until)
            at = until


def _byte(wav: Wav, seconds: float) -> int:
    return min(int(seconds * wav.rate) * wav.block, wav.data)
