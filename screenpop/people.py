"""What the people of the house are called. What they did is kept by their login; pages show the name."""

import structlog

from storage.accounts import Accounts
from storage.trouble import StorageError

KEPT = 30.0  # seconds

log = structlog.get_logger()


class People:
    """Names by login, read again now and then: a page shows dozens, and asks for none."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts
        self._names: dict[str, str] = {}
        self._at: float | None = None

    async def renew(self, now: float) -> None:
        """Read the names, unless it was done a moment ago."""
        if self._at is not None and 0 <= now - self._at < KEPT:
            return
        self._at = now
        try:
            self._names = {user.login: user.name for user in await self._accounts.everybody()}
        except StorageError as error:  # the names of before do
            log.warning("names_unknown", error=str(error))

    def name(self, login: str | None) -> str:
        """What a login's person is called; the login itself for who is nobody's any more, '' for none."""
        return (login and self._names.get(login)) or login or ""
