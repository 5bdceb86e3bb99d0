"""Routing over HTTP, for ``CURL()`` in a dialplan: ``GET /route?did=&caller=&menu=&call=&pbx=``.

Answers as a form, which Asterisk reads with ``CURLOPT(hashcompat)``, or as JSON to who asks for it. Every question
carries the token; what goes wrong is a status and one line of text.
"""

import hmac
from urllib.parse import urlencode

from aiohttp import web

from hotline.routing import Question, Router
from telephony.routing import words

TOKEN = "X-Hotline-Token"  # noqa: S105 - the name of a header
LONGEST = 200  # characters of one value

_FORM = "application/x-www-form-urlencoded"


class RouteApp:
    """The one page of an application of its own."""

    def __init__(self, router: Router, token: str) -> None:
        self._router, self._token = router, token.encode()
        self.refused = 0

    def build(self) -> web.Application:
        """The application."""
        app = web.Application(client_max_size=1024)
        app.router.add_get("/route", self._route)
        return app

    async def _route(self, request: web.Request) -> web.Response:
        given = request.headers.get(TOKEN, "").encode("utf-8", "surrogateescape")
        if not hmac.compare_digest(given, self._token):
            self.refused += 1
            raise web.HTTPForbidden(text=f"{TOKEN} is missing or wrong\n")
        asked = {name: request.query.get(name) or None for name in ("did", "caller", "menu", "call", "pbx")}
        if asked["did"] is None or any(value is not None and len(value) > LONGEST for value in asked.values()):
            self.refused += 1
            raise web.HTTPBadRequest(text=f"did is missing, or something is longer than {LONGEST} characters\n")
        question = Question(
            did=asked["did"],
            caller=asked["caller"],
            menu=asked["menu"],
            call=asked["call"],
            pbx=asked["pbx"],
            peer=request.remote or "",
        )
        answer = words(await self._router.route(question))
        if "application/json" in request.headers.get("Accept", ""):
            return web.json_response(answer)
        return web.Response(text=urlencode(answer), content_type=_FORM)
