"""What people say of callers, brought to this process's desk; what our own database knows of them; whom they may be.

Choices are made by the pages of any process and told on the fan-out. Word of one may get lost: then everything about
live calls is read again, for the database has it.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing, suppress
from datetime import datetime, tzinfo
from typing import Any

import structlog

from crm.customer import Candidate, Customer, Phone, Reason
from crm.matching import decide
from hotline.lookup import Lookup
from hotline.pipeline import LineRules, Pipeline
from numbering.identify import identify
from numbering.number import Number
from screenpop.card import Chosen, Problem, Recalled
from screenpop.choosing import CHOICES
from storage.entered import EnteredCustomers
from storage.fanout import Fanout
from storage.reads import Reads
from storage.recalled import Choice, Standing
from storage.recalling import Recall
from storage.trouble import StorageError
from telephony.call import CallKey

log = structlog.get_logger()

PATIENCE = 5.0  # seconds


class Memories:
    """What our own database knows, as the pipeline asks for it. ``zone``: whose days the site counts."""

    def __init__(self, recall: Recall, clock: Callable[[], float], zone: tzinfo) -> None:
        self._recall, self._clock, self._zone = recall, clock, zone

    async def of(self, call: CallKey, number: Number, customer: str | None) -> Sequence[Recalled | Chosen]:
        """All news of a caller that are in the database. One that is down costs the card these, nothing else."""
        try:
            memory = await self._recall.memory(call, customer, number.e164, number.ext)
        except StorageError as error:
            log.warning("what is known of a caller cannot be read", call=str(call), error=str(error))
            return ()
        today = datetime.fromtimestamp(self._clock(), self._zone).date()
        recalled = Recalled(call, customer, memory, today)
        return (recalled,) if memory.standing is None else (recalled, Chosen(call, memory.standing))


class Choosing:
    """Listens to choices, and says whom the caller of a call may be. ``rules``: of our lines, by number."""

    def __init__(
        self,
        *,
        pipeline: Pipeline,
        lookup: Lookup,
        reads: Reads,
        own: EnteredCustomers,
        fanout: Fanout,
        rules: Mapping[str, LineRules],
    ) -> None:
        self._pipeline, self._lookup, self._reads, self._own = pipeline, lookup, reads, own
        self._fanout, self._rules = fanout, rules

    async def run(self) -> None:
        """Bring choices to the desk until cancelled."""
        async with self._fanout.subscribe(CHOICES) as told:
            async for topic, message in told:
                if topic == CHOICES:
                    self._pipeline.chosen(chosen(message))
                else:
                    self._pipeline.recall_all()

    async def offered(self, call: CallKey) -> Sequence[Candidate]:
        """The customers that a call's number may be, those entered during it too. Raises StorageError."""
        live = self._pipeline.caller(call)
        page = await self._reads.call(call)
        e164 = None if page is None else page.item.e164
        area = self._rules.get(page.item.line, LineRules()).area if page is not None else None
        number = live.number if live is not None else identify(e164)
        match = None if live is None else live.match
        found = await self._looked_up(call, number, area) if match is None else match.candidates
        there = {candidate.customer.id for candidate in found}
        own = [customer for customer in await self._own.on_call(call, number.e164) if customer.id not in there]
        return (*found, *(candidate_of(number, customer) for customer in own))

    async def _looked_up(self, call: CallKey, number: Number, area: str | None) -> Sequence[Candidate]:
        """Of a call that is over. The CRM is waited for a little longer than a ringing card waits for it."""
        found: Sequence[Candidate] = ()
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE), aclosing(self._lookup.answers(call, number, area)) as answers:
                async for answer in answers:
                    found = answer.match.candidates
                    if not answer.checking and answer.problem is not Problem.LATE:
                        break
        return found


def chosen(message: Mapping[str, Any]) -> Chosen:
    """The news of a message of :mod:`screenpop.choosing`."""
    choice, made = message["choice"], message["entered"]
    standing = Standing(message["number"], choice and Choice(choice["id"], choice["name"], choice["who"], choice["at"]))
    entered = None
    if made is not None:
        phones = tuple(Phone(*phone) for phone in made["phones"])
        customer = Customer(made["id"], made["name"], phones, made["company"], note=made["note"])
        entered = candidate_of(identify(phones[0].e164 if phones else None), customer)
    return Chosen(CallKey.parse(message["call"]), standing, entered)


def candidate_of(number: Number, customer: Customer) -> Candidate:
    """A customer of our own as one of those it may be; with the number hidden nothing matched."""
    found = decide(number, [customer]).candidates
    return found[0] if found else Candidate(customer, Reason.ENTERED, "")
