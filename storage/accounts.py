"""People who log in, their sessions, and the failed logins that throttling looks at.

Passwords come hashed (argon2id is slow on purpose and runs in a thread elsewhere) and tokens leave hashed: who reads
the database can log in as nobody. What a role may do is not known here.
"""

import hashlib
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.account_tables import failed_logins, sessions, users
from storage.database import Database
from storage.metadata import Moment
from storage.once import insert_once
from storage.plain import plain
from storage.seats import Seats, follow, sit_down, stay

LOGIN = re.compile(r"[a-z0-9][a-z0-9._@-]{0,63}")

SESSIONS = select(sessions, *(column.label(f"who_{column.name}") for column in users.c)).join_from(sessions, users)
_LIVE = SESSIONS.where(  # asked with every request
    sessions.c.token == bindparam("hashed"),
    sessions.c.expires > bindparam("now", type_=Moment),
    users.c.active.is_(True),
)


class AccountError(Exception):
    """The account cannot be made or changed so: the text says why."""


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who logs in. ``role`` is the value of the pages' Role; ``extension`` the phone of an agent."""

    id: int
    login: str
    name: str
    role: str
    extension: str | None
    password: str  # argon2id hash
    active: bool
    demo: bool


@dataclass(frozen=True, slots=True)
class Session:
    """A logged-in browser. Times are epoch seconds."""

    id: int
    user: User
    created: float
    seen: float
    expires: float
    ip: str | None
    browser: str | None
    extension: str | None = None  # the phone this login sits at


_USED = (
    update(sessions)
    .where(sessions.c.id == bindparam("which"))
    .values(seen=bindparam("at", type_=Moment), expires=bindparam("until", type_=Moment))
)


def stays(conn: Connection, which: int, now: float, until: float) -> None:
    """A session was used and lasts until then, and so does where it sits."""
    conn.execute(_USED, {"which": which, "at": now, "until": until})
    stay(conn, which, now, until)


class Accounts:
    """Users and sessions. All methods raise StorageError."""

    def __init__(self, db: Database) -> None:
        self._db = db

    @property
    def seats(self) -> Seats:
        """Who sits where."""
        return Seats(self._db)

    @property
    def db(self) -> Database:
        """Where they are kept, for what is kept beside them (sessions, second factors, identities)."""
        return self._db

    async def add(
        self,
        login: str,
        *,
        name: str,
        role: str,
        password: str,
        now: float,
        extension: str | None = None,
        demo: bool = False,
    ) -> User:
        """A new user; ``password`` is the hash. Raises AccountError for a bad login or one that is taken."""
        login = _login(login)
        if not LOGIN.fullmatch(login):
            raise AccountError("a login has up to 64 of a-z 0-9 . _ @ - and begins with a letter or digit")
        row = {
            "login": login,
            "name": name,
            "role": role,
            "extension": extension,
            "password": password,
            "active": True,
            "demo": demo,
            "created": now,
            "changed": now,
        }
        async with self._db.write() as conn:
            if await conn.run_sync(insert_once, users, row, ["login"]) is None:
                raise AccountError(f"there is a user {login!r} already")
            return user_of((await conn.execute(select(users).where(users.c.login == login))).one())

    async def find(self, login: str) -> User | None:
        """The user of that login, active or not."""
        async with self._db.read() as conn:
            row = (await conn.execute(select(users).where(users.c.login == _login(login)))).first()
            return None if row is None else user_of(row)

    async def everybody(self) -> Sequence[User]:
        """All users by login."""
        async with self._db.read() as conn:
            return [user_of(row) for row in await conn.execute(select(users).order_by(users.c.login))]

    async def change(self, login: str, now: float, **changes: str | bool | None) -> User:
        """Change name, role, extension, password (its hash) or active. Raises AccountError when there is no such user.

        A new password, role or a deactivation ends the user's sessions. Logins that sit at their own phone go along to
        a new one.
        """
        if unknown := set(changes) - {"name", "role", "extension", "password", "active"}:
            raise TypeError(f"no such fields of a user: {sorted(unknown)}")
        async with self._db.write() as conn:
            same = users.c.login == _login(login)
            row = (await conn.execute(select(users).where(same).with_for_update())).first()
            if row is None:
                raise AccountError(f"there is no user {login!r}")
            await conn.execute(update(users).where(same).values(**changes, changed=now))
            if {"password", "role", "active"} & set(changes):
                await conn.execute(delete(sessions).where(sessions.c.user_id == row.id))
            elif "extension" in changes:
                await conn.run_sync(follow, row.id, row.extension, changes["extension"], now)
            return user_of((await conn.execute(select(users).where(same))).one())

    async def remove(self, login: str) -> bool:
        """Remove a user and their sessions; what they did stays in tickets and audit. False when there was none."""
        async with self._db.write() as conn:
            gone = await conn.execute(delete(users).where(users.c.login == _login(login)))
            return gone.rowcount == 1

    async def remove_demo(self) -> int:
        """Remove the demo's users. How many."""
        async with self._db.write() as conn:
            return (await conn.execute(delete(users).where(users.c.demo.is_(True)))).rowcount

    async def log_in(
        self,
        user: User,
        now: float,
        lasts_s: float,
        *,
        ip: str | None = None,
        browser: str | None = None,
        extension: str | None = None,
    ) -> str:
        """A new session; its token for the cookie, which is kept nowhere.

        Raises AccountError when the user is gone, switched off, or has another password by now than the one that was
        proven: whoever logs in while it is changed must not be the one who stays. ``extension``: the phone they sit
        at, None for their own.
        """
        token, seat = secrets.token_urlsafe(32), extension or user.extension
        row = {
            "token": hash_token(token),
            "user_id": user.id,
            "created": now,
            "seen": now,
            "expires": now + lasts_s,
            "ip": plain(ip, 64),
            "browser": plain(browser, 300),
            "extension": seat,
        }
        still = (users.c.id == user.id) & (users.c.password == user.password) & users.c.active.is_(True)
        async with self._db.write() as conn:
            if (await conn.execute(select(users.c.id).where(still).with_for_update())).first() is None:
                raise AccountError(f"{user.login!r} is no user, or has another password by now")
            await conn.execute(delete(sessions).where(sessions.c.expires <= now))
            session = await conn.run_sync(insert_once, sessions, row, ["token"])
            await conn.run_sync(sit_down, session, user.login, seat, now=now, until=now + lasts_s)
        return token

    async def session(self, token: str, now: float) -> Session | None:
        """The live session of a token, its user active."""
        wanted = {"hashed": hash_token(token), "now": now}

        def look(conn: Connection) -> Session | None:
            row = conn.execute(_LIVE, wanted).first()
            return None if row is None else session_of(row)

        return await self._db.look(look)

    async def seen(self, session: Session, now: float, lasts_s: float) -> None:
        """The session was used: it lasts on. Call it now and then, not with every request."""
        await self._db.transact(lambda conn: stays(conn, session.id, now, now + lasts_s))

    async def log_out(self, token: str) -> None:
        """End a session."""
        async with self._db.write() as conn:
            await conn.execute(delete(sessions).where(sessions.c.token == hash_token(token)))

    async def failed(self, login: str, ip: str | None, now: float) -> None:
        """Count a failed login."""
        async with self._db.write() as conn:
            await conn.execute(failed_logins.insert().values(login=_login(login)[:64], ip=plain(ip, 64), at=now))

    async def failures(self, login: str, ip: str | None, since: float) -> tuple[int, int]:
        """Failed logins since then: of this login from anywhere, and of any login from this address."""
        by_login = (failed_logins.c.login == _login(login)[:64]) & (failed_logins.c.at > since)
        by_ip = (failed_logins.c.ip == plain(ip, 64)) & (failed_logins.c.at > since)
        query = select(
            select(func.count()).where(by_login).scalar_subquery(), select(func.count()).where(by_ip).scalar_subquery()
        )
        async with self._db.read() as conn:
            row = (await conn.execute(query)).one()
            return row[0], row[1]

    async def forgive(self, login: str, before: float) -> None:
        """Forget a login's failures after it succeeded, and everybody's from before then."""
        mine = failed_logins.c.login == _login(login)[:64]
        async with self._db.write() as conn:
            await conn.execute(delete(failed_logins).where(mine | (failed_logins.c.at < before)))


def hash_token(token: str) -> str:
    """What is kept of a session's token. It is 256 random bits, so a plain hash is enough."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def _login(typed: str) -> str:
    """A login as it is kept; what cannot be one finds nobody."""
    return plain(typed.strip().lower(), 65)


async def sessions_where(conn: AsyncConnection, live: Any) -> list[Session]:
    """Sessions with their users. For storage's own modules."""
    return [session_of(row) for row in await conn.execute(SESSIONS.where(live))]


def session_of(row: Row[Any]) -> Session:
    """A session from a row of :data:`SESSIONS`. For storage's own modules."""
    return Session(
        id=row.id,
        user=user_of(row, "who_"),
        created=row.created,
        seen=row.seen,
        expires=row.expires,
        ip=row.ip,
        browser=row.browser,
        extension=row.extension,
    )


def user_of(row: Row[Any], prefix: str = "") -> User:
    """A user from a row. For storage's own modules."""
    names = User.__slots__
    return User(**{name: getattr(row, prefix + name) for name in names})
