"""The requests of a :class:`crm.rest_plan.RestPlan`, made: filled in, sent, and errors found, inside a 200 too."""

from crm.asking import Told, error_inside
from crm.http import LOOKUP, WRITE, Http, Pace
from crm.http_answers import error_of
from crm.plan import ErrorRule, Values
from crm.rest_plan import RestAsk
from crm.trouble import NotFoundError

_GONE = 404


class RestTalk:
    """One API and its way of saying that something went wrong."""

    def __init__(self, http: Http, rule: ErrorRule | None) -> None:
        self._http, self._rule = http, rule

    @property
    def system(self) -> str:
        """What errors call it."""
        return self._http.name

    async def ask(self, ask: RestAsk, given: Values, *, writes: bool, pace: Pace | None) -> Told:
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
        if (
            self._rule is not None
            and answer.body
            and (inside := error_inside(self._rule, answer.system, answer.json()))
        ):
            raise inside
        return Told(answer.system, answer.json, answer.date, answer.headers.get("etag"))

    def may_be_none(self, ask: RestAsk) -> bool:
        """A 404 for a list is no such thing: the path is wrong."""
        return bool(ask.empty_on) or self._rule is not None or "id" in set(ask.placeholders())

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()
