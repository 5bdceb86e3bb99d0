"""What people do to tickets."""

import asyncio
from typing import TYPE_CHECKING

import pytest

from storage.accounts import Accounts
from storage.database import Database
from storage.edits import Refusal, RefusedError, StaleError, TicketField
from storage.ledger import Ledger
from storage.pages import TicketPage
from storage.reads import Reads
from storage.records import TimelineKind
from storage.trouble import UnknownTicketError
from tickets.ticket import Reachability, Status
from transcription.account import Category, Sentiment, Summary, Urgency
from transcription.transcript import Transcript

if TYPE_CHECKING:
    from tests.storage.conftest import Ring, Told

NOW = 1_795_150_000.0


async def opened(ledger: Ledger, *calls: "Told") -> int:
    """The ticket of these calls, each told to its end."""
    ticket = None
    for call in calls:
        for fact in call.whole():
            ticket = (await ledger.record(fact, now=fact.at or 0.0, number=call.number)).ticket
    assert ticket is not None
    return ticket.id


async def page(reads: Reads, ticket_id: int) -> TicketPage:
    """A ticket's page, which must be there."""
    found = await reads.ticket(ticket_id)
    assert found is not None
    return found


async def test_a_ticket_goes_its_way_with_who_and_when(ledger: Ledger, reads: Reads, ring: "Ring") -> None:
    """Status moves and field changes are told apart on the timeline, with what was there before."""
    ticket = await opened(ledger, ring())
    edit = {TicketField.STATUS: "working", TicketField.TITLE: " 洗衣机 ", TicketField.CATEGORY: "报修"}
    assert await ledger.edit_ticket(ticket, edit, who="li", now=NOW, version=1) == 2
    found = await page(reads, ticket)
    assert found.item.ticket.status is Status.WORKING
    assert (found.item.ticket.title, found.item.ticket.category, found.item.ticket.changed) == ("洗衣机", "报修", NOW)
    told = [(item.kind, item.who, dict(item.detail)) for item in found.timeline if item.who]
    assert told == [
        (TimelineKind.MOVED, "li", {"from": "accepted", "to": "working"}),
        (TimelineKind.EDITED, "li", {"title": [None, "洗衣机"], "category": [None, "报修"]}),
    ]


async def test_saving_what_is_there_already_changes_nothing(ledger: Ledger, reads: Reads, ring: "Ring") -> None:
    """No new version, no line on the timeline."""
    ticket = await opened(ledger, ring())
    before = await page(reads, ticket)
    assert await ledger.edit_ticket(ticket, {TicketField.STATUS: "accepted"}, who="li", now=NOW, version=1) == 1
    assert await page(reads, ticket) == before


async def test_of_two_who_edit_at_once_one_is_told_to_look_again(ledger: Ledger, reads: Reads, ring: "Ring") -> None:
    """Nothing is overwritten unseen."""
    ticket = await opened(ledger, ring())
    results = await asyncio.gather(
        *(ledger.edit_ticket(ticket, {TicketField.TITLE: who}, who=who, now=NOW, version=1) for who in ("li", "wang")),
        return_exceptions=True,
    )
    (stale,) = [result for result in results if isinstance(result, BaseException)]
    assert isinstance(stale, StaleError)
    assert stale.version == 2
    assert [item.kind for item in (await page(reads, ticket)).timeline].count(TimelineKind.EDITED) == 1


async def test_two_fields_saved_at_once_are_both_kept(ledger: Ledger, reads: Reads, ring: "Ring") -> None:
    """By one person who types fast, or by two: only the same field can be in anybody's way."""
    ticket = await opened(ledger, ring())
    versions = await asyncio.gather(
        ledger.edit_ticket(ticket, {TicketField.TITLE: "漏水"}, who="li", now=NOW, version=1),
        ledger.edit_ticket(ticket, {TicketField.CATEGORY: "报修"}, who="li", now=NOW, version=1),
        ledger.edit_ticket(ticket, {TicketField.URGENCY: "高"}, who="wang", now=NOW, version=1),
    )
    assert sorted(versions) == [2, 3, 4]
    found = (await page(reads, ticket)).item.ticket
    assert (found.title, found.category, found.urgency) == ("漏水", "报修", "高")


async def test_who_would_overwrite_a_colleague_is_told_what_stands_there(ledger: Ledger, ring: "Ring") -> None:
    """All such fields at once, with by whom and when; having seen it, one may. Nothing of the change was kept."""
    ticket = await opened(ledger, ring())
    await ledger.edit_ticket(
        ticket, {TicketField.TITLE: "漏水", TicketField.URGENCY: "高"}, who="wang", now=NOW, version=1
    )
    mine = {TicketField.TITLE: "发票", TicketField.URGENCY: "低", TicketField.CATEGORY: "发票"}
    with pytest.raises(StaleError) as caught:
        await ledger.edit_ticket(ticket, mine, who="li", now=NOW + 5, version=1)
    assert caught.value.version == 2
    assert [(one.field, one.value, one.who, one.at) for one in caught.value.meanwhile] == [
        (TicketField.TITLE, "漏水", "wang", NOW),
        (TicketField.URGENCY, "高", "wang", NOW),
    ]
    assert await ledger.edit_ticket(ticket, mine, who="li", now=NOW + 6, version=2) == 3


async def test_ones_own_last_word_counts(ledger: Ledger, reads: Reads, ring: "Ring") -> None:
    """The answer to the last save was lost, or the same form is open in another tab: nobody else is in the way."""
    ticket = await opened(ledger, ring())
    for text in ("漏", "漏水", "漏水了"):
        await ledger.edit_ticket(ticket, {TicketField.TITLE: text}, who="li", now=NOW, version=1)
    assert (await page(reads, ticket)).item.ticket.title == "漏水了"
    assert await ledger.edit_ticket(ticket, {TicketField.TITLE: "漏水了"}, who="wang", now=NOW, version=1) == 4, (
        "agreed"
    )


async def test_typing_is_one_line_of_the_timeline(ledger: Ledger, reads: Reads, ring: "Ring") -> None:
    """From what was there before to what stands there now, as long as one person goes on; then a new line."""
    ticket = await opened(ledger, ring())
    for step, (field, text) in enumerate(
        [("title", "漏"), ("title", "漏水"), ("category", "报修"), ("title", "漏水了")]
    ):
        await ledger.edit_ticket(ticket, {TicketField(field): text}, who="li", now=NOW + step, version=9)
    await ledger.edit_ticket(ticket, {TicketField.TITLE: "热水器漏水"}, who="wang", now=NOW + 5, version=9)
    await ledger.edit_ticket(ticket, {TicketField.TITLE: "漏水"}, who="wang", now=NOW + 5000, version=9)
    lines = [item for item in (await page(reads, ticket)).timeline if item.kind is TimelineKind.EDITED]
    assert [(item.who, item.at, dict(item.detail)) for item in lines] == [
        ("li", NOW + 3, {"title": [None, "漏水了"], "category": [None, "报修"]}),
        ("wang", NOW + 5, {"title": ["漏水了", "热水器漏水"]}),
        ("wang", NOW + 5000, {"title": ["热水器漏水", "漏水"]}),
    ]


async def test_nothing_typed_is_overwritten_by_the_machine(ledger: Ledger, reads: Reads, ring: "Ring") -> None:
    """Transcripts and summaries that come between two keystrokes are no conflict, and change no typed field."""
    call = ring()
    ticket = await opened(ledger, call)
    version = 1
    for end in range(1, 5):
        summary = Summary(f"机器{end}", Category.COMPLAINT, Urgency.HIGH, Sentiment.BAD, (), (), {})
        await ledger.said(call.key, Transcript((), "scripted", "v1", "zh", seconds=3.0), summary, NOW + end)
        typed = {TicketField.TITLE: "热水器漏水"[:end]}
        version = await ledger.edit_ticket(ticket, typed, who="li", now=NOW + end, version=version)
    found = await page(reads, ticket)
    assert (found.item.ticket.title, found.item.version) == ("热水器漏", 5)
    assert (found.item.ticket.category, found.item.ticket.urgency) == ("投诉", "高"), (
        "where nobody typed, the machine's"
    )
    assert found.typed == frozenset({"title"})


async def test_a_draft_is_ones_own_until_the_note_is_added(ledger: Ledger, reads: Reads, ring: "Ring") -> None:
    """Each person's on each ticket; adding the note takes it, also when its last letters were not saved yet."""
    ticket = await opened(ledger, ring())
    await ledger.keep_draft(ticket, "客户说", "li", NOW)
    kept = await ledger.keep_draft(ticket, "客户说明天", "li", NOW + 1)
    assert (kept.text, kept.at) == ("客户说明天", NOW + 1)
    assert (await reads.draft(ticket, "li")) == kept
    assert (await reads.draft(ticket, "wang")).at is None
    await ledger.note(ticket, "客户说明天在家", "li", NOW + 2)
    assert (await reads.draft(ticket, "li")).at is None
    await ledger.keep_draft(ticket, "另一个标签页里写的长备注", "li", NOW + 3)
    await ledger.note(ticket, "短", "li", NOW + 4)
    assert (await reads.draft(ticket, "li")).text == "另一个标签页里写的长备注", (
        "what was written elsewhere is not lost"
    )
    assert (await ledger.keep_draft(ticket, "  ", "li", NOW + 5)).at is None
    assert (await reads.draft(ticket, "li")).at is None
    with pytest.raises(RefusedError):
        await ledger.keep_draft(ticket, "长" * 20_001, "li", NOW)
    with pytest.raises(UnknownTicketError):
        await ledger.keep_draft(999, "x", "li", NOW)


@pytest.mark.parametrize(
    ("field", "value", "refusal"),
    [
        (TicketField.STATUS, "accepted", Refusal.MOVE),
        (TicketField.STATUS, "finished", Refusal.STATUS),
        (TicketField.STATUS, None, Refusal.STATUS),
        (TicketField.TITLE, "长" * 501, Refusal.TOO_LONG),
        (TicketField.CATEGORY, "长" * 33, Refusal.TOO_LONG),
        (TicketField.OWNER, "nobody", Refusal.OWNER),
    ],
)
async def test_an_illegal_change_is_refused_whole(
    db: Database, ring: "Ring", field: TicketField, value: str | None, refusal: Refusal
) -> None:
    """What else was in the same edit is not kept either."""
    ledger, reads = Ledger(db), Reads(db)
    ticket = await opened(ledger, ring())
    await ledger.edit_ticket(ticket, {TicketField.STATUS: "solved"}, who="li", now=NOW, version=1)
    before = await page(reads, ticket)
    with pytest.raises(RefusedError) as caught:
        await ledger.edit_ticket(ticket, {TicketField.URGENCY: "高", field: value}, who="li", now=NOW, version=2)
    assert caught.value.refusal is refusal
    assert await page(reads, ticket) == before


async def test_an_owner_is_somebody_who_may_log_in(db: Database, ledger: Ledger, reads: Reads, ring: "Ring") -> None:
    """Handing over needs a person at the other end."""
    accounts = Accounts(db)
    await accounts.add("wang", name="王芳", role="agent", password="x", now=1.0)
    ticket = await opened(ledger, ring())
    await ledger.edit_ticket(ticket, {TicketField.OWNER: "wang"}, who="li", now=NOW, version=1)
    assert (await page(reads, ticket)).item.ticket.owner == "wang"
    await ledger.edit_ticket(ticket, {TicketField.OWNER: None}, who="li", now=NOW, version=2)
    await accounts.change("wang", 2.0, active=False)
    with pytest.raises(RefusedError):
        await ledger.edit_ticket(ticket, {TicketField.OWNER: "wang"}, who="li", now=NOW, version=3)


async def test_notes_gather_on_the_timeline(ledger: Ledger, reads: Reads, ring: "Ring") -> None:
    """They need no version: two people's notes both stay. An empty one is refused."""
    ticket = await opened(ledger, ring())
    for who in ("li", "wang"):
        await ledger.note(ticket, f"{who}: 明天回电\n", who, NOW)
    found = await page(reads, ticket)
    assert [(item.who, item.detail["text"]) for item in found.timeline if item.kind is TimelineKind.NOTED] == [
        ("li", "li: 明天回电"),
        ("wang", "wang: 明天回电"),
    ]
    assert found.item.version == 1
    for text in (" \n", "长" * 20_001):
        with pytest.raises(RefusedError):
            await ledger.note(ticket, text, "li", NOW)
    with pytest.raises(UnknownTicketError):
        await ledger.note(ticket + 1, "x", "li", NOW)


async def test_a_call_is_split_off_with_what_belongs_to_it(ledger: Ledger, reads: Reads, ring: "Ring") -> None:
    """The machine's words go with the call; what people typed, and the other call, stay."""
    machine, fridge = ring(), ring(began=ring().began + 600)
    ticket = await opened(ledger, machine, fridge)
    await ledger.edit_ticket(ticket, {TicketField.CATEGORY: "投诉"}, who="li", now=NOW, version=1)
    for call, issue in ((machine, "洗衣机不转"), (fridge, "冰箱不冷")):
        about = Summary(issue, Category.REPAIR, Urgency.LOW, Sentiment.NEUTRAL, (), (), {})
        await ledger.said(call.key, Transcript((), "vosk", "m"), about, NOW)
    assert (await page(reads, ticket)).item.ticket.title == "冰箱不冷"
    link = await ledger.split_call(fridge.key, "li", NOW)
    assert not link.joined
    old, new = await page(reads, ticket), await page(reads, link.id)
    assert (old.item.ticket.title, old.item.ticket.category, old.item.ticket.calls) == ("洗衣机不转", "投诉", 1)
    assert (new.item.ticket.title, new.item.ticket.category, new.item.ticket.calls) == ("冰箱不冷", "报修", 1)
    assert new.item.reach is Reachability.ANSWERED
    assert new.item.ticket.caller == "+8613812345678"
    assert [item.key for item in new.calls] == [fridge.key]
    assert old.timeline[-1].detail == {"to": link.number}
    assert new.timeline[0].detail == {"reason": "split", "from": old.item.ticket.number}
    for call in (machine, fridge):
        with pytest.raises(RefusedError) as caught:
            await ledger.split_call(call.key, "li", NOW)
        assert caught.value.refusal is Refusal.ONLY_CALL


async def test_a_missed_call_that_is_split_off_takes_its_count_along(
    ledger: Ledger, reads: Reads, ring: "Ring"
) -> None:
    """Both tickets say rightly whom to call back."""
    answered, missed = ring(), ring(began=ring().began + 600)
    ticket = await opened(ledger, answered)
    for fact in missed.missed():
        await ledger.record(fact, now=fact.at or 0.0, number=missed.number)
    link = await ledger.split_call(missed.key, "li", NOW)
    old, new = await page(reads, ticket), await page(reads, link.id)
    assert (old.item.missed, old.item.reach) == (0, Reachability.ANSWERED)
    assert (new.item.missed, new.item.reach) == (1, Reachability.MISSED)
