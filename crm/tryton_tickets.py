"""Tickets in Tryton: works below one project, opportunities, or another object that the mapping names.

Tryton refuses a write to a record that is another than the one read, by the stamp that goes with the write: nobody's
change is overwritten, not even one made in between.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from crm.connector import Draft, Item, Ref, Seen, Status
from crm.fieldmap import FieldMap, TicketMap
from crm.http import BULK, WRITE, Pace
from crm.trouble import ConflictError, InvalidError, NotFoundError
from crm.tryton_customers import LATER, Customers
from crm.tryton_desk import Desk, Record
from crm.tryton_notes import Notes
from crm.tryton_plan import WORK, ticket_paths
from crm.tryton_rpc import SYSTEM
from crm.tryton_values import mark, one_line, record_id
from crm.wording import plain

LOOK_AGAIN = 600.0  # seconds that the names of statuses are believed when tickets are listed
_LOOKED_THROUGH = 20  # as for notes


class Tickets:
    """Writing. ``link``: where people see a record, by model and id.

    ``project``: the name or the id of the work that tickets are kept below, None for other objects. ``values``: further
    fields of a new ticket. ``buttons``: what to press for a status, where its field must not just be set.
    """

    def __init__(
        self,
        desk: Desk,
        customers: Customers,
        notes: Notes,
        link: Callable[[str, str], str | None],
        *,
        project: str | int | None,
        values: Mapping[str, Any],
        buttons: Mapping[Status, str],
    ) -> None:
        self._desk, self._customers, self._notes, self._link = desk, customers, notes, link
        self._project, self._values, self._buttons = project, values, buttons
        self._home: int | None = None
        self._known: tuple[float, list[Record]] | None = None

    async def check(self) -> list[str]:
        """What of the project and the statuses is not as the settings and the mapping have it. Raises CrmError."""
        self._home = self._known = None
        faults: list[str] = []
        looks: list[Callable[[], Awaitable[object]]] = [self.domain]
        looks += [partial(self._status, status) for status in Status if status is not Status.UNKNOWN]
        for look in looks:
            try:
                await look()
            except InvalidError as error:
                faults.append(str(error))
        return list(dict.fromkeys(faults))

    async def of_customer(self, customer_id: str, limit: int) -> list[Item]:
        """The open ones, those changed last first. Raises CrmError."""
        if (customer := record_id(customer_id)) is None:
            return []
        fields = await self._fields()
        table = fields.ticket
        mine = [[table.customer.partition(".")[0], "=", customer]]
        domain = [*await self.domain(), *mine, *await self._open_ones(table)]
        # What was never changed has no date of a change to be ordered by: more are asked for, and ordered here.
        order, many = [("write_date", "DESC NULLS FIRST"), ("id", "DESC")], max(limit, _LOOKED_THROUGH)
        rows = await self._desk.rows(table.object, domain, ticket_paths(table), order=order, limit=many, pace=LATER)
        rows.sort(key=lambda row: (str(row.get("write_date")), row["id"]), reverse=True)
        return [self.item(fields, row) for row in rows[:limit]]

    async def read(self, ticket_id: str) -> Item | None:
        """One ticket; None when it is not there. Raises CrmError."""
        fields = await self._fields()
        row = await self._row(fields, ticket_id)
        return None if row is None else self.item(fields, row)

    async def seen(self, ids: Sequence[str]) -> list[Seen]:
        """Tickets as they stand. Raises CrmError."""
        fields = await self._fields()
        domain = [["id", "in", [number for each in ids if (number := record_id(each))]]]
        items = [self.item(fields, row) for row in await self._all(fields, domain, BULK, len(ids))]
        return [Seen(item.ref, item.customer_id, item=item) for item in items]

    async def create(self, draft: Draft) -> Ref:
        """Make a ticket, or meet the one of its key. Raises CrmError."""
        table = (await self._fields()).ticket
        known = await self.by_key(draft.key)
        number = known.id if known is not None else await self._make(table, draft)
        if draft.links:
            await self._notes.link(f"{table.object},{number}", draft.key, draft.links)
        return (await self._must(number)).ref

    async def set_status(self, ticket: Ref, status: Status) -> Ref:
        """Set it. Raises ConflictError where the ticket is another than ``ticket`` says, else CrmError."""
        fields = await self._fields()
        table = fields.ticket
        row = await self._row(fields, ticket.id)
        if row is None:
            raise NotFoundError(f"{SYSTEM} has no ticket {ticket.id} (any more)")
        now = self.item(fields, row)
        if ticket.version is not None and now.ref.version != ticket.version:
            raise ConflictError(f"{SYSTEM}: ticket {ticket.id} is {now.ref.version} and was {ticket.version}")
        if now.status is status:
            return now.ref
        stamp = {"_timestamp": {f"{table.object},{ticket.id}": now.ref.version}}
        button = self._buttons.get(status)
        asked: list[Any] = [button, [int(ticket.id)]]
        if button is None:
            asked = ["write", [int(ticket.id)], await self._status_values(table, status, row)]
        await self._desk.rpc.call(table.object, *asked, pace=WRITE, writes=True, context=stamp)
        stands = await self._must(ticket.id)
        if stands.status is not status:  # 7.8 passes over a transition that its workflow has not
            raise InvalidError(
                f"{SYSTEM}: ticket {ticket.id} stays {stands.said!r}: its workflow has no such step", "status"
            )
        return stands.ref

    async def comment(self, ticket: Ref, text: str, key: str) -> None:
        """Add an internal comment, once for a key. Raises CrmError."""
        if (number := record_id(ticket.id)) is None:
            raise NotFoundError(f"{SYSTEM} has no ticket {ticket.id}")
        await self._notes.comment((await self._fields()).ticket.object, number, text, key)

    async def by_key(self, key: str) -> Ref | None:
        """The ticket that was made with a key of ours. Raises CrmError."""
        fields = await self._fields()
        table = fields.ticket
        whole = await self._whole_key(table)
        wanted = key if whole else mark(key)
        condition = [table.key, "=" if whole else "like", wanted if whole else f"%{wanted}%"]
        rows = await self._all(fields, [condition], WRITE)
        held = [row for row in rows if wanted in str(row.get(table.key))]
        return self.item(fields, held[0]).ref if held else None

    async def domain(self) -> list[Any]:
        """Which tickets are ours to speak of. InvalidError when there is not exactly one project of its name."""
        if self._project is None:
            return []
        if self._home is None:
            named = ["id", "=", self._project] if isinstance(self._project, int) else ["name", "=", self._project]
            top = [] if isinstance(self._project, int) else [["parent", "=", None]]
            rows = await self._desk.rows(WORK, [named, *top], ["name"], limit=2, pace=WRITE)
            if len(rows) != 1:
                raise InvalidError(
                    f"{SYSTEM} has {len(rows)} projects {self._project!r}: name one, or its id", "project"
                )
            self._home = int(rows[0]["id"])
        return [["parent", "=", self._home]]

    def item(self, fields: FieldMap, row: Record) -> Item:
        """The ticket of one record. Its version is Tryton's stamp."""
        found = fields.item_of(row, self._link(fields.ticket.object, str(row["id"])))
        return replace(found, ref=replace(found.ref, version=str(row.get("_timestamp"))))

    async def _make(self, table: TicketMap, draft: Draft) -> str:
        values: dict[str, Any] = {table.title: one_line(draft.title)}
        paragraphs = [draft.body.replace("\0", "")]
        if table.body and table.body == table.key:
            values[table.body] = f"{plain(paragraphs, draft.links)}\n{mark(draft.key)}"
        elif table.body:
            values[table.body] = plain(paragraphs, draft.links)
        if table.key != table.body:
            values[table.key] = draft.key if await self._whole_key(table) else mark(draft.key)
        if draft.customer_id is not None and table.customer:
            values[table.customer.partition(".")[0]] = await self._customers.standing(draft.customer_id, WRITE)
        if (await self._desk.plan()).has(table.object, "company") and self._desk.rpc.company is not None:
            values["company"] = self._desk.rpc.company
        if self._project is not None:
            await self.domain()
            values["parent"] = self._home
        values |= {**await self._status_values(table, draft.status, {}), **self._values}
        made = await self._desk.rpc.call(table.object, "create", [values], pace=WRITE, writes=True)
        if not isinstance(made, list) or len(made) != 1:
            raise InvalidError(f"{SYSTEM} did not say what it made of {table.object}")
        return str(made[0])

    async def _status_values(self, table: TicketMap, status: Status, row: Record) -> dict[str, Any]:
        """What to write for a status. A work must have got as far as its status says (7.8)."""
        head = table.status.partition(".")[0]
        found = await self._status(status)
        values: dict[str, Any] = {head: found["id"] if isinstance(found, Mapping) else found}
        needed = found.get("progress") if isinstance(found, Mapping) else None
        if needed is not None and needed > (row.get("progress") or -1.0):
            values["progress"] = needed
        return values

    async def _status(self, status: Status) -> Record | str:
        """Our status there: a record where the field leads to one, else their word. InvalidError when there is none."""
        fields = await self._fields()
        table, word = fields.ticket, fields.word_for(status)
        head, _, name = table.status.partition(".")
        plan = await self._desk.plan()
        if not plan.relation(table.object, head):
            choices = plan.schema().get(table.object, {})[head].choices
            if choices and word not in choices:
                raise InvalidError(
                    f"{SYSTEM}: {table.object} has no {head} {word!r}: it has {', '.join(choices)}", "status"
                )
            return word
        rows = [row for row in await self._statuses(table) if _same(row.get(name or "rec_name"), word)]
        kind = self._values.get("type")
        fitting = [row for row in rows if kind is None or kind in (row.get("types") or [kind])]
        if len(fitting) != 1:
            raise InvalidError(
                f"{SYSTEM} has {len(fitting)} statuses {word!r}: the mapping's ticket.statuses", "status"
            )
        return fitting[0]

    async def _statuses(self, table: TicketMap) -> list[Record]:
        head, _, name = table.status.partition(".")
        relation = (await self._desk.plan()).relation(table.object, head)
        more = ["progress", "types"] if relation == f"{WORK}.status" else []
        asked = [name or "rec_name", *more]
        found = await self._desk.rpc.call(relation, "search_read", [], 0, None, [["id", "ASC"]], asked, pace=WRITE)
        return found if isinstance(found, list) else []

    async def _open_ones(self, table: TicketMap) -> list[Any]:
        over = [word for status in (Status.SOLVED, Status.CLOSED) for word in table.statuses.get(status, ())]
        head, _, name = table.status.partition(".")
        if not over:
            return []
        if not (await self._desk.plan()).relation(table.object, head):
            return [[head, "not in", over]]
        now = self._desk.rpc.clock()
        if self._known is None or now >= self._known[0]:
            self._known = now + LOOK_AGAIN, await self._statuses(table)
        done = [row["id"] for row in self._known[1] if any(_same(row.get(name or "rec_name"), word) for word in over)]
        return [[head, "not in", done]]

    async def _whole_key(self, table: TicketMap) -> bool:
        """Whether a field of its own holds the key; in a text it is a mark."""
        return table.key != table.body and (await self._desk.plan()).kind(table.object, table.key) == "char"

    async def _fields(self) -> FieldMap:
        return (await self._desk.plan()).fields

    async def _row(self, fields: FieldMap, ticket_id: str) -> Record | None:
        if (number := record_id(ticket_id)) is None:
            return None
        return next(iter(await self._all(fields, [["id", "=", number]], WRITE)), None)

    async def _all(
        self, fields: FieldMap, domain: Sequence[Any], pace: Pace, limit: int = _LOOKED_THROUGH
    ) -> list[Record]:
        """Tickets wherever they lie by now, those put away too."""
        paths, context = [*ticket_paths(fields.ticket), "progress"], {"active_test": False}
        return await self._desk.rows(fields.ticket.object, domain, paths, limit=limit, pace=pace, context=context)

    async def _must(self, ticket_id: str) -> Item:
        item = await self.read(ticket_id)
        if item is None:
            raise NotFoundError(f"{SYSTEM} has no ticket {ticket_id} (any more)")
        return item


def _same(theirs: Any, ours: str) -> bool:
    return str(theirs).strip().casefold() == ours.strip().casefold()
