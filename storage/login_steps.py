"""Logins half done: the password was right, the second factor is outstanding. Nobody is logged in by one."""

import secrets
from dataclasses import dataclass

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.account_tables import users
from storage.accounts import User, hash_token, user_of
from storage.database import Database
from storage.plain import plain
from storage.second_factor_tables import login_steps


@dataclass(frozen=True, slots=True)
class LoginStep:
    """Whose login it is, at which phone, and where the browser wanted to go."""

    user: User
    extension: str | None
    back: str


class LoginSteps:
    """Logins half done. All methods raise StorageError."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def begin(self, user: User, extension: str | None, back: str, until: float, now: float) -> str:
        """The token of a login half done, for the browser."""
        token = secrets.token_urlsafe(32)
        row = {
            "token": hash_token(token),
            "user_id": user.id,
            "password": user.password,
            "extension": plain(extension, 32),
            "back": plain(back, 2000),
            "expires": until,
            "wrong": 0,
        }
        async with self._db.write() as conn:
            await conn.execute(delete(login_steps).where(login_steps.c.expires <= now))
            await conn.execute(insert(login_steps).values(row))
        return token

    async def look(self, token: str, now: float) -> LoginStep | None:
        """The login half done of a token, while its user may log in with the same password."""
        async with self._db.read() as conn:
            return await _step(conn, token, now)

    async def attempt(self, token: str, now: float, most: int) -> LoginStep | None:
        """The same, counting an attempt; None after ``most`` of them."""
        mine = (login_steps.c.token == hash_token(token)) & (login_steps.c.wrong < most)
        async with self._db.write() as conn:
            counted = await conn.execute(update(login_steps).where(mine).values(wrong=login_steps.c.wrong + 1))
            return await _step(conn, token, now) if counted.rowcount else None

    async def end(self, token: str) -> None:
        """Forget it: done, or given up."""
        async with self._db.write() as conn:
            await conn.execute(delete(login_steps).where(login_steps.c.token == hash_token(token)))


async def _step(conn: AsyncConnection, token: str, now: float) -> LoginStep | None:
    live = (
        (login_steps.c.token == hash_token(token))
        & (login_steps.c.expires > now)
        & users.c.active.is_(True)
        & (users.c.password == login_steps.c.password)
    )
    query = select(users, login_steps.c.extension.label("at"), login_steps.c.back).join_from(login_steps, users)
    row = (await conn.execute(query.where(live))).first()
    return None if row is None else LoginStep(user_of(row), row.at, row.back)
