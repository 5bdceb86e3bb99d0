"""Who somebody is to an identity provider, and what is told back there at the logout."""

from sqlalchemy import delete, insert, select
from sqlalchemy.exc import IntegrityError

from storage.account_tables import sessions, users
from storage.accounts import User, hash_token, user_of
from storage.database import Database
from storage.second_factor_tables import identities, provider_sessions


class Identities:
    """Identities at identity providers. All methods raise StorageError."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def find(self, issuer: str, subject: str) -> User | None:
        """Whose identity it is."""
        theirs = (identities.c.issuer == issuer) & (identities.c.subject == subject)
        async with self._db.read() as conn:
            row = (await conn.execute(select(users).join_from(identities, users).where(theirs))).first()
            return None if row is None else user_of(row)

    async def link(self, user_id: int, issuer: str, subject: str, now: float) -> bool:
        """An identity is this user's from now on. False: the user has another one there, or it is somebody else's."""
        row = {"user_id": user_id, "issuer": issuer, "subject": subject, "created": now}
        try:
            async with self._db.write() as conn:
                await conn.execute(insert(identities).values(row))
        except IntegrityError:
            return False
        return True

    async def unlink(self, user_id: int) -> bool:
        """Forget a user's identities. False when there was none."""
        async with self._db.write() as conn:
            return (await conn.execute(delete(identities).where(identities.c.user_id == user_id))).rowcount > 0

    async def keep(self, token: str, id_token: str) -> None:
        """Keep the provider's ID token beside the session of that token."""
        async with self._db.write() as conn:
            session = select(sessions.c.id).where(sessions.c.token == hash_token(token)).scalar_subquery()
            await conn.execute(insert(provider_sessions).values(session_id=session, id_token=id_token))

    async def id_token(self, session_id: int) -> str | None:
        """The provider's ID token of a session; None where the login came from elsewhere."""
        theirs = provider_sessions.c.session_id == session_id
        async with self._db.read() as conn:
            return (await conn.execute(select(provider_sessions.c.id_token).where(theirs))).scalar()
