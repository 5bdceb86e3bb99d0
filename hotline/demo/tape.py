"""A recording while it is made, as MixMonitor makes one: three growing WAV files, sizes 0 until the end, then a mark.

Asterisk 22.10 was seen writing in steps of 32 KiB and running its post-record command some 5 ms after the last write.
Knows the two legs it copies and where to; not why or for whom.
"""

import asyncio
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

RATE = 8000
BLOCK = 16384
"""Samples a step: 32 KiB of 16-bit PCM, 2.048 s."""
MARK_AFTER = 0.005
"""Seconds from the last write to the mark."""
_SUFFIXES = ("", "-rx", "-tx")


def wav_header(data_bytes: int) -> bytes:
    """The 44 bytes before 8 kHz mono 16-bit PCM. With 0 bytes both sizes are 0, as in a file still being written."""
    sizes = (data_bytes + 36 if data_bytes else 0, data_bytes)
    return b"".join(
        (
            b"RIFF",
            sizes[0].to_bytes(4, "little"),
            b"WAVEfmt ",
            (16).to_bytes(4, "little"),
            (1).to_bytes(2, "little"),
            (1).to_bytes(2, "little"),
            RATE.to_bytes(4, "little"),
            (RATE * 2).to_bytes(4, "little"),
            (2).to_bytes(2, "little"),
            (16).to_bytes(2, "little"),
            b"data",
            sizes[1].to_bytes(4, "little"),
        )
    )


class Tape:
    """Writes ``base.wav``, ``base-rx.wav`` and ``base-tx.wav``, and ``base.done`` at the end. Raises OSError.

    ``legs`` are the files to copy, rx and tx; the mixed file is their sum. ``speed`` > 1 shortens every wait.
    """

    def __init__(self, base: Path, legs: tuple[Path, Path], speed: float) -> None:
        self._base = base
        self._speed = speed
        self._files = [base.with_name(f"{base.name}{suffix}.wav") for suffix in _SUFFIXES]
        self._stop = asyncio.Event()
        self._written = 0
        self._legs = [soundfile.SoundFile(leg) for leg in legs]
        self._base.parent.mkdir(parents=True, exist_ok=True)
        for file in self._files:
            file.write_bytes(wav_header(0))

    def stop(self) -> None:
        """The recording ends: the rest is written, the header finished, the mark left."""
        self._stop.set()

    async def run(self) -> None:
        """Grow until stopped; ends when the mark is there. Cancelled, it ends the files, as a stopped PBX does."""
        step = BLOCK / RATE / self._speed
        start = asyncio.get_running_loop().time()
        blocks = 0
        try:
            while not self._stop.is_set():
                blocks += 1
                try:
                    async with asyncio.timeout_at(start + blocks * step):
                        await self._stop.wait()
                except TimeoutError:
                    self._grow(BLOCK)
            self._grow(-1)
            self._finish()
            await asyncio.sleep(MARK_AFTER / self._speed)
        finally:
            self._finish()
            self._base.with_name(f"{self._base.name}.done").touch()

    def _grow(self, samples: int) -> None:
        """Copy the next ``samples`` of the legs, -1 for all that is left."""
        rx, tx = (self._read(leg, samples) for leg in self._legs)
        length = max(len(rx), len(tx))
        both = np.zeros((2, length), np.int32)
        both[0, : len(rx)], both[1, : len(tx)] = rx, tx
        mixed = np.clip(both.sum(axis=0), -32768, 32767)
        for file, data in zip(self._files, (mixed, *both), strict=True):
            with file.open("ab") as stream:
                stream.write(data.astype("<i2").tobytes())
        self._written += length * 2

    @staticmethod
    def _read(leg: soundfile.SoundFile, samples: int) -> npt.NDArray[np.int16]:
        data: npt.NDArray[np.int16] = leg.read(samples, dtype="int16")
        return data

    def _finish(self) -> None:
        for leg in self._legs:
            leg.close()
        for file in self._files:
            with file.open("r+b") as stream:
                stream.write(wav_header(self._written))
