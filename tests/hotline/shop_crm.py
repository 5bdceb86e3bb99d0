"""A CRM in memory, for tests of what is written to one: people work in it, its answers get lost, it is slow or down.

Its statuses are words of its own; every change of a ticket, a comment too, makes another version of it.
"""

import itertools
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from crm.connector import Can, Change, Draft, Feed, Item, Note, Of, Once, Page, Ref, Status, Traits, Unable
from crm.customer import Customer
from crm.phones import split_phones
from crm.trouble import ConflictError, NotFoundError, UnknownOutcomeError
from numbering.number import Number

T = TypeVar("T")
WORDS = {Status.ACCEPTED: "新建", Status.WORKING: "处理中", Status.SOLVED: "已解决", Status.CLOSED: "已关闭"}
OURS = {word: status for status, word in WORDS.items()}
WRITES = ("keep_note", "create_ticket", "set_status", "add_comment")


@dataclass
class Case:
    """A ticket there. ``by``: who moved it last; ``seen``: its word when we read it last."""

    key: str
    customer: str | None
    title: str
    said: str
    version: int = 1
    by: str = "us"
    seen: str = ""
    comments: dict[str, str] = field(default_factory=dict)


class Shop(Unable):
    """The CRM. ``before`` and ``after`` are awaited around what is done, with its name; they may raise or wait."""

    name = "shop"
    can = Can.FIND | Can.GET | Can.NOTE | Can.TICKET | Can.FEED

    def __init__(self, once: Once = Once.NATIVE) -> None:
        self.traits = Traits(once=once, feed=Feed.MONOTONE_ID, longest={"title": 60})
        self.customers: dict[str, Customer] = {}
        self.merged: dict[str, str] = {}
        self.cases: dict[str, Case] = {}
        self.notes: dict[str, Note] = {}
        self.log: list[str] = []  # ids of cases in the order of their changes
        self.asked: list[str] = []
        self.overwritten: list[str] = []  # words of theirs that we wrote over and had not seen
        self.before: Callable[[str], Awaitable[None]] = _nothing
        self.after: Callable[[str], Awaitable[None]] = _nothing
        self._numbers = itertools.count(1)

    # What people do there.

    def add_customer(self, name: str, phone: str) -> str:
        """Somebody new."""
        number = f"c{next(self._numbers)}"
        self.customers[number] = Customer(number, name, tuple(split_phones(phone, None)))
        return number

    def merge(self, old: str, new: str) -> None:
        """Two customers become one, and what hung on the first hangs on the other."""
        gone = self.customers.pop(old)
        self.customers[new] = replace(self.customers[new], phones=(*self.customers[new].phones, *gone.phones))
        self.merged[old] = new
        self.notes = {i: replace(n, customer_id=new) if n.customer_id == old else n for i, n in self.notes.items()}
        for case in self.cases.values():
            case.customer = new if case.customer == old else case.customer

    def move(self, case: str, said: str) -> None:
        """A person sets a status."""
        self.cases[case].said, self.cases[case].by = said, "them"
        self._changed(case)

    def touch(self, case: str) -> None:
        """A person changes something else."""
        self._changed(case)

    def remove(self, case: str) -> None:
        """A person deletes it."""
        del self.cases[case]
        self.log.append(case)

    # What a connector does.

    async def find(self, number: Number) -> Sequence[Customer]:
        """By number."""
        return await self._do("find", lambda: [c for c in self.customers.values() if _has(c, number)])

    async def get(self, customer_id: str) -> Customer | None:
        """None for one that was merged."""
        return await self._do("get", lambda: self.customers.get(customer_id))

    async def keep_note(self, note: Note, known: Ref | None) -> Ref:
        """Over the one there is."""
        there = known.id if known is not None else await self._looked(Of.NOTE, note.key)

        def write() -> Ref:
            found = there or (self._note(note.key) if self.traits.once is Once.NATIVE else None)
            if note.customer_id not in self.customers and not found:
                raise NotFoundError(f"no customer {note.customer_id}")
            if known is not None and known.id not in self.notes:
                raise NotFoundError(f"no note {known.id}")
            number = found or f"n{next(self._numbers)}"
            left = note.customer_id if note.customer_id in self.customers else self.notes[number].customer_id
            self.notes[number] = replace(note, customer_id=left)
            return Ref(Of.NOTE, number)

        return await self._do("keep_note", write)

    async def create_ticket(self, draft: Draft) -> Ref:
        """Once for a key, as far as ``once`` reaches."""
        there = await self._looked(Of.TICKET, draft.key)

        def write() -> Ref:
            number = there or (self._case(draft.key) if self.traits.once is Once.NATIVE else None)
            if number is None:
                number = f"t{next(self._numbers)}"
                self.cases[number] = Case(draft.key, draft.customer_id, draft.title, WORDS[draft.status], 0)
                self._changed(number)
            return self._ref(number)

        return await self._do("create_ticket", write)

    async def set_status(self, ticket: Ref, status: Status) -> Ref:
        """Only of the version that was seen."""

        def write() -> Ref:
            case = self._must(ticket.id)
            if ticket.version is not None and str(case.version) != ticket.version:
                raise ConflictError(f"ticket {ticket.id} is at {case.version}")
            if case.said != WORDS[status]:
                if case.by == "them" and case.said != case.seen:
                    self.overwritten.append(case.said)
                case.said, case.by = WORDS[status], "us"
                self._changed(ticket.id)
            return self._ref(ticket.id)

        return await self._do("set_status", write)

    async def add_comment(self, ticket: Ref, text: str, key: str) -> None:
        """Once for a key."""

        def write() -> None:
            self._must(ticket.id).comments[key] = text
            self._changed(ticket.id)

        await self._do("add_comment", write)

    async def read_ticket(self, ticket_id: str) -> Item | None:
        """As it is."""

        def read() -> Item | None:
            if ticket_id not in self.cases:
                return None
            self.cases[ticket_id].seen = self.cases[ticket_id].said
            return self._item(ticket_id)

        return await self._do("read_ticket", read)

    async def by_key(self, of: Of, key: str) -> Ref | None:
        """By our key."""

        def look() -> Ref | None:
            if of is Of.NOTE:
                number = self._note(key)
                return None if number is None else Ref(Of.NOTE, number)
            number = self._case(key)
            return None if number is None else self._ref(number)

        return await self._do("by_key", look)

    async def changes(self, of: Of, cursor: str | None) -> Page:
        """By a number that grows."""
        assert of is Of.TICKET

        def read() -> Page:
            after = len(self.log) if cursor is None else int(cursor)
            found = tuple(
                Change(self._ref(i), None, item=self._item(i)) if i in self.cases else _gone(i)
                for i in dict.fromkeys(self.log[after : after + 5])
            )
            onto = min(len(self.log), after + 5)
            return Page(found, str(onto), more=onto < len(self.log))

        return await self._do("changes", read)

    def url_of(self, ref: Ref) -> str | None:
        """A page."""
        return f"https://shop.example/{ref.of}/{ref.id}"

    async def _do(self, what: str, work: Callable[[], T]) -> T:
        self.asked.append(what)
        await self.before(what)
        done = work()
        await self.after(what)
        return done

    async def _looked(self, of: Of, key: str) -> str | None:
        """Those that only can search look before they make one: two at once both find nothing."""
        if self.traits.once is not Once.MARKER:
            return None
        return self._note(key) if of is Of.NOTE else self._case(key)

    def _note(self, key: str) -> str | None:
        return next((number for number, note in self.notes.items() if note.key == key), None)

    def _case(self, key: str) -> str | None:
        return next((number for number, case in self.cases.items() if case.key == key), None)

    def _must(self, number: str) -> Case:
        if number not in self.cases:
            raise NotFoundError(f"no ticket {number}")
        return self.cases[number]

    def _ref(self, number: str) -> Ref:
        return Ref(Of.TICKET, number, str(self.cases[number].version))

    def _item(self, number: str) -> Item:
        case = self.cases[number]
        status = OURS.get(case.said, Status.UNKNOWN)
        url = f"https://shop.example/ticket/{number}"
        return Item(self._ref(number), case.title, status, case.said, customer_id=case.customer, url=url)

    def _changed(self, number: str) -> None:
        self.cases[number].version += 1
        self.log.append(number)


def lost(what: str) -> Callable[[str], Awaitable[None]]:
    """For ``before`` or ``after``: the answer to the next ``what`` gets lost."""
    left = [what]

    async def hook(done: str) -> None:
        if left and done == left[0]:
            left.clear()
            raise UnknownOutcomeError(f"shop: no answer to {done}")

    return hook


async def _nothing(_what: str) -> None:
    """All is well."""


def _has(customer: Customer, number: Number) -> bool:
    return any(phone.e164 == number.e164 for phone in customer.phones)


def _gone(number: str) -> Change:
    return Change(Ref(Of.TICKET, number), None, gone=True)
