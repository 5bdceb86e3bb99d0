"""The pages everybody has: login, desk, status, and the choice of language."""

from collections.abc import Sequence

from aiohttp import web

from screenpop import account_words
from screenpop.accounts import (
    LOGINS,
    SESSION,
    ThrottledError,
    WrongError,
    come_from,
    drop_cookie,
    secure,
    token_of,
)
from screenpop.arriving import proceed
from screenpop.deps import DEPS, HUB
from screenpop.finding import asker
from screenpop.forms import form, query
from screenpop.i18n import LANGUAGES
from screenpop.oidc import goodbye
from screenpop.rendering import LANGUAGE_COOKIE, reader, render
from screenpop.rights import Right, Role, may
from screenpop.seats import extension_of, phones, remember, remembered
from screenpop.ways_back import back
from storage.pages import CallItem

YEAR = 365 * 24 * 3600
RECENT = 40
MONTH = 30 * 24 * 3600.0


async def home(request: web.Request) -> web.Response:
    """``GET /``: whoever has a phone to the desk, supervisors without one to the tickets."""
    session = request[SESSION]
    user = session.user
    place = "/desk" if session.extension or not may(Role(user.role), Right.ALL_TICKETS) else "/tickets"
    raise web.HTTPSeeOther(place)


async def login_page(request: web.Request) -> web.Response:
    """``GET /login``."""
    if SESSION in request:
        raise web.HTTPSeeOther("/")
    asked = query(request)
    trouble = reader(request).say(account_words.WHY_NOT.get(asked.get("why", ""), ""))
    return _login_form(request, 200, trouble, place=back(asked.get("back", "/")))


async def log_in(request: web.Request) -> web.Response:
    """``POST /login``: ``login``, ``password``, ``extension`` (empty: one's own), ``back``."""
    fields = await form(request)
    login, password = fields.get("login", "").strip()[:64], fields.get("password", "")[:1024]
    place, seat = back(fields.get("back", "/")), fields.get("extension", "").strip()[:32]
    deps = request.app[DEPS]
    say = reader(request).say
    if not deps.door.passwords:
        return _login_form(request, 403, say(account_words.NO_PASSWORDS), place=place)
    try:
        extension = extension_of(seat)
        user = await request.app[LOGINS].check(login, password, come_from(request), deps.now())
        response = await proceed(request, user, place, extension)
    except ValueError:
        return _login_form(request, 400, say(account_words.EXTENSION), login=login, place=place, seat=seat)
    except WrongError:
        return _login_form(request, 401, say(account_words.WRONG), login=login, place=place, seat=seat)
    except ThrottledError as error:
        page = _login_form(request, 429, say(account_words.THROTTLED), login=login, place=place, seat=seat)
        page.headers["Retry-After"] = str(int(error.wait))
        return page
    if extension is not None:
        remember(request, response, extension)
    return response


def _login_form(
    request: web.Request, status: int, trouble: str, *, place: str, login: str = "", seat: str | None = None
) -> web.Response:
    """The form, filled in as it was; ``seat`` None: with the phone named last in this browser."""
    phone = remembered(request) if seat is None else seat
    return render(
        request,
        "login.html",
        status,
        trouble=trouble,
        login=login,
        back=place,
        extension=phone,
        phones=phones(request.app[DEPS]),
        door=request.app[DEPS].door,
    )


async def log_out(request: web.Request) -> web.Response:
    """``POST /logout``: the session ends, on open desks too."""
    session = request[SESSION]
    response = await goodbye(request, session)
    await request.app[LOGINS].log_out(token_of(request) or "", session, request.app[DEPS].now())
    request.app[HUB].end_session(session.id)
    drop_cookie(request, response)
    return response


async def language(request: web.Request) -> web.Response:
    """``POST /language``: ``language`` is kept in the browser for a year."""
    fields = await form(request)
    chosen = fields.get("language", "")
    if chosen not in LANGUAGES:
        raise web.HTTPBadRequest(text=f"language is one of {', '.join(LANGUAGES)}")
    response = web.Response(status=303, headers={"Location": back(fields.get("back", "/"))})
    response.set_cookie(LANGUAGE_COOKIE, chosen, max_age=YEAR, samesite="Lax", path="/", secure=secure(request))
    return response


async def recent(request: web.Request) -> web.Response:
    """``GET /desk/recent``: the list beside the cards, alone."""
    return render(request, "_recent.html", calls=await recent_calls(request))


async def recent_calls(request: web.Request) -> Sequence[CallItem]:
    """Today's calls this agent talked in, newest first. Today begins at midnight on the site's clock."""
    deps = request.app[DEPS]
    midnight = reader(request).moment(deps.now()).replace(hour=0, minute=0, second=0, microsecond=0).timestamp()
    return await deps.reads.calls_today(midnight, by=asker(request[SESSION]), limit=RECENT)


async def status(request: web.Request) -> web.Response:
    """``GET /status``: links to the PBXs and jobs, as the rest of the house tells them."""
    deps = request.app[DEPS]
    told = await deps.status()
    corrected = await deps.reads.corrected(deps.now() - MONTH)
    return render(request, "status.html", told=told, pages=len(request.app[HUB]), corrected=corrected)
