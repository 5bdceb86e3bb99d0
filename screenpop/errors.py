"""What goes wrong, told to whoever asked: a page to people, problem details (RFC 9457) to programs.

Our own bugs are not caught here: aiohttp logs them whole and answers 500.
"""

from collections.abc import Sequence
from http import HTTPStatus

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from screenpop.rendering import reader, render
from screenpop.security import by_a_program
from screenpop.shapes import BadShapeError, Fault
from screenpop.words import N_
from storage.trouble import StorageError, UnknownCallError, UnknownTicketError

HEADINGS = {
    400: N_("This request cannot be understood"),
    401: N_("Please log in"),
    403: N_("This is not for you"),
    404: N_("There is nothing here"),
    405: N_("This cannot be done here"),
    409: N_("This recording is not ready to be heard"),
    413: N_("This is too large"),
    415: N_("This browser cannot play that"),
    416: N_("This part of the file does not exist"),
    423: N_("This recording cannot be opened"),
    503: N_("The database does not answer"),
}
ADVICE = {
    400: N_("Go back and try again."),
    401: N_("Your login has ended, or there was none."),
    403: N_("Your account may not see this. If you need it, ask your supervisor."),
    404: N_("The address is wrong, or what was here is gone."),
    409: N_("It may be heard once it is transcribed and what is masked is covered by a tone. Supervisors hear it now."),
    423: N_("It lies encrypted, and its key is not here. The administrator sees the cause in the log."),
    503: N_("Nothing you entered was saved. Try again in a moment; the administrator sees the cause in the log."),
}

log = structlog.get_logger()


def problem(
    status: int, title: str, detail: str | None = None, faults: Sequence[Fault] = (), **more: str | int
) -> web.Response:
    """A problem details answer. ``faults``: what is wrong with which field; ``more``: members of its own."""
    body: dict[str, object] = {"type": "about:blank", "status": status, "title": title, **more}
    if detail:
        body["detail"] = detail
    if faults:
        body["errors"] = [{"field": fault.field, "why": fault.why} for fault in faults]
    return web.json_response(body, status=status, content_type="application/problem+json")


def for_a_program(request: web.Request) -> bool:
    """Whether JSON is wanted."""
    return (
        request.path.startswith("/api/")
        or by_a_program(request)
        or "text/html" not in request.headers.get("Accept", "text/html")
    )


def tell(request: web.Request, status: int, detail: str | None, faults: Sequence[Fault] = ()) -> web.Response:
    """The answer for an error status. ``detail`` is English, for programs and logs."""
    title = HTTPStatus(status).phrase
    if for_a_program(request):
        return problem(status, title, detail, faults)
    say = reader(request).say
    heading = say(HEADINGS.get(status, "")) or title
    return render(request, "error.html", status, status=status, heading=heading, advice=say(ADVICE.get(status, "")))


@web.middleware
async def told(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn refusals and the outside world's troubles into answers."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        if error.status < HTTPStatus.BAD_REQUEST:
            raise
        response = tell(request, error.status, error.text, error.faults if isinstance(error, BadShapeError) else ())
        for name in ("Allow", "Content-Range", "Retry-After", "WWW-Authenticate"):
            if name in error.headers:
                response.headers[name] = error.headers[name]
        return response
    except (UnknownCallError, UnknownTicketError) as error:
        return tell(request, HTTPStatus.NOT_FOUND, str(error))
    except StorageError as error:
        log.error("storage_trouble", path=request.path, trouble=error.trouble.value, error=str(error))
        return tell(request, HTTPStatus.SERVICE_UNAVAILABLE, "the database does not answer")
