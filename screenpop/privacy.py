"""What pages need to know of one person's data: how much there is, all of it in one file, and taking it out."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from storage.erasures import Erasure
from storage.persons import About, Person
from telephony.call import CallKey


class Privacy(Protocol):
    """Whoever finds, packs and erases. All methods raise StorageError."""

    async def about(self, person: Person) -> About:
        """How much is kept."""
        ...

    async def pack(self, person: Person, into: Path) -> Sequence[CallKey]:
        """Everything, as a zip file; the calls whose sound is in it. Raises OSError."""
        ...

    async def ask(self, person: Person, who: str) -> int:
        """Have it erased; the number of the erasure. Raises LiveCallError."""
        ...

    async def newest(self, limit: int = 50, below: int | None = None) -> Sequence[Erasure]:
        """The last erasures; ``below`` the last id of the page before."""
        ...
