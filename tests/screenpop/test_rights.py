"""Every route, as every role and as nobody, against the one table of rights."""

import re
from typing import TYPE_CHECKING

import pytest

from screenpop.rights import Right, Role, may
from screenpop.route import Route
from screenpop.routes import ROUTES

if TYPE_CHECKING:
    from tests.screenpop.conftest import House, Visit

GUARDED = [route for route in ROUTES if route.right is not None]


def path_of(route: Route, ticket: int, call: str) -> str:
    """An address of the route that exists."""
    path = route.path.replace(r"{id:\d+}", str(ticket)).replace("{key}", call).replace("{customer}", "7")
    path = path.replace(r"{session:\d+}", "999999")
    return (
        path.replace(r"{recording:\d+}", "0")
        .replace("{leg}", "caller")
        .replace("{format}", "json")
        .replace("{receiver}", "push:none:0")
    )


async def test_nobody_gets_nothing(house: "House", visit: "Visit") -> None:
    """Without a login a page sends to the login and everything else says 401."""
    call = await house.answered()
    ticket = await house.ticket_of(call)
    nobody = await visit(None)
    for route in GUARDED:
        path = path_of(route, ticket, str(call))
        answer = await nobody.ask(route.method, path)
        if route.method == "GET" and not path.startswith("/api/"):
            assert answer.status == 303, route
            assert answer.headers["Location"].startswith("/login?back="), route
        else:
            assert answer.status == 401, route
    assert not await house.audit.rows()


@pytest.mark.parametrize(
    ("login", "role"), [("li", Role.AGENT), ("zhao", Role.SUPERVISOR), ("root", Role.ADMIN), ("shen", Role.AUDITOR)]
)
async def test_each_role_gets_what_the_table_says(login: str, role: Role, house: "House", visit: "Visit") -> None:
    """No route gives more or less than the right it names."""
    visitor = await visit(login)
    call = await house.answered()
    for route in GUARDED:
        if route.path == "/logout":
            continue
        if route.method != "GET":  # what an earlier one may have changed is no measure
            call = await house.answered()
        answer = await visitor.ask(route.method, path_of(route, await house.ticket_of(call), str(call)))
        assert route.right is not None
        if may(role, route.right):
            assert answer.status not in (401, 403), (route, answer.status)
            assert answer.status < 500, (route, await answer.text())
        else:
            assert answer.status == 403, (route, answer.status)


async def test_no_number_is_too_long(house: "House", visit: "Visit") -> None:
    """However many digits somebody types into an address: there is no such row, and nothing breaks."""
    call = await house.answered()
    root = await visit("root")
    numbered = [route for route in GUARDED if r":\d+}" in route.path]
    assert len(numbered) > 15
    for route in numbered:
        for number in ("9" * 19, "9" * 4400):
            path = re.sub(r"\{\w+:\\d\+\}", number, route.path).replace("{key}", str(call)).replace("{leg}", "caller")
            answer = await root.ask(route.method, path, json={} if "/api/" in path else None)
            assert answer.status in (400, 404), (route, answer.status)


def test_the_table() -> None:
    """Who may do what, in one look."""
    assert {role: sorted(right for right in Right if may(role, right)) for role in Role} == {
        Role.AGENT: ["account", "desk", "numbers", "read", "tickets"],
        Role.SUPERVISOR: [
            *("account", "all_calls", "all_tickets", "desk", "listens", "numbers", "read", "tickets", "unmasked")
        ],
        Role.ADMIN: sorted(Right),
        Role.AUDITOR: ["account", "all_calls", "all_tickets", "audit", "listens", "read"],
    }


async def test_an_agent_opens_no_call_of_a_colleague(house: "House", visit: "Visit") -> None:
    """Page, state, sound and JSON of somebody else's call are refused; so is a call that does not exist, alike."""
    call = await house.answered("1002")
    li = await visit("li")
    for key in (str(call), "main:1.1"):
        for path in (f"/calls/{key}", f"/calls/{key}/state", f"/calls/{key}/audio/0/caller", f"/api/calls/{key}"):
            assert (await li.get(path)).status == 403, path
    assert not [row for row in await house.audit.rows() if row.what == "listened"]


async def test_an_agent_lists_only_their_own_tickets(house: "House", visit: "Visit") -> None:
    """Whatever the query says; a supervisor lists all, or anybody's."""
    await house.answered("1001", "13800000001")
    await house.answered("1002", "13800000002")
    li, zhao = await visit("li"), await visit("zhao")
    for query in ("", "?owner=wang", "?status=all&owner="):
        found = await li.json(f"/api/tickets{query}")
        assert [ticket["owner"] for ticket in found["tickets"]] == ["li"], query
    assert len((await zhao.json("/api/tickets"))["tickets"]) == 2
    assert [ticket["owner"] for ticket in (await zhao.json("/api/tickets?owner=wang"))["tickets"]] == ["wang"]


async def test_only_who_may_sees_who_listened(house: "House", visit: "Visit") -> None:
    """The list of listens is for supervisors."""
    call = await house.answered()
    li, zhao = await visit("li"), await visit("zhao")
    assert "收听记录" not in await li.text(f"/calls/{call}")
    assert "收听记录" in await zhao.text(f"/calls/{call}")
