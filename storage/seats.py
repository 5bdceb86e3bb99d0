"""Who sits at which phone: agents name the extension when they log in, and may change it without logging out.

A session holds where its login sits now; the table of seats holds who sat where when, which says whose a call is that
rings there. Several may sit at one phone: then the one who sat down last has it. What a role may do is not known here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    bindparam,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)

from storage.account_tables import sessions, users
from storage.database import Database
from storage.metadata import Moment
from storage.plain import plain
from storage.seat_tables import seats
from storage.tables import call_agents

PRESENT = 600.0  # seconds since the last word of a login; an open desk says something at least every half of it
LATE = 60.0  # seconds; what is told later than that happened when it says, all else happens now
_HERE = and_(  # the login still stands, and at this phone
    sessions.c.id == seats.c.session_id,
    sessions.c.extension == seats.c.extension,
    sessions.c.created <= seats.c.began,
)


@dataclass(frozen=True, slots=True)
class Sitting:
    """Somebody at a phone, since epoch seconds; ``seen``: when they did something last."""

    session: int
    login: str
    name: str
    began: float
    seen: float


@dataclass(frozen=True, slots=True)
class Sat:
    """Somebody sat there, from ``began`` to ``until``, which may lie ahead."""

    login: str
    began: float
    until: float


class Seats:
    """All methods raise StorageError."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def sit(self, session: int, login: str, extension: str | None, now: float) -> bool:
        """A login sits at another phone from now on, or at none; False when the session is gone."""

        def sit(conn: Connection) -> bool:
            expires = conn.execute(select(sessions.c.expires).where(sessions.c.id == session)).scalar()
            if expires is None:
                return False
            conn.execute(update(sessions).where(sessions.c.id == session).values(extension=extension))
            sit_down(conn, session, login, extension, now=now, until=expires)
            return True

        return await self._db.transact(sit)

    async def at(self, extension: str, now: float) -> Sequence[Sitting]:
        """Who sits at a phone, the one who sat down last first."""
        async with self._db.read() as conn:
            rows = await conn.execute(sitting(now).where(seats.c.extension == extension))
            return [Sitting(row.session_id, row.login, row.name, row.began, row.seen) for row in rows]

    async def last(self, extension: str, now: float, *, but: int = 0) -> Sat | None:
        """Who sat down at a phone last, ``but`` so many others after them."""
        query = select(seats.c.login, seats.c.began, seats.c.until).where(seats.c.extension == plain(extension, 32))
        newest = query.where(seats.c.began <= now).order_by(seats.c.began.desc(), seats.c.id.desc())
        async with self._db.read() as conn:
            row = (await conn.execute(newest.offset(but).limit(1))).first()
        return None if row is None else Sat(*row)

    async def who(self, extension: str, at: float, now: float) -> str | None:
        """Whose a call is that rings there, :func:`who_sat`."""
        return await self._db.look(lambda conn: who_sat(conn, extension, at, now))

    async def named(self, since: float) -> frozenset[str]:
        """The phones that somebody sat at since then."""
        query = select(seats.c.extension).where(seats.c.until > since).distinct()
        async with self._db.read() as conn:
            return frozenset((await conn.execute(query)).scalars())

    async def tidy(self, now: float) -> None:
        """End the seats of logins that have ended."""
        await self._db.transact(lambda conn: _tidy(conn, now))


def sit_down(
    conn: Connection, session: int | None, login: str, extension: str | None, *, now: float, until: float
) -> None:
    """Write down that a session's login sits there from now on, and no more where it sat."""
    _tidy(conn, now)
    conn.execute(update(seats).where(seats.c.session_id == session, seats.c.until > now).values(until=now))
    if session is not None and extension is not None:
        row = {"session_id": session, "login": login, "extension": plain(extension, 32), "until": until}
        conn.execute(insert(seats).values(row | {"began": now, "seen": now}))


def stay(conn: Connection, session: int, now: float, until: float) -> None:
    """The login was used: its seat lasts as long as it does."""
    conn.execute(update(seats).where(seats.c.session_id == session, seats.c.until > now).values(seen=now, until=until))


def follow(conn: Connection, user: int, old: str | None, new: Any, now: float) -> None:
    """A user has another phone of their own: logins that sat at the old one sit at the new one."""
    same = (sessions.c.user_id == user) & sessions.c.extension.is_not_distinct_from(old) & (sessions.c.expires > now)
    query = select(sessions.c.id, sessions.c.expires, users.c.login).join_from(sessions, users).where(same)
    for row in conn.execute(query).all():
        conn.execute(update(sessions).where(sessions.c.id == row.id).values(extension=new))
        sit_down(conn, row.id, row.login, new, now=now, until=row.expires)


def who_sat(conn: Connection, extension: str, at: float, now: float) -> str | None:
    """Who sat at a phone at a moment of the PBX's clock: who sat down last, else the only one whose own phone it is.

    Whoever sits elsewhere is not at their own phone. None: nobody can say.
    """
    when = {"extension": plain(extension, 32), "when": at if now - at > LATE else now}
    found = conn.execute(_LAST_THEN if now - at > LATE else _LAST_NOW, when).scalar()
    if found is not None:
        return str(found)
    owner = conn.execute(_ONLY_OWNER, when).scalar()
    return None if owner is None or conn.execute(_ELSEWHERE, when | {"login": owner}).first() else str(owner)


@cache
def _moment() -> ColumnElement[float]:
    return bindparam("when", type_=Moment)


def talked_by(login: str, own: str | None) -> ColumnElement[bool]:
    """Of :data:`call_agents`: who talked was this login.

    ``own``: the extension of the login's account, for calls of which nobody knows who sat there.
    """
    mine = call_agents.c.login == login
    if own is not None:
        mine = or_(mine, and_(call_agents.c.login.is_(None), call_agents.c.agent == own))
    return and_(mine, call_agents.c.talked.is_not(None))


def shared_by(login: str) -> ColumnElement[bool]:
    """Of :data:`call_agents`: this login sat at that phone when the talk began, beside whoever else sat there.

    They were told of each other; which of them took the telephone nobody knows.
    """
    there = (seats.c.login == login, seats.c.extension == call_agents.c.agent)
    then = (seats.c.began <= call_agents.c.talked, seats.c.until > call_agents.c.talked)
    return exists().where(*there, *then, seats.c.seen >= call_agents.c.talked - PRESENT).correlate(call_agents)


def sitting(now: float) -> Select[Any]:
    """Everybody at a phone, who sat down last first: columns session_id, login, name, extension, began, seen."""
    found = (seats.c.session_id, seats.c.login, users.c.name, seats.c.extension, seats.c.began, sessions.c.seen)
    query = select(*found).join_from(seats, sessions, _HERE).join(users, users.c.id == sessions.c.user_id)
    live = (seats.c.until > now, sessions.c.expires > now, users.c.active.is_(True))
    return query.where(*live).order_by(seats.c.began.desc(), seats.c.id.desc())


def _tidy(conn: Connection, now: float) -> None:
    conn.execute(_TIDY, {"when": now})


def _sat_then() -> ColumnElement[bool]:
    return and_(seats.c.began <= _moment(), seats.c.until > _moment())


_TIDY = update(seats).where(seats.c.until > _moment(), ~exists().where(_HERE).correlate(seats)).values(until=_moment())
_LAST = (
    select(seats.c.login)
    .where(seats.c.extension == bindparam("extension"), _sat_then())
    .order_by(seats.c.began.desc(), seats.c.id.desc())
    .limit(1)
)
_LAST_NOW = _LAST.where(exists().where(_HERE).correlate(seats))
_LAST_THEN = _LAST
_ELSEWHERE = select(seats.c.id).where(
    seats.c.login == bindparam("login"), seats.c.extension != bindparam("extension"), _sat_then()
)
_ONLY_OWNER = (
    select(func.min(users.c.login))
    .where(users.c.extension == bindparam("extension"), users.c.active.is_(True))
    .having(func.count() == 1)
)

__all__ = ["Sat", "Seats", "Sitting", "follow", "shared_by", "sit_down", "sitting", "stay", "talked_by", "who_sat"]
