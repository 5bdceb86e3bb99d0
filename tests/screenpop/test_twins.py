"""What pages do, programs can do: each page and form has its operation of the API, for the same right."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from screenpop.rights import Right
from screenpop.routes import ROUTES
from storage.audit import What

if TYPE_CHECKING:
    from tests.screenpop.conftest import House, Visit

TWINS: Mapping[str, tuple[str, ...]] = {
    "POST /logout": ("DELETE /api/account/sessions/{session}",),
    "GET /desk": ("GET /api/desk", "GET /api/desk/work"),  # the cards themselves come by the socket
    "GET /desk/recent": ("GET /api/calls",),
    "GET /tickets": ("GET /api/tickets", "GET /api/bursts"),
    "GET /tickets/rows": ("GET /api/tickets",),
    "GET /tickets/{id}": ("GET /api/tickets/{id}", "GET /api/tickets/{id}/similar"),
    "POST /tickets/{id}": ("PATCH /api/tickets/{id}",),
    "POST /tickets/{id}/notes": ("POST /api/tickets/{id}/notes",),
    "GET /calls": ("GET /api/calls",),
    "GET /calls/{key}": ("GET /api/calls/{key}",),
    "GET /calls/{key}/state": ("GET /api/calls/{key}",),
    "GET /calls/{key}/summary": ("GET /api/calls/{key}",),
    "POST /calls/{key}/summary": ("PATCH /api/calls/{key}/summary",),
    "POST /calls/{key}/split": ("POST /api/calls/{key}/split",),
    "GET /calls/{key}/peaks/{recording}": ("GET /api/calls/{key}/peaks/{recording}",),
    "GET /status": ("GET /api/status", "GET /api/corrections"),
    "GET /account": ("GET /api/account", "GET /api/account/sessions", "GET /api/tokens"),
    "POST /account/sessions/end-others": ("DELETE /api/account/sessions",),
    "POST /account/sessions/{session}/end": ("DELETE /api/account/sessions/{session}",),
    "POST /account/password": ("POST /api/account/password",),
    "GET /account/second-factor": ("GET /api/account",),
    "POST /account/second-factor": ("POST /api/account/second-factor",),
    "POST /account/second-factor/confirm": ("POST /api/account/second-factor/confirm",),
    "POST /account/second-factor/remove": ("POST /api/account/second-factor/remove",),
    "POST /account/recovery-codes": ("POST /api/account/recovery-codes",),
    "POST /account/tokens": ("POST /api/tokens",),
    "POST /account/tokens/{id}/revoke": ("DELETE /api/tokens/{id}",),
    "GET /api": ("GET /api/openapi.json", "GET /api/asyncapi.json"),
    "GET /search": ("GET /api/search",),
    "GET /customers/{customer}": ("GET /api/customers/{customer}",),
    "GET /callbacks/rows": ("GET /api/callbacks",),
    "GET /deliveries": ("GET /api/deliveries", "GET /api/receivers"),
    "GET /deliveries/{id}": ("GET /api/deliveries/{id}",),
    "POST /deliveries/{id}/again": ("POST /api/deliveries/{id}/again",),
    "POST /receivers/{receiver}/again": ("POST /api/receivers/{receiver}/again",),
    "POST /receivers/{receiver}/resume": ("POST /api/receivers/{receiver}/resume",),
    "GET /audit": ("GET /api/audit",),
    "GET /audit/file": ("GET /api/audit",),
    "GET /privacy": ("GET /api/privacy/person", "GET /api/privacy/erasures"),
    "GET /privacy/export": ("GET /api/privacy/export",),
    "POST /privacy/erase": ("POST /api/privacy/erasures",),
}
# Coming in, and a browser's own choice: programs have tokens, and no language.
DOORS = {
    "GET /",
    "GET /login",
    "POST /login",
    "GET /login/code",
    "POST /login/code",
    "GET /login/set-up",
    "POST /login/set-up",
    "GET /login/oidc",
    "GET /login/oidc/back",
    "POST /language",
    "GET /ws",  # the other document's
}
WIDER = {  # a twin that tells more than its page asks the wider right: /tickets shows bursts to who has it
    "GET /api/bursts": Right.ALL_TICKETS,
    "GET /api/calls": Right.READ,  # /desk/recent is a desk's
}


def name(method: str, path: str) -> str:
    """A route as it is written here."""
    return f"{method} {path}".replace(r":\d+", "")


def test_each_page_has_its_operations() -> None:
    """None is forgotten, none is gone, and nobody may do by a program what they may not do by hand, or the reverse."""
    named = {name(route.method, route.path): route for route in ROUTES}
    pages = {each for each, route in named.items() if route.api is None}
    assert pages == set(TWINS) | DOORS
    for page, twins in TWINS.items():
        for twin in twins:
            assert named[twin].api is not None, twin
            same = named[twin].right in (named[page].right, WIDER.get(twin), None)
            assert same, (page, named[page].right, twin, named[twin].right)


async def test_what_the_page_of_a_call_tells(house: "House", visit: "Visit") -> None:
    """Who listened, to who may know it; and how many pages are open."""
    call = await house.answered()
    await house.audit.add("wang", What.LISTENED, str(call), house.time)
    for login, sees in (("li", None), ("zhao", [{"who": "wang", "at": house.time}])):
        assert (await (await visit(login)).json(f"/api/calls/{call}"))["listens"] == sees
    assert (await (await visit("root")).json("/api/status"))["pages"] == 0
