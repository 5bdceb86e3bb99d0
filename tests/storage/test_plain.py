"""Text from outside that a database would refuse: the call, the login, the job are kept all the same."""

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.accounts import Accounts
from storage.audit import Audit, What
from storage.database import Database
from storage.edits import TicketField
from storage.ledger import Ledger
from storage.outbox import Outbox
from storage.pages import TicketFilter
from storage.plain import plain
from storage.reads import Reads
from storage.records import AlarmKind, Known, NewJob
from storage.search import Asker
from telephony.call import Answered, Arrived, CallKey, Confirmed, Ended, Fact, LeftMessage, Outcome, Queued, Rang
from telephony.call import Recorded as RecordedFact
from transcription.transcript import Speaker, Transcript, Turn

if TYPE_CHECKING:
    from tests.storage.conftest import Ring

STRANGE = ["x" * 50_000, "a\0b", "\udcff\udc80", "李\ud800雷", "\u202e\U0001f600" * 400, "'; DROP TABLE calls; --"]


@given(st.text(st.characters(exclude_categories=()), max_size=40), st.integers(1, 20))
def test_what_is_plain_can_be_kept(text: str, longest: int) -> None:
    """No NUL, no half pairs, not too long; ordinary text stays as it is."""
    kept = plain(text, longest)
    assert "\0" not in kept
    assert kept.encode("utf-8").decode("utf-8") == kept
    assert len(kept) <= longest
    if "\0" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text):
        assert kept == text[:longest]


@pytest.mark.parametrize("text", STRANGE)
async def test_a_strange_call_is_kept(db: Database, text: str) -> None:
    """Whatever a carrier, a caller or a forger puts into names: call, ticket, events, transcript are there."""
    ledger, reads = Ledger(db), Reads(db)
    call = CallKey("main", text)
    facts: list[Fact] = [
        Arrived(call=call, at=1.0, caller=text, caller_name=text, number="4007002505", dialled=text),
        Confirmed(call=call, at=2.0),
        Queued(call=call, at=3.0, queue=text),
        Rang(call=call, at=4.0, agent=text, queue=text),
        Answered(call=call, at=5.0, agent=text),
        RecordedFact(call=call, at=6.0, files=(text,)),
        LeftMessage(call=call, at=7.0, file=text),
        Ended(call=call, at=8.0, outcome=Outcome.ANSWERED),
    ]
    for fact in facts:
        assert (await ledger.record(fact, now=9.0, known=Known(text, text))).new, fact
        assert not (await ledger.record(fact, now=9.0, known=Known(text, text))).new, fact
    turn = Turn(Speaker.CALLER, 0.0, 1.0, text, 1.0, text)
    await ledger.said(call, Transcript((turn,), text, text), None, 9.0)
    await ledger.alarm(call, AlarmKind.SILENT, text, 9.0)
    page = await reads.call(call)
    assert page is not None
    assert len(page.events) == len(facts)
    assert page.item.ticket is not None
    assert page.transcript is not None
    assert await reads.agents_of(call) == list(page.item.agents)
    assert await reads.ticket(page.item.ticket.id) is not None


@pytest.mark.parametrize("text", STRANGE)
async def test_what_strangers_type_is_no_error_of_ours(db: Database, text: str) -> None:
    """Logins, tokens, browsers, searches, addresses: found or not, never a crash."""
    accounts, audit, reads = Accounts(db), Audit(db), Reads(db)
    assert await accounts.find(text) is None
    assert not await accounts.remove(text)
    await accounts.failed(text, text, 1.0)
    assert (await accounts.failures(text, text, 0.0)) == (1, 1)
    await accounts.forgive(text, 0.0)
    assert await accounts.session(text, 1.0) is None
    user = await accounts.add("li", name="李", role="agent", password="x", now=1.0)
    token = await accounts.log_in(user, 1.0, 60.0, ip=text, browser=text)
    assert await accounts.session(token, 2.0) is not None
    await audit.add(text, What.LOGIN_REFUSED, text, 1.0, {"typed": text}, ip=text)
    assert len(await audit.rows()) == 1
    assert (await reads.tickets(TicketFilter(text=text))).items == ()
    assert await reads.call(CallKey("main", text)) is None
    assert not await reads.concerns(CallKey("main", text), Asker("li", "1001"))


@pytest.mark.parametrize("text", STRANGE[1:4])
async def test_what_people_write_on_tickets_is_kept(db: Database, ring: "Ring", text: str) -> None:
    """Without what cannot be."""
    ledger, call = Ledger(db), ring()
    for fact in call.whole():
        ticket = (await ledger.record(fact, now=1.0, number=call.number)).ticket
    assert ticket is not None
    await ledger.note(ticket.id, text, "li", 1.0)
    await ledger.edit_ticket(ticket.id, {TicketField.TITLE: text}, who="li", now=1.0, version=1)
    page = await Reads(db).ticket(ticket.id)
    assert page is not None
    assert page.item.ticket.title == plain(text, 500)


@pytest.mark.parametrize("text", STRANGE)
async def test_what_went_wrong_with_a_job_is_kept(db: Database, text: str) -> None:
    """A server's error page, half of it binary."""
    outbox = Outbox(db)
    async with db.write() as conn:
        await outbox.add(conn, NewJob("crm", "main:1", {"said": text}), 1.0)
    for settle in (outbox.retry, outbox.dead):
        job = await outbox.claim(["crm"], 1e6, 60.0)
        assert job is not None
        assert await settle(job, text, 1.0)
    (job,) = await outbox.list()
    assert job.error
