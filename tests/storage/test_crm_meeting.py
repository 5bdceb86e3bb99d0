"""What people do to a ticket in the CRM, brought onto ours, on either database."""

from typing import TYPE_CHECKING

import pytest

from crm.connector import Item, Of, Ref, Status
from storage.crm_meeting import CrmMeeting, Met, Theirs
from storage.crm_refs import CrmRefs, RefState
from storage.database import Database
from storage.edits import TicketField
from storage.following import Follow
from storage.ledger import Ledger
from storage.outbox import Outbox
from storage.reads import Reads
from storage.records import TimelineKind
from tickets.ticket import Status as Ours

if TYPE_CHECKING:
    from tests.storage.conftest import Ring

KEY = "hotline:shop:main:1.1:ticket"
NOW = 1_795_147_300.0
WORDS = {"新建": Status.ACCEPTED, "处理中": Status.WORKING, "已解决": Status.SOLVED, "等配件": Status.UNKNOWN}


class Ticket:
    """A ticket of ours with its record there."""

    def __init__(self, db: Database, ticket: int) -> None:
        self.refs, self.meeting = CrmRefs(db), CrmMeeting(db, "odoo", Follow(tickets=("crm-ticket",)))
        self.reads, self.ledger, self.id = Reads(db), Ledger(db), ticket

    async def made(self) -> None:
        """It was made there, and seen as it was made."""
        turn = await self.refs.begin(KEY, Of.TICKET, now=NOW, ticket_id=self.id)
        await self.refs.kept(turn, Ref(Of.TICKET, "7", "1"), now=NOW, status=Status.ACCEPTED)
        assert (await self.look("新建")).found is Theirs.SAME

    async def look(
        self, said: str | None, version: str = "2", wanted: Status | None = None, status: Status | None = None
    ) -> Met:
        """It is there like this now; None: it is not."""
        turn = await self.refs.begin(KEY, Of.TICKET, now=NOW)
        if wanted is not None:
            await self.refs.want(turn, wanted)
        item = None if said is None else Item(Ref(Of.TICKET, "7", version), "t", status or WORDS[said], said)
        met = await self.meeting.met(turn, item, NOW)
        assert met is not None
        await self.refs.over(turn, NOW)
        return met

    async def told(self) -> list[dict[str, object]]:
        """What our timeline says of theirs."""
        page = await self.reads.ticket(self.id)
        assert page is not None
        return [dict(line.detail) for line in page.timeline if line.kind is TimelineKind.CRM]

    async def move(self, status: Ours) -> None:
        """Somebody here moves it."""
        page = await self.reads.ticket(self.id)
        assert page is not None
        changes: dict[TicketField, str | None] = {TicketField.STATUS: status.value}
        await self.ledger.edit_ticket(self.id, changes, who="wang", now=NOW, version=page.item.version)


@pytest.fixture
async def ticket(db: Database, ledger: Ledger, ring: "Ring") -> Ticket:
    """Accepted on both sides."""
    call = ring()
    link = None
    for fact in (call.arrived(), call.confirmed()):
        link = (await ledger.record(fact, now=NOW, number=call.number)).ticket
    assert link is not None
    made = Ticket(db, link.id)
    await made.made()
    return made


async def test_ours_follows_theirs_and_counts_as_a_persons_edit(ticket: Ticket, outbox: Outbox) -> None:
    """Whoever is typing sees it before saving; whoever else follows the ticket hears of it."""
    before = await ticket.reads.ticket(ticket.id)
    met = await ticket.look("处理中")
    after = await ticket.reads.ticket(ticket.id)
    assert before is not None
    assert after is not None
    assert (met.found, met.status, met.ref.status) == (Theirs.FOLLOWED, Ours.WORKING, Status.WORKING)
    assert after.item.version == before.item.version + 1
    assert await ticket.told() == [{"was": "新建", "said": "处理中", "from": "accepted", "to": "working"}]
    assert [job.key for job in await outbox.list(kind="crm-ticket")] == [str(ticket.id)]


async def test_seen_again_it_is_nothing_new(ticket: Ticket) -> None:
    """A list of changes repeats itself."""
    for version in "23":
        await ticket.look("处理中", version)
    assert len(await ticket.told()) == 1


@pytest.mark.parametrize(("said", "version"), [("已解决", "9"), ("等配件", "2")])
async def test_what_we_set_is_nobodys_doing(ticket: Ticket, said: str, version: str) -> None:
    """By its status, or by the version our write made where theirs reads it as another word."""
    await ticket.move(Ours.SOLVED)
    met = await ticket.look(said, version, wanted=Status.SOLVED)
    assert (met.found, met.ref.status, met.ref.wanted) == (Theirs.OURS, Status.SOLVED, None)
    assert await ticket.told() == []


async def test_moved_on_both_sides_it_is_owed_to_them(ticket: Ticket) -> None:
    """Also after a crash: it stands in the transaction that saw theirs."""
    await ticket.move(Ours.SOLVED)
    met = await ticket.look("处理中")
    assert (met.found, met.status) == (Theirs.MOVED, Ours.SOLVED)
    assert (met.ref.owed, met.ref.status, met.ref.theirs) == (Status.SOLVED, Status.SOLVED, Status.WORKING)
    assert await ticket.told() == [{"was": "新建", "said": "处理中"}]


async def test_a_move_that_is_none_here_is_told_and_not_made(ticket: Ticket) -> None:
    """Closed here, opened again there."""
    for status in (Ours.SOLVED, Ours.CLOSED):
        await ticket.move(status)
    await ticket.look("已解决", wanted=Status.CLOSED)
    met = await ticket.look("处理中", "3")
    assert (met.found, met.status) == (Theirs.MOVED, Ours.CLOSED)


async def test_two_of_ours_that_share_a_word_there_are_told_apart(ticket: Ticket) -> None:
    """Closed there by another field than the one that is shown: ours is closed, too."""
    await ticket.look("已解决", "3")
    met = await ticket.look("已解决", "4", status=Status.CLOSED)
    assert (met.found, met.status) == (Theirs.FOLLOWED, Ours.CLOSED)


async def test_gone_it_is_gone_once(ticket: Ticket) -> None:
    """The reference is kept: it must not be made again."""
    met = await ticket.look(None)
    assert (met.found, met.ref.state, met.ref.ref) == (Theirs.GONE, RefState.GONE, None)
    assert await ticket.told() == [{"gone": True}]


async def test_who_was_overtaken_brings_nothing_home(ticket: Ticket) -> None:
    """What it saw may be old."""
    slow = await ticket.refs.begin(KEY, Of.TICKET, now=NOW)
    await ticket.refs.begin(KEY, Of.TICKET, now=NOW)
    item = Item(Ref(Of.TICKET, "7", "2"), "t", Status.WORKING, "处理中")
    assert await ticket.meeting.met(slow, item, NOW) is None
    assert await ticket.told() == []
