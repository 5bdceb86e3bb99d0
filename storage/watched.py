"""Many logins at one look: whether those of all open pages still stand, and that they are in use."""

from collections.abc import Collection, Iterable, Mapping

from sqlalchemy import Connection, bindparam

from storage.account_tables import sessions, users
from storage.accounts import SESSIONS, Session, hash_token, session_of, stays
from storage.database import Database
from storage.metadata import Moment

AT_ONCE = 500  # tokens of one statement

_LIVE = SESSIONS.where(
    sessions.c.token.in_(bindparam("hashes", expanding=True)),
    sessions.c.expires > bindparam("now", type_=Moment),
    users.c.active.is_(True),
)


class Watched:
    """All methods raise StorageError."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def live(self, tokens: Collection[str], now: float) -> Mapping[str, Session]:
        """The live sessions of tokens, their users active; of the others nothing."""
        of_hash = {hash_token(token): token for token in tokens}

        def look(conn: Connection) -> dict[str, Session]:
            found = {}
            hashes = list(of_hash)
            for first in range(0, len(hashes), AT_ONCE):
                for row in conn.execute(_LIVE, {"hashes": hashes[first : first + AT_ONCE], "now": now}):
                    found[of_hash[row.token]] = session_of(row)
            return found

        return await self._db.look(look) if of_hash else {}

    async def seen(self, used: Iterable[tuple[Session, float]], now: float) -> None:
        """Sessions were used, each lasts so many seconds on. Call it now and then."""
        until = {session.id: now + lasts for session, lasts in used}

        def write(conn: Connection) -> None:
            for which in sorted(until):  # in one order everywhere: nobody waits crosswise
                stays(conn, which, now, until[which])

        if until:
            await self._db.transact(write)
