"""Recordings kept on another machine: a call's files are brought into a folder of ours, where they are found like any.

A file is fetched when it is complete over there: its post-record mark is there, or its size stayed the same for a
while. It is written beside its name and renamed when it is whole, so that what broke off is never used. It keeps the
moment at which its size was first seen as its time of change, and its mark, so that :func:`telephony.recordings.find`
judges it as it judges a local one.
"""

import asyncio
import os
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from telephony.recordings import SUFFIXES, Problem, RecordingError, day_folders, holds, marks
from telephony.remote import Remote, Store, TooLargeError, below

_REMEMBERED = 10_000  # files whose sizes are watched
_LEGS = ("-rx", "-tx")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which files: of the call with this Uniqueid that ``arrived`` then (epoch seconds), by names the PBX ``told``.

    ``near``: look for its other files too, in the folders of these names and of the days around; else these alone.
    """

    uniqueid: str
    arrived: float
    told: Sequence[str]
    near: bool = True


class Mirror:
    """Brings files of ``remote`` into ``folder``. ``mark``, ``quiet``: as in :class:`telephony.recordings.Rules`."""

    def __init__(self, remote: Remote, folder: Path, *, mark: str, quiet: float, clock: Callable[[], float]) -> None:
        self._remote, self.folder = remote, folder
        self._mark, self._quiet, self._clock = mark, quiet, clock
        self._seen: OrderedDict[str, tuple[int, float]] = OrderedDict()  # name -> size, since when

    async def bring(self, wanted: Wanted) -> None:
        """Fetch what is complete and not here. Raises RecordingError, and RemoteError: try again later."""
        async with self._remote.open() as store:
            sizes = {name: size for name in await self._names(store, wanted) if (size := await store.size(name))}
            if not sizes:
                hint = "" if wanted.told else "; the PBX told no names of it"
                raise RecordingError(Problem.MISSING, f"the server has no recording of {wanted.uniqueid}{hint}")
            since = {name: self._since(name, size) for name, size in sizes.items()}
            marked = await self._marked(store, wanted.uniqueid, sizes)
            if not marked and self._clock() - max(since.values()) < self._quiet:
                raise RecordingError(Problem.GROWING, f"the recording of {wanted.uniqueid} may still be written")
            for name, size in sizes.items():
                await self._fetch(store, name, size, since[name])
            for name in marked:
                await asyncio.to_thread((self.folder / name).touch)

    async def _names(self, store: Store, wanted: Wanted) -> list[str]:
        """Candidates: what was told, its legs, and what a server that can list has beside it."""
        told = [name for hint in wanted.told if (name := below(hint, self._remote.base)) is not None]
        names = dict.fromkeys(told)
        if wanted.near:
            for name in told:
                path = PurePosixPath(name)
                names |= dict.fromkeys(str(path.with_name(path.stem + leg + path.suffix)) for leg in _LEGS)
            parents = [str(PurePosixPath(name).parent) for name in told]
            for folder in dict.fromkeys(["", *day_folders(wanted.arrived), *parents]):
                listed = await store.names(folder)
                if listed is None:
                    break
                names |= dict.fromkeys(str(PurePosixPath(folder) / name) for name in listed if below(name))
        return [name for name in names if holds(name, wanted.uniqueid) and PurePosixPath(name).suffix in SUFFIXES]

    async def _marked(self, store: Store, uniqueid: str, names: Sequence[str] | dict[str, int]) -> list[str]:
        candidates = dict.fromkeys(mark for name in names for mark in marks(name, uniqueid, self._mark))
        return [mark for mark in candidates if await store.size(mark) is not None]

    def _since(self, name: str, size: int) -> float:
        """Since when the file has this size, as far as we saw."""
        known = self._seen.get(name)
        if known is None or known[0] != size:
            known = self._seen[name] = (size, self._clock())
        self._seen.move_to_end(name)
        while len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)
        return known[1]

    async def _fetch(self, store: Store, name: str, size: int, since: float) -> None:
        path = self.folder / name
        if await asyncio.to_thread(_size, path) != size:
            await asyncio.to_thread(path.parent.mkdir, parents=True, exist_ok=True)
            draft = path.with_name(path.name + ".part")
            try:
                await store.fetch(name, draft)
                await asyncio.to_thread(draft.replace, path)
            except TooLargeError as error:
                raise RecordingError(Problem.UNREADABLE, str(error)) from error
            finally:
                await asyncio.to_thread(draft.unlink, missing_ok=True)
        await asyncio.to_thread(os.utime, path, (since, since))


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None
