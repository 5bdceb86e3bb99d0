"""Recordings in, samples out: every container libsndfile reads, crashed ones mended, the rest refused by name.

Engines take any bytes for speech and answer with plausible nonsense (docs/speech.md), so a file is decoded only when
its first bytes prove what it is; its name proves nothing. This module knows no speaker and no engine.
"""

import io
import math
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile

from transcription import containers, riff
from transcription.engines import Samples
from transcription.trouble import AudioProblem, Trouble

__all__ = ["AudioProblem", "Leg", "Trouble", "load_channels", "load_leg", "load_stereo", "resample"]

MAX_SECONDS = 3 * 3600.0
MAX_BYTES = 2**30
RATES = range(4000, 192_001)
WIDEST = 16_000  # Hz kept; engines want no more, and three hours at 96 kHz are two gigabytes
CLIPPED = 32_100  # |sample| from here on: the loudest steps of A-law and mu-law are 32,256 and 32,124
FULL = 32_768.0
SILENCE_DBFS = -50.0  # comfort noise of Chinese trunks is quieter; the quietest line that was still understood was -38
FLOOR_DBFS = -96.0  # 16 bit: digital silence is given as this
_BLOCK = 2000  # 30 ms frames a read: WAV49 and GSM cannot seek, so blocks() is no way to read them


@dataclass(frozen=True, slots=True, eq=False)
class Leg:
    """The sound of one side of a call. ``samples`` is mono, ``rate`` in Hz: the recording's, at most 16,000.

    ``level`` is the level of the louder stretches in dBFS (95th percentile of 30 ms frames, so pauses do not lower it);
    ``clipped`` the share of samples at full scale, 0 to 1; ``repaired``: the header was mended, the end may be missing.
    """

    samples: Samples
    rate: int
    repaired: bool
    level: float
    clipped: float
    peak: float  # dBFS of the loudest 30 ms frame

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return len(self.samples) / self.rate

    @property
    def silent(self) -> bool:
        """Whether nothing on this leg is louder than an empty line."""
        return self.peak < SILENCE_DBFS


def load_leg(path: Path, *, max_seconds: float = MAX_SECONDS) -> Leg:
    """Read a mono recording. Raises AudioProblem, STEREO for a file with two channels (see :func:`load_stereo`)."""
    legs = _read(path, max_seconds)
    if len(legs) == 2:  # noqa: PLR2004 - left and right
        raise AudioProblem(Trouble.STEREO, f"{path.name} has two channels: if they are caller and agent, say so")
    return legs[0]


def load_stereo(path: Path, *, max_seconds: float = MAX_SECONDS) -> tuple[Leg, Leg]:
    """Read a recording with one leg a channel: (left, right). Raises AudioProblem, ODD_FORMAT for any other number."""
    legs = _read(path, max_seconds)
    if len(legs) != 2:  # noqa: PLR2004 - left and right
        raise AudioProblem(Trouble.ODD_FORMAT, f"{path.name} has one channel, it cannot hold both legs apart")
    return legs[0], legs[1]


def _read(path: Path, max_seconds: float) -> list[Leg]:
    return load_channels(path.name, _bytes(path), max_seconds=max_seconds)


def resample(samples: Samples, rate: int, wanted: int) -> Samples:
    """The same sound at ``wanted`` Hz."""
    if rate == wanted:
        return samples
    import soxr  # noqa: PLC0415 - many legs come at the right rate, and looking at one needs no resampler

    made: Samples = soxr.resample(samples, rate, wanted)
    return made


def load_channels(name: str, data: bytes, *, max_seconds: float = MAX_SECONDS) -> list[Leg]:
    """Each channel of a file's bytes, one or two. ``name`` is for messages. Raises AudioProblem."""
    path = Path(name)
    containers.check(path, data)
    data, repaired = _mended(data)
    try:
        with soundfile.SoundFile(_Bytes(data), **containers.forced(data)) as sound:
            if sound.samplerate not in RATES or not 1 <= sound.channels <= 2:  # noqa: PLR2004 - left and right
                raise AudioProblem(
                    Trouble.ODD_FORMAT, f"{path.name}: {sound.channels} channels at {sound.samplerate} Hz"
                )
            ears = [_Ear(sound.samplerate) for _ in range(sound.channels)]
            for block in _blocks(sound, path, max_seconds):
                for channel, ear in enumerate(ears):
                    ear.take(block[:, channel])
    except soundfile.LibsndfileError as error:
        raise AudioProblem(Trouble.NOT_AUDIO, f"{path.name} cannot be decoded: {error.error_string}") from error
    if not ears[0].count:
        raise AudioProblem(Trouble.NO_SOUND, f"{path.name} holds no samples")
    return [ear.leg(repaired=repaired) for ear in ears]


class _Bytes(io.BytesIO):
    """Bytes in which a damaged header may send the reader to before the beginning."""

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go there, or to the beginning."""
        return super().seek(max(0, offset) if whence == io.SEEK_SET else offset, whence)


def _mended(data: bytes) -> tuple[bytes, bool]:
    """The bytes with a sound header, and whether it was mended."""
    repaired = riff.repairs(data) if riff.is_wave(data) else ()
    if not repaired:
        return data, False
    mended = bytearray(data)
    riff.mend(mended, repaired)
    return bytes(mended), True


def _bytes(path: Path) -> bytes:
    """The file's bytes."""
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):  # reading a pipe that nobody writes to never ends
            raise AudioProblem(Trouble.UNREADABLE, f"{path.name} is no file")
        if found.st_size > MAX_BYTES:
            raise AudioProblem(Trouble.TOO_LONG, f"{path.name} is larger than {MAX_BYTES / 2**20:.0f} MB")
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise AudioProblem(Trouble.MISSING, f"{path.name} is not there") from error
    except ValueError as error:  # a NUL in the name
        raise AudioProblem(Trouble.MISSING, f"{path.name!r} is no name of a file") from error
    except OSError as error:
        raise AudioProblem(Trouble.UNREADABLE, f"{path.name} cannot be read: {error.strerror}") from error
    return data


def _blocks(sound: soundfile.SoundFile, path: Path, max_seconds: float) -> Iterator[npt.NDArray[np.float32]]:
    """All frames by reading on and on: the header's count is not trusted, and some codings cannot seek.

    Each block but the last is a whole number of 30 ms frames.
    """
    most, count = int(max_seconds * sound.samplerate), 0
    step = _BLOCK * _frame(sound.samplerate)
    while len(block := sound.read(step, dtype="float32", always_2d=True)):
        count += len(block)
        if count > most:
            raise AudioProblem(Trouble.TOO_LONG, f"{path.name} is longer than {max_seconds / 60:.0f} minutes")
        # float files may hold NaN, infinities and samples above full scale
        yield np.clip(np.nan_to_num(block, nan=0.0, posinf=1.0, neginf=-1.0), -1.0, 1.0)


def _frame(rate: int) -> int:
    return max(1, rate * 30 // 1000)


class _Ear:
    """One channel, block by block: three hours pass through without ever being in memory as floats."""

    def __init__(self, rate: int) -> None:
        self._rate, self.count = rate, 0
        self._kept = bytearray()  # of 16 bit samples; a list of blocks would have to be copied in the end
        self._power: list[npt.NDArray[np.float32]] = []
        self._clipped = 0
        self._narrow: Any = None
        if rate > WIDEST:
            import soxr  # noqa: PLC0415 - telephone recordings need none

            self._narrow = soxr.ResampleStream(rate, WIDEST, 1, dtype="float32")

    def take(self, sound: npt.NDArray[np.float32]) -> None:
        """Hear the next samples."""
        self.count += len(sound)
        frame = _frame(self._rate)
        padded = np.pad(sound, (0, -len(sound) % frame), mode="edge").reshape(-1, frame)
        even = padded - padded.mean(axis=1, keepdims=True)  # a constant offset is no sound
        self._power.append(np.mean(even.astype(np.float64) ** 2, axis=1).astype(np.float32))
        self._clipped += int(np.count_nonzero(np.abs(sound) >= CLIPPED / FULL))
        self._keep(sound if self._narrow is None else self._narrow.resample_chunk(sound))

    def leg(self, *, repaired: bool) -> Leg:
        """What was heard."""
        if self._narrow is not None:
            self._keep(self._narrow.resample_chunk(np.zeros(0, dtype=np.float32), last=True))
        power = np.concatenate(self._power)
        return Leg(
            samples=np.frombuffer(self._kept, dtype=np.int16),
            rate=min(self._rate, WIDEST),
            repaired=repaired,
            level=_dbfs(float(np.percentile(power, 95))),
            clipped=self._clipped / self.count,
            peak=_dbfs(float(power.max())),
        )

    def _keep(self, sound: npt.NDArray[np.float32]) -> None:
        # 16 bit and narrower ones come back exactly
        self._kept += np.clip(np.rint(sound * np.float32(FULL)), -FULL, FULL - 1).astype(np.int16).tobytes()


def _dbfs(power: float) -> float:
    return max(FLOOR_DBFS, 10 * math.log10(power)) if power > 0 else FLOOR_DBFS
