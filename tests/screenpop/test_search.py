"""Search, similar tickets, proposals and bursts as people see them."""

from typing import TYPE_CHECKING

from screenpop.finding import pieces
from storage.search_snippets import Snippet
from telephony.call import CallKey
from tickets.bursts import DAY, WEEK
from transcription.account import Category, Sentiment, Summary, Urgency
from transcription.transcript import Speaker, Transcript, Turn

if TYPE_CHECKING:
    from tests.screenpop.conftest import House, Visit

HEATER = "我家的热水器<b>不加热了，显示E4"
JSON = {"Accept": "application/json"}


async def say(house: "House", call: CallKey, text: str, category: Category = Category.REPAIR) -> None:
    """What the caller said is written down."""
    summary = Summary(text, category, Urgency.MIDDLE, Sentiment.NEUTRAL, (), (), {})
    transcript = Transcript((Turn(Speaker.CALLER, 12.0, 15.0, text, 0.9),), "scripted", "none")
    await house.ledger.said(call, transcript, summary, house.time)


async def test_the_page_finds_calls_and_tickets(house: "House", visit: "Visit") -> None:
    """Marked, escaped, with a link to the very turn; in both languages."""
    call = await house.answered()
    await say(house, call, HEATER)
    li = await visit("li")
    page = await li.text("/search?q=热水器")
    assert "<mark>热水器</mark>" in page
    assert "&lt;b&gt;" in page
    assert "<b>不加热" not in page
    assert f"/calls/{str(call).replace(':', '%3A')}#turn-0" in page
    assert f"/tickets/{await house.ticket_of(call)}" in page
    assert "没有哪通电话" in await li.text("/search?q=洗衣机")
    english = await li.text("/search?q=washer", headers={"Accept-Language": "en"})
    assert "In no call all these words were said." in english
    assert (await li.get("/search?q=x&cursor=1e9")).status == 400
    assert "<mark>" not in await li.text("/search")


async def test_an_agent_finds_nothing_of_a_colleague(house: "House", visit: "Visit") -> None:
    """Neither on the page nor by the API; a supervisor finds it."""
    call = await house.answered("1002")
    await say(house, call, HEATER)
    li, zhao = await visit("li"), await visit("zhao")
    assert (await li.json("/api/search?q=热水器"))["calls"] == []
    assert (await li.json("/api/search?q=热水器"))["tickets"] == []
    found = await zhao.json("/api/search?q=热水器")
    assert [hit["call"] for hit in found["calls"]] == [str(call)]
    assert found["calls"][0]["said"][0]["turn"] == 0
    assert found["calls"][0]["said"][0]["start"] == 12.0
    assert len(found["tickets"]) == 1
    assert found["cursor"] is None
    assert (await zhao.get("/api/search", headers=JSON)).status == 400
    assert (await li.get("/api/bursts", headers=JSON)).status == 403


async def test_similar_tickets_stand_beside_a_ticket(house: "House", visit: "Visit") -> None:
    """With the words that say so."""
    for number, text in enumerate(("洗衣机不排水", "冰箱不制冷", "空调漏水", "发票抬头开错", "快递丢失了")):
        await say(house, await house.answered("1002", f"1390000000{number}"), text)
    first, other = await house.answered("1001", "13800000001"), await house.answered("1002", "13800000002")
    await say(house, first, "热水器打不着火，没有热水")
    await say(house, other, "热水器点火打不着，一直没有热水")
    ticket, like = await house.ticket_of(first), await house.ticket_of(other)
    li = await visit("li")
    page = await li.text(f"/tickets/{ticket}")
    assert "相似的未结工单" in page
    assert f'href="/tickets/{like}"' in page
    told = await li.json(f"/api/tickets/{ticket}/similar")
    assert [one["id"] for one in told["similar"]] == [like]
    assert "打不着" in told["similar"][0]["why"]


async def test_a_proposal_is_accepted_with_one_click(house: "House", visit: "Visit") -> None:
    """It changes the ticket as a person's edit; then it is proposed no more."""
    call = await house.answered("1001", recorded=False)
    await say(house, call, "我要投诉你们的服务", Category.COMPLAINT)
    ticket = await house.ticket_of(call)
    zhao = await visit("zhao")
    assert (await zhao.json(f"/api/tickets/{ticket}/similar"))["proposed"] == [
        {"field": "urgency", "value": "高", "because": "投诉"}
    ]
    page = await house.reads.ticket(ticket)
    assert page is not None
    assert 'name="was_urgency" value="中"' in await zhao.text(f"/tickets/{ticket}")
    form = {"version": str(page.item.version), "was_urgency": "中", "urgency": "高"}
    assert (await zhao.post(f"/tickets/{ticket}", form)).status == 303
    after = await house.reads.ticket(ticket)
    assert after is not None
    assert after.item.ticket.urgency == "高"
    assert "urgency" in after.typed
    assert (await zhao.json(f"/api/tickets/{ticket}/similar"))["proposed"] == []


async def test_a_burst_is_told_to_supervisors(house: "House", visit: "Visit") -> None:
    """Above the list, live with it; agents are not told; a day later nobody is."""
    now = house.time
    for day in range(-47, -4, 3):
        house.time = now + day * DAY
        await say(house, await house.answered("1001", f"139000000{day + 50:02d}", recorded=False), "网速慢")
    finding = house.deps.finding
    assert finding is not None
    for minute in range(10):
        house.time = now + 60.0 * minute
        call = await house.answered("1001", f"138000000{minute:02d}", recorded=False)
        await say(house, call, "断网了，光猫红灯")
        await finding.bursts.look(call, house.time)
    li, zhao = await visit("li"), await visit("zhao")
    for path in ("/tickets", "/tickets/rows"):
        page = await zhao.text(path)
        assert "10 位来电人" in page
        assert "断网" in page
        assert "10 位来电人" not in await li.text(path)
    told = (await zhao.json("/api/bursts"))["bursts"]
    assert [(one["kind"], one["value"], one["callers"], one["over"]) for one in told] == [
        ("category", "报修", 10, False)
    ]
    assert len(told[0]["calls"]) == 5
    house.time = now + WEEK
    assert "10 位来电人" not in await (await visit("zhao")).text("/tickets")


def test_a_snippet_in_pieces() -> None:
    """Nothing lost between the marks."""
    snippet = Snippet(0, "caller", None, 0.0, "热水器不热", ((0, 3), (4, 5)))
    assert pieces(snippet) == [("热水器", True), ("不", False), ("热", True)]
    assert pieces(Snippet(0, "caller", None, 0.0, "", ())) == []
