"""Where a call shall go, answered within a budget: who is calling and whose phones those are, then the pure rules.

Whatever the CRM or the database do, the dialplan is answered in time: with what is known by then, at worst with the
line's queue. What was answered is kept on the call. Few questions at a time may hang on a dead database: routing must
not eat the connections that facts are written through. One that is late is not broken off, only not waited for: that
would cost its connection.
"""

import asyncio
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import structlog

from crm.connector import Connector, CrmError
from crm.customer import Match
from crm.matching import decide as match
from hotline.metrics import ROUTE_SECONDS, ROUTES
from hotline.pipeline import LineRules, Pipeline
from hotline.settings import Settings
from hotline.tasks import Crew
from numbering.number import Number
from screenpop.card import State
from screenpop.desk import Desk
from storage.route_reads import PhoneOf, RouteReads
from storage.trouble import StorageError
from telephony.call import CallKey, Routed
from telephony.lines import Lines
from telephony.routing import UNKNOWN_LINE, Background, LinePlan, Route, RouteReason, decide
from tickets.rules import Incoming, Join, place
from tickets.ticket import Ticket

log = structlog.get_logger()

AT_ONCE = 4  # questions that ask the database at a time; the others wait for their turn, within their budget
PATIENCE = 5.0  # seconds until what asks a database in vain is given up; nobody waits for it any more by then
CRM_SHARE = 0.6  # of the budget: after that the rest is asked without knowing the customer
DAY = 86400.0

_MENU = re.compile(r"[0-9*#]{1,8}")
_UNIQUEID = re.compile(r"[A-Za-z0-9_.-]{1,150}")


@dataclass(frozen=True, slots=True)
class Question:
    """What the dialplan asks. ``did``: the number called, in any form; ``call``: the caller's channel's Uniqueid.

    ``pbx`` names the PBX where there are several; ``peer`` is the address that asks.
    """

    did: str
    caller: str | None = None
    menu: str | None = None
    call: str | None = None
    pbx: str | None = None
    peer: str = ""


class Router:
    """Answers questions. ``budget`` seconds each; ``report`` tells the operator how many and why."""

    def __init__(
        self,
        settings: Settings,
        *,
        pipeline: Pipeline,
        desk: Desk,
        connector: Connector,
        reads: RouteReads,
        identify: Callable[[str | None, str | None], Number],
        crew: Crew,
        clock: Callable[[], float],
        rules: Mapping[str, LineRules],
    ) -> None:
        self._pipeline, self._desk, self._connector = pipeline, desk, connector
        self._reads, self._rules = reads, rules
        self._identify, self._crew, self._clock = identify, crew, clock
        self._budget = settings.routing.budget
        self._lines = Lines({line.number: line.aliases for line in settings.line})
        self._plans = {line.number: plan_of(settings, line.number) for line in settings.line}
        self._since = {line.number: line.routing.last_agent_days * DAY for line in settings.line}
        self._agents = {agent.extension: agent.name for agent in settings.agent}
        self._pbxs = {pbx.name: pbx.host for pbx in settings.pbx}
        self._slots = asyncio.Semaphore(AT_ONCE)
        self.reasons: Counter[str] = Counter()

    async def route(self, question: Question) -> Route:
        """The answer, within the budget."""
        began = asyncio.get_running_loop().time()
        line = self._lines.number(question.did)
        if line is None:
            log.warning("routing was asked for a number that is not ours", did=question.did[:40], peer=question.peer)
            return self._told(UNKNOWN_LINE, began)
        key = self._key(question)
        answer: asyncio.Future[Background] = asyncio.get_running_loop().create_future()
        turn = asyncio.Event()
        asking = self._crew.start(self._ask(question, line, key, turn, answer), f"route {question.call}")
        try:
            await asyncio.wait({answer}, timeout=self._budget)
        finally:
            if not turn.is_set():
                asking.cancel()
        known = answer.result() if answer.done() else Background(whole=False)
        menu = question.menu if question.menu and _MENU.fullmatch(question.menu) else None
        route = decide(self._plans[line], menu, known)
        if route.reason is RouteReason.LATE:
            log.warning("routing knew too little in time", call=question.call, budget_s=self._budget)
        if key is not None:
            self._pipeline.deliver(
                [
                    Routed(
                        call=key,
                        at=self._clock(),
                        reason=route.reason,
                        queue=route.queue,
                        agent=route.agent,
                        priority=route.priority,
                    )
                ]
            )
        return self._told(route, began)

    def _told(self, route: Route, began: float) -> Route:
        self.reasons[route.reason.value] += 1
        ROUTES.labels(route.reason.value).inc()
        ROUTE_SECONDS.observe(asyncio.get_running_loop().time() - began)
        return route

    def _key(self, question: Question) -> CallKey | None:
        """Which call the question is about: its PBX by name, as the only one, or by the address that asks."""
        if question.call is None or not _UNIQUEID.fullmatch(question.call):
            return None
        if question.pbx is not None:
            names = [question.pbx] if question.pbx in self._pbxs else []
        else:
            names = list(self._pbxs)
            if len(names) > 1:
                names = [name for name, host in self._pbxs.items() if host == question.peer]
        if len(names) != 1:
            log.warning("routing cannot tell which PBX asks, so its answer is on no call", pbx=question.pbx)
            return None
        return CallKey(names[0], question.call)

    async def _ask(
        self,
        question: Question,
        line: str,
        key: CallKey | None,
        turn: asyncio.Event,
        answer: "asyncio.Future[Background]",
    ) -> None:
        """Find out everything the rules want to know, in phones. ``turn`` is set once it may not be broken off."""
        live = None if key is None else self._pipeline.caller(key)
        number = self._identify(question.caller, self._rules[line].area)
        if number.e164 is None and live is not None:
            number = live.number
        if number.e164 is None:
            turn.set()
            answer.set_result(Background())
            return
        async with self._slots:
            turn.set()
            if live is not None and live.match is not None and live.number.e164 == number.e164:
                answer.set_result(await self._phones(line, number, live.match))
                return
            finding = self._crew.start(self._customer(number), f"route {question.call}: customer")
            await asyncio.wait({finding}, timeout=self._budget * CRM_SHARE)
            answer.set_result(await self._phones(line, number, finding.result() if finding.done() else None))
            await asyncio.wait({finding})  # its slot is nobody else's before

    async def _customer(self, number: Number) -> Match | None:
        """Who is calling; None when the CRM does not say."""
        try:
            async with asyncio.timeout(PATIENCE):
                return match(number, await self._connector.find(number))
        except (CrmError, TimeoutError) as error:
            log.warning("routing does not know the customer", connector=self._connector.name, error=str(error))
            return None

    async def _phones(self, line: str, number: Number, found: Match | None) -> Background:
        """Whose phones. What the database does not say is left out."""
        customer = found.sure if found else None
        customer_id = customer.id if customer else None
        now = self._clock()
        try:
            async with asyncio.timeout(PATIENCE):
                since = now - self._since[line]
                past = await self._reads.remembered(customer_id, number.e164, line=line, since=since)
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


def plan_of(settings: Settings, number: str) -> LinePlan:
    """What the configuration says of a line's routing. LookupError when there is no such line."""
    for line in settings.line:
        if line.number == number:
            wants = line.routing
            return LinePlan(
                queue=wants.queue,
                menu=wants.menu,
                prefer=tuple(RouteReason(name) for name in wants.prefer),
                priority=wants.priority,
                vip_priority=wants.vip_priority,
                announcement=wants.announcement,
                vip_announcement=wants.vip_announcement,
                dial=settings.routing.dial,
            )
    raise LookupError(number)
