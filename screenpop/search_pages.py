"""Search and bursts: ``/search`` and the same as JSON; similar tickets as JSON."""

import json

from aiohttp import web

from screenpop.accounts import SESSION
from screenpop.api import call_json, ticket_json
from screenpop.card import Json
from screenpop.deps import DEPS
from screenpop.errors import problem
from screenpop.finding import Finding, asker, pieces
from screenpop.forms import query
from screenpop.rendering import render
from screenpop.ticket_pages import the_ticket
from storage.bursts import Noticed
from storage.search import CallHit
from storage.search_snippets import Snippet
from storage.similar import Suggestion

PAGE = 20
FEW = 8  # tickets above the calls
LONGEST = 200


def finding(request: web.Request) -> Finding:
    """What the application finds with; 404 where it finds nothing."""
    found = request.app[DEPS].finding
    if found is None:
        raise web.HTTPNotFound(text="there is no search here")
    return found


def asked(request: web.Request) -> tuple[str, str | None, int | None]:
    """Question, line, cursor. 400 for a cursor that is none of ours."""
    wanted = query(request)
    cursor = wanted.get("cursor")
    if cursor is not None and not (cursor.isascii() and cursor.isdigit() and len(cursor) <= 18):  # noqa: PLR2004 - 63 bits
        raise web.HTTPBadRequest(text="that is no cursor of ours")
    return wanted.get("q", "")[:LONGEST].strip(), wanted.get("line") or None, None if cursor is None else int(cursor)


async def search(request: web.Request) -> web.Response:
    """``GET /search``: ``q``, ``line``, ``cursor``; calls by what was said, tickets by what stands on them."""
    text, line, cursor = asked(request)
    who = asker(request[SESSION])
    hits = await finding(request).search.calls(text, who, line=line, cursor=cursor, limit=PAGE)
    tickets = await finding(request).search.tickets(text, who, line=line, limit=FEW) if cursor is None else ()
    return render(
        request,
        "search.html",
        q=text,
        line=line,
        lines=request.app[DEPS].lines,
        hits=hits.hits,
        cursor=hits.cursor,
        first=cursor is None,
        tickets=tickets,
        pieces=pieces,
    )


async def search_json(request: web.Request) -> web.Response:
    """``GET /api/search``: as the page; ``cursor`` asks for older calls."""
    text, line, cursor = asked(request)
    if not text:
        return problem(400, "Bad Request", "q is missing: what to look for")
    who = asker(request[SESSION])
    hits = await finding(request).search.calls(text, who, line=line, cursor=cursor, limit=PAGE)
    tickets = await finding(request).search.tickets(text, who, line=line) if cursor is None else ()
    return _answer(
        {
            "calls": [hit_json(hit) for hit in hits.hits],
            "cursor": hits.cursor,
            "tickets": [ticket_json(item) for item in tickets],
        }
    )


async def similar_json(request: web.Request) -> web.Response:
    """``GET /api/tickets/{id}/similar``: open tickets that may be about the same, and what the line proposes."""
    page = await the_ticket(request)
    found = finding(request)
    return _answer(
        {
            "similar": [_suggestion(one) for one in await found.beside(page)],
            "proposed": [
                {"field": one.field.value, "value": one.value, "because": one.because} for one in found.proposed(page)
            ],
        }
    )


async def bursts_json(request: web.Request) -> web.Response:
    """``GET /api/bursts``: what came more often than usual in the last day, the newest first."""
    now = request.app[DEPS].now()
    return _answer({"bursts": [_burst(one, now) for one in await finding(request).today(now)]})


def hit_json(hit: CallHit) -> Json:
    """A call with where it was said."""
    return {**call_json(hit.item), "said": [_snippet(one) for one in hit.snippets]}


def _snippet(snippet: Snippet) -> Json:
    return {
        "turn": snippet.position,
        "speaker": snippet.speaker,
        "agent": snippet.agent,
        "start": snippet.start,
        "text": snippet.text,
        "marks": [list(mark) for mark in snippet.marks],
    }


def _suggestion(one: Suggestion) -> Json:
    return {**ticket_json(one.item), "likeness": one.like.likeness, "why": list(one.like.why)}


def _burst(one: Noticed, now: float) -> Json:
    burst = one.burst
    return {
        "id": one.id,
        "line": one.line,
        "kind": one.kind,
        "value": one.value,
        "begins": burst.begins,
        "last": burst.last,
        "over": burst.over(now),
        "callers": burst.callers,
        "peak": burst.peak,
        "usual": burst.usual,
        "noticed": one.noticed,
        "words": list(one.words),
        "calls": [call_json(item) for item in one.samples],
    }


def _answer(body: Json) -> web.Response:
    return web.json_response(body, dumps=lambda value: json.dumps(value, ensure_ascii=False))
