"""What the pages may play of a recording: a file as it lies, one that lies sealed, or nothing yet, and why."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from storage.pages import CallPage
from storage.records import RecordingRow
from telephony.call import CallKey


class Locked(Protocol):
    """A sealed file that is open for reading. ``size`` in bytes."""

    size: int

    def read(self, start: int, end: int) -> Iterator[bytes]:
        """The bytes from ``start`` up to ``end``; blocking."""
        ...


@dataclass(frozen=True, slots=True)
class Sound:
    """One file to be played. ``name`` says by its suffix what it is; ``masked``: a tone lies over what is masked.

    ``unmasked``: it is an original of which there is such a copy, so hearing it is on record as that.
    """

    file: Path | Locked
    name: str
    masked: bool = False
    unmasked: bool = False


class Why(StrEnum):
    """Why a recording may not be heard by somebody who may not hear what is masked."""

    NOT_YET = "not_yet"  # until it was written down, and the tone laid over it
    NEVER = "never"  # nobody knows what is said in it: it could not be written down


class WithheldError(Exception):
    """Not for this one's ears."""

    def __init__(self, why: Why) -> None:
        super().__init__(why.value)
        self.why = why


class ClosedError(Exception):
    """The sealed original cannot be opened: its key is missing, or the file is damaged. The text is the operator's."""


class Ears(Protocol):
    """Says what somebody hears of a recording. ``leg``: ``mix``, ``rx`` or ``tx``."""

    async def sound(self, page: CallPage, row: RecordingRow, leg: str, *, unmasked: bool) -> Sound:
        """What is heard of a file by somebody who may hear what is masked, or may not.

        Raises LookupError when it is gone, WithheldError, ClosedError.
        """
        ...

    async def withheld(self, page: CallPage, *, unmasked: bool) -> Mapping[str, Why]:
        """The recordings, by name, that such a one may not hear, and why."""
        ...


class AsTheyLie:
    """Recordings without a policy: everybody whom a call concerns hears the files as they lie."""

    def __init__(self, path: Callable[[CallKey, str], Path]) -> None:
        self._path = path

    async def sound(self, page: CallPage, row: RecordingRow, leg: str, *, unmasked: bool) -> Sound:  # noqa: ARG002
        """The file."""
        name = of_leg(row, leg)
        if name is None:
            raise LookupError(f"{page.item.key}: no {leg}")
        return Sound(self._path(page.item.key, name), name)

    async def withheld(self, page: CallPage, *, unmasked: bool) -> Mapping[str, Why]:  # noqa: ARG002
        """None."""
        return {}


def of_leg(row: RecordingRow, leg: str) -> str | None:
    """The name of a leg's file, as the database has it."""
    return {"mix": row.mix, "rx": row.rx, "tx": row.tx}[leg]
