"""Both sides read and compared, some records at a time: ours from the database, theirs from the CRM.

The CRM is asked one thing at a time, and left alone as long as it took to answer: comparing takes half of its time at
most. Where it shows many records at once that is used; where it does not, each is read by itself. A record that seems
to differ is read once more on both sides, so that what changes just then is no difference.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from crm import instep
from crm.connector import Can, Connector, Item, Of, Once, Seen, Status
from crm.customer import Customer
from crm.instep import Mend, OurCustomer, OurNote, OurTicket
from hotline.writeback_keys import Keys
from hotline.writeback_notes import Planned
from screenpop.crm_texts import Pen
from storage.crm_index import CrmIndex
from storage.crm_ours import CallSide, CrmOurs, CustomerSide, MoveSide, TicketSide
from storage.crm_ref import CrmRef
from storage.crm_sync import Found
from storage.reads import Reads
from telephony.call import CallKey
from tickets.ticket import MOVES
from tickets.ticket import Status as Ours

T = TypeVar("T")

AT_ONCE = 100  # records shown at once
MOST_ITEMS = 50  # open tickets of one customer looked at for copies of ours
_ONE_ONLY = (Once.NATIVE, Once.UNIQUE_KEY)


class Theirs:
    """The CRM, asked gently. ``rest``: how to leave it alone for some seconds."""

    def __init__(self, crm: Connector, rest: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self.crm, self._rest = crm, rest

    async def ask(self, question: Awaitable[T]) -> T:
        """Its answer. Raises CrmError."""
        clock = asyncio.get_running_loop().time
        began = clock()
        try:
            return await question
        finally:
            await self._rest(clock() - began)

    async def tickets(self, ids: Sequence[str]) -> Mapping[str, Item]:
        """Tickets by id, those that are there. Raises CrmError."""
        if Can.SURVEY in self.crm.can:
            seen = await self._survey(Of.TICKET, ids)
            return {each.ref.id: each.item for each in seen if each.item is not None}
        found = [await self.ask(self.crm.read_ticket(each)) for each in ids]
        return {item.ref.id: item for item in found if item is not None}

    async def notes(self, refs: Iterable[CrmRef]) -> Mapping[str, Seen]:
        """Notes by id, those that are there; where they cannot be seen, only that they are. Raises CrmError."""
        known = {ref.id: ref.key for ref in refs if ref.id is not None}
        if Can.SURVEY in self.crm.can:
            return {each.ref.id: each for each in await self._survey(Of.NOTE, list(known))}
        found = [await self.ask(self.crm.by_key(Of.NOTE, key)) for key in known.values()]
        return {ref.id: Seen(ref) for ref in found if ref is not None}

    async def by_key(self, of: Of, key: str) -> str | None:
        """The id of the record that was made with a key. Raises CrmError."""
        found = await self.ask(self.crm.by_key(of, key))
        return None if found is None else found.id

    async def customer(self, customer_id: str) -> Customer | None:
        """A customer. Raises CrmError."""
        return await self.ask(self.crm.get(customer_id))

    async def _survey(self, of: Of, ids: Sequence[str]) -> list[Seen]:
        seen: list[Seen] = []
        for first in range(0, len(ids), AT_ONCE):
            seen += await self.ask(self.crm.survey(of, ids[first : first + AT_ONCE]))
        return seen


class Look:
    """Compares. ``index``: our copy of the CRM's customers, where there is one. All raise CrmError, StorageError."""

    def __init__(
        self, theirs: Theirs, ours: CrmOurs, reads: Reads, *, keys: Keys, pen: Pen, index: CrmIndex | None = None
    ) -> None:
        self._theirs, self._ours, self._reads = theirs, ours, reads
        self._keys, self._pen, self._index = keys, pen, index

    async def tickets(self, sides: Sequence[TicketSide]) -> list[Found]:
        """Tickets, those that differ looked at twice."""
        return [await self._sure(found) for found in await self._tickets(sides)]

    async def calls(self, sides: Sequence[CallSide]) -> list[Found]:
        """The notes of calls."""
        return [await self._sure(found) for found in await self._calls(sides)]

    async def moves(self, sides: Sequence[MoveSide]) -> list[Found]:
        """The notes on moves of tickets."""
        return [await self._sure(found) for found in await self._moves(sides)]

    async def customers(self, sides: Sequence[CustomerSide]) -> list[Found]:
        """What we have copied of customers."""
        return [await self._sure(found) for found in await self._customers(sides)]

    async def again(self, subject: str) -> Found:
        """One subject, by the name that differences have of it."""
        kind, _, name = subject.partition(":")
        found: list[Found] = []
        if kind == "ticket" and (ticket := await self._ours.ticket(int(name))) is not None:
            found = await self._tickets([ticket])
        elif kind == "call" and (call := await self._ours.call(CallKey.parse(name))) is not None:
            found = await self._calls([call])
        elif kind == "move" and (move := await self._ours.move(name)) is not None:
            found = await self._moves([move])
        elif kind == "customer":
            found = await self._customers([await self._ours.customer(name)])
        return found[0] if found else Found(subject)

    async def _sure(self, found: Found) -> Found:
        return await self.again(found.subject) if found.differences else found

    async def _tickets(self, sides: Sequence[TicketSide]) -> list[Found]:
        theirs = self._theirs
        there = await theirs.tickets([_id(side.ref) for side in sides if _id(side.ref) and not side.waits])
        listed: dict[str, Sequence[Item]] = {}
        found = []
        for side in sides:
            subject, of = f"ticket:{side.id}", (side.id, side.number)
            if side.waits:
                found.append(Found(subject, ticket=of, waits=True))
                continue
            item = there.get(_id(side.ref))
            ours = OurTicket(
                subject,
                side.number,
                side.status,
                self._whose(side, item),
                _id(side.ref) or None,
                None if side.ref is None else side.ref.status,
                None if side.ref is None else side.ref.theirs,
                {Status(status.value) for status in MOVES[Ours(side.status.value)]},
                side.refused,
            )
            keyed = await self._keyed(side, item)
            others = [] if item is None else await self._others(side, item, keyed, listed)
            found.append(Found(subject, instep.ticket(ours, item, keyed, others), ticket=of))
        return found

    @staticmethod
    def _whose(side: TicketSide, item: Item | None) -> str | None:
        """Whose the ticket is: where the CRM had somebody else for our customer when it was made, that one too."""
        kept = None if side.ref is None else side.ref.customer_id
        return kept if item is not None and kept is not None and item.customer_id == kept else side.customer_id

    async def _keyed(self, side: TicketSide, item: Item | None) -> str | None:
        """What our key finds there. Asked where nothing was found, or where the CRM itself keeps no second away."""
        if item is not None and (side.ref is None or self._theirs.crm.traits.once in _ONE_ONLY):
            return None
        if self._theirs.crm.traits.once is Once.NONE:
            return None
        if side.ref is not None:
            return await self._theirs.by_key(Of.TICKET, side.ref.key)
        page = await self._reads.ticket(side.id)
        return None if page is None else await self._theirs.by_key(Of.TICKET, self._keys.ticket(page))

    async def _others(
        self, side: TicketSide, item: Item, keyed: str | None, listed: dict[str, Sequence[Item]]
    ) -> list[Item]:
        """Further tickets there that speak for this one: with the same key, or its number in front of the title."""
        theirs = self._theirs
        others: list[Item] = []
        if keyed is not None and keyed != item.ref.id:
            others += (await theirs.tickets([keyed])).values()
        if item.customer_id is not None and Can.ITEMS in theirs.crm.can:
            if item.customer_id not in listed:
                listed[item.customer_id] = await theirs.ask(theirs.crm.items(item.customer_id, MOST_ITEMS))
            others += [
                each
                for each in listed[item.customer_id]
                if each.title.startswith(side.number) and each.ref.id != item.ref.id
            ]
        if not others:
            return []
        owned = await self._ours.owned([each.ref.id for each in others])
        return [each for each in others if each.ref.id not in owned]

    async def _calls(self, sides: Sequence[CallSide]) -> list[Found]:
        there = await self._theirs.notes(_refs(sides))
        found = []
        for side in sides:
            subject = f"call:{side.call}"
            if side.waits:
                found.append(Found(subject, call=side.call, ticket=side.ticket, waits=True))
                continue
            customers = _customers(side.customer_id, side.ref)
            ours = OurNote(subject, str(side.call), customers, _id(side.ref) or None, refused=side.refused)
            seen = there.get(_id(side.ref))
            if seen is not None and Can.SURVEY in self._theirs.crm.can:
                ours = replace(ours, says=await self._says(side))
            keyed = None if seen is not None else await self._note_key(side.ref, self._keys.note(side.call))
            found.append(Found(subject, instep.note(ours, seen, keyed), call=side.call, ticket=side.ticket))
        return found

    async def _says(self, side: CallSide) -> Sequence[str] | None:
        """What must be read in the note; None where it was written in other words, by an earlier version."""
        page, ref = await self._reads.call(side.call), side.ref
        if page is None or ref is None or page.item.customer_id is None:
            return None
        ticket = None if side.ticket is None else await self._ours.ticket(side.ticket[0])
        theirs = None if ticket is None else _id(ticket.ref) or None
        planned = Planned(page.item.customer_id, page.item.e164, self._pen.call(page), theirs)
        known = {planned.digest, replace(planned, ticket=None).digest}  # the ticket there may have come or gone since
        return planned.text.paragraphs if ref.written in known else None

    async def _moves(self, sides: Sequence[MoveSide]) -> list[Found]:
        there = await self._theirs.notes(_refs(sides))
        found = []
        for side in sides:
            subject, of = f"move:{side.ref.key}", (side.ticket_id, side.number)
            if side.waits:
                found.append(Found(subject, ticket=of, waits=True))
                continue
            seen = there.get(_id(side.ref))
            keyed = None if seen is not None else await self._note_key(side.ref, side.ref.key)
            ours = OurNote(
                subject,
                side.number,
                _customers(side.customer_id, side.ref),
                _id(side.ref) or None,
                mend=Mend.TICKET,
                refused=side.refused,
            )
            found.append(Found(subject, instep.note(ours, seen, keyed), ticket=of))
        return found

    async def _note_key(self, ref: CrmRef | None, key: str) -> str | None:
        if self._theirs.crm.traits.once is Once.NONE or (Can.SURVEY not in self._theirs.crm.can and ref is not None):
            return None  # asked by its key already, or never to be found by it
        return await self._theirs.by_key(Of.NOTE, key)

    async def _customers(self, sides: Sequence[CustomerSide]) -> list[Found]:
        cards = {} if self._index is None else await self._index.kept([side.id for side in sides])
        found = []
        for side in sides:
            ours = OurCustomer(side.id, side.named, cards.get(side.id), side.open)
            found.append(Found(ours.subject, instep.customer(ours, await self._theirs.customer(side.id))))
        return found


def _id(ref: CrmRef | None) -> str:
    """The id of a record that is there as far as we know; empty when there is none."""
    return "" if ref is None or ref.id is None else ref.id


def _refs(sides: Sequence[CallSide] | Sequence[MoveSide]) -> list[CrmRef]:
    return [side.ref for side in sides if side.ref is not None and not side.waits]


def _customers(ours: str | None, ref: CrmRef | None) -> frozenset[str]:
    kept = None if ref is None else ref.customer_id
    return frozenset(each for each in (ours, kept) if each is not None)
