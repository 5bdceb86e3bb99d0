"""Recordings between where they lie and the names the database keeps: relative to a folder, never a path.

A PBX's recordings lie in a folder readable here, or on a server from which they are fetched into a folder of ours;
what follows is the same. Copies with a repaired header and messages left aside have a word before their name.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from storage.records import RecordingKind, RecordingRow
from telephony.call import CallKey
from telephony.mirror import Mirror, Wanted
from telephony.recordings import Legs, Rules, find, find_message, marks, resolve

REPAIRED = "repaired:"  # before the name of a copy we made ourselves
MESSAGE = "message:"  # before the name of a message that lies in a folder of its own


@dataclass(frozen=True, slots=True)
class Recorder:
    """One PBX's recordings.

    ``root``: their folder; with ``mirror`` what was fetched. ``repairs``: where repaired copies are kept. ``messages``:
    a further folder where messages left by callers may lie.
    """

    root: Path
    rules: Rules
    clock: Callable[[], float]
    mirror: Mirror | None = None
    messages: Path | None = None

    async def of_call(
        self, uniqueid: str, arrived: float, hints: Sequence[str], messages: Sequence[str] = ()
    ) -> list[RecordingRow]:
        """The call's complete recordings, the best first; ``messages`` are names that are none of them.

        Raises telephony.recordings.RecordingError, and telephony.remote.RemoteError: try again later.
        """
        if self.mirror is not None:
            await self.mirror.bring(Wanted(uniqueid=uniqueid, arrived=arrived, told=hints))
        found = await asyncio.to_thread(
            find,
            self.root,
            uniqueid,
            arrived=arrived,
            now=self.clock(),
            rules=self.rules,
            hints=hints,
            skip=messages,
        )
        return [self._row(legs, RecordingKind.CALL) for legs in found]

    async def message(self, uniqueid: str, arrived: float, told: str) -> RecordingRow:
        """The message a caller left, by the name the dialplan told. Raises as :meth:`of_call`."""
        if self.mirror is not None:
            await self.mirror.bring(Wanted(uniqueid=uniqueid, arrived=arrived, told=(told,), near=False))
        roots = [self.root, *([self.messages] if self.messages is not None else [])]
        legs = await asyncio.to_thread(find_message, roots, uniqueid, told, now=self.clock(), rules=self.rules)
        return self._row(legs, RecordingKind.VOICEMAIL)

    def path(self, name: str) -> Path:
        """The file of a name in the database. LookupError when it is gone or lies outside."""
        return resolve(*self._place(name))

    def forget(self, row: RecordingRow, uniqueid: str) -> list[str]:
        """Delete a recording's files, their originals and their marks; the names of those that were there.

        Raises OSError. A copy fetched from a server is deleted, its original is the server's affair.
        """
        gone = []
        for name in filter(None, (row.mix, row.rx, row.tx)):
            for original in self._originals(name):
                try:
                    path = self.path(original)
                except LookupError:
                    continue
                path.unlink()
                gone.append(original)
                for mark in marks(path.name, uniqueid, self.rules.mark) if uniqueid in path.name else ():
                    path.with_name(Path(mark).name).unlink(missing_ok=True)
        return gone

    def _originals(self, name: str) -> Iterator[str]:
        """A name, and that of the file it is a repaired copy of."""
        yield name
        if name.startswith(REPAIRED):
            yield name.removeprefix(REPAIRED)
            if self.messages is not None:
                yield MESSAGE + name.removeprefix(REPAIRED)

    def _place(self, name: str) -> tuple[Path, str]:
        if name.startswith(REPAIRED):
            return self.rules.repairs, name.removeprefix(REPAIRED)
        if name.startswith(MESSAGE):
            if self.messages is None:
                raise LookupError("no folder of messages is configured any more")
            return self.messages, name.removeprefix(MESSAGE)
        return self.root, name

    def _row(self, legs: Legs, kind: RecordingKind) -> RecordingRow:
        return RecordingRow(
            rx=self._name(legs.caller),
            tx=self._name(legs.agent),
            mix=self._name(legs.mix),
            seconds=legs.seconds,
            repaired=legs.repaired,
            kind=kind,
        )

    def _name(self, path: Path | None) -> str | None:
        if path is None:
            return None
        if path.is_relative_to(self.rules.repairs):
            return REPAIRED + path.relative_to(self.rules.repairs).as_posix()
        root = self.root.resolve()
        if path.is_relative_to(root) or self.messages is None:
            return path.relative_to(root).as_posix()
        return MESSAGE + path.relative_to(self.messages.resolve()).as_posix()


class Recorders:
    """The recordings of every PBX that has any, by its name."""

    def __init__(self, by_pbx: Mapping[str, Recorder]) -> None:
        self._by_pbx = dict(by_pbx)

    def __iter__(self) -> Iterator[tuple[str, Recorder]]:
        return iter(self._by_pbx.items())

    def of(self, call: CallKey) -> Recorder | None:
        """Where a call's recordings are; None where its PBX keeps none that we know of."""
        return self._by_pbx.get(call.pbx)

    def path(self, call: CallKey, name: str) -> Path:
        """The file of a recording of this call. LookupError when there is none."""
        recorder = self.of(call)
        if recorder is None:
            raise LookupError(name)
        return recorder.path(name)
