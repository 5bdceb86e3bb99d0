"""Tickets and call notes in Odoo: tasks of one project (or another object that the mapping names), messages on records.

Everything made here carries an external id and is written through ``load``, Odoo's import: it makes the record and the
id in one transaction and, for an id that is there, makes none. Rights of an ordinary user are enough for it; to write
the table of external ids itself one must be an administrator.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Any

from crm.connector import Draft, Item, Note, Of, Ref, Seen, Status
from crm.fieldmap import FieldMap
from crm.http import BULK, WRITE
from crm.odoo_answers import error_loading
from crm.odoo_customers import LATER
from crm.odoo_desk import Desk, Record, record_id
from crm.odoo_plan import PARTNER, ticket_paths
from crm.odoo_rpc import SYSTEM
from crm.odoo_text import MODULE, external_name, html_of, text_of
from crm.trouble import AuthError, ConflictError, CrmError, InvalidError, NotFoundError, UnknownOutcomeError

MESSAGE = "mail.message"
_ENGLISH = {"lang": "en_US"}
_NO_ID = "External ID not found"  # 19.0, a ValueError of these words
_NOTE = "mail.mt_note"  # internal: the customer is not mailed


class Tickets:
    """Writing. ``link``: where people see a record, by model and id.

    ``project``: the name or the id of what tickets are kept in; None: no tickets. ``within``: the field that says so.
    ``also``: further fields of a ticket for a status of ours. ``urgencies``: the priority for each urgency.
    """

    def __init__(
        self,
        desk: Desk,
        link: Callable[[str, str], str],
        *,
        project: str | int | None,
        within: str,
        also: Mapping[Status, Mapping[str, Any]],
        urgencies: Mapping[str, str],
    ) -> None:
        self._desk, self._link, self._project, self._within = desk, link, project, within
        self._also, self._urgencies = also, urgencies
        self._home: int | None = project if isinstance(project, int) else None

    async def check(self) -> list[str]:
        """What of the project and its stages is not as the settings and the mapping have it. Raises CrmError."""
        faults: list[str] = []
        for status in Status:
            try:
                if status is not Status.UNKNOWN:
                    await self._status_values(status)
            except InvalidError as error:
                faults.append(str(error))
        return list(dict.fromkeys(faults))

    async def of_customer(self, customer_id: str, limit: int) -> list[Item]:
        """The open ones, those changed last first. Raises CrmError."""
        if (customer := record_id(customer_id)) is None:
            return []
        fields = await self._fields()
        link = fields.ticket.customer.partition(".")[0]
        domain = [*await self.domain(), [link, "child_of", [customer]], *await self._open_ones(fields)]
        rows = await self._desk.rows(
            fields.ticket.object, domain, self.paths(fields), order="write_date desc, id desc", limit=limit, pace=LATER
        )
        return [self.item(fields, row) for row in rows]

    async def read(self, ticket_id: str) -> Item | None:
        """One ticket, an archived one too; None when it is not there. Raises CrmError."""
        fields = await self._fields()
        row = await self._row(fields, ticket_id)
        return None if row is None else self.item(fields, row)

    async def tasks(self, ids: Sequence[str]) -> list[Seen]:
        """Tickets as they are, archived ones too. Raises CrmError."""
        fields = await self._fields()
        domain = [["id", "in", [number for each in ids if (number := record_id(each))]]]
        rows = await self._desk.rows(fields.ticket.object, domain, self.paths(fields), pace=BULK, archived=True)
        items = [self.item(fields, row) for row in rows]
        return [Seen(item.ref, item.customer_id, item=item) for item in items]

    async def notes(self, ids: Sequence[str]) -> list[Seen]:
        """Notes as they are. Raises CrmError."""
        domain = [["id", "in", [number for each in ids if (number := record_id(each))]]]
        names = ["body", "model", "res_id"]
        found = await self._desk.rpc.call(MESSAGE, "search_read", domain=domain, fields=names, pace=BULK)
        return [
            Seen(
                Ref(Of.NOTE, str(row["id"])),
                str(row["res_id"]) if row.get("model") == PARTNER else None,
                text_of(str(row.get("body") or "")),
            )
            for row in found
        ]

    async def create(self, draft: Draft) -> Ref:
        """Make a ticket, once for a key. Raises CrmError."""
        if (known := await self.by_key(Of.TICKET, draft.key)) is not None:
            return (await self._must(known.id)).ref
        table = (await self._fields()).ticket
        plan = await self._desk.plan()
        values: dict[str, Any] = {f"{self._within}/.id": str(await self.home()), table.title: draft.title}
        if table.body:
            html = plan.kind(table.object, table.body) == "html"
            values[table.body] = html_of([draft.body], draft.links) if html else draft.body
        if draft.customer_id is not None and table.customer:
            values[f"{table.customer.partition('.')[0]}/.id"] = draft.customer_id
        if (priority := self._urgencies.get(draft.urgency or "")) and plan.has(table.object, "priority"):
            values["priority"] = priority
        status = await self._status_values(draft.status)
        links = {name for name in status if plan.kind(table.object, name) == "many2one"}
        values |= {f"{name}/.id" if name in links else name: str(value) for name, value in status.items()}
        ticket = await self._load(table.object, draft.key, values)
        return (await self._must(ticket)).ref

    async def set_status(self, ticket: Ref, status: Status) -> Ref:
        """Set it. Raises ConflictError where the ticket is another than ``ticket`` says, else CrmError."""
        fields = await self._fields()
        row = await self._row(fields, ticket.id)
        if row is None:
            raise NotFoundError(f"{SYSTEM} has no ticket {ticket.id} (any more)")
        now = self.item(fields, row)
        if ticket.version is not None and now.ref.version != ticket.version:
            raise ConflictError(f"{SYSTEM}: ticket {ticket.id} is {now.ref.version} and was {ticket.version}")
        if now.status is not status:
            values = await self._status_values(status)
            await self._desk.rpc.call(
                fields.ticket.object, "write", [int(ticket.id)], vals=values, pace=WRITE, writes=True
            )
        return (await self._must(ticket.id)).ref

    async def comment(self, ticket: Ref, text: str, key: str) -> None:
        """Add an internal comment, once for a key. Raises CrmError."""
        if await self.by_key(Of.NOTE, key) is None:
            model = (await self._fields()).ticket.object
            await self._load(MESSAGE, key, _message(model, ticket.id, html_of([text])))

    async def keep_note(self, note: Note, known: Ref | None) -> Ref:
        """The note of a call on its customer, written again in place. Raises CrmError.

        A note that somebody has emptied there, which is how Odoo deletes one, stays so. After a merge it stands with
        the customer that is left, and is not moved back to one that is gone.
        """
        body = html_of(note.paragraphs, [*note.links, *await self._ticket_link(note.ticket_id)], note.title)
        ref = known or await self.by_key(Of.NOTE, note.key)
        if ref is not None and (row := await self._message(ref.id)) is not None:
            if not text_of(str(row.get("body") or "")):
                return Ref(Of.NOTE, ref.id)
            if str(row.get("res_id")) == note.customer_id or not await self._there(note.customer_id):
                values = {"body": body}
                await self._desk.rpc.call(MESSAGE, "write", [int(ref.id)], vals=values, pace=WRITE, writes=True)
                return Ref(Of.NOTE, ref.id)
            # Only administrators may move a message (19.0): it is taken away there and written here.
            await self._desk.rpc.call(MESSAGE, "unlink", [int(ref.id)], pace=WRITE, writes=True)
        return Ref(Of.NOTE, await self._load(MESSAGE, note.key, _message(PARTNER, note.customer_id, body)))

    async def by_key(self, of: Of, key: str) -> Ref | None:
        """What was made with a key of ours. Raises CrmError."""
        wanted = {Of.NOTE: MESSAGE, Of.TICKET: (await self._fields()).ticket.object}.get(of)
        if wanted is None:
            return None
        try:
            found = await self._desk.rpc.call(
                "ir.model.data",
                "check_object_reference",
                module=MODULE,
                xml_id=external_name(key),
                context={"active_test": False, **_ENGLISH},
                pace=WRITE,
            )
        except InvalidError as error:
            if _NO_ID not in str(error):
                raise
            return None
        if not isinstance(found, list) or len(found) != 2 or found[0] != wanted:  # noqa: PLR2004
            return None
        if not found[1]:
            raise AuthError(f"{SYSTEM} has a {wanted} of ours that our key's user may not see")
        return Ref(of, str(found[1]))

    async def domain(self) -> list[Any]:
        """Which tickets are ours to speak of."""
        return [[self._within, "=", await self.home()]]

    async def home(self) -> int:
        """The id of the project. InvalidError when there is not exactly one of its name."""
        if self._home is None:
            plan = await self._desk.plan()
            model = plan.models.get(plan.fields.ticket.object, {}).get(self._within, {}).get("relation")
            if not isinstance(model, str):
                raise InvalidError(f"{plan.fields.ticket.object} has no related {self._within!r}", self._within)
            found = await self._desk.rpc.call(model, "search", domain=[["name", "=", self._project]], limit=2)
            if not isinstance(found, list) or len(found) != 1:
                count = len(found) if isinstance(found, list) else 0
                raise InvalidError(f"{SYSTEM} has {count} of {model} named {self._project!r}: name one", "project")
            self._home = int(found[0])
        return self._home

    def paths(self, fields: FieldMap) -> list[str]:
        """What to read of a ticket."""
        also = {name for values in self._also.values() for name in values}
        return [*ticket_paths(fields.ticket), *sorted(also)]

    def item(self, fields: FieldMap, row: Record) -> Item:
        """The ticket of one record, read by :meth:`paths`.

        Its version is a digest of all that was read: times come in whole seconds, so that a change within the second
        of another would not show in them.
        """
        found = fields.item_of(row, self._link(fields.ticket.object, str(row["id"])))
        whole = sha256(json.dumps(row, sort_keys=True, default=str).encode()).hexdigest()
        version = f"{row.get('write_date')} {found.said} {whole[:12]}"
        return replace(found, ref=replace(found.ref, version=version), status=self._status(fields, row, found))

    def _status(self, fields: FieldMap, row: Record, found: Item) -> Status:
        """Where two of our statuses share a word of theirs, the further fields tell them apart."""
        said = found.said.strip().casefold()
        fitting = [
            status
            for status, words in fields.ticket.statuses.items()
            if said in (word.strip().casefold() for word in words)
            and all(row.get(name) == value for name, value in self._also.get(status, {}).items())
        ]
        return max(fitting, key=lambda status: len(self._also.get(status, {})), default=found.status)

    async def _status_values(self, status: Status) -> dict[str, Any]:
        fields = await self._fields()
        word, head = fields.word_for(status), fields.ticket.status.partition(".")[0]
        field = (await self._desk.plan()).models.get(fields.ticket.object, {}).get(head, {})
        if field.get("type") != "many2one":
            return {head: word, **self._also.get(status, {})}
        stages = str(field.get("relation"))
        domain: list[Any] = [["name", "=", word]]
        if stages == "project.task.type":
            domain.append(["project_ids", "in", [await self.home()]])
        found = await self._desk.rpc.call(stages, "search", domain=domain, limit=2, pace=WRITE)
        if not isinstance(found, list) or len(found) != 1:
            count = len(found) if isinstance(found, list) else 0
            raise InvalidError(f"{SYSTEM} has {count} stages named {word!r}: the mapping's ticket.statuses", "status")
        return {head: found[0], **self._also.get(status, {})}

    async def _open_ones(self, fields: FieldMap) -> list[Any]:
        statuses = fields.ticket.statuses
        over = [word for status in (Status.SOLVED, Status.CLOSED) for word in statuses.get(status, ())]
        head = fields.ticket.status.partition(".")[0]
        plan = await self._desk.plan()
        stage = f"{head}.name" if plan.kind(fields.ticket.object, head) == "many2one" else head
        domain: list[Any] = [[stage, "not in", over]] if over else []
        if plan.has(fields.ticket.object, "state"):
            domain.append(["state", "not in", ["1_done", "1_canceled"]])
        return domain

    async def _fields(self) -> FieldMap:
        return (await self._desk.plan()).fields

    async def _row(self, fields: FieldMap, ticket_id: str) -> Record | None:
        if (number := record_id(ticket_id)) is None:
            return None
        domain = [["id", "=", number]]
        rows = await self._desk.rows(fields.ticket.object, domain, self.paths(fields), pace=WRITE, archived=True)
        return next(iter(rows), None)

    async def _must(self, ticket_id: str) -> Item:
        item = await self.read(ticket_id)
        if item is None:
            raise NotFoundError(f"{SYSTEM} has no ticket {ticket_id} (any more)")
        return item

    async def _message(self, message_id: str) -> Record | None:
        found = await self._desk.rpc.call(
            MESSAGE, "search_read", domain=[["id", "=", int(message_id)]], fields=["body", "res_id"], pace=WRITE
        )
        return found[0] if isinstance(found, list) and found and isinstance(found[0], dict) else None

    async def _there(self, customer_id: str) -> bool:
        if (number := record_id(customer_id)) is None:
            return False
        domain = [["id", "=", number]]
        return bool(await self._desk.rpc.call(PARTNER, "search", domain=domain, limit=1, pace=WRITE))

    async def _ticket_link(self, ticket_id: str | None) -> Sequence[tuple[str, str]]:
        if ticket_id is None or self._project is None:
            return ()
        item = await self.read(ticket_id)
        return () if item is None or item.url is None else ((item.title, item.url),)

    async def _load(self, model: str, key: str, values: Mapping[str, Any]) -> str:
        """Make the record of a key, or meet the one that a rival made meanwhile; its id."""
        try:
            answer = await self._desk.rpc.call(
                model,
                "load",
                fields=["id", *values],
                data=[[f"{MODULE}.{external_name(key)}", *values.values()]],
                context=_ENGLISH,
                pace=WRITE,
                writes=True,
            )
            told = answer if isinstance(answer, dict) else {}
            if trouble := error_loading(SYSTEM, told.get("messages") or []):
                raise trouble
        except UnknownOutcomeError:
            raise
        except CrmError as error:  # 19.0 under four writers: could not serialize access
            if (rival := await self._rival(model, key)) is not None:
                return rival.id
            raise error from None
        ids = told.get("ids")
        if not isinstance(ids, list) or len(ids) != 1:
            raise InvalidError(f"{SYSTEM} did not say what it made of {model}")
        return str(ids[0])

    async def _rival(self, model: str, key: str) -> Ref | None:
        try:
            return await self.by_key(Of.NOTE if model == MESSAGE else Of.TICKET, key)
        except CrmError:
            return None


def _message(model: str, record: str, body: str) -> dict[str, Any]:
    return {"model": model, "res_id": record, "body": body, "message_type": "comment", "subtype_id/id": _NOTE}
