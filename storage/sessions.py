"""Somebody's sessions, side by side: listed, ended one by one or all but one, and a password changed under them."""

import secrets
from collections.abc import Sequence

from sqlalchemy import delete, select, update

from storage.account_tables import sessions, users
from storage.accounts import Session, hash_token, sessions_where
from storage.database import Database


class Sessions:
    """Sessions of one user at a time. All methods raise StorageError."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def of(self, user_id: int, now: float) -> Sequence[Session]:
        """The live ones, the last used first."""
        live = (sessions.c.user_id == user_id) & (sessions.c.expires > now)
        async with self._db.read() as conn:
            found = await sessions_where(conn, live)
        return sorted(found, key=lambda session: (-session.seen, -session.id))

    async def end(self, user_id: int, session_id: int) -> bool:
        """End one of somebody's own; False when they have none such."""
        mine = (sessions.c.user_id == user_id) & (sessions.c.id == session_id)
        async with self._db.write() as conn:
            return (await conn.execute(delete(sessions).where(mine))).rowcount == 1

    async def end_others(self, user_id: int, keep: int | None) -> Sequence[int]:
        """End all of somebody's but one. The ids of those that ended."""
        async with self._db.write() as conn:
            others = delete(sessions).where(sessions.c.user_id == user_id, sessions.c.id != (keep or 0))
            return list((await conn.execute(others.returning(sessions.c.id))).scalars())

    async def change_password(self, user_id: int, hashed: str, now: float, keep: int) -> tuple[str, Sequence[int]]:
        """Set a password (its hash), end all sessions but the one to keep, and give that one another token.

        The new token, and the ids of the sessions that ended.
        """
        token = secrets.token_urlsafe(32)
        async with self._db.write() as conn:
            # The user's row first, as whoever else changes a user takes it first.
            await conn.execute(select(users.c.id).where(users.c.id == user_id).with_for_update())
            await conn.execute(update(users).where(users.c.id == user_id).values(password=hashed, changed=now))
            others = delete(sessions).where(sessions.c.user_id == user_id, sessions.c.id != keep)
            ended = list((await conn.execute(others.returning(sessions.c.id))).scalars())
            await conn.execute(update(sessions).where(sessions.c.id == keep).values(token=hash_token(token)))
        return token, ended
