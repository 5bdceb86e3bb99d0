"""Recordings between the folder they lie in and the names the database keeps: relative to the root, never a path."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from storage.records import RecordingRow
from telephony.recordings import Legs, find, resolve

REPAIRED = "repaired:"  # before the name of a copy we made ourselves


@dataclass(frozen=True, slots=True)
class Recorder:
    """The recordings root, and where repaired copies are kept."""

    root: Path
    repairs: Path
    mark: str
    quiet: float
    clock: Callable[[], float]

    async def of_call(self, uniqueid: str, arrived: float, hints: Sequence[str]) -> RecordingRow:
        """The call's complete recording. Raises telephony.recordings.RecordingError."""
        legs = await asyncio.to_thread(self._find, uniqueid, arrived, hints)
        return RecordingRow(
            rx=self._name(legs.caller),
            tx=self._name(legs.agent),
            mix=self._name(legs.mix),
            seconds=legs.seconds,
            repaired=legs.repaired,
        )

    def path(self, name: str) -> Path:
        """The file of a name in the database. LookupError when it is gone or lies outside."""
        if name.startswith(REPAIRED):
            return resolve(self.repairs, name.removeprefix(REPAIRED))
        return resolve(self.root, name)

    def _find(self, uniqueid: str, arrived: float, hints: Sequence[str]) -> Legs:
        return find(
            self.root,
            uniqueid,
            arrived=arrived,
            now=self.clock(),
            mark=self.mark,
            quiet=self.quiet,
            repairs=self.repairs,
            hints=hints,
        )

    def _name(self, path: Path | None) -> str | None:
        if path is None:
            return None
        if path.is_relative_to(self.repairs):
            return REPAIRED + path.relative_to(self.repairs).as_posix()
        return path.relative_to(self.root.resolve()).as_posix()
