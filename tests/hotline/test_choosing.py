"""Whom people chose reaches every process; what the database knows stands on the card; entered callers beside a CRM."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from crm.connector import Can, Item, Of, Ref, Status, Unable
from crm.customer import Customer, Phone
from crm.trouble import TransientError
from hotline.choosing import Choosing, Memories, chosen
from hotline.lookup import Lookup
from hotline.pipeline import LineRules, Pipeline
from hotline.reopening import Reopening
from hotline.tasks import Crew
from numbering.identify import identify
from numbering.number import Number
from screenpop.answers.cards import CallCard
from screenpop.asks import Voice
from screenpop.choosing import CHOICES
from screenpop.desk import Desk, topic
from storage.database import Database
from storage.entered import EnteredCustomers
from storage.fanout import MemoryFanout
from storage.ledger import Ledger
from storage.reads import Reads
from storage.recalled import Standing
from storage.recalling import Recall
from storage.records import Known
from telephony.call import Answered, Arrived, CallKey, Confirmed, Ended, Fact, Left, Outcome, Over, Rang
from transcription.account import Category, Promise, Sentiment, Summary, Urgency
from transcription.transcript import Transcript

NOW = 1795290138.0
LINE = "4007002505"
HOUSE = "01088886666"
LIN = Customer("A", "林晓峰", (Phone(HOUSE, "+861088886666"),))
ZHOU = Customer("B", "周晓雯", (Phone(HOUSE, "+861088886666"),), vip=True)


@dataclass(slots=True)
class Crm(Unable):
    """A CRM with some customers, or one that is away."""

    customers: Sequence[Customer] = (LIN, ZHOU)
    away: bool = False
    name: str = "test"
    can: Can = Can.FIND | Can.ITEMS
    asked: list[str] = field(default_factory=list)
    open_items: Sequence[Item] = ()

    async def find(self, number: Number) -> Sequence[Customer]:
        """Whoever has the number."""
        if self.away:
            raise TransientError("test: away")
        return [each for each in self.customers if any(phone.e164 == number.e164 for phone in each.phones)]

    async def items(self, customer_id: str, limit: int = 5) -> Sequence[Item]:  # noqa: ARG002 - few are open
        """What is open; whose was asked is kept."""
        self.asked.append(customer_id)
        return self.open_items


class Town:
    """One database and fan-out, and the processes on them."""

    def __init__(self, url: str) -> None:
        self.db, self.crm, self.fanout, self.crew = Database.open(url), Crm(), MemoryFanout(), Crew()
        self.ledger, self.reads = Ledger(self.db), Reads(self.db)
        self.rings = 0

    async def process(self) -> "Process":
        """Another service that listens to the same PBX, its desk heard."""
        made = Process(self)
        self.crew.start(made.pipeline.run(), "pipeline")
        heard = asyncio.Event()

        async def follow() -> None:
            async with self.fanout.subscribe(topic("1001")) as messages:
                heard.set()
                async for _ in messages:
                    made.news.set()

        self.crew.start(follow(), "page")
        self.crew.start(made.choosing.run(), "choices")
        await heard.wait()
        await asyncio.sleep(0)  # the choices are followed by now, too
        return made

    def ring(self, caller: str | None = HOUSE) -> tuple[CallKey, list[Fact]]:
        """A call that rings at 1001."""
        self.rings += 1
        key = CallKey("hq", f"{self.rings}.0")
        came = Arrived(call=key, at=NOW, caller=caller, caller_name=None, number=LINE, dialled=LINE)
        return key, [came, Confirmed(call=key, at=NOW), Rang(call=key, at=NOW + 1, agent="1001")]


class Process:
    """One process: its desk, its pipeline, its ear for choices."""

    def __init__(self, town: Town) -> None:
        self.town, self.desk, self.news = town, Desk(), asyncio.Event()
        own = EnteredCustomers(town.db)
        lookup = Lookup(town.crm, town.reads.open_tickets, 5.0, own=own)
        rules = {LINE: LineRules("010")}
        recall = Memories(Recall(town.db), lambda: NOW, ZoneInfo("Asia/Shanghai")).of
        self.pipeline = Pipeline(
            desk=self.desk,
            voice=Voice(town.fanout, self.desk.page, lambda: NOW),
            ledger=town.ledger,
            fanout=town.fanout,
            lookup=lookup,
            identify=identify,
            lines=rules,
            crew=town.crew,
            clock=lambda: NOW,
            wake=lambda: None,
            recall=recall,
        )
        self.reopening = Reopening(
            desk=Desk, lookup=lookup, reads=town.reads, own=own, recall=recall, identify=identify, rules=rules
        )
        self.choosing = Choosing(
            pipeline=self.pipeline, lookup=lookup, reads=town.reads, own=own, fanout=town.fanout, rules=rules
        )

    async def card(self, holds: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
        """The card at 1001, once it is as wanted."""
        async with asyncio.timeout(10):
            while not (shown := self.desk.page("1001")) or not holds(shown[-1]):
                self.news.clear()
                await self.news.wait()
        assert self.town.crew.error is None, self.town.crew.error
        return shown[-1]


@pytest.fixture
async def town(sqlite_url: str) -> AsyncIterator[Town]:
    """Nobody has called yet."""
    made = Town(sqlite_url)
    yield made
    await made.crew.stop()
    await made.db.close()


def who(card: dict[str, Any]) -> list[str]:
    """The customers on a card."""
    return [customer["id"] for customer in (card["match"] or {"customers": []})["customers"]]


async def say(town: Town, call: CallKey, known: Known | None) -> Standing:
    """A person's word, as the pages write and tell it."""
    standing = await town.ledger.choose_customer(call, known, "li", NOW)
    choice = standing.choice
    told = choice and {"id": choice.customer_id, "name": choice.name, "who": choice.who, "at": choice.at}
    word = {"type": "chosen", "call": str(call), "number": standing.number, "choice": told, "entered": None}
    await town.fanout.publish(CHOICES, word)
    return standing


async def ended(town: Town, process: Process, call: CallKey) -> None:
    """It was answered and is over."""
    facts: list[Fact] = [
        Answered(call=call, at=NOW + 2, agent="1001"),
        Left(call=call, at=NOW + 9, agent="1001", why=Over.ENDED),
        Ended(call=call, at=NOW + 9, outcome=Outcome.ANSWERED),
    ]
    process.pipeline.deliver(facts)
    await process.pipeline.settled()
    assert town.crew.error is None


async def test_a_choice_reaches_every_process_and_the_next_call(town: Town) -> None:
    """Both desks show it with what is known of that customer; the next call remembers, and is sure of nobody."""
    one, other = await town.process(), await town.process()
    call, facts = town.ring()
    for process in (one, other):
        process.pipeline.deliver(facts)
        await process.card(lambda card: who(card) == ["A", "B"] and card["ticket"])
    assert [each.customer.id for each in await one.choosing.offered(call)] == ["A", "B"]
    await say(town, call, Known("B", "周晓雯", vip=True))
    for process in (one, other):
        card = await process.card(lambda card: card["chosen"])
        assert (card["chosen"]["id"], card["match"]["sure"], card["remembered"]) == ("B", False, None)
    await say(town, call, None)
    await other.card(lambda card: card["chosen"] is None)
    await say(town, call, Known("B", "周晓雯", vip=True))
    await one.card(lambda card: card["chosen"])
    for process in (one, other):
        await ended(town, process, call)
    _, facts = town.ring()
    one.pipeline.deliver(facts)
    card = await one.card(lambda card: card["remembered"])
    assert (card["remembered"]["id"], card["chosen"], card["match"]["sure"]) == ("B", None, False)
    assert [last["call"] for last in card["last_calls"]] == [str(call)]


async def test_a_process_that_heard_nothing_of_it_shows_it_too(town: Town) -> None:
    """One that starts in the middle of the call, and one whose fan-out lost the word."""
    one = await town.process()
    call, facts = town.ring()
    one.pipeline.deliver(facts)
    await one.card(lambda card: card["ticket"] and card["match"])
    await one.pipeline.settled()
    await town.ledger.choose_customer(call, Known("B", "周晓雯"), "li", NOW)  # and nobody is told
    late = await town.process()
    late.pipeline.deliver(facts)
    assert (await late.card(lambda card: card["chosen"]))["chosen"]["name"] == "周晓雯"
    one.pipeline.recall_all()
    assert (await one.card(lambda card: card["chosen"]))["chosen"]["name"] == "周晓雯"


async def test_a_call_that_is_over_offers_its_customers_still(town: Town) -> None:
    """In the wrap-up somebody may still be chosen; a call nobody knows offers nobody."""
    one = await town.process()
    call, facts = town.ring()
    one.pipeline.deliver(facts)
    await one.card(lambda card: card["ticket"])
    await ended(town, one, call)
    assert [each.customer.id for each in await one.choosing.offered(call)] == ["A", "B"]
    assert list(await one.choosing.offered(CallKey("hq", "9.9"))) == []


@pytest.mark.parametrize("caller", ["13900000001", None])
async def test_who_was_entered_is_offered(town: Town, caller: str | None) -> None:
    """With the number hidden too, where only the call tells; the desk shows the customer at once."""
    one = await town.process()
    call, facts = town.ring(caller)
    one.pipeline.deliver(facts)
    await one.card(lambda card: card["ticket"])
    made, standing = await town.ledger.enter_customer(call, name="陈一", company=None, note=None, who="li", now=NOW)
    assert standing.choice is not None
    phones = [[phone.raw, phone.e164, phone.ext] for phone in made.phones]
    word = {
        "type": "chosen",
        "call": str(call),
        "number": standing.number,
        "choice": {"id": made.id, "name": "陈一", "who": "li", "at": NOW},
        "entered": {"id": made.id, "name": "陈一", "company": None, "note": None, "phones": phones},
    }
    await town.fanout.publish(CHOICES, word)
    card = await one.card(lambda card: card["chosen"])
    (customer,) = card["match"]["customers"]
    assert (customer["id"], customer["reason"]) == (made.id, "mobile" if caller else "entered")
    assert [each.customer.id for each in await one.choosing.offered(call)] == [made.id]
    assert chosen(word).standing == standing


async def test_entered_callers_stand_beside_the_crms(town: Town) -> None:
    """Known at the next call where the CRM has nobody; one of two where it has somebody; offered while it is away."""
    one = await town.process()
    call, facts = town.ring("13900000001")
    one.pipeline.deliver(facts)
    await one.card(lambda card: card["ticket"])
    made, _ = await town.ledger.enter_customer(call, name="陈一", company=None, note=None, who="li", now=NOW)
    await ended(town, one, call)

    async def next_card() -> dict[str, Any]:
        call, facts = town.ring("13900000001")
        one.pipeline.deliver(facts)
        card = await one.card(lambda card: card["match"] and card["ticket"])
        await ended(town, one, call)
        return card

    card = await next_card()
    assert (card["match"]["sure"], who(card)) == (True, [made.id])
    assert town.crm.asked == [], "the CRM is asked nothing about a customer it does not know"
    town.crm.away = True
    card = await next_card()
    assert (card["match"]["sure"], who(card), card["match"]["problem"]) == (False, [made.id], "down")
    town.crm.away = False
    town.crm.customers = (Customer("C", "陈先生", (Phone("13900000001", "+8613900000001"),)),)
    card = await next_card()
    assert (card["match"]["sure"], who(card)) == (False, ["C", made.id])


async def reopened(process: Process, call: CallKey) -> dict[str, Any]:
    """The card of a call that is over, as its agent's page gets it after a reload."""
    card = await process.reopening.card(call, "1001")
    assert card is not None
    CallCard.model_validate(card)
    return card


@pytest.mark.parametrize("caller", [HOUSE, "13900000001", None])
async def test_after_the_call_its_card_is_the_same_again(town: Town, caller: str | None) -> None:
    """Whom it may be, what is open and was promised, the sentence to read, earlier calls, whom people chose."""
    one = await town.process()
    if caller is not None:
        call, facts = town.ring(caller)
        one.pipeline.deliver(facts)
        await one.card(lambda card: card["ticket"])
        await ended(town, one, call)
        said = Summary(
            "退货",
            Category.PROGRESS,
            Urgency.MIDDLE,
            Sentiment.NEUTRAL,
            (),
            (Promise("agent", "回电", "2026-11-23", 1),),
            {},
        )
        await town.ledger.said(call, Transcript((), "scripted", "v1", "zh"), said, NOW)
    town.crm.open_items = (Item(Ref(Of.TICKET, "7"), "退货单", Status.WORKING, "处理中", updated=NOW),)
    call, facts = town.ring(caller)
    one.pipeline.deliver([*facts, Answered(call=call, at=NOW + 2, agent="1001")])
    await one.card(lambda card: card["ticket"] and card["match"])
    if caller == HOUSE:
        await say(town, call, Known("B", "周晓雯", vip=True))
        await one.card(lambda card: card["chosen"] and card["last_calls"])
    await one.pipeline.settled()
    live = await one.card(lambda card: card["state"] == "talking" and (caller is None or card["last_calls"]))
    await ended(town, one, call)
    again = await reopened(one, call)
    assert again | {"since": live["since"]} == live
    assert (again["aloud"] is not None) == (caller is not None)
    town.crm.away = True
    away = await reopened(one, call)
    assert (away["chosen"], away["aloud"], away["last_calls"]) == (live["chosen"], live["aloud"], live["last_calls"])
    assert who(away) == (["B"] if caller == HOUSE else [])


async def test_who_was_entered_after_the_call_is_on_its_card(town: Town) -> None:
    """With the number hidden, too; of a call nobody knows there is no card."""
    one = await town.process()
    call, facts = town.ring(None)
    one.pipeline.deliver(facts)
    await one.card(lambda card: card["ticket"])
    await ended(town, one, call)
    made, _ = await town.ledger.enter_customer(call, name="陈一", company=None, note=None, who="li", now=NOW)
    card = await reopened(one, call)
    assert (who(card), card["chosen"]["name"], card["caller"]["display"]) == ([made.id], "陈一", "")
    assert await one.reopening.card(CallKey("hq", "9.9"), "1001") is None


async def test_a_database_that_is_down_costs_the_card_its_past_only(tmp_path: Path) -> None:
    """Said in the log; the card stands with what the CRM knows."""
    gone = Database.open(f"sqlite+aiosqlite:///{tmp_path}/no/such/folder.db")
    memories = Memories(Recall(gone), lambda: NOW, ZoneInfo("Asia/Shanghai"))
    assert await memories.of(CallKey("hq", "1.0"), identify(HOUSE), None) == ()
    await gone.close()
