"""The agent's desk as a page: what its modules need besides the cards, which come over the socket."""

from typing import Any

from aiohttp import web

from screenpop import words
from screenpop.accounts import SESSION
from screenpop.card_words import CARD
from screenpop.deps import DEPS
from screenpop.pages import recent_calls
from screenpop.rendering import reader, render, spoken
from screenpop.rights import Right, Role, may
from screenpop.route import Route
from tickets.ticket import MOVES, Status


async def desk(request: web.Request) -> web.Response:
    """``GET /desk``: the page whose cards come over the socket."""
    return render(
        request,
        "desk.html",
        words=spoken(request, {**words.DESK, **CARD}),
        calls=await recent_calls(request),
        choices=await _choices(request),
    )


async def _choices(request: web.Request) -> dict[str, Any]:
    """What a ticket's fields may become: values with their names, which status follows which, and our people."""
    say = reader(request).say

    def named(table: words.Words) -> list[dict[str, str]]:
        return [{"value": code, "name": say(text)} for code, text in table.items()]

    people = [one for one in await request.app[DEPS].accounts.everybody() if one.active]
    return {
        "status": named(words.STATUS),
        "moves": {status.value: sorted(MOVES[status]) for status in Status},
        "category": named(words.CATEGORY),
        "urgency": named(words.URGENCY),
        "people": [{"login": one.login, "name": one.name} for one in people if may(Role(one.role), Right.TICKETS)],
        "me": request[SESSION].user.login,
        "lines": dict(request.app[DEPS].lines),
    }


ROUTES = (Route("GET", "/desk", desk, Right.DESK),)
