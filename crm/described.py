"""A connector that a mapping file describes: what to ask, and which field is what. How is a :class:`Talk`'s.

What the file does not describe the connector cannot do, and says so in ``can``.
"""

import hmac
import json
from base64 import b64encode
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Generic
from urllib.parse import quote

from crm.asking import Asking, Told
from crm.connector import Change, Context, Draft, Feed, Health, Item, Note, Of, Page, Ref, Status, Traits, Unable
from crm.customer import Customer
from crm.fieldmap import FieldMap
from crm.http import BULK
from crm.paths import first, moment, records, texts
from crm.plan import A, Plan
from crm.terms import Terms
from crm.trouble import AuthError, ConflictError, InvalidError, NotFoundError, UnknownOutcomeError
from crm.wording import html, plain, shortened
from numbering.number import Number

MOST_FOUND = 100  # for one number: an API that answers more did not understand the question
MOST_PAGES = 20  # of one list of changes
MOST_PUSHED = 20  # records that one webhook may name: each is a question


class Described(Unable, Generic[A]):
    """A system by its description. ``name``: as the configuration has it."""

    def __init__(
        self, name: str, asking: Asking[A], plan: Plan[A], mapping: FieldMap, *, context: Context, connections: int
    ) -> None:
        self.name, self._asking, self._plan, self._map, self._context = name, asking, plan, mapping, context
        self._system = asking.system
        self._push_key = plan.push_key(context.secret)
        self.can = plan.can
        self.traits = Traits(
            once=plan.once,
            feed=plan.feed if plan.customer_changes is not None else Feed.FULL_ONLY,
            overlap=plan.overlap,
            connections=connections,
            reads_back=plan.reads_back,
            longest=plan.longest,
        )

    async def health(self) -> Health:
        """The request ``health``."""
        answer = await self._asking.ask(self._plan.health, {})
        skew = None if answer.date is None else answer.date - self._context.clock()
        version = first(answer.found, (self._plan.health.version,)) if self._plan.health.version else None
        return Health(version or "answers", skew)

    async def find(self, number: Number) -> Sequence[Customer]:
        """Every request ``find``, put together by id."""
        terms = Terms.of(number)
        if terms is None:
            return ()
        found: dict[str, Customer] = {}
        for ask in self._plan.find:
            rows = await self._asking.rows(ask, terms.by_name())
            if len(rows) > MOST_FOUND:
                raise InvalidError(
                    f"{self._system} answers {len(rows)} customers for one number: it overlooks what "
                    f"{self._plan.NAME}.find asks for"
                )
            found.update((customer.id, customer) for customer in map(self._customer, rows))
        return tuple(found.values())

    async def get(self, customer_id: str) -> Customer | None:
        """The request ``get``."""
        row = await self._asking.one(self._need(self._plan.get, "get a customer by id"), {"id": customer_id})
        return None if row is None else self._customer(row)

    async def items(self, customer_id: str, limit: int = 5) -> Sequence[Item]:
        """The request ``items``, without those that are solved or closed."""
        ask = self._need(self._plan.items, "list a customer's tickets")
        rows = await self._asking.rows(ask, {"customer": customer_id, "limit": str(limit)})
        items = [item for item in map(self._item, rows) if item.status not in (Status.SOLVED, Status.CLOSED)]
        return sorted(items, key=lambda item: item.updated or 0.0, reverse=True)[:limit]

    async def keep_note(self, note: Note, known: Ref | None) -> Ref:
        """``note_update`` of what is there by its key, else ``note``; a system without updates gets another note."""
        ask = self._need(self._plan.note, "keep a call note")
        update = self._plan.note_update
        if known is None and self._plan.note_by_key is not None:
            known = await self.by_key(Of.NOTE, note.key)
        values = {
            "key": note.key,
            "customer": note.customer_id,
            "title": self._short("title", note.title),
            "body": plain(note.paragraphs, note.links),
            "html": html(note.paragraphs, note.links),
            "ticket": note.ticket_id,
        }
        if known is None or update is None:
            return self._made(Of.NOTE, ask, await self._asking.ask(ask, values, writes=True))
        await self._asking.ask(update, {**values, "id": known.id}, writes=True)
        return known

    async def create_ticket(self, draft: Draft) -> Ref:
        """``ticket``, unless ``ticket_by_key`` finds it."""
        ask = self._need(self._plan.ticket, "make a ticket")
        if self._plan.ticket_by_key is not None and (there := await self.by_key(Of.TICKET, draft.key)):
            return there
        values = {
            "key": draft.key,
            "customer": draft.customer_id,
            "title": self._short("title", draft.title),
            "body": plain((draft.body,), draft.links),
            "html": html((draft.body,), draft.links),
            "status": self._map.word_for(draft.status) if "status" in set(ask.placeholders()) else None,
            "urgency": draft.urgency,
        }
        try:
            return self._made(Of.TICKET, ask, await self._asking.ask(ask, values, writes=True))
        except (ConflictError, InvalidError):  # a unique key: somebody was quicker
            if self._plan.ticket_by_key is not None and (there := await self.by_key(Of.TICKET, draft.key)):
                return there
            raise

    async def set_status(self, ticket: Ref, status: Status) -> Ref:
        """``set_status``; where the API itself does not compare versions, the ticket is read and compared before."""
        ask = self._need(self._plan.set_status, "set a ticket's status")
        word = self._map.word_for(status)
        if ticket.version is not None and "version" not in set(ask.placeholders()):
            now = await self._ticket(ticket.id)
            if now.ref.version != ticket.version:
                raise ConflictError(f"{self._system}: ticket {ticket.id} was changed since it was read")
        await self._asking.ask(ask, {"id": ticket.id, "status": word, "version": ticket.version}, writes=True)
        if not self.traits.reads_back and not self._map.ticket.version:
            return Ref(Of.TICKET, ticket.id)
        after = await self._ticket(ticket.id)
        if self.traits.reads_back and after.status is not status:
            raise InvalidError(f"{self._system} took {word!r} for ticket {ticket.id} but kept {after.said!r}", "status")
        return after.ref

    async def add_comment(self, ticket: Ref, text: str, key: str) -> None:
        """``comment``."""
        ask = self._need(self._plan.comment, "comment on a ticket")
        values = {"id": ticket.id, "text": text, "html": html((text,)), "key": key}
        await self._asking.ask(ask, values, writes=True)

    async def read_ticket(self, ticket_id: str) -> Item | None:
        """``read_ticket``."""
        ask = self._need(self._plan.read_ticket, "read a ticket")
        answer = await self._asking.there(ask, {"id": ticket_id})
        if answer is None or not (rows := answer.rows(ask)):
            return None
        return self._item(rows[0], answer.version)

    async def by_key(self, of: Of, key: str) -> Ref | None:
        """``note_by_key`` or ``ticket_by_key``; of several (two racers) the first."""
        ask = {Of.NOTE: self._plan.note_by_key, Of.TICKET: self._plan.ticket_by_key}.get(of)
        ask = self._need(ask, f"find a {of} by our key")
        for row in await self._asking.rows(ask, {"key": key}):
            if found := first(row, (ask.id,)):
                return Ref(of, found, first(row, (ask.version,)))
        return None

    async def changes(self, of: Of, cursor: str | None) -> Page:
        """``customer_changes`` or ``ticket_changes`` since the cursor, read again by ``overlap``."""
        ask = {Of.CUSTOMER: self._plan.customer_changes, Of.TICKET: self._plan.ticket_changes}.get(of)
        ask = self._need(ask, f"list changes of a {of}")
        if cursor is None:
            answer = await self._asking.ask(self._plan.health, {}, pace=BULK)
            return Page((), repr(self._context.clock() if answer.date is None else answer.date))
        last = float(cursor)
        since = last - self.traits.overlap
        values = {
            "since": f"{since:.0f}",
            "since_iso": datetime.fromtimestamp(since, UTC).isoformat(timespec="seconds"),
        }
        found: list[Change] = []
        place: str | None = None
        for _ in range(MOST_PAGES):
            rows, place = await self._asking.page(ask, values, place)
            found += [self._change(of, ask, row) for row in rows]
            if place is None:
                break
        last = max([last, *(change.at for change in found if change.at is not None)])
        return Page(tuple(found), repr(last), more=place is not None)

    async def load(self, after: str | None = None) -> AsyncIterator[tuple[Sequence[Customer], str]]:
        """``load``, page by page."""
        ask = self._need(self._plan.load, "list every customer")
        place = after
        while True:
            rows, place = await self._asking.page(ask, {}, place)
            if rows:
                yield [self._customer(row) for row in rows], place or ""
            if place is None:
                return

    async def take_push(self, headers: Mapping[str, str], body: bytes) -> Sequence[Change]:
        """What their webhook names, read from them: of what it says besides nothing is believed."""
        if (rule := self._plan.push) is None:
            raise self._refusal("take a webhook")
        if self._push_key is not None and not signed_by(self._push_key, headers.get(rule.signature.lower(), ""), body):
            raise AuthError(f"{self._system}'s webhook is not signed with the key of {rule.secret_env}")
        try:
            told = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise InvalidError(f"{self._system}'s webhook brought no JSON") from error
        customers, tickets = (list(dict.fromkeys(texts(told, path))) for path in (rule.customer, rule.ticket))
        if len(customers) + len(tickets) > MOST_PUSHED:
            raise InvalidError(
                f"{self._system}'s webhook names more than {MOST_PUSHED} records: the feed will see them"
            )
        found = [await self._pushed_customer(customer_id) for customer_id in customers]
        return [*found, *[await self._pushed_ticket(ticket_id) for ticket_id in tickets]]

    def url_of(self, ref: Ref) -> str | None:
        """By the mapping file."""
        template = {Of.CUSTOMER: self._plan.customer_url, Of.TICKET: self._plan.ticket_url}.get(ref.of)
        return template.replace("{id}", quote(ref.id, safe="")) if template else None

    async def close(self) -> None:
        """Close the connections."""
        await self._asking.close()

    async def _pushed_customer(self, customer_id: str) -> Change:
        customer, ref = await self.get(customer_id), Ref(Of.CUSTOMER, customer_id)
        if customer is not None and customer.id != customer_id:
            return Change(ref, None, gone=True, merged=customer.id)
        return Change(ref, None, customer=customer, gone=customer is None)

    async def _pushed_ticket(self, ticket_id: str) -> Change:
        item = await self.read_ticket(ticket_id)
        ref = Ref(Of.TICKET, ticket_id) if item is None else item.ref
        return Change(ref, None if item is None else item.updated, item=item, gone=item is None)

    async def _ticket(self, ticket_id: str) -> Item:
        item = await self.read_ticket(ticket_id)
        if item is None:
            raise NotFoundError(f"{self._system}: there is no ticket {ticket_id} any more")
        return item

    def _made(self, of: Of, ask: A, answer: Told) -> Ref:
        """The record that a write made. An answer that does not tell leaves the outcome to be looked up."""
        rows = records(answer.found, ask.records)
        made = first(rows[0], (ask.id,)) if rows else None
        if made is None:
            raise UnknownOutcomeError(f"{self._system} made a {of} and did not tell its id at {ask.id!r}")
        return Ref(of, made, first(rows[0], (ask.version,)))

    def _change(self, of: Of, ask: A, row: Mapping[str, Any]) -> Change:
        at = moment(first(row, (ask.updated,)))
        if at is None:
            raise InvalidError(f"{self._system} lists a change without a time at {ask.updated!r}", "updated")
        merged, table = first(row, (ask.merged,)), self._map.customer if of is Of.CUSTOMER else self._map.ticket
        ref = Ref(of, first(row, (table.id,)) or "", first(row, (table.version,)))
        if merged is not None or first(row, (ask.gone,)) is not None:
            return Change(ref, at, gone=True, merged=merged)
        if of is Of.CUSTOMER:
            return Change(ref, at, customer=self._customer(row))
        return Change(ref, at, item=self._item(row))

    def _customer(self, row: Mapping[str, Any]) -> Customer:
        return self._map.customer_of(row, self._context.area)

    def _item(self, row: Mapping[str, Any], etag: str | None = None) -> Item:
        item = self._map.item_of(row)
        ref = item.ref if item.ref.version else replace(item.ref, version=etag)
        return replace(item, ref=ref, url=self.url_of(ref))

    def _short(self, field: str, text: str) -> str:
        return shortened(text, self.traits.longest.get(field))

    def _need(self, ask: A | None, what: str) -> A:
        if ask is None:
            raise self._refusal(what)
        return ask


def signed_by(key: bytes, signature: str, body: bytes) -> bool:
    """Whether ``signature`` is the HMAC-SHA256 of ``body``, in hexadecimal or base64, ``sha256=`` before it or not."""
    digest = hmac.digest(key, body, "sha256")
    given = signature.strip().removeprefix("sha256=").encode("utf-8", "surrogateescape")
    return any(hmac.compare_digest(given, right) for right in (digest.hex().encode(), b64encode(digest)))
