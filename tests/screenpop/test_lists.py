"""Every list of the API walked to its end by its cursors, while more comes in: each row once, none left out."""

from typing import TYPE_CHECKING, Any

import pytest

from numbering.identify import identify
from screenpop.route import Api
from screenpop.routes import ROUTES
from storage.audit import What
from storage.records import Known
from telephony.call import Arrived, Confirmed, Ended, Outcome
from tests.screenpop.conftest import LINE
from transcription.transcript import Speaker, Transcript, Turn

if TYPE_CHECKING:
    from tests.screenpop.conftest import House, Visit

ROWS = {  # list: its rows' field, what names a row, who asks, with what
    "/api/calls": ("calls", "call", "zhao", ""),
    "/api/tickets": ("tickets", "id", "zhao", "&status=all"),
    "/api/search": ("calls", "call", "zhao", "&q=漏水"),
    "/api/callbacks": ("callbacks", "id", "li", ""),
    "/api/audit": ("entries", "id", "root", ""),
}
ELSEWHERE = {"/api/deliveries", "/api/privacy/erasures"}  # in houses of their own: test_deliveries, test_privacy_pages
CURSORS = ("x", "-1", "9" * 40, "1_", "_1", "1.5", "1_1_1", "1e3", "٣", "1;drop", "%00", "")


def lists() -> dict[str, Api]:
    """Every list that has a cursor."""
    return {
        route.path: route.api
        for route in ROUTES
        if route.api is not None and route.api.query is not None and "cursor" in route.api.query.model_fields
    }


async def happens(house: "House", number: int) -> None:
    """One more of everything, some of it at the same moment as before."""
    caller = f"138{number:08d}"
    key = house.key()
    house.time += number % 3
    for fact in (
        Arrived(call=key, at=house.time, caller=caller, caller_name=None, number=LINE, dialled=LINE),
        Confirmed(call=key, at=house.time),
        Ended(call=key, at=house.time + 1, outcome=Outcome.ABANDONED),
    ):
        await house.ledger.record(fact, now=house.time, number=identify(caller))
    said = (Turn(Speaker.CALLER, 0.0, 1.0, "水管漏水", 0.9),)
    await house.ledger.said(key, Transcript(said, "vosk", "m"), None, house.time)
    await house.audit.add("li", What.LISTENED, str(key), house.time)


def test_no_list_is_forgotten() -> None:
    """Each has a cursor and a limit with bounds, and its answer has a cursor."""
    assert set(lists()) == set(ROWS) | ELSEWHERE
    for path, api in lists().items():
        assert api.query is not None
        assert api.answer is not None
        assert "cursor" in api.answer.model_fields, path
        limit = api.query.model_json_schema()["properties"]["limit"]
        assert (limit["minimum"], limit["maximum"] <= 500) == (1, True), path


@pytest.mark.parametrize("path", ROWS)
async def test_each_row_once_while_more_comes(path: str, house: "House", visit: "Visit") -> None:
    """In pages of one, two and three; what was there at the beginning is all found, and nothing twice."""
    field, name, login, query = ROWS[path]
    for number in range(7):
        await happens(house, number)
    visitor = await visit(login)
    came = 7
    for limit in (1, 2, 3):
        there = [row[name] for row in (await visitor.json(f"{path}?limit=100{query}"))[field]]
        assert len(there) >= 7
        seen: list[Any] = []
        cursor: str | None = ""
        while cursor is not None:
            page = await visitor.json(f"{path}?limit={limit}{query}{cursor and f'&cursor={cursor}'}")
            assert len(page[field]) <= limit
            seen += [row[name] for row in page[field]]
            cursor = page["cursor"]
            if came < 12:
                await happens(house, came)
                came += 1
        assert len(seen) == len(set(seen)), "twice"
        assert [one for one in seen if one in set(there)] == there, "left out, or in another order"


@pytest.mark.parametrize("path", ROWS)
async def test_a_cursor_of_somebody_elses(path: str, visit: "Visit") -> None:
    """Is refused with the field named, whatever it is."""
    _, _, login, query = ROWS[path]
    visitor = await visit(login)
    for cursor in CURSORS:
        answer = await visitor.get(f"{path}?cursor={cursor}{query}", headers={"Accept": "application/json"})
        told = await answer.json()
        assert answer.status == 400, (cursor, told)
        assert answer.content_type == "application/problem+json"
        assert cursor == "%00" or [one["field"] for one in told["errors"]] == ["cursor"], (cursor, told)


async def test_what_one_asks_for_is_what_one_gets(house: "House", visit: "Visit") -> None:
    """By customer, and only missed ones, as the document says it: true."""
    call = await house.answered(known=Known("C7", "张三"))
    await happens(house, 1)
    zhao = await visit("zhao")
    assert [one["call"] for one in (await zhao.json("/api/calls?customer=C7"))["calls"]] == [str(call)]
    ticket = await house.ticket_of(call)
    assert [one["id"] for one in (await zhao.json("/api/tickets?customer=C7"))["tickets"]] == [ticket]
    for yes in ("true", "1"):
        missed = (await zhao.json(f"/api/tickets?missed={yes}"))["tickets"]
        assert [one["reach"] for one in missed] == ["missed"], yes
    assert len((await zhao.json("/api/tickets?missed=false"))["tickets"]) == 2
