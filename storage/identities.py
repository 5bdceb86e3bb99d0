"""Who somebody is to an identity provider, logins begun there, and what is told back at the logout."""

from dataclasses import dataclass

from sqlalchemy import delete, insert, select
from sqlalchemy.exc import IntegrityError

from storage.account_tables import sessions, users
from storage.accounts import User, hash_token, user_of
from storage.database import Database
from storage.plain import plain
from storage.second_factor_tables import identities, provider_logins, provider_sessions


@dataclass(frozen=True, slots=True)
class ProviderLogin:
    """A login begun at the provider: what its answer must hold, and where the browser wanted to go."""

    nonce: str
    verifier: str
    back: str


class Identities:
    """Identities and logins at identity providers. All methods raise StorageError."""

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

    async def begin(self, state: str, browser: str, login: ProviderLogin, until: float, now: float) -> None:
        """Remember a login that a browser begins. ``state`` and ``browser`` are kept hashed."""
        row = {
            "state": hash_token(state),
            "browser": hash_token(browser),
            "nonce": login.nonce,
            "verifier": login.verifier,
            "back": plain(login.back, 2000),
            "expires": until,
        }
        async with self._db.write() as conn:
            await conn.execute(delete(provider_logins).where(provider_logins.c.expires <= now))
            await conn.execute(insert(provider_logins).values(row))

    async def take(self, state: str, browser: str, now: float) -> ProviderLogin | None:
        """The login of that state begun in that browser, which is forgotten with it; None when there is none."""
        mine = (provider_logins.c.state == hash_token(state)) & (provider_logins.c.browser == hash_token(browser))
        taken = delete(provider_logins).where(mine, provider_logins.c.expires > now)
        columns = (provider_logins.c.nonce, provider_logins.c.verifier, provider_logins.c.back)
        async with self._db.write() as conn:
            row = (await conn.execute(taken.returning(*columns))).first()
            return None if row is None else ProviderLogin(row.nonce, row.verifier, row.back)

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
