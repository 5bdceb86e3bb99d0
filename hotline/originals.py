"""Where the sound of a call is: as it lies, sealed, or as a copy with a tone over what is masked; and who hears which.

Copies and sealed originals lie below the data folder, ``bleeped`` and ``sealed``, under names of our own that begin
with the recording's number, so that whatever a crash left behind goes with the recording.
"""

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from secrets import token_hex

from hotline.recorder import Recorders
from hotline.telephony_settings import Policy
from screenpop.sounds import ClosedError, Sound, Why, WithheldError, of_leg
from storage.pages import CallPage
from storage.records import AlarmKind, RecordingRow
from storage.sealed_file import Keys, Sealed, SealError
from storage.sounds import Safe, Sounds
from storage.sounds import Sound as Known
from telephony.call import CallKey

LEGS = ("mix", "rx", "tx")
_UNSAID = frozenset({AlarmKind.TRANSCRIPTION, AlarmKind.UNREADABLE, AlarmKind.SILENT, AlarmKind.EMPTY})
_SHELF = 1000  # recordings a folder


class Originals:
    """The sounds of calls. ``policies`` by line; one that is not configured any more has the default.

    ``keys``: None without any. ``folder``: ours, for copies, sealed files, and what is open for a moment.
    """

    def __init__(
        self,
        *,
        recorders: Recorders,
        sounds: Sounds,
        policies: Mapping[str, Policy],
        folder: Path,
        keys: Callable[[], Keys] | None = None,
    ) -> None:
        self.recorders, self.sounds, self._policies, self._folder = recorders, sounds, dict(policies), folder
        self._keys = keys

    @property
    def keys(self) -> Keys | None:
        """The keys, read anew: one may have been added. Raises ClosedError when one is not where it should be."""
        try:
            return None if self._keys is None else self._keys()
        except LookupError as error:
            raise ClosedError(str(error)) from error

    def policy(self, line: str) -> Policy:
        """What a line does with its recordings."""
        return self._policies.get(line, Policy())

    async def sound(self, page: CallPage, row: RecordingRow, leg: str, *, unmasked: bool) -> Sound:
        """What somebody hears of a file, ``unmasked`` or not.

        Raises LookupError when it is gone, WithheldError, ClosedError.
        """
        known = (await self.sounds.of(page.item.key)).get((row.name, leg))
        name = of_leg(row, leg)
        if name is None:
            raise LookupError(f"{page.item.key}: no {leg}")
        decided = known is not None and known.said == page.item.said and known.said is not None
        if not unmasked and self.policy(page.item.line).bleeped:
            safe = known.safe if known is not None and decided else None
            if safe is Safe.BLEEPED:
                assert known is not None
                return self._copy(known)
            if safe is not Safe.CLEAN:
                raise WithheldError(Why.NEVER if safe is Safe.NEVER else Why.NOT_YET)
        hidden = self.policy(page.item.line).bleeped and not (
            known is not None and decided and known.safe is Safe.CLEAN
        )
        try:
            return Sound(self.recorders.path(page.item.key, name), name, unmasked=hidden)
        except LookupError:
            if known is not None and known.sealed is not None:
                opened = await asyncio.to_thread(self.open, page.item.key, known)
                return Sound(opened, name, unmasked=hidden)
            if known is not None and known.removed is not None and known.bleeped is not None:
                return self._copy(known)
            raise

    async def withheld(self, page: CallPage, *, unmasked: bool) -> Mapping[str, Why]:
        """The recordings, by name, that somebody may not hear, and why."""
        if unmasked or not self.policy(page.item.line).bleeped:
            return {}
        known = await self.sounds.of(page.item.key)
        found: dict[str, Why] = {}
        for row in page.recordings:
            if row.deleted is not None:
                continue
            states = [known.get((row.name, leg)) for leg in LEGS if of_leg(row, leg) is not None]
            if any(s is None or s.safe is None or s.said is None or s.said != page.item.said for s in states):
                hopeless = page.item.said is None and any(alarm.kind in _UNSAID for alarm in page.alarms)
                found[row.name] = Why.NEVER if hopeless else Why.NOT_YET
            elif all(s is not None and s.safe is Safe.NEVER for s in states):
                found[row.name] = Why.NEVER
        return found

    def open(self, call: CallKey, known: Known) -> Sealed:
        """A sealed original. Raises ClosedError, LookupError; blocking."""
        keys = self.keys
        if keys is None:
            raise ClosedError("no sealing key is configured: add it to [[sealing.keys]]")
        assert known.sealed is not None
        try:
            return Sealed(self._below("sealed", known.sealed), keys, of(call, known))
        except FileNotFoundError as error:
            raise LookupError(known.sealed) from error
        except SealError as error:
            raise ClosedError(str(error)) from error

    @asynccontextmanager
    async def plain(self, call: CallKey, row: RecordingRow, leg: str) -> AsyncIterator[Path]:
        """A leg as a file that can be read, opened for as long as it is used where it lies sealed.

        Where only the bleeped copy is left, that. Raises LookupError, ClosedError and OSError.
        """
        name = of_leg(row, leg)
        if name is None:
            raise LookupError(f"{call}: no {leg}")
        try:
            yield self.recorders.path(call, name)
        except LookupError:
            known = (await self.sounds.of(call)).get((row.name, leg))
            if known is None or (known.sealed is None and known.bleeped is None):
                raise
            if known.sealed is None:
                yield self._copied(known)
                return
            opened = await asyncio.to_thread(self.open, call, known)
            there = self._new("open", known.recording, leg, Path(name).suffix)
            try:
                await asyncio.to_thread(_pour, opened, there)
                yield there
            finally:
                there.unlink(missing_ok=True)

    def tidy(self) -> None:
        """Remove what was open when a service died; blocking."""
        shutil.rmtree(self._folder / "open", ignore_errors=True)

    def new_copy(self, recording: int, leg: str) -> tuple[Path, str]:
        """Where a bleeped copy goes, and its name."""
        path = self._new("bleeped", recording, leg, ".wav")
        return path, path.relative_to(self._folder / "bleeped").as_posix()

    def new_sealed(self, recording: int, leg: str) -> tuple[Path, str]:
        """Where a sealed original goes, and its name."""
        path = self._new("sealed", recording, leg, ".sealed")
        return path, path.relative_to(self._folder / "sealed").as_posix()

    def remove(self, room: str, name: str | None) -> None:
        """Remove a file that another one has replaced, in ``bleeped`` or ``sealed``. Raises OSError; blocking.

        Only what the database named: what somebody else writes at this moment is theirs.
        """
        if name is not None:
            self._below(room, name).unlink(missing_ok=True)

    @contextmanager
    def unless_told(self, room: str, name: str | None) -> Iterator[None]:
        """Remove a new file again where the database could not be told of it."""
        told = False
        try:
            yield
            told = True
        finally:
            if not told:
                self.remove(room, name)

    def there(self, known: Known) -> bool:
        """Whether the copy that the database names is there, if it names one."""
        return known.bleeped is None or self._below("bleeped", known.bleeped).is_file()

    def forget(self, recording: int) -> list[str]:
        """Remove every file made of a recording; their names. Raises OSError; blocking."""
        gone = []
        for room in ("bleeped", "sealed"):
            for path in (self._folder / room / str(recording // _SHELF)).glob(f"{recording}-*"):
                path.unlink(missing_ok=True)
                gone.append(f"{room}:{path.name}")
        return gone

    def _copy(self, known: Known) -> Sound:
        return Sound(self._copied(known), "bleeped.wav", masked=True)

    def _copied(self, known: Known) -> Path:
        assert known.bleeped is not None
        path = self._below("bleeped", known.bleeped)
        if not path.is_file():
            raise LookupError(f"the bleeped copy {known.bleeped} is gone")
        return path

    def _below(self, room: str, name: str) -> Path:
        path = (self._folder / room / name).resolve()
        if not path.is_relative_to((self._folder / room).resolve()):
            raise LookupError(name)
        return path

    def _new(self, room: str, recording: int, leg: str, suffix: str) -> Path:
        folder = self._folder / room / str(recording // _SHELF)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return folder / f"{recording}-{leg}-{token_hex(6)}{suffix}"


def of(call: CallKey, known: Known) -> str:
    """What a sealed file says it is of: it cannot be passed off as another's."""
    return f"{call} {known.name} {known.leg}"


def _pour(opened: Sealed, there: Path) -> None:
    there.touch(mode=0o600)
    with there.open("wb") as out:
        for piece in opened.read(0, opened.size):
            out.write(piece)
