"""The header of a WAV file whose writer did not come back to finish it. Pure: bytes in, bytes out.

Asterisk writes the sizes when a recording ends; one that is killed leaves a data size of 0 (seen with 22.10), other
writers 0xFFFFFFFF, and a copy cut short leaves a size larger than the file. Audio libraries take the first for an empty
recording without a word.
"""

import struct
from dataclasses import dataclass

from transcription.trouble import AudioProblem, Trouble

_UNKNOWN = 0xFFFFFFFF
_FMT = 16  # bytes of the smallest fmt chunk
_AFTERWARDS = (b"LIST", b"fact", b"id3 ", b"cue ", b"smpl", b"bext")  # chunks that may follow an empty data chunk


@dataclass(frozen=True, slots=True)
class Repair:
    """Where a size in the header is wrong and what it must be: bytes ``at``..``at + 4`` little endian."""

    at: int
    size: int


def is_wave(head: bytes) -> bool:
    """Whether these first bytes begin a RIFF WAVE file; RF64 and big-endian RIFX are left to the library."""
    return head[:4] == b"RIFF" and head[8:12] == b"WAVE"


def repairs(data: bytes) -> tuple[Repair, ...]:
    """What to mend in the header of the WAV file ``data``; empty when it is sound.

    Raises AudioProblem: HALF_HEADER when the file ends inside the header, NO_SOUND when nothing follows it,
    ODD_FORMAT for a number of channels or a rate that no recording has (a damaged header).
    """
    at, fmt = 12, False
    while at + 8 <= len(data):
        name, size = struct.unpack_from("<4sI", data, at)
        if name == b"data":
            if not fmt:
                raise AudioProblem(Trouble.NOT_AUDIO, "a WAV file whose samples come before their description")
            return _data_size(data, at, size)
        if name == b"fmt ":
            if size < _FMT or at + 8 + _FMT > len(data):
                break
            _check_format(*struct.unpack_from("<HHI", data, at + 8))
            fmt = True
        at += 8 + size + size % 2
    raise AudioProblem(Trouble.HALF_HEADER, f"a WAV file of {len(data)} bytes that ends inside its header")


def _data_size(data: bytes, at: int, size: int) -> tuple[Repair, ...]:
    there = len(data) - at - 8
    if there == 0:
        raise AudioProblem(Trouble.NO_SOUND, "a WAV header with no samples behind it")
    if size == 0 and data[at + 8 : at + 12] in _AFTERWARDS:
        raise AudioProblem(Trouble.NO_SOUND, "a WAV file that says itself that it holds no samples")
    if size == 0 or size > there:
        return (Repair(4, len(data) - 8), Repair(at + 4, there))
    return ()


def _check_format(coding: int, channels: int, rate: int) -> None:
    if not 1 <= channels <= 16 or not 4000 <= rate <= 384_000:  # noqa: PLR2004 - the widest any recorder writes
        raise AudioProblem(
            Trouble.ODD_FORMAT, f"the WAV header speaks of {channels} channels at {rate} Hz (coding {coding})"
        )


def mend(data: bytearray, found: tuple[Repair, ...]) -> None:
    """Write the right sizes into ``data``."""
    for repair in found:
        struct.pack_into("<I", data, repair.at, min(repair.size, _UNKNOWN))
