"""``GET /healthz``: whether this process can serve, for proxies and watchdogs. Tells nobody more than that."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import web

from storage.trouble import StorageError


class Health:
    """200 while the database answers, 503 while it does not.

    ``pbx`` in the answer says whether every PBX is connected; one that is away is no reason to send agents elsewhere.
    """

    def __init__(self, status: Callable[[], Awaitable[Mapping[str, Any]]]) -> None:
        self._status = status

    async def page(self, _request: web.Request) -> web.Response:
        """The answer, as JSON of three booleans."""
        try:
            told = await self._status()
        except StorageError:
            return web.json_response({"ok": False, "database": False, "pbx": None}, status=503)
        database = told["database"] is None
        pbx = all(link["link"] == "up" for link in told["pbx"])
        return web.json_response({"ok": database, "database": database, "pbx": pbx}, status=200 if database else 503)
