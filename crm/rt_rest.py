"""RT's REST 2.0 asked, and what it answers sorted by what to do.

RT checks a token by bcrypt, a third of a second of a processor for every request (5.0.7 was seen doing it). So the
token is shown to REST 1.0 once, which opens a session; requests then carry its cookie beside the token, and take 40 ms.
A session that has ended costs nothing but that time: RT looks at the token again.
"""

import asyncio
import json
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import structlog

from crm.http import LOOKUP, WRITE, Answer, Http, Pace
from crm.http_answers import error_of
from crm.trouble import AuthError, CrmError, InvalidError, TransientError, UnknownOutcomeError

SYSTEM = "Request Tracker"
SESSION_FOR = 1800.0  # seconds until another is opened: as long as a token that was taken back would go on working
AGAIN = 60.0  # seconds until it is tried again where it could not be had
MOST = 100  # rows that RT gives at once

_REST = "/REST/2.0"
_NO_RIGHT = ("permission denied", "no permission")

log = structlog.get_logger()

T = TypeVar("T")
Search = Sequence[Mapping[str, str | int]]


@dataclass(frozen=True, slots=True)
class Rows:
    """A page of a list. ``total``: how many there are, None where RT would have to look at each; ``at``: its clock."""

    items: list[dict[str, Any]]
    total: int | None
    more: bool
    at: float | None


class Rest:
    """Talking to one RT. ``clock``: epoch seconds."""

    def __init__(self, http: Http, token: str, clock: Callable[[], float]) -> None:
        self._http, self._token, self._clock = http, token, clock
        self._cookie: str | None = None
        self._until = 0.0
        self._one = asyncio.Lock()
        self._entering: asyncio.Task[None] | None = None

    async def ask(
        self,
        method: str,
        path: str,
        *,
        pace: Pace = LOOKUP,
        writes: bool = False,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        match: str | None = None,
    ) -> Answer:
        """Ask once. ``match``: the ETag that the record must still have. Raises CrmError."""
        if pace is LOOKUP:  # no telephone waits for a session to be opened
            self._enter_behind()
        else:
            await self._enter()
        headers = {"Authorization": f"token {self._token}"}
        if match is not None:
            headers["If-Match"] = f'"{match}"'

        async def once(more: Mapping[str, str]) -> Answer:
            return await self._http.ask(
                method,
                _REST + path,
                pace=pace,
                writes=writes,
                query=query,
                json_body=body,
                headers={**headers, **more},
                refuse=False,
            )

        # With a cookie RT takes us for a browser: it does not say that the token is wrong, but shows the page where
        # people log in. Then it is asked again without; a write only when it was sent there, which leaves it undone.
        if (cookie := self._cookie) is not None:
            try:
                answer = await once({"Cookie": cookie})
            except InvalidError as error:
                log.info("a session has ended", error=str(error))
            else:
                if writes or "json" in answer.headers.get("content-type", ""):
                    return _sound(answer)
            self._cookie = None
        return _sound(await once({}))

    async def rows(
        self, path: str, query: Mapping[str, str], search: Search | None = None, pace: Pace = LOOKUP
    ) -> Rows:
        """A page of a list, of what ``search`` says where it is given. Raises CrmError.

        By GET: a request that may be repeated is, where RT's server has just closed the connection it came by (after a
        second without work). RT takes its conditions in a parameter as well as in a body.
        """
        whole = query if search is None else {**query, "query": json.dumps(list(search), separators=(",", ":"))}
        answer = await self.ask("GET", path, query=whole, pace=pace)
        told = answer.json_object()
        items, total = told.get("items"), told.get("total")
        if not isinstance(items, list) or not all(isinstance(each, dict) and each.get("id") for each in items):
            raise InvalidError(f"{SYSTEM} answered no list for {path}")
        return Rows(items, total if isinstance(total, int) else None, bool(told.get("next_page")), answer.date)

    async def close(self) -> None:
        """Let go of what goes on behind, and of the connections."""
        if self._entering is not None:
            self._entering.cancel()
            await asyncio.gather(self._entering, return_exceptions=True)
        await self._http.close()

    def _enter_behind(self) -> None:
        if self._clock() >= self._until and (self._entering is None or self._entering.done()):
            # Kept, and ended by close: the lookup that begins it goes on with the token alone.
            self._entering = asyncio.get_running_loop().create_task(self._enter())

    async def _enter(self) -> None:
        """Open a session where there is none, or an old one. That it cannot be had only costs time."""
        if self._clock() < self._until and not self._one.locked():
            return
        async with self._one:
            if self._clock() < self._until:
                return
            self._until = self._clock() + SESSION_FOR
            headers = {"Authorization": f"token {self._token}"}
            try:
                answer = await self._http.ask("GET", "/REST/1.0/", headers=headers, pace=WRITE, refuse=False)
            except CrmError as error:
                self._until = self._clock() + AGAIN
                log.info("no session with RT", error=str(error))
                return
            cookie = answer.headers.get("set-cookie", "").partition(";")[0]
            known = " 200 " in answer.text.partition("\n")[0]
            self._cookie = cookie if known and cookie.startswith("RT_SID") else None


async def each_of(asked: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """What each brings, asked at once. Raises CrmError, the first of several."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(each) for each in asked]
    except ExceptionGroup as several:
        troubles, slips = several.split(CrmError)
        if slips is not None or troubles is None:
            raise
        first: BaseException = troubles
        while isinstance(first, BaseExceptionGroup):
            first = first.exceptions[0]
        raise first from several
    return [task.result() for task in tasks]


def said(answer: Answer) -> str:
    """What RT says it has done, or why not: it answers 200 to either."""
    try:
        told = json.loads(answer.body or b"[]")
    except (ValueError, RecursionError):
        return answer.text[:200]
    if isinstance(told, Mapping):
        return str(told.get("message", ""))
    return "; ".join(str(each) for each in told) if isinstance(told, list) else str(told)


def refusal(text: str) -> CrmError:
    """The error that a sentence of RT's means where something was not done."""
    if any(words in text.casefold() for words in _NO_RIGHT):
        return AuthError(f"{SYSTEM}: {text}: our token's user needs a right (docs/rt.md)")
    return InvalidError(f"{SYSTEM}: {text}")


def _sound(answer: Answer) -> Answer:
    """The answer, if it is a success."""
    status = answer.status
    if 300 <= status < 400 or (status < 300 and "json" not in answer.headers.get("content-type", "")):  # noqa: PLR2004
        if status < 300 and not answer.body:  # noqa: PLR2004
            return answer
        kind = UnknownOutcomeError if answer.wrote else TransientError
        raise kind(f"{SYSTEM} answered {status} with no JSON: is url right?")
    text = said(answer) if "json" in answer.headers.get("content-type", "") else answer.text
    if status == 400:  # noqa: PLR2004
        raise refusal(text)
    if trouble := error_of(SYSTEM, status, answer.headers, text, writes=answer.wrote):
        raise trouble
    return answer
