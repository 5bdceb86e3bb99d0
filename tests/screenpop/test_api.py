"""The JSON behind the pages: the same rights, clear refusals."""

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.screenpop.conftest import House, Visit


async def test_who_am_i(visit: "Visit") -> None:
    """Login, role, extension and rights."""
    assert await (await visit("li")).json("/api/me") == {
        "login": "li",
        "name": "李 明",
        "role": "agent",
        "extension": "1001",
        "rights": ["account", "desk", "numbers", "read", "tickets"],
        "token": None,
        "scopes": None,
    }


async def test_a_ticket_is_read_and_changed(house: "House", visit: "Visit") -> None:
    """With the version one saw; the answer has the next."""
    ticket = await house.ticket_of(await house.answered())
    li = await visit("li")
    before = await li.json(f"/api/tickets/{ticket}")
    assert before["status"] == "accepted"
    assert [call["outcome"] for call in before["call_list"]] == ["answered"]
    body = {"version": before["version"], "status": "working", "title": "漏水"}
    answer = await li.ask("PATCH", f"/api/tickets/{ticket}", json=body)
    after = await answer.json()
    assert (after["status"], after["title"], after["typed"]) == ("working", "漏水", ["title"])
    assert after["version"] == before["version"] + 1
    again = await li.ask("PATCH", f"/api/tickets/{ticket}", json=body)
    assert (await again.json())["version"] == after["version"], "sent twice it is done once"
    other = await (await visit("wang")).ask("PATCH", f"/api/tickets/{ticket}", json={**body, "title": "发票"})
    assert other.status == 409
    told = await other.json()
    assert (told["version"], told["fields"]) == (after["version"], "title")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("", 400),
        ("[]", 400),
        ("null", 400),
        ("{", 400),
        ('{"version": 1}', 400),
        ('{"version": "1", "title": "x"}', 400),
        ('{"version": 1, "title": 7}', 400),
        ('{"version": 1, "machine_title": "x"}', 400),
        ('{"version": 1, "status": "nonsense"}', 422),
        ('{"version": 1, "owner": "nobody"}', 422),
        ('{"version": 1, "title": "\\u0000"}', 400),
    ],
)
async def test_what_cannot_be_is_refused(body: str, status: int, house: "House", visit: "Visit") -> None:
    """With problem details, and nothing changed."""
    ticket = await house.ticket_of(await house.answered())
    li = await visit("li")
    before = await li.json(f"/api/tickets/{ticket}")
    headers = {"Content-Type": "application/json"}
    answer = await li.ask("PATCH", f"/api/tickets/{ticket}", data=body.encode(), headers=headers)
    assert answer.status == status
    assert answer.content_type == "application/problem+json"
    assert (await answer.json())["status"] == status
    assert await li.json(f"/api/tickets/{ticket}") == before


async def test_a_note(house: "House", visit: "Visit") -> None:
    """Added, or refused when there is nothing in it."""
    ticket = await house.ticket_of(await house.answered())
    li = await visit("li")
    answers: list[tuple[Any, int]] = [({"text": "备注"}, 204), ({"text": " "}, 422), ({}, 400), ({"text": None}, 400)]
    for body, status in answers:
        assert (await li.ask("POST", f"/api/tickets/{ticket}/notes", json=body)).status == status, body
    notes = [line for line in (await li.json(f"/api/tickets/{ticket}"))["timeline"] if line["kind"] == "noted"]
    assert [(line["who"], line["detail"]) for line in notes] == [("li", {"text": "备注"})]


async def test_a_call(house: "House", visit: "Visit") -> None:
    """Its facts, and where its sound is."""
    call = await house.answered()
    found = await (await visit("li")).json(f"/api/calls/{call}")
    assert found["call"] == str(call)
    assert found["agents"] == ["1001"]
    assert found["recordings"] == [
        {
            "kind": "call",
            "began": None,
            "seconds": 2.0,
            "repaired": False,
            "deleted": None,
            "withheld": None,
            "legs": {"caller": f"/calls/{call}/audio/0/caller", "agent": f"/calls/{call}/audio/0/agent"},
            "talk": [],
        }
    ]
    assert [event["kind"] for event in found["events"]][:2] == ["arrived", "confirmed"]


async def test_a_body_too_large_is_refused(house: "House", visit: "Visit") -> None:
    """Before it is read whole."""
    ticket = await house.ticket_of(await house.answered())
    answer = await (await visit("li")).ask("POST", f"/api/tickets/{ticket}/notes", json={"text": "x" * 300_000})
    assert answer.status == 413
