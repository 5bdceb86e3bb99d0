"""The web application: every route with the right it asks for, and what lives as long as the app does.

``build_app(deps)`` is all the rest of the house uses. It opens nothing by itself: database, fan-out and desk come in
:class:`screenpop.deps.Deps` and are closed by whoever opened them.
"""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from urllib.parse import quote

from aiohttp import web
from aiohttp.typedefs import Handler

from screenpop.accounts import LOGINS, SESSION, Logins, token_of
from screenpop.api_docs import ROUTED
from screenpop.assets import Assets
from screenpop.audio import LISTENS
from screenpop.deps import ASSETS, DEPS, HUB, SHARES, Deps
from screenpop.endings import ENDINGS, Endings
from screenpop.errors import for_a_program, told
from screenpop.factors import FACTORS, Factors
from screenpop.hub import Hub
from screenpop.lately import Lately
from screenpop.meter import Meter
from screenpop.numbers import LOOKS
from screenpop.peaks import OUTLINES, Outlines
from screenpop.progress import Shares
from screenpop.rights import Role, may
from screenpop.route import Route
from screenpop.routes import ROUTES
from screenpop.seats import sat_down, stood_up
from screenpop.security import add_headers, from_our_pages
from screenpop.sockets import socket
from screenpop.tokens import METER, PROGRAM, bearer, enter, named, within
from screenpop.watching import ended

LARGEST_BODY = 256 * 1024


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
        if (program := request.get(PROGRAM)) is not None:
            within(route, program)
        if not may(Role(session.user.role), route.right):
            raise web.HTTPForbidden(text=f"this needs the right {route.right.value!r}")
        return await route.handler(request)

    return handle


@web.middleware
async def with_session(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Find out who asks: a program with its token, or a browser."""
    if request.path.startswith("/static/"):
        return await handler(request)
    if (shown := bearer(request)) is not None:
        with named(await enter(request, shown)):
            return await handler(request)
    if token := token_of(request):
        session = await request.app[LOGINS].session(token, request.app[DEPS].now())
        if session is not None:
            request[SESSION] = session
    return await handler(request)


async def background(app: web.Application) -> AsyncIterator[None]:
    """Feed the sockets, and speak for the desk where this process has one. What dies here takes the service down."""
    deps = app[DEPS]
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(app[part].run()) for part in (HUB, SHARES, ENDINGS)]
        if deps.voice is not None:
            tasks.append(group.create_task(deps.voice.run()))
        if deps.standings is not None:
            tasks.append(group.create_task(deps.standings.run()))
        yield
        for task in tasks:
            task.cancel()


def build_app(deps: Deps) -> web.Application:
    """The application, ready to be run."""
    app = web.Application(client_max_size=LARGEST_BODY, middlewares=[told, from_our_pages(deps.origins), with_session])
    app[DEPS] = deps
    near = None if deps.voice is None else deps.voice.name
    app[HUB] = Hub(deps.fanout, deps.beat, near=near, ended=partial(ended, app))
    app[SHARES] = Shares(deps.fanout, deps.now)
    app[ASSETS] = Assets()
    app[LOGINS] = Logins(deps.accounts, deps.audit, deps.hasher, partial(sat_down, deps), partial(stood_up, deps))
    app[ENDINGS] = Endings(deps.fanout, app[HUB])
    app[FACTORS] = Factors(deps.accounts, deps.audit, deps.door, site=deps.site)
    app[LISTENS] = Lately()
    app[LOOKS] = Lately()
    app[METER] = Meter(deps.rate)
    app[ROUTED] = ROUTES
    app[OUTLINES] = Outlines()
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
