"""One's own account in JSON: what its page does. Only for people logged in themselves, never for a program's token."""

from http import HTTPStatus

from aiohttp import web

from screenpop.account import WeakError, change_password, end_others, end_session, has_password, own_sessions
from screenpop.accounts import LOGINS, SESSION, LoginError, ThrottledError, come_from, drop_cookie
from screenpop.answers.account import (
    Account,
    Code,
    Ended,
    Login,
    LoginList,
    NewPassword,
    Proven,
    RecoveryCodes,
    SecondFactor,
    Secret,
)
from screenpop.deps import DEPS
from screenpop.errors import problem
from screenpop.factors import FACTORS, AlreadyError, ShutError
from screenpop.rights import Right, Role
from screenpop.route import Api, Route
from screenpop.row_id import row_id
from screenpop.shapes import answer, body, done


async def account(request: web.Request) -> web.Response:
    """``GET /api/account``."""
    session = request[SESSION]
    user = session.user
    factor = SecondFactor.of(await request.app[FACTORS].standing(user))
    return answer(
        Account(
            login=user.login,
            name=user.name,
            role=Role(user.role),
            password=has_password(request.app[DEPS].door, session),
            second_factor=factor,
        )
    )


async def sessions(request: web.Request) -> web.Response:
    """``GET /api/account/sessions``."""
    this = request[SESSION].id
    return answer(LoginList(sessions=tuple(Login.of(one, this) for one in await own_sessions(request))))


async def session_ended(request: web.Request) -> web.Response:
    """``DELETE /api/account/sessions/{session}``."""
    session_id = row_id(request, "session")
    if not await end_session(request, session_id):
        raise web.HTTPNotFound(text="you have no such login")
    response = done()
    if session_id == request[SESSION].id:
        drop_cookie(request, response)
    return response


async def others_ended(request: web.Request) -> web.Response:
    """``DELETE /api/account/sessions``: all but this one."""
    return answer(Ended(ended=await end_others(request)))


async def password(request: web.Request) -> web.Response:
    """``POST /api/account/password``: the cookie of this login is another one afterwards."""
    sent = await body(request, NewPassword)
    try:
        return await change_password(request, sent.old, sent.new, done())
    except WeakError as error:
        return problem(HTTPStatus.UNPROCESSABLE_ENTITY, "Unprocessable Content", str(error), refusal="password")
    except LoginError as error:
        return unproven(error, "the present password is wrong")


async def offered(request: web.Request) -> web.Response:
    """``POST /api/account/second-factor``."""
    sent = await body(request, Proven)
    user, now = request[SESSION].user, request.app[DEPS].now()
    try:
        await request.app[LOGINS].check(user.login, sent.password, come_from(request), now)
        return answer(Secret.of(await request.app[FACTORS].offer(user, now)))
    except LoginError as error:
        return unproven(error, "the present password is wrong")
    except AlreadyError as error:
        return _already(error)


async def confirmed(request: web.Request) -> web.Response:
    """``POST /api/account/second-factor/confirm``."""
    sent = await body(request, Code)
    user, now = request[SESSION].user, request.app[DEPS].now()
    try:
        codes = await request.app[FACTORS].confirm(user, sent.code, come_from(request), now)
    except LoginError as error:
        return unproven(error, "the code is wrong, or was used before")
    except AlreadyError as error:
        return _already(error)
    await end_others(request)
    return answer(RecoveryCodes(recovery_codes=tuple(codes)))


async def removed(request: web.Request) -> web.Response:
    """``POST /api/account/second-factor/remove``."""
    sent = await body(request, Code)
    user, now = request[SESSION].user, request.app[DEPS].now()
    try:
        await request.app[FACTORS].remove(user, sent.code, come_from(request), now)
    except LoginError as error:
        return unproven(error, "the code is wrong, or was used before")
    except AlreadyError as error:
        return _already(error)
    return done()


async def codes_renewed(request: web.Request) -> web.Response:
    """``POST /api/account/recovery-codes``."""
    sent = await body(request, Code)
    user, now = request[SESSION].user, request.app[DEPS].now()
    try:
        codes = await request.app[FACTORS].renew_codes(user, sent.code, come_from(request), now)
    except LoginError as error:
        return unproven(error, "the code is wrong, or was used before")
    except AlreadyError as error:
        return _already(error)
    return answer(RecoveryCodes(recovery_codes=tuple(codes)))


def unproven(error: LoginError, why: str) -> web.Response:
    """Who is there did not prove it: 422 with why, 429 where they are to wait."""
    if isinstance(error, ThrottledError):
        late = problem(HTTPStatus.TOO_MANY_REQUESTS, "Too many failures", str(error))
        late.headers["Retry-After"] = str(int(error.wait))
        return late
    if isinstance(error, ShutError):
        why = "too many wrong codes: only a recovery code will do"
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, "Unprocessable Content", why, refusal="proof")


def _already(error: AlreadyError) -> web.Response:
    return problem(HTTPStatus.CONFLICT, "Conflict", str(error))


_FAULTS = (400, 413, 415, 422, 429)

ROUTES = (
    Route("GET", "/api/account", account, Right.ACCOUNT, Api("One's own account", None, Account, people=True)),
    Route(
        "GET",
        "/api/account/sessions",
        sessions,
        Right.ACCOUNT,
        Api("Where one is logged in", None, LoginList, people=True),
    ),
    Route(
        "DELETE",
        "/api/account/sessions",
        others_ended,
        Right.ACCOUNT,
        Api("End all other logins of one's own", None, Ended, people=True),
    ),
    Route(
        "DELETE",
        r"/api/account/sessions/{session:\d+}",
        session_ended,
        Right.ACCOUNT,
        Api("End a login of one's own; its open pages close at once", None, status=204, people=True),
    ),
    Route(
        "POST",
        "/api/account/password",
        password,
        Right.ACCOUNT,
        Api(
            "Change one's password: all other logins end, this one has another cookie",
            None,
            body=NewPassword,
            status=204,
            errors=_FAULTS,
            people=True,
        ),
    ),
    Route(
        "POST",
        "/api/account/second-factor",
        offered,
        Right.ACCOUNT,
        Api(
            "A secret for an authenticator app, shown until confirmed",
            None,
            Secret,
            Proven,
            errors=(*_FAULTS, 409),
            people=True,
        ),
    ),
    Route(
        "POST",
        "/api/account/second-factor/confirm",
        confirmed,
        Right.ACCOUNT,
        Api(
            "The app's first code: it is asked for from now on",
            None,
            RecoveryCodes,
            Code,
            errors=(*_FAULTS, 409),
            people=True,
        ),
    ),
    Route(
        "POST",
        "/api/account/second-factor/remove",
        removed,
        Right.ACCOUNT,
        Api("No code is asked for any more", None, body=Code, status=204, errors=(*_FAULTS, 409), people=True),
    ),
    Route(
        "POST",
        "/api/account/recovery-codes",
        codes_renewed,
        Right.ACCOUNT,
        Api(
            "Other recovery codes instead of those before",
            None,
            RecoveryCodes,
            Code,
            errors=(*_FAULTS, 409),
            people=True,
        ),
    ),
)
