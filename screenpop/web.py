"""The web application: every route with the right it asks for, and what lives as long as the app does.

``build_app(deps)`` is all the rest of the house uses. It opens nothing by itself: database, fan-out and desk come in
:class:`screenpop.deps.Deps` and are closed by whoever opened them.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import quote

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from screenpop import api, pages, search_pages, ticket_pages
from screenpop.accounts import COOKIE, LOGINS, SESSION, Logins
from screenpop.assets import Assets
from screenpop.audio import LISTENS, Listens, audio
from screenpop.call_pages import call, waiting
from screenpop.correcting import correct, correct_json
from screenpop.deps import ASSETS, DEPS, HUB, SHARES, Deps
from screenpop.errors import for_a_program, told
from screenpop.export import export
from screenpop.hub import LOGGED_OUT, Hub, Page
from screenpop.progress import Shares
from screenpop.rights import Right, Role, may
from screenpop.security import add_headers, from_our_pages
from storage.trouble import StorageError

LARGEST_BODY = 256 * 1024
CLOSING = 2.0  # seconds a page may take to say goodbye

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Route:
    """One route. ``right`` None: for everybody, logged in or not."""

    method: str
    path: str
    handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    right: Right | None


async def socket(request: web.Request) -> web.WebSocketResponse:
    """``GET /ws``: cards of one's extension, and word of tickets for those who may list them all."""
    deps = request.app[DEPS]
    ws = web.WebSocketResponse(heartbeat=deps.beat, max_msg_size=4096, timeout=CLOSING)
    await ws.prepare(request)
    session = request.get(SESSION)
    if session is None:
        await ws.close(code=LOGGED_OUT, message=b"not logged in")
        return ws
    user = session.user
    token = request.cookies[COOKIE]

    async def alive() -> bool:
        try:
            return await request.app[LOGINS].session(token, deps.now()) is not None
        except StorageError as error:  # who is logged in cannot be known now: calls ring all the same
            log.warning("session_unchecked", login=user.login, error=str(error))
            return True

    await request.app[HUB].serve(
        ws,
        Page(user.login, session.id, request.transport.abort if request.transport else ws.force_close),
        user.extension,
        tickets=may(Role(user.role), Right.ALL_TICKETS),
        alive=alive,
    )
    return ws


ROUTES = (
    Route("GET", "/", pages.home, Right.DESK),
    Route("GET", "/login", pages.login_page, None),
    Route("POST", "/login", pages.log_in, None),
    Route("POST", "/logout", pages.log_out, Right.DESK),
    Route("POST", "/language", pages.language, None),
    Route("GET", "/ws", socket, None),  # tells nothing to nobody, but with a close code a page understands
    Route("GET", "/desk", pages.desk, Right.DESK),
    Route("GET", "/desk/recent", pages.recent, Right.DESK),
    Route("GET", "/tickets", ticket_pages.tickets, Right.DESK),
    Route("GET", "/tickets/rows", ticket_pages.rows, Right.DESK),
    Route("GET", r"/tickets/{id:\d+}", ticket_pages.ticket, Right.TICKETS),
    Route("POST", r"/tickets/{id:\d+}", ticket_pages.edit, Right.TICKETS),
    Route("POST", r"/tickets/{id:\d+}/notes", ticket_pages.note, Right.TICKETS),
    Route("GET", "/search", search_pages.search, Right.DESK),
    Route("GET", "/calls/{key}", call, Right.DESK),
    Route("GET", "/calls/{key}/state", waiting, Right.DESK),
    Route("GET", r"/calls/{key}/audio/{recording:\d+}/{leg}", audio, Right.DESK),
    Route("GET", "/calls/{key}/export/{format}", export, Right.DESK),
    Route("POST", "/calls/{key}/summary", correct, Right.DESK),
    Route("POST", "/calls/{key}/split", ticket_pages.split, Right.TICKETS),
    Route("GET", "/status", pages.status, Right.STATUS),
    Route("GET", "/api/me", api.me, Right.DESK),
    Route("GET", "/api/tickets", api.tickets, Right.DESK),
    Route("GET", r"/api/tickets/{id:\d+}", api.ticket, Right.TICKETS),
    Route("PATCH", r"/api/tickets/{id:\d+}", api.change_ticket, Right.TICKETS),
    Route("POST", r"/api/tickets/{id:\d+}/notes", api.add_note, Right.TICKETS),
    Route("GET", r"/api/tickets/{id:\d+}/similar", search_pages.similar_json, Right.TICKETS),
    Route("GET", "/api/search", search_pages.search_json, Right.DESK),
    Route("GET", "/api/bursts", search_pages.bursts_json, Right.ALL_TICKETS),
    Route("GET", "/api/calls/{key}", api.call, Right.DESK),
    Route("PATCH", "/api/calls/{key}/summary", correct_json, Right.DESK),
    Route("GET", "/api/corrections", api.corrections, Right.STATUS),
    Route("GET", "/api/status", api.status, Right.STATUS),
)


def guarded(route: Route) -> Handler:
    """A route's handler behind its right: nobody is sent to the login, others are refused."""

    async def handle(request: web.Request) -> web.StreamResponse:
        session = request.get(SESSION)
        if route.right is None:
            return await route.handler(request)
        if session is None:
            if for_a_program(request) or request.method != "GET":
                raise web.HTTPUnauthorized(text="log in first")
            raise web.HTTPSeeOther(f"/login?back={quote(request.path_qs)}")
        if not may(Role(session.user.role), route.right):
            raise web.HTTPForbidden(text=f"this needs the right {route.right.value!r}")
        return await route.handler(request)

    return handle


@web.middleware
async def with_session(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Find out who asks."""
    token = request.cookies.get(COOKIE)
    if token and not request.path.startswith("/static/"):
        session = await request.app[LOGINS].session(token, request.app[DEPS].now())
        if session is not None:
            request[SESSION] = session
    return await handler(request)


async def background(app: web.Application) -> AsyncIterator[None]:
    """Feed the sockets, and speak for the desk where this process has one. What dies here takes the service down."""
    deps = app[DEPS]
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(app[HUB].run()), group.create_task(app[SHARES].run())]
        if deps.voice is not None:
            tasks.append(group.create_task(deps.voice.run()))
        yield
        for task in tasks:
            task.cancel()


def build_app(deps: Deps) -> web.Application:
    """The application, ready to be run."""
    app = web.Application(client_max_size=LARGEST_BODY, middlewares=[told, from_our_pages(deps.origins), with_session])
    app[DEPS] = deps
    app[HUB] = Hub(deps.fanout, deps.beat, near=None if deps.voice is None else deps.voice.name)
    app[SHARES] = Shares(deps.fanout, deps.now)
    app[ASSETS] = Assets()
    app[LOGINS] = Logins(deps.accounts, deps.audit, deps.hasher)
    app[LISTENS] = Listens()
    for route in ROUTES:
        if route.method == "GET":
            app.router.add_get(route.path, guarded(route), allow_head=route.handler is not socket)
        else:
            app.router.add_route(route.method, route.path, guarded(route))
    app.router.add_get("/static/{version}/{name:.+}", app[ASSETS].serve)
    app.on_response_prepare.append(add_headers)
    app.on_shutdown.append(close_sockets)
    app.cleanup_ctx.append(background)
    return app


async def close_sockets(app: web.Application) -> None:
    """Before aiohttp waits for open connections to end."""
    await app[HUB].close()
