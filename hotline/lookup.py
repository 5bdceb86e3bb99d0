"""Who is calling, asked within a budget. The card is open already; this fills it, now or when the CRM comes round.

Where there is a copy of the CRM's customers it answers first, within a few milliseconds; the CRM is asked at the same
time and its word replaces the copy's. While the CRM is away the copy's answer stays, and says what it is.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence

import structlog

from crm.connector import Connector
from crm.customer import Match
from hotline.inquiry import Answer, Inquiry
from numbering.number import Number
from screenpop.card import Filled, Problem
from storage.crm_index import CrmIndex
from storage.entered import EnteredCustomers
from storage.records import Known
from storage.trouble import StorageError
from telephony.call import CallKey
from tickets.ticket import Ticket

log = structlog.get_logger()

OpenTickets = Callable[[str | None, str | None], Awaitable[Sequence[Ticket]]]


def known_of(match: Match) -> Known | None:
    """The customer a ticket may be written for: only a sure one, nobody is guessed."""
    customer = match.sure
    return None if customer is None else Known(customer.id, customer.name, customer.vip)


class Lookup:
    """Asks the CRM and our own open tickets. ``budget`` seconds in all, then the card says so and is filled later.

    ``area``: the area code of numbers written locally in the CRM; without one they are taken for the line's city's.
    ``copy``: of the CRM's customers, written with ``clock``'s time, and ``own``: whom people entered here beside it;
    both None for customers that are our own.
    """

    def __init__(
        self,
        connector: Connector,
        open_tickets: OpenTickets,
        budget: float,
        area: str | None = None,
        *,
        copy: CrmIndex | None = None,
        clock: Callable[[], float] | None = None,
        own: EnteredCustomers | None = None,
    ) -> None:
        assert copy is None or clock is not None
        self._connector, self._open_tickets, self._budget, self._area = connector, open_tickets, budget, area
        self._copy, self._clock, self._own = copy, clock or (lambda: 0.0), own

    async def answers(self, call: CallKey, number: Number, area: str | None = None) -> AsyncGenerator[Filled]:
        """Yield what is known of the caller: the copy's word, the CRM's in time or LATE and then the CRM's, and more.

        ``area``: of the line that rings. What counts is the first answer that is not ``checking``, unless it is LATE;
        those behind it tell more of the same.
        """
        if number.e164 is None:
            yield Filled(call, Match())
            return
        inquiry = Inquiry(self._connector, number, self._area or area, self._copy, self._clock, own=self._own)
        try:
            async for answer in inquiry.answers(self._budget):
                if answer.problem is Problem.LATE:
                    log.warning("the CRM is late", call=str(call), budget_s=self._budget)
                elif answer.problem is Problem.DOWN:
                    log.warning(
                        "the CRM could not answer", call=str(call), connector=self._connector.name, error=answer.error
                    )
                yield await self._filled(call, number, answer)
        finally:
            await inquiry.close()

    async def _filled(self, call: CallKey, number: Number, answer: Answer) -> Filled:
        sure = answer.match.sure
        return Filled(
            call,
            answer.match,
            await self._tickets(sure.id if sure else None, number.e164),
            answer.problem,
            copied=answer.copied,
            checking=answer.checking,
            items=answer.items,
            links=answer.links,
        )

    async def _tickets(self, customer: str | None, e164: str | None) -> tuple[Ticket, ...]:
        """What is still open for the caller. A database that is down costs the card this list, nothing else."""
        try:
            return tuple(await self._open_tickets(customer, e164))
        except StorageError as error:
            log.warning("open tickets cannot be read", error=str(error))
            return ()
