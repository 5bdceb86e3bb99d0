"""Who is calling, in phones: whose ticket, whose customer, who spoke with the caller last, and who of them talks now.

What routing's pure rules want to know, found in the CRM, the database and on the desk. Whoever cannot be asked is
left out, and said to be missing.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import structlog

from crm.connector import Connector
from crm.customer import Customer, Match
from crm.matching import decide as match
from crm.trouble import CrmError
from hotline.pipeline import LineRules
from hotline.settings import Settings
from numbering.number import Number
from screenpop.card import State
from screenpop.desk import Desk
from storage.crm_index import CrmIndex
from storage.route_reads import PhoneOf, RouteReads
from storage.trouble import StorageError
from telephony.routing import Background
from tickets.rules import Incoming, Join, place
from tickets.ticket import Ticket

log = structlog.get_logger()

PATIENCE = 5.0  # seconds until what asks in vain is given up; nobody waits for it any more by then
DAY = 86400.0


class Acquaintance:
    """Looks callers up. ``rules``: of our lines, by number.

    ``copy``: of the CRM's customers. For whom it has, the CRM is not asked: the dialplan waits.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        connector: Connector,
        reads: RouteReads,
        desk: Desk,
        clock: Callable[[], float],
        rules: Mapping[str, LineRules],
        copy: CrmIndex | None = None,
    ) -> None:
        self._connector, self._reads, self._desk = connector, reads, desk
        self._area, self._copy = settings.crm.area, copy
        self._clock, self._rules = clock, rules
        self._since = {line.number: line.routing.last_agent_days * DAY for line in settings.line}
        self._agents = {agent.extension: agent.name for agent in settings.agent}

    async def customer(self, number: Number, line: str) -> Match | None:
        """Who is calling on ``line``; None when the CRM does not say."""
        area = self._area or self._rules.get(line, LineRules()).area
        try:
            async with asyncio.timeout(PATIENCE):
                return match(number, await self._customers(number), area)
        except (CrmError, TimeoutError) as error:
            log.warning("routing does not know the customer", connector=self._connector.name, error=str(error))
            return None

    async def _customers(self, number: Number) -> Sequence[Customer]:
        if self._copy is not None:
            try:
                if kept := (await self._copy.find(number)).customers:
                    return kept
            except StorageError as error:
                log.warning("routing cannot read the copy of the CRM", error=str(error))
        return await self._connector.find(number)

    async def phones(self, line: str, number: Number, found: Match | None) -> Background:
        """Whose phones. What the database does not say is left out."""
        customer = found.sure if found else None
        customer_id = customer.id if customer else None
        now = self._clock()
        try:
            async with asyncio.timeout(PATIENCE):
                since = now - self._since[line]
                past = await self._reads.remembered(customer_id, number.e164, line=line, since=since, now=now)
        except (StorageError, TimeoutError) as error:
            log.warning("routing cannot read the database", error=str(error) or f"silent for {PATIENCE} s")
            return Background(vip=bool(customer and customer.vip), whole=False)
        owner = self._owner(Incoming(line, number.e164, customer_id, now), past.tickets)
        known = {phone.extension for phone in past.phones} | set(self._agents)
        talks = tuple(talk for talk in past.talks if talk.agent in known)
        ticket_owner = next((phone.extension for phone in past.phones if phone.login == owner), None)
        key_account = self._phone_of(customer.owner, past.phones) if customer and customer.owner else None
        named = {ticket_owner, key_account, *(talk.agent for talk in talks)} - {None}
        return Background(
            ticket_owner=ticket_owner,
            key_account=key_account,
            talks=talks,
            vip=bool(customer and customer.vip),
            busy=frozenset(agent for agent in named if agent and self._talks(agent)),
            whole=found is not None,
        )

    def _owner(self, incoming: Incoming, tickets: Sequence[Ticket]) -> str | None:
        """Who has the ticket that the call would join, whether or not calls join tickets on this line."""
        owned = [ticket for ticket in tickets if ticket.owner is not None]
        joins = place(incoming, owned, replace(self._rules[incoming.line].policy, join_open=True))
        return next((t.owner for t in owned if isinstance(joins, Join) and t.id == joins.ticket_id), None)

    def _phone_of(self, who: str, phones: Sequence[PhoneOf]) -> str | None:
        """The phone of a colleague as a CRM names one: login, extension, or a name that only one colleague has."""
        text = who.strip()
        by_login = next((phone.extension for phone in phones if phone.login == text.lower()), None)
        if by_login is not None:
            return by_login
        known = {phone.extension: phone.name for phone in phones} | self._agents
        if text in known:
            return text
        named = {phone.extension for phone in phones if phone.name == text}
        named |= {extension for extension, name in self._agents.items() if name == text}
        return named.pop() if len(named) == 1 else None

    def _talks(self, agent: str) -> bool:
        """Whether a phone is in a call of ours now, as far as this process sees."""
        return any(card.state is State.TALKING for card in self._desk.cards(agent))
