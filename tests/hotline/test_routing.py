"""The dialplan asks and is answered in time: with the right phone where it is known, with the queue whatever breaks.

The CRM is one that can be made to hang or to fail; the databases are real, and a hanging one is a real lock.
"""

import asyncio
import base64
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from pydantic import ValidationError

from crm.connector import Can, Unable
from crm.customer import Customer, Phone
from crm.trouble import TransientError
from hotline.acquaintance import Acquaintance
from hotline.cli import UsageError
from hotline.early import MOST_CALLS, PATIENCE, Early
from hotline.lookup import Lookup
from hotline.pipeline import LineRules, Pipeline
from hotline.routing import Question, Router
from hotline.routing_doors import RoutingDoors
from hotline.routing_http import TOKEN
from hotline.settings import Settings
from hotline.tasks import Crew
from hotline.telephony_settings import Agent, Line, LineRouting, Pbx, Routing
from numbering.identify import identify
from numbering.number import Number
from screenpop.asks import Voice
from screenpop.desk import Desk
from storage.accounts import Accounts
from storage.database import Database
from storage.edits import TicketField
from storage.fanout import MemoryFanout
from storage.ledger import Ledger
from storage.pages import CallPage
from storage.reads import Reads
from storage.records import EventKind
from storage.route_reads import RouteReads
from telephony.call import Answered, Arrived, CallKey, Confirmed, Ended, Fact, Left, Outcome, Over, Queued, Routed
from telephony.routing import Route, RouteReason

NOW = 1795290138.0
LINE, OTHER = "4007002505", "4008001234"
CALLER = "13812345678"
LIN = Customer("C1", "林晓峰", (Phone(CALLER, f"+86{CALLER}"),), vip=True, owner="李雷")
BUSY = 0.75
"""Seconds by which a machine that is busy with other tests may be late."""
CALM = 5.0
"""A budget that suffices on any machine, where a test is not about time."""


@dataclass(slots=True)
class Crm(Unable):
    """A CRM that answers when it is let, or fails."""

    customers: Sequence[Customer] = ()
    answer: asyncio.Event = field(default_factory=asyncio.Event)
    broken: bool = False
    asked: int = 0
    name: str = "test"
    can: Can = Can.FIND

    async def find(self, number: Number) -> Sequence[Customer]:
        """Every customer, once let."""
        self.asked += 1
        await self.answer.wait()
        if self.broken:
            raise TransientError("test: out of order")
        return [c for c in self.customers if any(p.e164 == number.e164 for p in c.phones)]


@dataclass(slots=True)
class House:
    """Routing, with everything it asks."""

    settings: Settings
    router: Router
    crm: Crm
    db: Database
    ledger: Ledger
    reads: Reads
    pipeline: Pipeline
    desk: Desk
    crew: Crew
    count: int = 0

    async def ask(self, **question: Any) -> Route:
        """Ask as the dialplan does, and be answered within the budget."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        route = await self.router.route(Question(**({"did": LINE, "caller": CALLER} | question)))
        assert loop.time() - began < self.settings.routing.budget + BUSY
        return route

    async def call(self, *facts: Fact) -> None:
        """Facts through the pipeline, until they are written."""
        self.pipeline.deliver(facts)
        await self.pipeline.settled()
        assert self.crew.error is None, self.crew.error

    async def past_call(self, agent: str = "1003", line: str = LINE, caller: str = CALLER) -> CallKey:
        """A call that was answered an hour ago and is over."""
        self.count += 1
        key = CallKey("hq", f"past.{self.count}")
        at = NOW - 3600 + self.count
        await self.call(
            Arrived(call=key, at=at, caller=caller, caller_name=None, number=line, dialled=line),
            Confirmed(call=key, at=at),
            Answered(call=key, at=at + 5, agent=agent),
            Left(call=key, at=at + 65, agent=agent, why=Over.ENDED),
            Ended(call=key, at=at + 65, outcome=Outcome.ANSWERED),
        )
        return key

    async def page(self, key: CallKey) -> CallPage:
        """The call as it is kept."""
        found = await self.reads.call(key)
        assert found is not None
        return found

    async def give(self, key: CallKey, owner: str) -> None:
        """The call's ticket to a colleague."""
        ticket = (await self.page(key)).item.ticket
        assert ticket is not None
        whole = await self.reads.ticket(ticket.id)
        assert whole is not None
        changes = {TicketField.OWNER: owner}
        await self.ledger.edit_ticket(ticket.id, changes, who="boss", now=NOW, version=whole.item.version)


def configured(budget: float = CALM, **routing: Any) -> Settings:
    """Two lines, three phones, a PBX."""
    wants = LineRouting(queue="support", menu={"1": "sales"}, vip_announcement="hotline/vip")
    return Settings(
        pbx=(Pbx(name="hq", host="127.0.0.1", user="x", trunks=("PJSIP/carrier",)),),
        line=(
            Line(number=LINE, aliases=("01062802505",), area="010", record=False, routing=wants),
            Line(number=OTHER, record=False, routing=LineRouting(queue="other")),
        ),
        agent=(Agent(extension="1001", name="王芳"), Agent(extension="1002", name="李雷"), Agent(extension="1003")),
        routing=Routing(**routing).model_copy(update={"budget": budget}),
    )


@asynccontextmanager
async def database(url: str) -> AsyncIterator[Database]:
    """An open database."""
    db = Database.open(url)
    try:
        yield db
    finally:
        await db.close()


@asynccontextmanager
async def opened(db: Database, settings: Settings) -> AsyncIterator[House]:
    """A running pipeline and its router; wang has phone 1001, li 1002."""
    accounts = Accounts(db)
    for login, name, extension in (("wang", "王芳", "1001"), ("li", "李雷", "1002")):
        await accounts.add(login, name=name, role="agent", password="x", now=NOW, extension=extension)
    crew, desk, crm, fanout = Crew(), Desk(), Crm(), MemoryFanout()
    crm.answer.set()
    ledger, reads = Ledger(db), Reads(db)
    rules = {LINE: LineRules("010"), OTHER: LineRules()}
    pipeline = Pipeline(
        desk=desk,
        voice=Voice(fanout, desk.page, lambda: NOW),
        ledger=ledger,
        fanout=fanout,
        lookup=Lookup(crm, reads.open_tickets, budget=0.05),
        identify=identify,
        lines=rules,
        crew=crew,
        clock=lambda: NOW,
        wake=lambda: None,
    )
    router = Router(
        settings,
        callers=Acquaintance(settings, connector=crm, reads=RouteReads(db), desk=desk, clock=lambda: NOW, rules=rules),
        pipeline=pipeline,
        identify=identify,
        crew=crew,
        clock=lambda: NOW,
    )
    crew.start(pipeline.run(), "pipeline")
    yield House(settings, router, crm, db, ledger, reads, pipeline, desk, crew)
    await crew.stop()
    assert crew.error is None, crew.error


@pytest.fixture
async def house(db: Database) -> AsyncIterator[House]:
    """On either database."""
    async with opened(db, configured()) as house:
        yield house


def arrived(key: CallKey, caller: str | None = CALLER) -> Arrived:
    """A call that begins now."""
    return Arrived(call=key, at=NOW, caller=caller, caller_name=None, number=LINE, dialled=LINE)


async def test_a_stranger_goes_to_the_queue_of_line_and_key(house: House) -> None:
    """In any form the number is dialled in; a number that is not ours is none of our business."""
    for did in (LINE, "+864007002505", "01062802505"):
        assert await house.ask(did=did) == Route(RouteReason.LINE, "support")
    assert await house.ask(menu="1") == Route(RouteReason.MENU, "sales")
    assert await house.ask(did=OTHER, menu="1") == Route(RouteReason.LINE, "other")
    assert await house.ask(did="4001112222") == Route(RouteReason.UNKNOWN_LINE)
    assert await house.ask(menu="1; drop") == Route(RouteReason.LINE, "support")


async def test_the_last_agent_then_the_key_account_then_the_owner(house: House) -> None:
    """What becomes known later outranks what was known."""
    key = await house.past_call("1003")
    last = await house.ask()
    assert (last.agent, last.dial, last.reason) == ("1003", "PJSIP/1003", RouteReason.LAST_AGENT)
    house.crm.customers = (LIN,)
    mine = await house.ask()
    assert (mine.agent, mine.reason, mine.priority) == ("1002", RouteReason.KEY_ACCOUNT, 10)
    assert mine.announcement == "hotline/vip"
    await house.give(key, "wang")
    owner = await house.ask()
    assert (owner.agent, owner.reason, owner.priority) == ("1001", RouteReason.TICKET_OWNER, 10)


@pytest.mark.parametrize(
    ("owner", "agent"),
    [("李雷", "1002"), ("li", "1002"), ("LI ", "1002"), ("1003", "1003"), ("somebody else", None), ("9999", None)],
)
async def test_a_crm_names_a_colleague_in_its_own_way(house: House, owner: str, agent: str | None) -> None:
    """By name, login or extension; who is nobody of ours has no phone."""
    house.crm.customers = (Customer("C1", "林晓峰", (Phone(CALLER, f"+86{CALLER}"),), owner=owner),)
    assert (await house.ask()).agent == agent


async def test_two_colleagues_of_one_name_are_not_guessed_between(house: House) -> None:
    """A name that two have says nothing."""
    await Accounts(house.db).add("li2", name="李雷", role="agent", password="x", now=NOW, extension="1003")
    house.crm.customers = (LIN,)
    assert (await house.ask()).agent is None


async def test_two_customers_with_one_number_are_not_guessed_between(house: House) -> None:
    """Neither's colleague is called, neither's rank counts."""
    other = Customer("C2", "韩梅", (Phone(CALLER, f"+86{CALLER}"),), owner="wang")
    house.crm.customers = (LIN, other)
    assert await house.ask() == Route(RouteReason.LINE, "support")


async def test_an_agent_who_left_is_not_called(house: House) -> None:
    """1009 spoke with the caller last and is nobody's phone any more."""
    await house.past_call("1009")
    assert (await house.ask()).agent is None


async def test_a_colleague_who_talks_now_is_passed_over(house: House) -> None:
    """As far as this service sees; the dialplan's try is for the rest."""
    await house.past_call("1003")
    talk = CallKey("hq", "now.1")
    await house.call(arrived(talk, "13900000001"), Confirmed(call=talk, at=NOW))
    await house.call(Answered(call=talk, at=NOW, agent="1003"))
    assert (await house.ask()).agent is None
    await house.call(Ended(call=talk, at=NOW + 30, outcome=Outcome.ANSWERED))
    assert (await house.ask()).agent == "1003"


async def test_a_withheld_caller_goes_to_the_queue_and_costs_nothing(house: House) -> None:
    """Nothing is asked where there is nobody to ask for."""
    assert await house.ask(caller=None) == Route(RouteReason.LINE, "support")
    assert await house.ask(caller="anonymous") == Route(RouteReason.LINE, "support")
    assert house.crm.asked == 0


async def test_what_the_card_found_out_is_not_asked_again(house: House) -> None:
    """By the time of the question the lookup of the arrival has answered; the number of a live call is known too."""
    house.crm.customers = (LIN,)
    key = CallKey("hq", "now.1")
    await house.call(arrived(key), Confirmed(call=key, at=NOW))
    asked = house.crm.asked
    assert (await house.ask(call="now.1", caller=None)).agent == "1002"
    assert house.crm.asked == asked
    await house.ask(call="now.1", caller="13900000001")
    assert house.crm.asked == asked + 1


async def test_the_reason_is_kept_on_the_call(house: House) -> None:
    """Before or after the arrival is known, and once for every time it was asked."""
    key = CallKey("hq", "now.1")
    await house.ask(call="now.1", menu="1")  # AMI is behind
    await house.call(arrived(key), Confirmed(call=key, at=NOW + 0.1))
    await house.call(
        Queued(call=key, at=NOW + 1, queue="sales"), Ended(call=key, at=NOW + 9, outcome=Outcome.ABANDONED)
    )
    events = (await house.page(key)).events
    told = [dict(event.detail) for event in events if event.kind is EventKind.ROUTED]
    assert told == [{"reason": "menu", "queue": "sales", "priority": 0}]


async def test_a_question_proves_no_call(house: House) -> None:
    """An arrival nobody confirmed leaves no trace, whatever was asked about it."""
    key = CallKey("hq", "forged.1")
    await house.call(arrived(key))
    await house.ask(call="forged.1")
    await house.call(Ended(call=key, at=NOW + 1, outcome=Outcome.LOST))
    assert await house.reads.call(key) is None


async def test_of_several_pbxs_the_one_that_asks_is_meant(db: Database) -> None:
    """By its name, else by its address; a question that could be of two is answered and kept nowhere."""
    settings = configured()
    second = Pbx(name="branch", host="10.0.0.9", user="x", trunks=("PJSIP/carrier",))
    async with opened(db, settings.model_copy(update={"pbx": (*settings.pbx, second)})) as house:
        keys = [CallKey("hq", "1.1"), CallKey("branch", "1.1")]
        for key in keys:
            await house.call(arrived(key), Confirmed(call=key, at=NOW))

        async def routed() -> list[int]:
            pages = [await house.page(key) for key in keys]
            return [sum(event.kind is EventKind.ROUTED for event in page.events) for page in pages]

        await house.ask(call="1.1", peer="10.0.0.9")
        await house.call()
        assert await routed() == [0, 1]
        await house.ask(call="1.1", pbx="hq", peer="10.0.0.9")
        await house.call()
        assert await routed() == [1, 1]
        for unclear in ({"peer": "10.9.9.9"}, {"pbx": "nobody"}):
            assert (await house.ask(call="1.1", **unclear)).queue == "support"
        await house.call()
        assert await routed() == [1, 1]


async def test_a_crm_that_hangs_does_not_cost_what_the_database_knows(db: Database) -> None:
    """The customer is left out, the last agent is not."""
    async with opened(db, configured(budget=1.0)) as house:
        await house.past_call("1003")
        house.crm.answer.clear()
        assert (await house.ask()).agent == "1003"
        assert (await house.ask(caller="13900000001")).reason is RouteReason.LATE


async def test_a_crm_that_is_down_is_not_waited_for(house: House) -> None:
    """Nobody in particular, and it says that something was missing."""
    house.crm.broken = True
    assert await house.ask() == Route(RouteReason.LATE, "support")


async def test_a_database_that_hangs_costs_the_budget_and_no_more(postgres_url: str) -> None:
    """Thirty callers at once, a table locked by somebody: all are in their queue in time; and it recovers."""
    missed, in_earnest = CallKey("hq", "missed.1"), configured(budget=Routing().budget)
    async with database(postgres_url) as db, database(postgres_url) as holder, opened(db, in_earnest) as house:
        await house.past_call("1003")
        async with holder.write() as conn:
            await conn.exec_driver_sql("LOCK TABLE users IN ACCESS EXCLUSIVE MODE")
            routes = await asyncio.gather(*(house.ask(menu="1") for _ in range(30)))
            assert set(routes) == {Route(RouteReason.LATE, "sales")}
            async with asyncio.timeout(2):  # what is written meanwhile finds a connection
                await house.call(arrived(missed), Confirmed(call=missed, at=NOW))
        async with asyncio.timeout(5):
            while (await house.ask()).agent != "1003":
                pass


async def test_a_database_that_is_gone_is_not_waited_for(house: House) -> None:
    """Every table fails at once."""
    async with house.db.write() as conn:
        await conn.exec_driver_sql("ALTER TABLE users RENAME TO gone")
    house.crm.customers = (LIN,)
    route = await house.ask()
    assert route == Route(RouteReason.LATE, "support", priority=10, announcement="hotline/vip")


def test_what_waits_for_its_call_is_bounded() -> None:
    """Questions about calls that never come are forgotten: by time, and the oldest first."""
    early = Early()

    def told(number: int) -> Routed:
        return Routed(
            call=CallKey("hq", str(number)), at=NOW, reason=RouteReason.LINE, queue=None, agent=None, priority=0
        )

    for number in range(MOST_CALLS + 5):
        early.put(told(number), NOW)
    assert len(early) == MOST_CALLS
    assert early.take(CallKey("hq", "0")) == []
    assert early.take(CallKey("hq", "5")) == [told(5)]
    assert early.take(CallKey("hq", "5")) == []
    early.put(told(0), NOW + PATIENCE + 1)
    assert len(early) == 1


@asynccontextmanager
async def at_the_doors(house: House, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[RoutingDoors]:
    """Both doors open on free ports."""
    monkeypatch.setenv("HOTLINE_ROUTING_TOKEN", "a-token")
    doors = RoutingDoors(house.settings, house.router, house.crew)
    context = doors.opened(web.Application())
    await anext(context)
    yield doors
    assert [item async for item in context] == []


async def test_asked_over_http(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A form for CURLOPT(hashcompat), JSON for who wants it, and nothing without the token."""
    async with (
        database(sqlite_url) as db,
        opened(db, configured(http_port=0)) as house,
        at_the_doors(house, monkeypatch) as doors,
    ):
        await house.past_call("1003")
        async with aiohttp.ClientSession(f"http://127.0.0.1:{doors.ports['http']}") as pbx:
            token = {TOKEN: "a-token"}
            asked = {"did": LINE, "caller": CALLER, "menu": "1", "call": "now.1"}
            async with pbx.get("/route", params=asked, headers=token) as answer:
                assert answer.content_type == "application/x-www-form-urlencoded"
                text = "queue=sales&priority=0&agent=1003&dial=PJSIP%2F1003&announce=&reason=last_agent"
                assert await answer.text() == text
            async with pbx.get("/route", params=asked, headers=token | {"Accept": "application/json"}) as answer:
                told = await answer.json()
                assert (told["queue"], told["agent"], told["dial"]) == ("sales", "1003", "PJSIP/1003")
            for headers in ({}, {TOKEN: "wrong"}, {TOKEN: "\udcff"}, {"Authorization": "Basic " + _basic()}):
                async with pbx.get("/route", params=asked, headers=headers) as answer:
                    assert answer.status == 403
            for bad in ({}, {"did": ""}, {"did": "4" * 300}):
                async with pbx.get("/route", params=bad, headers=token) as answer:
                    assert answer.status == 400
        report = doors.report()
        assert report is not None
        assert (report["reasons"], report["http"]) == ({"last_agent": 2}, {"refused": 7})
        assert (report["answered"], report["late"]) == (2, 0)


def _basic() -> str:
    return base64.b64encode(b"hotline:a-token").decode()


async def test_asked_over_fastagi(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same answer as channel variables."""
    async with (
        database(sqlite_url) as db,
        opened(db, configured(agi_port=0)) as house,
        at_the_doors(house, monkeypatch) as doors,
    ):
        await house.past_call("1003")
        reader, writer = await asyncio.open_connection("127.0.0.1", doors.ports["agi"])
        writer.write(
            f"agi_network: yes\nagi_network_script: route\nagi_request: agi://x/route\nagi_channel: PJSIP/carrier-1\n"
            f"agi_language: en\nagi_type: PJSIP\nagi_uniqueid: now.1\nagi_version: 22\nagi_callerid: {CALLER}\n"
            "agi_calleridname: unknown\nagi_callingpres: 0\nagi_callingani2: 0\nagi_callington: 0\n"
            f"agi_callingtns: 0\nagi_dnid: {LINE}\nagi_rdnis: unknown\nagi_context: c\nagi_extension: s\n"
            f"agi_priority: 1\nagi_enhanced: 0.0\nagi_accountcode: \nagi_threadid: 1\nagi_arg_1: {LINE}\n"
            "agi_arg_2: 1\nagi_arg_3: hq\n\n".encode()
        )
        told = {}
        async with asyncio.timeout(2):
            while line := (await reader.readline()).decode():
                _, _, name, value = line.split(maxsplit=3)
                told[name] = value.strip().strip('"')
                writer.write(b"200 result=1\n")
        writer.close()
        report = doors.report()
    assert told == {
        "HOTLINE_QUEUE": "sales",
        "HOTLINE_PRIORITY": "0",
        "HOTLINE_AGENT": "1003",
        "HOTLINE_DIAL": "PJSIP/1003",
        "HOTLINE_ANNOUNCE": "",
        "HOTLINE_REASON": "last_agent",
    }
    assert report is not None
    assert report["ports"].keys() == {"agi"}


async def test_a_door_that_cannot_open_says_why(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A taken port, a missing token: the service does not start half."""
    async with (
        database(sqlite_url) as db,
        opened(db, configured(agi_port=0)) as house,
        at_the_doors(house, monkeypatch) as doors,
    ):
        taken = configured(agi_port=doors.ports["agi"])
        with pytest.raises(UsageError, match="cannot listen"):
            await anext(RoutingDoors(taken, house.router, house.crew).opened(web.Application()))
        monkeypatch.delenv("HOTLINE_ROUTING_TOKEN")
        with pytest.raises(UsageError, match="HOTLINE_ROUTING_TOKEN or token_file"):
            await anext(RoutingDoors(configured(http_port=0), house.router, house.crew).opened(web.Application()))
        assert RoutingDoors(configured(), house.router, house.crew).report() is None


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"allow": ["pbx.example"]}, "neither an address nor a network"),
        ({"dial": "PJSIP/1001"}, "pattern"),
        ({"dial": "PJSIP/{extension}&PJSIP/trunk"}, "pattern"),
        ({"budget": 0.5}, "less than or equal"),
    ],
    ids=["a name could be anybody's", "every call to one phone", "two phones", "longer than a caller waits"],
)
def test_what_would_route_wrongly_is_refused(wrong: dict[str, Any], said: str) -> None:
    """By ``hotline check``, before any call."""
    with pytest.raises(ValidationError, match=said):
        Routing.model_validate(wrong)
