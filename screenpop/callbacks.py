"""Missed callers to call back: the list, and what an agent does with a row.

Agents see those of all lines, the numbers masked; who takes a row sees its number, and nobody else can take it for a
while. What changes is told on the topic ``callbacks``: ``{"type":"callbacks"}``, and open pages renew their list.
"""

from typing import Annotated

from aiohttp import web
from pydantic import Field

from numbering.display import display, mask
from numbering.identify import identify
from screenpop.accounts import SESSION, come_from
from screenpop.deps import DEPS
from screenpop.errors import problem
from screenpop.hub import CALLBACKS, CALLBACKS_WORD
from screenpop.numbers import may_see
from screenpop.rendering import render
from screenpop.rights import Right
from screenpop.route import Api, Handle, Route, Scope, Shape
from screenpop.row_id import row_id
from screenpop.shapes import answer, body, query_of
from storage.audit import What
from storage.callback import Callback, CallbackError, CallbackPage, CallbackState, Result, UnknownCallbackError
from storage.callbacks import LONGEST_NOTE, Callbacks
from telephony.call import Outcome

PAGE = 50


class CallbackCustomer(Shape):
    """Who called, as the call knew."""

    id: str
    name: str
    vip: bool


class CallbackTicket(Shape):
    """The ticket of the last missed call."""

    id: int
    number: str


class CallbackItem(Shape):
    """A number on a line that is to be called back; ``e164`` only for who has taken it (``mine``)."""

    id: int
    state: CallbackState
    line: str
    line_name: str
    display: str
    e164: str | None
    region: str | None
    customer: CallbackCustomer | None
    ticket: CallbackTicket | None
    call: str
    outcome: Outcome
    count: int
    first: float
    last: float
    taken_by: str | None
    taken_name: str | None
    taken_until: float | None
    mine: bool
    tries: int
    tried: float | None
    result: Result | None


class CallbackList(Shape):
    """The list, the caller who waits longest first; ``waiting``: how many there are in all that nobody has taken."""

    callbacks: list[CallbackItem]
    waiting: int
    cursor: str | None


class CallbackQuery(Shape):
    """Which part of the list."""

    cursor: Annotated[str, Field(pattern=r"^[0-9]{1,12}(\.[0-9]{1,12})?_[0-9]{1,18}$")] | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = PAGE


class Closing(Shape):
    """Why a row needs no call any more, for the ticket's timeline."""

    note: Annotated[str, Field(max_length=LONGEST_NOTE)] | None = None


def the_list(request: web.Request) -> Callbacks:
    """What is kept of missed callers; 404 where nothing is."""
    kept = request.app[DEPS].callbacks
    if kept is None:
        raise web.HTTPNotFound(text="missed callers are not kept here")
    return kept


def item(request: web.Request, row: Callback) -> CallbackItem:
    """A row as this reader gets it."""
    mine = row.taken_by == request[SESSION].user.login
    full = mine and may_see(request)
    number = identify(row.number)
    return CallbackItem(
        id=row.id,
        state=row.state,
        line=row.line,
        line_name=request.app[DEPS].lines.get(row.line, ""),
        display=display(number) if full else mask(number),
        e164=row.number if full else None,
        region=row.region,
        customer=None
        if row.customer_id is None
        else CallbackCustomer(id=row.customer_id, name=row.customer_name or "", vip=row.vip),
        ticket=None if row.ticket is None else CallbackTicket(id=row.ticket[0], number=row.ticket[1]),
        call=str(row.call),
        outcome=row.outcome,
        count=row.count,
        first=row.first,
        last=row.last,
        taken_by=row.taken_by,
        taken_name=row.taken_name,
        taken_until=row.taken_until,
        mine=mine,
        tries=row.tries,
        tried=row.tried,
        result=row.result,
    )


async def a_page(request: web.Request) -> CallbackPage:
    """The part of the list that a request asks for."""
    asked = query_of(request, CallbackQuery)
    return await the_list(request).waiting(request.app[DEPS].now(), asked.cursor, asked.limit)


async def listed(request: web.Request) -> web.Response:
    """``GET /api/callbacks``."""
    page = await a_page(request)
    rows = [item(request, row) for row in page.items]
    return answer(CallbackList(callbacks=rows, waiting=page.waiting, cursor=page.cursor))


async def rows(request: web.Request) -> web.Response:
    """``GET /callbacks/rows``: the list alone, as a part of a page."""
    page = await a_page(request)
    hand = request.app[DEPS].hand
    may_dial = hand is not None and hand.may_dial and request[SESSION].extension is not None
    shown = [item(request, row) for row in page.items]
    return render(request, "_callbacks.html", rows=shown, waiting=page.waiting, more=page.cursor, may_dial=may_dial)


async def take(request: web.Request) -> web.Response:
    """``POST /api/callbacks/{id}/take``: mine for ten minutes; the answer has the number in full."""
    return await _done(request, await taken(request, row_id(request)))


async def taken(request: web.Request, callback_id: int) -> Callback:
    """The row, this reader's from now on; that its number is shown is on record."""
    deps, who = request.app[DEPS], _who(request)
    row = await the_list(request).take(callback_id, who, deps.now())
    if may_see(request):
        await deps.audit.add(who, What.SHOWN, str(row.call), deps.now(), {"callback": row.id}, ip=come_from(request).ip)
    return row


async def give_back(request: web.Request) -> web.Response:
    """``POST /api/callbacks/{id}/give-back``: somebody else may take it."""
    kept = the_list(request)
    return await _done(request, await kept.give_back(row_id(request), _who(request), request.app[DEPS].now()))


async def done(request: web.Request) -> web.Response:
    """``POST /api/callbacks/{id}/done``: no call is needed any more; ``note`` says why."""
    kept = the_list(request)
    note = (await body(request, Closing)).note if request.can_read_body else None
    return await _done(request, await kept.done(row_id(request), _who(request), request.app[DEPS].now(), note))


async def tell(request: web.Request) -> None:
    """Word to open pages."""
    await request.app[DEPS].fanout.publish(CALLBACKS, CALLBACKS_WORD)


async def _done(request: web.Request, row: Callback) -> web.Response:
    await tell(request)
    return answer(item(request, row))


def _who(request: web.Request) -> str:
    return request[SESSION].user.login


def refusing(handler: Handle) -> Handle:
    """A handler whose trouble with a row is told: 404 for none, 409 when somebody else has it or it is off the list."""

    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except UnknownCallbackError as error:
            raise web.HTTPNotFound(text=str(error)) from error
        except CallbackError as error:
            return problem(409, "Conflict", str(error))

    return handle


def _api(summary: str, taking: type[Shape] | None = None) -> Api:
    return Api(summary, Scope.DESK, answer=CallbackItem, body=taking, errors=(400, 409))


ROUTES = (
    Route("GET", "/callbacks/rows", rows, Right.DESK),
    Route(
        "GET",
        "/api/callbacks",
        listed,
        Right.DESK,
        Api("Missed callers to call back", Scope.DESK, CallbackList, query=CallbackQuery, errors=(400,)),
    ),
    Route("POST", r"/api/callbacks/{id:\d+}/take", refusing(take), Right.DESK, _api("Take a missed caller")),
    Route("POST", r"/api/callbacks/{id:\d+}/give-back", refusing(give_back), Right.DESK, _api("Give one back")),
    Route("POST", r"/api/callbacks/{id:\d+}/done", refusing(done), Right.DESK, _api("Close one", Closing)),
)
