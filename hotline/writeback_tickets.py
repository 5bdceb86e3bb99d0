"""Our tickets in the CRM: made once, their status told, and what people do to them there brought home.

One job a ticket, which reads how the ticket is on both sides and brings both in line; it is wanted again by every
change here and by what the CRM's list of changes brings. So nothing is decided from what was true a while ago.
"""

import structlog

from crm.connector import Can, Draft, Of, Ref, Status
from crm.trouble import ConflictError
from crm.wording import shortened
from hotline.writeback_hands import Hands, OvertakenError, ours
from hotline.writeback_keys import Keys
from hotline.writeback_notes import CRM_CALL, Notes, Plan, Planned
from screenpop.crm_texts import Pen
from storage.crm_meeting import CrmMeeting, Met, Theirs
from storage.crm_refs import CrmRef, RefState, Turn
from storage.fanout import Fanout
from storage.jobs import Job, Wait
from storage.pages import TicketPage, TimelineItem
from storage.reads import Reads
from storage.records import NewJob, TimelineKind

log = structlog.get_logger()

CRM_TICKET = "crm-ticket"
ROUNDS = 4  # looks at a ticket that people there change while we set its status


class CrmTickets:
    """The handler of jobs ``crm-ticket``. ``strangers``: tickets of callers nobody knows are kept there too."""

    def __init__(
        self,
        hands: Hands,
        notes: Notes,
        *,
        meeting: CrmMeeting,
        reads: Reads,
        fanout: Fanout,
        keys: Keys,
        pen: Pen,
        strangers: bool = False,
    ) -> None:
        self._hands, self._notes, self._meeting, self._reads, self._fanout = hands, notes, meeting, reads, fanout
        self._keys, self._pen, self._strangers = keys, pen, strangers

    async def handle(self, job: Job) -> Wait | None:
        """Bring the ticket in line on both sides."""
        ticket = int(job.payload["ticket"])
        page = await self._reads.ticket(ticket)
        if page is None or Can.TICKET not in self._hands.crm.can:
            return None
        known = await self._hands.refs.of_ticket(ticket)
        nobody = page.item.ticket.customer_id is None and not self._strangers
        if nobody and (known is None or (known.id is None and known.begun is None)):
            return None  # wanted again as soon as somebody knows who it is
        key = self._keys.ticket(page) if known is None else known.key
        return await self._hands.carried(job, key, self._both(key, ticket, known))

    async def _both(self, key: str, ticket: int, known: CrmRef | None) -> Wait | None:
        if known is not None and known.state is RefState.GONE:
            return None
        if known is None or known.id is None:
            if (wait := self._hands.settling(known)) is not None:
                return wait
            async with self._hands.turn(key, Of.TICKET, ticket_id=ticket) as turn:
                made = await self._make(turn, await self._page(ticket))
            if not made:
                return None
        async with self._hands.turn(key, Of.TICKET, ticket_id=ticket) as turn:
            await self._agree(turn, ticket)
        return await self._tell_moves(ticket)

    async def _make(self, turn: Turn, page: TicketPage) -> bool:
        """Make it there; False when there is to be none (yet)."""
        hands, ticket = self._hands, page.item.ticket
        status = Status(ticket.status.value)
        ref, customer = await hands.made(turn, Of.TICKET), None
        if ref is not None:  # by a write whose answer was lost: with the status that was wanted then
            status = (turn.before and turn.before.wanted) or status
        else:
            customer = None if ticket.customer_id is None else await hands.whose(ticket.customer_id, ticket.caller)
            if customer is None and not self._strangers:
                ours(await hands.refs.over(turn, hands.clock()))
                return False
            ours(await hands.refs.want(turn, status))
            ref = await hands.crm.create_ticket(self._draft(turn.key, page, customer, status))
        calls = [NewJob(CRM_CALL, str(call.key), {"call": str(call.key)}, again=True) for call in page.calls]
        now = hands.clock()
        ours(await hands.refs.kept(turn, ref, now=now, customer_id=customer, status=status, jobs=calls))
        hands.outbox.wake()
        return True

    def _draft(self, key: str, page: TicketPage, customer: str | None, status: Status) -> Draft:
        text = self._pen.ticket(page)
        title = shortened(text.title, self._hands.crm.traits.longest.get("title"))
        body = "\n".join(text.paragraphs)
        return Draft(key, customer, title, body, status, urgency=page.item.ticket.urgency, links=text.links)

    async def _agree(self, turn: Turn, ticket: int) -> None:
        """Bring both in line."""
        refs = self._hands.refs
        for _ in range(ROUNDS):
            met = await self._look(turn, ticket)
            if met.ref.owed is not None:
                await self._comment(turn, met.ref, ticket)
            status = Status(met.status.value)
            if met.found is Theirs.GONE or status is met.ref.status:
                break
            if met.ref.theirs is status:
                ours(await refs.over(turn, self._hands.clock(), status=status))
                return
            await self._set(turn, met.ref, status)
        else:  # people there change it faster than we look
            page = await self._page(ticket)
            ours(await refs.owe(turn, Status(page.item.ticket.status.value)))
            ref = await refs.get(turn.key)
            if ref is not None:
                await self._comment(turn, ref, ticket)
        ours(await refs.over(turn, self._hands.clock()))

    async def _set(self, turn: Turn, seen: CrmRef, status: Status) -> None:
        """Set their status, unless it is another than ``seen`` by now: then it is looked at again."""
        assert seen.ref is not None
        ours(await self._hands.refs.want(turn, status))
        try:
            new = await self._hands.crm.set_status(seen.ref, status)
        except ConflictError as error:
            log.info("a ticket was changed there meanwhile", key=turn.key, error=str(error))
            return
        ours(await self._hands.refs.told(turn, status, new))

    async def _look(self, turn: Turn, ticket: int) -> Met:
        if turn.before is None or turn.before.id is None:  # forgotten meanwhile
            raise OvertakenError
        item = await self._hands.crm.read_ticket(turn.before.id)
        met = await self._meeting.met(turn, item, self._hands.clock())
        if met is None:
            raise OvertakenError
        if met.found in (Theirs.MOVED, Theirs.FOLLOWED, Theirs.GONE):
            await self._fanout.publish("tickets", {"type": "ticket", "id": ticket})
        return met

    async def _comment(self, turn: Turn, ref: CrmRef, ticket: int) -> None:
        """Tell a status of ours that was not set, for people there moved the ticket."""
        page = await self._page(ticket)
        lines = [line for line in _moves(page) if line.detail.get("to") == ref.owed]
        if lines and ref.id is not None:
            text = self._pen.stale(page, lines[-1])
            await self._hands.crm.add_comment(Ref(Of.TICKET, ref.id), text, self._keys.stale(page, lines[-1]))
        ours(await self._hands.refs.owe(turn, None))

    async def _tell_moves(self, ticket: int) -> Wait | None:
        """Every change of our status as a note on the customer's timeline, each once."""
        page = await self._page(ticket)
        moves = [(self._keys.move(page, line), line) for line in _moves(page)]
        if not moves or page.item.ticket.customer_id is None or Can.NOTE not in self._hands.crm.can:
            return None
        known = {_kind(key): ref for key, ref in (await self._hands.refs.moves_of(ticket)).items()}
        for key, line in moves:
            if _kind(key) in known and known[_kind(key)].state is not RefState.BEGUN:
                continue
            wait = await self._notes.keep(key, self._planned(ticket, line), ticket_id=ticket)
            if wait is not None:
                return wait
        return None

    def _planned(self, ticket: int, line: TimelineItem) -> Plan:
        async def plan() -> Planned | None:
            page, ref = await self._page(ticket), await self._hands.refs.of_ticket(ticket)
            about = page.item.ticket
            if about.customer_id is None:
                return None
            theirs = None if ref is None or ref.ref is None else ref.ref.id
            return Planned(about.customer_id, about.caller, self._pen.move(page, line), theirs)

        return plan

    async def _page(self, ticket: int) -> TicketPage:
        page = await self._reads.ticket(ticket)
        assert page is not None  # tickets are never deleted
        return page


def _kind(key: str) -> str:
    """What a key is about, whatever this installation was called when it was made."""
    return key.rpartition(":")[2]


def _moves(page: TicketPage) -> list[TimelineItem]:
    return [line for line in page.timeline if line.kind is TimelineKind.MOVED]
