"""A CRM on paper, for tests of what lies above connectors: it does everything a connector can, at once and in order."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field, replace

from crm.connector import (
    Can,
    Change,
    Draft,
    FieldInfo,
    Health,
    Item,
    Note,
    Of,
    Once,
    Page,
    Ref,
    Schema,
    Seen,
    Status,
    Traits,
    Unable,
)
from crm.customer import Customer
from crm.trouble import ConflictError, CrmError, NotFoundError
from numbering.number import Number

EVERYTHING = Can.FIND | Can.GET | Can.ITEMS | Can.NOTE | Can.TICKET | Can.LOAD | Can.FEED | Can.DESCRIBE | Can.SURVEY
PAGE = 50
_OVER = (Status.SOLVED, Status.CLOSED)


@dataclass
class Paper:
    """A note as it lies there."""

    id: str
    key: str
    customer_id: str
    text: str


@dataclass
class Task:
    """A ticket as it lies there. ``key``: None of one that somebody copied."""

    id: str
    key: str | None
    customer_id: str | None
    title: str
    body: str
    status: Status
    said: str | None = None
    revision: int = 1
    comments: dict[str, str] = field(default_factory=dict)

    def item(self) -> Item:
        """As the connector gives it."""
        ref = Ref(Of.TICKET, self.id, str(self.revision))
        said = self.said or self.status.value
        return Item(
            ref, self.title, self.status, said, customer_id=self.customer_id, url=f"https://paper.example/{self.id}"
        )


class PaperCrm(Unable):
    """A :class:`crm.connector.Connector`. ``trouble``: raised by the next requests in turn; ``asked``: what came."""

    name = "paper"

    def __init__(self, can: Can = EVERYTHING, traits: Traits | None = None) -> None:
        self.can = can
        self.traits = traits or Traits(once=Once.UNIQUE_KEY, longest={"title": 60, "phone": 20})
        self.customers: dict[str, Customer] = {}
        self.tasks: dict[str, Task] = {}
        self.notes: dict[str, Paper] = {}
        self.fields: dict[str, dict[str, FieldInfo]] = {}
        self.merged: dict[str, str] = {}
        self.trouble: list[CrmError] = []
        self.asked: list[str] = []
        self.changed: list[Change] = []
        self.before: Callable[[str], None] = lambda _what: None
        self._numbers = itertools.count(1)

    async def _ask(self, what: str) -> None:
        await asyncio.sleep(0)
        self.asked.append(what)
        self.before(what)
        if self.trouble:
            raise self.trouble.pop(0)

    def new_id(self) -> str:
        """An id that no record has."""
        return str(next(self._numbers))

    async def health(self) -> Health:
        """Well."""
        await self._ask("health")
        return Health("1.0", 0.0)

    async def find(self, number: Number) -> Sequence[Customer]:
        """By exact number."""
        await self._ask("find")
        return [one for one in self.customers.values() if number.e164 in {phone.e164 for phone in one.phones}]

    async def get(self, customer_id: str) -> Customer | None:
        """A merged one: who it is now."""
        await self._ask("get")
        return self.customers.get(self.merged.get(customer_id, customer_id))

    async def items(self, customer_id: str, limit: int = 5) -> Sequence[Item]:
        """Open ones, the newest first."""
        await self._ask("items")
        mine = [task for task in self.tasks.values() if task.customer_id == customer_id and task.status not in _OVER]
        return [task.item() for task in reversed(mine)][:limit]

    async def keep_note(self, note: Note, known: Ref | None) -> Ref:
        """Written over, on whatever customer it belongs to now."""
        await self._ask("keep_note")
        text = "\n".join([note.title, *note.paragraphs, *(f"{words}: {url}" for words, url in note.links)])
        there = self.notes.get(known.id) if known else None
        there = there or next((each for each in self.notes.values() if each.key == note.key), None)
        if there is None:
            there = self.notes.setdefault((new := self.new_id()), Paper(new, note.key, note.customer_id, text))
        there.text, there.customer_id = text, note.customer_id
        return Ref(Of.NOTE, there.id)

    async def create_ticket(self, draft: Draft) -> Ref:
        """Once for a key."""
        await self._ask("create_ticket")
        there = next((each for each in self.tasks.values() if each.key == draft.key), None)
        if there is None:
            task = Task(self.new_id(), draft.key, draft.customer_id, draft.title, draft.body, draft.status)
            there = self.tasks[task.id] = task
        return there.item().ref

    async def set_status(self, ticket: Ref, status: Status) -> Ref:
        """Unless it is another than it was."""
        await self._ask("set_status")
        task = self._task(ticket)
        if ticket.version is not None and ticket.version != str(task.revision):
            raise ConflictError(f"paper: ticket {task.id} has changed")
        if task.status is not status:
            task.status, task.said, task.revision = status, None, task.revision + 1
            self.changed.append(Change(task.item().ref, None, item=task.item()))
        return task.item().ref

    async def add_comment(self, ticket: Ref, text: str, key: str) -> None:
        """Once for a key."""
        await self._ask("add_comment")
        self._task(ticket).comments.setdefault(key, text)

    async def read_ticket(self, ticket_id: str) -> Item | None:
        """As it is."""
        await self._ask("read_ticket")
        return self.tasks[ticket_id].item() if ticket_id in self.tasks else None

    async def by_key(self, of: Of, key: str) -> Ref | None:
        """The first."""
        await self._ask("by_key")
        records: Sequence[Task | Paper] = [*(self.tasks if of is Of.TICKET else self.notes).values()]
        return next((Ref(of, each.id) for each in records if each.key == key), None)

    async def survey(self, of: Of, ids: Sequence[str]) -> Sequence[Seen]:
        """Those that are there."""
        await self._ask("survey")
        if of is Of.TICKET:
            tasks = [self.tasks[each] for each in ids if each in self.tasks]
            return [Seen(task.item().ref, task.customer_id, item=task.item()) for task in tasks]
        notes = [self.notes[each] for each in ids if each in self.notes]
        return [Seen(Ref(of, note.id), note.customer_id, note.text) for note in notes]

    async def changes(self, of: Of, cursor: str | None) -> Page:
        """Of tickets, as far as :meth:`touch` and this connector made them."""
        await self._ask("changes")
        now = str(len(self.changed))
        if cursor is None:
            return Page((), now)
        return Page(tuple(each for each in self.changed[int(cursor) :] if each.ref.of is of), now)

    async def load(self, after: str | None = None) -> AsyncIterator[tuple[Sequence[Customer], str]]:
        """By id."""
        rest = sorted(each for each in self.customers if after is None or each > after)
        for first in range(0, len(rest), PAGE):
            await self._ask("load")
            some = rest[first : first + PAGE]
            yield [self.customers[each] for each in some if each in self.customers], some[-1]

    async def describe(self) -> Schema:
        """What was set."""
        await self._ask("describe")
        return self.fields

    def touch(self, ticket_id: str, *, status: Status | None = None, said: str | None = None) -> None:
        """Somebody there changes a ticket: its status, or its words only."""
        task = self.tasks[ticket_id]
        task.revision += 1
        if status is not None:
            task.status, task.said = status, said
        self.changed.append(Change(task.item().ref, None, item=task.item()))

    def copy(self, ticket_id: str) -> str:
        """Somebody there copies a ticket; the id of the copy, which has no key."""
        new = self.new_id()
        self.tasks[new] = replace(self.tasks[ticket_id], id=new, key=None, comments={})
        return new

    def _task(self, ticket: Ref) -> Task:
        if ticket.id not in self.tasks:
            raise NotFoundError(f"paper: no ticket {ticket.id}")
        return self.tasks[ticket.id]
