"""Sound files of the PBX that belong to no call, as the last look found them: the operator's list."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, select

from storage.database import Database
from storage.happened import key_of
from storage.once import insert_or_update
from storage.plain import plain
from storage.tables import calls, strays
from telephony.call import CallKey

_AT_ONCE = 400  # names in one question; SQLite takes some thousands, PostgreSQL more
_LONGEST = 1000  # characters of a name


@dataclass(frozen=True, slots=True)
class Stray:
    """A file below a PBX's recordings root. Times are epoch seconds; ``found``: when it was first seen to be stray."""

    pbx: str
    name: str
    bytes: int
    changed: float
    found: float = 0.0


class Strays:
    """Reads and replaces the list. All methods raise StorageError."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def first_call(self, pbx: str) -> float | None:
        """When the first call we know of this PBX arrived: what was recorded before is not ours to judge."""
        ours = calls.c.key.startswith(f"{pbx}:", autoescape=True)
        async with self._db.read() as conn:
            first: float | None = (await conn.execute(select(func.min(calls.c.arrived)).where(ours))).scalar()
            return first

    async def calls_among(self, pbx: str, uniqueids: Collection[str]) -> set[str]:
        """Those of these Uniqueids that are calls."""
        keys = {key_of(CallKey(pbx, uniqueid)): uniqueid for uniqueid in uniqueids}
        names = sorted(keys)
        found: set[str] = set()
        async with self._db.read() as conn:
            for start in range(0, len(names), _AT_ONCE):
                some = select(calls.c.key).where(calls.c.key.in_(names[start : start + _AT_ONCE]))
                found.update(keys[key] for key in (await conn.execute(some)).scalars())
        return found

    async def replace(self, pbx: str, found: Sequence[Stray], now: float) -> None:
        """What a look found takes the place of what the last one found; a file keeps when it was first found."""
        kept = {plain(stray.name, _LONGEST): stray for stray in found}

        def write(conn: Connection) -> None:
            known = set(conn.execute(select(strays.c.name).where(strays.c.pbx == pbx)).scalars())
            for name in sorted(known - kept.keys()):
                conn.execute(delete(strays).where(strays.c.pbx == pbx, strays.c.name == name))
            for name, stray in kept.items():
                row = {"pbx": pbx, "name": name, "bytes": stray.bytes, "changed": stray.changed, "found": now}
                insert_or_update(conn, strays, row, ("pbx", "name"), ("bytes", "changed"))

        await self._db.transact(write)

    async def newest(self, limit: int = 50) -> tuple[int, Sequence[Stray]]:
        """How many there are, and those that changed last."""
        query = select(strays).order_by(strays.c.changed.desc(), strays.c.id.desc()).limit(limit)
        async with self._db.read() as conn:
            count = (await conn.execute(select(func.count()).select_from(strays))).scalar_one()
            rows = await conn.execute(query)
            return count, [Stray(row.pbx, row.name, row.bytes, row.changed, row.found) for row in rows]
