"""Logging in by an identity provider: there and back again, and out.

The browser holds one random secret for ten minutes; state, nonce and the proof of the code (PKCE) are made of it, so
strangers who begin logins leave nothing in the database, and an answer counts only in the browser that asked.
"""

import hashlib
import hmac
import secrets
from urllib.parse import quote, unquote

import structlog
from aiohttp import web

from screenpop.accounts import COOKIE, LoginError, come_from, drop_cookie, secure, set_cookie, token_of
from screenpop.arriving import arrive, on_to
from screenpop.deps import DEPS
from screenpop.forms import query
from screenpop.identity import StrangerError, person
from screenpop.oidc_claims import TokenError
from screenpop.oidc_provider import Provider, ProviderError
from screenpop.rendering import render
from screenpop.rights import Role
from screenpop.route import Route
from screenpop.seats import remembered
from screenpop.ways_back import back
from storage.accounts import Session
from storage.audit import What
from storage.identities import Identities

FLOW = f"{COOKIE}_oidc"
LASTS = 600.0  # seconds
LONGEST_BACK = 1000

log = structlog.get_logger()


async def begin(request: web.Request) -> web.Response:
    """``GET /login/oidc``: ``back``; on to the provider."""
    provider = _provider(request)
    place = back(query(request).get("back", "/"))
    secret = secrets.token_urlsafe(32)
    try:
        away = await provider.entrance(
            state=_made(secret, "state"),
            nonce=_made(secret, "nonce"),
            verifier=_made(secret, "verifier"),
            redirect=_ours(request, provider, "/login/oidc/back"),
        )
    except ProviderError as error:
        return _refused(request, "provider", error)
    until = int(request.app[DEPS].now() + LASTS)
    response = on_to(away)
    kept = f"{secret}.{until}.{quote(place if len(place) <= LONGEST_BACK else '/', safe='')}"
    set_cookie(request, response, kept, FLOW, LASTS)
    return response


async def returned(request: web.Request) -> web.Response:
    """``GET /login/oidc/back``: ``state`` and ``code``, or ``error``."""
    provider, said = _provider(request), query(request)
    secret, place = _flow(request)
    if not secret or not hmac.compare_digest(said.get("state", "").encode(), _made(secret, "state").encode()):
        return _refused(request, "identity", TokenError("its answer belongs to no login of this browser"))
    deps, come = request.app[DEPS], come_from(request)
    try:
        if said.get("iss", provider.terms.issuer) != provider.terms.issuer or (
            "iss" not in said and await provider.names_itself()
        ):
            raise TokenError(f"its answer is from {said.get('iss')!r}")  # noqa: TRY301 - one place tells them all
        if "code" not in said:
            raise TokenError(f"it refused: {said.get('error', '')[:100]!r}")  # noqa: TRY301
        claims, token = await provider.who(
            said["code"][:2000],
            nonce=_made(secret, "nonce"),
            verifier=_made(secret, "verifier"),
            redirect=_ours(request, provider, "/login/oidc/back"),
        )
        user = await person(deps, provider.terms, claims, come)
        seat = None if user.extension else remembered(request) if user.role == Role.AGENT.value else None
        response = await arrive(request, user, on_to(place), seat or None, id_token=token)
    except ProviderError as error:
        return _refused(request, "provider", error)
    except TokenError as error:
        await deps.audit.add("", What.LOGIN_REFUSED, "", deps.now(), {"provider": str(error)[:300]}, ip=come.ip)
        return _refused(request, "identity", error)
    except (StrangerError, LoginError) as error:
        return _refused(request, "stranger", error)
    drop_cookie(request, response, FLOW)
    return response


async def goodbye(request: web.Request, session: Session) -> web.Response:
    """Where a browser goes that logs out here: to the login, or by way of the provider that let it in.

    To be asked while the session is there. A page and not a redirect: a form of ours may lead nowhere else.
    """
    deps = request.app[DEPS]
    provider = deps.door.provider
    token = None if provider is None else await Identities(deps.accounts.db).id_token(session.id)
    if provider is None or token is None:
        return on_to("/login")
    try:
        away = await provider.exit(token, _ours(request, provider, "/login"))
    except ProviderError as error:
        log.warning("provider_trouble", error=str(error))
        return on_to("/login")
    return on_to("/login") if away is None else render(request, "logged_out.html", away=away)


def _flow(request: web.Request) -> tuple[str, str]:
    """Secret and way back of the login that this browser began; '' when there is none, or too long ago."""
    secret, _, rest = (token_of(request, FLOW) or "").partition(".")
    until, _, place = rest.partition(".")
    late = not until.isdecimal() or not until.isascii() or int(until[:12]) < request.app[DEPS].now()
    return ("", "/") if late else (secret, back(unquote(place)))


def _made(secret: str, what: str) -> str:
    return hmac.new(secret.encode("utf-8", "replace"), what.encode(), hashlib.sha256).hexdigest()


def _ours(request: web.Request, provider: Provider, path: str) -> str:
    scheme = "https" if secure(request) else "http"
    return (provider.terms.url or f"{scheme}://{request.host}").rstrip("/") + path


def _provider(request: web.Request) -> Provider:
    provider = request.app[DEPS].door.provider
    if provider is None:
        raise web.HTTPNotFound(text="no identity provider is configured")
    return provider


def _refused(request: web.Request, why: str, error: Exception) -> web.Response:
    log.warning("provider_login_refused", why=why, error=str(error))
    response = on_to(f"/login?why={why}")
    drop_cookie(request, response, FLOW)
    return response


ROUTES = (
    Route("GET", "/login/oidc", begin, None),
    Route("GET", "/login/oidc/back", returned, None),
)
