"""A customer's page and the search for customers: who it is for everybody, calls and tickets for whom they concern."""

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from crm.customer import Contract, Customer, Phone, Purchase
from storage.customer_search import CustomerSearch
from storage.customers import EmbeddedCrm
from storage.records import Known

if TYPE_CHECKING:
    from tests.screenpop.conftest import House, Visit

ODD = "a/b c?<7>"
HENG = Customer(
    ODD,
    "恒泰机械<b>",
    (Phone("138 1234 5678", "+8613812345678"), Phone("分机 12", None)),
    company="前海恒泰",
    level="金卡",
    vip=True,
    owner="李 明",
    purchases=(Purchase("变频空调", date(2026, 5, 1), Decimal("2899.00"), "D1"),),
    contracts=(Contract("延保", "H-1", date(2027, 5, 1)),),
    note="先打手机",
)
PATH = "/customers/a%2Fb%20c%3F%3C7%3E"


async def keep(house: "House") -> None:
    """The customer is ours and can be found."""
    await EmbeddedCrm(house.db).add_many([HENG])
    while await CustomerSearch(house.db).catch_up():
        pass


async def test_a_customer_is_found_and_opened(house: "House", visit: "Visit") -> None:
    """By name on the page and in JSON; whatever the id is, the link leads to the page."""
    await keep(house)
    li = await visit("li")
    page = await li.text("/search?q=恒泰")
    assert f'href="{PATH}"' in page
    assert "恒泰机械&lt;b&gt;" in page
    found = (await li.json("/api/search?q=5678&limit=5"))["customers"]
    assert [one["id"] for one in found] == [ODD]
    assert found[0]["phones"][0] == {"display": "138****5678", "e164": None}
    text = await li.text(PATH)
    for words in ("恒泰机械&lt;b&gt;", "前海恒泰", "金卡", "VIP", "李 明", "先打手机", "变频空调", "2,899", "延保"):
        assert words in text, words
    told = await li.json(f"/api{PATH}")
    assert (told["purchases"][0]["amount"], told["contracts"][0]["until"], told["known"]) == (
        "2899.00",
        "2027-05-01",
        True,
    )
    for nothing in ("/customers/8", "/customers/%00", "/api/customers/8"):
        assert (await li.get(nothing)).status == 404, nothing


async def test_calls_and_tickets_are_those_one_may_see(house: "House", visit: "Visit") -> None:
    """An agent gets their own, and the colleague's name for what is open there; a supervisor gets all."""
    await keep(house)
    theirs = await house.answered("1002", "13912345678", known=Known(ODD, HENG.name, vip=True))
    mine = await house.answered("1001", known=Known(ODD, HENG.name, vip=True))
    ticket = await house.ticket_of(theirs)
    assert ticket == await house.ticket_of(mine), "one matter, a colleague's"
    li, wang, zhao = await visit("li"), await visit("wang"), await visit("zhao")
    told = await li.json(f"/api{PATH}")
    assert [call["call"] for call in told["calls"]] == [str(mine)]
    assert (told["tickets"], told["colleagues"]) == ([], ["wang"])
    assert "由同事处理：王 芳" in await li.text(PATH)
    for visitor in (wang, zhao):
        whole = await visitor.json(f"/api{PATH}")
        assert {call["call"] for call in whole["calls"]} == {str(mine), str(theirs)}
        assert ([one["id"] for one in whole["tickets"]], whole["colleagues"]) == ([ticket], [])


async def test_a_customer_of_whom_there_is_no_copy(house: "House", visit: "Visit") -> None:
    """Calls name who it is; those whom no call of theirs concerns are told nothing."""
    await house.answered("1002", known=Known("77", "王五"))
    wang, li = await visit("wang"), await visit("li")
    page = await wang.text("/customers/77")
    assert "王五" in page
    assert "本机没有该客户" in page
    assert (await li.get("/customers/77")).status == 404
