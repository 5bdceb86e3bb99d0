"""The API's document: made of the routes, valid, complete; and what really comes back is what it says."""

import gzip
import json
import re
from functools import cache
from typing import TYPE_CHECKING, Any

import jsonschema_rs
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from screenpop.openapi import SCOPES, address, document, errors_of, operation_id
from screenpop.rights import Right, Role, may
from screenpop.route import Route, Scope
from screenpop.routes import ROUTES
from tests.screenpop.planted import SECRETS, Planted, address_of, plant, token_for

if TYPE_CHECKING:
    from tests.screenpop.conftest import House, Visit, Visitor

DOCUMENT = document(ROUTES)
API = [route for route in ROUTES if route.api is not None]
AS_A_PROGRAM = {"Accept": "application/json"}
PEOPLE = {"li": Role.AGENT, "zhao": Role.SUPERVISOR, "root": Role.ADMIN, "shen": Role.AUDITOR}


def test_the_document_is_valid() -> None:
    """By the specification's own schema; it is JSON, and the same every time."""
    OpenAPIV31SpecValidator(DOCUMENT).validate()
    refs = set(re.findall(r'"\$ref": "#/components/schemas/([^"]+)"', json.dumps(DOCUMENT)))
    assert refs <= set(DOCUMENT["components"]["schemas"])
    assert json.dumps(document(ROUTES)) == json.dumps(DOCUMENT)


def test_every_route_of_the_api_says_what_it_is() -> None:
    """No route for programs without its documentation; each operation has a name of its own and a known scope."""
    silent = [f"{route.method} {route.path}" for route in ROUTES if route.path.startswith("/api/") and not route.api]
    assert not silent
    names = [operation_id(route) for route in API]
    assert sorted(names) == sorted(set(names))
    assert all(re.fullmatch(r"[a-z0-9_]+", name, re.IGNORECASE) for name in names)
    assert set(SCOPES) == set(Scope)
    for route in API:
        assert route.api is not None
        if route.right is Right.PRIVACY:
            assert route.api.scope is Scope.PRIVACY, f"{route.path}: no other scope gives a person's data away"
        if route.path.startswith("/api/account"):
            assert route.api.people, f"{route.path}: a program must not change its owner's account"
        changes = route.method not in ("GET", "HEAD")
        if changes and not route.api.people:
            assert route.api.scope is not None, f"{route.path}: what changes something needs a scope"
        if route.right is not None and not changes and not route.api.people:
            assert route.api.scope is not None or route.path == "/api/me", f"{route.path}: which scope?"


def test_every_name_means_one_thing() -> None:
    """Two Shapes of one name would get names out of their modules, and change them when a module moves."""
    assert not [name for name in DOCUMENT["components"]["schemas"] if "__" in name]


def test_examples_are_true() -> None:
    """Each example in the document fits what it is an example of."""
    examples = [
        (part | {"components": DOCUMENT["components"]}, example)
        for schema in DOCUMENT["components"]["schemas"].values()
        for part in schema.get("properties", {}).values()
        for example in part.get("examples", ())
    ]
    assert examples
    for schema, example in examples:
        jsonschema_rs.validate(schema, example)


def check(route: Route, status: int, kind: str, body: bytes) -> None:
    """An answer is one that the document foresees, in the form it says."""
    told = DOCUMENT["paths"][address(route)][route.method.lower()]["responses"].get(str(status))
    name = f"{operation_id(route)} {status} {body[:300]!r}"
    assert told is not None, name
    content = told.get("content")
    if content is None:
        assert not body, name
        return
    [(media, what)] = content.items()
    if media.endswith("/*"):
        return
    assert kind == media, name
    if what:
        assert not [error.message for error in validator(what["schema"]["$ref"]).iter_errors(json.loads(body))], name


@cache
def validator(ref: str) -> jsonschema_rs.Validator:
    """For one of the document's schemas."""
    return jsonschema_rs.validator_for({"$ref": ref, "components": DOCUMENT["components"]})


def bodies(route: Route, version: int) -> list[Any]:
    """What to send: something that does it, and something that does not fit."""
    assert route.api is not None
    if route.api.body is None:
        return [None]
    good = {
        "patch_tickets_id": {"version": version, "title": "漏水"},
        "post_tickets_id_notes": {"text": "备注"},
        "patch_calls_key_summary": {"seen": 0, "changes": [{"part": "urgency", "value": {"text": "低"}}]},
        "post_tokens": {"name": "程序", "scopes": ["calls"]},
        "post_desk_state": {"state": "ready"},
        "post_desk_seat": {"extension": "1001"},
        "put_tickets_id_draft": {"text": "草稿"},
        "post_calls_key_customer": {"customer": None},
        "post_customers": {"name": "钱先生", "call": "main:1.1"},
    }
    return [{}, {"nonsense": 1}, *([found] if (found := good.get(operation_id(route))) else ())]


async def walk(visitor: "Visitor", house: "House", planted: Planted, role: Role, headers: dict[str, str]) -> str:
    """Ask everything about one's own and about others' things; all that came back. Each answer is checked."""
    heard = []
    for route in API:
        assert route.api is not None
        for whose in planted.calls if "{" in route.path and role is Role.AGENT else ("li",):
            page = await house.reads.ticket(planted.tickets[whose])
            assert page is not None
            path = address_of(route, planted, whose)
            path += "?q=%E6%B4%97%E8%A1%A3%E6%9C%BA" if route.path == "/api/search" else ""
            for body in bodies(route, page.item.version)[0 if role is Role.AGENT else -1 :]:
                sent = {} if body is None else {"json": body}
                answer = await visitor.ask(route.method, path, headers=AS_A_PROGRAM | headers, **sent)
                text = await answer.read()
                check(route, answer.status, answer.content_type, text)
                if route.right is not None and not may(role, route.right):
                    assert answer.status == 403, operation_id(route)
                if not path.startswith(f"/api/tickets/{planted.tickets[whose]}"):  # whoever is led to one may open it
                    heard.append(text.decode("utf-8", "replace"))
    return "".join(heard)


@pytest.mark.parametrize("login", PEOPLE)
async def test_answers_are_what_the_document_says(login: str, house: "House", visit: "Visit") -> None:
    """As every role, each operation, with bodies that fit and that do not; agents get nothing of a colleague's."""
    planted = await plant(house)
    heard = await walk(await visit(login), house, planted, PEOPLE[login], {})
    told = {whose: secret in heard for whose, secret in SECRETS.items()}
    assert told == {"li": True, "wang": login != "li"}


async def test_a_token_opens_what_its_scopes_say(house: "House", visit: "Visit") -> None:
    """Each scope alone: its operations, those for any token, nothing else; never what its owner may not."""
    planted = await plant(house)
    nobody = await visit(None)
    for scope in Scope:
        headers = {"Authorization": f"Bearer {await token_for(house, 'li', scope)}"}
        for route in API:
            assert route.api is not None
            if route.method != "GET" or route.right is None:
                continue
            answer = await nobody.ask("GET", address_of(route, planted, "li"), headers=headers)
            check(route, answer.status, answer.content_type, await answer.read())
            opens = route.api.scope in (None, scope) and not route.api.people and may(Role.AGENT, route.right)
            assert (answer.status not in (401, 403)) == opens, (scope, route.path, answer.status)


async def test_a_token_hears_no_more_than_its_owner(house: "House", visit: "Visit") -> None:
    """With every scope; what is for people is not for it, and pages are not either."""
    planted = await plant(house)
    nobody = await visit(None)
    headers = {"Authorization": f"Bearer {await token_for(house, 'li')}"}
    heard = await walk(nobody, house, planted, Role.AGENT, headers)
    assert SECRETS["li"] in heard
    assert SECRETS["wang"] not in heard
    for path in ("/desk", "/tickets", "/account", f"/calls/{planted.calls['li']}", "/api", "/api/tokens"):
        assert (await nobody.get(path, headers=headers)).status == 403, path


async def test_nobody_gets_the_documents_only(house: "House", visit: "Visit") -> None:
    """Without a login: what the API is, not what is in it."""
    planted = await plant(house)
    nobody = await visit(None)
    for route in API:
        path = address_of(route, planted, "li")
        answer = await nobody.ask(route.method, path, headers=AS_A_PROGRAM)
        assert answer.status == (200 if route.right is None else 401), route
        check(route, answer.status, answer.content_type, await answer.read())


def test_every_documented_error_is_one_we_know() -> None:
    """No status without words."""
    for route in API:
        assert all(400 <= status < 600 for status in errors_of(route)), route


async def test_people_can_read_it(visit: "Visit") -> None:
    """Every operation and every Shape on one page, without foreign code; each link leads somewhere; not heavy."""
    page = await (await visit("li")).text("/api")
    for route in API:
        assert f'id="{operation_id(route)}"' in page
    anchors, links = set(re.findall(r' id="([^"]+)"', page)), set(re.findall(r'href="#([^"]+)"', page))
    assert links - anchors <= {"main"}
    assert "shape-Ticket" in links
    assert len(gzip.compress(page.encode())) < 60_000
