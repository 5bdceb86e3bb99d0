"""Sealed originals looked through: all verified, or sealed anew with the key that seals now."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from hotline.originals import Originals, of
from screenpop.sounds import ClosedError
from storage.reads import Reads
from storage.sealed_file import Keys, SealError, seal
from storage.sounds import Sound as Known
from telephony.call import CallKey

Told = Callable[[int], None]


@dataclass(slots=True)
class Looked:
    """How many were looked at, how many are sound (or sealed anew), and what is wrong with the others."""

    files: int = 0
    sound: int = 0
    faults: list[str] = field(default_factory=list)


async def verify(originals: Originals, told: Told) -> Looked:
    """Open every sealed file to its last byte. ``told`` hears how many, as it goes on."""
    looked = Looked()
    async for call, known in _each(originals, None):
        looked.files += 1
        try:
            await asyncio.to_thread(_through, originals, call, known)
        except (ClosedError, SealError, LookupError, OSError) as error:
            looked.faults.append(f"{call} {known.leg}: {error}")
        else:
            looked.sound += 1
        told(looked.files)
    return looked


async def rotate(originals: Originals, reads: Reads, told: Told) -> Looked:
    """Seal anew what other keys sealed; afterwards those may be taken out of the configuration.

    May be broken off and begun again at any moment. Raises ClosedError without a key.
    """
    keys = originals.keys
    if keys is None:
        raise ClosedError("no sealing key is configured: name one in [[sealing.keys]]")
    looked = Looked()
    async for call, known in _each(originals, keys.current):
        looked.files += 1
        try:
            await _anew(originals, reads, keys, call, known)
        except (ClosedError, SealError, LookupError, OSError) as error:
            looked.faults.append(f"{call} {known.leg}: {error}")
        else:
            looked.sound += 1
        told(looked.files)
    return looked


async def _anew(originals: Originals, reads: Reads, keys: Keys, call: CallKey, known: Known) -> None:
    page = await reads.call(call)
    row = next((row for row in page.recordings if row.name == known.name), None) if page else None
    if row is None:
        raise LookupError("its recording is not there any more")
    async with originals.plain(call, row, known.leg) as source:
        target, name = originals.new_sealed(known.recording, known.leg)
        size = await asyncio.to_thread(seal, source, target, keys, of(call, known))
    await originals.sounds.sealed(known.recording, known.leg, name=name, key=keys.current, size=size)
    await asyncio.to_thread(originals.remove, "sealed", known.sealed)


async def _each(originals: Originals, but: str | None) -> AsyncIterator[tuple[CallKey, Known]]:
    after = 0
    while found := await originals.sounds.sealed_files(but=but, after=after):
        after = found[-1][1].id
        for one in found:
            yield one


def _through(originals: Originals, call: CallKey, known: Known) -> None:
    opened = originals.open(call, known)
    for _ in opened.read(0, opened.size):
        pass
