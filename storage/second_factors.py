"""Second factors: the secret shared with somebody's app, the codes taken, and the recovery codes left.

An attempt is counted before it is looked at, so that many at once are not more than were allowed. What a code is, and
how many may be wrong, is not known here. Recovery codes lie hashed; they are random, so a plain hash is enough.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, case, delete, func, insert, not_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.database import Database
from storage.once import insert_or_update
from storage.second_factor_tables import recovery_codes, second_factors


@dataclass(frozen=True, slots=True)
class Factor:
    """Somebody's second factor. ``confirmed``: since when it is asked for (epoch seconds); None: not yet.

    ``created``: when the secret was offered. ``step``: of the last code taken. ``wrong``: attempts since the last right
    one, ``wrong_at`` the last of them.
    """

    user_id: int
    secret: str
    created: float
    confirmed: float | None
    step: int
    wrong: int
    wrong_at: float


class SecondFactors:
    """Second factors and recovery codes. All methods raise StorageError."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def of(self, user_id: int) -> Factor | None:
        """Somebody's second factor, confirmed or not."""
        async with self._db.read() as conn:
            row = (await conn.execute(select(second_factors).where(second_factors.c.user_id == user_id))).first()
            return None if row is None else _factor(row)

    async def everybody(self) -> set[int]:
        """Ids of the users who have one, confirmed."""
        query = select(second_factors.c.user_id).where(second_factors.c.confirmed.is_not(None))
        async with self._db.read() as conn:
            return set((await conn.execute(query)).scalars())

    async def begin(self, user_id: int, secret: str, now: float) -> bool:
        """Keep a secret that waits for its first code, instead of one that waited. False: one is confirmed already."""
        row = {
            "user_id": user_id,
            "secret": secret,
            "created": now,
            "confirmed": None,
            "step": 0,
            "wrong": 0,
            "wrong_at": 0.0,
        }
        async with self._db.write() as conn:
            theirs = second_factors.c.user_id == user_id
            if (await conn.execute(select(second_factors.c.confirmed).where(theirs).with_for_update())).scalar():
                return False
            renewed = ("secret", "created", "step", "wrong", "wrong_at")
            await conn.run_sync(insert_or_update, second_factors, row, ["user_id"], renewed)
            return True

    async def attempt(self, user_id: int, now: float, most: int, lasts_s: float) -> Factor | None:
        """Count an attempt and give what to hold it against; None: none there, or ``most`` were wrong lately.

        After ``lasts_s`` seconds one more is allowed.
        """
        shut = and_(second_factors.c.wrong >= most, second_factors.c.wrong_at > now - lasts_s)
        counted = (
            update(second_factors)
            .where(second_factors.c.user_id == user_id, not_(shut))
            .values(
                wrong=case((second_factors.c.wrong < most, second_factors.c.wrong + 1), else_=second_factors.c.wrong),
                wrong_at=now,
            )
            .returning(second_factors)
        )
        async with self._db.write() as conn:
            row = (await conn.execute(counted)).first()
            return None if row is None else _factor(row)

    async def take(self, user_id: int, step: int) -> bool:
        """The code of that step was right and is spent; False when it, or a later one, was taken before."""
        async with self._db.write() as conn:
            return await _take(conn, user_id, step, {})

    async def confirm(self, user_id: int, step: int, codes: Collection[str], now: float) -> bool:
        """The first code was right: from now on it is asked for, and these hashed recovery codes are the ones.

        False: it was spent, or confirmed meanwhile.
        """
        waiting = second_factors.c.confirmed.is_(None)
        async with self._db.write() as conn:
            if not await _take(conn, user_id, step, {"confirmed": now}, waiting):
                return False
            await _renew(conn, user_id, codes)
            return True

    async def renew_codes(self, user_id: int, codes: Collection[str]) -> None:
        """Other recovery codes (hashed) instead of all there were."""
        async with self._db.write() as conn:
            await _renew(conn, user_id, codes)

    async def use_code(self, user_id: int, code: str, now: float) -> bool:
        """Spend a hashed recovery code, and forget wrong attempts; False when there is none such left."""
        mine = (recovery_codes.c.user_id == user_id) & (recovery_codes.c.code == code)
        async with self._db.write() as conn:
            used = await conn.execute(
                update(recovery_codes).where(mine, recovery_codes.c.used.is_(None)).values(used=now)
            )
            if used.rowcount != 1:
                return False
            await conn.execute(update(second_factors).where(second_factors.c.user_id == user_id).values(wrong=0))
            return True

    async def codes_left(self, user_id: int) -> int:
        """How many recovery codes are unused."""
        unused = (recovery_codes.c.user_id == user_id) & recovery_codes.c.used.is_(None)
        async with self._db.read() as conn:
            return (await conn.execute(select(func.count()).where(unused))).scalar_one()

    async def remove(self, user_id: int) -> bool:
        """Ask for it no more; recovery codes go with it. False when there was none."""
        async with self._db.write() as conn:
            await conn.execute(delete(recovery_codes).where(recovery_codes.c.user_id == user_id))
            gone = await conn.execute(delete(second_factors).where(second_factors.c.user_id == user_id))
            return gone.rowcount == 1


async def _take(conn: AsyncConnection, user_id: int, step: int, more: dict[str, Any], *only: Any) -> bool:
    fresh = (second_factors.c.user_id == user_id) & (second_factors.c.step < step)
    taken = await conn.execute(update(second_factors).where(fresh, *only).values(step=step, wrong=0, **more))
    return taken.rowcount == 1


async def _renew(conn: AsyncConnection, user_id: int, codes: Collection[str]) -> None:
    await conn.execute(delete(recovery_codes).where(recovery_codes.c.user_id == user_id))
    await conn.execute(insert(recovery_codes), [{"user_id": user_id, "code": code, "used": None} for code in codes])


def _factor(row: Any) -> Factor:
    return Factor(**{name: getattr(row, name) for name in Factor.__slots__})
