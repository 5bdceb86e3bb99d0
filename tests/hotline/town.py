"""A CRM in memory that lists, tells changes and breaks as a test wants it to."""

from asyncio import Event
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace

from crm.connector import Can, Change, Feed, Item, Of, Page, Ref, Status, Traits, Unable
from crm.customer import Customer, Phone, Purchase
from crm.trouble import CrmError, InvalidError
from numbering.identify import identify
from numbering.number import Number

PAGE = 2
OVERLAP = 2  # changes told again


def mobile(count: int) -> str:
    """The number of the customer so numbered."""
    return f"138{count:08d}"


def person(count: int, name: str | None = None) -> Customer:
    """A customer with a mobile number."""
    number = mobile(count)
    return Customer(f"c{count:02d}", name or f"客户{count}", (Phone(number, f"+86{number}"),))


class Town(Unable):
    """``customers`` by id. ``quiet``: what is done to them now, the list of changes does not tell."""

    name = "town"

    def __init__(self, customers: Sequence[Customer] = ()) -> None:
        self.can = Can.FIND | Can.GET | Can.ITEMS | Can.LOAD | Can.FEED
        self.traits = Traits(feed=Feed.MONOTONE_ID)
        self.customers = {customer.id: customer for customer in customers}
        self.told: list[Change] = []
        self.items_of: dict[str, list[Item]] = {}
        self.moved: dict[str, Customer] = {}  # asked for by the old id, these are told
        self.hidden: set[str] = set()  # a search overlooks them
        self.bare = False  # a search brings no purchases
        self.quiet = False
        self.asked: list[str] = []
        self.fails: dict[str, CrmError] = {}
        self.gates: dict[str, Event] = {}
        self.reached: defaultdict[str, Event] = defaultdict(Event)
        self.meanwhile: Callable[[str], None] = lambda _: None

    def put(self, customer: Customer) -> None:
        """Somebody makes or changes a customer."""
        self.customers[customer.id] = customer
        self._tell(Change(self._ref(customer.id), None, customer=customer))

    def remove(self, customer_id: str, merged: str | None = None) -> None:
        """Somebody deletes a customer, or merges it into another."""
        del self.customers[customer_id]
        self._tell(Change(self._ref(customer_id), None, gone=True, merged=merged))

    def buys(self, customer_id: str, what: str) -> None:
        """The customer buys something."""
        customer = self.customers[customer_id]
        self.put(replace(customer, purchases=(Purchase(what), *customer.purchases)))

    def opens(self, customer_id: str, title: str) -> None:
        """A ticket of the customer's."""
        items = self.items_of.setdefault(customer_id, [])
        items.append(Item(Ref(Of.TICKET, f"t{len(items)}"), title, Status.WORKING, "进行中"))

    async def find(self, number: Number) -> Sequence[Customer]:
        """By exact number."""
        await self._ask("find")
        found = [
            customer
            for customer in self.customers.values()
            if customer.id not in self.hidden
            and any(identify(phone.raw).e164 == number.e164 for phone in customer.phones)
        ]
        return [replace(customer, purchases=()) for customer in found] if self.bare else found

    async def get(self, customer_id: str) -> Customer | None:
        """By id."""
        await self._ask("get", customer_id)
        return self.moved.get(customer_id) or self.customers.get(customer_id)

    async def items(self, customer_id: str, limit: int = 5) -> Sequence[Item]:
        """The tickets opened."""
        await self._ask("items", customer_id)
        return self.items_of.get(customer_id, [])[:limit]

    async def changes(self, of: Of, cursor: str | None) -> Page:
        """One by one, some again."""
        assert of is Of.CUSTOMER
        await self._ask("changes", cursor or "")
        if cursor is None:
            return Page((), str(len(self.told)))
        here = int(cursor)
        again = self.told[max(0, here - OVERLAP) : here + 1]
        now = [self._now(change) for change in again if change.gone or change.ref.id in self.customers]
        return Page(tuple(now), str(min(here + 1, len(self.told))), here < len(self.told))

    async def load(self, after: str | None = None) -> AsyncIterator[tuple[Sequence[Customer], str]]:
        """By id."""
        if after == "lost":
            raise InvalidError("town: no such place")
        while True:
            await self._ask("load", after or "")
            page = sorted(each for each in self.customers if after is None or each > after)[:PAGE]
            if not page:
                return
            after = page[-1]
            listed = [replace(self.customers[each], purchases=()) for each in page]
            self.meanwhile(after)
            yield listed, after

    def url_of(self, ref: Ref) -> str | None:
        """Its page."""
        return f"https://town.example/{ref.of}/{ref.id}"

    async def _ask(self, what: str, about: str = "") -> None:
        self.asked.append(f"{what} {about}".strip())
        self.reached[what].set()
        if (gate := self.gates.get(what)) is not None:
            await gate.wait()
        if (error := self.fails.get(what)) is not None:
            raise error

    def _now(self, change: Change) -> Change:
        """Told again, it is told as it is by now."""
        return change if change.gone else replace(change, customer=self.customers[change.ref.id])

    def _tell(self, change: Change) -> None:
        if not self.quiet:
            self.told.append(change)

    def _ref(self, customer_id: str) -> Ref:
        return Ref(Of.CUSTOMER, customer_id, f"v{len(self.told)}")
