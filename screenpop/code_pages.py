"""The second step of a login: a code of the app, or setting the app up where the role must have one.

Between the steps the browser holds a token that opens nothing but these pages, for ten minutes and five codes.
"""

from http import HTTPStatus
from typing import Any

from aiohttp import web

from screenpop import account_words as words
from screenpop.accounts import LoginError, ThrottledError, come_from, drop_cookie, token_of
from screenpop.arriving import STEP, arrive, on_to, steps
from screenpop.deps import DEPS
from screenpop.factors import FACTORS, AlreadyError, Offer, ShutError
from screenpop.forms import form
from screenpop.rendering import reader, render
from screenpop.route import Route
from screenpop.second_factor import picture
from storage.login_steps import LoginStep

TRIES = 5


async def code_page(request: web.Request) -> web.Response:
    """``GET /login/code``."""
    if await _half(request) is None:
        return _again(request)
    return render(request, "login_code.html", trouble="")


async def code(request: web.Request) -> web.Response:
    """``POST /login/code``: ``code``, of the app or a recovery code."""
    typed = (await form(request)).get("code", "")[:64]
    step = await _attempt(request)
    if step is None:
        return _again(request)
    try:
        await request.app[FACTORS].prove(step.user, typed, come_from(request), request.app[DEPS].now())
        return await arrive(request, step.user, on_to(step.back), step.extension)
    except LoginError as error:
        return refused(request, error, "login_code.html")
    except AlreadyError:  # taken away by the administrator meanwhile
        return _again(request)


async def set_up_page(request: web.Request) -> web.Response:
    """``GET /login/set-up``."""
    step = await _half(request)
    if step is None:
        return _again(request)
    try:
        return _set_up(request, await _offer(request, step))
    except AlreadyError:
        return on_to("/login/code")


async def set_up(request: web.Request) -> web.Response:
    """``POST /login/set-up``: ``code``, the app's first."""
    typed = (await form(request)).get("code", "")[:64]
    step = await _attempt(request)
    if step is None:
        return _again(request)
    factors, now = request.app[FACTORS], request.app[DEPS].now()
    try:
        codes = await factors.confirm(step.user, typed, come_from(request), now)
    except LoginError as error:
        offer = await factors.waiting(step.user, now)
        return _again(request) if offer is None else _set_up(request, offer, error)
    except AlreadyError:
        return on_to("/login/code")
    page = render(request, "recovery_codes.html", codes=codes, onward=step.back)
    return await arrive(request, step.user, page, step.extension)


def told(request: web.Request, error: LoginError) -> str:
    """What somebody is told whose code was not taken."""
    text = {ThrottledError: words.THROTTLED, ShutError: words.SHUT}.get(type(error), words.WRONG_CODE)
    return reader(request).say(text)


def refused(
    request: web.Request, error: LoginError, template: str, /, code: int = HTTPStatus.UNAUTHORIZED, **values: Any
) -> web.Response:
    """A page again, with what was wrong. ``code``: unless somebody is too fast, which is 429."""
    late = isinstance(error, ThrottledError)
    page = render(
        request, template, HTTPStatus.TOO_MANY_REQUESTS if late else code, trouble=told(request, error), **values
    )
    if isinstance(error, ThrottledError):
        page.headers["Retry-After"] = str(int(error.wait))
    return page


def _set_up(request: web.Request, offer: Offer, error: LoginError | None = None) -> web.Response:
    values: dict[str, Any] = {"offer": offer, "picture": picture(offer.address)}
    if error is None:
        return render(request, "login_set_up.html", trouble="", **values)
    return refused(request, error, "login_set_up.html", **values)


async def _offer(request: web.Request, step: LoginStep) -> Offer:
    factors, now = request.app[FACTORS], request.app[DEPS].now()
    return await factors.waiting(step.user, now) or await factors.offer(step.user, now)


async def _half(request: web.Request) -> LoginStep | None:
    return await steps(request).look(token_of(request, STEP) or "", request.app[DEPS].now())


async def _attempt(request: web.Request) -> LoginStep | None:
    return await steps(request).attempt(token_of(request, STEP) or "", request.app[DEPS].now(), TRIES)


def _again(request: web.Request) -> web.Response:
    response = on_to("/login?why=over" if token_of(request, STEP) else "/login")
    drop_cookie(request, response, STEP)
    return response


ROUTES = (
    Route("GET", "/login/code", code_page, None),
    Route("POST", "/login/code", code, None),
    Route("GET", "/login/set-up", set_up_page, None),
    Route("POST", "/login/set-up", set_up, None),
)
