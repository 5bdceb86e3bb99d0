"""Search: what was said is found by whom it concerns, on both databases alike, and nobody else."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import delete, text, update

from storage.database import Database
from storage.edits import TicketField
from storage.ledger import Ledger
from storage.records import Known
from storage.search import Asker, Search
from storage.search_tables import call_words, ticket_words
from storage.tables import calls
from telephony.call import CallKey
from transcription.transcript import Speaker, Transcript, Turn

if TYPE_CHECKING:
    from tests.storage.conftest import Ring, Told

ALL = Asker("zhao", None, everything=True)
HEATER = (
    "您好，请问有什么可以帮您",
    "我家的热水器不加热了，显示E4",
    "好的，订单号是1540269175对吗",
    "对，昨天还好好的",
)
WASHER = ("您好", "洗衣机排水管漏水，地板上都是热的水，器皿也湿了", "师傅明天上午过去")
PARCEL = ("您好", "我的快递三天没有更新了，单号SF1029384756", "已经加急")

Spoken = Callable[..., Awaitable["Told"]]


@pytest.fixture
def search(db: Database) -> Search:
    """The search on either database."""
    return Search(db)


@pytest.fixture
def spoken(ledger: Ledger, ring: "Ring") -> Spoken:
    """A call that is over, with what was said in it, agent and caller by turns."""

    async def speak(
        said: Sequence[str], raw: str = "13812345678", agent: str = "1001", line: str = "4007002505"
    ) -> "Told":
        call = ring(raw, line)
        facts = [call.arrived(), call.confirmed(), call.rang(agent), call.answered(agent), call.ended()]
        for fact in facts:
            await ledger.record(fact, now=fact.at or 0.0, number=call.number)
        await ledger.said(call.key, transcript(said), None, call.began + 60)
        return call

    return speak


def transcript(said: Sequence[str]) -> Transcript:
    """Turns ten seconds apart."""
    who = (Speaker.AGENT, Speaker.CALLER)
    turns = [Turn(who[at % 2], at * 10.0, at * 10.0 + 8, one, 0.9) for at, one in enumerate(said)]
    return Transcript(tuple(turns), "scripted", "none")


async def found(search: Search, question: str, asker: Asker = ALL) -> list[CallKey]:
    """The calls that a question finds."""
    return [hit.item.key for hit in (await search.calls(question, asker)).hits]


async def test_a_call_is_found_by_what_was_said_in_it(search: Search, spoken: Spoken) -> None:
    """Newest first; all words needed, in whichever turns; where each was said."""
    heater, washer = await spoken(HEATER), await spoken(WASHER, "13900000000")
    assert await found(search, "热水器") == [heater.key]  # in the other call its pairs stand apart
    assert await found(search, "您好") == [washer.key, heater.key]
    assert await found(search, "漏水 地板") == [washer.key]
    assert await found(search, "热水器 漏水") == []
    assert await found(search, "0269175") == [heater.key]
    assert await found(search, "") == []
    hit = (await search.calls("热水器 订单1540", ALL)).hits[0]
    assert [(one.position, one.speaker, one.start) for one in hit.snippets] == [(1, "caller", 10.0), (2, "agent", 20.0)]
    assert [[one.text[since:until] for since, until in one.marks] for one in hit.snippets] == [["热水器"], ["1540"]]


async def test_said_again_it_is_found_by_the_new_words_alone(search: Search, spoken: Spoken, ledger: Ledger) -> None:
    """The old ones are gone from the index, not only from the page."""
    call = await spoken(HEATER)
    await ledger.said(call.key, transcript(PARCEL), None, call.began + 90)
    assert await found(search, "热水器") == []
    assert await found(search, "SF1029384756") == [call.key]


async def test_an_agent_finds_own_calls_only(search: Search, spoken: Spoken, ledger: Ledger) -> None:
    """Those they talked in, and those on a ticket of theirs."""
    mine = await spoken(HEATER)
    theirs = await spoken(HEATER, "13900000000", "1002")
    other = await spoken(HEATER, "13900000001", "1003")
    agent = Asker("wang", "1002")
    assert await found(search, "热水器", agent) == [theirs.key]
    assert await found(search, "热水器", Asker("nobody", None)) == []
    ticket = (await search.tickets("13812345678", ALL))[0]
    await ledger.edit_ticket(
        ticket.ticket.id, {TicketField.TITLE: "热水器"}, who="zhao", now=1.0, version=ticket.version
    )
    assert await search.tickets("热水器", agent) == ()
    assert [one.ticket.id for one in await search.tickets("热水器", ALL)] == [ticket.ticket.id]
    assert await found(search, "热水器") == [other.key, theirs.key, mine.key]


async def test_one_line_only(search: Search, spoken: Spoken) -> None:
    """Where somebody looks after one."""
    await spoken(HEATER)
    other = await spoken(HEATER, "13900000000", line="4008001234")
    hits = (await search.calls("热水器", ALL, line="4008001234")).hits
    assert [hit.item.key for hit in hits] == [other.key]


async def test_a_ticket_is_found_by_what_people_write_on_it(search: Search, spoken: Spoken, ledger: Ledger) -> None:
    """Number, caller, customer, title, notes; a title taken away finds it no more."""
    call = await spoken(PARCEL)
    await ledger.know(call.key, Known("c1", "欧阳建国", vip=False), call.began)
    item = (await search.tickets("欧阳", ALL))[0]
    number, ticket_id = item.ticket.number, item.ticket.id
    await ledger.note(ticket_id, "已联系中转站，破损件", "li", 1.0)
    version = await ledger.edit_ticket(
        ticket_id, {TicketField.TITLE: "快递停更"}, who="li", now=2.0, version=item.version
    )
    for question in (number, number[-4:], "13812345678", "5678", "建国", "中转站 破损", "停更"):
        assert [one.ticket.id for one in await search.tickets(question, ALL)] == [ticket_id], question
    await ledger.edit_ticket(ticket_id, {TicketField.TITLE: None}, who="li", now=3.0, version=version)
    assert await search.tickets("停更", ALL) == ()


async def test_pages_of_a_long_list(search: Search, spoken: Spoken) -> None:
    """Each call once, newest first, to the end."""
    keys = [(await spoken(HEATER, f"1390000000{number}")).key for number in range(5)]
    first = await search.calls("热水器", ALL, limit=2)
    second = await search.calls("热水器", ALL, limit=2, cursor=first.cursor)
    third = await search.calls("热水器", ALL, limit=2, cursor=second.cursor)
    told = [hit.item.key for page in (first, second, third) for hit in page.hits]
    assert told == keys[::-1]
    assert third.cursor is None


async def test_what_an_older_version_kept_is_indexed_later(search: Search, spoken: Spoken, db: Database) -> None:
    """Calls and tickets without an index, or with one of another scheme, in pieces; then there is nothing to do."""
    for number in range(3):
        await spoken(HEATER, f"1390000000{number}")
    assert await search.catch_up() == 0
    async with db.write() as conn:
        await conn.execute(delete(ticket_words))
        await conn.execute(update(call_words).values(scheme=0))
    assert [await search.catch_up(2), await search.catch_up(2), await search.catch_up(2)] == [4, 2, 0]
    assert len(await found(search, "热水器")) == 3
    assert len(await search.tickets("1390000000", ALL)) == 3


async def test_the_index_follows_its_rows(search: Search, spoken: Spoken, db: Database) -> None:
    """A call that is deleted is found no more; SQLite's own check of its full text finds nothing wrong."""
    await spoken(HEATER)
    kept = await spoken(WASHER, "13900000000")
    async with db.write() as conn:
        await conn.execute(delete(calls).where(calls.c.key != str(kept.key)))
    assert await found(search, "您好") == [kept.key]
    if db.sqlite:
        async with db.write() as conn:
            for index in ("call_index", "ticket_index"):
                check = f"INSERT INTO {index}({index}) VALUES ('integrity-check')"  # noqa: S608 - our own names
                await conn.execute(text(check))


ODD = ("'", '"', "OR", "NOT 热水器", "热水器*", "NEAR(", "a:b", "% _ \\", "热水器 & !", "\U0002b30e", "\u00e9")


async def test_whatever_is_asked_is_no_query_language(search: Search, spoken: Spoken) -> None:
    """Operators of either database are words, or nothing."""
    await spoken(HEATER)
    for question in ODD:
        await search.calls(question, ALL)
        await search.tickets(question, ALL)
