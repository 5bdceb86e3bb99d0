"""What is found out after a call: recording, alarms, transcript and summary, told again without harm."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import pytest

from storage.database import Database
from storage.edits import TicketField
from storage.ledger import Ledger
from storage.outbox import Outbox
from storage.pages import Alarm, TicketPage
from storage.reads import Reads
from storage.records import AlarmKind, NewJob, RecordingRow, TimelineKind, Waiting
from storage.trouble import UnknownCallError
from transcription.account import Category, Detail, FactKind, Promise, Sentiment, Summary, Urgency
from transcription.transcript import Speaker, Transcript, Turn

if TYPE_CHECKING:
    from tests.storage.conftest import Ring, Told

TURNS = (
    Turn(Speaker.AGENT, 0.5, 2.0, "您好,请问有什么可以帮您", 0.93, "1001"),
    Turn(Speaker.CALLER, 2.5, 6.0, "我的洗衣机不转了\0,型号是 XQB80", 0.81),
)
TRANSCRIPT = Transcript(TURNS, "vosk", "small-cn-0.22")
REPAIR = Summary(
    issue="洗衣机不转",
    category=Category.REPAIR,
    urgency=Urgency.MIDDLE,
    sentiment=Sentiment.NEUTRAL,
    facts=(Detail(FactKind.MODEL, "XQB80", "caller", 2.5, 1),),
    promises=(Promise("agent", "派人上门", "2026-11-22", 0),),
    evidence={"客户的洗衣机不转": (1,)},
)
IS_IT_DONE = Summary(None, Category.PROGRESS, Urgency.LOW, Sentiment.BAD, (), (), {})

Finished = Callable[["Told"], Awaitable["Told"]]


@pytest.fixture
def finished(ledger: Ledger) -> Finished:
    """A call that is over."""

    async def finish(call: "Told") -> "Told":
        for fact in call.whole():
            await ledger.record(fact, now=fact.at or 0.0, number=call.number)
        return call

    return finish


async def ticket_of(reads: Reads, call: "Told") -> TicketPage:
    """The page of the call's ticket, which must be there."""
    page = await reads.call(call.key)
    assert page is not None
    assert page.item.ticket is not None
    ticket = await reads.ticket(page.item.ticket.id)
    assert ticket is not None
    return ticket


async def test_what_was_said_comes_back_as_it_went_in(
    ledger: Ledger, reads: Reads, ring: "Ring", finished: Finished
) -> None:
    """Turns, engine, summary with its evidence; on the call and, of the summary, on the ticket. NUL alone goes."""
    call = await finished(ring())
    for _ in range(2):
        await ledger.said(call.key, TRANSCRIPT, REPAIR, call.began + 60)
    page = await reads.call(call.key)
    assert page is not None
    assert page.transcript is not None
    assert [turn.text for turn in page.transcript.turns] == [TURNS[0].text, "我的洗衣机不转了,型号是 XQB80"]
    assert (page.transcript.turns[0], page.transcript.engine, page.transcript.model) == (
        TURNS[0],
        "vosk",
        "small-cn-0.22",
    )
    assert page.summary == REPAIR
    ticket = await ticket_of(reads, call)
    noun = ticket.item.ticket
    assert (noun.title, noun.category, noun.urgency) == ("洗衣机不转", "报修", "中")
    assert ticket.summary == REPAIR
    assert ticket.typed == frozenset()
    assert [item.kind for item in ticket.timeline].count(TimelineKind.SAID) == 1


async def test_transcribed_again_the_new_text_stands_alone(
    ledger: Ledger, reads: Reads, ring: "Ring", finished: Finished
) -> None:
    """A better model's shorter transcript leaves no turn of the old one."""
    call = await finished(ring())
    await ledger.said(call.key, TRANSCRIPT, REPAIR, call.began + 60)
    better = Transcript((TURNS[0],), "whisper", "large", "zh")
    await ledger.said(call.key, better, None, call.began + 90)
    page = await reads.call(call.key)
    assert page is not None
    assert page.transcript == better
    assert page.summary is None
    assert (await ticket_of(reads, call)).item.ticket.title == ""


async def test_what_a_person_typed_wins_over_the_machine_before_and_after(
    ledger: Ledger, reads: Reads, ring: "Ring", finished: Finished
) -> None:
    """The machine writes beside it; a field given back shows the machine's word again; no edit conflict arises."""
    call = await finished(ring())
    ticket = (await ticket_of(reads, call)).item
    typed = {TicketField.TITLE: "王先生的洗衣机", TicketField.URGENCY: "高"}
    version = await ledger.edit_ticket(ticket.ticket.id, typed, who="li", now=call.began + 50, version=ticket.version)
    await ledger.said(call.key, TRANSCRIPT, REPAIR, call.began + 60)
    page = await ticket_of(reads, call)
    noun = page.item.ticket
    assert (noun.title, noun.category, noun.urgency) == ("王先生的洗衣机", "报修", "高")
    assert page.typed == {"title", "urgency"}
    assert page.item.version == version
    back = {TicketField.TITLE: "", TicketField.URGENCY: None}
    await ledger.edit_ticket(noun.id, back, who="li", now=call.began + 70, version=version)
    noun = (await ticket_of(reads, call)).item.ticket
    assert (noun.title, noun.urgency) == ("洗衣机不转", "中")


async def test_a_follow_up_without_a_matter_does_not_blot_out_the_first_calls(
    ledger: Ledger, reads: Reads, ring: "Ring", finished: Finished
) -> None:
    """In whichever order the two are transcribed."""
    first = await finished(ring())
    second = await finished(ring(began=first.began + 600))
    for call, summary in ((second, IS_IT_DONE), (first, REPAIR)):
        await ledger.said(call.key, TRANSCRIPT, summary, second.began + 60)
        noun = (await ticket_of(reads, first)).item.ticket
    assert (noun.title, noun.category) == ("洗衣机不转", "报修")
    assert (await ticket_of(reads, first)).summary == IS_IT_DONE


async def test_a_recording_is_linked_once_and_known_better_later(
    ledger: Ledger, reads: Reads, ring: "Ring", finished: Finished
) -> None:
    """Told again with its header repaired, it is still one recording; a second one (after a transfer) is another."""
    call = await finished(ring())
    names = ("a-rx.wav", "a-tx.wav", None)
    await ledger.link_recording(call.key, RecordingRow(*names, seconds=None), call.began + 31)
    await ledger.link_recording(call.key, RecordingRow(*names, seconds=29.8, repaired=True), call.began + 32)
    await ledger.link_recording(call.key, RecordingRow(None, None, "b.wav", 3.0), call.began + 33)
    page = await reads.call(call.key)
    assert page is not None
    assert page.recordings == (RecordingRow(*names, 29.8, repaired=True), RecordingRow(None, None, "b.wav", 3.0))
    assert page.item.recorded
    kinds = [item.kind for item in (await ticket_of(reads, call)).timeline]
    assert kinds.count(TimelineKind.RECORDING) == 2
    with pytest.raises(ValueError, match="without a file"):
        await ledger.link_recording(call.key, RecordingRow(None, None, None, None), call.began)


async def test_what_is_to_be_done_with_a_recording_is_written_with_it(
    ledger: Ledger, outbox: Outbox, ring: "Ring", finished: Finished
) -> None:
    """Linked again by a job that died, it is still one job."""
    call = await finished(ring())
    job = NewJob("transcribe", f"{call.key}:transcribe", {"call": str(call.key)})
    for _ in range(2):
        await ledger.link_recording(call.key, RecordingRow(None, None, "a.wav", 3.0), call.began + 33, [job])
    assert [(it.kind, it.key) for it in await outbox.list()] == [(job.kind, job.key)]


async def test_an_alarm_stands_once_on_call_and_ticket(
    ledger: Ledger, reads: Reads, ring: "Ring", finished: Finished
) -> None:
    """A job that finds it again renews the detail."""
    call = await finished(ring())
    await ledger.alarm(call.key, AlarmKind.ONE_SIDED, "agent", call.began + 40)
    await ledger.alarm(call.key, AlarmKind.ONE_SIDED, "agent silent from 00:03", call.began + 50)
    page = await reads.call(call.key)
    assert page is not None
    assert page.alarms == (Alarm(AlarmKind.ONE_SIDED, "agent silent from 00:03", call.began + 40),)
    lines = [item for item in (await ticket_of(reads, call)).timeline if item.kind is TimelineKind.ALARM]
    assert [(item.detail, item.call) for item in lines] == [({"kind": "recording_one_sided"}, call.key)]


async def test_waiting_is_seen_until_something_was_said(
    ledger: Ledger, reads: Reads, ring: "Ring", finished: Finished
) -> None:
    """The page says what is missing."""
    call = await finished(ring())

    async def seen() -> Waiting | None:
        page = await reads.call(call.key)
        assert page is not None
        return page.item.waiting

    await ledger.waiting(call.key, Waiting.RECORDING)
    await ledger.waiting(call.key, Waiting.MODEL)
    assert await seen() is Waiting.MODEL
    await ledger.said(call.key, TRANSCRIPT, None, call.began + 60)
    assert await seen() is None
    await ledger.waiting(call.key, Waiting.MODEL)
    await ledger.waiting(call.key, None)
    assert await seen() is None


async def test_a_call_without_a_ticket_keeps_what_was_found(db: Database, ring: "Ring") -> None:
    """Nothing depends on the ticket being there."""
    ledger, call = Ledger(db), ring()
    await ledger.record(call.arrived(), now=call.began)
    await ledger.said(call.key, TRANSCRIPT, REPAIR, call.began)
    await ledger.alarm(call.key, AlarmKind.SILENT, None, call.began)
    await ledger.link_recording(call.key, RecordingRow(None, None, "a.wav", None), call.began)
    page = await Reads(db).call(call.key)
    assert page is not None
    assert page.item.ticket is None
    assert page.summary == REPAIR


async def test_nothing_can_be_found_of_an_unknown_call(ledger: Ledger, ring: "Ring") -> None:
    """A restored older database and a newer job: a typed error."""
    with pytest.raises(UnknownCallError):
        await ledger.said(ring().key, TRANSCRIPT, None, 1.0)
