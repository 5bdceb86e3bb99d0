"""Notes on a customer's timeline: written once, written again as more is known, and moved along with the customer."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from hashlib import sha256

import structlog

from crm.connector import Can, Note, Of
from crm.trouble import NotFoundError
from crm.wording import shortened
from hotline.writeback_hands import Hands, ours
from hotline.writeback_keys import Keys
from screenpop.crm_texts import Pen, Text
from storage.crm_refs import CrmRef, RefState, Turn
from storage.jobs import Job, Wait
from storage.reads import Reads
from telephony.call import CallKey

log = structlog.get_logger()

CRM_CALL = "crm-call"


@dataclass(frozen=True, slots=True)
class Planned:
    """A note as it should stand: on whose timeline (``customer_id``, who rings from ``e164``), and on which ticket."""

    customer_id: str
    e164: str | None
    text: Text
    ticket: str | None

    @property
    def digest(self) -> str:
        """Another one for everything that would be written otherwise."""
        return sha256(repr((self.customer_id, self.text, self.ticket)).encode("utf-8", "surrogatepass")).hexdigest()


Plan = Callable[[], Awaitable[Planned | None]]


class Notes:
    """Keeps notes. ``plan`` is asked for what should stand there, again when the turn is ours."""

    def __init__(self, hands: Hands) -> None:
        self._hands = hands

    async def keep(
        self, key: str, plan: Plan, *, call: CallKey | None = None, ticket_id: int | None = None
    ) -> Wait | None:
        """Have the note of a key stand as planned. Raises CrmError, OvertakenError."""
        hands = self._hands
        planned, known = await plan(), await hands.refs.get(key)
        if planned is None or Can.NOTE not in hands.crm.can or (known is not None and _stands(known, planned)):
            return None
        if (wait := hands.settling(known)) is not None:
            return wait
        async with hands.turn(key, Of.NOTE, call=call, ticket_id=ticket_id) as turn:
            await self._write(turn, await plan())
        return None

    async def _write(self, turn: Turn, planned: Planned | None) -> None:
        hands, before = self._hands, turn.before
        if planned is None or (before is not None and before.state is RefState.GONE):
            return ours(await hands.refs.over(turn, hands.clock()))
        there = await hands.made(turn, Of.NOTE)
        customer = planned.customer_id if before is not None and before.customer_id == planned.customer_id else None
        try:
            customer = customer or await hands.whose(planned.customer_id, planned.e164)
            if customer is None:
                return await self._nobody(turn, planned)
            ref = await hands.crm.keep_note(self._note(turn.key, planned, customer), there)
        except NotFoundError:
            left = await hands.whose(planned.customer_id, planned.e164)
            if left is None:
                return await self._nobody(turn, planned)
            if there is not None and left == customer:  # the note itself was taken away by people there
                return ours(await hands.refs.gone(turn, hands.clock()))
            customer = left
            ref = await hands.crm.keep_note(self._note(turn.key, planned, customer), None)
        digest = planned.digest
        return ours(await hands.refs.kept(turn, ref, now=hands.clock(), customer_id=customer, written=digest))

    async def _nobody(self, turn: Turn, planned: Planned) -> None:
        hands = self._hands
        log.warning("a customer is not in the CRM any more", connector=hands.crm.name, customer=planned.customer_id)
        ours(await hands.refs.over(turn, hands.clock()))

    def _note(self, key: str, planned: Planned, customer: str) -> Note:
        title = shortened(planned.text.title, self._hands.crm.traits.longest.get("title"))
        return Note(key, customer, title, planned.text.paragraphs, planned.text.links, planned.ticket)


def _stands(known: CrmRef, planned: Planned) -> bool:
    """Whether there is nothing to do: it says what it should, or people there took it away."""
    if known.begun is not None or known.trouble is not None:
        return False
    return known.state is RefState.GONE or known.written == planned.digest


class CallNotes:
    """The handler of jobs ``crm-call``: the note of a call whose customer is known, from its answer or its end on."""

    def __init__(self, hands: Hands, notes: Notes, reads: Reads, keys: Keys, pen: Pen) -> None:
        self._hands, self._notes, self._reads, self._keys, self._pen = hands, notes, reads, keys, pen

    async def handle(self, job: Job) -> Wait | None:
        """Bring the note in line with what is known of the call."""
        call = CallKey.parse(str(job.payload["call"]))
        known = await self._hands.refs.of_call(call)
        key = self._keys.note(call) if known is None else known.key
        return await self._hands.carried(job, key, self._notes.keep(key, lambda: self._plan(call), call=call))

    async def _plan(self, call: CallKey) -> Planned | None:
        page = await self._reads.call(call)
        if page is None or page.item.customer_id is None or (page.item.answered is None and page.item.ended is None):
            return None
        ticket = None if page.item.ticket is None else await self._hands.refs.of_ticket(page.item.ticket.id)
        if page.item.ticket is not None and self._waits(ticket):
            return None
        theirs = None if ticket is None or ticket.ref is None else ticket.ref.id
        return Planned(page.item.customer_id, page.item.e164, self._pen.call(page), theirs)

    def _waits(self, ticket: CrmRef | None) -> bool:
        """Whether the note comes with its ticket, whose job wants this one again when it is made."""
        crm = self._hands.crm
        if not crm.traits.notes_on_tickets or Can.TICKET not in crm.can:
            return False
        return ticket is None or (ticket.id is None and ticket.state is not RefState.GONE)
