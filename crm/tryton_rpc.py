"""Calling methods of Tryton's models over JSON-RPC, within a session that is opened when one is needed.

Knows how a call is put and how its failure is told, nothing of customers or tickets.
"""

import asyncio
from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from crm.http import LOOKUP, WRITE, Answer, Http, Pace
from crm.trouble import AuthError, CrmError, InvalidError
from crm.tryton_answers import error_status, error_told
from crm.tryton_values import readable

SYSTEM = "Tryton"
LOGIN_AGAIN = 60.0  # seconds: five wrong passwords (7.8) and Tryton locks the user out for longer

_NO_SESSION = 401


class Rpc:
    """A way to call Tryton. ``password`` is asked for at each login; ``clock``: epoch seconds.

    ``language``: what names that Tryton keeps in several languages are read in. Whatever writes is asked in English:
    names of several languages are not written here, and Tryton's refusals are told by their words alone.
    """

    def __init__(
        self,
        http: Http,
        *,
        database: str,
        user: str,
        password: Callable[[], str],
        language: str,
        clock: Callable[[], float],
    ) -> None:
        self._http, self._path, self._user, self._password = http, f"/{quote(database, safe='')}/", user, password
        self._language, self.clock = language, clock
        self._session: str | None = None
        self._entering = asyncio.Lock()
        self._refused_until = 0.0
        self.company: int | None = None  # whose eyes we see with; known once our user's preferences are

    async def call(
        self,
        model: str,
        method: str,
        *params: Any,
        pace: Pace = LOOKUP,
        writes: bool = False,
        context: Mapping[str, Any] | None = None,
        kind: str = "model",
    ) -> Any:
        """What the method of ``model`` answered, made readable. Raises CrmError."""
        seen = {} if self.company is None else {"company": self.company}
        whole = {"language": "en" if writes else self._language, **seen, **(context or {})}
        return await self._within(f"{kind}.{model}.{method}", [*params, whole], pace, writes=writes)

    async def preferences(self, pace: Pace) -> Any:
        """Our user's. Of its company nothing is told where the question names one, or none (7.8). Raises CrmError."""
        only_of_a_context = True
        params = [only_of_a_context, {"language": self._language}]
        return await self._within("model.res.user.get_preferences", params, pace, writes=False)

    async def _within(self, method: str, params: list[Any], pace: Pace, *, writes: bool) -> Any:
        """Ask within our session, a new one where the old one has ended."""
        asked = {"id": 1, "method": method, "params": params}
        session = await self._enter()
        answer = await self._ask(self._path, asked, pace, writes=writes, session=session)
        if answer.status == _NO_SESSION:  # it was not looked at: a session ends after a time, or with a restore
            session = await self._enter(instead_of=session)
            answer = await self._ask(self._path, asked, pace, writes=writes, session=session)
            if answer.status == _NO_SESSION:
                raise AuthError(
                    f"{SYSTEM} opens a session for {self._user!r} and does not know it again: does our address change?"
                )
        return readable(self._result(answer, writes=writes))

    async def version(self) -> tuple[str, float | None]:
        """Tryton's version, and its clock (epoch seconds) where it tells. Raises CrmError."""
        asked = {"id": 1, "method": "common.server.version", "params": []}
        answer = await self._ask("/", asked, LOOKUP)
        told = self._result(answer)
        if not isinstance(told, str):
            raise InvalidError(f"{SYSTEM} does not tell its version: is url that of a Tryton server?", "url")
        return told, answer.date

    async def leave(self) -> None:
        """End the session, if that can be done quickly. Raises nothing."""
        session, self._session = self._session, None
        if session is not None:
            try:
                asked = {"id": 1, "method": "common.db.logout", "params": []}
                await self._ask(self._path, asked, LOOKUP, session=session)
            except CrmError:
                return

    async def _enter(self, instead_of: str | None = None) -> str:
        """The session: the one there is, unless it is the one that Tryton does not know any more."""
        async with self._entering:
            if self._session is None or self._session == instead_of:
                self._session = await self._log_in()
            return self._session

    async def _log_in(self) -> str:
        if self.clock() < self._refused_until:
            raise self._refusal()
        self._session = None
        asked = {"id": 1, "method": "common.db.login", "params": [self._user, {"password": self._password()}, "en"]}
        answer = await self._ask(self._path, asked, WRITE)  # Tryton takes its time over a password, on purpose
        if answer.status == _NO_SESSION:
            self._refused_until = self.clock() + LOGIN_AGAIN
            raise self._refusal()
        told = self._result(answer)
        if not isinstance(told, list) or len(told) < 2 or not isinstance(told[1], str):  # noqa: PLR2004
            raise InvalidError(f"{SYSTEM} answered a login with no session")
        return b64encode(f"{self._user}:{told[0]}:{told[1]}".encode()).decode()

    def _refusal(self) -> AuthError:
        return AuthError(f"{SYSTEM} does not let {self._user!r} in: user or password are wrong")

    async def _ask(
        self, path: str, asked: Mapping[str, Any], pace: Pace, *, writes: bool = False, session: str | None = None
    ) -> Answer:
        headers = {} if session is None else {"Authorization": f"Session {session}"}
        return await self._http.ask(
            "POST", path, pace=pace, writes=writes, json_body=asked, headers=headers, refuse=False
        )

    def _result(self, answer: Answer, *, writes: bool = False) -> Any:
        trouble = error_status(SYSTEM, answer.status, answer.headers, answer.text, writes=writes)
        if trouble is not None:
            raise trouble
        told = answer.json_object()
        if told.get("error"):
            raise error_told(SYSTEM, told["error"])
        return told.get("result")
