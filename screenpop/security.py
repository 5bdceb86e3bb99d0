"""What keeps other sites' pages away from ours: where a request came from, and what a page of ours may load.

No token in forms: a session cookie is ``SameSite=Lax``, and every request that could change something, and every
WebSocket, must besides come from our own page. Browsers say so in ``Sec-Fetch-Site`` and ``Origin``, which scripts of
other sites cannot forge. A request that says neither comes from a program, which holds no browser's cookies.
"""

import re
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.hdrs import AUTHORIZATION, ORIGIN, UPGRADE
from aiohttp.typedefs import Handler, Middleware

_PORT = re.compile(r":[^\]]*$")
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})

POLICY = (
    "default-src 'self'; "
    "img-src 'self' data:; "  # Tabler draws its form controls with data: images
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


def own(request: web.Request, origins: frozenset[str] = frozenset()) -> bool:
    """Whether a browser sent this from a page of ours. ``origins``: further ``https://host`` we are known as.

    Hosts are compared, not schemes: behind a proxy that ends TLS we see http where the browser says https.
    """
    site = request.headers.get("Sec-Fetch-Site")
    origin = request.headers.get(ORIGIN)
    if origin is not None and origin not in origins and _host(origin) != request.host:
        return False
    if site is not None:
        return site == "same-origin" or origin in origins
    return True


def _host(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc
    except ValueError:  # as "http://[" is
        return None


def unsafe(request: web.Request) -> bool:
    """Whether a request could change something, or opens a socket that tells things."""
    return request.method not in SAFE or UPGRADE in request.headers


def by_a_program(request: web.Request) -> bool:
    """Whether a token is shown: then no cookie counts, and no page of another site can have sent it unasked."""
    return request.headers.get(AUTHORIZATION, "").lower().startswith("bearer ") and UPGRADE not in request.headers


def from_our_pages(origins: frozenset[str]) -> Middleware:
    """Refuse what another site's page sends."""

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        if unsafe(request) and not by_a_program(request) and not own(request, origins):
            raise web.HTTPForbidden(text="this request did not come from a page of this service")
        return await handler(request)

    return check


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """On every answer, errors too; pages are not kept in caches, as the next person at a desk is another one."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers["Server"] = "hotline"  # aiohttp would tell versions
    if "Cache-Control" not in response.headers:
        response.headers["Cache-Control"] = "private, no-store"
    # It holds for every port of the host: a PBX's own pages, by http on the machine we share, would be shut for a year.
    if request.secure and not _PORT.search(request.host):
        response.headers["Strict-Transport-Security"] = "max-age=31536000"
