"""Call notes and comments in Tryton (``ir.note``), and the links that go with them (``ir.attachment``).

Tryton keeps no key of ours, so each text ends with a mark (:func:`crm.tryton_values.mark`) that is looked for before
anything is made. A note is plain text that nobody can click in: its links hang on the record as attachments as well.
"""

from collections.abc import Sequence
from typing import Any

from crm.connector import Note, Of, Ref, Seen
from crm.http import WRITE
from crm.trouble import ConflictError, InvalidError, NotFoundError
from crm.tryton_customers import Customers
from crm.tryton_desk import Desk, Record
from crm.tryton_plan import PARTY
from crm.tryton_rpc import SYSTEM
from crm.tryton_values import mark, note_mark, note_text, one_line, record_id, without_mark
from crm.wording import Links

NOTE = "ir.note"
ATTACHMENT = "ir.attachment"
_LOOKED_THROUGH = 20  # _ in a key means any character to a database: a few more may be found than meant
_TRIES = 3


class Notes:
    """Writing notes."""

    def __init__(self, desk: Desk, customers: Customers) -> None:
        self._desk, self._customers = desk, customers

    async def keep(self, note: Note, known: Ref | None, links: Links) -> Ref:
        """The note of a call on its customer, or on what that was merged into; written again in place.

        ``links`` are what its text names. Whatever somebody wrote into it stays, and emptied it stays so. Raises
        CrmError: NotFoundError where the customer is not there any more, or the note that is known was deleted.
        """
        resource = f"{PARTY},{await self._customers.standing(note.customer_id, WRITE)}"
        for _ in range(_TRIES):
            row = None if known is None else await self._read(known.id)
            if row is not None and not str(row.get("message") or "").strip():
                return Ref(Of.NOTE, str(row["id"]))
            row = row or await self._marked(note.key)
            paragraphs = (note.title, *note.paragraphs)
            if row is None and known is not None:
                raise NotFoundError(f"{SYSTEM} has no note {known.id} (any more): somebody took it away")
            if row is None:
                text = note_text(paragraphs, links, note.key)
                made = await self._create(NOTE, {"resource": resource, "message": text})
                await self._attach(note.key, resource, note.links)
                return Ref(Of.NOTE, made)
            text = note_text(paragraphs, links, note.key, str(row.get("message") or ""))
            try:
                await self._rewrite(row, resource, text)
            except ConflictError:  # somebody writes into it just now
                continue
            await self._attach(note.key, resource, note.links, str(row.get("resource")))
            return Ref(Of.NOTE, str(row["id"]))
        raise ConflictError(f"{SYSTEM}: note {note.key} is changed whenever we write it")

    async def comment(self, model: str, ticket: int, text: str, key: str) -> None:
        """A note on a ticket, once for a key. Raises CrmError."""
        resource = f"{model},{ticket}"
        if await self._marked(key, resource) is None:
            await self._create(NOTE, {"resource": resource, "message": note_text([text], (), key)})

    async def link(self, resource: str, key: str, links: Links) -> None:
        """Attach links to a record, each once. Raises CrmError."""
        await self._attach(key, resource, links)

    async def seen(self, ids: Sequence[str]) -> list[Seen]:
        """Notes as they stand. Raises CrmError."""
        domain = [["id", "in", [number for each in ids if (number := record_id(each))]]]
        rows = await self._rows(NOTE, domain, ["message", "resource"], len(ids))
        return [
            Seen(
                Ref(Of.NOTE, str(row["id"])),
                str(row["resource"]).partition(",")[2] if str(row["resource"]).startswith(f"{PARTY},") else None,
                without_mark(str(row.get("message") or "")),
            )
            for row in rows
        ]

    async def by_key(self, key: str) -> Ref | None:
        """The note that bears a key. Raises CrmError."""
        row = await self._marked(key)
        return None if row is None else Ref(Of.NOTE, str(row["id"]))

    async def _rewrite(self, row: Record, resource: str, text: str) -> None:
        values: dict[str, Any] = {}
        if row.get("message") != text:
            values["message"] = text
        if row.get("resource") != resource:
            values["resource"] = resource
        if values:
            await self._write(NOTE, row, values)

    async def _attach(self, key: str, resource: str, links: Links, before: str | None = None) -> None:
        wanted = {url: text for text, url in links if url.startswith(("http://", "https://"))}
        moved = before is not None and before != resource
        if not wanted and not moved:
            return
        places = [resource, before] if moved else [resource]
        domain = [["resource", "=", place] for place in places]
        rows = await self._rows(ATTACHMENT, [["OR", *domain], ["description", "=", mark(key)]], ["link", "resource"])
        for row in rows:
            if row.get("resource") != resource:
                await self._write(ATTACHMENT, row, {"resource": resource})
        there = {row.get("link") for row in rows}
        new = [
            {"resource": resource, "type": "link", "name": one_line(text), "link": url, "description": mark(key)}
            for url, text in wanted.items()
            if url not in there
        ]
        if new:
            await self._create(ATTACHMENT, *new)

    async def _read(self, note_id: str) -> Record | None:
        if (number := record_id(note_id)) is None:
            return None
        return next(iter(await self._rows(NOTE, [["id", "=", number]], ["message", "resource"])), None)

    async def _marked(self, key: str, resource: str | None = None) -> Record | None:
        sign = note_mark(key)
        domain: list[Any] = [["message", "like", f"%{sign}%"]]
        if resource is not None:
            domain.append(["resource", "=", resource])
        rows = await self._rows(NOTE, domain, ["message", "resource"])
        return next((row for row in rows if sign in str(row.get("message"))), None)

    async def _rows(
        self, model: str, domain: Sequence[Any], fields: Sequence[str], limit: int = _LOOKED_THROUGH
    ) -> list[Record]:
        order = [["id", "ASC"]]
        asked = [*fields, "_timestamp"]
        # What hangs on a party that was put away is hidden otherwise (7.8), and would be written a second time.
        found = await self._desk.rpc.call(
            model, "search_read", list(domain), 0, limit, order, asked, pace=WRITE, context={"active_test": False}
        )
        if not isinstance(found, list):
            raise InvalidError(f"{SYSTEM} answered no list of records for {model}")
        return found

    async def _create(self, model: str, *values: dict[str, Any]) -> str:
        try:
            made = await self._desk.rpc.call(model, "create", list(values), pace=WRITE, writes=True)
        except InvalidError as error:
            if error.field == "Resource":  # 7.8 takes a record that is not there for none at all
                raise NotFoundError(f"{SYSTEM} has no {values[0]['resource']} (any more)") from error
            raise
        if not isinstance(made, list) or len(made) != len(values):
            raise InvalidError(f"{SYSTEM} did not say what it made of {model}")
        return str(made[0])

    async def _write(self, model: str, row: Record, values: dict[str, Any]) -> None:
        stamp = {"_timestamp": {f"{model},{row['id']}": row.get("_timestamp")}}
        await self._desk.rpc.call(model, "write", [row["id"]], values, pace=WRITE, writes=True, context=stamp)
