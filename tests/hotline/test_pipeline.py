"""A fact's way: the card at once, the ledger behind it, and no trace of a call that was never real."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from crm.connector import Can, Unable
from crm.customer import Customer, Phone
from crm.trouble import TransientError
from hotline.lookup import Lookup
from hotline.pipeline import LineRules, Pipeline
from hotline.tasks import Crew
from numbering.identify import identify
from numbering.number import Number
from screenpop.asks import Voice
from screenpop.desk import Desk, topic
from storage.crm_index import CrmIndex
from storage.crm_index_rows import News
from storage.crm_index_state import Told
from storage.crm_index_turn import Turn
from storage.database import Database
from storage.fanout import MemoryFanout
from storage.ledger import Ledger
from storage.migrate import upgrade
from storage.reads import Reads
from storage.records import Entry
from storage.trouble import StorageError, Trouble
from telephony.call import (
    Answered,
    Arrived,
    CallKey,
    Confirmed,
    Ended,
    Fact,
    Left,
    Outcome,
    Over,
    Queued,
    Rang,
    Stopped,
)

NOW = 1795290138.0
LINE = "4007002505"
LIN = Customer("C1", "林晓峰", (Phone("13812345678", "+8613812345678"),), level="金卡")


@dataclass(slots=True)
class Crm(Unable):
    """A CRM that answers when it is let, or not at all."""

    customers: Sequence[Customer] = (LIN,)
    answer: asyncio.Event = field(default_factory=asyncio.Event)
    broken: bool = False
    name: str = "test"
    can: Can = Can.FIND

    async def find(self, number: Number) -> Sequence[Customer]:
        """Every customer, once let."""
        await self.answer.wait()
        if self.broken:
            raise TransientError("test: out of order")
        return [c for c in self.customers if any(p.e164 in (number.e164, None) for p in c.phones)]


@dataclass(slots=True)
class House:
    """The pipeline between a real database and a page."""

    pipeline: Pipeline
    crm: Crm
    reads: Reads
    ledger: Ledger
    crew: Crew
    desk: Desk
    pages: dict[str, list[dict[str, Any]]]
    news: asyncio.Event
    fanout: MemoryFanout

    async def until(self, holds: Callable[[], bool]) -> None:
        """Until a message makes it hold."""
        while not holds():
            self.news.clear()
            await self.news.wait()

    def tell(self, *facts: Fact) -> None:
        """Deliver facts."""
        self.pipeline.deliver(facts)

    async def settle(self) -> None:
        """Until all is shown and written; a dead task fails the test."""
        await self.pipeline.settled()
        for agent, page in self.pages.items():  # what was published before the mark has been read when the mark is
            await self.fanout.publish(topic(agent), {"type": "mark"})
            await self.until(lambda page=page: {"type": "mark"} in page)  # type: ignore[misc]
            page.remove({"type": "mark"})
        assert self.crew.error is None, self.crew.error


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """A running pipeline on SQLite, two agents' pages open."""
    url = f"sqlite+aiosqlite:///{tmp_path / 'hotline.db'}"
    await upgrade(url)
    db = Database.open(url)
    crew, fanout, desk, crm = Crew(), MemoryFanout(), Desk(), Crm()
    crm.answer.set()
    ledger, reads = Ledger(db), Reads(db)
    pipeline = Pipeline(
        desk=desk,
        voice=Voice(fanout, desk.page, lambda: NOW),
        ledger=ledger,
        fanout=fanout,
        lookup=Lookup(crm, reads.open_tickets, budget=0.05),
        identify=identify,
        lines={LINE: LineRules("010")},
        crew=crew,
        clock=lambda: NOW,
        wake=lambda: None,
    )
    pages: dict[str, list[dict[str, Any]]] = {"1001": [], "1002": []}
    ready, news = asyncio.Event(), asyncio.Event()

    async def follow() -> None:
        async with fanout.subscribe(*(topic(agent) for agent in pages)) as messages:
            ready.set()
            async for name, message in messages:
                pages[name.removeprefix("desk:")].append(dict(message))
                news.set()

    crew.start(follow(), "pages")
    crew.start(pipeline.run(), "pipeline")
    await ready.wait()
    yield House(pipeline, crm, reads, ledger, crew, desk, pages, news, fanout)
    await crew.stop()
    await db.close()


def arrived(uid: str = "1.0", caller: str | None = "13812345678") -> Arrived:
    """A call on our line."""
    return Arrived(call=CallKey("hq", uid), at=NOW, caller=caller, caller_name=None, number=LINE, dialled=LINE)


def real(uid: str = "1.0", caller: str | None = "13812345678") -> tuple[Fact, ...]:
    """A call that arrived and was confirmed."""
    return arrived(uid, caller), Confirmed(call=CallKey("hq", uid), at=NOW)


def rang(agent: str, uid: str = "1.0") -> Rang:
    """That agent's phone rings."""
    return Rang(call=CallKey("hq", uid), at=NOW + 1, agent=agent)


async def test_a_call_becomes_cards_and_one_ticket(house: House) -> None:
    """Ring-all: both see the card, the one who answers keeps it, the ticket stands behind it."""
    key = CallKey("hq", "1.0")
    house.tell(*real(), Queued(call=key, at=NOW, queue="support"), rang("1001"), rang("1002"))
    house.tell(
        Answered(call=key, at=NOW + 2, agent="1002", queue="support"),
        Stopped(call=key, at=NOW + 2, agent="1001", why=Over.ANSWERED_ELSEWHERE),
    )
    await house.settle()
    assert house.pages["1001"][-1] == {
        "type": "gone",
        "call": "hq:1.0",
        "why": "answered_elsewhere",
        "desk": "",
    }
    card = house.pages["1002"][-1]["card"]
    assert card["state"] == "talking"
    assert card["match"]["customers"][0]["name"] == "林晓峰"
    assert card["ticket"]["joined"] is False
    house.tell(
        Left(call=key, at=NOW + 9, agent="1002", why=Over.ENDED), Ended(call=key, at=NOW + 9, outcome=Outcome.ANSWERED)
    )
    await house.settle()
    assert house.pages["1002"][-1]["type"] == "gone"
    page = await house.reads.call(key)
    assert page is not None
    assert page.item.ticket is not None
    assert page.item.outcome is Outcome.ANSWERED
    assert page.item.agents == ("1002",)
    ticket = await house.reads.ticket(page.item.ticket.id)
    assert ticket is not None
    assert ticket.item.ticket.customer_name == "林晓峰"


async def test_the_card_opens_before_the_crm_answers_and_fills_in_after(house: House) -> None:
    """A CRM that is stuck costs the card its customer for a while, and the ticket nothing."""
    house.crm.answer.clear()
    house.tell(*real(), rang("1001"))
    await house.settle()
    first, last = house.pages["1001"][0]["card"], house.pages["1001"][-1]["card"]
    assert first["match"] is None
    assert last["match"]["problem"] == "late"
    assert last["ticket"] is not None
    house.crm.answer.set()
    await house.until(lambda: bool(house.pages["1001"][-1]["card"]["match"]["customers"]))
    await house.settle()
    page = await house.reads.call(CallKey("hq", "1.0"))
    assert page is not None
    assert page.item.customer_name == "林晓峰"
    assert page.item.ticket is not None
    ticket = await house.reads.ticket(page.item.ticket.id)
    assert ticket is not None
    assert ticket.item.ticket.customer_id == "C1"


async def test_a_broken_crm_is_said_on_the_card(house: House) -> None:
    """An agent must not take 'could not ask' for 'not a customer'."""
    house.crm.broken = True
    house.tell(*real(), rang("1001"))
    await house.settle()
    assert house.pages["1001"][-1]["card"]["match"]["problem"] == "down"


async def test_a_copy_shows_the_caller_and_the_crm_names_the_tickets_customer(house: House, tmp_path: Path) -> None:
    """The card and routing go by the copy at once; a ticket waits for who owns the number now."""
    db = Database.open(f"sqlite+aiosqlite:///{tmp_path / 'hotline.db'}")
    copy = CrmIndex(db, "test")
    turn = Turn(copy, "test")
    await turn.take(NOW)
    before = replace(LIN, id="C0", name="前机主")
    await turn.step(Told(load=1, whole=NOW), [News("C0", before, NOW)], NOW)
    house.pipeline._lookup = Lookup(house.crm, house.reads.open_tickets, 60, copy=copy, clock=lambda: NOW)
    house.crm.answer.clear()
    house.tell(*real(), rang("1001"))
    await house.until(lambda: _offered(house) == ["前机主"])
    card = house.pages["1001"][-1]["card"]
    assert card["match"]["problem"] is None
    caller = house.pipeline.caller(CallKey("hq", "1.0"))
    assert caller is not None
    assert caller.match is not None
    assert caller.match.sure == before
    assert card["ticket"] is None
    house.crm.answer.set()
    await house.until(lambda: _offered(house) == ["林晓峰"])
    await house.settle()
    page = await house.reads.call(CallKey("hq", "1.0"))
    assert page is not None
    assert page.item.customer_name == "林晓峰"
    await db.close()


async def test_with_the_crm_down_the_copy_names_the_tickets_customer(house: House, tmp_path: Path) -> None:
    """The card says of when it is; the ticket is written for whom it knows."""
    db = Database.open(f"sqlite+aiosqlite:///{tmp_path / 'hotline.db'}")
    turn = Turn(CrmIndex(db, "test"), "test")
    await turn.take(NOW)
    await turn.step(Told(load=1, whole=NOW), [News("C1", LIN, NOW)], NOW)
    house.pipeline._lookup = Lookup(house.crm, house.reads.open_tickets, 60, copy=turn.index, clock=lambda: NOW)
    house.crm.broken = True
    house.tell(*real(), rang("1001"))
    await house.until(lambda: (house.pages["1001"] or [{}])[-1].get("card", {}).get("ticket") is not None)
    await house.settle()
    match = house.pages["1001"][-1]["card"]["match"]
    assert (match["problem"], match["as_of"], match["sure"]) == ("down", NOW, True)
    page = await house.reads.call(CallKey("hq", "1.0"))
    assert page is not None
    assert page.item.customer_id == "C1"
    await db.close()


def _offered(house: House) -> list[str]:
    match = house.pages["1001"][-1].get("card", {}).get("match") if house.pages["1001"] else None
    return [] if match is None else [customer["name"] for customer in match["customers"]]


async def test_a_forged_arrival_leaves_no_trace(house: House) -> None:
    """Never confirmed, given up as lost: no call, no ticket, no card, nothing kept in memory."""
    house.tell(arrived(), Ended(call=CallKey("hq", "1.0"), at=None, outcome=Outcome.LOST))
    await house.settle()
    assert await house.reads.call(CallKey("hq", "1.0")) is None
    assert (await house.reads.tickets()).items == ()
    assert not house.pages["1001"]
    assert len(house.desk) == 0
    assert not house.pipeline._files


async def test_the_same_caller_joins_the_open_ticket(house: House) -> None:
    """One problem, one ticket; the second card says that it joined."""
    house.tell(*real("1.0"), Ended(call=CallKey("hq", "1.0"), at=NOW + 5, outcome=Outcome.ABANDONED))
    await house.settle()
    house.tell(*real("2.0"), rang("1001", "2.0"))
    await house.settle()
    assert house.pages["1001"][-1]["card"]["ticket"]["joined"] is True
    assert len((await house.reads.tickets()).items) == 1


async def test_two_listeners_make_every_effect_once(house: House) -> None:
    """The same facts twice, as a second service on the same PBX and database tells them."""
    facts = (*real(), rang("1001"), Ended(call=CallKey("hq", "1.0"), at=NOW + 5, outcome=Outcome.ABANDONED))
    house.tell(*facts)
    await house.settle()
    house.tell(*facts)
    await house.settle()
    (item,) = (await house.reads.tickets()).items
    assert item.ticket.calls == 1
    assert item.missed == 1


async def test_a_database_that_is_down_loses_nothing(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cards go on; what happened is written when the database is back."""
    monkeypatch.setattr("hotline.writer.FIRST_PAUSE", 0.01)
    record_all, failures = house.ledger.record_all, 3
    down = asyncio.Event()

    async def failing(entries: Sequence[Entry]) -> Any:
        nonlocal failures
        if failures:
            failures -= 1
            down.set()
            raise StorageError(Trouble.FULL, "the disk is full")
        return await record_all(entries)

    monkeypatch.setattr(house.ledger, "record_all", failing)
    house.tell(*real(), rang("1001"))
    await down.wait()
    assert house.pages["1001"][0]["type"] == "card"
    await house.settle()
    assert failures == 0
    assert house.pipeline.writer.trouble is None
    assert house.pages["1001"][-1]["card"]["ticket"] is not None


async def test_withheld_callers_never_share_a_ticket(house: House) -> None:
    """Two strangers are two tickets."""
    house.tell(*real("1.0", None), *real("2.0", None))
    await house.settle()
    assert len((await house.reads.tickets()).items) == 2


@pytest.mark.parametrize(("caller", "sure"), [("01088886666", "C2"), ("075588886666", None)])
async def test_a_number_written_without_its_area_is_the_lines(house: House, caller: str, sure: str | None) -> None:
    """In the CRM of a company in Beijing 88886666 is 010-88886666, and nobody else's."""
    house.crm.customers = (Customer("C2", "王芳", (Phone("88886666", None),)),)
    house.tell(*real(caller=caller), rang("1001"))
    await house.settle()
    match = house.pages["1001"][-1]["card"]["match"]
    assert [customer["id"] for customer in match["customers"]] == ([sure] if sure else [])
