"""Exchanges with a real system over HTTP, recorded once and played again in every test run.

Recording passes requests on and keeps what came back, shortened by ``trim``; the connector gets the shortened answer
too, so that a recording that lacks something shows at once. Playing answers a request by what was recorded for just
that request, the next one each time it is repeated, the last one from then on.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self

from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

Trim = Callable[[str, Any, Any], Any]  # path, request, answer -> what is kept of the answer
SECRET = "KEY"
ADDRESS = "http://recorded.example"


class Tape:
    """A server on this machine: over ``target`` (recording) or over ``file`` alone (playing).

    ``secret`` is kept out of what is recorded; ``facts`` are what the recording's customers and keys were.
    """

    def __init__(self, file: Path, target: str | None = None, trim: Trim | None = None, secret: str = SECRET) -> None:
        self._file, self._target, self._trim, self._secret = file, target, trim, secret
        held = json.loads(file.read_text(encoding="utf-8")) if target is None else {"facts": {}, "exchanges": []}
        self.facts: dict[str, Any] = held["facts"]
        self._exchanges: list[dict[str, Any]] = held["exchanges"]
        self._played: dict[str, int] = {}
        self.unknown: list[str] = []
        app = web.Application(client_max_size=1 << 24)
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._server = TestServer(app)
        self._session: ClientSession | None = None

    @property
    def url(self) -> str:
        """Where the connector should go."""
        return str(self._server.make_url("")).rstrip("/")

    async def __aenter__(self) -> Self:
        await self._server.start_server()
        self._session = ClientSession() if self._target else None
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()
        await self._server.close()

    def keep(self) -> None:
        """Write what was recorded."""
        whole = {"facts": self.facts, "exchanges": self._exchanges}
        self._file.parent.mkdir(exist_ok=True)
        self._file.write_text(json.dumps(whole, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")

    async def _answer(self, request: web.Request) -> web.Response:
        body = json.loads(await request.read() or b"null")
        asked = {"method": request.method, "path": request.path, "body": self._same(body)}
        if self._target is None:
            return self._play(asked)
        return await self._record(request, body, asked)

    def _play(self, asked: Mapping[str, Any]) -> web.Response:
        name = json.dumps(asked, ensure_ascii=False, sort_keys=True)
        fitting = [each for each in self._exchanges if each["asked"] == asked]
        if not fitting:
            self.unknown.append(name)
            return web.json_response({"name": "tape", "message": f"not recorded: {name}"}, status=500)
        turn = self._played.get(name, 0)
        self._played[name] = turn + 1
        found = fitting[min(turn, len(fitting) - 1)]
        return web.json_response(found["answer"], status=found["status"], headers={"Date": found["date"]})

    async def _record(self, request: web.Request, body: Any, asked: Mapping[str, Any]) -> web.Response:
        assert self._session is not None
        headers = {
            name: request.headers[name] for name in ("Authorization", "X-Odoo-Database") if name in request.headers
        }
        url = f"{self._target}{request.path_qs}"
        async with self._session.request(request.method, url, json=body, headers=headers) as answer:
            told, status, date = await answer.json(content_type=None), answer.status, answer.headers["Date"]
        told = self._trim(request.path, body, told) if self._trim else told
        self._exchanges.append({"asked": asked, "status": status, "date": date, "answer": self._same(told)})
        return web.json_response(told, status=status, headers={"Date": date})

    def _same(self, value: Any) -> Any:
        """What is the same whenever it is asked: our address changes, and a secret is nobody's business."""
        text = json.dumps(value).replace(self.url, ADDRESS).replace(json.dumps(self._secret), json.dumps(SECRET))
        return json.loads(text)
