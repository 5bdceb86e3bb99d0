"""A copy of a recording with a tone over what is not for every ear: sample for sample the original elsewhere."""

import os
from collections.abc import Iterator, Sequence
from math import ceil, floor
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

from transcription.trouble import AudioProblem, Trouble

TONE = 1000.0  # Hz
LOUD = 6000  # of 32767: heard, and no pain
_BLOCK = 65_536  # frames a read
Block = npt.NDArray[np.int16]


def beep(source: Path, target: Path, spans: Sequence[tuple[float, float]]) -> None:
    """Write ``target``, a 16-bit WAV of the same rate and channels, with a tone over ``spans`` (seconds).

    What was written is on the disk and was read again and held against the original. Raises OSError, and AudioProblem
    when the original is no sound that can be read; then there is no ``target``.
    """
    part = target.with_name(f"{target.name}.part")
    try:
        part.touch(mode=0o600)
        with soundfile.SoundFile(source) as sound:
            rate, channels = sound.samplerate, sound.channels
            cuts = [(max(0, floor(start * rate)), ceil(end * rate)) for start, end in spans]
            with soundfile.SoundFile(part, "w", rate, channels, "PCM_16", format="WAV") as out:
                for at, block in _blocks(sound):
                    out.write(_covered(block, at, cuts, rate))
        with part.open("rb") as written:
            os.fsync(written.fileno())
        _verify(source, part, cuts)
        part.replace(target)
    except soundfile.LibsndfileError as error:
        if not source.is_file():
            raise FileNotFoundError(f"{source} is gone") from error
        if _full(part):
            raise OSError(f"{part.name} could not be written: {error}") from error
        raise AudioProblem(Trouble.NOT_AUDIO, f"{source.name}: {error}") from error
    finally:
        part.unlink(missing_ok=True)


def _blocks(sound: soundfile.SoundFile) -> Iterator[tuple[int, Block]]:
    at = 0
    while len(block := sound.read(_BLOCK, dtype="int16", always_2d=True)):
        yield at, block
        at += len(block)


def _covered(block: Block, at: int, cuts: Sequence[tuple[int, int]], rate: int) -> Block:
    """The block, which begins with frame ``at``, with the tone where it belongs."""
    for first, last in cuts:
        low, high = max(first, at), min(last, at + len(block))
        if low < high:
            block = block.copy()
            tone = LOUD * np.sin(2 * np.pi * TONE * np.arange(low, high) / rate)
            block[low - at : high - at] = tone.astype(np.int16)[:, None]
    return block


def _verify(source: Path, written: Path, cuts: Sequence[tuple[int, int]]) -> None:
    with soundfile.SoundFile(source) as before, soundfile.SoundFile(written) as after:
        ours = _blocks(after)
        for at, block in _blocks(before):
            _, mine = next(ours, (0, np.empty((0, 0), np.int16)))
            if not np.array_equal(_covered(block, at, cuts, before.samplerate), mine):
                raise OSError(f"{written.name} is not what was written")
        if next(ours, None) is not None:
            raise OSError(f"{written.name} is longer than {source.name}")


def _full(part: Path) -> bool:
    """Whether the disk has no room left for it."""
    room = os.statvfs(part.parent)
    return room.f_bavail * room.f_frsize < _BLOCK
