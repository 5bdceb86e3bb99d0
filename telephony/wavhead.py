"""The header of a WAV file as Asterisk writes it, and its repair.

MixMonitor writes the sizes when it closes the file. Until then, and for ever when the PBX was killed, both are 0 and
the samples begin at byte 44 (Asterisk 16.28 and 22.10 were seen doing it); the last 1.5 s of a killed one are missing.
"""

import os
import shutil
import struct
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

_LONGEST_HEAD = 4096  # bytes; the chunks before the samples are below 100
_RIFF = 12  # bytes: RIFF, size, WAVE


class Head(StrEnum):
    """What a header says of its file."""

    SOUND = "sound"  # its sizes fit the file
    OPEN = "open"  # sizes of 0 or beyond the file: still being written, or never closed
    EMPTY = "empty"  # closed, and no samples
    FOREIGN = "foreign"  # no WAV header at all


@dataclass(frozen=True, slots=True)
class Wav:
    """A file's header: where its samples begin, bytes a second, bytes of samples that are really there."""

    head: Head
    data_at: int = 0
    byte_rate: int = 0
    block: int = 1
    data: int = 0

    @property
    def seconds(self) -> float | None:
        """Length of what is there; None where the header does not say."""
        return self.data / self.byte_rate if self.byte_rate else None


def read(path: Path) -> Wav:
    """Look at a header. Raises OSError."""
    with path.open("rb") as file:
        start = file.read(_LONGEST_HEAD)
        size = os.fstat(file.fileno()).st_size
    if len(start) < _RIFF or start[:4] not in (b"RIFF", b"RIFX") or start[8:12] != b"WAVE":
        return Wav(Head.FOREIGN)
    order = "<" if start[:4] == b"RIFF" else ">"
    at, byte_rate, block = _RIFF, 0, 1
    while at + 8 <= len(start):
        name, length = start[at : at + 4], struct.unpack_from(f"{order}I", start, at + 4)[0]
        if name == b"fmt " and at + 24 <= len(start):
            byte_rate, block = struct.unpack_from(f"{order}IH", start, at + 16)
        if name == b"data":
            there = size - at - 8
            if (length == 0 and there > 0) or length > there:
                return Wav(Head.OPEN, at + 8, byte_rate, max(block, 1), max(there, 0))
            return Wav(Head.SOUND if length else Head.EMPTY, at + 8, byte_rate, max(block, 1), length)
        at += 8 + length + (length & 1)
    return Wav(Head.FOREIGN)


def repair(path: Path, into: Path) -> Wav:
    """Write a copy of an unclosed file with a true header; the original is not touched. Raises OSError.

    ValueError when there is nothing to repair from: no header, or no sample behind it.
    """
    wav = read(path)
    whole = wav.data - wav.data % wav.block
    if wav.head is not Head.OPEN or whole <= 0:
        raise ValueError(f"{path.name}: nothing to repair ({wav.head})")
    into.parent.mkdir(parents=True, exist_ok=True)
    draft = into.with_name(into.name + ".part")
    with path.open("rb") as source, draft.open("wb") as copy:
        head = bytearray(source.read(wav.data_at))
        order = "<" if head[:4] == b"RIFF" else ">"
        struct.pack_into(f"{order}I", head, 4, wav.data_at - 8 + whole)
        struct.pack_into(f"{order}I", head, wav.data_at - 4, whole)
        copy.write(head)
        shutil.copyfileobj(source, copy)
        copy.truncate(wav.data_at + whole)
        copy.flush()
        os.fsync(copy.fileno())
    draft.replace(into)
    return read(into)
