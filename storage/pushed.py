"""What was told of calls to whoever wants to hear of them (:mod:`hotline.pushing`), so that nothing is told twice.

A telling is written down before it is sent: should we die in between, or the answer be lost, it is in doubt, and known
to be.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Executable, bindparam, delete, select, update

from storage.database import Database
from storage.metadata import Moment
from storage.once import insert_or_update
from storage.push_tables import pushes

_SAME = (
    (pushes.c.target == bindparam("whom"))
    & (pushes.c.call == bindparam("which"))
    & (pushes.c.name == bindparam("what"))
)
_OF_CALL = select(pushes.c.name, pushes.c.told).where(
    pushes.c.target == bindparam("whom"), pushes.c.call == bindparam("which")
)
_AGAIN = select(pushes.c.name).where(
    pushes.c.target == bindparam("whom"), pushes.c.call == bindparam("which"), pushes.c.again.is_(True)
)
_TOLD = update(pushes).where(_SAME).values(told=bindparam("now", type_=Moment), again=False)
_NOT_TOLD = delete(pushes).where(_SAME)


class Pushed:
    """Tellings by target, call and name. All methods raise StorageError. Times are epoch seconds."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def of_call(self, target: str, call: str) -> Mapping[str, bool]:
        """What that target was told of the call: True; or may have been: False."""
        async with self._db.read() as conn:
            rows = await conn.execute(_OF_CALL, {"whom": target, "which": call})
            return {row.name: row.told is not None for row in rows}

    async def wanted_again(self, target: str, call: str) -> frozenset[str]:
        """What of the call a person wants told once more, however old it is."""
        async with self._db.read() as conn:
            return frozenset((await conn.execute(_AGAIN, {"whom": target, "which": call})).scalars())

    async def begins(self, target: str, call: str, name: str, now: float) -> None:
        """It is about to be told."""
        row = {"target": target, "call": call, "name": name, "tried": now}
        same = ("target", "call", "name")
        await self._db.transact(lambda conn: insert_or_update(conn, pushes, row, same, ("tried",)))

    async def told(self, target: str, call: str, name: str, now: float) -> None:
        """It was."""
        values = {"whom": target, "which": call, "what": name, "now": now}
        await self._write(_TOLD, values)

    async def not_told(self, target: str, call: str, name: str) -> None:
        """It was not: the target said so."""
        values = {"whom": target, "which": call, "what": name}
        await self._write(_NOT_TOLD, values)

    async def forget(self, before: float) -> int:
        """Forget what was told before then. How many."""
        async with self._db.write() as conn:
            return (await conn.execute(delete(pushes).where(pushes.c.tried < before))).rowcount

    async def _write(self, statement: Executable, values: Mapping[str, Any]) -> None:
        def write(conn: Connection) -> None:
            conn.execute(statement, values)

        await self._db.transact(write)
