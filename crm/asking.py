"""Questions of a :class:`crm.plan.Plan`, asked: what a talk brings back, as records, lists in pages, or nothing."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from crm.http import BULK, Pace
from crm.paths import first, holds, values
from crm.plan import A, Ask, ErrorRule, Values
from crm.trouble import AuthError, CrmError, InvalidError, NotFoundError, TransientError

A_contra = TypeVar("A_contra", bound=Ask, contravariant=True)


@dataclass(frozen=True, slots=True)
class Told:
    """An answer. ``date``: the system's own clock then; ``version``: of what was read, where the answer's head says it.

    ``read`` gives what it holds; a question whose answer nobody looks into may be answered with anything.
    """

    system: str
    read: Callable[[], Any]
    date: float | None = None
    version: str | None = None

    @property
    def found(self) -> Any:
        """What it holds, as JSON has it. Raises CrmError."""
        return self.read()

    def rows(self, ask: Ask) -> list[Mapping[str, Any]]:
        """The records in it. InvalidError where they are not what or where they were: that is no empty list."""
        found = self.found
        if not holds(found, ask.records) and not ask.may_lack:
            has = ", ".join(map(str, found))[:200] if isinstance(found, Mapping) else type(found).__name__
            raise InvalidError(f"{self.system}'s answer has nothing at {ask.records!r}, it has {has}", "records")
        rows = [row for row in values(found, ask.records) if row is not None]
        if not all(isinstance(row, Mapping) for row in rows):
            raise InvalidError(f"{self.system}'s answer has no records at {ask.records!r}", "records")
        return rows


class Talk(Protocol[A_contra]):
    """How one kind of API is asked."""

    @property
    def system(self) -> str:
        """What errors call it."""
        ...

    async def ask(self, ask: A_contra, given: Values, *, writes: bool, pace: Pace | None) -> Told:
        """Ask once. Raises CrmError."""
        ...

    def may_be_none(self, ask: A_contra) -> bool:
        """Whether NotFoundError means that there is none. Else it means that the question itself is wrong."""
        ...

    async def close(self) -> None:
        """Close the connections."""
        ...


class Asking(Generic[A]):
    """One API, asked."""

    def __init__(self, talk: Talk[A]) -> None:
        self._talk = talk

    @property
    def system(self) -> str:
        """What errors call it."""
        return self._talk.system

    async def ask(self, ask: A, given: Values, *, writes: bool = False, pace: Pace | None = None) -> Told:
        """Ask once. Raises CrmError."""
        return await self._talk.ask(ask, given, writes=writes, pace=pace)

    async def there(self, ask: A, given: Values, pace: Pace | None = None) -> Told | None:
        """The answer about something that may not be there."""
        try:
            return await self.ask(ask, given, pace=pace)
        except NotFoundError:
            if self._talk.may_be_none(ask):
                return None
            raise

    async def rows(self, ask: A, given: Values) -> list[Mapping[str, Any]]:
        """Every record of one answer."""
        answer = await self.there(ask, given)
        return [] if answer is None else answer.rows(ask)

    async def one(self, ask: A, given: Values) -> Mapping[str, Any] | None:
        """The first record of one answer."""
        return next(iter(await self.rows(ask, given)), None)

    async def page(self, ask: A, given: Values, place: str | None) -> tuple[list[Mapping[str, Any]], str | None]:
        """One page of a list, and the place of the next; None when this was the last. ``place`` None: the first."""
        here = "1" if place is None and ask.paging == "page" else place
        answer = await self.there(ask, {**given, "after": here}, pace=BULK)
        if answer is None:
            return [], None
        rows = answer.rows(ask)
        match ask.paging:
            case "next":
                onward = first(answer.found, (ask.next,))
            case "page":
                onward = str(int(here or "1") + 1) if rows else None
            case "last_id":
                onward = first(rows[-1], (ask.id,)) if rows else None
            case _:
                onward = None
        if onward is not None and onward == here:
            raise InvalidError(f"{answer.system} gives the same page again after {here!r}: it overlooks {{after}}")
        return rows, onward

    async def close(self) -> None:
        """Close the connections."""
        await self._talk.close()


def error_inside(rule: ErrorRule, system: str, found: Any) -> CrmError | None:
    """The error inside an answer that looks like a success, by the file's rule."""
    code = next((str(each) for each in values(found, rule.code) if each is not None), None)
    if code is None or code.casefold() in (each.casefold() for each in rule.ok):
        return None
    said = first(found, (rule.text,)) or ""
    told = f"{system} answered with error {code}: {said[:200]}".rstrip(": ")
    for codes, kind in ((rule.auth, AuthError), (rule.busy, TransientError), (rule.missing, NotFoundError)):
        if code in codes:
            return kind(told)
    return InvalidError(told)
