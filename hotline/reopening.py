"""The card of a call that is over, made anew for the work after it: a page that was loaded again has none.

Cards are never stored. This one is put together of what is kept of the call, what our database recalls of the caller
and what the CRM says now, by the same desk that makes the card of a call that rings.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import replace

from crm.customer import Customer, Match, Phone, Reason
from hotline.choosing import candidate_of
from hotline.lookup import Lookup
from hotline.pipeline import LineRules, Recalls
from numbering.number import Number
from screenpop.card import Filled, Json, Problem, Ticketed
from screenpop.desk import Desk
from storage.entered import EnteredCustomers
from storage.pages import CallItem, CallPage
from storage.reads import Reads
from storage.records import EventKind
from telephony.call import Answered, Arrived, CallKey

PATIENCE = 3.0  # seconds that the CRM may take with everything


class Reopening:
    """Makes the card. ``desk``: an empty one; ``recall``: what our own database knows; ``rules``: of our lines."""

    def __init__(
        self,
        *,
        desk: Callable[[], Desk],
        lookup: Lookup,
        reads: Reads,
        own: EnteredCustomers,
        recall: Recalls,
        identify: Callable[[str | None, str | None], Number],
        rules: Mapping[str, LineRules],
    ) -> None:
        self._desk, self._lookup, self._reads, self._own = desk, lookup, reads, own
        self._recall, self._identify, self._rules = recall, identify, rules

    async def card(self, call: CallKey, agent: str) -> Json | None:
        """The card as it would stand at a phone where the call is still talked; None for a call nobody knows.

        Raises StorageError.
        """
        page = await self._reads.call(call)
        if page is None:
            return None
        item, desk = page.item, self._desk()
        now, area = item.answered or item.arrived, self._rules.get(item.line, LineRules()).area
        number = self._identify(item.caller, area)
        desk.apply(_arrived(page), now)
        queues = [event.subject for event in page.events if event.kind is EventKind.QUEUED]
        desk.apply(Answered(call=call, at=item.answered, agent=agent, queue=queues[-1] if queues else None), now)
        found = _or_as_kept(await self._looked_up(call, number, area), number, item)
        desk.apply(_with(found, number, await self._own.on_call(call, number.e164)), now)
        if item.ticket is not None:
            desk.apply(Ticketed(call, item.ticket.id, item.ticket.number, item.ticket.joined), now)
        asked: set[str | None] = set()
        while (whose := desk.whose(call)) not in asked:  # a person's choice may say that it is another's
            asked.add(whose)
            for news in await self._recall(call, number, whose):
                desk.apply(news, now)
        return desk.page(agent)[0]

    async def _looked_up(self, call: CallKey, number: Number, area: str | None) -> Filled:
        """The last that the lookup says in time: each answer tells more than the one before."""
        found = Filled(call, Match(), problem=Problem.LATE)
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE), aclosing(self._lookup.answers(call, number, area)) as answers:
                async for answer in answers:
                    found = answer
        return found


def _with(filled: Filled, number: Number, entered: Sequence[Customer]) -> Filled:
    """And whom people entered during the call: nobody else tells it where the caller hides the number."""
    there = {candidate.customer.id for candidate in filled.match.candidates}
    more = tuple(candidate_of(number, customer) for customer in entered if customer.id not in there)
    return replace(filled, match=Match(filled.match.candidates + more, filled.match.sure))


def _arrived(page: CallPage) -> Arrived:
    item = page.item
    return Arrived(
        call=item.key,
        at=item.arrived,
        caller=item.caller,
        caller_name=page.caller_name,
        number=item.line,
        dialled=page.dialled,
    )


def _or_as_kept(filled: Filled, number: Number, item: CallItem) -> Filled:
    """The lookup's answer; where it could say nobody, the customer that the call was written for."""
    if filled.match.candidates or filled.problem is None or item.customer_id is None:
        return filled
    phones = () if item.caller is None or number.e164 is None else (Phone(item.caller, number.e164, number.ext),)
    kept = Customer(item.customer_id, item.customer_name or "", phones, vip=item.vip)
    candidate = candidate_of(number, kept)
    return replace(filled, match=Match((candidate,), None if candidate.reason is Reason.ENTERED else kept), copied=None)
