"""What comes back from a CRM is sorted by what to do about it, whatever it is."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from crm.http import Http, Pace
from crm.http_answers import error_of
from crm.trouble import (
    AuthError,
    ConflictError,
    CrmError,
    InvalidError,
    NotFoundError,
    RateLimitedError,
    TransientError,
    UnknownOutcomeError,
    UnsupportedError,
)

QUICK = Pace(0.2, 0.2)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Serve = Callable[[Handler], Awaitable[Http]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """A system that answers every path by one handler, and a session with it."""
    opened: list[TestServer | Http] = []

    async def start(handler: Handler) -> Http:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", handler)
        server = TestServer(app)
        await server.start_server()
        http = Http("Test", str(server.make_url("/api/")), longest=5000)
        opened.extend((server, http))
        return http

    yield start
    for each in reversed(opened):
        await each.close()


@pytest.mark.parametrize(
    ("status", "writes", "error"),
    [
        (200, False, None),
        (204, True, None),
        (400, False, InvalidError),
        (401, False, AuthError),
        (403, True, AuthError),
        (404, False, NotFoundError),
        (405, True, UnsupportedError),
        (409, True, ConflictError),
        (412, True, ConflictError),
        (422, True, InvalidError),
        (429, False, RateLimitedError),
        (500, False, TransientError),
        (500, True, UnknownOutcomeError),
        (502, True, UnknownOutcomeError),
        (502, False, TransientError),
        (503, True, TransientError),
        (504, True, UnknownOutcomeError),
    ],
)
def test_a_status_means(status: int, writes: bool, error: type[CrmError] | None) -> None:  # noqa: FBT001
    """Exactly one kind of trouble, or none."""
    found = error_of("Test", status, {}, '{"message": "so"}', writes=writes)
    assert type(found) is (error or type(None))
    assert found is None or (str(status) in str(found) and "so" in str(found))


@pytest.mark.parametrize(
    ("told", "after"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "Sun, 22 Nov 2026 02:00:30 GMT", "date": "Sun, 22 Nov 2026 02:00:00 GMT"}, 30.0),
        ({"retry-after": "999999"}, 3600.0),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "soon"}, None),
        ({}, None),
    ],
)
def test_how_long_to_wait_is_taken_from_the_answer(told: dict[str, str], after: float | None) -> None:
    """In seconds or as a date by the clock of the system itself; nonsense is no time."""
    found = error_of("Test", 429, told, "", writes=False)
    assert isinstance(found, RateLimitedError)
    assert found.after == after


def test_a_page_of_html_is_not_shown_to_the_operator() -> None:
    """A proxy's error page says nothing."""
    found = error_of("Test", 502, {}, "<!DOCTYPE html><html>Bad Gateway</html>", writes=False)
    assert str(found) == "Test answered 502"


async def test_an_answer_comes_back_whole(serve: Serve) -> None:
    """Body, headers by lower-case name, the system's clock; the request went where it should."""
    seen: list[str] = []

    async def handler(request: web.Request) -> web.Response:
        seen.append(f"{request.method} {request.path_qs} {await request.text()}")
        return web.json_response({"a": 1}, headers={"X-Two": "2", "Date": "Sun, 22 Nov 2026 02:00:00 GMT"})

    http = await serve(handler)
    answer = await http.ask("POST", "/v1/people", query={"q": "a&b"}, json_body={"x": "中"}, writes=True)
    assert (answer.json_object(), answer.headers["x-two"], answer.date) == ({"a": 1}, "2", 1795312800.0)
    assert seen == [f"POST /api/v1/people?q=a%26b {json.dumps({'x': '中'})}"]
    with pytest.raises(InvalidError, match="a list was expected"):
        answer.json_list()


@pytest.mark.parametrize(
    "body", [b"<html>login</html>", b'{"half": ', b"", b"\xff\xfe", b"[" * 100_000], ids=lambda b: repr(b[:9])
)
async def test_what_is_no_json_is_trouble_and_of_a_write_unknown(body: bytes) -> None:
    """An answer nobody can read does not say what was done."""

    async def handler(_: web.Request) -> web.Response:
        return web.Response(body=body, content_type="text/html")

    app = web.Application()
    app.router.add_route("*", "/", handler)
    async with TestServer(app) as server:
        http = Http("Test", str(server.make_url("/")).rstrip("/"))
        try:
            with pytest.raises(TransientError):
                (await http.ask("GET", "/")).json()
            with pytest.raises(UnknownOutcomeError):
                (await http.ask("POST", "/", writes=True)).json()
        finally:
            await http.close()


async def test_an_endless_answer_is_cut_off(serve: Serve) -> None:
    """A packed one too: what counts is its size unpacked."""

    async def handler(_: web.Request) -> web.StreamResponse:
        response = web.Response(body=b" " * 100_000)
        response.enable_compression()
        return response

    http = await serve(handler)
    with pytest.raises(InvalidError, match="more than 5000 bytes"):
        await http.ask("GET", "/")


async def test_no_answer_in_time(serve: Serve) -> None:
    """Of a read: ask again. Of a write: it may have been done. A body that drips counts as late too."""
    never = asyncio.Event()

    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        if request.path.endswith("drips"):
            await response.prepare(request)
            while True:
                await response.write(b" ")
                await asyncio.sleep(0.05)
        await never.wait()
        return response

    http = await serve(handler)
    for path in ("/stuck", "/drips"):
        with pytest.raises(TransientError, match=r"no answer within 0\.4 s") as read:
            await http.ask("GET", path, pace=QUICK)
        assert not isinstance(read.value, UnknownOutcomeError)
        with pytest.raises(UnknownOutcomeError):
            await http.ask("POST", path, pace=QUICK, writes=True)


async def test_a_redirect_is_followed_only_at_home_and_never_by_a_write(serve: Serve) -> None:
    """Elsewhere our key would go to strangers."""

    async def handler(request: web.Request) -> web.Response:
        if request.path.endswith("/there"):
            return web.json_response([request.method])
        to = {"near": "/api/there", "far": "http://example.invalid/api/there"}.get(request.path.rsplit("/")[-1])
        raise web.HTTPFound(to or request.path)

    http = await serve(handler)
    assert (await http.ask("GET", "/near")).json() == ["GET"]
    with pytest.raises(InvalidError, match=r"redirect to http://example\.invalid"):
        await http.ask("GET", "/far")
    with pytest.raises(InvalidError, match="redirect"):
        await http.ask("POST", "/near", writes=True)
    with pytest.raises(InvalidError, match="circles"):
        await http.ask("GET", "/round")


@pytest.mark.parametrize(
    ("says", "read", "wrote"),
    [
        (b"", TransientError, UnknownOutcomeError),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[", TransientError, UnknownOutcomeError),
        (b"HTTP/1.1 200 OK\r\nContent-Le", TransientError, UnknownOutcomeError),
        (b"SSH-2.0-OpenSSH\r\n\r\n", TransientError, UnknownOutcomeError),
    ],
    ids=["nothing", "half a body", "half a head", "no http"],
)
async def test_a_connection_that_breaks(says: bytes, read: type[CrmError], wrote: type[CrmError]) -> None:
    """After a write was sent nobody knows whether it was done."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(says)
        writer.close()

    server = await asyncio.start_server(handler, "127.0.0.1", 0)
    http = Http("Test", f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    try:
        with pytest.raises(read) as first:
            await http.ask("GET", "/")
        assert type(first.value) is read
        with pytest.raises(wrote) as second:
            await http.ask("POST", "/api/s3cret", writes=True, json_body={})
        assert "s3cret" not in str(second.value), "an address may hold a key"
    finally:
        await http.close()
        server.close()


async def test_a_write_that_never_left_may_be_sent_again() -> None:
    """Nobody listens: the outcome is known."""
    server = await asyncio.start_server(lambda _r, _w: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    http = Http("Test", f"http://127.0.0.1:{port}")
    try:
        with pytest.raises(TransientError) as found:
            await http.ask("POST", "/", writes=True, json_body={})
        assert type(found.value) is TransientError
    finally:
        await http.close()
