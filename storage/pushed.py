"""What was told of calls to whoever wants to hear of them (:mod:`hotline.pushing`), so that nothing is told twice.

A telling is written down before it is sent: should we die in between, or the answer be lost, it is in doubt, and known
to be.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Executable, bindparam, delete, or_, select, update

from storage.database import Database
from storage.metadata import Moment
from storage.once import insert_or_update
from storage.push_tables import GONE, pushes

_SAME = (
    (pushes.c.target == bindparam("whom"))
    & (pushes.c.call == bindparam("which"))
    & (pushes.c.name == bindparam("what"))
)
_OF_CALL = select(pushes.c.call, pushes.c.name, pushes.c.told, pushes.c.again, pushes.c.tried).where(
    pushes.c.target == bindparam("whom"), or_(pushes.c.call == bindparam("which"), pushes.c.call == GONE)
)
_TOLD = update(pushes).where(_SAME).values(told=bindparam("now", type_=Moment), again=False)
_NOT_TOLD = delete(pushes).where(_SAME, pushes.c.again.is_(False))


@dataclass(frozen=True, slots=True)
class Tellings:
    """What a target was told of a call: True; or may have been: False. ``gone``: since when it wants to hear no more.

    ``again``: what it is to be told however old it is, and since when that is wanted: people want it once more, or it
    was given up and they may.
    """

    told: Mapping[str, bool]
    again: Mapping[str, float]
    gone: float | None


class Pushed:
    """Tellings by target, call and name. All methods raise StorageError. Times are epoch seconds."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def of_call(self, target: str, call: str) -> Tellings:
        """What that target was told of the call."""
        async with self._db.read() as conn:
            rows = (await conn.execute(_OF_CALL, {"whom": target, "which": call})).all()
        mine = [row for row in rows if row.call != GONE]
        return Tellings(
            {row.name: row.told is not None for row in mine},
            {row.name: row.tried for row in mine if row.again},
            next((row.tried for row in rows if row.call == GONE), None),
        )

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

    async def given_up(self, target: str, call: str, names: Iterable[str], now: float) -> None:
        """These are not tried any more, until people want them."""

        def keep(conn: Connection) -> None:
            for name in names:
                want(conn, target, call, name, now)

        await self._db.transact(keep)

    async def went(self, target: str, now: float) -> None:
        """That target wants to hear no more, in whichever process."""
        row = {"target": target, "call": GONE, "name": GONE, "tried": now, "told": now}
        same = ("target", "call", "name")
        await self._db.transact(lambda conn: insert_or_update(conn, pushes, row, same, ("tried",)))

    async def back(self, target: str) -> None:
        """It is asked again."""
        await self._write(_NOT_TOLD, {"whom": target, "which": GONE, "what": GONE})

    async def forget(self, before: float) -> int:
        """Forget what was told before then. How many."""
        old = (pushes.c.tried < before, pushes.c.call != GONE)
        async with self._db.write() as conn:
            return (await conn.execute(delete(pushes).where(*old))).rowcount

    async def _write(self, statement: Executable, values: Mapping[str, Any]) -> None:
        def write(conn: Connection) -> None:
            conn.execute(statement, values)

        await self._db.transact(write)


def want(conn: Connection, target: str, call: str, name: str, now: float) -> None:
    """In the caller's transaction: this is to be told, once more or at last."""
    row = {"target": target, "call": call, "name": name, "tried": now, "told": None, "again": True}
    insert_or_update(conn, pushes, row, ("target", "call", "name"), ("tried", "told", "again"))
