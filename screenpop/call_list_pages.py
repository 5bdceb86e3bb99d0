"""The list of calls, those that nobody answered too: ``/calls`` and the same as JSON. Agents get their own."""

import re
from dataclasses import replace
from datetime import datetime, time, timedelta
from http import HTTPStatus
from typing import Annotated
from urllib.parse import urlencode

from aiohttp import web
from pydantic import Field

from numbering.identify import identify
from screenpop.accounts import SESSION
from screenpop.api import call_json
from screenpop.deps import DEPS
from screenpop.errors import problem
from screenpop.finding import asker
from screenpop.forms import query
from screenpop.rendering import reader, render
from screenpop.rights import Right, Role, may
from screenpop.route import Api, Route, Scope, Shape
from screenpop.shapes import query_of
from storage.call_list import LEAST_DIGITS, CallFilter, CallList
from telephony.call import Outcome

PAGE = 50
MOST = 200
UNANSWERED = "unanswered"
OUTCOMES: dict[str, frozenset[Outcome]] = {
    **{outcome.value: frozenset({outcome}) for outcome in Outcome},
    UNANSWERED: frozenset(set(Outcome) - {Outcome.ANSWERED}),
}
_SPELT = re.compile(r"[\d\s()+-]+")


class CallsQuery(Shape):
    """Which calls. ``number``: a caller's number, or three or more digits of it."""

    line: str | None = None
    agent: str | None = None
    outcome: str | None = Field(None, description=f"one of {', '.join(OUTCOMES)}")
    since: float | None = None
    until: float | None = None
    number: str | None = Field(None, max_length=40)
    cursor: str | None = None
    limit: Annotated[int, Field(ge=1, le=MOST)] = PAGE


async def calls_json(request: web.Request) -> web.Response:
    """``GET /api/calls``: the newest first."""
    asked = query_of(request, CallsQuery)
    if asked.outcome is not None and asked.outcome not in OUTCOMES:
        return problem(HTTPStatus.BAD_REQUEST, "Bad Request", f"outcome is one of {', '.join(OUTCOMES)}")
    wanted = CallFilter(
        line=asked.line,
        agent=asked.agent,
        outcomes=None if asked.outcome is None else OUTCOMES[asked.outcome],
        since=asked.since,
        until=asked.until,
        number=number_of(asked.number),
    )
    found = await _found(request, wanted, asked.cursor, asked.limit)
    return web.json_response({"calls": [call_json(item) for item in found.items], "cursor": found.cursor})


async def calls(request: web.Request) -> web.Response:
    """``GET /calls``: filters ``line``, ``agent``, ``outcome``, ``since`` and ``until`` (days), ``number``."""
    asked = query(request)
    outcome = asked.get("outcome") or None
    if outcome is not None and outcome not in OUTCOMES:
        raise web.HTTPBadRequest(text=f"outcome is one of {', '.join(OUTCOMES)}")
    wanted = CallFilter(
        line=asked.get("line") or None,
        agent=asked.get("agent", "").strip()[:64] or None,
        outcomes=None if outcome is None else OUTCOMES[outcome],
        since=_midnight(request, asked.get("since")),
        until=_midnight(request, asked.get("until"), after=1),
        number=number_of(asked.get("number")),
    )
    found = await _found(request, wanted, asked.get("cursor"), PAGE)
    kept = {name: value for name, value in asked.items() if name != "cursor" and value}
    return render(
        request,
        "calls.html",
        found=found,
        query=kept,
        first="cursor" not in asked,
        lines=request.app[DEPS].lines,
        outcomes=tuple(OUTCOMES),
        everybody=may(Role(request[SESSION].user.role), Right.ALL_CALLS),
        more=f"/calls?{urlencode({**kept, 'cursor': found.cursor})}" if found.cursor else None,
    )


def number_of(text: str | None) -> str | None:
    """What is asked of a caller's number: all of it where it is one, else its digits; None where that is too little."""
    if text is None or not text.strip():
        return None
    whole = identify(text.strip()).e164
    if whole is not None:
        return whole
    digits = re.sub(r"\D", "", text) if _SPELT.fullmatch(text.strip()) else text.strip()
    return digits if len(digits) >= LEAST_DIGITS else None


async def _found(request: web.Request, wanted: CallFilter, cursor: str | None, limit: int) -> CallList:
    try:
        whose = replace(wanted, whose=asker(request[SESSION]))
        return await request.app[DEPS].reads.calls(whose, cursor, limit)
    except ValueError as error:
        raise web.HTTPBadRequest(text=str(error)) from error


def _midnight(request: web.Request, day: str | None, *, after: int = 0) -> float | None:
    """When a day of the site begins, or so many days ``after`` it. 400 for what is no day."""
    if not day:
        return None
    try:
        begins = datetime.combine(datetime.strptime(day, "%Y-%m-%d").date(), time(), reader(request).zone)  # noqa: DTZ007 - a day
        return (begins + timedelta(days=after)).timestamp()
    except (ValueError, OverflowError) as error:
        raise web.HTTPBadRequest(text="a day is written 2026-11-20") from error


ROUTES = (
    Route("GET", "/calls", calls, Right.READ),
    Route(
        "GET",
        "/api/calls",
        calls_json,
        Right.READ,
        api=Api("Calls, the newest first: everybody's, or an agent's own", Scope.CALLS, query=CallsQuery),
    ),
)
