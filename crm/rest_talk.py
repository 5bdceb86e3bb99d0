"""The requests of a :class:`crm.rest_plan.RestPlan`, made: filled in, sent, and errors found, inside a 200 too."""

from collections.abc import Mapping
from typing import Any

from crm.http import BULK, LOOKUP, WRITE, Answer, Http, Pace
from crm.http_answers import error_of
from crm.paths import first, holds, values
from crm.rest_plan import Ask, ErrorRule, Values
from crm.trouble import AuthError, CrmError, InvalidError, NotFoundError, TransientError

_GONE = 404


class RestTalk:
    """One API and its way of saying that something went wrong."""

    def __init__(self, http: Http, rule: ErrorRule | None) -> None:
        self._http, self._rule = http, rule

    async def ask(self, ask: Ask, given: Values, *, writes: bool = False, pace: Pace | None = None) -> Answer:
        """Ask once. Raises CrmError."""
        answer = await self._http.ask(
            ask.method,
            ask.filled_path(given),
            pace=pace or (WRITE if writes else LOOKUP),
            writes=writes,
            query=ask.filled_query(given),
            headers=ask.filled_headers(given),
            json_body=ask.filled_body(given),
            refuse=False,
        )
        if answer.status in ask.empty_on or (answer.status == _GONE and not writes and "id" in set(ask.placeholders())):
            raise NotFoundError(f"{answer.system}: there is no such record")
        if error := error_of(answer.system, answer.status, answer.headers, answer.text, writes=writes):
            raise error
        if self._rule is not None and answer.body and (inside := _error_inside(self._rule, answer)):
            raise inside
        return answer

    async def there(self, ask: Ask, given: Values, pace: Pace | None = None) -> Answer | None:
        """The answer about something that may not be there. A 404 for a list is no such thing: the path is wrong."""
        try:
            return await self.ask(ask, given, pace=pace)
        except NotFoundError:
            if ask.empty_on or self._rule is not None or "id" in set(ask.placeholders()):
                return None
            raise

    async def rows(self, ask: Ask, given: Values) -> list[Mapping[str, Any]]:
        """Every record of one answer."""
        answer = await self.there(ask, given)
        return [] if answer is None else rows_of(answer, ask)

    async def one(self, ask: Ask, given: Values) -> Mapping[str, Any] | None:
        """The first record of one answer."""
        return next(iter(await self.rows(ask, given)), None)

    async def page(self, ask: Ask, given: Values, place: str | None) -> tuple[list[Mapping[str, Any]], str | None]:
        """One page of a list, and the place of the next; None when this was the last. ``place`` None: the first."""
        here = "1" if place is None and ask.paging == "page" else place
        answer = await self.there(ask, {**given, "after": here}, pace=BULK)
        if answer is None:
            return [], None
        found, rows = answer.json(), rows_of(answer, ask)
        match ask.paging:
            case "next":
                onward = first(found, (ask.next,))
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
        await self._http.close()


def rows_of(answer: Answer, ask: Ask) -> list[Mapping[str, Any]]:
    """The records in an answer. InvalidError where they are not what or where they were: that is no empty list."""
    found = answer.json()
    if not holds(found, ask.records) and not ask.may_lack:
        has = ", ".join(map(str, found))[:200] if isinstance(found, Mapping) else type(found).__name__
        raise InvalidError(f"{answer.system}'s answer has nothing at {ask.records!r}, it has {has}", "records")
    rows = [row for row in values(found, ask.records) if row is not None]
    if not all(isinstance(row, Mapping) for row in rows):
        raise InvalidError(f"{answer.system}'s answer has no records at {ask.records!r}", "records")
    return rows


def _error_inside(rule: ErrorRule, answer: Answer) -> CrmError | None:
    found = answer.json()
    code = next((str(each) for each in values(found, rule.code) if each is not None), None)
    if code is None or code.casefold() in (each.casefold() for each in rule.ok):
        return None
    said = first(found, (rule.text,)) or ""
    told = f"{answer.system} answered {answer.status} with error {code}: {said[:200]}".rstrip(": ")
    for codes, kind in ((rule.auth, AuthError), (rule.busy, TransientError), (rule.missing, NotFoundError)):
        if code in codes:
            return kind(told)
    return InvalidError(told)
