"""Calling by a click: the agent's phone rings first, then the number is called from it.

Nobody types a way through the PBX here: a number is understood by :mod:`numbering` and must be of a kind that is called
(:mod:`telephony.dialable`), the rest is the administrator's configuration. Each call made is audited.
"""

from typing import Annotated, NamedTuple

from aiohttp import web
from pydantic import Field, model_validator

from numbering.display import display, mask
from numbering.identify import identify
from numbering.number import Number
from screenpop.accounts import SESSION, come_from
from screenpop.callbacks import taken, tell
from screenpop.deps import DEPS
from screenpop.errors import problem
from screenpop.finding import asker
from screenpop.hands import Cannot, HandError
from screenpop.numbers import may_see
from screenpop.rights import Right
from screenpop.route import Api, Route, Scope, Shape
from screenpop.shapes import answer, body
from storage.audit import What
from storage.callback import CallbackError, UnknownCallbackError
from storage.trouble import UnknownTicketError
from telephony.call import CallKey

STATUS = {
    Cannot.NOT_ALLOWED: 422,
    Cannot.NO_PHONE: 409,
    Cannot.BUSY: 409,
    Cannot.PBX_AWAY: 503,
    Cannot.REFUSED: 502,
}
_ONE = "name exactly one of number, call, ticket and callback"


class Dial(Shape):
    """Whom to call: a number as people write it, a call's or a ticket's caller, or a row of the missed callers."""

    number: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    call: Annotated[str, Field(min_length=3, max_length=200)] | None = None
    ticket: Annotated[int, Field(ge=1, lt=1 << 62)] | None = None
    callback: Annotated[int, Field(ge=1, lt=1 << 62)] | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> "Dial":
        if sum(value is not None for value in (self.number, self.call, self.ticket, self.callback)) != 1:
            raise ValueError(_ONE)
        return self


class Dialling(Shape):
    """The phone that begins to ring, and the number that is called once it is taken up.

    ``e164`` null: it is masked.
    """

    extension: str
    e164: str | None
    display: str


class _Whom(NamedTuple):
    number: str | None
    line: str | None = None
    call: CallKey | None = None
    ticket: int | None = None


async def dial(request: web.Request) -> web.Response:
    """``POST /api/desk/dial``: the phone one sits at rings, then the number is called from it.

    422 for a number that is not called from here, 409 where there is no phone or it is being used for this already.
    What becomes of it is told on the desk's socket: ``{"type":"dial", ...}``.
    """
    asked = await body(request, Dial)
    deps, session = request.app[DEPS], request[SESSION]
    hand, extension = deps.hand, session.extension
    if hand is None or not hand.may_dial:
        return _problem(HandError(Cannot.NOT_ALLOWED, "calling from here is not set up: [pbx.desk] originate"))
    if extension is None:
        return _problem(HandError(Cannot.NO_PHONE, "you sit at no phone: name your extension first"))
    try:
        whom = await _whom(request, asked)
        number, e164 = _understood(whom.number)
        now, who = deps.now(), session.user.login
        await hand.dial(extension, e164, whom.call, line=whom.line, ticket=whom.ticket, who=who)
    except HandError as error:
        return _problem(error)
    except UnknownCallbackError as error:
        raise web.HTTPNotFound(text=str(error)) from error
    except CallbackError as error:
        return problem(409, "Conflict", str(error))
    detail = {"from": extension, "line": whom.line, "call": whom.call and str(whom.call)}
    await deps.audit.add(who, What.DIALLED, e164, now, detail, ip=come_from(request).ip)
    full = asked.number is not None or may_see(request)
    shown = Dialling(
        extension=extension, e164=e164 if full else None, display=display(number) if full else mask(number)
    )
    return answer(shown, 202)


async def _whom(request: web.Request, asked: Dial) -> _Whom:
    """The number behind what was named, for whom that concerns."""
    deps, session = request.app[DEPS], request[SESSION]
    if asked.number is not None:
        return _Whom(asked.number)
    if asked.callback is not None:
        row = await taken(request, asked.callback)
        await tell(request)
        return _Whom(row.number, row.line, row.call, None if row.ticket is None else row.ticket[0])
    if asked.ticket is not None:
        page = await deps.reads.ticket(asked.ticket)
        if page is None:
            raise UnknownTicketError(f"no ticket {asked.ticket}")
        latest = page.calls[0].key if page.calls else None
        return _Whom(page.item.ticket.caller, page.item.ticket.line, latest, asked.ticket)
    try:
        key = CallKey.parse(asked.call or "")
    except ValueError as error:
        raise web.HTTPNotFound(text="no such call") from error
    if not await deps.reads.concerns(key, asker(session)):
        raise web.HTTPForbidden(text="this call is not yours")
    call = await deps.reads.call(key)
    if call is None:
        raise web.HTTPNotFound(text="no such call")
    link = call.item.ticket
    return _Whom(call.item.e164, call.item.line, key, None if link is None else link.id)


def _understood(raw: str | None) -> tuple[Number, str]:
    """A number and its E.164. Raises HandError for what has none."""
    number = identify(raw)
    if number.e164 is None:
        raise HandError(Cannot.NOT_ALLOWED, "this is no number that can be called")
    return number, number.e164


def _problem(error: HandError) -> web.Response:
    """A refusal; ``title`` says which kind, for programs."""
    return problem(STATUS[error.kind], error.kind.value, error.text)


ROUTES = (
    Route(
        "POST",
        "/api/desk/dial",
        dial,
        Right.DESK,
        Api("Call a number from one's phone", Scope.DESK, Dialling, Dial, status=202, errors=(400, 404, 409, 422, 502)),
    ),
)
