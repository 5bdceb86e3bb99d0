"""Who the caller is, by a person's word; and what is typed during a call."""

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from crm.customer import Candidate, Customer, Reason
from numbering.identify import identify
from screenpop.choosing import CHOICES
from storage.records import TimelineKind
from telephony.call import Arrived, CallKey, Confirmed, Queued, Rang
from transcription.account import Category, Sentiment, Summary, Urgency
from transcription.transcript import Transcript

if TYPE_CHECKING:
    from tests.screenpop.conftest import House, Visit, Visitor

NUMBER = "010-8888 6666"
LIN, ZHOU = (
    Candidate(Customer(each, name, vip=each == "B"), Reason.SWITCHBOARD, NUMBER)
    for each, name in (("A", "林晓峰"), ("B", "周晓雯"))
)


async def choose(visitor: "Visitor", call: CallKey, customer: str | None) -> tuple[int, Any]:
    """Say who it is."""
    answer = await visitor.ask("POST", f"/api/calls/{call}/customer", json={"customer": customer})
    return answer.status, await answer.json()


async def ringing(house: "House", *agents: str) -> CallKey:
    """A call that rings at some phones."""
    key = house.key()
    facts = [
        Arrived(call=key, at=1.0, caller="01088886666", caller_name=None, number="4007002505", dialled="4007002505"),
        Confirmed(call=key, at=1.1),
        Queued(call=key, at=1.2, queue="support"),
        *(Rang(call=key, at=2.0, agent=agent) for agent in agents),
    ]
    for fact in facts:
        await house.ledger.record(fact, now=house.time, number=identify("01088886666"))
    return key


async def test_one_of_several_is_chosen_and_taken_back(house: "House", visit: "Visit") -> None:
    """While it rings already; every desk hears of it, and the ticket tells who said so."""
    house.offers = (LIN, ZHOU)
    call, li = await ringing(house, "1001"), await visit("li")
    async with house.fanout.subscribe(CHOICES) as told:
        status, said = await choose(li, call, "B")
        assert (status, said) == (
            200,
            {"call": str(call), "chosen": {"id": "B", "name": "周晓雯", "who": "李 明", "at": house.time}},
        )
        async with asyncio.timeout(5):
            _, word = await anext(told)
        assert (word["call"], word["number"], word["choice"]["id"], word["entered"]) == (str(call), 1, "B", None)
    ticket = await house.ticket_of(call)
    page = await li.json(f"/api/tickets/{ticket}")
    assert page["customer"] == {"id": "B", "name": "周晓雯", "vip": True}
    assert "已选定客户" in await li.text(f"/tickets/{ticket}")
    assert await choose(li, call, None) == (200, {"call": str(call), "chosen": None})
    page = await li.json(f"/api/tickets/{ticket}")
    assert page["customer"] is None
    assert [line["who"] for line in page["timeline"] if line["kind"] in ("chosen", "unchosen")] == ["li", "li"]


async def test_only_whom_the_number_offers(house: "House", visit: "Visit") -> None:
    """An id that somebody made up is refused, and nothing is written."""
    house.offers = (LIN,)
    call, li = await ringing(house, "1001"), await visit("li")
    assert (await choose(li, call, "Z"))[0] == 422
    page = await house.reads.ticket(await house.ticket_of(call))
    assert page is not None
    assert not [line for line in page.timeline if line.kind is TimelineKind.CHOSEN]


async def test_only_for_ones_own_calls(house: "House", visit: "Visit") -> None:
    """Whose phone it rings at or who talked; a colleague and an auditor may not, a supervisor may."""
    house.offers = (LIN, ZHOU)
    call = await ringing(house, "1001")
    assert (await choose(await visit("wang"), call, "B"))[0] == 403
    assert (await choose(await visit("shen"), call, "B"))[0] == 403
    assert (await choose(await visit("wang"), CallKey("main", "9.9"), "B"))[0] == 403
    zhao = await visit("zhao")
    assert (await choose(zhao, call, "B"))[0] == 200
    assert (await choose(zhao, CallKey("main", "9.9"), "B"))[0] == 404
    body = {"name": "陈一", "call": str(call)}
    assert (await (await visit("wang")).ask("POST", "/api/customers", json=body)).status == 403
    over = await house.answered("1002")
    assert (await choose(await visit("wang"), over, "B"))[0] == 200, "after the call, too"


async def test_a_caller_nobody_knows_is_entered(house: "House", visit: "Visit") -> None:
    """The name is enough; the call is theirs from then on, and sent again it is the same customer."""
    call, li = await ringing(house, "1001"), await visit("li")
    body = {"name": "  陈  一 ", "company": "", "note": None, "call": str(call)}
    async with house.fanout.subscribe(CHOICES) as told:
        answer = await li.ask("POST", "/api/customers", json=body)
        assert answer.status == 201
        made = await answer.json()
        async with asyncio.timeout(5):
            _, word = await anext(told)
    assert (made["name"], made["company"], made["chosen"]["id"]) == ("陈 一", None, made["id"])
    assert word["entered"]["phones"] == [["01088886666", "+861088886666", None]]
    again = await (await li.ask("POST", "/api/customers", json=body)).json()
    assert again["id"] == made["id"]
    page = await house.reads.call(call)
    assert page is not None
    assert (page.item.customer_id, page.item.customer_name) == (made["id"], "陈 一")


@pytest.mark.parametrize(
    "body",
    [
        {"name": " ", "call": "main:1.1"},
        {"name": "长" * 201, "call": "main:1.1"},
        {"call": "main:1.1"},
        {"name": "陈一"},
        {"name": "陈一", "call": "main:1.1", "vip": True},
    ],
)
async def test_what_is_no_customer_is_refused(body: dict[str, Any], visit: "Visit") -> None:
    """A name there must be, and a call."""
    assert (await (await visit("li")).ask("POST", "/api/customers", json=body)).status == 400


async def test_typing_while_the_summary_comes(house: "House", visit: "Visit") -> None:
    """Each pause saves one field; what the machine finds meanwhile fills only what nobody typed."""
    call = await house.answered()
    ticket, li = await house.ticket_of(call), await visit("li")
    seen = await li.json(f"/api/tickets/{ticket}")
    for end in range(1, 4):
        summary = Summary(f"机器{end}", Category.REPAIR, Urgency.HIGH, Sentiment.NEUTRAL, (), (), {})
        await house.ledger.said(call, Transcript((), "scripted", "v1", "zh", seconds=2.0), summary, house.time)
        body = {"version": seen["version"], "title": "热水器"[:end]}
        answer = await li.ask("PATCH", f"/api/tickets/{ticket}", json=body)
        assert answer.status == 200
        seen = await answer.json()
        assert (seen["title"], seen["category"], seen["urgency"]) == ("热水器"[:end], "报修", "高")
    assert seen["typed"] == ["title"]


async def test_two_fields_at_once_and_a_colleague(house: "House", visit: "Visit") -> None:
    """One person's fields never are in each other's way; a colleague's are told, and nothing of theirs is lost."""
    ticket = await house.ticket_of(await house.answered())
    li, zhao = await visit("li"), await visit("zhao")
    path, version = f"/api/tickets/{ticket}", (await li.json(f"/api/tickets/{ticket}"))["version"]
    at_once = [{"title": "漏水"}, {"category": "报修"}, {"urgency": "高"}, {"status": "working"}]
    answers = await asyncio.gather(*(li.ask("PATCH", path, json={"version": version, **change}) for change in at_once))
    assert [answer.status for answer in answers] == [200] * 4
    clash = await zhao.ask("PATCH", path, json={"version": version, "title": "发票", "owner": "zhao"})
    assert clash.status == 409
    now = await zhao.json(path)
    assert (now["title"], now["category"], now["urgency"], now["status"], now["owner"]) == (
        "漏水", "报修", "高", "working", "li"
    )  # fmt: skip
    assert (await zhao.ask("PATCH", path, json={"version": version, "owner": "zhao"})).status == 200


async def test_a_note_being_written_is_kept(house: "House", visit: "Visit") -> None:
    """Across reloads and browsers, for oneself; added, it is a draft no more."""
    ticket = await house.ticket_of(await house.answered())
    path = f"/api/tickets/{ticket}/draft"
    li, wang = await visit("li"), await visit("wang")
    assert await li.json(path) == {"text": "", "saved": None}
    answer = await li.ask("PUT", path, json={"text": "客户说明天"})
    assert await answer.json() == {"text": "客户说明天", "saved": house.time}
    assert (await (await visit("li")).json(path))["text"] == "客户说明天"
    assert (await wang.json(path))["text"] == ""
    await li.ask("POST", f"/api/tickets/{ticket}/notes", json={"text": "客户说明天在家"})
    assert await li.json(path) == {"text": "", "saved": None}
    assert (await li.ask("PUT", path, json={"text": "长" * 20_001})).status == 422
    assert (await (await visit("shen")).get(path)).status == 403
    assert (await li.ask("PUT", "/api/tickets/999999/draft", json={"text": "x"})).status == 404
