"""Tickets in RT: made once for a key, never set over somebody's change, and what was set read back.

RT answers 200 to what it did not do. A ticket's version is its ETag, the number of its last transaction, where one
ticket is read; in lists, which have none, when it was changed and a digest of what stands there.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Any

from crm.connector import Draft, Item, Of, Ref, Status
from crm.fieldmap import FieldMap
from crm.http import BULK, WRITE, Pace
from crm.rt_customers import LATER
from crm.rt_plan import CUSTOM, LONGEST_TITLE, Also, Record, label, quoted, record
from crm.rt_rest import MOST, SYSTEM, Rest, Rows, refusal, said
from crm.trouble import ConflictError, InvalidError, NotFoundError
from crm.wording import html, shortened

_OPEN = "__Active__"  # TicketSQL's word for every status that is not over


class Tickets:
    """Writing. ``queue``: where new ones go; ``key``: the custom field with our key; ``url``: where people look.

    ``also``: custom fields that go with a status; ``urgencies``: the priority for each urgency.
    """

    def __init__(
        self, rest: Rest, fields: FieldMap, *, queue: str, key: str, also: Also, urgencies: Mapping[str, str], url: str
    ) -> None:
        self._rest, self._fields, self._queue, self._key, self._url = rest, fields, queue, key, url
        self._also, self._urgencies = also, urgencies
        heads = {path.partition(".")[0] for path in self._paths()}
        plain = sorted(CUSTOM if head == "cf" else head for head in heads - {"Requestor"})
        self._asked = {"fields": ",".join(["Requestor", CUSTOM, *plain]), "fields[Requestor]": "id,Name"}

    async def of_customer(self, customer_id: str, limit: int) -> list[Item]:
        """The open ones, those changed last first. Raises CrmError."""
        if not customer_id.isdecimal():
            return []
        sql = f"Requestor.id = {customer_id} AND Status = '{_OPEN}'"
        found = await self.page(sql, 1, size=MOST, pace=LATER)
        over = (Status.SOLVED, Status.CLOSED)
        return [item for item in map(self.item, found.items) if item.status not in over][:limit]

    async def read(self, ticket_id: str) -> Item | None:
        """One ticket, of a merged one that which it is now; None when it is not there. Raises CrmError."""
        if not (ticket_id.isdecimal() and ticket_id.isascii()) or len(ticket_id) > 10:  # noqa: PLR2004
            return None
        try:
            answer = await self._rest.ask("GET", f"/ticket/{ticket_id}", pace=WRITE)
        except NotFoundError:
            return None
        whole, etag = answer.json_object(), answer.headers.get("etag", "").strip('"')
        found = await self.page(f"id = {int(whole['id'])}", 1, size=1, pace=WRITE)
        if not found.items:
            return None
        item = self.item(found.items[0])
        return replace(item, ref=Ref(Of.TICKET, ticket_id, f"{etag} {item.ref.version}"))

    async def create(self, draft: Draft) -> Ref:
        """Make a ticket, once for a key as long as one writer asks at a time. Raises CrmError."""
        known = await self.by_key(draft.key)
        ticket = known or await self._make(draft)
        item = await self._must(ticket.id)
        if draft.customer_id is not None and item.customer_id is None:
            raise InvalidError(
                f"{SYSTEM} made ticket {ticket.id} without its requestor {draft.customer_id}", "Requestor"
            )
        if known is None and draft.status is not item.status:
            return await self.set_status(item.ref, draft.status)
        return item.ref

    async def set_status(self, ticket: Ref, status: Status) -> Ref:
        """Set it. Raises ConflictError where the ticket is another than ``ticket`` says, else CrmError."""
        now = await self._must(ticket.id)
        if not _same(ticket.version, now.ref.version):
            raise ConflictError(f"{SYSTEM}: ticket {ticket.id} is {now.ref.version} and was {ticket.version}")
        if now.status is status:
            return now.ref
        cleared = {name: None for values in self._also.values() for name in values}
        custom = {**cleared, **self._also.get(status, {})}
        body: dict[str, Any] = {"Status": self._fields.word_for(status), **({CUSTOM: custom} if custom else {})}
        etag = (now.ref.version or "").partition(" ")[0] or None
        answer = await self._rest.ask("PUT", f"/ticket/{ticket.id}", body=body, match=etag, pace=WRITE, writes=True)
        after = await self._must(ticket.id)
        if after.status is not status:
            raise refusal(f"ticket {ticket.id} is {after.said!r}, not {body['Status']!r}: {said(answer)}")
        return after.ref

    async def by_key(self, key: str) -> Ref | None:
        """The oldest ticket made with a key of ours. Raises CrmError."""
        found = await self.page(f"CF.{{{self._key}}} = {quoted(key)}", 1, size=MOST, pace=WRITE, order="id")
        for row in found.items:  # without such a field RT would give others
            if key in record(row)["cf"].get(label(self._key), ()):
                return self.item(row).ref
        return None

    async def page(self, sql: str, number: int, *, size: int, pace: Pace = BULK, order: str = "") -> Rows:
        """A page of those that meet TicketSQL, changed last first or by ``order``. Raises CrmError."""
        query = {"query": sql, "per_page": str(size), "page": str(number), **self._asked}
        query |= {"orderby": order, "order": "ASC"} if order else {"orderby": "LastUpdated", "order": "DESC"}
        return await self._rest.rows("/tickets", query, pace=pace)

    def item(self, row: Mapping[str, Any]) -> Item:
        """The ticket of a row."""
        read = record(row)
        found = self._fields.item_of(read, f"{self._url}/Ticket/Display.html?id={row['id']}")
        digest = sha256(json.dumps(read, sort_keys=True, default=str).encode()).hexdigest()[:12]
        version = f"{read.get('LastUpdated')} {digest}"
        return replace(found, ref=replace(found.ref, version=version), status=self._status(read, found))

    async def _make(self, draft: Draft) -> Ref:
        body: dict[str, Any] = {
            "Queue": self._queue,
            "Subject": title_of(draft.title),
            "Content": html([draft.body], draft.links),
            "ContentType": "text/html",
            "Status": self._fields.word_for(Status.ACCEPTED),
            CUSTOM: {self._key: draft.key},
        }
        if priority := self._urgencies.get(draft.urgency or ""):
            body["Priority"] = priority
        if draft.customer_id is not None:
            body["Requestor"] = [draft.customer_id]
        told = (await self._rest.ask("POST", "/ticket", body=body, pace=WRITE, writes=True)).json_object()
        made = Ref(Of.TICKET, str(told.get("id")))
        if (there := await self.by_key(draft.key)) is None:
            raise InvalidError(
                f"{SYSTEM} made ticket {made.id} and did not keep our key in its custom field {self._key!r}: "
                "it would be made again. The field, or the right ModifyCustomField, is missing",
                self._key,
            )
        return there

    async def _must(self, ticket_id: str) -> Item:
        item = await self.read(ticket_id)
        if item is None:
            raise NotFoundError(f"{SYSTEM} has no ticket {ticket_id} (any more)")
        return item

    def _status(self, read: Record, found: Item) -> Status:
        """Where two of our statuses share a word of theirs, custom fields tell them apart."""
        word = found.said.strip().casefold()
        fitting = [
            status
            for status, words in self._fields.ticket.statuses.items()
            if word in (each.strip().casefold() for each in words)
            and all(value in read["cf"].get(label(name), ()) for name, value in self._also.get(status, {}).items())
        ]
        return max(fitting, key=lambda status: len(self._also.get(status, {})), default=found.status)

    def _paths(self) -> Sequence[str]:
        table = self._fields.ticket
        return [path for path in (table.title, table.customer, table.status, table.owner, table.updated) if path]


def title_of(text: str) -> str:
    """A subject: one line, no longer than RT keeps."""
    return shortened(" ".join(text.split()), LONGEST_TITLE)


def _same(one: str | None, now: str | None) -> bool:
    """Whether a version is that of now. With an ETag that alone counts; one from a list has none."""
    if one is None or now is None:
        return True
    etag, _, rest = now.partition(" ")
    head, _, tail = one.partition(" ")
    return head == etag if head.isdecimal() and tail else one == rest
