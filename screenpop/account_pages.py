"""The page of one's own account: logins, password, second factor.

What somebody proved themselves by is asked for again before anything is changed: a page left open is not the person.
"""

from http import HTTPStatus
from typing import Any

from aiohttp import web

from screenpop import account_words as words
from screenpop.account import WeakError, change_password, end_others, end_session, has_password, own_sessions
from screenpop.accounts import LOGINS, SESSION, LoginError, ThrottledError, come_from, drop_cookie
from screenpop.arriving import on_to
from screenpop.browsers import browser
from screenpop.code_pages import refused, told
from screenpop.deps import DEPS
from screenpop.factors import FACTORS, AlreadyError
from screenpop.forms import form, query
from screenpop.rendering import reader, render
from screenpop.rights import Right
from screenpop.route import Route
from screenpop.row_id import row_id
from screenpop.second_factor import picture
from screenpop.token_pages import token_values

LONGEST = 64  # characters of a code, however it is typed


async def account(request: web.Request) -> web.Response:
    """``GET /account``: ``done`` says what was done a moment ago."""
    done = words.DONE.get(query(request).get("done", ""), "")
    return await _page(request, done=reader(request).say(done))


async def session_ended(request: web.Request) -> web.Response:
    """``POST /account/sessions/{session}/end``: one's own only; this one is a logout."""
    session_id = row_id(request, "session")
    if not await end_session(request, session_id):
        raise web.HTTPNotFound(text="you have no such login")
    if session_id != request[SESSION].id:
        return on_to("/account?done=session")
    response = on_to("/login")
    drop_cookie(request, response)
    return response


async def others_ended(request: web.Request) -> web.Response:
    """``POST /account/sessions/end-others``."""
    await end_others(request)
    return on_to("/account?done=sessions")


async def password(request: web.Request) -> web.Response:
    """``POST /account/password``: ``old``, ``new``, ``again``."""
    fields = await form(request)
    old, new = fields.get("old", ""), fields.get("new", "")
    say = reader(request).say
    if new != fields.get("again", ""):
        return await _page(request, HTTPStatus.UNPROCESSABLE_ENTITY, password_trouble=say(words.DIFFERENT))
    try:
        return await change_password(request, old, new, on_to("/account?done=password"))
    except WeakError as error:
        text = say(words.WEAKNESS[error.why.value])
        return await _page(request, HTTPStatus.UNPROCESSABLE_ENTITY, password_trouble=text)
    except LoginError as error:
        text = say(words.THROTTLED if isinstance(error, ThrottledError) else words.WRONG_PASSWORD)
        return await _page(request, _status(error), password_trouble=text)


async def offered(request: web.Request) -> web.Response:
    """``POST /account/second-factor``: ``password``; a secret for the app."""
    given = (await form(request)).get("password", "")
    session, deps = request[SESSION], request.app[DEPS]
    try:
        await request.app[LOGINS].check(session.user.login, given, come_from(request), deps.now())
        await request.app[FACTORS].offer(session.user, deps.now())
    except LoginError as error:
        text = words.THROTTLED if isinstance(error, ThrottledError) else words.WRONG_PASSWORD
        return await _page(request, _status(error), factor_trouble=reader(request).say(text))
    except AlreadyError:
        return await _already(request)
    return on_to("/account/second-factor")


async def offer_page(request: web.Request) -> web.Response:
    """``GET /account/second-factor``: the secret that waits for its first code."""
    offer = await request.app[FACTORS].waiting(request[SESSION].user, request.app[DEPS].now())
    if offer is None:
        return on_to("/account")
    return render(request, "account_second_factor.html", offer=offer, picture=picture(offer.address), trouble="")


async def confirmed(request: web.Request) -> web.Response:
    """``POST /account/second-factor/confirm``: ``code``, the app's first. Other logins, made without one, end."""
    typed = (await form(request)).get("code", "")[:LONGEST]
    user, factors, now = request[SESSION].user, request.app[FACTORS], request.app[DEPS].now()
    try:
        codes = await factors.confirm(user, typed, come_from(request), now)
    except LoginError as error:
        offer = await factors.waiting(user, now)
        if offer is None:
            return await _already(request)
        values: dict[str, Any] = {"offer": offer, "picture": picture(offer.address)}
        return refused(request, error, "account_second_factor.html", _status(error), **values)
    except AlreadyError:
        return await _already(request)
    await end_others(request)
    return render(request, "recovery_codes.html", codes=codes, onward="/account")


async def removed(request: web.Request) -> web.Response:
    """``POST /account/second-factor/remove``: ``code``."""
    typed = (await form(request)).get("code", "")[:LONGEST]
    user, now = request[SESSION].user, request.app[DEPS].now()
    try:
        await request.app[FACTORS].remove(user, typed, come_from(request), now)
    except LoginError as error:
        return await _page(request, _status(error), factor_trouble=told(request, error))
    except AlreadyError:
        return await _already(request)
    return on_to("/account?done=factor_removed")


async def codes_renewed(request: web.Request) -> web.Response:
    """``POST /account/recovery-codes``: ``code``; other recovery codes, shown once."""
    typed = (await form(request)).get("code", "")[:LONGEST]
    user, now = request[SESSION].user, request.app[DEPS].now()
    try:
        codes = await request.app[FACTORS].renew_codes(user, typed, come_from(request), now)
    except LoginError as error:
        return await _page(request, _status(error), factor_trouble=told(request, error))
    except AlreadyError:
        return await _already(request)
    return render(request, "recovery_codes.html", codes=codes, onward="/account")


async def _already(request: web.Request) -> web.Response:
    return await _page(request, HTTPStatus.CONFLICT, factor_trouble=reader(request).say(words.ALREADY))


async def _page(
    request: web.Request,
    status: int = HTTPStatus.OK,
    *,
    done: str = "",
    password_trouble: str = "",
    factor_trouble: str = "",
) -> web.Response:
    session = request[SESSION]
    return render(
        request,
        "account.html",
        status,
        done=done,
        password_trouble=password_trouble,
        factor_trouble=factor_trouble,
        sessions=[(one, browser(one.browser)) for one in await own_sessions(request)],
        this=session.id,
        has_password=has_password(request.app[DEPS].door, session),
        factor=await request.app[FACTORS].standing(session.user),
        **await token_values(request),
    )


def _status(error: LoginError) -> int:
    """Not 401 or 403: who asks is logged in and may, what was typed is wrong."""
    late = isinstance(error, ThrottledError)
    return HTTPStatus.TOO_MANY_REQUESTS if late else HTTPStatus.UNPROCESSABLE_ENTITY


ROUTES = (
    Route("GET", "/account", account, Right.ACCOUNT),
    Route("POST", "/account/sessions/end-others", others_ended, Right.ACCOUNT),
    Route("POST", r"/account/sessions/{session:\d+}/end", session_ended, Right.ACCOUNT),
    Route("POST", "/account/password", password, Right.ACCOUNT),
    Route("GET", "/account/second-factor", offer_page, Right.ACCOUNT),
    Route("POST", "/account/second-factor", offered, Right.ACCOUNT),
    Route("POST", "/account/second-factor/confirm", confirmed, Right.ACCOUNT),
    Route("POST", "/account/second-factor/remove", removed, Right.ACCOUNT),
    Route("POST", "/account/recovery-codes", codes_renewed, Right.ACCOUNT),
)
