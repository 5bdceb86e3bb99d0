"""Recordings in, samples out: every container libsndfile reads, crashed ones mended, the rest refused by name.

Engines take any bytes for speech and answer with plausible nonsense (docs/speech.md), so a file is decoded only when
its first bytes prove what it is; its name proves nothing. This module knows no speaker and no engine.
"""

import io
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

from transcription import riff
from transcription.engines import Samples
from transcription.trouble import AudioProblem, Trouble

__all__ = ["AudioProblem", "Leg", "Trouble", "load_leg", "load_stereo", "resample"]

MAX_SECONDS = 3 * 3600.0
MAX_BYTES = 2**30
RATES = range(4000, 192_001)
CLIPPED = 32_100  # |sample| from here on: the loudest steps of A-law and mu-law are 32,256 and 32,124
FULL = 32_768.0
SILENCE_DBFS = -50.0  # comfort noise of Chinese trunks is quieter; the quietest line that was still understood was -38
FLOOR_DBFS = -96.0  # 16 bit: digital silence is given as this
_BLOCK = 65_536  # frames a read: WAV49 and GSM cannot seek, so blocks() is no way to read them
_GSM_FRAME, _GSM_MARK = 33, 0xD  # bytes; the nibble each frame begins with
_MAGIC = (b"RIFF", b"RIFX", b"RF64", b"fLaC", b"OggS", b"FORM", b"caff", b".snd", b"ID3")


@dataclass(frozen=True, slots=True, eq=False)
class Leg:
    """The sound of one side of a call. ``samples`` is mono, ``rate`` in Hz.

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
    frames, rate, repaired = _read(path, max_seconds)
    if frames.shape[1] == 2:  # noqa: PLR2004 - left and right
        raise AudioProblem(Trouble.STEREO, f"{path.name} has two channels: if they are caller and agent, say so")
    return _leg(frames[:, 0], rate, repaired=repaired)


def load_stereo(path: Path, *, max_seconds: float = MAX_SECONDS) -> tuple[Leg, Leg]:
    """Read a recording with one leg a channel: (left, right). Raises AudioProblem, ODD_FORMAT for any other number."""
    frames, rate, repaired = _read(path, max_seconds)
    if frames.shape[1] != 2:  # noqa: PLR2004 - left and right
        raise AudioProblem(Trouble.ODD_FORMAT, f"{path.name} has one channel, it cannot hold both legs apart")
    return _leg(frames[:, 0], rate, repaired=repaired), _leg(frames[:, 1], rate, repaired=repaired)


def resample(samples: Samples, rate: int, wanted: int) -> Samples:
    """The same sound at ``wanted`` Hz."""
    if rate == wanted:
        return samples
    import soxr  # noqa: PLC0415 - many legs come at the right rate, and looking at one needs no resampler

    made: Samples = soxr.resample(samples, rate, wanted)
    return made


def _read(path: Path, max_seconds: float) -> tuple[npt.NDArray[np.float32], int, bool]:
    """Frames x channels, rate, whether the header was mended."""
    data = _bytes(path)
    repaired: tuple[riff.Repair, ...] = ()
    if riff.is_wave(data):
        repaired = riff.repairs(data)
        mended = bytearray(data)
        riff.mend(mended, repaired)
        data = bytes(mended)
    try:
        with soundfile.SoundFile(io.BytesIO(data), **_forced(data)) as sound:
            if sound.samplerate not in RATES or sound.channels > 2:  # noqa: PLR2004 - left and right
                raise AudioProblem(
                    Trouble.ODD_FORMAT, f"{path.name}: {sound.channels} channels at {sound.samplerate} Hz"
                )
            frames = _frames(sound, path, max_seconds)
            rate = sound.samplerate
    except soundfile.LibsndfileError as error:
        raise AudioProblem(Trouble.NOT_AUDIO, f"{path.name} cannot be decoded: {error.error_string}") from error
    if not len(frames):
        raise AudioProblem(Trouble.NO_SOUND, f"{path.name} holds no samples")
    return frames, rate, bool(repaired)


def _bytes(path: Path) -> bytes:
    """The file's bytes, once its beginning shows a container we know."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise AudioProblem(Trouble.TOO_LONG, f"{path.name} is larger than {MAX_BYTES / 2**20:.0f} MB")
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise AudioProblem(Trouble.MISSING, f"{path.name} is not there") from error
    except OSError as error:
        raise AudioProblem(Trouble.UNREADABLE, f"{path.name} cannot be read: {error.strerror}") from error
    if not data:
        raise AudioProblem(Trouble.EMPTY, f"{path.name} has zero bytes")
    if b"RIFF".startswith(data[:4]) or (data[:4] == b"RIFF" and b"WAVE".startswith(data[8:12])):
        if len(data) < 12:  # noqa: PLR2004 - RIFF, size, WAVE
            raise AudioProblem(Trouble.HALF_HEADER, f"{path.name}: {len(data)} bytes, not even a whole header")
    elif not data.startswith(_MAGIC) and not _is_mp3(data) and not _is_gsm(data):
        if path.suffix.lower() in _HEADERLESS:
            raise AudioProblem(Trouble.RAW, f"{path.name} has no header: record as wav, or convert it")
        raise AudioProblem(Trouble.NOT_AUDIO, f"{path.name} is no audio file we know (begins {data[:8].hex(' ')})")
    return data


_HEADERLESS = (".raw", ".pcm", ".sln", ".sln16", ".slin", ".alaw", ".ulaw", ".al", ".ul", ".g722", ".g729", ".vox")


def _forced(data: bytes) -> dict[str, str | int]:
    """What libsndfile must be told: only headerless GSM, whose every frame bears a mark, needs telling."""
    if _is_gsm(data):
        return {"format": "RAW", "subtype": "GSM610", "samplerate": 8000, "channels": 1}
    return {}


def _is_gsm(data: bytes) -> bool:
    """Headerless GSM 06.10: whole frames that all begin with the nibble 0xD; three at least, so not by chance."""
    marks = data[::_GSM_FRAME]
    return len(data) >= 3 * _GSM_FRAME and len(data) % _GSM_FRAME == 0 and all(mark >> 4 == _GSM_MARK for mark in marks)


def _is_mp3(data: bytes) -> bool:
    """MPEG audio: two frame headers in a row that agree. One alone is found in any noise."""
    length = _mp3_frame(data[:4])
    return length > 0 and _mp3_frame(data[length : length + 4]) > 0 and data[1] == data[length + 1]


def _mp3_frame(head: bytes) -> int:
    """Bytes of the layer III frame with this header, 0 when it is none."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE6 != 0xE2:  # noqa: PLR2004 - sync, layer III
        return 0
    version, bits, rate = head[1] >> 3 & 3, head[2] >> 4, head[2] >> 2 & 3
    if version == 1 or bits in (0, 15) or rate == 3:  # noqa: PLR2004 - reserved values
        return 0
    one = version == 3  # noqa: PLR2004 - MPEG 1; else MPEG 2 and 2.5
    kbit = (
        (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
        if one
        else (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
    )[bits - 1]
    hertz = (44_100, 48_000, 32_000)[rate] // {3: 1, 2: 2, 0: 4}[version]
    return (144 if one else 72) * kbit * 1000 // hertz + (head[2] >> 1 & 1)


def _frames(sound: soundfile.SoundFile, path: Path, max_seconds: float) -> npt.NDArray[np.float32]:
    """All frames by reading on and on: the header's count is not trusted, and some codings cannot seek."""
    most = int(max_seconds * sound.samplerate)
    blocks: list[npt.NDArray[np.float32]] = []
    count = 0
    while len(block := sound.read(_BLOCK, dtype="float32", always_2d=True)):
        blocks.append(block)
        count += len(block)
        if count > most:
            raise AudioProblem(Trouble.TOO_LONG, f"{path.name} is longer than {max_seconds / 60:.0f} minutes")
    return np.concatenate(blocks) if blocks else np.zeros((0, sound.channels), dtype=np.float32)


def _leg(sound: npt.NDArray[np.float32], rate: int, *, repaired: bool) -> Leg:
    # float files may hold NaN, infinities and samples above full scale; 16 bit and narrower ones come back exactly
    clean = np.nan_to_num(sound, nan=0.0, posinf=1.0, neginf=-1.0)
    samples: Samples = np.clip(np.rint(clean * FULL), -FULL, FULL - 1).astype(np.int16)
    frame = max(1, rate * 30 // 1000)
    padded = np.concatenate([clean, np.zeros(-len(clean) % frame, dtype=clean.dtype)])
    power = np.mean(padded.reshape(-1, frame).astype(np.float64) ** 2, axis=1)
    return Leg(
        samples=samples,
        rate=rate,
        repaired=repaired,
        level=_dbfs(float(np.percentile(power, 95))),
        clipped=float(np.mean(np.abs(samples.astype(np.int32)) >= CLIPPED)),
        peak=_dbfs(float(power.max())),
    )


def _dbfs(power: float) -> float:
    return max(FLOOR_DBFS, 10 * math.log10(power)) if power > 0 else FLOOR_DBFS
