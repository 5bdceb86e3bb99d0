"""The socket of an open page: who it belongs to, and what it is told."""

import structlog
from aiohttp import web

from screenpop.accounts import SESSION, token_of
from screenpop.deps import DEPS, HUB
from screenpop.hub import LOGGED_OUT, Page, as_text
from screenpop.rights import Right, Role, may
from screenpop.route import Scope
from screenpop.seats import others, word
from screenpop.tokens import PROGRAM, bearer
from storage.trouble import StorageError

CLOSING = 2.0  # seconds a page may take to say goodbye

log = structlog.get_logger()


async def socket(request: web.Request) -> web.WebSocketResponse:
    """``GET /ws``: cards of one's extension, word of missed callers, and of tickets for those who may list all."""
    deps = request.app[DEPS]
    program = request.get(PROGRAM)
    if program is not None and Scope.DESK.value not in program.scopes:
        raise web.HTTPForbidden(text="this needs a token with the scope 'desk'")
    ws = web.WebSocketResponse(heartbeat=deps.beat, max_msg_size=4096, timeout=CLOSING)
    await ws.prepare(request)
    session = request.get(SESSION)
    if session is None:
        await ws.close(code=LOGGED_OUT, message=b"not logged in")
        return ws
    user = session.user
    page = Page(
        user.login,
        session.id,
        request.transport.abort if request.transport else ws.force_close,
        token=(token_of(request) if program is None else bearer(request)) or "",
        program=program is not None,
        role=user.role,
        extension=session.extension,
    )
    if session.extension is not None:
        page.put(as_text(word(session.extension, await _others(request, session.extension, user.login))))
    await request.app[HUB].serve(
        ws,
        page,
        tickets=may(Role(user.role), Right.ALL_TICKETS) and (program is None or Scope.TICKETS.value in program.scopes),
        callbacks=may(Role(user.role), Right.DESK),
    )
    return ws


async def _others(request: web.Request, extension: str, login: str) -> list[str]:
    try:
        return await others(request.app[DEPS], extension, login)
    except StorageError as error:  # who else sits there cannot be known now: calls ring all the same
        log.warning("seat_unknown", extension=extension, error=str(error))
        return []
