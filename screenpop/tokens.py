"""Programs with a token: who they ask for, for what, and how often.

``Authorization: Bearer hotline_...``. A program may what its owner may, within the token's scopes, on the routes that
the API's document names, and nothing else; a cookie that comes along is not looked at. It holds no browser's cookies,
so that the checks against other sites' pages are not for it. How much it may ask is counted in this process.
"""

import asyncio
import math
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from aiohttp import web
from aiohttp.hdrs import AUTHORIZATION

from screenpop.accounts import SESSION, come_from
from screenpop.deps import DEPS
from screenpop.meter import Meter
from screenpop.rights import Right, Role
from screenpop.route import Route, Scope
from storage.accounts import Session
from storage.audit import by_token
from storage.tokens import PREFIX, Token

RENEW = 60.0  # seconds; a token's last use is written down at most this often

NEEDS = {  # a scope is worth nothing to whoever lacks the right
    Scope.CALLS: Right.READ,
    Scope.TICKETS: Right.READ,
    Scope.WRITE: Right.TICKETS,
    Scope.DESK: Right.DESK,
    Scope.NUMBERS: Right.NUMBERS,
    Scope.AUDIT: Right.AUDIT,
    Scope.PRIVACY: Right.PRIVACY,
    Scope.STATUS: Right.STATUS,
}

PROGRAM: web.RequestKey[Token] = web.RequestKey("program", Token)

log = structlog.get_logger()


METER: web.AppKey[Meter] = web.AppKey("meter", Meter)


def bearer(request: web.Request) -> str | None:
    """What a program shows; None where none asks, or where it is for another door of the service than ours."""
    scheme, _, shown = request.headers.get(AUTHORIZATION, "").partition(" ")
    ours = shown.strip().startswith(PREFIX) or request.path.startswith("/api/")
    return shown.strip() if scheme.lower() == "bearer" and ours else None


async def enter(request: web.Request, shown: str) -> Token:
    """Let a program in: the request's session is its owner's from here on. Raises 401 and 429."""
    deps = request.app[DEPS]
    now = deps.now()
    holder = await deps.tokens.holder(shown, now)
    if holder is None or holder.user.role not in set(Role):
        raise web.HTTPUnauthorized(
            text="this token opens nothing: it is unknown, revoked or expired",
            headers={"WWW-Authenticate": 'Bearer error="invalid_token"'},
        )
    token = holder.token
    wait = request.app[METER].take(token.id, asyncio.get_running_loop().time())
    if wait:
        raise web.HTTPTooManyRequests(
            text="this token asks too much", headers={"Retry-After": str(max(1, math.ceil(wait)))}
        )
    ip = come_from(request).ip
    if token.used is None or not 0 <= now - token.used < RENEW:
        await deps.tokens.used(token.id, now, ip)
    request[PROGRAM] = token
    request[SESSION] = Session(
        id=-token.id,  # no login's: what counts by session counts for each program apart
        user=holder.user,
        created=token.created,
        seen=now,
        expires=math.inf if token.expires is None else token.expires,
        ip=ip,
        browser=None,
        extension=holder.extension,
    )
    return token


def within(route: Route, token: Token) -> None:
    """Refuse a route that the token is not for (403)."""
    if route.api is None or route.api.people:
        raise web.HTTPForbidden(text="this is for people, not for programs")
    scope = route.api.scope
    if scope is not None and scope.value not in token.scopes:
        raise web.HTTPForbidden(
            text=f"this needs a token with the scope {scope.value!r}",
            headers={"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{scope.value}"'},
        )


@contextmanager
def named(token: Token) -> Iterator[None]:
    """What is done inside is done by this program: log and audit name it."""
    with by_token(token.name), structlog.contextvars.bound_contextvars(token=token.id):
        yield
