"""Bursts and similar tickets on either database: counted in the transaction of the transcript, told once."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import pytest

from storage.bursts import Bursts, Noticed
from storage.database import Database
from storage.edits import TicketField
from storage.ledger import Ledger
from storage.reads import Reads
from storage.similar import Similar
from tickets.bursts import DAY, QUIET, WEEK
from tickets.ticket import Status
from transcription.account import Category, Detail, FactKind, Sentiment, Summary, Urgency
from transcription.transcript import Speaker, Transcript, Turn

if TYPE_CHECKING:
    from tests.storage.conftest import Ring, Told

DOWN = "我家宽带断网了，光猫红灯"
LAG = "网速太慢了，看视频总是卡"
SLOW = "家里宽带太慢了，看视频总是卡"

Spoken = Callable[..., Awaitable["Told"]]


@pytest.fixture
def spoken(ledger: Ledger, ring: "Ring") -> Spoken:
    """A call about something, over and written down."""

    async def speak(said: str, raw: str, at: float, code: str | None = None, title: str | None = None) -> "Told":
        call = ring(raw, "4007002505", at)
        for fact in (call.arrived(), call.confirmed(), call.answered(), call.ended()):
            await ledger.record(fact, now=fact.at or 0.0, number=call.number)
        facts = () if code is None else (Detail(FactKind.FAULT_CODE, code, "caller", 1.0, 0),)
        summary = Summary(title, Category.REPAIR, Urgency.MIDDLE, Sentiment.NEUTRAL, facts, (), {})
        transcript = Transcript((Turn(Speaker.CALLER, 1.0, 5.0, said, 0.9),), "scripted", "none")
        await ledger.said(call.key, transcript, summary, at + 60)
        return call

    return speak


async def test_a_burst_is_noticed_once_with_words_and_calls(db: Database, spoken: Spoken) -> None:
    """After seven quiet weeks ten callers in ten minutes: one notice, which goes on, and is over an hour later."""
    bursts = Bursts(db)
    began = 1_795_147_200.0
    for day in range(0, 49, 4):
        call = await spoken(SLOW, f"1390000{day:04d}", began + day * DAY)
        assert not await bursts.look(call.key, call.began)
    now = began + 7 * WEEK + DAY
    told: list[Noticed] = []
    for minute in range(10):
        call = await spoken(DOWN, f"1380000{minute:04d}", now + minute * 60.0)
        told += await bursts.look(call.key, call.began + 90)
        assert not await bursts.look(call.key, call.began + 91)  # looked at again
    assert [(one.line, one.kind, one.value) for one in told] == [("4007002505", "category", "报修")]
    (kept,) = await bursts.recent(now)
    assert kept.id == told[0].id
    assert kept.burst.begins == now
    assert kept.burst.callers == 10
    assert "断网" in kept.words
    assert "宽带" not in kept.words
    assert len(kept.samples) == 5
    assert kept.samples[0].key == call.key
    assert kept.burst.over(call.began + QUIET + 1)
    assert await bursts.recent(now + DAY) == []
    again = await spoken(DOWN, "13700000000", now + DAY)
    assert not await bursts.look(again.key, again.began)


async def test_a_code_that_explains_a_category_is_told_alone(db: Database, spoken: Spoken) -> None:
    """One thing happened: one notice, of the code; other repairs beside it are another."""
    bursts = Bursts(db)
    began = 1_795_147_200.0
    for day in range(0, 49, 4):
        await spoken(SLOW, f"1390000{day:04d}", began + day * DAY)
    now = began + 7 * WEEK + DAY
    told: list[Noticed] = []
    for minute in range(10):
        call = await spoken("光猫报错", f"1380000{minute:04d}", now + minute * 60.0, code="E691")
        told += await bursts.look(call.key, call.began + 90)
    assert [(one.kind, one.value) for one in told] == [("fault_code", "E691")]
    for minute in range(10, 22):
        call = await spoken(DOWN, f"1380000{minute:04d}", now + minute * 60.0)
        told += await bursts.look(call.key, call.began + 90)
    assert [(one.kind, one.value) for one in told] == [("fault_code", "E691"), ("category", "报修")]


async def test_a_call_without_a_cause_is_looked_at_in_vain(db: Database, ledger: Ledger, ring: "Ring") -> None:
    """Nothing was heard, or there is no such call."""
    call = ring()
    assert not await Bursts(db).look(call.key, 1.0)
    for fact in call.whole():
        await ledger.record(fact, now=fact.at or 0.0, number=call.number)
    await ledger.said(call.key, Transcript((), "scripted", "none"), None, call.began)
    assert not await Bursts(db).look(call.key, 1.0)


async def test_similar_tickets_are_open_ones_of_the_line(
    db: Database, spoken: Spoken, ledger: Ledger, reads: Reads
) -> None:
    """Not the ticket itself, no closed one, none about something else; with the words that say so."""
    at = 1_795_147_200.0
    lines = (DOWN, "光猫红灯，断网了整栋楼都没网", LAG, "断网了，光猫红灯一直闪")
    calls = [await spoken(said, f"1390000000{one}", at + one, title=said) for one, said in enumerate(lines)]
    others = (
        "洗衣机不排水",
        "冰箱不制冷",
        "空调漏水",
        "热水器点火失败",
        "发票抬头错误",
        "快递丢失",
        "退款未到账",
        "油烟机异响",
    )
    for one, said in enumerate(others):
        await spoken(said, f"1380000000{one}", at + one, title=said)
    pages = [await reads.call(call.key) for call in calls]
    first, like, slow, closed = [page.item.ticket.id for page in pages if page is not None and page.item.ticket]
    ticket = await reads.ticket(closed)
    assert ticket is not None
    change = {TicketField.STATUS: Status.CLOSED.value}
    await ledger.edit_ticket(closed, change, who="li", now=at, version=ticket.item.version)
    found = await Similar(db).to(first)
    assert [one.item.ticket.id for one in found] == [like]
    assert {"断网", "红灯"} <= set(found[0].like.why)
    assert slow not in [one.item.ticket.id for one in found]
    assert not await Similar(db).to(10**9)
