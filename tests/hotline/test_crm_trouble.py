"""Whatever a CRM does while a telephone rings: the card says so in time, nobody wrong is shown, nothing dies."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from crm.connector import Context
from crm.guarded import Guarded, Op
from crm.registry import open_named
from hotline.lookup import Lookup
from numbering.identify import identify
from screenpop.card import Problem
from telephony.call import CallKey
from tickets.ticket import Ticket

CALLER = identify("13812345678")
BUDGET = 0.2
LIN = {"id": 7, "name": "林晓峰", "phone": "138-1234-5678"}
LI = {"id": 8, "name": "李娜", "phone": "+86 13812345678"}
OTHER = {"id": 9, "name": "谁", "phone": "13912345678"}
MAPPING = {
    "rest": {
        "health": {"path": "/me"},
        "find": {"path": "/people", "query": {"q": "{last8}"}, "records": "data"},
        "error": {"code": "errcode"},
    }
}

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


def says(body: Any, status: int = 200, **headers: str) -> Answer:
    """Answers this JSON, or these bytes, at once."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(body=data, status=status, headers=headers)

    return answer


def late(seconds: float) -> Answer:
    """Finds LIN after a while."""

    async def answer(_: web.Request) -> web.StreamResponse:
        await asyncio.sleep(seconds)
        return web.json_response({"data": [LIN]})

    return answer


async def half(request: web.Request) -> web.StreamResponse:
    """Breaks off in the middle."""
    response = web.StreamResponse(headers={"Content-Length": "1000"})
    await response.prepare(request)
    await response.write(b'{"data": [{"id": 7, "name": "')
    assert request.transport is not None
    request.transport.close()
    return response


async def nothing_open(_customer: str | None, _e164: str | None) -> Sequence[Ticket]:
    """No tickets."""
    return ()


class Desk:
    """The lookup of a service with one CRM behind, whose answer is set."""

    def __init__(self) -> None:
        self.answer: Answer = says({"data": []})
        self.asked = 0
        self.now = 0.0
        self.crm: Guarded
        self.lookup: Lookup

    async def say(self, request: web.Request) -> web.StreamResponse:
        """What is set."""
        self.asked += 1
        return await self.answer(request)

    async def ring(self) -> list[tuple[Problem | None, list[str], str | None]]:
        """The card's answers as they come: problem, who is offered, who is sure."""
        told = []
        async for filled in self.lookup.answers(CallKey("hq", "1.0"), CALLER):
            sure = None if filled.match.sure is None else filled.match.sure.name
            told.append((filled.problem, [each.customer.name for each in filled.match.candidates], sure))
        return told


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    """A service's lookup with a CRM of the test's."""
    desk = Desk()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", desk.say)
    async with TestServer(app) as server:
        context = Context(lambda _: "", Path(), lambda: desk.now, mapping=MAPPING)
        desk.crm = Guarded(await open_named("rest", {"url": str(server.make_url("/"))}, context), lambda: desk.now)
        desk.lookup = Lookup(desk.crm, nothing_open, BUDGET)
        yield desk
        await desk.crm.close()


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (says({"data": [LIN]}), [(None, ["林晓峰"], "林晓峰")]),
        (says({"data": [LIN, LI]}), [(None, ["林晓峰", "李娜"], None)]),
        (says({"data": [LIN, OTHER]}), [(None, ["林晓峰"], "林晓峰")]),
        (says({"data": [OTHER]}), [(None, [], None)]),
        (says({"data": [OTHER] * 1003}), [(Problem.DOWN, [], None)]),
        (late(BUDGET * 2), [(Problem.LATE, [], None), (None, ["林晓峰"], "林晓峰")]),
        (late(30), [(Problem.LATE, [], None), (Problem.DOWN, [], None)]),
        (says({"errcode": 40001, "errmsg": "no"}), [(Problem.DOWN, [], None)]),
        (says({"message": "builtins.ValueError"}, 500), [(Problem.DOWN, [], None)]),
        (says({"message": "Organization context"}, 403), [(Problem.DOWN, [], None)]),
        (says({}, 429), [(Problem.DOWN, [], None)]),
        (says(b"<html>Bad Gateway</html>", 502), [(Problem.DOWN, [], None)]),
        (says(b"<html>log in</html>"), [(Problem.DOWN, [], None)]),
        (half, [(Problem.DOWN, [], None)]),
        (says({"data": [{"uid": 7, "full_name": "林晓峰"}]}), [(Problem.DOWN, [], None)]),
        (says({"data": [{"id": 7, "name": {"zh": "林"}, "phone": [{"no": "13812345678"}]}]}), [(None, [], None)]),
        (says({"data": None}), [(None, [], None)]),
        (says({"data": "林晓峰"}), [(Problem.DOWN, [], None)]),
        (says({"items": [LIN]}), [(Problem.DOWN, [], None)]),
        (says([1, None, "x"]), [(Problem.DOWN, [], None)]),
    ],
    ids=[
        "found",
        "two on one number",
        "same ending",
        "another only",
        "overlooks the query",
        "slow",
        "stuck",
        "error in a 200",
        "500",
        "403",
        "429",
        "gateway",
        "a login page",
        "half a body",
        "other fields",
        "other kinds",
        "none",
        "no list",
        "moved elsewhere",
        "anything",
    ],
)
async def test_the_card(desk: Desk, answer: Answer, told: list[tuple[Problem | None, list[str], str | None]]) -> None:
    """Says who it is, that nobody knows, that the CRM is late or down; never somebody else."""
    desk.answer = answer
    assert await desk.ring() == told


async def test_a_crm_that_is_down_is_left_alone_and_found_again(desk: Desk) -> None:
    """Five cards waited for it; the others do not, until it is back."""
    desk.answer = says({}, 503)
    for _ in range(8):
        assert (await desk.ring())[-1][0] is Problem.DOWN
    assert desk.asked == 5
    desk.answer, desk.now = says({"data": [LIN]}), 3.0
    assert await desk.ring() == [(None, ["林晓峰"], "林晓峰")]
    assert desk.crm.conditions()[Op.LOOKUP].until is None


async def test_a_misspelt_field_is_no_reason_to_leave_it_alone(desk: Desk) -> None:
    """Refused each time, asked each time: the system is well."""
    desk.answer = says({"error": "no field mobil"}, 422)
    for _ in range(8):
        assert (await desk.ring())[-1][0] is Problem.DOWN
    assert desk.asked == 8
