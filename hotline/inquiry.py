"""One caller asked about: our copy of the CRM, the CRM itself, and what only takes longer.

The copy and the CRM are asked at once. Whom the copy has and the CRM did not find is looked at again by id before
anything is believed: a search may overlook somebody, a copy may be of yesterday. Gone or merged, the record leaves the
copy; still there with the caller's number, it stays a candidate. What the CRM said is kept in the copy. Customers that
people entered here, because the CRM had nobody, stand beside the CRM's and never instead of them.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import structlog

from crm.connector import Can, Connector, Item, Of, Ref
from crm.customer import Customer, Match
from crm.matching import decide
from crm.trouble import CrmError
from numbering.number import Number
from screenpop.card import Problem
from storage.choosing import is_entered
from storage.crm_index import Copy, CrmIndex
from storage.crm_index_rows import News
from storage.entered import EnteredCustomers
from storage.trouble import StorageError

T = TypeVar("T")

MOST_DOUBTFUL = 5  # of the copy's, looked at again by id
MOST_ITEMS = 5
COPY_WITHIN = 0.3  # seconds: a database that takes longer must not hold up the CRM's answer
FRESH = 600.0  # seconds in which the copy need not be told again what it has

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Answer:
    """What is known so far; the fields are those of :class:`screenpop.card.Filled`. ``error``: what DOWN came from."""

    match: Match = field(default_factory=Match)
    problem: Problem | None = None
    copied: float | None = None
    checking: bool = False
    items: tuple[Item, ...] | None = None
    links: Mapping[str, str] = field(default_factory=dict)
    error: str | None = None


class Inquiry:
    """``number`` has an E.164. ``area``: of numbers written locally. :meth:`close` breaks off what is still asked.

    ``own``: the customers that people entered here, where the connector is not that of our own.
    """

    def __init__(
        self,
        connector: Connector,
        number: Number,
        area: str | None,
        copy: CrmIndex | None,
        clock: Callable[[], float],
        *,
        own: EnteredCustomers | None = None,
    ) -> None:
        self._crm, self._number, self._area, self._copy, self._clock = connector, number, area, copy, clock
        self._own, self._ours = own, tuple[Customer, ...]()
        self._tasks: list[asyncio.Task[Any]] = []
        self._began = clock()
        self._items: tuple[str, asyncio.Task[tuple[Item, ...] | None]] | None = None

    async def answers(self, budget: float) -> AsyncIterator[Answer]:
        """As they come: the copy's, then LATE after ``budget`` seconds or the CRM's, then what is told besides."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + budget
        looking, entered = self._start(self._copied()), self._start(self._entered())
        asking = self._start(self._asked(looking))
        copy = await _in_time(looking)
        await asyncio.wait({entered}, timeout=COPY_WITHIN)
        self._ours = entered.result() if entered.done() else ()
        kept = self._kept(copy)
        if kept.match.candidates and not asking.done():
            self._ask_items(kept.match)
            yield replace(kept, checking=True)
        await asyncio.wait({asking}, timeout=max(0.0, deadline - loop.time()))
        if not asking.done():
            yield replace(kept, problem=Problem.LATE, items=self._items_so_far(kept.match))
        try:
            found = await asking
        except CrmError as error:
            yield replace(kept, problem=Problem.DOWN, error=str(error), items=self._items_so_far(kept.match))
            return
        async for answer in self._crms(found, copy):
            yield answer

    async def close(self) -> None:
        """Break off what nobody waits for any more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _crms(self, found: Sequence[Customer], copy: Copy) -> AsyncIterator[Answer]:
        """The CRM's answer, and again with what takes longer: its open tickets, purchases that did not come along."""
        match = self._match(_with_details(found, copy.customers))
        items = self._ask_items(match)
        bare = Can.GET in self._crm.can and _bare(match, found)
        detailing = self._start(self._looked_again(match.sure.id)) if match.sure and bare else None
        await asyncio.sleep(0)  # what is there already need not come separately
        answer = replace(self._of(match), items=self._items_so_far(match))
        yield answer
        waiting: set[asyncio.Task[Any]] = {task for task in (items, detailing) if task is not None}
        while waiting:
            done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            more = answer
            if detailing in done and detailing is not None and (looked := detailing.result()) is not None:
                match = self._match(_instead(found, looked))
                more = self._of(match)
                if (others := self._ask_items(match)) not in (None, items):
                    waiting.add(others)
            more = replace(more, items=self._items_so_far(match))
            if more != answer:
                answer = more
                yield answer
        await self._learn(found, copy, looked=detailing.result() if detailing is not None else None)

    def _kept(self, copy: Copy) -> Answer:
        """What the copy says, if anything: that it knows nobody is not the CRM's word that there is nobody."""
        match = self._match(copy.customers)
        if not match.candidates:
            return Answer()
        return self._of(match if copy.whole else replace(match, sure=None), copied=copy.at)

    async def _copied(self) -> Copy:
        if self._copy is None:
            return Copy()
        try:
            return await self._copy.find(self._number)
        except StorageError as error:
            log.warning("the copy of the CRM cannot be read", error=str(error))
            return Copy()

    async def _entered(self) -> tuple[Customer, ...]:
        if self._own is None:
            return ()
        try:
            return tuple(await self._own.find(self._number))
        except StorageError as error:
            log.warning("customers entered here cannot be read", error=str(error))
            return ()

    async def _asked(self, looking: "asyncio.Task[Copy]") -> list[Customer]:
        """Whom the CRM finds, and whom of the copy it has all the same. Raises CrmError."""
        found = list(await self._crm.find(self._number))
        there = {customer.id for customer in found}
        doubtful = [customer.id for customer in (await _in_time(looking)).customers if customer.id not in there]
        if not doubtful or Can.GET not in self._crm.can:
            return found
        asked = self._clock()
        looks = await asyncio.gather(*(self._get(customer_id) for customer_id in doubtful[:MOST_DOUBTFUL]))
        news = []
        for customer_id, (said, customer) in zip(doubtful, looks, strict=False):
            if not said:
                continue
            news += _news(customer_id, customer, asked)
            if customer is not None and customer.id not in there:
                there.add(customer.id)
                found.append(customer)
        await self._keep(news)
        return found

    async def _get(self, customer_id: str) -> tuple[bool, Customer | None]:
        """Whether the CRM said anything, and what it has."""
        try:
            return True, await self._crm.get(customer_id)
        except CrmError as error:
            log.warning("a customer cannot be looked at again", connector=self._crm.name, error=str(error))
            return False, None

    async def _looked_again(self, customer_id: str) -> tuple[str, Customer | None] | None:
        """The customer with everything, under the id it was asked for; None where the CRM said nothing."""
        said, customer = await self._get(customer_id)
        return (customer_id, customer) if said else None

    def _match(self, customers: Sequence[Customer]) -> Match:
        return decide(self._number, [*customers, *self._ours], self._area)

    def _of(self, match: Match, copied: float | None = None) -> Answer:
        ids = (candidate.customer.id for candidate in match.candidates)
        links = ((each, self._crm.url_of(Ref(Of.CUSTOMER, each))) for each in ids if not is_entered(each))
        return Answer(match, copied=copied, links={each: url for each, url in links if url is not None})

    def _ask_items(self, match: Match) -> "asyncio.Task[tuple[Item, ...] | None] | None":
        """Have the sure customer's open tickets asked for, once."""
        if match.sure is None or is_entered(match.sure.id) or Can.ITEMS not in self._crm.can:
            return None
        if self._items is None or self._items[0] != match.sure.id:
            self._items = match.sure.id, self._start(self._open_items(match.sure.id))
        return self._items[1]

    def _items_so_far(self, match: Match) -> tuple[Item, ...] | None:
        if self._items is None or match.sure is None or self._items[0] != match.sure.id:
            return None
        return self._items[1].result() if self._items[1].done() else None

    async def _open_items(self, customer_id: str) -> tuple[Item, ...] | None:
        try:
            items = await self._crm.items(customer_id, MOST_ITEMS)
        except CrmError as error:
            log.warning("the CRM's tickets are not known", connector=self._crm.name, error=str(error))
            return None
        return tuple(replace(item, url=item.url or self._crm.url_of(item.ref)) for item in items[:MOST_ITEMS])

    async def _learn(self, found: Sequence[Customer], copy: Copy, looked: tuple[str, Customer | None] | None) -> None:
        """Tell the copy what it did not have."""
        had = {customer.id: customer for customer in copy.customers}
        old = copy.at is None or self._began - copy.at > FRESH
        news = [
            News(customer.id, customer, self._began, looked=True, bare=True)
            for customer in found
            if old or had.get(customer.id) != customer
        ]
        if looked is not None:
            news += _news(*looked, self._began)
        await self._keep(news)

    async def _keep(self, news: Sequence[News]) -> None:
        if self._copy is None or not news:
            return
        try:
            await self._copy.learn(news)
        except StorageError as error:
            log.warning("the copy of the CRM cannot be written", error=str(error))

    def _start(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.get_running_loop().create_task(work, name="ask the CRM")
        self._tasks.append(task)
        return task


async def _in_time(looking: "asyncio.Task[Copy]") -> Copy:
    await asyncio.wait({looking}, timeout=COPY_WITHIN)
    return looking.result() if looking.done() else Copy()


def _news(asked_for: str, customer: Customer | None, at: float) -> list[News]:
    if customer is None:
        return [News(asked_for, None, at)]
    news = [News(customer.id, customer, at, looked=True)]
    return news if customer.id == asked_for else [News(asked_for, None, at, merged=customer.id), *news]


def _bare(match: Match, found: Sequence[Customer]) -> bool:
    """Whether the sure customer came without purchases and contracts: they may only have been late."""
    sure = match.sure
    return sure is not None and any(
        customer.id == sure.id and not customer.purchases and not customer.contracts for customer in found
    )


def _with_details(found: Sequence[Customer], kept: Sequence[Customer]) -> list[Customer]:
    """Purchases and contracts that the copy has and the CRM did not bring (yet)."""
    had = {customer.id: customer for customer in kept}
    return [
        replace(customer, purchases=had[customer.id].purchases, contracts=had[customer.id].contracts)
        if customer.id in had and not customer.purchases and not customer.contracts
        else customer
        for customer in found
    ]


def _instead(found: Sequence[Customer], looked: tuple[str, Customer | None]) -> list[Customer]:
    """The customers, one of them as the CRM has it now: changed, another, or gone."""
    asked_for, customer = looked
    others = [each for each in found if each.id != asked_for and (customer is None or each.id != customer.id)]
    return others if customer is None else [customer, *others]
