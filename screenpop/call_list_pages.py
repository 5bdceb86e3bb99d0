"""The list of calls, those that nobody answered too: ``/calls`` and the same as JSON. Agents get their own."""

import re
from dataclasses import replace
from enum import StrEnum
from typing import Annotated
from urllib.parse import urlencode

from aiohttp import web
from pydantic import Field

from numbering.identify import identify
from screenpop.accounts import SESSION
from screenpop.answers.calls import Call
from screenpop.days import midnight
from screenpop.deps import DEPS
from screenpop.finding import asker
from screenpop.forms import query
from screenpop.numbers import lists_in_full, may_see
from screenpop.rendering import render
from screenpop.rights import Right, Role, may
from screenpop.route import Api, Route, Scope, Shape
from screenpop.shapes import answer, query_of
from storage.call_list import CURSOR, LEAST_DIGITS, CallFilter, CallList
from telephony.call import Outcome

PAGE = 50
MOST = 200
LATEST = 10**11  # epoch seconds; later no calendar goes


class Came(StrEnum):
    """How a call came out, to ask for."""

    ANSWERED = "answered"
    ABANDONED = "abandoned"
    VOICEMAIL = "voicemail"
    LOST = "lost"
    UNANSWERED = "unanswered"  # any of the last three

    @property
    def outcomes(self) -> frozenset[Outcome]:
        """As the list asks for it."""
        if self is Came.UNANSWERED:
            return frozenset(set(Outcome) - {Outcome.ANSWERED})
        return frozenset({Outcome(self.value)})


_SPELT = re.compile(r"[\d\s()+-]+")
Moment = Annotated[float, Field(ge=0, lt=LATEST, allow_inf_nan=False)]


class CallsQuery(Shape):
    """Which calls. An agent gets their own of them."""

    line: str | None = Field(None, max_length=64, description="one of our numbers")
    agent: str | None = Field(None, max_length=64, description="an extension that talked")
    outcome: Came | None = None
    since: Moment | None = None
    until: Moment | None = Field(None, description="calls that arrived before then")
    number: str | None = Field(
        None,
        max_length=40,
        description="the caller's, or three or more digits of it; the last four, to whom numbers are masked",
    )
    customer: str | None = Field(None, max_length=128, description="a customer's id")
    cursor: str | None = Field(None, pattern=f"^{CURSOR.pattern}$", description="from the answer before, as it is")
    limit: int = Field(PAGE, ge=1, le=MOST)


class Calls(Shape):
    """A page of calls, the newest first. ``cursor`` null: there are no more."""

    calls: tuple[Call, ...]
    cursor: str | None


async def calls_json(request: web.Request) -> web.Response:
    """``GET /api/calls``: the newest first."""
    asked = query_of(request, CallsQuery)
    wanted = CallFilter(
        line=asked.line,
        agent=asked.agent,
        outcomes=None if asked.outcome is None else asked.outcome.outcomes,
        since=asked.since,
        until=asked.until,
        number=number_of(asked.number),
        customer=asked.customer,
    )
    found = await _found(request, wanted, asked.cursor, asked.limit)
    full = await lists_in_full(request)
    return answer(Calls(calls=tuple(Call.of(item, full=full) for item in found.items), cursor=found.cursor))


async def calls(request: web.Request) -> web.Response:
    """``GET /calls``: filters ``line``, ``agent``, ``outcome``, ``since`` and ``until`` (days), ``number``."""
    asked = query(request)
    outcome = asked.get("outcome") or None
    if outcome is not None and outcome not in set(Came):
        raise web.HTTPBadRequest(text=f"outcome is one of {', '.join(Came)}")
    wanted = CallFilter(
        line=asked.get("line") or None,
        agent=asked.get("agent", "").strip()[:64] or None,
        outcomes=None if outcome is None else Came(outcome).outcomes,
        since=midnight(request, asked.get("since")),
        until=midnight(request, asked.get("until"), after=1),
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
        outcomes=tuple(Came),
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
        whose = replace(wanted, whose=replace(asker(request[SESSION]), numbers=may_see(request)))
        return await request.app[DEPS].reads.calls(whose, cursor, limit)
    except ValueError as error:
        raise web.HTTPBadRequest(text=str(error)) from error


ROUTES = (
    Route("GET", "/calls", calls, Right.READ),
    Route(
        "GET",
        "/api/calls",
        calls_json,
        Right.READ,
        Api(
            "Calls, the newest first: everybody's, or an agent's own",
            Scope.CALLS,
            answer=Calls,
            query=CallsQuery,
            errors=(400,),
        ),
    ),
)
