"""Search and bursts: ``/search`` and the same as JSON; similar tickets as JSON."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from aiohttp import web

from crm.customer import Customer
from screenpop.accounts import SESSION
from screenpop.answers.customers import FoundCustomer
from screenpop.answers.search import Found, FoundCall, SearchQuery
from screenpop.answers.service import Burst, BurstList
from screenpop.answers.tickets import Proposed, Similar, SimilarTicket, Ticket
from screenpop.deps import DEPS
from screenpop.finding import Finding, asker, pieces
from screenpop.forms import query
from screenpop.masking import as_hidden, as_listed, hidden_ticket
from screenpop.numbers import lists_in_full, may_see
from screenpop.rendering import render
from screenpop.rights import Right
from screenpop.route import Api, Route, Scope
from screenpop.shapes import answer, query_of
from screenpop.ticket_pages import the_ticket
from screenpop.tokens import PROGRAM
from storage.pages import TicketItem
from storage.search import CallHits

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
    hits, tickets, customers = await _found(request, (text, line, cursor), PAGE, FEW)
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
        customers=customers,
        pieces=pieces,
    )


async def search_json(request: web.Request) -> web.Response:
    """``GET /api/search``: as the page; ``cursor`` asks for older calls."""
    asked = query_of(request, SearchQuery)
    text, line = asked.q.strip(), asked.line or None
    hits, tickets, customers = await _found(request, (text, line, asked.cursor), asked.limit, asked.limit)
    full = await lists_in_full(request)
    return answer(
        Found(
            customers=tuple(FoundCustomer.of(one, full=full) for one in customers),
            calls=tuple(FoundCall.of_hit(hit, full=full) for hit in hits.hits),
            cursor=hits.cursor,
            tickets=tuple(Ticket.of(item, full=full) for item in tickets),
        )
    )


async def _found(
    request: web.Request, wanted: tuple[str, str | None, int | None], calls: int, others: int
) -> tuple[CallHits, Sequence[TicketItem], Sequence[Customer]]:
    """So many calls, and with their first page tickets and customers: sought at once, as somebody is typing."""
    text, line, cursor = wanted
    sees = may_see(request)
    found, who = finding(request), replace(asker(request[SESSION]), numbers=sees)
    hide = None if sees and PROGRAM in request else as_listed if sees else as_hidden
    hits = found.search.calls(text, who, line=line, cursor=cursor, limit=calls, hide=hide)
    if cursor is not None:
        return await hits, (), ()
    tickets = found.search.tickets(text, who, line=line, limit=others)
    customers = found.customers.find(text, others, numbers=sees)
    said, noted, known = await asyncio.gather(hits, tickets, customers)
    return said, noted if sees else [hidden_ticket(item) for item in noted], known


async def similar_json(request: web.Request) -> web.Response:
    """``GET /api/tickets/{id}/similar``: open tickets that may be about the same, and what the line proposes."""
    page = await the_ticket(request)
    found = finding(request)
    beside = await found.beside(page)
    if not may_see(request):
        beside = [replace(one, item=hidden_ticket(one.item)) for one in beside]
    return answer(
        Similar(
            similar=tuple(SimilarTicket.of_suggestion(one) for one in beside),
            proposed=tuple(Proposed.of(one) for one in found.proposed(page)),
        )
    )


async def bursts_json(request: web.Request) -> web.Response:
    """``GET /api/bursts``: what came more often than usual in the last day, the newest first."""
    now = request.app[DEPS].now()
    return answer(BurstList(bursts=tuple(Burst.of(one, now) for one in await finding(request).today(now))))


ROUTES = (
    Route("GET", "/search", search, Right.READ),
    Route(
        "GET",
        "/api/search",
        search_json,
        Right.READ,
        Api(
            "Calls by what was said, tickets by what stands on them, customers by name and number",
            Scope.TICKETS,
            answer=Found,
            query=SearchQuery,
        ),
    ),
    Route(
        "GET",
        r"/api/tickets/{id:\d+}/similar",
        similar_json,
        Right.READ,
        Api("Open tickets that may be about the same", Scope.TICKETS, answer=Similar),
    ),
    Route(
        "GET",
        "/api/bursts",
        bursts_json,
        Right.ALL_TICKETS,
        Api("What came more often than usual in the last day", Scope.TICKETS, answer=BurstList),
    ),
)
