"""Request Tracker 5 over REST 2.0: users are the customers, tickets the tickets, a call is a comment on its ticket.

The token's user needs AdminUsers, without which RT shows nobody's telephone numbers, and rights in the queue. What is
asked, how and what it means lies in the ``rt_*`` modules beside this one.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Annotated, Any

from pydantic import Field, model_validator

from crm.connector import (
    Can,
    Context,
    Draft,
    Feed,
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
from crm.fieldmap import FieldMap, MappingError
from crm.http import BULK, Http
from crm.http_settings import HttpSettings
from crm.registry import ConnectorError
from crm.rt_changes import Changes
from crm.rt_customers import Customers
from crm.rt_notes import Notes
from crm.rt_plan import LONGEST_PHONE, LONGEST_TITLE, TICKET, USER, label, mapping, schema, unclear
from crm.rt_rest import MOST, SYSTEM, Rest, Search, each_of
from crm.rt_tickets import Tickets
from crm.trouble import InvalidError, UnsupportedError
from numbering.number import Number

_KINDS = {"RT::User": USER, "RT::Queue-RT::Ticket": TICKET, "RT::Queue-RT::Ticket-RT::Transaction": "transaction"}


class RtSettings(HttpSettings):
    """``[crm.settings]``. ``key_env``: the environment variable that holds the token.

    ``find_typed``: user fields that RT searches and that hold numbers as people wrote them. ``find_exact``: custom
    fields of users that hold numbers as E.164. ``queue``: where tickets are made; without it none are. ``key_field``:
    the custom field that holds our key, one of tickets and one of transactions. ``also``: custom fields of a ticket
    that are set with a status, by our status. ``urgencies``: RT's priority for each urgency. ``overlap``: seconds that
    the longest transaction in this RT takes.
    """

    key_env: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")] = "HOTLINE_RT_TOKEN"
    find_typed: tuple[str, ...] = ()
    find_exact: tuple[str, ...] = ()
    queue: str | None = None
    key_field: str = "CallID"
    also: Mapping[Status, Mapping[str, str]] = Field(default_factory=dict)
    urgencies: Mapping[str, str] = Field(default_factory=lambda: {"高": "100", "中": "50"})
    overlap: Annotated[float, Field(ge=1, le=3600)] = 120.0

    @model_validator(mode="after")
    def _something_to_find_by(self) -> "RtSettings":
        if not self.find_typed and not self.find_exact:
            raise ValueError("find_typed or find_exact is missing: by what RT is to find a number (docs/rt.md)")
        return self


class Rt(Unable):
    """A :class:`crm.connector.Connector`. ``rest`` talks to the RT that ``settings`` name."""

    name = "rt"

    def __init__(self, settings: RtSettings, context: Context, fields: FieldMap, rest: Rest) -> None:
        self._settings, self._fields, self._rest = settings, fields, rest
        self._clock = context.clock
        self.can = Can.FIND | Can.GET | Can.FEED | Can.LOAD | Can.DESCRIBE
        self.traits = Traits(
            once=Once.MARKER,
            feed=Feed.MONOTONE_ID,
            overlap=settings.overlap,
            connections=settings.connections,
            reads_back=True,
            notes_on_tickets=True,
            longest={"title": LONGEST_TITLE, "phone": LONGEST_PHONE},
        )
        self._customers = Customers(
            rest, fields, typed=settings.find_typed, exact=settings.find_exact, area=context.area
        )
        self._tickets: Tickets | None = None
        if settings.queue is not None:
            self.can |= Can.ITEMS | Can.NOTE | Can.TICKET | Can.SURVEY
            key, queue = settings.key_field, settings.queue
            self._tickets = Tickets(
                rest,
                fields,
                queue=queue,
                key=key,
                also=settings.also,
                urgencies=settings.urgencies,
                url=settings.url,
            )
            self._notes = Notes(rest, fields, self._tickets, queue=queue, key=key)
        self._feed = Changes(rest, self._customers, self._tickets, settings.overlap)

    async def health(self) -> Health:
        """That RT knows us, searches by our fields and has every field named: InvalidError with all it has not."""
        answer = await self._rest.ask("GET", "/rt", pace=BULK)
        now, version = self._clock(), str(answer.json_object().get("Version"))
        held = await self._custom()
        wrong = [
            f"find_exact: users have no custom field {field!r}"
            for field in self._settings.find_exact
            if field not in held[USER]
        ]
        wrong = wrong or await self._customers.check()
        wrong += self._fields.wrong_names(schema(held))
        if self._settings.queue is not None:
            wrong += await self._wrong_queue(self._settings.queue, held)
        if wrong:
            raise InvalidError(f"{SYSTEM} {version} and the settings do not fit: {'; '.join(wrong)}")
        skew = None if answer.date is None else answer.date - now
        return Health(version, 0.0 if skew is not None and abs(skew) <= 1 else skew)  # its clock is told in seconds

    async def find(self, number: Number) -> Sequence[Customer]:
        """Users that have the number."""
        return await self._customers.find(number)

    async def get(self, customer_id: str) -> Customer | None:
        """The user; None when it was disabled or shredded."""
        return await self._customers.get(customer_id)

    async def items(self, customer_id: str, limit: int = 5) -> Sequence[Item]:
        """The user's open tickets, in all queues that we may see."""
        return await self._kept().of_customer(customer_id, limit)

    async def keep_note(self, note: Note, known: Ref | None) -> Ref:
        """A comment on the call's ticket."""
        self._kept()
        return await self._notes.keep(note, known)

    async def create_ticket(self, draft: Draft) -> Ref:
        """A ticket of the queue."""
        return await self._kept().create(draft)

    async def set_status(self, ticket: Ref, status: Status) -> Ref:
        """Its status, with If-Match, and read back."""
        return await self._kept().set_status(ticket, status)

    async def add_comment(self, ticket: Ref, text: str, key: str) -> None:
        """A comment."""
        self._kept()
        await self._notes.add(ticket, text, key)

    async def read_ticket(self, ticket_id: str) -> Item | None:
        """The ticket."""
        return await self._kept().read(ticket_id)

    async def by_key(self, of: Of, key: str) -> Ref | None:
        """What carries our key in its custom field."""
        tickets = self._kept()
        if of is Of.CUSTOMER:
            return None
        return await (self._notes.by_key(key) if of is Of.NOTE else tickets.by_key(key))

    async def changes(self, of: Of, cursor: str | None) -> Page:
        """Users changed or disabled, tickets changed. Shredded and merged ones a full comparison finds."""
        if of is Of.NOTE:
            raise UnsupportedError(f"{self.name} cannot list changed notes")
        if of is Of.TICKET:
            self._kept()
        return await (self._feed.start(of) if cursor is None else self._feed.page(of, cursor))

    def load(self, after: str | None = None) -> AsyncIterator[tuple[Sequence[Customer], str]]:
        """Every user that is not disabled, by id."""
        return self._customers.load(after)

    async def survey(self, of: Of, ids: Sequence[str]) -> Sequence[Seen]:
        """Each by itself, a few at once: lists have no ETags, and say nothing of what a comment reads."""
        tickets, gate = self._kept(), asyncio.Semaphore(self._settings.connections)

        async def look(number: str) -> Seen | None:
            async with gate:
                if of is Of.NOTE:
                    return await self._notes.seen(number)
                item = await tickets.read(number)
                return None if item is None else Seen(item.ref, item.customer_id, item=item)

        if of is Of.CUSTOMER:
            raise UnsupportedError(f"{self.name} shows notes and tickets at once, not customers")
        return [seen for seen in await each_of(look(number) for number in ids) if seen is not None]

    async def describe(self) -> Schema:
        """RT 5's fields of users and tickets, and this one's custom fields."""
        return schema(await self._custom())

    def url_of(self, ref: Ref) -> str | None:
        """The record's page in RT."""
        page = {Of.CUSTOMER: "User/Summary", Of.TICKET: "Ticket/Display", Of.NOTE: "Transaction/Display"}[ref.of]
        return f"{self._settings.url}/{page}.html?id={ref.id}"

    async def close(self) -> None:
        """Close the connections."""
        await self._rest.close()

    def _kept(self) -> Tickets:
        if self._tickets is None:
            raise UnsupportedError(f"{self.name} keeps no tickets: [crm.settings] names no queue")
        return self._tickets

    async def _custom(self) -> dict[str, list[str]]:
        """The names of the custom fields that we may see, by what they are of."""
        found: dict[str, list[str]] = {kind: [] for kind in _KINDS.values()}
        page = 1
        while True:
            query = {"per_page": str(MOST), "page": str(page), "orderby": "id", "fields": "Name,LookupType"}
            search: Search = [{"field": "id", "operator": ">", "value": 0}]
            rows = await self._rest.rows("/customfields", query, search, pace=BULK)
            for row in rows.items:
                if kind := _KINDS.get(str(row.get("LookupType"))):
                    found[kind].append(str(row.get("Name")))
            if not rows.more:
                return found
            page += 1

    async def _wrong_queue(self, queue: str, held: Mapping[str, Sequence[str]]) -> list[str]:
        search = [{"field": "Name", "operator": "=", "value": queue}]
        found = await self._rest.rows("/queues", {"fields": "Name"}, search, pace=BULK)
        if (number := next((row["id"] for row in found.items if row.get("Name") == queue), None)) is None:
            return [f"there is no queue {queue!r}, or our token's user lacks the right SeeQueue in it"]
        whole = (await self._rest.ask("GET", f"/queue/{int(number)}", pace=BULK)).json_object()
        faults = []
        for what, named in (("TicketCustomFields", "tickets"), ("TicketTransactionCustomFields", "transactions")):
            there = {each.get("name") for each in whole.get(what) or () if isinstance(each, dict)}
            wanted = [self._settings.key_field]
            if named == "tickets":
                wanted += sorted({name for values in self._settings.also.values() for name in values})
            faults += [
                f"{named} of queue {queue!r} have no custom field {name!r}" for name in wanted if name not in there
            ]
        if len({label(name) for name in held[TICKET]}) < len(set(held[TICKET])):
            faults.append("two custom fields of tickets differ in spaces and dots only")
        return faults


async def open_connector(settings: Mapping[str, Any], context: Context) -> Rt:
    """The connector. Talks to nobody. Raises pydantic's ValidationError, LookupError (no token), ConnectorError."""
    own = RtSettings.model_validate(dict(settings))
    try:
        fields = mapping(context.mapping)
    except MappingError as error:
        raise ConnectorError(f"connector rt: the mapping: {error}") from error
    if own.queue is not None and (fault := unclear(fields, own.also)):
        raise ConnectorError(f"connector rt: the mapping: ticket.statuses: {fault}")
    token = context.secret(own.key_env)
    ca = None if own.ca_file is None else context.base / own.ca_file
    http = Http(SYSTEM, own.url, connections=own.connections, ca=ca)
    return Rt(own, context, fields, Rest(http, token, context.clock))
