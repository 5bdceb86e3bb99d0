"""A session with somebody else's database, whichever it is; and a few of them, kept open.

A session that is broken off in the middle of a question is thrown away, never waited for: a database that hangs would
hang its clean-up too.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol, TypeVar

from crm.sql_advice import Scan
from crm.sql_statement import Statement
from crm.trouble import CrmError, TransientError

T = TypeVar("T")


class First:
    """What is smaller than every id: a full load begins behind it."""


Row = Mapping[str, Any]
Values = Mapping[str, str | int | datetime | First | None]  # a datetime has its zone


class LostError(TransientError):
    """The session is gone or of no use any more, the database may be well."""


class NoSuchIdError(ValueError):
    """The id is none that this database could have: nobody has it."""


class Session(Protocol):
    """Read-only, with a time limit, one question at a time. Raises CrmError; LostError when it is of no more use."""

    @property
    def version(self) -> str:
        """The database's, in its words."""
        ...

    async def rows(self, statement: Statement, values: Values) -> Sequence[Row]:
        """Ask. Raises NoSuchIdError where a value cannot be one of the column's."""
        ...

    async def columns(self, statement: Statement, values: Values) -> Sequence[tuple[str, str]]:
        """What the rows would have: (name, type)."""
        ...

    async def scans(self, statement: Statement, values: Values) -> Sequence[Scan]:
        """Which tables would be read whole, although an index could be used."""
        ...

    async def now(self) -> float | None:
        """The database's clock, epoch seconds; None where it has none of its own."""
        ...

    def drop(self) -> None:
        """Let go of it at once, whatever it does."""
        ...


class Pool:
    """At most ``size`` sessions, opened when needed; a question may take ``limit`` seconds, waiting and all."""

    def __init__(self, name: str, opens: Callable[[], Awaitable[Session]], size: int, limit: float) -> None:
        self._name, self._opens, self._limit = name, opens, limit
        self._seats = asyncio.Semaphore(size)
        self._idle: list[Session] = []
        self._closed = False

    async def ask(self, work: Callable[[Session], Awaitable[T]]) -> T:
        """Do ``work`` with a session; once more with a new one when an idle one turns out to be dead."""
        try:
            async with asyncio.timeout(self._limit), self._seats:
                if self._idle:
                    try:
                        return await self._done(self._idle.pop(), work)
                    except LostError:
                        self._drop()  # those beside it died with it
                return await self._done(await self._opens(), work)
        except TimeoutError as error:
            raise TransientError(f"{self._name}: no answer within {self._limit:g} s") from error

    def close(self) -> None:
        """Let go of the idle ones; of others when they are done."""
        self._closed = True
        self._drop()

    def _drop(self) -> None:
        while self._idle:
            self._idle.pop().drop()

    async def _done(self, session: Session, work: Callable[[Session], Awaitable[T]]) -> T:
        answered = False
        try:
            done = await work(session)
            answered = True
        except CrmError as error:  # the database said so: the session is as good as before
            answered = not isinstance(error, LostError)
            raise
        except NoSuchIdError:
            answered = True
            raise
        finally:
            if answered and not self._closed:
                self._idle.append(session)
            else:
                session.drop()
        return done
