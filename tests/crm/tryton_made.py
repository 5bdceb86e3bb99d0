"""A made-up Tryton, for what a real one does not do on demand."""

import json
from base64 import b64decode
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

from crm.connector import Context
from crm.registry import open_named
from crm.tryton import Tryton
from numbering.identify import identify
from tests.crm.tryton_story import MAPPING

NOW = 1795312800.0
MOBILE = identify("13812345678")
CHAR = {"type": "char"}
PARTY = {
    **dict.fromkeys(("name", "rec_name"), CHAR),
    "id": {"type": "integer"},
    "active": {"type": "boolean"},
    "contact_mechanisms": {"type": "one2many", "relation": "party.contact_mechanism"},
    "categories": {"type": "many2many", "relation": "party.category"},
    "replaced_by": {"type": "many2one", "relation": "party.party"},
}
WORK = {
    **dict.fromkeys(("name", "comment", "create_date", "write_date"), CHAR),
    "id": {"type": "integer"},
    "company": {"type": "many2one", "relation": "company.company"},
    "party": {"type": "many2one", "relation": "party.party"},
    "status": {"type": "many2one", "relation": "project.work.status"},
}
ROW = {
    "id": 7,
    "name": "林晓峰",
    "active": True,
    "contact_mechanisms": [9],
    "contact_mechanisms.": [{"id": 9, "type": "mobile", "value": "138 1234 5678", "name": None, "comment": None}],
}
FIELDS = {"party.party": PARTY, "project.work": WORK, "party.category": {"name": CHAR}}
STATUSES = [{"id": number, "name": name} for number, name in enumerate(("新建", "处理中", "已解决", "已关闭"), 1)]
REFUSED = ["UserError", ['You are not allowed to access "Sale".', "", None]]


class Told(Exception):  # noqa: N818 - what a made-up Tryton answers instead of a result
    """An error inside a 200."""


Answer = Callable[[str, list[Any]], Any]
"""What a made-up Tryton answers to a method and its parameters (the context last); a web.Response goes out as it is."""


_SIMPLE: Mapping[str, Any] = {
    "common.server.version": "7.8",
    "common.db.login": [3, "s1", None],
    "model.res.user.get_preferences": {"company": 1},
    "model.project.work.status.search_read": STATUSES,
    "model.party.party.search_read": [ROW],
}


def usual(method: str, _: list[Any]) -> Any:
    """A small Tryton without sales."""
    if method in _SIMPLE:
        return _SIMPLE[method]
    model, __, name = method.removeprefix("model.").rpartition(".")
    if model == "sale.sale":
        raise Told(REFUSED)
    if name == "fields_get":
        return FIELDS[model]
    return [1] if name == "create" else []


class Made:
    """A made-up Tryton: ``answer`` may be another at any time; ``asked`` keeps the methods."""

    def __init__(self, answer: Answer) -> None:
        self.answer, self.asked = answer, list[tuple[str, list[Any]]]()
        self.sessions: list[str] = []

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """One request."""
        body = json.loads(await request.read())
        assert set(body) == {"id", "method", "params"}  # or else Tryton answers otherwise
        method, params = body["method"], body["params"]
        self.asked.append((method, params))
        if method.startswith("model."):
            scheme, _, token = request.headers["Authorization"].partition(" ")
            assert scheme == "Session"
            self.sessions.append(b64decode(token).decode())
        try:
            found = self.answer(method, params)
        except Told as told:
            return web.json_response({"id": 1, "error": told.args[0]})
        except KeyError as error:
            return web.json_response({"id": 1, "error": [str(error), ""]})
        return found if isinstance(found, web.StreamResponse) else web.json_response({"id": 1, "result": found})


@asynccontextmanager
async def made_up(
    answer: Answer, mapping: Mapping[str, Any] = MAPPING, **settings: Any
) -> AsyncIterator[tuple[Tryton, Made]]:
    """A connector to a Tryton of the test's."""
    made = Made(answer)
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", made.handle)
    server = TestServer(app)
    await server.start_server()
    url = str(server.make_url("")).rstrip("/")
    given = {"url": url, "database": "shop", "user": "hotline", "project": 3, **settings}
    connector = await open_named("tryton", given, Context(lambda _: "k", Path(), lambda: NOW, "0755", mapping))
    assert isinstance(connector, Tryton)
    try:
        yield connector, made
    finally:
        await connector.close()
        await server.close()


def plain(text: str, status: int, kind: str = "text/html") -> web.Response:
    """Something that is no answer of the RPC's."""
    return web.Response(text=text, status=status, content_type=kind)
