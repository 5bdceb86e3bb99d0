"""What does not fit is refused before anybody looks at it, and the answer names each field."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.screenpop.conftest import House, Visit

JSON = {"Content-Type": "application/json"}


BODIES: list[tuple[bytes, str]] = [
    (b'{"text": "x", "text": "y"}', "text"),  # which of the two would count?
    (b'{"text": "x", "colour": 1}', "colour"),
    (b"{}", "text"),
    (b'{"text": 7}', "text"),
    (b'{"text": NaN}', ""),
    (b'{"text": "\\u0000"}', ""),
    (b'{"text": "\\ud800"}', ""),
    (b'{"\\u0000": "x"}', ""),
    (b'{"text": ' + b"[" * 40 + b"]" * 40 + b"}", ""),
    (b"[" * 100_000, ""),
    (b'{"text": "\xff"}', ""),
    (b'\xef\xbb\xbf{"text": "x"}', ""),
    (b'{"text": ' + b"9" * 5000 + b"}", ""),
    (b"[]", ""),
    (b"null", ""),
    (b"", ""),
    (b"{", ""),
]
QUERIES = [
    ("limit=0", "limit"),
    ("limit=201", "limit"),
    ("limit=1_0", "limit"),
    ("limit=%2B5", "limit"),
    ("limit=5.0", "limit"),
    ("limit=%D9%A3", "limit"),
    ("limit=5&limit=6", "limit"),
    ("missed=perhaps", "missed"),
    ("cursor=1", "cursor"),
    ("cursor=", "cursor"),
    ("status=nonsense", "status"),
    ("text=" + "x" * 101, "text"),
    ("colour=red", "colour"),
    ("text=%00", ""),
]


async def test_a_body_that_does_not_fit(house: "House", visit: "Visit") -> None:
    """400, with the field's name, and nothing is kept."""
    ticket = await house.ticket_of(await house.answered())
    li = await visit("li")
    for body, field in BODIES:
        answer = await li.ask("POST", f"/api/tickets/{ticket}/notes", data=body, headers=JSON)
        assert (answer.status, answer.content_type) == (400, "application/problem+json"), body
        assert [fault["field"] for fault in (await answer.json())["errors"]] == [field], body
    page = await house.reads.ticket(ticket)
    assert page is not None
    assert "noted" not in {line.kind for line in page.timeline}


async def test_each_field_is_named(house: "House", visit: "Visit") -> None:
    """Also deep inside, and all of them at once."""
    call = await house.answered()
    body = {"seen": -1, "changes": [{"part": "fact", "undo": 1}, {"part": "nonsense"}]}
    answer = await (await visit("li")).ask("PATCH", f"/api/calls/{call}/summary", json=body)
    told = await answer.json()
    assert {fault["field"] for fault in told["errors"]} >= {"seen", "changes.0.undo", "changes.1.part"}
    assert all(fault["why"] for fault in told["errors"])


async def test_another_content_type(house: "House", visit: "Visit") -> None:
    """415: a form of another site's page cannot send what is taken for JSON."""
    ticket = await house.ticket_of(await house.answered())
    li = await visit("li")
    for kind in ("text/plain", "application/x-www-form-urlencoded", "application/json; charset=gbk"):
        headers = {"Content-Type": kind}
        answer = await li.ask("POST", f"/api/tickets/{ticket}/notes", data=b'{"text": "x"}', headers=headers)
        assert (answer.status, answer.content_type) == (415, "application/problem+json"), kind


async def test_a_query_that_does_not_fit(visit: "Visit") -> None:
    """The same for addresses; a name nobody knows is a slip, not a filter."""
    zhao = await visit("zhao")
    for query, field in QUERIES:
        answer = await zhao.ask("GET", f"/api/tickets?{query}")
        assert answer.status == 400, query
        assert [fault["field"] for fault in (await answer.json())["errors"]] == [field], query


async def test_lists_go_on_where_they_ended(house: "House", visit: "Visit") -> None:
    """By the cursor, as many at a time as asked for, each once, to the end."""
    for caller in range(5):
        await house.answered("1001", f"1380000000{caller}")
    zhao = await visit("zhao")
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = await zhao.json(f"/api/tickets?limit=2{cursor and f'&cursor={cursor}'}")
        assert len(page["tickets"]) <= 2
        seen += [ticket["number"] for ticket in page["tickets"]]
        cursor = page["cursor"]
    assert len(seen) == len(set(seen)) == 5


async def test_what_a_conflict_says(house: "House", visit: "Visit") -> None:
    """409 with the version that stands by now, 422 with the reason's code: programs need not read English."""
    ticket = await house.ticket_of(await house.answered())
    li, zhao = await visit("li"), await visit("zhao")
    path = f"/api/tickets/{ticket}"
    before = (await li.json(path))["version"]
    assert (await li.ask("PATCH", path, json={"version": before, "title": "漏水"})).status == 200
    stale = await zhao.ask("PATCH", path, json={"version": before, "title": "停水"})
    told = await stale.json()
    assert (stale.status, told["version"]) == (409, before + 1)
    refused = await zhao.ask("PATCH", path, json={"version": before + 1, "owner": "nobody"})
    assert (refused.status, (await refused.json())["refusal"]) == (422, "owner")
