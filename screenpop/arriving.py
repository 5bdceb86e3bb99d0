"""Somebody proved who they are: a new session in their browser, and on to where they wanted to go.

A login never goes on with what a browser had before: an older session of it ends, and the token is always a new one,
so that nobody can plant one and wait.
"""

from aiohttp import web

from screenpop.accounts import COOKIE, LOGINS, SESSION, come_from, drop_cookie, know, set_cookie, token_of
from screenpop.deps import DEPS
from screenpop.endings import ENDINGS
from screenpop.factors import FACTORS
from storage.accounts import User
from storage.identities import Identities
from storage.login_steps import LoginSteps

STEP = f"{COOKIE}_step"  # the cookie of a login half done
STEP_LASTS = 600.0  # seconds


def steps(request: web.Request) -> LoginSteps:
    """Logins half done."""
    return LoginSteps(request.app[DEPS].accounts.db)


def on_to(place: str) -> web.Response:
    """The browser goes there. Not raised, so that cookies can be set on it."""
    return web.Response(status=303, headers={"Location": place})


async def proceed(request: web.Request, user: User, place: str, extension: str | None = None) -> web.Response:
    """The password was right: on to the second factor where one is asked for, else logged in. Raises LoginError."""
    factors, now = request.app[FACTORS], request.app[DEPS].now()
    asked = await factors.asked_of(user)
    if not asked and not factors.required(user):
        return await arrive(request, user, on_to(place), extension)
    token = await steps(request).begin(user, extension, place, now + STEP_LASTS, now)
    response = on_to("/login/code" if asked else "/login/set-up")
    set_cookie(request, response, token, STEP, STEP_LASTS)
    return response


async def arrive(
    request: web.Request,
    user: User,
    response: web.Response,
    extension: str | None = None,
    *,
    id_token: str | None = None,
) -> web.Response:
    """Logged in: the response with a new session in it. ``id_token``: by whose word, told back at the logout.

    Raises LoginError.
    """
    logins, now = request.app[LOGINS], request.app[DEPS].now()
    old = request.get(SESSION)
    if old is not None:
        await logins.log_out(token_of(request) or "", old, now)
        await request.app[ENDINGS].tell([old.id])
    half = token_of(request, STEP)
    if half:
        await steps(request).end(half)
        drop_cookie(request, response, STEP)
    token = await logins.open(user, come_from(request), now, extension)
    if id_token is not None:
        await Identities(request.app[DEPS].accounts.db).keep(token, id_token)
    set_cookie(request, response, token)
    know(request, response, user)
    return response
