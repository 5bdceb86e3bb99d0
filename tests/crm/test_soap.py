"""Any Web Service by a mapping file: the whole contract against a real SOAP endpoint, and what faulty ones cost."""

import re
import tomllib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import BaseTestServer, TestServer

from crm.connector import Can, Connector, Context, Draft, Of, Ref
from crm.guarded import Guarded
from crm.kit import CHECKS, Check, PlainWorld, Wire
from crm.registry import ConnectorError, open_named
from crm.soap_answers import NoXmlError, body_of, parse, value_of
from crm.soap_plan import SoapPlan
from crm.soap_wsdl import Wsdl
from crm.trouble import AuthError, CrmError, InvalidError, TransientError, UnknownOutcomeError
from hotline.clock import now
from numbering.identify import identify
from tests.crm.soapdesk import PASSWORD, USER, SoapDesk

HERE = Path(__file__).parent
MAPPING = tomllib.loads((HERE / "soapdesk.toml").read_text(encoding="utf-8"))
CALLER = identify("13812345678")
WRITES = {Can.NOTE: b"urn:desk/AddNote", Can.TICKET: b"urn:desk/AddCase"}
ALL = [check for check in CHECKS if not check.needs & Can.SURVEY]


async def opened(url: str, mapping: Mapping[str, Any] = MAPPING, secret: str = PASSWORD, **more: Any) -> Connector:
    """The connector to SoapDesk, or to whatever answers there."""
    settings = {"url": f"{url}/soap", "user": USER, "secret_env": "SECRET", "security": "mapping", **more}
    return await open_named("soap", settings, Context(lambda _: secret, HERE, now, "0755", mapping))


class World(PlainWorld):
    """SoapDesk from behind."""

    def __init__(self, service: SoapDesk, server: BaseTestServer, connector: Connector) -> None:
        self.service, self.desk, self._server = service, service.desk, server
        self.connector: Connector = connector

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self._server.port}"

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
        async with Wire("127.0.0.1", self._server.port, lambda request: WRITES[what] in request) as wire:
            connector = await opened(wire.url)
            yield connector
            await connector.close()
            assert wire.lost == 1


_READ: dict[tuple[object, ...], Wsdl] = {}


def read_once(place: str, documents: Mapping[str, bytes], *port: str) -> Wsdl:
    """The same WSDL again and again: reading it takes longer than all else here."""
    key = (place, *sorted(documents.items()), *port)
    if key not in _READ:
        _READ[key] = Wsdl(place, documents, *port)
    return _READ[key]


@pytest.fixture(autouse=True)
def _reading(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crm.soap_talk.Wsdl", read_once)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """A SoapDesk that runs, and the connector to it."""
    service = SoapDesk()
    async with TestServer(service.app()) as server:
        connector = await opened(f"http://127.0.0.1:{server.port}", wsdl="soapdesk.wsdl")
        yield World(service, server, connector)
        await connector.close()


@pytest.mark.parametrize("check", ALL, ids=str)
async def test_contract(check: Check, world: World) -> None:
    """All of it, behind the guard as in the service."""
    world.connector = Guarded(world.connector, now)
    await check(world)


async def test_it_is_well_and_says_what_it_has(world: World) -> None:
    """Its version; the fields of what it answers, as the WSDL has them."""
    fetched = await opened(world.url)  # the WSDL from the service itself, with what it imports
    assert (await fetched.health()).version == "SoapDesk 3.1"
    schema = await fetched.describe()
    assert schema == await world.connector.describe()
    await fetched.close()
    assert schema["FindContacts"]["fullName"].kind == "string"
    assert {"uid", "subject", "rev"} <= set(schema["GetCase"])


async def test_a_card_has_what_the_mapping_names(world: World) -> None:
    """One order comes as an element, several as a list: both are purchases."""
    for orders in ([{"product": "空调", "day": "2026-03-04", "sum": "2999.00"}], [{"product": "A"}, {"product": "B"}]):
        uid = world.desk.add_contact("林晓峰", ["138 1234 5678", "0755-88886666"])
        world.desk.contacts[uid].update(org="云杉科技", tier="VIP 金卡", orders=orders)
        customer = await world.connector.get(uid)
        assert customer is not None
        assert (customer.company, customer.vip, len(customer.phones)) == ("云杉科技", True, 2)
        assert [bought.what for bought in customer.purchases] == [order["product"] for order in orders]
        assert world.connector.url_of(Ref(Of.CUSTOMER, uid)) == f"https://desk.example/people/{uid}"


async def test_a_session_is_opened_once_and_again_when_it_is_over(world: World) -> None:
    """Nobody notices."""
    for _ in range(3):
        await world.connector.find(CALLER)
    assert world.service.logins == 1
    world.service.sessions.clear()
    await world.connector.find(CALLER)
    assert world.service.logins == 2


async def test_a_wrong_password_is_told(world: World) -> None:
    """Once tried, not again and again."""
    stranger = await opened(world.url, secret="wrong")
    with pytest.raises(AuthError, match="fault Client: no such user or password"):
        await stranger.find(CALLER)
    assert world.service.asked == ["Login"]
    await stranger.close()


ENVELOPE = '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body>{}</e:Body></e:Envelope>'
FAULT = "<e:Fault><faultcode>{}</faultcode><faultstring>it says so</faultstring></e:Fault>"
TWELVE = """<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"><e:Body><e:Fault><e:Code><e:Value>e:Sender
</e:Value><e:Subcode><e:Value xmlns:w="urn:w">w:FailedAuthentication</e:Value></e:Subcode></e:Code><e:Reason>
<e:Text xml:lang="en">who are you</e:Text></e:Reason></e:Fault></e:Body></e:Envelope>"""
BOMB = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><x>&b;</x>'
READ_FILE = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>' + ENVELOPE.format("<x>&a;</x>")


@pytest.mark.parametrize(
    ("status", "answer", "error"),
    [
        (500, ENVELOPE.format(FAULT.format("e:Server")), TransientError),
        (500, ENVELOPE.format(FAULT.format("e:Client")), InvalidError),
        (200, ENVELOPE.format(FAULT.format("e:Client.BadField")), InvalidError),
        (500, ENVELOPE.format(FAULT.format("e:Server.Busy")), TransientError),
        (500, ENVELOPE.format(FAULT.format("SessionOver")), AuthError),
        (500, TWELVE, AuthError),
        (503, "busy", TransientError),
        (401, "", AuthError),
        (404, "<html>", InvalidError),
        (200, "<html>welcome</html>", TransientError),
        (200, ENVELOPE[:60], TransientError),
        (200, BOMB, TransientError),
        (200, READ_FILE, TransientError),
        (200, ENVELOPE.format("<r/>"), InvalidError),
        (200, ENVELOPE.format("<r><people/></r>"), InvalidError),
        (200, ENVELOPE.format("<r><contacts/></r>"), None),
        (200, ENVELOPE.format("<r><contacts><contact><uid>7</uid></contact></contacts></r>"), None),
    ],
)
async def test_what_comes_back(status: int, answer: str, error: type[CrmError] | None, world: World) -> None:
    """Faults by their code, pages of HTML, half an answer, documents that would read files; an empty list is none."""
    await world.connector.health()
    world.service.raw = (status, answer.encode())
    if error is None:
        assert len(await world.connector.find(CALLER)) == answer.count("<contact>")
    else:
        with pytest.raises(error) as found:
            await world.connector.find(CALLER)
        assert type(found.value) is error


@pytest.mark.parametrize("answer", [ENVELOPE.format(FAULT.format("e:Server")), "", "<html/>", ENVELOPE.format("<r/>")])
async def test_a_write_whose_outcome_is_unknown(answer: str, world: World) -> None:
    """Is looked up before it is tried again."""
    await world.connector.health()
    await world.connector.find(CALLER)
    mapping = {**MAPPING, "soap": {k: v for k, v in MAPPING["soap"].items() if k != "ticket_by_key"}}
    blind = await opened(world.url, mapping)
    world.service.raw = (200, answer.encode())
    with pytest.raises(UnknownOutcomeError):
        await blind.create_ticket(Draft("k", "1", "t", "b"))
    await blind.close()


def changed(**parts: Any) -> dict[str, Any]:
    """The mapping with other questions."""
    return {**MAPPING, "soap": {**MAPPING["soap"], **parts}}


FAULTY = [
    (changed(find={"operation": "FindContact", "args": {"phone": "{e164}"}}), "soap.find: there is no operation"),
    (changed(find={"operation": "FindContacts", "args": {"fone": "{e164}"}}), "unexpected keyword argument 'fone'"),
    (changed(get={"operation": "GetContact", "args": {}}), "Missing element uid"),
    (changed(get={"operation": "GetContact", "args": {"uid": "{id}"}, "records": "kontact"}), "has no 'kontact'"),
    (changed(note={"operation": "AddNote", "args": {"note": {"callKey": "{key}"}}}), "Missing element contact"),
    (changed(ticket={**MAPPING["soap"]["ticket"], "id": "id"}), "soap.ticket: the answer of AddCase has no 'id'"),
    (changed(ticket_by_key={**MAPPING["soap"]["ticket_by_key"], "version": "v"}), "has no 'v' at 'cases.case.v'"),
    (changed(health={"operation": "About", "version": "ver"}), "soap.health: the answer of About has no 'ver'"),
    ({**MAPPING, "customer": {**MAPPING["customer"], "name": "fullname"}}, "customer.name: FindContacts has no"),
    ({**MAPPING, "ticket": {**MAPPING["ticket"], "title": "subjekt"}}, "ticket.title: GetCase has no 'subjekt'"),
]


@pytest.mark.parametrize(("mapping", "told"), FAULTY, ids=[told for _, told in FAULTY])
async def test_names_that_the_wsdl_has_not_are_told_at_start(mapping: dict[str, Any], told: str, world: World) -> None:
    """When the service is asked how it is; of a WSDL in a file without asking anybody."""
    connector = await opened(world.url, mapping)
    with pytest.raises(InvalidError) as found:
        await connector.health()
    assert told in str(found.value)
    assert world.service.asked == []
    await connector.close()
    with pytest.raises(ConnectorError) as refused:
        await opened("http://127.0.0.1:1", mapping, wsdl="soapdesk.wsdl")
    assert told in str(refused.value)


@pytest.mark.parametrize(
    ("mapping", "told"),
    [
        (changed(health={"operation": "About", "args": {"x": "{id}"}}), "soap.health: {id} is no value of it"),
        (
            {**MAPPING, "soap": {k: v for k, v in MAPPING["soap"].items() if k != "login"}},
            "soap.login, which is missing",
        ),
        (changed(login={"operation": "Login", "args": {"user": "{e164}"}, "token": "t"}), "soap.login: {e164}"),
        (changed(find={"operation": "F", "args": {"p": "{e164}"}, "inside": "json"}), "inside and at go together"),
        (changed(service="Desk2"), "no such service and port with SOAP; there are: Desk/Desk"),
    ],
)
async def test_a_faulty_file_is_refused(mapping: dict[str, Any], told: str) -> None:
    """Before anybody is asked."""
    with pytest.raises(ConnectorError) as found:
        await opened("http://127.0.0.1:1", mapping, wsdl="soapdesk.wsdl")
    assert told in str(found.value)


Given = Callable[[str, str], Awaitable[Exception]]


@pytest.fixture
def refused(tmp_path: Path) -> Given:
    """What opening says with that in place of another text in the WSDL."""

    async def given(old: str, new: str) -> Exception:
        text = (HERE / "soapdesk.wsdl").read_text(encoding="utf-8")
        assert old in text
        (tmp_path / "w").mkdir()
        (tmp_path / "w" / "desk.wsdl").write_text(text.replace(old, new, 1), encoding="utf-8")
        (tmp_path / "soapdesk.xsd").write_bytes((HERE / "soapdesk.xsd").read_bytes())
        with pytest.raises(ConnectorError) as found:
            await opened("http://127.0.0.1:1", wsdl=str(tmp_path / "w" / "desk.wsdl"))
        return found.value

    return given


@pytest.mark.parametrize(
    ("new", "told"),
    [
        ("http://elsewhere.example/x.xsd", "is not beside it"),
        ("../soapdesk.xsd", "is not beside it"),
        ("file:///etc/passwd", "is not beside it"),
        ("soapdesk.xsd", "cannot be read: No such file"),
    ],
)
async def test_a_wsdl_reads_nothing_but_what_lies_beside_it(new: str, told: str, refused: Given) -> None:
    """Nor does it make us ask other machines."""
    assert told in str(await refused('schemaLocation="soapdesk.xsd"', f'schemaLocation="{new}"'))


async def test_a_wsdl_with_entities_is_refused(refused: Given) -> None:
    """They read files and fill memories."""
    dtd = '<!DOCTYPE d [<!ENTITY a SYSTEM "file:///etc/passwd">]>\n<wsdl:definitions name="Desk"'
    assert "DTDForbidden" in repr(await refused('<wsdl:definitions name="Desk"', dtd))


async def test_a_fetched_wsdl_stays_in_its_house(world: World) -> None:
    """What it imports from elsewhere is not asked for; it can be saved and named."""

    async def wsdl(_: web.Request) -> web.Response:
        text = (HERE / "soapdesk.wsdl").read_text(encoding="utf-8")
        elsewhere = text.replace('"soapdesk.xsd"', f'"{world.url}/soapdesk.xsd"')
        return web.Response(text=elsewhere, content_type="text/xml")

    app = web.Application()
    app.router.add_get("/d.wsdl", wsdl)
    async with TestServer(app) as server:
        connector = await opened(world.url, wsdl=f"http://127.0.0.1:{server.port}/d.wsdl")
        with pytest.raises(InvalidError, match="is elsewhere: save both, and set wsdl"):
            await connector.health()
        await connector.close()


INSIDE = "<r><contacts>{}</contacts></r>"


@pytest.mark.parametrize(
    ("inside", "text"),
    [
        ("json", '{"list": [{"uid": 7, "fullName": "林晓峰"}]}'),
        ("xml", "&lt;a&gt;&lt;list&gt;&lt;uid&gt;7&lt;/uid&gt;&lt;/list&gt;&lt;/a&gt;"),
        ("xml", "<![CDATA[<?xml version='1.0'?><a><list><uid>7</uid></list></a>]]>"),
    ],
)
async def test_an_answer_that_holds_a_document_as_text(inside: str, text: str, world: World) -> None:
    """As many services of this country answer: a string with JSON or XML in it."""
    find = {**MAPPING["soap"]["find"], "inside": inside, "at": "contacts", "records": "list"}
    connector = await opened(world.url, changed(find=find))
    world.service.raw = (200, ENVELOPE.format(INSIDE.format(text)).encode())
    (found,) = await connector.find(CALLER)
    assert found.id == "7"
    world.service.raw = (200, ENVELOPE.format(INSIDE.format("系统忙")).encode())
    with pytest.raises(InvalidError, match=f"FindContacts answers no {inside} at 'contacts'"):
        await connector.find(CALLER)
    await connector.close()


@pytest.mark.parametrize(
    ("xml", "value"),
    [
        ("<r/>", ""),
        ("<r>a</r>", "a"),
        ("<r><a>1</a><a>2</a><b/></r>", {"a": ["1", "2"], "b": ""}),
        ('<r id="7">x</r>', "x"),
        ('<r no="7">x</r>', {"@no": "7", "#text": "x"}),
        ('<r no="7"><a/></r>', {"@no": "7", "a": ""}),
        ('<r><a xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:nil="true"/></r>', {"a": None}),
        ("<r><!-- x --><a><?y z?>1</a></r>", {"a": "1"}),
        ('<x:r xmlns:x="urn:x"><x:a>1</x:a></x:r>', {"a": "1"}),
    ],
)
def test_xml_as_json_has_it(xml: str, value: Any) -> None:
    """By local names; what is not there is nothing."""
    assert value_of(parse(xml.encode())) == value


def test_parts_that_are_pointed_at_are_put_in_place() -> None:
    """SOAP's own encoding, as older services have it; one that points at itself ends."""
    rows = '<r><a href="#1"/><a href="#2"/></r><m id="1"><uid>7</uid></m><m id="2"><uid>8</uid></m>'
    found = body_of(parse(ENVELOPE.format(rows).encode()))
    assert isinstance(found, dict)
    assert [row["uid"] for row in found["a"]] == ["7", "8"]
    with pytest.raises(NoXmlError, match="circles"):
        body_of(parse(ENVELOPE.format('<r><a href="#1"/></r><m id="1"><b href="#1"/></m>').encode()))


@pytest.mark.parametrize(
    ("more", "shown"),
    [
        ({"security": "wsse"}, "<wsse:Password Type="),
        ({"security": "wsse_digest"}, "#PasswordDigest"),
        ({"security": "http"}, "Basic"),
        ({"security": "mapping"}, ""),
    ],
)
async def test_where_the_key_goes(more: dict[str, str], shown: str) -> None:
    """Into each message as WS-Security has it, or into the request's head; a digest does not give the key away."""
    seen: list[tuple[str, str]] = []

    async def take(request: web.Request) -> web.Response:
        seen.append((request.headers.get("Authorization", ""), (await request.read()).decode()))
        return web.Response(text=ENVELOPE.format("<r><version>1</version></r>"), content_type="text/xml")

    app = web.Application()
    app.router.add_post("/soap", take)
    soap = {name: MAPPING["soap"][name] for name in ("health", "find")}
    async with TestServer(app) as server:
        url = f"http://127.0.0.1:{server.port}"
        connector = await opened(url, {**MAPPING, "ticket": {}, "soap": soap}, wsdl="soapdesk.wsdl", **more)
        assert (await connector.health()).version == "1"
        await connector.close()
    ((head, body),) = seen
    assert shown in (head if more["security"] == "http" else body)
    assert ("s3cret &lt;&amp;&gt;" in body) is (more["security"] == "wsse")


PAGE = (HERE.parents[1] / "docs" / "soap.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```toml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


async def test_what_the_page_shows_is_sound() -> None:
    """Every operation, argument and field of it stands in a real WSDL."""
    (mapping,) = [tomllib.loads(block) for block in BLOCKS if block.startswith("[customer]")]
    connector = await opened("http://127.0.0.1:1", mapping, wsdl="soapdesk.wsdl")
    assert connector.can & (Can.FIND | Can.GET | Can.NOTE) == Can.FIND | Can.GET | Can.NOTE
    await connector.close()
    (inside,) = [tomllib.loads(block) for block in BLOCKS if block.startswith("[soap.find]")]
    SoapPlan.read({**mapping["soap"], **inside["soap"]})


async def test_a_wsdl_that_is_not_there_is_no_customer_who_is_not_there(world: World) -> None:
    """Nobody would notice that nobody is found any more."""
    connector = await opened(world.url, wsdl=f"{world.url}/nothing.wsdl")
    with pytest.raises(InvalidError, match="there is no WSDL at"):
        await connector.find(CALLER)
    await connector.close()


async def test_what_xml_cannot_carry_does_not_lose_the_call(world: World) -> None:
    """Control characters, half a surrogate pair."""
    made = await world.connector.create_ticket(Draft("k7", "1", "漏\x00水\x1b\ud800。\U0001f600", "y"))
    assert world.desk.cases[made.id]["subject"] == "漏\ufffd水\ufffd\ufffd。\U0001f600"
