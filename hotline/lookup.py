"""Who is calling, asked within a budget. The card is open already; this fills it, now or when the CRM comes round."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

import structlog

from crm.connector import Connector
from crm.customer import Customer, Match
from crm.matching import decide
from crm.trouble import CrmError
from numbering.number import Number
from screenpop.card import Filled, Problem
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
    """

    def __init__(self, connector: Connector, open_tickets: OpenTickets, budget: float, area: str | None = None) -> None:
        self._connector, self._open_tickets, self._budget, self._area = connector, open_tickets, budget, area

    async def answers(self, call: CallKey, number: Number, area: str | None = None) -> AsyncIterator[Filled]:
        """Yield what is known of the caller: one answer in time, or a LATE one and then the real one.

        ``area``: of the line that rings.
        """
        asking = asyncio.get_running_loop().create_task(self._ask(call, number, area), name=f"lookup {call}")
        try:
            done, _ = await asyncio.wait({asking}, timeout=self._budget)
            if not done:
                log.warning("the CRM is late", call=str(call), budget_s=self._budget)
                yield Filled(call, Match(), (), Problem.LATE)
            yield await asking
        finally:
            asking.cancel()

    async def _ask(self, call: CallKey, number: Number, area: str | None) -> Filled:
        if number.e164 is None:
            return Filled(call, Match())
        customers: Sequence[Customer] = ()
        problem = None
        try:
            customers = await self._connector.find(number)
        except CrmError as error:
            log.warning("the CRM could not answer", call=str(call), connector=self._connector.name, error=str(error))
            problem = Problem.DOWN
        match = decide(number, customers, self._area or area)
        return Filled(call, match, await self._tickets(match.sure.id if match.sure else None, number.e164), problem)

    async def _tickets(self, customer: str | None, e164: str | None) -> tuple[Ticket, ...]:
        """What is still open for the caller. A database that is down costs the card this list, nothing else."""
        try:
            return tuple(await self._open_tickets(customer, e164))
        except StorageError as error:
            log.warning("open tickets cannot be read", error=str(error))
            return ()
