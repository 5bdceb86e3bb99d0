"""A call in RT: a comment on its ticket, marked with the call's key; more of it, as more is known, is another comment.

RT rewrites no comment. A call without a ticket becomes one of its own, solved from the start and its customer's: users
have no timeline in RT but their tickets. It is made without its requestor, whom RT would write a mail otherwise.
"""

import base64
import binascii
from collections.abc import AsyncIterator, Iterator, Mapping
from hashlib import sha256
from typing import Any

from crm.connector import Note, Of, Ref, Seen, Status
from crm.fieldmap import FieldMap
from crm.http import BULK, WRITE, Pace
from crm.odoo_text import text_of
from crm.rt_plan import CUSTOM, label, record
from crm.rt_rest import MOST, SYSTEM, Rest, refusal, said
from crm.rt_tickets import Tickets, title_of
from crm.trouble import AuthError, InvalidError, NotFoundError
from crm.wording import html


class Notes:
    """Comments. ``key``: the custom field, of transactions and of tickets, that holds our key."""

    def __init__(self, rest: Rest, fields: FieldMap, tickets: Tickets, *, queue: str, key: str) -> None:
        self._rest, self._fields, self._tickets, self._queue, self._key = rest, fields, tickets, queue, key

    async def keep(self, note: Note, known: Ref | None) -> Ref:
        """The note of a call, or what is new of it. Raises CrmError."""
        ref = known or await self.by_key(note.key)
        body = html(note.paragraphs, note.links)
        if ref is not None and (first := await self._comment_of(ref.id)) is not None:
            ticket = str(first.get("Object", {}).get("id"))
            await self._see_to_home(note, ticket)
            update = f"{note.key} {sha256(f'{note.title} {body}'.encode()).hexdigest()[:12]}"
            told = [(title, text.strip()) async for title, text in self._contents(first, WRITE)]
            if told != [(title_of(note.title), body)] and await self.by_key(update) is None:
                await self._write(ticket, note.title, body, update)
            return Ref(Of.NOTE, ref.id)
        ticket = note.ticket_id or await self._home(note)
        return await self._write(ticket, note.title, body, note.key)

    async def add(self, ticket: Ref, text: str, key: str) -> None:
        """A comment on a ticket, once for a key. Raises CrmError."""
        if await self.by_key(key) is None:
            await self._write(ticket.id, None, html([text]), key)

    async def by_key(self, key: str) -> Ref | None:
        """The oldest comment with a key of ours. Raises CrmError."""
        found = await self._rest.rows(
            "/transactions",
            {"fields": CUSTOM, "orderby": "id", "per_page": "5"},
            [{"field": f"CustomField.{{{self._key}}}", "operator": "=", "value": key}],
            pace=WRITE,
        )
        for row in found.items:  # without such a field RT would give others
            if key in record(row)["cf"].get(label(self._key), ()):
                return Ref(Of.NOTE, str(row["id"]))
        return None

    async def seen(self, number: str) -> Seen | None:
        """The note as it stands: all that was commented under its key, on its ticket. Raises CrmError."""
        first = await self._comment_of(number)
        keys = [] if first is None else record(first)["cf"].get(label(self._key), ())
        if first is None or not keys:
            return None
        ticket = str(first.get("Object", {}).get("id"))
        said = []
        async for row in self._history(ticket):
            marks = record(row)["cf"].get(label(self._key), ())
            if any(mark == keys[0] or mark.startswith(f"{keys[0]} ") for mark in marks):
                said += [f"{title}\n{text_of(text)}" async for title, text in self._contents(row, BULK)]
        item = await self._tickets.read(ticket)
        return Seen(Ref(Of.NOTE, str(number)), None if item is None else item.customer_id, "\n".join(said))

    async def _write(self, ticket: str, title: str | None, body: str, key: str) -> Ref:
        told: dict[str, Any] = {"Content": body, "ContentType": "text/html", "TxnCustomFields": {self._key: key}}
        if title:
            told["Subject"] = title_of(title)
        try:
            path = f"/ticket/{int(ticket)}/comment"
            answer = await self._rest.ask("POST", path, body=told, pace=WRITE, writes=True)
        except AuthError:  # so says RT of a ticket that is not there, too
            if await self._tickets.read(ticket) is None:
                raise NotFoundError(f"{SYSTEM} has no ticket {ticket} (any more)") from None
            raise
        if (there := await self.by_key(key)) is None:
            raise InvalidError(
                f"{SYSTEM} took a comment on ticket {ticket} and did not keep our key in the custom field "
                f"{self._key!r} of transactions: it would be written again ({said(answer)})",
                self._key,
            )
        return there

    async def _home(self, note: Note) -> str:
        """The ticket of a call that has none."""
        if (known := await self._tickets.by_key(note.key)) is None:
            body = {
                "Queue": self._queue,
                "Subject": title_of(note.title),
                "Status": self._fields.word_for(Status.SOLVED),
                CUSTOM: {self._key: note.key},
            }
            await self._rest.ask("POST", "/ticket", body=body, pace=WRITE, writes=True)
            if (known := await self._tickets.by_key(note.key)) is None:
                raise InvalidError(f"{SYSTEM} did not keep our key in the custom field {self._key!r}", self._key)
        await self._give(known.id, note.customer_id)
        return known.id

    async def _see_to_home(self, note: Note, ticket: str) -> None:
        """A call's own ticket goes to the customer who was picked, and names the ticket that the call has by now."""
        own = await self._tickets.by_key(note.key)
        if own is None or own.id != ticket:
            return
        await self._give(ticket, note.customer_id)
        if note.ticket_id is not None and note.ticket_id != ticket:
            body = {"AddRefersTo": note.ticket_id}
            await self._rest.ask("PUT", f"/ticket/{ticket}", body=body, pace=WRITE, writes=True)

    async def _give(self, ticket: str, customer_id: str) -> None:
        item = await self._tickets.read(ticket)
        if item is None or item.customer_id == customer_id:
            return
        body = {"Requestor": [customer_id]}
        answer = await self._rest.ask("PUT", f"/ticket/{ticket}", body=body, pace=WRITE, writes=True)
        item = await self._tickets.read(ticket)
        if item is None or item.customer_id != customer_id:
            raise refusal(f"ticket {ticket} could not be given to user {customer_id}: {said(answer)}")

    async def _comment_of(self, number: str) -> Mapping[str, Any] | None:
        if not (number.isdecimal() and number.isascii()) or len(number) > 10:  # noqa: PLR2004
            return None
        try:
            return (await self._rest.ask("GET", f"/transaction/{number}", pace=WRITE)).json_object()
        except NotFoundError:
            return None

    async def _history(self, ticket: str) -> AsyncIterator[Mapping[str, Any]]:
        """What happened to a ticket, oldest first."""
        page, more = 1, True
        while more:
            query = {"per_page": str(MOST), "page": str(page), "orderby": "id", "fields": f"{CUSTOM},_hyperlinks"}
            found = await self._rest.rows(f"/ticket/{int(ticket)}/history", query, pace=BULK)
            for row in found.items:
                yield row
            page, more = page + 1, found.more

    async def _contents(self, comment: Mapping[str, Any], pace: Pace) -> AsyncIterator[tuple[str, str]]:
        """(Subject, text) of what hangs on a comment; what cannot be read is left out."""
        for path in _attachments(comment):
            held = (await self._rest.ask("GET", path, pace=pace)).json_object()
            try:
                text = base64.b64decode(str(held.get("Content", ""))).decode("utf-8")
            except (binascii.Error, UnicodeDecodeError):
                continue
            yield str(held.get("Subject") or ""), text


def _attachments(comment: Mapping[str, Any]) -> Iterator[str]:
    for link in comment.get("_hyperlinks", ()):
        if link.get("ref") == "attachment":
            yield f"/attachment/{int(str(link['_url']).rpartition('/')[2])}"
