"""How a ticket stands in the CRM, on its page: their word, the way there, why it is not in line. And for operators."""

from typing import TYPE_CHECKING

from crm.connector import Item, Of, Ref, Status
from storage.crm_meeting import CrmMeeting
from storage.crm_refs import CrmRefs

if TYPE_CHECKING:
    from tests.screenpop.conftest import House, Visit

KEY = "hotline:shop:main:1.1:ticket"
THERE = "https://crm.example/7"


async def seen(house: "House", *words: tuple[str, Status], url: str = THERE, gone: bool = False) -> int:
    """A ticket of ours that stood so in the CRM, one after the other; its id."""
    ticket = await house.ticket_of(await house.answered())
    refs, meeting = CrmRefs(house.db), CrmMeeting(house.db, "odoo")
    turn = await refs.begin(KEY, Of.TICKET, now=house.time, ticket_id=ticket)
    await refs.kept(turn, Ref(Of.TICKET, "7"), now=house.time, status=Status.ACCEPTED)
    for word, status in words:
        turn = await refs.begin(KEY, Of.TICKET, now=house.time)
        item = Item(Ref(Of.TICKET, "7", word), "t", status, word, owner="小陈", url=url)
        assert await meeting.met(turn, item, house.time) is not None
        await refs.over(turn, house.time)
    if gone:
        assert await meeting.met(await refs.begin(KEY, Of.TICKET, now=house.time), None, house.time) is not None
    return ticket


async def test_a_ticket_shows_how_it_stands_there(house: "House", visit: "Visit") -> None:
    """In their word, whose it is, a way to open it; what they did is on the timeline, with whose word it is."""
    ticket = await seen(house, ("新建", Status.ACCEPTED), ("维修中", Status.WORKING))
    visitor = await visit("zhao")
    page = await visitor.text(f"/tickets/{ticket}", headers={"Accept-Language": "zh"})
    assert f'href="{THERE}" target="_blank" rel="noopener noreferrer"' in page
    assert "客户系统中的状态" in page
    assert "新建 → 维修中" in page
    assert "受理 → 处理中" in page
    assert "客户系统中有变动</strong> · odoo" in page
    told = (await visitor.json(f"/api/tickets/{ticket}"))["crm"]
    assert (told["status"], told["said"], told["owner"], told["url"]) == ("working", "维修中", "小陈", THERE)


async def test_why_it_is_not_in_line_stands_on_the_page(house: "House", visit: "Visit") -> None:
    """With the CRM's own words, and since when."""
    ticket = await seen(house, ("等待配件", Status.UNKNOWN))
    await CrmRefs(house.db).trouble(KEY, "odoo: <no> such key", house.time)
    page = await (await visit("zhao")).text(f"/tickets/{ticket}", headers={"Accept-Language": "en"})
    assert "Not in line since 2026-11-20 12:00" in page
    assert "odoo: &lt;no&gt; such key" in page
    assert "none of ours" in page


async def test_a_ticket_deleted_there_says_so(house: "House", visit: "Visit") -> None:
    """And leads nowhere."""
    ticket = await seen(house, ("新建", Status.ACCEPTED), gone=True)
    page = await (await visit("zhao")).text(f"/tickets/{ticket}", headers={"Accept-Language": "zh"})
    assert page.count("已在客户系统中删除") == 2
    assert THERE not in page


async def test_an_address_that_is_none_is_no_link(house: "House", visit: "Visit") -> None:
    """Whatever a CRM says its page is."""
    ticket = await seen(house, ("新建", Status.ACCEPTED), url="javascript:alert(1)")
    assert "javascript:" not in await (await visit("zhao")).text(f"/tickets/{ticket}")


async def test_a_ticket_that_was_never_to_be_there_says_nothing_of_it(house: "House", visit: "Visit") -> None:
    """As in a house without a CRM."""
    ticket = await house.ticket_of(await house.answered())
    visitor = await visit("zhao")
    assert 'id="crm"' not in await visitor.text(f"/tickets/{ticket}")
    assert (await visitor.json(f"/api/tickets/{ticket}"))["crm"] is None


async def test_the_operator_sees_how_it_goes_with_the_crm(house: "House", visit: "Visit") -> None:
    """What is left alone until when and why, and how much is not in line."""
    calm = {"state": "closed", "until": None, "asked": 3, "failed": 0, "error": None, "at": None}
    open_ = {**calm, "state": "open", "until": house.time, "error": "odoo: <no> answer"}
    records = {"begun": 1, "kept": 12, "gone": 0, "trouble": 2}
    house.told["crm"] = {
        "connector": "odoo",
        "work": {"lookup": calm, "write": open_},
        "write_back": {"records": records, "heard": house.time, "trouble": None},
    }
    page = await (await visit("root")).text("/status", headers={"Accept-Language": "en"})
    assert "left alone until 12:00:00: odoo: &lt;no&gt; answer" in page
    assert "12 records · 2 not in line · last heard at 12:00:00" in page
