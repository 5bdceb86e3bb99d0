"""Odoo 19 as it was recorded, over both ways to ask it; and Odoos that are other than they should be."""

import asyncio
import json
import re
import tomllib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from crm.connector import Can, Context, Draft, Note, Of
from crm.odoo import Odoo, OdooSettings
from crm.registry import ConnectorError, open_named
from crm.trouble import AuthError, CrmError, InvalidError, NotFoundError, TransientError, UnknownOutcomeError
from numbering.identify import identify
from tests.crm.odoo_story import MAPPING, file_of, opened, tell
from tests.crm.tape import SECRET, Tape

NOW = 1795312800.0
ALSO = {"closed": {"state": "1_done"}}
MOBILE = identify("13812345678")
CHAR, LINK = {"type": "char"}, {"type": "many2one", "relation": "res.partner"}
PARTNER = {
    "id": {"type": "integer"},
    "name": CHAR,
    "display_name": CHAR,
    "phone": CHAR,
    "commercial_partner_id": LINK,
    "write_date": {"type": "datetime"},
}
TASK = {
    **dict.fromkeys(("id", "name", "description", "write_date"), CHAR),
    **dict.fromkeys(("project_id", "stage_id", "partner_id"), LINK),
}
ROW = {
    "id": 7,
    "name": "林晓峰",
    "display_name": "林晓峰",
    "phone": "138 1234 5678",
    "commercial_partner_id": [7, "林晓峰"],
}
Answer = Callable[[str, Mapping[str, Any]], Any]
"""What a made-up Odoo answers to model/method and arguments: a result, or an exception's (status, name, message)."""


@pytest.mark.parametrize("api", ["json2", "jsonrpc"])
async def test_the_story_as_it_was_recorded(api: str) -> None:
    """Found, written once, told by the feed; not one request that was not recorded."""

    async def nothing() -> None:
        """The recording holds the change."""

    async with Tape(file_of(api)) as tape:
        odoo = await opened(tape.url, api, tape.facts, SECRET)
        try:
            await tell(odoo, tape.facts, nothing)
        finally:
            await odoo.close()
        assert not tape.unknown


@asynccontextmanager
async def made_up(
    answer: Callable[[web.Request], Awaitable[web.StreamResponse]],
    mapping: Mapping[str, Any] = MAPPING,
    **settings: Any,
) -> AsyncIterator[Odoo]:
    """A connector to an Odoo of the test's."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    server = TestServer(app)
    await server.start_server()
    given = {"url": str(server.make_url("")).rstrip("/"), "database": "shop", "project": 1, "also": ALSO, **settings}
    connector = await open_named("odoo", given, Context(lambda _: "k", Path(), lambda: NOW, None, mapping))
    assert isinstance(connector, Odoo)
    try:
        yield connector
    finally:
        await connector.close()
        await server.close()


def json2(answer: Answer) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """JSON-2 around an answer."""

    async def handle(request: web.Request) -> web.StreamResponse:
        if request.path == "/web/webclient/version_info":
            return web.json_response({"result": {"server_version": "19.0"}})
        assert request.headers["Authorization"] == "bearer k"
        assert request.headers["X-Odoo-Database"] == "shop"
        found = answer(request.path.removeprefix("/json/2/"), json.loads(await request.read()))
        if isinstance(found, tuple):
            status, name, message = found
            return web.json_response({"name": name, "message": message, "debug": "..."}, status=status)
        return web.json_response(found)

    return handle


def usual(asked: str, arguments: Mapping[str, Any]) -> Any:
    """A small Odoo without sales and without the phone application."""
    model, _, method = asked.partition("/")
    if model in ("sale.order", "crm.lead"):
        return 404, "werkzeug.exceptions.NotFound", f"the model {model!r} does not exist"
    if method == "fields_get":
        return PARTNER if model == "res.partner" else TASK
    if method == "search_read":
        return [{name: ROW[name] for name in ["id", *arguments["fields"]] if name in ROW}]
    return [1] if method == "search" else []


def selling(asked: str, arguments: Mapping[str, Any]) -> Any:
    """The same with sales."""
    if asked == "sale.order/fields_get":
        return {"partner_id": LINK, "name": CHAR, "date_order": {"type": "datetime"}, "amount_total": {"type": "float"}}
    return [] if asked.startswith("sale.order/") else usual(asked, arguments)


async def test_without_the_phone_application_digits_are_searched_in_their_order() -> None:
    """Whatever somebody typed between them."""
    asked = []

    def answer(path: str, arguments: Mapping[str, Any]) -> Any:
        asked.append((path, arguments))
        return usual(path, arguments)

    async with made_up(json2(answer)) as odoo:
        [found] = await odoo.find(MOBILE)
    assert (found.id, found.purchases) == ("7", ())
    [domain] = [arguments["domain"] for path, arguments in asked if path == "res.partner/search_read"]
    assert domain == [["phone", "=ilike", "%1%3%8%1%2%3%4%5%6%7%8%"]]


async def test_an_odoo_that_was_upgraded_is_looked_at_again() -> None:
    """18 had two fields for numbers, 19 has one: the first call after the night still finds its customer."""
    upgraded = False

    def answer(path: str, arguments: Mapping[str, Any]) -> Any:
        if path == "res.partner/fields_get" and not upgraded:
            return {**PARTNER, "mobile": CHAR}
        if path == "res.partner/search_read" and upgraded and "mobile" in json.dumps(arguments):
            return 500, "builtins.ValueError", "Invalid field 'mobile' on 'res.partner'"
        return usual(path, arguments)

    async with made_up(json2(answer)) as odoo:
        assert await odoo.find(MOBILE)
        upgraded = True
        [found] = await odoo.find(MOBILE)
        assert found.id == "7"


@pytest.mark.parametrize(
    "trouble",
    [
        (403, "odoo.exceptions.AccessError", "no"),
        (500, "builtins.KeyError", "x"),
        (500, "psycopg2.OperationalError", "canceled"),
    ],
)
async def test_purchases_that_do_not_come_cost_the_card_nothing_else(trouble: Any) -> None:
    """The name is worth more in time than the whole of it late."""

    def answer(path: str, arguments: Mapping[str, Any]) -> Any:
        if path == "sale.order/search":
            return []
        if path == "sale.order/fields_get":
            return {
                "partner_id": LINK,
                "name": CHAR,
                "date_order": {"type": "datetime"},
                "amount_total": {"type": "float"},
            }
        if path == "sale.order/search_read":
            return trouble
        return usual(path, arguments)

    async with made_up(json2(answer)) as odoo:
        [found] = await odoo.find(MOBILE)
        assert (found.name, found.purchases) == ("林晓峰", ())
        with pytest.raises(CrmError):  # who asks for all of it is told
            await odoo.get("7")


async def test_purchases_that_come_late_are_not_waited_for() -> None:
    """The card has its name within the budget."""
    over = asyncio.Event()

    async def handle(request: web.Request) -> web.StreamResponse:
        if request.path.endswith("sale.order/search_read"):
            await over.wait()
        return await json2(selling)(request)

    async with made_up(handle) as odoo:
        [found] = await odoo.find(MOBILE)
        assert (found.name, found.purchases) == ("林晓峰", ())
        over.set()
        assert await odoo.get("7")


async def plain(text: str, status: int, kind: str) -> web.StreamResponse:
    """Something that is no Odoo's."""
    return web.Response(text=text, status=status, content_type=kind)


@pytest.mark.parametrize(
    ("text", "status", "kind", "reading", "writing"),
    [
        ("<html>502</html>", 502, "text/html", TransientError, UnknownOutcomeError),
        ("<html>hello</html>", 200, "text/html", TransientError, UnknownOutcomeError),
        ('{"half": ', 200, "application/json", TransientError, UnknownOutcomeError),
        ("<html>404</html>", 404, "text/html", InvalidError, InvalidError),
        ("[1, 2]", 200, "application/json", InvalidError, InvalidError),
        ("{}", 429, "application/json", TransientError, TransientError),
        ("{}", 503, "application/json", TransientError, TransientError),
        ('{"name": "werkzeug.exceptions.Forbidden", "message": "no"}', 403, "application/json", AuthError, AuthError),
    ],
)
async def test_what_comes_back_is_not_trusted(
    text: str, status: int, kind: str, reading: type[CrmError], writing: type[CrmError]
) -> None:
    """Each by its class; a write is unknown only where it may have been done."""
    fail = False

    async def handle(request: web.Request) -> web.StreamResponse:
        if fail and (request.path.endswith(("search_read", "load"))):
            return await plain(text, status, kind)
        if request.path.endswith("check_object_reference"):
            answer = {"name": "builtins.ValueError", "message": "External ID not found in the system"}
            return web.json_response(answer, status=500)
        return await json2(usual)(request)

    async with made_up(handle) as odoo:
        await odoo.health()
        fail = True
        with pytest.raises(reading):
            await odoo.find(MOBILE)
        with pytest.raises(writing) as caught:
            await odoo.keep_note(Note("hotline:a:b:1:note", "7", "来电", ("x",)), None)
        assert (type(caught.value) is UnknownOutcomeError) == (writing is UnknownOutcomeError)


async def test_jsonrpc_errors_come_inside_a_success() -> None:
    """And each is what it says."""
    said = {"name": "odoo.exceptions.MissingError", "message": "Record does not exist or has been deleted."}

    async def handle(request: web.Request) -> web.StreamResponse:
        asked = json.loads(await request.read())["params"]
        if asked["service"] == "common":
            return web.json_response({"jsonrpc": "2.0", "id": 1, "result": 2})
        return web.json_response({"jsonrpc": "2.0", "id": 1, "error": {"message": "Odoo Server Error", "data": said}})

    async with made_up(handle, api="jsonrpc", user="hotline") as odoo:
        with pytest.raises(NotFoundError, match="has been deleted"):
            await odoo.get("7")
        said |= {"name": "odoo.exceptions.AccessDenied", "message": "Access Denied"}
        with pytest.raises(AuthError):
            await odoo.get("7")


@pytest.mark.parametrize(
    ("settings", "mapping", "says"),
    [
        ({"api": "jsonrpc"}, MAPPING, "user is missing"),
        ({"timezone": "Asia/Nowhere"}, MAPPING, "timezone: no such time zone"),
        ({"databse": "x"}, MAPPING, "databse: no such setting"),
        ({"also": {}}, MAPPING, "solved and closed are both '已解决'"),
        ({}, {}, "no stage for accepted, working, solved, closed"),
        ({}, {**MAPPING, "customer": {"phnes": "x"}}, "customer.phnes: no such field"),
        ({"url": "http://crm.example"}, MAPPING, "key would cross the network readable"),
    ],
)
async def test_settings_that_cannot_work_are_refused(settings: Any, mapping: Any, says: str) -> None:
    """Before anybody is asked anything."""
    given = {"url": "http://127.0.0.1:9", "database": "shop", "project": "工单", "also": ALSO, **settings}
    with pytest.raises(ConnectorError, match=says):
        await open_named("odoo", given, Context(lambda _: "k", Path(), lambda: NOW, None, mapping))


async def test_the_documentation_is_right() -> None:
    """What docs/odoo.md gives to copy is taken as it stands."""
    page = (Path(__file__).parents[2] / "docs/odoo.md").read_text(encoding="utf-8")
    blocks = [tomllib.loads(block) for block in re.findall(r"```toml\n(.*?)```", page, re.DOTALL)]
    [settings] = [block["crm"]["settings"] for block in blocks if "crm" in block]
    mapping = {name: table for block in blocks if "crm" not in block for name, table in block.items()}
    odoo = await open_named("odoo", settings, Context(lambda _: "k", Path(), lambda: NOW, None, mapping))
    await odoo.close()
    assert odoo.can & Can.TICKET
    told = {name for name in OdooSettings.model_fields if f"`{name}`" in page}
    assert told == set(OdooSettings.model_fields)


async def test_without_a_project_there_are_no_tickets() -> None:
    """And it says so beforehand."""
    async with made_up(json2(usual), mapping={}, project=None) as odoo:
        assert not odoo.can & (Can.TICKET | Can.ITEMS)
        assert odoo.can & Can.NOTE
        with pytest.raises(CrmError, match="names no project"):
            await odoo.create_ticket(Draft("k", "7", "t", "b"))
        with pytest.raises(CrmError, match="names no project"):
            await odoo.changes(Of.TICKET, None)
        with pytest.raises(InvalidError, match="cursor"):
            await odoo.changes(Of.CUSTOMER, "[]")


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"_model": "res.partner", "_id": "7"}', b"\xff", b"[" * 100_000])
async def test_a_webhook_that_is_none_is_refused(body: bytes) -> None:
    """It comes from anybody who knows the address."""
    async with made_up(json2(usual)) as odoo:
        with pytest.raises(InvalidError):
            await odoo.take_push({}, body)
        assert not await odoo.take_push({}, b'{"_model": "ir.cron", "_id": 7}')
