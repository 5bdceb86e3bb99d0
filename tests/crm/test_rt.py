"""Request Tracker 5 as it was recorded; and RTs that are other than they should be."""

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

from crm.connector import Can, Context, Draft, Note, Of, Ref, Status
from crm.registry import ConnectorError, open_named
from crm.rt import Rt, RtSettings
from crm.rt_rest import SESSION_FOR
from crm.trouble import (
    AuthError,
    ConflictError,
    CrmError,
    InvalidError,
    NotFoundError,
    TransientError,
    UnknownOutcomeError,
    UnsupportedError,
)
from numbering.identify import identify
from tests.crm.rt_story import FILE, MAPPING, RtTape, opened, tell
from tests.crm.tape import SECRET

NOW = 1795312800.0
MOBILE = identify("13812345678")
DATE = "Sun, 22 Nov 2026 02:00:00 GMT"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def test_the_story_as_it_was_recorded() -> None:
    """Found, written once, told by the feed; not one request that was not recorded."""

    async def nothing() -> None:
        """The recording holds the change."""

    async with RtTape(FILE) as tape:
        rt = await opened(tape.url, tape.facts, SECRET)
        try:
            await tell(rt, tape.facts, nothing)
        finally:
            await rt.close()
        assert not tape.unknown


@asynccontextmanager
async def made_up(
    answer: Handler, clock: Callable[[], float] = lambda: NOW, mapping: Mapping[str, Any] = MAPPING, **given: Any
) -> AsyncIterator[Rt]:
    """A connector to an RT of the test's."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    server = TestServer(app)
    await server.start_server()
    settings = {
        "url": str(server.make_url("")).rstrip("/"),
        "find_typed": ["MobilePhone"],
        "queue": "客服",
        "also": {"closed": {"结案": "是"}},
        **given,
    }
    rt = await open_named("rt", settings, Context(lambda _: "t", Path(), clock, "0755", mapping))
    assert isinstance(rt, Rt)
    try:
        yield rt
    finally:
        await rt.close()
        await server.close()


def user(number: int, **more: Any) -> dict[str, Any]:
    """A user as RT lists one."""
    return {"id": number, "type": "user", "Name": f"u{number}", "RealName": "林晓峰", "MobilePhone": "", **more}


def listed(rows: list[dict[str, Any]], **more: Any) -> web.Response:
    """A list as RT gives it."""
    return web.json_response({"items": rows, "count": len(rows), "total": len(rows), **more}, headers={"Date": DATE})


async def test_a_field_that_rt_overlooks_names_no_stranger() -> None:
    """5.0.7 leaves out a condition on a field that it does not search, and gives everybody."""

    async def everybody(_: web.Request) -> web.StreamResponse:
        rows = [user(number, MobilePhone=f"138{number:08d}") for number in range(1, 101)]
        return listed(rows, total=1003, next_page="x")

    async with made_up(everybody) as rt:
        with pytest.raises(InvalidError, match="gives 1003 users for one number: it overlooks the field MobilePhone"):
            await rt.find(MOBILE)

    async def a_few(_: web.Request) -> web.StreamResponse:
        return listed([user(number, MobilePhone=f"138{number:08d}") for number in range(1, 21)])

    async with made_up(a_few) as rt:
        assert not await rt.find(MOBILE)


class Session:
    """An RT that opens sessions, and forgets them."""

    def __init__(self) -> None:
        self.open: set[str] = set()
        self.asked: list[tuple[str, bool]] = []
        self.token = "t"
        self.opened = asyncio.Event()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """As 5.0.7 does."""
        known = request.headers.get("Authorization") == f"token {self.token}"
        cookie = request.headers.get("Cookie")
        self.asked.append((request.path, cookie in self.open))
        if request.path == "/REST/1.0/":
            if known:
                self.open.add(f"RT_SID_lab={len(self.asked)}")
                self.opened.set()
            says = "200 Ok" if known else "401 Credentials required"
            headers = {"Set-Cookie": f"RT_SID_lab={len(self.asked)}; path=/"}
            return web.Response(text=f"RT/5.0.7 {says}\n\n", headers=headers)
        if cookie in self.open or known:
            return listed([]) if request.path.endswith("s") else web.json_response(user(7, Disabled="0"))
        if cookie:
            return web.Response(status=302, headers={"Location": "/"})
        if request.path == "/":
            return web.Response(text="<html>login</html>", content_type="text/html")
        return web.Response(status=401, text="Authorization required")


async def test_a_session_spares_rt_the_token() -> None:
    """Opened before what can wait, behind a lookup, renewed in time; a forgotten one costs but the token's check."""
    there, now = Session(), NOW
    async with made_up(there.answer, clock=lambda: now) as rt:
        await rt.find(MOBILE)
        await there.opened.wait()
        await rt.get("7")
        await rt.find(MOBILE)
        assert sorted(there.asked[:2]) == [("/REST/1.0/", False), ("/REST/2.0/users", False)]
        assert there.asked[2:] == [("/REST/2.0/user/7", True), ("/REST/2.0/users", True)]
        there.open.clear()
        assert await rt.get("7")
        now += SESSION_FOR
        await rt.get("7")
        assert there.asked[-2:] == [("/REST/1.0/", False), ("/REST/2.0/user/7", True)]


async def test_a_write_that_may_have_been_done_is_not_sent_again() -> None:
    """Whatever page a gateway shows: only one that was sent to the login is undone for certain."""
    there = Session()
    made = 0

    async def answer(request: web.Request) -> web.StreamResponse:
        nonlocal made
        if request.method == "POST" and request.path == "/REST/2.0/ticket":
            made += 1
            return web.Response(text="<html>Bad Gateway</html>", status=502, content_type="text/html")
        return await there.answer(request)

    async with made_up(answer) as rt:
        await rt.get("7")
        with pytest.raises(UnknownOutcomeError):
            await rt.create_ticket(Draft("k", "3", "t", "b"))
        assert made == 1


async def test_a_token_that_was_taken_back_is_told() -> None:
    """Though RT shows a page to log in to whoever sends a cookie."""
    there = Session()
    async with made_up(there.answer) as rt:
        await rt.get("7")
        there.open.clear()
        there.token = "another"
        for _ in range(2):
            with pytest.raises(AuthError, match="401"):
                await rt.get("7")
        with pytest.raises(AuthError, match="401"):
            await rt.set_status(Ref(Of.TICKET, "1"), Status.SOLVED)


class Users:
    """A list of users in pages, as RT gives it; ``disable`` is done once so many requests were made."""

    def __init__(self, count: int) -> None:
        self.there = list(range(1, count + 1))
        self.disable: dict[int, list[int]] = {}
        self.requests = 0

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """A page; beyond the end RT gives the last one."""
        if request.path == "/REST/1.0/":
            return web.Response(text="no")
        self.requests += 1
        for number in self.disable.get(self.requests, ()):
            self.there.remove(number)
        size = int(request.query["per_page"])
        last = max(1, -(-len(self.there) // size))
        page = min(int(request.query["page"]), last)
        rows = [user(number) for number in self.there[(page - 1) * size : page * size]]
        return listed(rows, total=len(self.there), **({"next_page": "x"} if page < last else {}))


@pytest.mark.parametrize("count", [0, 100, 101, 350])
@pytest.mark.parametrize("gone", [[1], list(range(1, 101)), list(range(90, 330))])
async def test_a_load_brings_everybody_whoever_is_disabled_meanwhile(count: int, gone: list[int]) -> None:
    """Those behind move forward in the list; nobody is brought twice."""
    there = Users(count)
    there.disable = {3: [number for number in gone if number <= count]}
    async with made_up(there.answer) as rt:
        seen = [each.id async for some, _ in rt.load() for each in some]
    assert set(map(str, there.there)) <= set(seen)
    assert len(seen) == len(set(seen))
    assert there.requests <= count / 45 + 12


@pytest.mark.parametrize("place", ["120 120", "120 9999", "120 3", "700 700", "5000 10"])
async def test_a_load_goes_on_from_its_place(place: str) -> None:
    """However long the list has become since."""
    there = Users(400)
    async with made_up(there.answer) as rt:
        seen = [int(each.id) async for some, _ in rt.load(place) for each in some]
        assert there.requests < 20
        assert seen == [number for number in there.there if number > int(place.partition(" ")[0])]
        with pytest.raises(InvalidError, match="no place"):
            await anext(aiter(rt.load("nowhere")))


async def test_tickets_changed_while_they_are_read_are_told_next_time() -> None:
    """They move to the head of the list."""
    times = {number: NOW + number for number in range(1, 251)}

    async def answer(request: web.Request) -> web.StreamResponse:
        if request.path == "/REST/1.0/":
            return web.Response(text="no")
        assert (request.query["orderby"], request.query["order"]) == ("LastUpdated", "DESC")
        size, page = int(request.query["per_page"]), int(request.query["page"])
        order = sorted(times, key=lambda number: -times[number])
        part = order[(page - 1) * size : page * size]
        rows = [{"id": str(number), "LastUpdated": str(times[number]), "Status": "open"} for number in part]
        if page == 1 and times[1] == NOW + 1:
            times[1] = NOW + 1000  # now before those that were read
        return listed(rows, total=None, **({"next_page": "x"} if page * size < len(order) else {}))

    async with made_up(answer) as rt:
        cursor, told, rounds = json.dumps([NOW, None, 1]), [], 0
        while rounds < 2:
            page = await rt.changes(Of.TICKET, cursor)
            told += [change.ref.id for change in page.changes]
            cursor = page.cursor
            rounds += not page.more
        assert set(told) == {str(number) for number in times}
        assert (await rt.changes(Of.TICKET, None)).cursor == cursor
        for wrong in ("", "[]", "[1,2]", '["x",null,1]'):
            with pytest.raises(InvalidError):
                await rt.changes(Of.TICKET, wrong)


def ticket(**more: Any) -> dict[str, Any]:
    """A ticket as RT lists one."""
    return {"id": "7", "Subject": "漏水", "Status": "new", "LastUpdated": "2026-11-22T02:00:00Z", **more}


@pytest.mark.parametrize(
    ("says", "error", "text"),
    [
        ("Ticket 7: Status 'x' isn't a valid status for this ticket.", InvalidError, "isn't a valid status"),
        ("Ticket 7: Permission Denied", AuthError, "needs a right"),
    ],
)
async def test_a_status_that_was_not_set_is_not_believed(says: str, error: type[CrmError], text: str) -> None:
    """RT answers 200 and a sentence."""

    async def answer(request: web.Request) -> web.StreamResponse:
        if request.method == "PUT":
            return web.json_response([says])
        return (
            listed([ticket()]) if request.path.endswith("s") else web.json_response({"id": 7}, headers={"ETag": '"9"'})
        )

    async with made_up(answer) as rt:
        with pytest.raises(error, match=text):
            await rt.set_status(Ref(Of.TICKET, "7"), Status.SOLVED)


async def test_a_key_that_rt_did_not_keep_is_told() -> None:
    """Else the ticket would be made again with every attempt; RT says nothing of a field that it has not."""

    async def answer(request: web.Request) -> web.StreamResponse:
        if request.path == "/REST/2.0/ticket":
            return web.json_response({"id": "7", "type": "ticket"}, status=201)
        if request.path.endswith("/comment"):
            return web.json_response(["Comments added"], status=201)
        return listed([ticket(CustomFields=[{"name": "CallID", "values": ["of another call"]}])])

    async with made_up(answer) as rt:
        with pytest.raises(InvalidError, match="made ticket 7 and did not keep our key in its custom field 'CallID'"):
            await rt.create_ticket(Draft("k", "3", "t", "b"))
        with pytest.raises(InvalidError, match="took a comment on ticket 7 and did not keep our key"):
            await rt.keep_note(Note("k", "3", "t", ("p",), ticket_id="7"), None)


@pytest.mark.parametrize(
    ("text", "status", "kind", "reading", "writing"),
    [
        ("<html>502</html>", 502, "text/html", TransientError, UnknownOutcomeError),
        ("<html>hello</html>", 200, "text/html", TransientError, UnknownOutcomeError),
        ('{"half": ', 200, "application/json", TransientError, UnknownOutcomeError),
        ('{"message": "Internal Server Error"}', 500, "application/json", TransientError, UnknownOutcomeError),
        ("{}", 429, "application/json", TransientError, TransientError),
        ("[1, 2]", 200, "application/json", InvalidError, InvalidError),
        ('{"items": [{"type": "user"}]}', 200, "application/json", InvalidError, InvalidError),
        ('{"message": "Forbidden"}', 403, "application/json", AuthError, AuthError),
        ('{"message": "Permission Denied"}', 400, "application/json", AuthError, AuthError),
        ('{"message": "Unknown field: x"}', 400, "application/json", InvalidError, InvalidError),
        ('{"message": "Precondition Failed"}', 412, "application/json", ConflictError, ConflictError),
        ('{"message": "Not Found"}', 404, "application/json", NotFoundError, NotFoundError),
    ],
)
async def test_what_comes_back_is_not_trusted(
    text: str, status: int, kind: str, reading: type[CrmError], writing: type[CrmError]
) -> None:
    """Each by its class; a write is unknown only where it may have been done."""

    async def answer(request: web.Request) -> web.StreamResponse:
        if request.path in ("/REST/2.0/users", "/REST/2.0/ticket"):
            return web.Response(text=text, status=status, content_type=kind)
        return listed([])

    async with made_up(answer) as rt:
        with pytest.raises(reading):
            await rt.find(MOBILE)
        with pytest.raises(writing) as caught:
            await rt.create_ticket(Draft("k", "3", "t", "b"))
        assert (type(caught.value) is UnknownOutcomeError) == (writing is UnknownOutcomeError)


@pytest.mark.parametrize(
    ("given", "mapping", "says"),
    [
        ({"find_typed": []}, MAPPING, "find_typed or find_exact is missing"),
        ({"tokn_env": "X"}, MAPPING, "tokn_env: no such setting"),
        ({"also": {}}, MAPPING, "solved and closed are both 'resolved'"),
        ({}, {}, "no word for closed"),
        ({}, {**MAPPING, "customer": {"phnes": "x"}}, "customer.phnes: no such field"),
        (
            {},
            {**MAPPING, "customer": {"purchases": {"object": "order", "link": "x", "what": "y"}}},
            "RT has no 'order'",
        ),
        ({"url": "http://rt.example"}, MAPPING, "key would cross the network readable"),
    ],
)
async def test_settings_that_cannot_work_are_refused(given: Any, mapping: Any, says: str) -> None:
    """Before anybody is asked anything."""
    settings: dict[str, Any] = {"url": "http://127.0.0.1:9", "find_typed": ["MobilePhone"], "queue": "客服"}
    settings |= {"also": {"closed": {"结案": "是"}}, **given}
    with pytest.raises(ConnectorError, match=says):
        await open_named("rt", settings, Context(lambda _: "t", Path(), lambda: NOW, None, mapping))


async def test_without_a_queue_there_are_no_tickets() -> None:
    """And it says so beforehand."""

    async def nobody(_: web.Request) -> web.StreamResponse:
        return listed([])

    async with made_up(nobody, mapping={}, queue=None) as rt:
        assert not rt.can & (Can.TICKET | Can.NOTE | Can.ITEMS | Can.SURVEY)
        for asked in (rt.create_ticket(Draft("k", "7", "t", "b")), rt.changes(Of.TICKET, None), rt.items("7")):
            with pytest.raises(UnsupportedError, match="names no queue"):
                await asked


async def test_the_documentation_is_right() -> None:
    """What docs/rt.md gives to copy is taken as it stands, and is what the real one was tried with."""
    page = (Path(__file__).parents[2] / "docs/rt.md").read_text(encoding="utf-8")
    blocks = [tomllib.loads(block) for block in re.findall(r"```toml\n(.*?)```", page, re.DOTALL)]
    [settings] = [block["crm"]["settings"] for block in blocks if "crm" in block]
    mapping = {name: table for block in blocks if "crm" not in block for name, table in block.items()}
    rt = await open_named("rt", settings, Context(lambda _: "t", Path(), lambda: NOW, None, mapping))
    await rt.close()
    assert rt.can & Can.TICKET
    assert {name for name in RtSettings.model_fields if f"`{name}`" in page} == set(RtSettings.model_fields)
    [overlay] = re.findall(r"```perl\n(.*?)```", page, re.DOTALL)
    tried = (Path(__file__).parents[1] / "crm_real/rt_overlay.pm").read_text(encoding="utf-8")
    assert overlay.strip() == tried.partition("\n")[2].strip()
