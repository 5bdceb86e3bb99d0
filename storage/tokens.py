"""What programs log in with instead of a password: a token of somebody's, for some of what that person may do.

The token itself is shown once, to whoever makes it, and kept nowhere. Which scopes there are is not known here.
"""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, func, insert, select, update

from storage.account_tables import sessions, users
from storage.accounts import User, hash_token, user_of
from storage.database import Database
from storage.plain import plain
from storage.token_tables import tokens

PREFIX = "hotline_"  # what looks for secrets that leaked finds ours by it
LONGEST_NAME = 100
MOST = 50  # live tokens of one person


class TokenError(Exception):
    """The token cannot be made: the text says why."""


@dataclass(frozen=True, slots=True)
class Token:
    """A program's token. Times are epoch seconds; ``expires`` None: never; ``used`` None: not yet."""

    id: int
    login: str
    name: str
    scopes: frozenset[str]
    created: float
    created_by: str
    expires: float | None
    used: float | None
    used_ip: str | None
    revoked: float | None

    def live(self, now: float) -> bool:
        """Whether it opens anything."""
        return self.revoked is None and (self.expires is None or now < self.expires)


@dataclass(frozen=True, slots=True)
class Holder:
    """A live token, whose it is, and the phone its owner sits at, else their own."""

    token: Token
    user: User
    extension: str | None


class Tokens:
    """Tokens. All methods raise StorageError."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def make(
        self, login: str, name: str, scopes: Iterable[str], *, by: str, now: float, expires: float | None
    ) -> tuple[Token, str]:
        """A new token of an active user, and the secret. Raises TokenError."""
        name = plain(" ".join(name.split()), LONGEST_NAME)
        if not name:
            raise TokenError("a token has a name, to be known by")
        secret = PREFIX + secrets.token_urlsafe(32)
        async with self._db.write() as conn:
            owner = select(users.c.id).where(users.c.login == login, users.c.active.is_(True)).with_for_update()
            user_id = (await conn.execute(owner)).scalar()
            if user_id is None:
                raise TokenError(f"there is no user {login!r} who may log in")
            live = (tokens.c.expires.is_(None) | (tokens.c.expires > now)) & tokens.c.revoked.is_(None)
            count = select(func.count()).select_from(tokens).where(tokens.c.user_id == user_id, live)
            if ((await conn.execute(count)).scalar() or 0) >= MOST:
                raise TokenError(f"{login} has {MOST} tokens already: revoke one")
            row = {
                "user_id": user_id,
                "name": name,
                "secret": hash_token(secret),
                "scopes": sorted(set(scopes)),
                "created": now,
                "created_by": plain(by, 64),
                "expires": expires,
            }
            token_id = (await conn.execute(insert(tokens).values(row).returning(tokens.c.id))).scalar_one()
            made = (await conn.execute(_query().where(tokens.c.id == token_id))).one()
            return _token(made), secret

    async def holder(self, secret: str, now: float) -> Holder | None:
        """Whose live token it is; None for a secret that opens nothing."""
        live = (tokens.c.secret == hash_token(secret)) & tokens.c.revoked.is_(None) & users.c.active.is_(True)
        who = (column.label(f"who_{column.name}") for column in users.c)
        async with self._db.read() as conn:
            row = (await conn.execute(_query().add_columns(*who).where(live))).first()
            if row is None or not (token := _token(row)).live(now):
                return None
            seats = (sessions.c.user_id == row.user_id) & (sessions.c.expires > now) & sessions.c.extension.is_not(None)
            last = select(sessions.c.extension).where(seats).order_by(sessions.c.seen.desc(), sessions.c.id.desc())
            seat = (await conn.execute(last.limit(1))).scalar()
        user = user_of(row, "who_")
        return Holder(token, user, seat or user.extension)

    async def of(self, login: str | None = None) -> Sequence[Token]:
        """Somebody's tokens or everybody's, the newest first, revoked ones too."""
        query = _query().order_by(tokens.c.id.desc())
        if login is not None:
            query = query.where(users.c.login == login)
        async with self._db.read() as conn:
            return [_token(row) for row in await conn.execute(query)]

    async def used(self, token_id: int, now: float, ip: str | None) -> None:
        """Write down its last use. Call it now and then, not with every request."""
        async with self._db.write() as conn:
            await conn.execute(update(tokens).where(tokens.c.id == token_id).values(used=now, used_ip=plain(ip, 64)))

    async def revoke(self, token_id: int, *, by: str, now: float, login: str | None = None) -> Token | None:
        """End a token, of that login where one is given; None when there is none that still stands."""
        async with self._db.write() as conn:
            found = _query().where(tokens.c.id == token_id, tokens.c.revoked.is_(None))
            if login is not None:
                found = found.where(users.c.login == login)
            row = (await conn.execute(found)).first()
            if row is None:
                return None
            ended = update(tokens).where(tokens.c.id == token_id, tokens.c.revoked.is_(None))
            await conn.execute(ended.values(revoked=now, revoked_by=plain(by, 64)))
            return _token(row)


def _query() -> Any:
    return select(tokens, users.c.login).join_from(tokens, users)


def _token(row: Row[Any]) -> Token:
    return Token(
        id=row.id,
        login=row.login,
        name=row.name,
        scopes=frozenset(row.scopes),
        created=row.created,
        created_by=row.created_by,
        expires=row.expires,
        used=row.used,
        used_ip=row.used_ip,
        revoked=row.revoked,
    )
