"""Where a call shall go, answered within a budget: who is calling and whose phones those are, then the pure rules.

Whatever the CRM or the database do, the dialplan is answered in time: with what is known by then, at worst with the
line's queue. What was answered is kept on the call. Few questions at a time may hang on a dead database: routing must
not eat the connections that facts are written through. One that is late is not broken off, only not waited for: that
would cost its connection.
"""

import asyncio
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from hotline.acquaintance import Acquaintance
from hotline.metrics import ROUTE_SECONDS, ROUTES
from hotline.pipeline import Pipeline
from hotline.settings import Settings
from hotline.tasks import Crew
from numbering.number import Number
from telephony.call import CallKey, Routed
from telephony.lines import Lines
from telephony.routing import UNKNOWN_LINE, Background, LinePlan, Route, RouteReason, decide

log = structlog.get_logger()

AT_ONCE = 4  # questions that ask the database at a time; the others wait for their turn, within their budget
CRM_SHARE = 0.6  # of the budget: after that the rest is asked without knowing the customer

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
    """Answers questions. ``reasons`` counts the answers by their reason."""

    def __init__(
        self,
        settings: Settings,
        *,
        callers: Acquaintance,
        pipeline: Pipeline,
        identify: Callable[[str | None, str | None], Number],
        crew: Crew,
        clock: Callable[[], float],
    ) -> None:
        self._callers, self._pipeline = callers, pipeline
        self._identify, self._crew, self._clock = identify, crew, clock
        self._budget = settings.routing.budget
        self._lines = Lines({line.number: line.aliases for line in settings.line})
        self._areas = {line.number: line.area for line in settings.line}
        self._plans = {line.number: plan_of(settings, line.number) for line in settings.line}
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
        number = self._identify(question.caller, self._areas[line])
        if number.e164 is None and live is not None:
            number = live.number
        if number.e164 is None:
            turn.set()
            answer.set_result(Background())
            return
        async with self._slots:
            turn.set()
            if live is not None and live.match is not None and live.number.e164 == number.e164:
                answer.set_result(await self._callers.phones(line, number, live.match))
                return
            finding = self._crew.start(self._callers.customer(number, line), f"route {question.call}: customer")
            await asyncio.wait({finding}, timeout=self._budget * CRM_SHARE)
            answer.set_result(await self._callers.phones(line, number, finding.result() if finding.done() else None))
            await asyncio.wait({finding})  # its slot is nobody else's before


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
