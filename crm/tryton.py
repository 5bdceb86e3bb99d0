"""Tryton over JSON-RPC (tried with 7.8): parties, sales, works or opportunities as tickets, notes and attachments.

Our user needs no group to read parties and to write notes on them; *Project Administration* for works as tickets,
*Sales* for purchases. What is asked, how and what it means lies in the ``tryton_*`` modules beside this one; here is
how they make a :class:`crm.connector.Connector`.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from itertools import combinations
from typing import Annotated, Any
from urllib.parse import quote

from pydantic import BeforeValidator, Field

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
from crm.fieldmap import MappingError, TicketMap
from crm.http import Http
from crm.http_settings import HttpSettings
from crm.registry import ConnectorError
from crm.trouble import InvalidError, UnsupportedError
from crm.tryton_changes import Changes
from crm.tryton_customers import Customers
from crm.tryton_desk import Desk
from crm.tryton_notes import Notes
from crm.tryton_plan import PARTY, WORK, mapping
from crm.tryton_rpc import SYSTEM, Rpc
from crm.tryton_tickets import Tickets
from numbering.number import Number

Domain = Annotated[tuple[Any, ...], BeforeValidator(tuple)]


class TrytonSettings(HttpSettings):
    """``[crm.settings]``. ``key_env``: the environment variable that holds our user's password.

    ``project``: the name (of one that lies in no other) or the id of the project that tickets are works of; other
    objects are named by the mapping, and without either no tickets are kept. ``values``: further fields of a new
    ticket. ``buttons``: what to press for a status of ours where the field must not just be set. ``customers``: which
    parties are customers, as a domain of Tryton's. ``types``: the contact mechanisms that may hold a number.
    ``language``: the one that statuses and categories are read in. ``web``: where people's browsers find Tryton.
    ``overlap``: seconds that the longest transaction in this Tryton takes, an import for one.
    """

    database: str
    user: str
    key_env: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")] = "HOTLINE_TRYTON_PASSWORD"
    language: str = "zh_CN"
    customers: Domain = ()
    types: tuple[str, ...] = ("phone", "mobile", "other")
    project: str | int | None = None
    values: Mapping[str, str | int | float | bool] = Field(default_factory=dict)
    buttons: Mapping[Status, str] = Field(default_factory=dict)
    currency: str = "CNY"
    web: Annotated[str, Field(pattern=r"^https?://\S+$")] | None = None
    overlap: Annotated[float, Field(ge=1, le=3600)] = 120.0


class Tryton(Unable):
    """A :class:`crm.connector.Connector`. ``rpc`` talks to the Tryton that ``settings`` name; ``http`` is closed."""

    name = "tryton"

    def __init__(self, settings: TrytonSettings, context: Context, table: TicketMap, http: Http, rpc: Rpc) -> None:
        self._settings, self._rpc, self._http, self._clock = settings, rpc, http, context.clock
        self._ticket_model = table.object
        self._given = settings.project is not None or table.object != WORK
        self.can = Can.FIND | Can.GET | Can.NOTE | Can.FEED | Can.LOAD | Can.DESCRIBE | Can.SURVEY
        if self._given:
            self.can |= Can.ITEMS | Can.TICKET
        self.traits = Traits(
            once=Once.MARKER, feed=Feed.MTIME, overlap=settings.overlap, connections=settings.connections
        )
        self._desk = Desk(rpc, context.mapping, tickets=self._given)
        self._customers = Customers(
            self._desk,
            settings.customers,
            types=settings.types,
            area=context.area,
            currency=settings.currency,
        )
        self._notes = Notes(self._desk, self._customers)
        # The form of a task has no party: people would not see whose ticket it is.
        usual: Mapping[str, Any] = {"type": "project"} if table.object == WORK else {}
        self._tickets = Tickets(
            self._desk,
            self._customers,
            self._notes,
            self._link,
            project=settings.project,
            values={**usual, **settings.values},
            buttons=settings.buttons,
        )
        self._feed = Changes(self._desk, self._customers, self._tickets, settings.overlap)

    async def health(self) -> Health:
        """That Tryton knows us and has every field that the mapping names: InvalidError with all it has not."""
        version, clock = await self._rpc.version()
        now = self._clock()
        wrong = await self._desk.wrong_names()
        if self._given and not wrong:
            wrong = await self._tickets.check()
        if wrong:
            raise InvalidError(f"{SYSTEM} {version} and the mapping do not fit: {'; '.join(wrong)}")
        skew = None if clock is None else clock - now
        return Health(version, 0.0 if skew is not None and abs(skew) <= 1 else skew)  # its clock is told in seconds

    async def find(self, number: Number) -> Sequence[Customer]:
        """Parties that have the number, with purchases where those come in time."""
        return await self._customers.find(number)

    async def get(self, customer_id: str) -> Customer | None:
        """The party with everything; of a merged one the party that replaces it; None of one deleted or put away."""
        return await self._customers.get(customer_id)

    async def items(self, customer_id: str, limit: int = 5) -> Sequence[Item]:
        """Open tickets of the party."""
        self._need_tickets()
        return await self._tickets.of_customer(customer_id, limit)

    async def keep_note(self, note: Note, known: Ref | None) -> Ref:
        """A note on the party, its links as attachments."""
        links = list(note.links)
        if note.ticket_id is not None and self._given and self._settings.web is not None:
            item = await self._tickets.read(note.ticket_id)
            links += [(item.title, item.url)] if item is not None and item.url is not None else []
        return await self._notes.keep(note, known, links)

    async def create_ticket(self, draft: Draft) -> Ref:
        """A work below the project, or what the mapping names."""
        self._need_tickets()
        return await self._tickets.create(draft)

    async def set_status(self, ticket: Ref, status: Status) -> Ref:
        """Its status; Tryton itself refuses to write over a change that we have not seen."""
        self._need_tickets()
        return await self._tickets.set_status(ticket, status)

    async def add_comment(self, ticket: Ref, text: str, key: str) -> None:
        """A note on the ticket."""
        self._need_tickets()
        await self._tickets.comment(ticket, text, key)

    async def read_ticket(self, ticket_id: str) -> Item | None:
        """The ticket."""
        self._need_tickets()
        return await self._tickets.read(ticket_id)

    async def by_key(self, of: Of, key: str) -> Ref | None:
        """What bears our key."""
        if of is Of.TICKET:
            self._need_tickets()
            return await self._tickets.by_key(key)
        return await self._notes.by_key(key) if of is Of.NOTE else None

    async def survey(self, of: Of, ids: Sequence[str]) -> Sequence[Seen]:
        """Notes or tickets."""
        if of is Of.NOTE:
            return await self._notes.seen(ids)
        if of is not Of.TICKET:
            raise UnsupportedError(f"{self.name} shows notes and tickets, no {of.value}")
        self._need_tickets()
        return await self._tickets.seen(ids)

    async def changes(self, of: Of, cursor: str | None) -> Page:
        """Parties, with their numbers, or tickets written since. Deleted ones are not told."""
        if of is Of.NOTE:
            raise UnsupportedError(f"{self.name} cannot list changed notes")
        if of is Of.TICKET:
            self._need_tickets()
        return await (self._feed.start(of) if cursor is None else self._feed.page(of, cursor))

    def load(self, after: str | None = None) -> AsyncIterator[tuple[Sequence[Customer], str]]:
        """Every party by id."""
        return self._customers.load(after)

    async def describe(self) -> Schema:
        """The fields of the objects that the mapping speaks of."""
        return (await self._desk.plan()).schema()

    def url_of(self, ref: Ref) -> str | None:
        """The record in Tryton's web client, where ``web`` says where that is."""
        model = {Of.CUSTOMER: PARTY, Of.TICKET: self._ticket_model}.get(ref.of)
        return None if model is None else self._link(model, ref.id)

    async def close(self) -> None:
        """End the session and close the connections."""
        await self._rpc.leave()
        await self._http.close()

    def _link(self, model: str, record: str) -> str | None:
        if self._settings.web is None:
            return None
        path = quote(f"{self._settings.database}/model/{model}/{record}")
        return f"{self._settings.web.rstrip('/')}/#{path}"

    def _need_tickets(self) -> None:
        if not self._given:
            raise UnsupportedError(f"{self.name} keeps no tickets: [crm.settings] names no project")


async def open_connector(settings: Mapping[str, Any], context: Context) -> Tryton:
    """The connector. Talks to nobody. Raises pydantic's ValidationError, LookupError (no password), ConnectorError."""
    own = TrytonSettings.model_validate(dict(settings))
    try:
        table = mapping(context.mapping, None).ticket
    except MappingError as error:
        raise ConnectorError(f"connector tryton: the mapping: {error}") from error
    if table.object == WORK and own.project is None and "ticket" in context.mapping:
        raise ConnectorError(
            "connector tryton: project is missing: the mapping speaks of tickets, which are works of one"
        )
    if table.object != WORK and own.project is not None:
        raise ConnectorError(f"connector tryton: project: only a {WORK} lies in one, the mapping names {table.object}")
    if (own.project is not None or table.object != WORK) and (fault := _unclear(table)):
        raise ConnectorError(f"connector tryton: the mapping: ticket.{fault}")
    password = context.secret(own.key_env)
    ca = None if own.ca_file is None else context.base / own.ca_file
    http = Http(SYSTEM, own.url, connections=own.connections, ca=ca)
    rpc = Rpc(
        http,
        database=own.database,
        user=own.user,
        password=lambda: password,
        language=own.language,
        clock=context.clock,
    )
    return Tryton(own, context, table, http, rpc)


def _unclear(table: TicketMap) -> str | None:
    """Why a ticket could not be found again, or its status not be told; None when all is well."""
    ours = [status for status in Status if status is not Status.UNKNOWN]
    if not table.key:
        return "key: name the field that holds our key: a text of its own, or the body"
    if missing := [status.value for status in ours if not table.statuses.get(status)]:
        return f"statuses: no word for {', '.join(missing)}"
    for one, other in combinations(ours, 2):
        if shared := set(table.statuses[one]) & set(table.statuses[other]):
            return f"statuses: {one} and {other} are both {', '.join(sorted(shared))}"
    return None
