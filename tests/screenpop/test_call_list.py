"""The list of calls: everybody's or one's own, by what one asks for, page by page."""

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from numbering.identify import identify
from screenpop.call_list_pages import number_of
from storage.records import Known
from telephony.call import Arrived, CallKey, Confirmed, Ended, Fact, Outcome

if TYPE_CHECKING:
    from tests.screenpop.conftest import House, Visit

OTHER_LINE = "4008001234"


async def missed(
    house: "House", caller: str | None = "13700000001", line: str = OTHER_LINE, outcome: Outcome = Outcome.ABANDONED
) -> CallKey:
    """A call that nobody answered."""
    key = house.key()
    at = house.time
    facts: list[Fact] = [
        Arrived(call=key, at=at, caller=caller, caller_name=None, number=line, dialled=line),
        Confirmed(call=key, at=at + 0.1),
        Ended(call=key, at=at + 40, outcome=outcome),
    ]
    for fact in facts:
        await house.ledger.record(fact, now=at, number=identify(caller))
    return key


def keys(found: dict[str, Any]) -> list[str]:
    """Which calls."""
    return [call["call"] for call in found["calls"]]


async def test_each_gets_what_is_theirs(house: "House", visit: "Visit") -> None:
    """An agent the calls they talked in and those of their tickets; others all; the newest first."""
    mine = str(await house.answered("1001", "13800000001"))
    house.time += 60
    theirs = str(await house.answered("1002", "13800000002"))
    house.time += 60
    nobodys = str(await missed(house))
    for login, wanted in (
        ("li", [mine]),
        ("wang", [theirs]),
        ("zhao", [nobodys, theirs, mine]),
        ("shen", [nobodys, theirs, mine]),
    ):
        visitor = await visit(login)
        assert keys(await visitor.json("/api/calls")) == wanted, login
        page = await visitor.text("/calls")
        assert [f'/calls/{quote(key)}"' in page for key in (mine, theirs, nobodys)] == [
            key in wanted for key in (mine, theirs, nobodys)
        ], login
    li = await visit("li")
    assert keys(await li.json("/api/calls?agent=1002")) == [], "asking for a colleague's shows nothing of them"
    zhao = await visit("zhao")
    ticket = f"/api/tickets/{await house.ticket_of(CallKey.parse(nobodys))}"
    version = (await zhao.json(ticket))["version"]
    answer = await zhao.ask("PATCH", ticket, json={"version": version, "owner": "li"})
    assert answer.status == 200, await answer.text()
    assert keys(await li.json("/api/calls")) == [nobodys, mine], "a call of one's own ticket is one's own"


async def test_by_what_one_asks_for(house: "House", visit: "Visit") -> None:
    """Line, agent, outcome, time, number, alone and together."""
    first = str(await house.answered("1001", "13812345678", known=Known("7", "张三")))
    house.time += 3600
    second = str(await missed(house, "13812340000"))
    house.time += 3600
    third = str(await missed(house, None, outcome=Outcome.VOICEMAIL))
    zhao = await visit("zhao")
    now = house.time
    for asked, wanted in (
        ("line=4007002505", [first]),
        (f"line={OTHER_LINE}", [third, second]),
        ("agent=1001", [first]),
        ("outcome=answered", [first]),
        ("outcome=voicemail", [third]),
        ("outcome=unanswered", [third, second]),
        (f"since={now - 3600}", [third, second]),
        (f"until={now - 3600}", [first]),
        (f"since={now - 3600}&until={now}", [second]),
        ("number=13812345678", [first]),
        ("number=%2B86%20138-1234-5678", [first]),
        ("number=1234", [second, first]),
        ("number=99999", []),
        ("number=12", [third, second, first]),
        (f"number=1381234&outcome=unanswered&line={OTHER_LINE}", [second]),
    ):
        assert keys(await zhao.json(f"/api/calls?{asked}")) == wanted, asked
    for asked, shown in (
        ("since=2026-11-20&until=2026-11-20", True),
        ("since=2026-11-21", False),
        ("until=2026-11-19", False),
        ("number=138+1234+5678", True),
        ("outcome=unanswered", False),
    ):
        assert ("张三" in await zhao.text(f"/calls?{asked}")) is shown, asked


async def test_what_nobody_can_mean_is_refused(visit: "Visit") -> None:
    """With the name of what is wrong."""
    zhao = await visit("zhao")
    wrong = ("outcome=nice", "since=soon", "since=nan", "limit=0", "limit=201", "cursor=1", "sort=up", "line=a&line=b")
    for asked in wrong:
        answer = await zhao.get(f"/api/calls?{asked}", headers={"Accept": "application/json"})
        assert answer.status == 400, asked
        assert answer.content_type == "application/problem+json"
    for asked in ("outcome=nice", "since=soon", "since=9999-12-32", "until=9999-12-31", "cursor=1"):
        assert (await zhao.get(f"/calls?{asked}")).status == 400, asked


async def test_page_by_page(house: "House", visit: "Visit") -> None:
    """Every call once, in order, also where several arrived at the same moment; a new one does not shift the pages."""
    made = []
    for number in range(7):
        made.append(str(await missed(house, f"1370000000{number}")))
        house.time += 60.25 if number % 3 == 0 else 0.0
    zhao = await visit("zhao")
    seen: list[str] = []
    cursor = ""
    for length in (3, 3, 1):
        found = await zhao.json(f"/api/calls?limit=3{cursor}")
        seen += keys(found)
        assert len(found["calls"]) == length
        cursor = f"&cursor={found['cursor']}"
        house.time += 60
        await missed(house)
    assert found["cursor"] is None
    assert sorted(seen) == sorted(made)
    arrived = [call["arrived"] for call in (await zhao.json("/api/calls"))["calls"]]
    assert arrived == sorted(arrived, reverse=True)


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        (None, None),
        ("  ", None),
        ("13812345678", "+8613812345678"),
        ("+86 138 1234 5678", "+8613812345678"),
        ("010-8888 6666", "+861088886666"),
        ("5678", "5678"),
        ("56-78", "5678"),
        ("56", None),
        ("%_%", "%_%"),
    ],
)
def test_what_is_typed_for_a_number(typed: str | None, number: str | None) -> None:
    """All of it where it is one, some digits else."""
    assert number_of(typed) == number
