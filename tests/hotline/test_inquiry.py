"""A caller is known at once from the copy, and the CRM's word replaces it; stuck or away, the copy says what it is."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace

import pytest

from crm.connector import Can
from crm.customer import Phone, Purchase
from crm.guarded import Guarded
from crm.trouble import TransientError
from hotline import inquiry
from hotline.lookup import Lookup
from numbering.identify import identify
from screenpop.card import Filled, Problem
from storage.crm_index import CrmIndex
from storage.crm_index_rows import News
from storage.crm_index_state import Told
from storage.crm_index_turn import Turn
from storage.database import Database
from telephony.call import CallKey
from tests.hotline.town import Town, mobile, person
from tickets.ticket import Ticket

NOON = 1_795_147_200.0
CALL = CallKey("hq", "1.0")
BUDGET = 60.0  # nothing here takes so long
HURRY = 0.01  # for what never comes


async def nothing_open(_customer: str | None, _e164: str | None) -> Sequence[Ticket]:
    """No tickets of ours."""
    return ()


def who(filled: Filled) -> list[str]:
    """Who is offered."""
    return [candidate.customer.name for candidate in filled.match.candidates]


@dataclass
class Desk:
    """A lookup with a guarded town behind it and a copy of that beside it."""

    db: Database
    town: Town
    copy: CrmIndex
    turn: Turn
    now: float = NOON
    lookup: Lookup = field(init=False)

    def __post_init__(self) -> None:
        self.lookup = self.within(BUDGET)

    async def ring(self, count: int = 1, stop_at: Problem | None = None) -> list[Filled]:
        """The card's answers as they come, up to the first with this problem."""
        told = []
        lookup = self.lookup if stop_at is not Problem.LATE else self.within(HURRY)
        answers = lookup.answers(CALL, identify(mobile(count)))
        async for filled in answers:
            told.append(filled)
            if stop_at is not None and filled.problem is stop_at:
                break
        await answers.aclose()
        return told

    def within(self, budget: float) -> Lookup:
        """A lookup that is patient for so many seconds."""
        crm = Guarded(self.town, lambda: self.now)
        return Lookup(crm, nothing_open, budget, copy=self.copy, clock=lambda: self.now)

    async def loaded(self) -> None:
        """All that the town has now is in the copy."""
        news = [News(each.id, each, self.now, load=1) for each in self.town.customers.values()]
        await self.turn.step(Told(load=1, began=self.now, ended=self.now, whole=self.now), news, self.now)

    async def known(self, count: int = 1) -> list[str]:
        """Who has this number in the copy."""
        return [customer.name for customer in (await self.copy.find(identify(mobile(count)))).customers]


@pytest.fixture
async def desk(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    """Three customers, all known here; a machine that is busy does not matter."""
    monkeypatch.setattr(inquiry, "COPY_WITHIN", BUDGET)
    db, town = Database.open(sqlite_url), Town([person(count) for count in (1, 2, 3)])
    copy = CrmIndex(db, "town")
    made = Desk(db, town, copy, Turn(copy, "test"))
    await made.turn.take(NOON)
    await made.loaded()
    made.now += 60
    yield made
    await db.close()


async def test_the_crms_word_replaces_the_copys(desk: Desk) -> None:
    """Whatever is quicker: once the CRM spoke nothing is a copy any more."""
    gate = desk.town.gates["find"] = asyncio.Event()
    desk.town.customers["c01"] = replace(person(1, "新名"), level="金卡")
    told = []
    async for filled in desk.lookup.answers(CALL, identify(mobile(1))):
        told.append((filled.checking, filled.copied, who(filled), filled.match.sure is not None))
        gate.set()
    assert told[0] == (True, NOON, ["客户1"], True)
    assert told[-1] == (False, None, ["新名"], True)
    assert await desk.known() == ["新名"], "the copy learnt it"


async def test_a_stuck_crm_leaves_the_copys_answer(desk: Desk) -> None:
    """At once, once more when the budget is over, and when it is given up: with the time the copy is of."""
    desk.town.gates["find"] = desk.town.gates["items"] = asyncio.Event()
    first, late = await desk.ring(stop_at=Problem.LATE)
    assert (first.checking, first.problem, who(first)) == (True, None, ["客户1"])
    assert (late.checking, late.problem, late.copied, who(late)) == (False, Problem.LATE, NOON, ["客户1"])
    assert late.match.sure is not None


async def test_a_crm_that_is_down_leaves_the_copys_answer(desk: Desk) -> None:
    """Also when it is left alone after failing again and again, and asked nothing."""
    desk.town.fails["find"] = TransientError("town: out of order")
    for _ in range(8):
        last = (await desk.ring())[-1]
        assert (last.checking, last.problem, last.copied, who(last)) == (False, Problem.DOWN, NOON, ["客户1"])
    assert desk.town.asked.count("find") == 5, "the breaker let no more through"
    stranger = (await desk.ring(9))[-1]
    assert (stranger.problem, stranger.copied, who(stranger)) == (Problem.DOWN, None, [])


async def test_a_copy_with_holes_is_sure_of_nobody(desk: Desk) -> None:
    """While the first load runs a second customer of that number may not be there yet."""
    desk.town.fails["find"] = TransientError("town: out of order")
    await desk.turn.step(Told(load=1, began=NOON), (), desk.now)
    last = (await desk.ring())[-1]
    assert (who(last), last.match.sure) == (["客户1"], None)


async def test_who_is_gone_there_is_not_shown(desk: Desk) -> None:
    """And leaves the copy: the next call does not even see the name flash up."""
    del desk.town.customers["c01"]
    assert who((await desk.ring())[-1]) == []
    assert "get c01" in desk.town.asked
    assert await desk.known() == []


async def test_who_was_merged_is_shown_as_who_it_is_now(desk: Desk) -> None:
    """Also where the CRM's search does not find the number under the new one (yet)."""
    into = replace(person(2, "合并后"), phones=(*person(2).phones, *person(1).phones))
    del desk.town.customers["c01"]
    desk.town.customers["c02"] = into
    last = (await desk.ring())[-1]
    assert last.match.sure == into
    assert await desk.known() == ["合并后"]


async def test_who_is_merged_while_the_card_opens(desk: Desk) -> None:
    """Found by the search, another one by the time of the second look: that one's tickets are shown."""
    into = replace(person(2, "合并后"), phones=(*person(2).phones, *person(1).phones))
    desk.town.opens("c02", "漏水")
    gate = desk.town.gates["get"] = asyncio.Event()
    told = []
    async for filled in desk.lookup.answers(CALL, identify(mobile(1))):
        told.append(filled)
        if not filled.checking and not gate.is_set():
            desk.town.moved["c01"] = into
            gate.set()
    assert told[-1].match.sure == into
    assert [item.title for item in told[-1].items or ()] == ["漏水"]


async def test_another_citys_customer_is_not_shown_even_for_a_moment(desk: Desk) -> None:
    """A number written without an area may be anybody's: the copy has it, matching says no, the card waits."""
    local = replace(person(8, "外地"), phones=(Phone("8888 6666", None),))
    desk.town.customers["c08"] = local
    await desk.loaded()
    desk.town.fails["find"] = TransientError("town: out of order")
    told = [filled async for filled in desk.lookup.answers(CALL, identify("88886666", "0755"), "0571")]
    assert [(filled.checking, filled.problem, filled.copied) for filled in told] == [(False, Problem.DOWN, None)]


async def test_a_number_that_changed_hands(desk: Desk) -> None:
    """The copy still has the one before: the card has who owns it now, and nobody else."""
    desk.town.customers["c01"] = replace(person(1), phones=person(7).phones)
    desk.town.customers["c09"] = replace(person(9), phones=person(1).phones)
    assert who((await desk.ring())[-1]) == ["客户9"]
    assert await desk.known(1) == ["客户9"]
    assert await desk.known(7) == ["客户1"]


async def test_whom_a_search_overlooks_is_kept(desk: Desk) -> None:
    """A spelling that the CRM's search does not understand and our reading does."""
    desk.town.hidden.add("c01")
    last = (await desk.ring())[-1]
    assert (last.problem, last.copied, who(last)) == (None, None, ["客户1"])


async def test_a_crm_that_cannot_be_asked_by_id_is_believed(desk: Desk) -> None:
    """Nobody wrong is shown on the word of a copy alone while the CRM answers."""
    desk.town.can &= ~Can.GET
    desk.town.hidden.add("c01")
    assert who((await desk.ring())[-1]) == []


async def test_purchases_that_come_late_come(desk: Desk) -> None:
    """The name does not wait for them; the next time they are there at once."""
    desk.town.bare = True
    desk.town.buys("c01", "空调")
    told = await desk.ring()
    sure = [filled.match.sure for filled in told if not filled.checking]
    assert sure[0] is not None
    assert sure[-1] is not None
    assert sure[-1].purchases == (Purchase("空调"),)
    desk.town.gates["find"] = asyncio.Event()
    first = (await desk.ring(stop_at=Problem.LATE))[0]
    assert first.match.sure is not None
    assert first.match.sure.purchases == (Purchase("空调"),)


async def test_what_is_open_there_is_on_the_card(desk: Desk) -> None:
    """The sure customer's, in the CRM's words, with the way to it; as the customer has one."""
    desk.town.opens("c01", "漏水")
    last = (await desk.ring())[-1]
    assert last.items is not None
    assert [(item.title, item.said, item.url) for item in last.items] == [
        ("漏水", "进行中", "https://town.example/ticket/t0")
    ]
    assert last.links == {"c01": "https://town.example/customer/c01"}
    assert (await desk.ring(2))[-1].items == ()
    assert (await desk.ring(9))[-1].items is None, "nobody to ask for"


async def test_tickets_that_cannot_be_had_cost_the_card_nothing_else(desk: Desk) -> None:
    """They are unknown, which is not the same as none."""
    desk.town.fails["items"] = TransientError("town: no tickets today")
    last = (await desk.ring())[-1]
    assert (last.problem, last.items, who(last)) == (None, None, ["客户1"])


async def test_a_slow_list_of_tickets_does_not_hold_up_the_name(desk: Desk) -> None:
    """The CRM's answer counts without it; it fills in."""
    gate = desk.town.gates["items"] = asyncio.Event()
    told = []
    async for filled in desk.lookup.answers(CALL, identify(mobile(1))):
        told.append((filled.checking, filled.items))
        if not filled.checking:
            gate.set()
    assert told[-2:] == [(False, None), (False, ())]


async def test_two_customers_of_a_number_are_offered(desk: Desk) -> None:
    """From the copy as from the CRM, and nobody's tickets are asked for."""
    desk.town.customers["c09"] = replace(person(9), phones=person(1).phones)
    await desk.loaded()
    gate = desk.town.gates["find"] = asyncio.Event()
    told = []
    async for filled in desk.lookup.answers(CALL, identify(mobile(1))):
        told.append((filled.checking, who(filled), filled.match.sure))
        gate.set()
    assert told == [(True, ["客户1", "客户9"], None), (False, ["客户1", "客户9"], None)]
    assert not any(asked.startswith("items") for asked in desk.town.asked)


async def test_a_stranger_is_known_the_next_time(desk: Desk) -> None:
    """Somebody who was entered in the CRM a minute ago."""
    desk.town.customers["c09"] = person(9)
    assert who((await desk.ring(9))[-1]) == ["客户9"]
    assert await desk.known(9) == ["客户9"]


async def test_a_database_that_is_away_costs_the_copy_only(desk: Desk) -> None:
    """The CRM is asked all the same, and what it says is shown."""
    broken = Lookup(
        desk.town,
        nothing_open,
        BUDGET,
        copy=CrmIndex(Database.open("sqlite+aiosqlite:////nowhere/at/all.db"), "town"),
        clock=lambda: desk.now,
    )
    told = [filled async for filled in broken.answers(CALL, identify(mobile(1)))]
    assert who(told[-1]) == ["客户1"]
    assert not any(filled.checking for filled in told)
