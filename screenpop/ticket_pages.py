"""Lists of tickets, a ticket's page, and what people do there."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from screenpop import words
from screenpop.accounts import LOGINS, SESSION
from screenpop.answers.names import TicketOfCall
from screenpop.call_key import call_of
from screenpop.deps import DEPS
from screenpop.errors import problem
from screenpop.finding import asker
from screenpop.forms import form, query
from screenpop.masking import hidden_ticket, hidden_ticket_page
from screenpop.numbers import in_full, may_see
from screenpop.rendering import reader, render
from screenpop.rights import Right, Role, may
from screenpop.route import Api, Scope
from screenpop.row_id import row_id
from screenpop.shapes import answer
from screenpop.telling import agents_of, ticket_changed
from screenpop.words import N_
from storage.edits import Meanwhile, Refusal, RefusedError, StaleError, TicketField
from storage.pages import CallItem, TicketFilter, TicketList, TicketPage
from storage.records import TicketLink
from storage.trouble import UnknownTicketError
from tickets.ticket import MOVES, Status

PAGE = 50
CURSOR = re.compile(r"[0-9]{1,12}(\.[0-9]{1,12})?_[0-9]{1,18}", re.ASCII)
TRUE = frozenset({"1", "true", "t", "yes", "y", "on"})  # as the API's queries say it
REFUSED = {
    Refusal.MOVE: N_("The ticket cannot go from its present status to that one."),
    Refusal.STATUS: N_("There is no such status."),
    Refusal.TOO_LONG: N_("That text is too long."),
    Refusal.OWNER: N_("Nobody has that login name."),
    Refusal.ONLY_CALL: N_("This is the ticket's only call: it cannot be moved to a ticket of its own."),
    Refusal.EMPTY: N_("There was nothing to save."),
}
STALE = N_(
    "Somebody else changed this ticket while you were typing. Your text is still here: compare, then save again."
)
COLLEAGUES = N_("This ticket is a colleague’s: they, or a supervisor, hand it over.")
WROTE = N_("{who} meanwhile wrote: {value}")
NAMED = {
    TicketField.STATUS: words.STATUS,
    TicketField.CATEGORY: words.CATEGORY,
    TicketField.URGENCY: words.URGENCY,
}
STATUS_CHOICES: dict[str, frozenset[Status] | None] = {
    "open": frozenset(status for status in Status if status.open),
    **{status.value: frozenset({status}) for status in Status},
    "all": None,
}


def wanted(request: web.Request) -> TicketFilter:
    """The list that a request's query asks for, cut to what its user may list. 400 for what it cannot mean."""
    asked = query(request)
    user = request[SESSION].user
    choice = asked.get("status", "open")
    if choice not in STATUS_CHOICES:
        raise web.HTTPBadRequest(text=f"status is one of {', '.join(STATUS_CHOICES)}")
    found = TicketFilter(
        status=STATUS_CHOICES[choice],
        line=asked.get("line") or None,
        owner=asked.get("owner") or None,
        text=asked.get("text", "")[:100] or None,
        missed=asked.get("missed", "").lower() in TRUE,
        customer=asked.get("customer") or None,
        numbers=may_see(request),
    )
    if not may(Role(user.role), Right.ALL_TICKETS):
        found = replace(found, owner=user.login)
    return found


async def a_page(request: web.Request, limit: int) -> TicketList:
    """The page of the list that a request asks for."""
    cursor = request.query.get("cursor")
    if cursor is not None and not CURSOR.fullmatch(cursor):
        raise web.HTTPBadRequest(text="that is no cursor of ours")
    found = await request.app[DEPS].reads.tickets(wanted(request), cursor, limit)
    return found if may_see(request) else replace(found, items=tuple(hidden_ticket(item) for item in found.items))


async def tickets(request: web.Request) -> web.Response:
    """``GET /tickets``: filters ``status``, ``line``, ``text``, ``missed``, ``owner``; ``cursor``."""
    found = await a_page(request, PAGE)
    kept = {name: value for name, value in request.query.items() if name != "cursor"}
    return render(
        request,
        "tickets.html",
        **await _unusual(request),
        found=found,
        query=kept,
        first="cursor" not in request.query,
        choices=tuple(STATUS_CHOICES),
        lines=request.app[DEPS].lines,
        more=f"/tickets?{urlencode({**kept, 'cursor': found.cursor})}" if found.cursor else None,
        renew=f"/tickets/rows?{urlencode(kept)}",
    )


async def rows(request: web.Request) -> web.Response:
    """``GET /tickets/rows``: the list alone."""
    return render(request, "_tickets.html", found=await a_page(request, PAGE), **await _unusual(request))


async def _unusual(request: web.Request) -> dict[str, Any]:
    """What came more often than usual, above the first page of who may list all tickets."""
    deps = request.app[DEPS]
    shown = may(Role(request[SESSION].user.role), Right.ALL_TICKETS) and "cursor" not in request.query
    return {"bursts": await deps.finding.today(deps.now()) if deps.finding and shown else (), "now": deps.now()}


async def ticket(request: web.Request) -> web.Response:
    """``GET /tickets/{id}``."""
    return await show(request, await the_ticket(request))


async def edit(request: web.Request) -> web.Response:
    """``POST /tickets/{id}``: ``version`` and any of ``status title category urgency owner``, each with ``was_...``.

    ``was_title`` is the title the form was filled with: only what the person changed is taken as a person's, whatever
    a machine or a colleague wrote meanwhile.
    """
    page = await the_ticket(request)
    fields = await form(request)
    ours = page.item.ticket
    changes: dict[TicketField, str | None] = {}
    for field in TicketField:
        sent = fields.get(field.value)
        if sent is not None and sent.strip() != fields.get(f"was_{field.value}", "").strip():
            changes[field] = sent
    try:
        version = int(fields.get("version", ""))
    except ValueError as error:
        raise web.HTTPBadRequest(text="version is missing") from error
    say = reader(request).say
    deps = request.app[DEPS]
    typed = {field.value: text or "" for field, text in changes.items()}
    try:
        await may_take(request, page, changes.get(TicketField.OWNER, ours.owner))
        await deps.ledger.edit_ticket(
            ours.id, changes, who=request[SESSION].user.login, now=deps.now(), version=version
        )
    except StaleError as error:
        name = request.app[LOGINS].people.name
        wrote = [say(WROTE).format(who=name(one.who), value=_named(say, one, name)) for one in error.meanwhile]
        trouble = " ".join([say(STALE), *wrote])
        return await show(request, await the_ticket(request), 409, trouble=trouble, typed=typed)
    except RefusedError as error:
        return await show(request, page, 422, trouble=say(REFUSED[error.refusal]), typed=typed)
    except web.HTTPForbidden:
        return await show(request, page, 403, trouble=say(COLLEAGUES), typed=typed)
    await tell(request, ours.id, page.calls)
    raise web.HTTPSeeOther(f"/tickets/{ours.id}")


def _named(say: Callable[[str], str], one: Meanwhile, name: Callable[[str], str]) -> str:
    """What a field holds, as people call it."""
    value = one.value or ""
    if one.field is TicketField.OWNER:
        return name(value) or "—"
    return say(NAMED.get(one.field, {}).get(value, "")) or value or "—"


async def note(request: web.Request) -> web.Response:
    """``POST /tickets/{id}/notes``: ``text``."""
    page = await the_ticket(request)
    text = (await form(request)).get("text", "")
    deps = request.app[DEPS]
    ticket_id = page.item.ticket.id
    try:
        await deps.ledger.note(ticket_id, text, request[SESSION].user.login, deps.now())
    except RefusedError as error:
        trouble = reader(request).say(REFUSED[error.refusal])
        return await show(request, page, 422, trouble=trouble, note=text)
    await tell(request, ticket_id, page.calls)
    raise web.HTTPSeeOther(f"/tickets/{ticket_id}#timeline")


async def split(request: web.Request) -> web.Response:
    """``POST /calls/{key}/split``: the call gets a ticket of its own; 403 for a call that one may not open."""
    try:
        link = await _split(request)
    except RefusedError as error:
        raise web.HTTPBadRequest(text=str(error)) from error
    raise web.HTTPSeeOther(f"/tickets/{link.id}")


async def split_json(request: web.Request) -> web.Response:
    """``POST /api/calls/{key}/split``: 422 where it is its ticket's only call."""
    try:
        link = await _split(request)
    except RefusedError as error:
        return problem(422, "Unprocessable Content", str(error), refusal=error.refusal.value)
    return answer(TicketOfCall(id=link.id, number=link.number, joined=link.joined))


async def _split(request: web.Request) -> TicketLink:
    deps, session, call = request.app[DEPS], request[SESSION], call_of(request)
    if not await deps.reads.concerns(call, asker(session)):  # what it is about only they know who may open it
        raise web.HTTPForbidden(text="this call is not yours")
    link = await deps.ledger.split_call(call, session.user.login, deps.now())
    await tell(request, link.id)
    return link


async def may_take(request: web.Request, page: TicketPage, owner: str | None) -> None:
    """Refuse to give a colleague's ticket another owner, unless one talked in it, talks in it or may see all (403).

    Whoever owns a ticket hears its calls: nobody makes those of others their own so.
    """
    had = page.item.ticket.owner
    if had is None or (owner or "").strip() == had or await concerns(request, page):
        return
    raise web.HTTPForbidden(text="this ticket is a colleague's, and you talked in none of its calls")


async def concerns(request: web.Request, page: TicketPage) -> bool:
    """Whether a ticket is one's own, or one talked in a call of it, talks in it, or may see all."""
    reads, session = request.app[DEPS].reads, request[SESSION]
    login, own = session.user.login, session.user.extension
    if page.item.ticket.owner == login or may(Role(session.user.role), Right.ALL_CALLS):
        return True
    if any(call.is_of(login, own) for call in page.calls):
        return True
    for call in page.calls:  # at a phone of two, or ringing now
        if await reads.concerns(call.key, asker(session)):
            return True
        if session.extension is not None and await reads.rings_at(call.key, session.extension):
            return True
    return False


async def number_in_full(request: web.Request, page: TicketPage) -> bool:
    """Whether the number on a ticket is shown in full: to whom it concerns. That it is is audited."""
    return await concerns(request, page) and await in_full(request, f"ticket {page.item.ticket.number}")


async def the_ticket(request: web.Request) -> TicketPage:
    """The ticket that a request names."""
    ticket_id = row_id(request)
    page = await request.app[DEPS].reads.ticket(ticket_id)
    if page is None:
        raise UnknownTicketError(f"no ticket {ticket_id}")
    return page if may_see(request) else hidden_ticket_page(page)


async def tell(request: web.Request, ticket_id: int, calls: Sequence[CallItem] = ()) -> None:
    """Word to open lists, and to the desks of who talked in its calls."""
    await ticket_changed(request.app[DEPS].fanout, ticket_id, agents=agents_of(calls))


async def show(
    request: web.Request,
    page: TicketPage,
    code: int = 200,
    *,
    trouble: str = "",
    typed: dict[str, str] | None = None,
    note: str = "",
) -> web.Response:
    """A ticket's page; ``typed`` and ``note`` is what somebody entered that could not be saved."""
    user = request[SESSION].user
    ours = page.item.ticket
    finding = request.app[DEPS].finding
    return render(
        request,
        "ticket.html",
        code,
        full=await number_in_full(request, page),
        page=page,
        ticket=ours,
        trouble=trouble,
        typed=typed or {},
        note=note,
        moves=[ours.status, *(status for status in Status if status in MOVES[ours.status])],
        categories=tuple(words.CATEGORY),
        urgencies=tuple(words.URGENCY),
        opens_any=may(Role(user.role), Right.ALL_CALLS),
        suggestions=await finding.beside(page) if finding else (),
        proposed=finding.proposed(page) if finding else (),
    )


SPLIT = Api("Give a call a ticket of its own", Scope.WRITE, answer=TicketOfCall, errors=(422,))
