"""The header of a WAV file as Asterisk writes it, and its repair.

MixMonitor writes the sizes when it closes the file. Until then, and for ever when the PBX was killed, they are 0 and
the samples begin at byte 44 (Asterisk 16.28 and 22.10 were seen doing it, 22.10 for wav16 too); the last 1.5 s of a
killed one are missing. WAV49, GSM in a WAV of 65-byte blocks, has a ``fact`` chunk besides that counts the samples, 0
as well, and its sound at byte 60. Headerless GSM of a killed PBX ends in the middle of a frame.
"""

import os
import shutil
import struct
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

_LONGEST_HEAD = 4096  # bytes; the chunks before the samples are below 100
_RIFF = 12  # bytes: RIFF, size, WAVE
_GSM = 0x31  # the format tag of WAV49
_GSM_FRAME = 33  # bytes of headerless GSM


class Head(StrEnum):
    """What a header says of its file."""

    SOUND = "sound"  # its sizes fit the file
    OPEN = "open"  # sizes of 0 or beyond the file: still being written, or never closed
    EMPTY = "empty"  # closed, and no samples
    FOREIGN = "foreign"  # no WAV header at all


@dataclass(frozen=True, slots=True)
class Wav:
    """A file's header: where its samples begin, bytes a second, bytes of samples that are really there.

    ``coding`` is the format tag (1: plain samples of ``bits``), ``rate`` in Hz, ``block`` the bytes of one step in all
    ``channels``, which holds ``samples`` in each; ``fact_at``: where a count of samples stands, 0: nowhere.
    """

    head: Head
    data_at: int = 0
    byte_rate: int = 0
    block: int = 1
    data: int = 0
    coding: int = 0
    channels: int = 1
    rate: int = 0
    bits: int = 0
    samples: int = 1
    fact_at: int = 0

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
    at, wav = _RIFF, Wav(Head.FOREIGN)
    while at + 8 <= len(start):
        name, length = start[at : at + 4], struct.unpack_from(f"{order}I", start, at + 4)[0]
        if name == b"fmt " and at + 24 <= len(start):
            wav = _format(start, at + 8, length, order)
        elif name == b"fact":
            wav = replace(wav, fact_at=at + 8)
        elif name == b"data":
            there = size - at - 8
            if (length == 0 and there > 0) or length > there:
                return replace(wav, head=Head.OPEN, data_at=at + 8, data=max(there, 0))
            return replace(wav, head=Head.SOUND if length else Head.EMPTY, data_at=at + 8, data=length)
        at += 8 + length + (length & 1)
    return Wav(Head.FOREIGN)


def _format(start: bytes, at: int, length: int, order: str) -> Wav:
    coding, channels, rate, byte_rate, block, bits = struct.unpack_from(f"{order}HHIIHH", start, at)
    samples = 1
    if coding == _GSM and length >= 20 and at + 20 <= len(start):  # noqa: PLR2004 - the format and its two extras
        samples = struct.unpack_from(f"{order}H", start, at + 18)[0]
    return Wav(
        Head.FOREIGN,
        byte_rate=byte_rate,
        block=max(block, 1),
        coding=coding,
        channels=max(channels, 1),
        rate=rate,
        bits=bits,
        samples=max(samples, 1),
    )


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
        if _RIFF < wav.fact_at <= wav.data_at - 12:
            struct.pack_into(f"{order}I", head, wav.fact_at, whole // wav.block * wav.samples)
        copy.write(head)
        shutil.copyfileobj(source, copy)
        copy.truncate(wav.data_at + whole)
        copy.flush()
        os.fsync(copy.fileno())
    draft.replace(into)
    return read(into)


def trim_gsm(path: Path, into: Path) -> bool:
    """Copy headerless GSM that ends in the middle of a frame without its last piece; False: it does not. OSError."""
    size = path.stat().st_size
    if size % _GSM_FRAME == 0 or size < _GSM_FRAME:
        return False
    into.parent.mkdir(parents=True, exist_ok=True)
    draft = into.with_name(into.name + ".part")
    shutil.copyfile(path, draft)
    os.truncate(draft, size - size % _GSM_FRAME)
    draft.replace(into)
    return True
