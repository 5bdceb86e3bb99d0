"""Who asks, tickets, a call and the service's state as JSON, for programs and for the pages' own modules.

Times are epoch seconds, lists have a ``cursor`` (null at the end). Documented in ``docs/api.md``.
"""

from aiohttp import web

from screenpop.accounts import SESSION
from screenpop.answers.calls import WholeCall
from screenpop.answers.service import CorrectedLine, Corrections, CorrectionsQuery, Me, ServiceStatus
from screenpop.answers.tickets import Note, Ticket, TicketChange, TicketList, TicketQuery, WholeTicket
from screenpop.audio import the_call
from screenpop.call_pages import players, withheld
from screenpop.deps import DEPS, HUB, SHARES
from screenpop.errors import problem
from screenpop.numbers import in_full, lists_in_full
from screenpop.rights import RIGHTS, Right, Role, may
from screenpop.route import Api, Route, Scope
from screenpop.shapes import answer, body, done, query_of
from screenpop.ticket_pages import a_page, may_take, number_in_full, tell, the_ticket
from screenpop.tokens import PROGRAM
from storage.edits import RefusedError, StaleError, TicketField

DAY = 86400


async def me(request: web.Request) -> web.Response:
    """``GET /api/me``: who is logged in and what they may do."""
    session = request[SESSION]
    user = session.user
    rights = tuple(sorted(RIGHTS[Role(user.role)]))
    program = request.get(PROGRAM)
    return answer(
        Me(
            login=user.login,
            name=user.name,
            role=Role(user.role),
            extension=session.extension,
            rights=rights,
            token=program and program.name,
            scopes=program and tuple(scope for scope in Scope if scope.value in program.scopes),
        )
    )


async def tickets(request: web.Request) -> web.Response:
    """``GET /api/tickets``: filters as the page's; an agent gets their own."""
    asked = query_of(request, TicketQuery)
    found = await a_page(request, asked.limit)
    full = await lists_in_full(request)
    return answer(TicketList(tickets=tuple(Ticket.of(item, full=full) for item in found.items), cursor=found.cursor))


async def ticket(request: web.Request) -> web.Response:
    """``GET /api/tickets/{id}``."""
    return await _whole(request)


async def _whole(request: web.Request) -> web.Response:
    """The ticket that a request names, whole."""
    page = await the_ticket(request)
    full = await number_in_full(request, page)
    return answer(WholeTicket.of_page(page, full=full))


async def change_ticket(request: web.Request) -> web.Response:
    """``PATCH /api/tickets/{id}``: ``version`` and the fields to change; 409 when the version is an old one."""
    page = await the_ticket(request)
    sent = await body(request, TicketChange)
    deps = request.app[DEPS]
    ticket_id = page.item.ticket.id
    changes = {field: getattr(sent, field.value) for field in TicketField if field.value in sent.model_fields_set}
    await may_take(request, page, changes.get(TicketField.OWNER, page.item.ticket.owner))
    try:
        await deps.ledger.edit_ticket(
            ticket_id, changes, who=request[SESSION].user.login, now=deps.now(), version=sent.version
        )
    except StaleError as error:
        fields = ", ".join(one.field.value for one in error.meanwhile)
        return problem(409, "Conflict", str(error), version=error.version, fields=fields)
    except RefusedError as error:
        return problem(422, "Unprocessable Content", str(error), refusal=error.refusal.value)
    await tell(request, ticket_id, page.calls)
    return await _whole(request)


async def add_note(request: web.Request) -> web.Response:
    """``POST /api/tickets/{id}/notes``: ``{"text": ...}``."""
    page = await the_ticket(request)
    sent = await body(request, Note)
    deps = request.app[DEPS]
    try:
        await deps.ledger.note(page.item.ticket.id, sent.text, request[SESSION].user.login, deps.now())
    except RefusedError as error:
        return problem(422, "Unprocessable Content", str(error), refusal=error.refusal.value)
    await tell(request, page.item.ticket.id, page.calls)
    return done()


async def call(request: web.Request) -> web.Response:
    """``GET /api/calls/{key}``: facts, recordings, transcript, summary, alarms; for whom the call concerns."""
    page = await the_call(request)
    full = await in_full(request, str(page.item.key))
    heard = players(page, await withheld(request, page))
    share = request.app[SHARES].of(page.item.key)
    listens = may(Role(request[SESSION].user.role), Right.LISTENS)
    return answer(WholeCall.of_page(page, heard, full=full, listens=listens, share=share))


async def corrections(request: web.Request) -> web.Response:
    """``GET /api/corrections``: how much people corrected of the summaries of ``days`` (30) days, by line and model."""
    days = query_of(request, CorrectionsQuery).days
    deps = request.app[DEPS]
    found = await deps.reads.corrected(deps.now() - days * DAY)
    return answer(Corrections(days=days, corrected=tuple(CorrectedLine.of(one) for one in found)))


async def status(request: web.Request) -> web.Response:
    """``GET /api/status``: what ``/status`` shows."""
    told = {**await request.app[DEPS].status(), "pages": len(request.app[HUB])}
    return answer(ServiceStatus.model_validate(told), only_set=True)


ROUTES = (
    Route("GET", "/api/me", me, Right.ACCOUNT, Api("Who asks, and what they may do", None, answer=Me)),
    Route(
        "GET",
        "/api/tickets",
        tickets,
        Right.READ,
        Api("Tickets, the one that changed last first", Scope.TICKETS, answer=TicketList, query=TicketQuery),
    ),
    Route(
        "GET",
        r"/api/tickets/{id:\d+}",
        ticket,
        Right.READ,
        Api("A ticket with its calls and timeline", Scope.TICKETS, answer=WholeTicket),
    ),
    Route(
        "PATCH",
        r"/api/tickets/{id:\d+}",
        change_ticket,
        Right.TICKETS,
        Api("Change a ticket", Scope.WRITE, answer=WholeTicket, body=TicketChange, errors=(409, 422)),
    ),
    Route(
        "POST",
        r"/api/tickets/{id:\d+}/notes",
        add_note,
        Right.TICKETS,
        Api("Add a note to a ticket", Scope.WRITE, body=Note, status=204, errors=(422,)),
    ),
    Route(
        "GET",
        "/api/calls/{key}",
        call,
        Right.READ,
        Api("A call: what happened, what was said, its summary", Scope.CALLS, answer=WholeCall),
    ),
    Route(
        "GET",
        "/api/corrections",
        corrections,
        Right.STATUS,
        Api("How much people corrected of summaries", Scope.STATUS, answer=Corrections, query=CorrectionsQuery),
    ),
    Route("GET", "/api/status", status, Right.STATUS, Api("How the service does", Scope.STATUS, answer=ServiceStatus)),
)
