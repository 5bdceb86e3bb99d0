"""Missed callers on the pages: who sees what, one takes them at a time; and calls by a click."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from numbering.identify import identify
from screenpop.hands import Cannot, HandError
from screenpop.route import Scope
from storage.audit import What
from storage.callback import LEASE
from storage.records import Known
from telephony.call import Arrived, CallKey, Confirmed, Ended, Outcome, Queued
from tests.screenpop.conftest import LINE, PASSWORD, House, Visitor
from tests.screenpop.planted import token_for

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from tests.screenpop.conftest import Visit


async def missed(house: House, caller: str = "13812345678", known: Known | None = None) -> CallKey:
    """Somebody gives up."""
    key, at = house.key(), house.time
    for fact in (
        Arrived(call=key, at=at, caller=caller, caller_name=None, number=LINE, dialled=LINE),
        Confirmed(call=key, at=at),
        Queued(call=key, at=at + 1, queue="support"),
        Ended(call=key, at=at + 20, outcome=Outcome.ABANDONED),
    ):
        await house.ledger.record(fact, now=at, number=identify(caller), known=known)
    house.time += 60
    return key


async def test_agents_see_all_that_were_missed_but_no_number(house: House, visit: "Visit") -> None:
    """Of every line, the one who waits longest first; the number is for who takes it, and that look is on record."""
    await missed(house, known=Known("C1", "张伟", vip=True))
    second = await missed(house, "075588886666")
    li, wang = await visit("li"), await visit("wang")
    told = await li.json("/api/callbacks")
    assert told["waiting"] == 2
    assert told["cursor"] is None
    one, two = told["callbacks"]
    assert (one["display"], one["e164"], one["customer"]) == (
        "138****5678",
        None,
        {"id": "C1", "name": "张伟", "vip": True},
    )
    assert (two["display"], two["call"], two["line_name"], two["state"]) == (
        "0755-****6666",
        str(second),
        "售后",
        "waiting",
    )
    assert "13812345678" not in await li.text("/callbacks/rows")
    answer = await li.post(f"/api/callbacks/{one['id']}/take")
    assert answer.status == 200
    taken = await answer.json()
    assert (taken["mine"], taken["e164"], taken["display"]) == (True, "+8613812345678", "138 1234 5678")
    theirs = (await wang.json("/api/callbacks"))["callbacks"][0]
    assert (theirs["taken_name"], theirs["mine"], theirs["e164"]) == ("李 明", False, None)
    (row,) = [row for row in await house.audit.rows() if row.what is What.SHOWN]
    assert (row.who, row.subject) == ("li", one["call"])


async def test_one_takes_it_the_others_are_told_who(house: House, visit: "Visit") -> None:
    """Until it is given back, or forgotten."""
    await missed(house)
    li, wang = await visit("li"), await visit("wang")
    row = (await li.json("/api/callbacks"))["callbacks"][0]["id"]
    assert (await li.post(f"/api/callbacks/{row}/take")).status == 200
    for step in ("take", "give-back", "done"):
        answer = await wang.post(f"/api/callbacks/{row}/{step}")
        assert answer.status == 409, step
        assert "li" in (await answer.json())["detail"]
    assert (await li.post(f"/api/callbacks/{row}/give-back")).status == 200
    assert (await wang.post(f"/api/callbacks/{row}/take")).status == 200
    house.time += LEASE + 1
    assert (await li.post(f"/api/callbacks/{row}/take")).status == 200
    assert (await li.post("/api/callbacks/999/take")).status == 404
    assert (await li.post(f"/api/callbacks/{10**30}/done")).status == 404


async def test_a_person_closes_a_row_and_the_ticket_says_so(house: House, visit: "Visit") -> None:
    """With a note, or without one."""
    call = await missed(house)
    li = await visit("li")
    row = (await li.json("/api/callbacks"))["callbacks"][0]["id"]
    bad = await li.ask("POST", f"/api/callbacks/{row}/done", json={"note": 7})
    assert bad.status == 400
    answer = await li.ask("POST", f"/api/callbacks/{row}/done", json={"note": "已用微信答复"})
    assert (await answer.json())["state"] == "done"
    assert (await li.json("/api/callbacks"))["callbacks"] == []
    page = await li.text(f"/tickets/{await house.ticket_of(call)}")
    assert "已用微信答复" in page
    assert "回拨" in page


async def test_the_list_comes_in_parts(house: House, visit: "Visit") -> None:
    """By its own cursors; what is none is refused."""
    for last in range(5):
        await missed(house, f"1381234567{last}")
    li = await visit("li")
    first = await li.json("/api/callbacks?limit=3")
    rest = await li.json(f"/api/callbacks?limit=3&cursor={first['cursor']}")
    assert [row["display"][-1] for row in first["callbacks"] + rest["callbacks"]] == list("01234")
    assert rest["cursor"] is None
    for query in ("cursor=x", "limit=0", "limit=1000", "line=1"):
        assert (await li.get(f"/api/callbacks?{query}")).status == 400, query


async def test_the_list_as_a_part_of_a_page(house: House, visit: "Visit") -> None:
    """In both languages; without a hand there is no button that calls."""
    li = await visit("li")
    assert "没有待回拨" in await li.text("/callbacks/rows", headers={"Accept-Language": "zh-CN"})
    for _ in range(2):
        await missed(house, known=Known("C1", "<b>张伟</b>"))
    chinese = await li.text("/callbacks/rows", headers={"Accept-Language": "zh-CN"})
    assert "&lt;b&gt;张伟" in chinese
    assert "2 通电话" in chinese
    assert 'data-do="dial"' not in chinese
    assert 'data-do="take"' in chinese
    english = await li.text("/callbacks/rows", headers={"Accept-Language": "en"})
    assert "2 calls" in english


async def test_open_desks_are_told_when_the_list_changes(house: House, visit: "Visit") -> None:
    """Everybody who may call back."""
    await missed(house)
    li, wang = await visit("li"), await visit("wang")
    row = (await li.json("/api/callbacks"))["callbacks"][0]["id"]
    async with wang.client.ws_connect("/ws", headers={"Origin": wang.origin}) as socket:
        while (await socket.receive_json())["type"] != "snapshot":
            pass  # it stands when its cards are told
        await li.post(f"/api/callbacks/{row}/take")
        while (said := await socket.receive_json())["type"] != "callbacks":
            pass
    assert said == {"type": "callbacks"}


# -- calls by a click


@dataclass
class Hand:
    """Notes what it is asked; fails as it is told."""

    trouble: HandError | None = None
    asked: list[tuple[Any, ...]] = field(default_factory=list)
    may_pause = True
    may_dial = True
    pauses: "Sequence[str]" = ("午餐",)

    async def pause(self, extension: str, paused: bool, reason: str | None = None) -> None:  # noqa: FBT001 - protocol
        """Not asked here."""

    async def dial(
        self,
        extension: str,
        number: str,
        call: CallKey | None = None,
        *,
        line: str | None = None,
        ticket: int | None = None,
        who: str = "",
    ) -> None:
        """Note it."""
        self.asked.append((extension, number, call, line, ticket, who))
        if self.trouble is not None:
            raise self.trouble


@pytest.fixture
async def hand(house: House) -> "AsyncIterator[tuple[Hand, Visitor]]":
    """A house whose PBX has a hand, and li's browser in it."""
    made = Hand()
    server = TestServer(house.app(hand=made))
    async with TestClient(server) as client:
        li = Visitor(client)
        assert (await li.post("/login", {"login": "li", "password": PASSWORD})).status == 303
        yield made, li


async def dial(li: Visitor, **whom: Any) -> tuple[int, dict[str, Any]]:
    """One click."""
    answer = await li.ask("POST", "/api/desk/dial", json=whom)
    return answer.status, await answer.json()


async def test_a_click_calls_whom_it_names(house: House, hand: tuple[Hand, Visitor]) -> None:
    """A number as people write it, a call's or a ticket's caller, a missed caller, who is taken by that."""
    pbx, li = hand
    call = await house.answered("1001")
    ticket = await house.ticket_of(call)
    lost = await missed(house, "13900001111")
    row = (await li.json("/api/callbacks"))["callbacks"][0]
    assert await dial(li, number="138 1234-5678") == (
        202,
        {"extension": "1001", "e164": "+8613812345678", "display": "138 1234 5678"},
    )
    assert (await dial(li, call=str(call)))[0] == 202
    assert (await dial(li, ticket=ticket))[0] == 202
    assert (await dial(li, callback=row["id"]))[1]["display"] == "139 0000 1111"
    assert pbx.asked == [
        ("1001", "+8613812345678", None, None, None, "li"),
        ("1001", "+8613812345678", call, LINE, ticket, "li"),
        ("1001", "+8613812345678", call, LINE, ticket, "li"),
        ("1001", "+8613900001111", lost, LINE, row["ticket"]["id"], "li"),
    ]
    assert (await li.json("/api/callbacks"))["callbacks"][0]["mine"]
    dialled = [(row.who, row.subject) for row in await house.audit.rows() if row.what is What.DIALLED]
    assert dialled == [("li", "+8613900001111"), *[("li", "+8613812345678")] * 3]
    assert 'data-do="dial"' in await li.text("/callbacks/rows")


@pytest.mark.parametrize("whom", [{"number": "95588"}, {"number": "110"}, {"number": "不是号码"}, {"number": "8021"}])
async def test_what_is_no_number_to_call(hand: tuple[Hand, Visitor], whom: dict[str, Any]) -> None:
    """Is not even asked for."""
    pbx, li = hand
    status, told = await dial(li, **whom)
    assert (status, told["title"]) == (422, "not_allowed")
    assert not pbx.asked


async def test_what_names_nobody(house: House, hand: tuple[Hand, Visitor]) -> None:
    """Nothing, two things, what is not there, and a colleague's call."""
    pbx, li = hand
    theirs = await house.answered("1002")
    for whom, status in (
        ({}, 400),
        ({"number": "13812345678", "ticket": 1}, 400),
        ({"number": "1" * 65}, 400),
        ({"context": "from-trunk", "number": "13812345678"}, 400),
        ({"ticket": 999}, 404),
        ({"callback": 999}, 404),
        ({"call": "no key"}, 404),
        ({"call": str(theirs)}, 403),
    ):
        assert (await dial(li, **whom))[0] == status, whom
    assert not pbx.asked


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (Cannot.NOT_ALLOWED, 422),
        (Cannot.NO_PHONE, 409),
        (Cannot.BUSY, 409),
        (Cannot.PBX_AWAY, 503),
        (Cannot.REFUSED, 502),
    ],
)
async def test_the_pbx_says_no(hand: tuple[Hand, Visitor], kind: Cannot, status: int) -> None:
    """And the page is told in what way; nobody was called, so nothing is on record."""
    pbx, li = hand
    pbx.trouble = HandError(kind, "why")
    found, told = await dial(li, number="13812345678")
    assert (found, told["title"], told["detail"]) == (status, kind.value, "why")


async def test_without_a_hand_or_a_phone_nothing_is_called(house: House, visit: "Visit") -> None:
    """It is said, not tried."""
    assert (await dial(await visit("li"), number="13812345678"))[0] == 422
    server = TestServer(house.app(hand=Hand()))
    async with TestClient(server) as client:
        zhao = Visitor(client)
        await zhao.post("/login", {"login": "zhao", "password": PASSWORD})
        assert (await dial(zhao, number="13812345678"))[0] == 409


async def test_a_program_without_the_scope_learns_no_number(hand: "tuple[Hand, Visitor]", house: House) -> None:
    """Neither by taking a caller nor by calling one; and nobody is said to have seen it."""
    _, li = hand
    call = await missed(house)
    row = (await li.json("/api/callbacks"))["callbacks"][0]["id"]
    token = {"Authorization": f"Bearer {await token_for(house, 'li', Scope.DESK)}", "Cookie": ""}
    taken = await li.ask("POST", f"/api/callbacks/{row}/take", headers=token)
    assert (await taken.json())["display"] == "138****5678"
    for whom in ({"callback": row}, {"ticket": await house.ticket_of(call)}):
        answer = await li.ask("POST", "/api/desk/dial", json=whom, headers=token)
        told = await answer.json()
        assert (answer.status, told["e164"], told["display"]) == (202, None, "138****5678"), whom
    assert not [one for one in await house.audit.rows() if one.what is What.SHOWN]
