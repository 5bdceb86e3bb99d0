"""Any JSON API by a mapping file: the whole contract against a small one, and what faulty files and answers cost."""

import hmac
import json
import tomllib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import BaseTestServer, TestServer

from crm.connector import Can, Connector, Context, Draft, Feed, Of, Ref, Status
from crm.customer import Purchase
from crm.guarded import Guarded
from crm.kit import CHECKS, Check, PlainWorld, Wire
from crm.registry import ConnectorError, open_named
from crm.rest import RestSettings, key_headers
from crm.trouble import AuthError, CrmError, InvalidError, NotFoundError, TransientError, UnknownOutcomeError
from hotline.clock import now
from numbering.identify import identify
from tests.crm.smalldesk import TOKEN, SmallDesk

MAPPING = tomllib.loads((Path(__file__).parent / "smalldesk.toml").read_text(encoding="utf-8"))
CALLER = identify("13812345678")
WRITES = {Can.NOTE: b"POST /api/notes", Can.TICKET: b"POST /api/cases"}
NOW = 1795312800.0

Open = Callable[[str], Awaitable[Connector]]


async def opened(url: str, mapping: Mapping[str, Any] = MAPPING, secret: str = TOKEN) -> Connector:
    """The connector to SmallDesk, or to whatever answers there."""
    settings = {"url": f"{url}/api", "secret_env": "TOKEN", "header": "X-Token", "format": "{secret}"}
    context = Context(lambda _: secret, Path(), now, "0755", mapping)  # as the server's own Date
    return await open_named("rest", settings, context)


class World(PlainWorld):
    """SmallDesk from behind."""

    def __init__(self, desk: SmallDesk, server: BaseTestServer, connector: Connector) -> None:
        self.desk, self._server = desk, server
        self.connector: Connector = connector

    async def seed(self, name: str, phones: Any) -> str:
        """A contact."""
        return self.desk.add_contact(name, list(phones))

    async def rename(self, customer_id: str, name: str) -> None:
        """Its name."""
        self.desk.change(self.desk.contacts[customer_id], full_name=name)

    async def remove(self, customer_id: str) -> None:
        """Put away."""
        self.desk.change(self.desk.contacts[customer_id], gone=True)

    async def touch(self, ticket_id: str) -> None:
        """A word more."""
        self.desk.change(self.desk.cases[ticket_id], text="客户又来电")

    async def notes(self, customer_id: str, key: str) -> int:
        """In the list of notes."""
        return sum(n["call_key"] == key and n["contact"] == customer_id for n in self.desk.notes.values())

    async def tickets(self, key: str) -> int:
        """In the list of cases."""
        return sum(case["call_key"] == key for case in self.desk.cases.values())

    @asynccontextmanager
    async def losing(self, what: Can) -> AsyncIterator[Connector]:
        """Over a wire that breaks."""
        assert self._server.port is not None
        async with Wire("127.0.0.1", self._server.port, lambda request: request.startswith(WRITES[what])) as wire:
            connector = await opened(wire.url)
            yield connector
            await connector.close()
            assert wire.lost == 1


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """A SmallDesk that runs, and the connector to it."""
    desk = SmallDesk()
    async with TestServer(desk.app()) as server:
        connector = await opened(str(server.make_url("")).rstrip("/"))
        yield World(desk, server, connector)
        await connector.close()


ALL = [check for check in CHECKS if not check.needs & Can.SURVEY]


@pytest.mark.parametrize("check", ALL, ids=str)
async def test_contract(check: Check, world: World) -> None:
    """All of it: nothing is left out but seeing many records at once, which a mapping does not describe."""
    await check(world)


@pytest.mark.parametrize("check", ALL, ids=str)
async def test_contract_behind_the_guard(check: Check, world: World) -> None:
    """As the service has it: the guard passes everything on."""
    world.connector = Guarded(world.connector, lambda: NOW)
    await check(world)


async def test_a_card_has_what_the_mapping_names(world: World) -> None:
    """Company, level, owner, purchases; and where to look at the record."""
    uid = world.desk.add_contact("林晓峰", ["138 1234 5678"])
    orders = [{"product": "空调", "day": "2026-03-04", "sum": "2999", "no": "A4"}]
    world.desk.contacts[uid].update(org={"name": "云杉科技"}, tier="VIP 金卡", keeper="王芳", orders=orders)
    (customer,) = await world.connector.find(CALLER)
    assert (customer.company, customer.level, customer.vip, customer.owner) == ("云杉科技", "VIP 金卡", True, "王芳")
    assert [(p.what, p.order_no) for p in customer.purchases if isinstance(p, Purchase)] == [("空调", "A4")]
    assert world.connector.url_of(Ref(Of.CUSTOMER, uid)) == f"https://desk.example/people/{uid}"


async def test_a_status_that_is_taken_and_not_kept_is_refused(world: World) -> None:
    """200, and nothing happened: seen by reading back."""
    made = await world.connector.create_ticket(Draft("k1", None, "x", "y"))
    with pytest.raises(InvalidError, match=r"took 'Shut' .* but kept 'New'"):
        await world.connector.set_status(made, Status.CLOSED)


async def test_a_title_is_cut_to_what_the_system_takes(world: World) -> None:
    """64 characters, with a sign that there was more."""
    made = await world.connector.create_ticket(Draft("k2", None, "漏" * 100, "y"))
    assert world.desk.cases[made.id]["subject"] == f"{'漏' * 63}…"


async def test_an_api_that_overlooks_the_query_pops_nobody(world: World) -> None:
    """A thousand customers for one number is no answer."""
    for number in range(150):
        world.desk.add_contact(f"客户{number}", ["13800000000"])
    world.desk.silent = True
    with pytest.raises(InvalidError, match="150 customers for one number"):
        await world.connector.find(CALLER)


async def test_a_wrong_key_is_told(world: World) -> None:
    """In words that say what to look at."""
    assert world.connector.name == "rest"
    stranger = await opened(str(world._server.make_url("")).rstrip("/"), secret="wrong")
    with pytest.raises(AuthError, match=r"403 .*who are you"):
        await stranger.find(CALLER)
    await stranger.close()


async def test_a_deleted_or_merged_customer_is_told_by_the_feed(world: World) -> None:
    """With the id that it was merged into."""
    one, two = world.desk.add_contact("甲", ["13800000001"]), world.desk.add_contact("乙", ["13800000002"])
    cursor = (await world.connector.changes(Of.CUSTOMER, None)).cursor
    world.desk.change(world.desk.contacts[one], gone=True)
    world.desk.change(world.desk.contacts[two], gone=True, now=int(one))
    page = await world.connector.changes(Of.CUSTOMER, cursor)
    assert {(c.ref.id, c.gone, c.merged) for c in page.changes} == {(one, True, None), (two, True, one)}


async def test_changes_of_tickets_alone_are_no_feed_of_customers(world: World) -> None:
    """The copy of the customers must not ask for what the file does not describe."""
    rest = {name: table for name, table in MAPPING["rest"].items() if name != "customer_changes"}
    rest["ticket_changes"] = {"path": "/cases", "records": "data.items", "updated": "changed"}
    connector = await opened("http://127.0.0.1:1", {**MAPPING, "rest": rest})
    assert Can.FEED in connector.can
    assert connector.traits.feed is Feed.FULL_ONLY
    assert world.connector.traits.feed is Feed.MTIME
    await connector.close()


FAULTY = [
    ({"rest": {"find": {"path": "/x"}}}, "health: Field required"),
    ({"rest": {"health": {"path": "/"}, "find": {"path": "/x"}}}, "rest.find: asks for no number"),
    ({"rest": {"health": {"path": "/"}, "find": {"path": "/{nsn}"}}}, "{nsn} is no value of it; there are: {dialled}"),
    ({"rest": {"health": {"path": "no"}, "find": {"path": "/{e164}"}}}, "health.path"),
    ({"rest": {"health": {"path": "/"}, "find": {"path": "/{e164}"}}, "customer": {"nam": "x"}}, "customer.nam"),
    (
        {"rest": {"health": {"path": "/"}, "find": {"path": "/{e164}"}, "ticket": {"path": "/t", "method": "POST"}}},
        "needs set_status, read_ticket and comment",
    ),
]


@pytest.mark.parametrize(("mapping", "told"), FAULTY, ids=[told for _, told in FAULTY])
async def test_a_faulty_file_is_refused(mapping: dict[str, Any], told: str) -> None:
    """With the place of the fault, before anything is asked."""
    with pytest.raises(ConnectorError) as found:
        await opened("http://127.0.0.1:1", mapping)
    assert told in str(found.value)


RULE = {"code": "errorCode", "text": "errorMessage", "auth": ["10006"], "busy": ["-1"], "missing": ["404"]}
PLAN = {
    "health": {"path": "/me"},
    "find": {"path": "/q", "query": {"n": "{e164}"}, "records": "data"},
    "get": {"path": "/one", "query": {"id": "{id}"}, "records": "data"},
    "ticket": {"path": "/t", "method": "POST", "body": {"t": "{title}"}},
    "read_ticket": {"path": "/t/{id}"},
    "set_status": {"path": "/t/{id}", "method": "POST", "body": {"s": "{status}"}},
    "comment": {"path": "/t/{id}/c", "method": "POST", "body": {"t": "{text}"}},
    "error": RULE,
}


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ({"errorCode": 0, "data": []}, None),
        ({"data": []}, None),
        ({"errorCode": 10006, "errorMessage": "token"}, AuthError),
        ({"errorCode": -1}, TransientError),
        ({"errorCode": 5, "errorMessage": "no field mobil"}, InvalidError),
        ({"errorCode": False}, InvalidError),
        ({"errorCode": 404}, None),
    ],
)
async def test_an_error_inside_a_200(answer: Any, error: type[CrmError] | None) -> None:
    """By the codes that the file names; what it does not name is refused for good."""

    async def say(_: web.Request) -> web.Response:
        return web.json_response(answer)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", say)
    async with TestServer(app) as server:
        connector = await opened(str(server.make_url("")).rstrip("/"), {"rest": PLAN})
        try:
            if error is None:
                assert list(await connector.find(CALLER)) == []
            else:
                with pytest.raises(error):
                    await connector.find(CALLER)
        finally:
            await connector.close()


@pytest.mark.parametrize("answer", [{}, [], {"id": None}, {"made": 1}])
async def test_a_write_that_does_not_tell_what_it_made(answer: Any) -> None:
    """Is looked up before it is tried again."""

    async def say(_: web.Request) -> web.Response:
        return web.json_response(answer)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", say)
    async with TestServer(app) as server:
        connector = await opened(str(server.make_url("")).rstrip("/"), {"rest": PLAN})
        try:
            with pytest.raises(UnknownOutcomeError, match="did not tell its id"):
                await connector.create_ticket(Draft("k", None, "t", "b"))
        finally:
            await connector.close()


async def test_a_path_that_is_not_there_is_no_empty_list() -> None:
    """404 on a search means a wrong url: it must not look like a CRM that knows nobody."""
    async with TestServer(web.Application()) as server:
        mapping = {"rest": {"health": {"path": "/me"}, "find": {"path": "/q", "query": {"n": "{e164}"}}}}
        connector = await opened(str(server.make_url("")).rstrip("/"), mapping)
        try:
            with pytest.raises(NotFoundError):
                await connector.find(CALLER)
        finally:
            await connector.close()


@pytest.mark.parametrize(
    ("more", "headers"),
    [
        ({}, {"Authorization": "Bearer 密"}),
        ({"header": "X-Key", "format": "{secret}"}, {"X-Key": "密"}),
        ({"user": "hotline"}, {"Authorization": "Basic aG90bGluZTrlr4Y="}),
    ],
)
def test_where_the_key_goes(more: dict[str, Any], headers: dict[str, str]) -> None:
    """A token by itself, in a header of theirs, or as a user's password."""
    assert key_headers(RestSettings(url="https://x.example", secret_env="KEY", **more), "密") == headers
    assert key_headers(RestSettings(url="https://x.example"), None) == {}


PUSHED = {"customer": "contact.id", "ticket": "cases.id", "signature": "X-Signature", "secret_env": "HOOK"}


def signature(body: bytes) -> str:
    """As SmallDesk signs."""
    return hmac.digest(TOKEN.encode(), body, "sha256").hex()


async def test_a_webhook_is_believed_for_its_ids_only(world: World) -> None:
    """Customers and tickets are read; those that are gone are told as such."""
    url = str(world._server.make_url("")).rstrip("/")
    connector = await opened(url, {**MAPPING, "rest": {**MAPPING["rest"], "push": PUSHED}})
    assert Can.PUSH in connector.can
    uid = world.desk.add_contact("林晓峰", ["138 1234 5678"])
    made = await connector.create_ticket(Draft("k9", uid, "漏水", "y"))
    body = json.dumps({"contact": {"id": int(uid), "name": "冒充的"}, "cases": [{"id": made.id}, {"id": 9}]}).encode()
    for signed in (signature(body), f"sha256={signature(body)}"):
        customer, ticket, gone = await connector.take_push({"x-signature": signed}, body)
        assert customer.customer is not None
        assert ticket.item is not None
        assert (customer.customer.name, ticket.item.title, gone.gone) == ("林晓峰", "漏水", True)
    world.desk.change(world.desk.contacts[uid], gone=True)
    (change, *_) = await connector.take_push({"x-signature": signature(body)}, body)
    assert (change.ref, change.gone) == (Ref(Of.CUSTOMER, uid), True)
    for headers in ({}, {"x-signature": "00"}, {"x-signature": signature(b"{}")}):
        with pytest.raises(AuthError, match="not signed with the key of HOOK"):
            await connector.take_push(headers, body)
    many = json.dumps({"cases": [{"id": number} for number in range(21)]}).encode()
    for wrong in (b"x", many):
        with pytest.raises(InvalidError):
            await connector.take_push({"x-signature": signature(wrong)}, wrong)
    assert list(await connector.take_push({"x-signature": signature(b"{}")}, b"{}")) == []
    await connector.close()


@pytest.mark.parametrize(
    ("push", "told"),
    [
        ({}, "customer or ticket: where the id stands"),
        ({"customer": "id", "signature": "X"}, "signature and secret_env go together"),
        ({"ticket": "id"}, "rest.push.ticket: needs rest.read_ticket"),
        ({"customer": "id"}, "rest.push.customer: needs rest.get"),
    ],
)
async def test_a_webhook_that_says_nothing_is_refused(push: dict[str, str], told: str) -> None:
    """In the file already."""
    rest = {name: ask for name, ask in PLAN.items() if name in ("health", "find")}
    with pytest.raises(ConnectorError) as found:
        await opened("http://127.0.0.1:1", {"rest": {**rest, "push": push}})
    assert told in str(found.value)
