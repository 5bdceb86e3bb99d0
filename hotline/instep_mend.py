"""Repairing one difference: the job that writes to the CRM is wanted again, or our copy of the CRM's is renewed.

Before anything is done the record is looked at once more, and again when it was: what is there then is what counts.
"""

from collections.abc import Callable
from dataclasses import dataclass

import structlog

from crm.connector import Can, Item, Of, Ref, Status
from crm.customer import Customer
from crm.instep import Difference, Mend, What
from crm.matching import decide
from crm.trouble import ConflictError
from hotline.instep_look import Look, Theirs
from hotline.writeback_notes import CRM_CALL
from hotline.writeback_tickets import CRM_TICKET
from numbering.identify import identify
from screenpop.i18n import Reader
from screenpop.instep_texts import copy_closed
from storage.crm_index import CrmIndex
from storage.crm_index_rows import News
from storage.crm_mend import CrmMend
from storage.crm_ours import CrmOurs
from storage.crm_refs import CrmRefs
from storage.crm_sync import CrmSync, Found, Open
from storage.outbox import Outbox
from storage.records import Known, NewJob
from telephony.call import CallKey

log = structlog.get_logger()

_WRITTEN = (What.MISSING, What.GONE)


class CannotMendError(Exception):
    """It cannot be repaired: the text says why, and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mender:
    """Repairs. ``area``: of numbers written locally in the CRM. Methods raise CrmError, StorageError."""

    theirs: Theirs
    look: Look
    ours: CrmOurs
    refs: CrmRefs
    sync: CrmSync
    writes: CrmMend
    outbox: Outbox
    reader: Reader
    clock: Callable[[], float]
    area: str | None = None
    index: CrmIndex | None = None

    async def begin(self, left: Open) -> Found:
        """Do what repairs a difference, if it is there still; how its subject stood. Raises CannotMendError."""
        found = await self.look.again(left.difference.subject)
        await self.sync.settle(found, self.clock())
        same = [each for each in found.differences if _same(each, left.difference)]
        if not found.waits and same:
            await self._mend(same[0], found)
            await self.sync.mending([left.id], self.clock())
        return found

    async def check(self, left: Open) -> Found:
        """How the subject of a difference stands after its repair. Raises CannotMendError when it still differs."""
        found = await self.look.again(left.difference.subject)
        await self.sync.settle(found, self.clock())
        if not found.waits and any(_same(each, left.difference) for each in found.differences):
            raise CannotMendError("it differs as before: look at its jobs with hotline jobs, and at the CRM itself")
        return found

    async def _mend(self, difference: Difference, found: Found) -> None:
        log.info("a difference is being repaired", subject=difference.subject, what=difference.what.value)
        match difference.mend:
            case Mend.CALL if found.call is not None:
                await self._call(found.call, difference.what)
            case Mend.TICKET | Mend.FOLLOW if found.ticket is not None:
                await self._ticket(difference, found.ticket[0])
            case Mend.ASSIGN if found.ticket is not None:
                await self._assign(found.ticket[0], await self._customer(difference.detail["customer"]))
            case Mend.REFRESH:
                await self._refresh(_name(difference))
            case Mend.SEARCH:
                await self._search(_name(difference))
            case Mend.CLOSE if found.ticket is not None:
                await self._close(difference.detail["id"], difference.ours, found.ticket)
            case _:
                raise CannotMendError("only a person can tell what is right here")

    async def _call(self, call: CallKey, what: What) -> None:
        side = await self.ours.call(call)
        if side is not None and side.ref is not None:
            if what in _WRITTEN:
                await self.refs.forget(side.ref.key)
            else:
                await self.writes.write_again(side.ref.key)
        await self._want(NewJob(CRM_CALL, str(call), {"call": str(call)}, again=True))

    async def _ticket(self, difference: Difference, ticket_id: int) -> None:
        kind, _, key = difference.subject.partition(":")
        if kind == "move":
            await self.refs.forget(key)
        elif difference.what in _WRITTEN:
            side = await self.ours.ticket(ticket_id)
            if side is not None and side.ref is not None:
                await self.refs.forget(side.ref.key)
        await self._want(NewJob(CRM_TICKET, str(ticket_id), {"ticket": ticket_id}, again=True))

    async def _want(self, job: NewJob) -> None:
        await self.outbox.add_now(job, self.clock())

    async def _customer(self, customer_id: str) -> Customer:
        found = await self.theirs.customer(customer_id)
        if found is None:
            raise CannotMendError(f"the CRM names customer {customer_id} and does not show it")
        return found

    async def _assign(self, ticket_id: int, customer: Customer) -> None:
        side = await self.ours.ticket(ticket_id)
        known = Known(customer.id, customer.name, customer.vip)
        if side is not None and side.customer_id != customer.id:
            await self.writes.assign(ticket_id, known, was=side.customer_id, now=self.clock())

    async def _refresh(self, customer_id: str) -> None:
        """Our copies say what the CRM says."""
        now = self.clock()
        theirs = await self.theirs.customer(customer_id)
        if theirs is not None and theirs.id == customer_id:
            await self.writes.rename(Known(theirs.id, theirs.name, theirs.vip))
        if self.index is not None:
            left = None if theirs is None or theirs.id != customer_id else theirs
            merged = None if theirs is None or left is not None else theirs.id
            await self.index.learn([News(customer_id, left, now, merged=merged, looked=left is not None)])

    async def _search(self, customer_id: str) -> None:
        """The customer is not there (any more): who is it now, by what the CRM says or by the caller's number."""
        now_is = await self.theirs.customer(customer_id)
        lost = []
        for side in await self.ours.tickets_of(customer_id):
            customer = now_is or await self._caller(side.caller)
            if customer is None:
                lost.append(side.number)
            else:
                await self._assign(side.id, customer)
        if self.index is not None:
            merged = None if now_is is None else now_is.id
            await self.index.learn([News(customer_id, None, self.clock(), merged=merged)])
        if lost:
            raise CannotMendError(f"nobody, or more than one, has the number of {', '.join(lost)} in the CRM now")

    async def _caller(self, raw: str | None) -> Customer | None:
        number = identify(raw, self.area)
        if number.e164 is None:
            return None
        found = await self.theirs.ask(self.theirs.crm.find(number))
        return decide(number, found, self.area).sure

    async def _close(self, copy_id: str, ours: str, ticket: tuple[int, str]) -> None:
        """The copy there is closed, saying of what it was one. Changed meanwhile, it is left to people."""
        crm = self.theirs.crm
        item: Item | None = await self.theirs.ask(crm.read_ticket(copy_id))
        if item is None or item.status in (Status.SOLVED, Status.CLOSED) or Can.TICKET not in crm.can:
            return
        text = copy_closed(self.reader, number=ticket[1], record=ours)
        try:
            await self.theirs.ask(crm.set_status(item.ref, Status.CLOSED))
        except ConflictError as error:
            raise CannotMendError(f"it was changed there just now: {error}") from error
        await self.theirs.ask(crm.add_comment(Ref(Of.TICKET, copy_id), text, f"hotline:copy:{copy_id}"))


def _same(one: Difference, other: Difference) -> bool:
    return (one.what, one.detail.get("id", "")) == (other.what, other.detail.get("id", ""))


def _name(difference: Difference) -> str:
    """Of a customer: its id."""
    return difference.subject.partition(":")[2]
