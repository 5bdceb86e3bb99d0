"""Odoo 19 and later over JSON-2, Odoo 14 to 18 over ``/jsonrpc``: contacts, orders, tasks, notes on the chatter.

The key's user needs: Contacts (creation, to write notes), Project (user) for tickets, Sales (all documents) for
purchases. What is asked, how and what it means lies in the ``odoo_*`` modules beside this one; here is how they make a
:class:`crm.connector.Connector`.
"""

import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from itertools import combinations
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BeforeValidator, Field, field_validator, model_validator

from crm.connector import (
    Can,
    Change,
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
from crm.fieldmap import MappingError
from crm.http import Http
from crm.http_settings import HttpSettings
from crm.odoo_changes import Changes, changed
from crm.odoo_customers import Customers
from crm.odoo_desk import Desk
from crm.odoo_plan import PARTNER, mapping
from crm.odoo_rpc import SYSTEM, Json2, JsonRpc, Rpc
from crm.odoo_tickets import Tickets
from crm.registry import ConnectorError
from crm.trouble import InvalidError, UnsupportedError
from numbering.number import Number

Domain = Annotated[tuple[Any, ...], BeforeValidator(tuple)]


class OdooSettings(HttpSettings):
    """``[crm.settings]``. ``key_env``: the environment variable that holds the API key.

    ``api``: ``jsonrpc`` for Odoo 14 to 18, which needs the key's ``user`` too. ``customers``: which contacts are
    customers, as a domain of Odoo's. ``project``: the name or id of the project that tickets are kept in; without it
    none are. ``within``: the field of a ticket that says so, where tickets are no tasks. ``also``: further fields that
    are set with a status, by our status. ``urgencies``: Odoo's priority for each urgency. ``overlap``: seconds that the
    longest transaction in this Odoo takes, an import for one.
    """

    database: str
    key_env: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")] = "HOTLINE_ODOO_KEY"
    api: Literal["json2", "jsonrpc"] = "json2"
    user: str | None = None
    customers: Domain = ()
    project: str | int | None = None
    within: str = "project_id"
    also: Mapping[Status, Mapping[str, str | int | bool]] = Field(default_factory=dict)
    urgencies: Mapping[str, str] = Field(default_factory=lambda: {"高": "1"})
    currency: str = "CNY"
    timezone: str = "Asia/Shanghai"
    overlap: Annotated[float, Field(ge=1, le=3600)] = 120.0

    @field_validator("timezone")
    @classmethod
    def _zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError(f"no such time zone: {name!r}") from error
        return name

    @model_validator(mode="after")
    def _user_where_needed(self) -> "OdooSettings":
        if self.api == "jsonrpc" and not self.user:
            raise ValueError("user is missing: /jsonrpc asks for the login that the key belongs to")
        return self


class Odoo(Unable):
    """A :class:`crm.connector.Connector`. ``rpc`` talks to the Odoo that ``settings`` name; ``close`` ends that."""

    name = "odoo"

    def __init__(self, settings: OdooSettings, context: Context, rpc: Rpc, close: Http) -> None:
        self._settings, self._rpc, self._http, self._clock = settings, rpc, close, context.clock
        self._given = settings.project is not None
        self.can = Can.FIND | Can.GET | Can.NOTE | Can.FEED | Can.LOAD | Can.DESCRIBE | Can.PUSH | Can.SURVEY
        if self._given:
            self.can |= Can.ITEMS | Can.TICKET
        self.traits = Traits(
            once=Once.NATIVE, feed=Feed.MTIME, overlap=settings.overlap, connections=settings.connections
        )
        self._desk = Desk(rpc, context.mapping, tickets=self._given, clock=context.clock)
        self._customers = Customers(
            self._desk,
            settings.customers,
            area=context.area,
            zone=ZoneInfo(settings.timezone),
            currency=settings.currency,
        )
        self._tickets = Tickets(
            self._desk,
            self._link,
            project=settings.project,
            within=settings.within,
            also=settings.also,
            urgencies=settings.urgencies,
        )
        self._feed = Changes(self._desk, self._customers, self._tickets, settings.overlap)
        self._ticket_model = mapping(context.mapping, None, None, None).ticket.object

    async def health(self) -> Health:
        """That Odoo knows us and has every field that the mapping names: InvalidError with all it has not."""
        version, clock = await self._rpc.version()
        now = self._clock()
        plan = await self._desk.look_again()
        wrong = plan.wrong_names()
        if self._given and not wrong:
            wrong = await self._tickets.check()
        if wrong:
            raise InvalidError(f"{SYSTEM} {version} and the mapping do not fit: {'; '.join(wrong)}")
        skew = None if clock is None else clock - now
        return Health(version, 0.0 if skew is not None and abs(skew) <= 1 else skew)  # its clock is told in seconds

    async def find(self, number: Number) -> Sequence[Customer]:
        """Contacts that have the number, with purchases where those come in time."""
        return await self._customers.find(number)

    async def get(self, customer_id: str) -> Customer | None:
        """The contact with everything; None when it was deleted, archived or merged into another."""
        return await self._customers.get(customer_id)

    async def items(self, customer_id: str, limit: int = 5) -> Sequence[Item]:
        """Open tasks of the contact and of those below it."""
        self._need_project()
        return await self._tickets.of_customer(customer_id, limit)

    async def keep_note(self, note: Note, known: Ref | None) -> Ref:
        """An internal note on the contact's chatter."""
        return await self._tickets.keep_note(note, known)

    async def create_ticket(self, draft: Draft) -> Ref:
        """A task."""
        self._need_project()
        return await self._tickets.create(draft)

    async def set_status(self, ticket: Ref, status: Status) -> Ref:
        """Its stage. Odoo locks nothing: between our look and our write somebody may still change it."""
        self._need_project()
        return await self._tickets.set_status(ticket, status)

    async def add_comment(self, ticket: Ref, text: str, key: str) -> None:
        """An internal note on the task."""
        self._need_project()
        await self._tickets.comment(ticket, text, key)

    async def read_ticket(self, ticket_id: str) -> Item | None:
        """The task."""
        self._need_project()
        return await self._tickets.read(ticket_id)

    async def by_key(self, of: Of, key: str) -> Ref | None:
        """What was made with our key, by its external id."""
        return await self._tickets.by_key(of, key)

    async def survey(self, of: Of, ids: Sequence[str]) -> Sequence[Seen]:
        """Notes, or tasks, archived ones too."""
        if of is Of.NOTE:
            return await self._tickets.notes(ids)
        if of is not Of.TICKET:
            raise UnsupportedError(f"{self.name} shows notes and tickets, no {of.value}")
        self._need_project()
        return await self._tickets.tasks(ids)

    async def changes(self, of: Of, cursor: str | None) -> Page:
        """Contacts or tasks written since; contacts that were merged, by the note Odoo writes about it.

        Deleted ones are not told: a full comparison finds them.
        """
        if of is Of.NOTE:
            raise UnsupportedError(f"{self.name} cannot list changed notes")
        if of is Of.TICKET:
            self._need_project()
        if cursor is None:
            return await self._feed.start(of)
        return await self._feed.page(of, cursor)

    def load(self, after: str | None = None) -> AsyncIterator[tuple[Sequence[Customer], str]]:
        """Every contact by id."""
        return self._customers.load(after)

    async def describe(self) -> Schema:
        """The fields of the objects that the mapping speaks of."""
        return (await self._desk.plan()).schema()

    async def take_push(self, headers: Mapping[str, str], body: bytes) -> Sequence[Change]:  # noqa: ARG002
        """What an automation rule of Odoo's sends. It is not signed, so only the id is taken and the record read."""
        try:
            told = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise InvalidError(f"{SYSTEM}'s webhook brought no JSON") from error
        if not isinstance(told, dict) or not isinstance(number := told.get("_id"), int) or isinstance(number, bool):
            raise InvalidError(f"{SYSTEM}'s webhook names no record")
        model = told.get("_model")
        if model == PARTNER:
            found = await self._customers.written([["id", "=", number]], "id", 1)
            return [changed(row, customer) for row, customer in found] or [
                Change(Ref(Of.CUSTOMER, str(number)), None, gone=True)
            ]
        if self._given and model == self._ticket_model:
            item = await self._tickets.read(str(number))
            ref = Ref(Of.TICKET, str(number)) if item is None else item.ref
            return [Change(ref, item.updated if item else None, item=item, gone=item is None)]
        return []

    def url_of(self, ref: Ref) -> str | None:
        """The record's page in Odoo."""
        model = {Of.CUSTOMER: PARTNER, Of.TICKET: self._ticket_model}.get(ref.of)
        return None if model is None else self._link(model, ref.id)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()

    def _link(self, model: str, record: str) -> str:
        if self._settings.api == "json2":
            return f"{self._settings.url}/odoo/{model}/{record}"
        return f"{self._settings.url}/web#id={record}&model={model}&view_type=form"

    def _need_project(self) -> None:
        if not self._given:
            raise UnsupportedError(f"{self.name} keeps no tickets: [crm.settings] names no project")


async def open_connector(settings: Mapping[str, Any], context: Context) -> Odoo:
    """The connector. Talks to nobody. Raises pydantic's ValidationError, LookupError (no key), ConnectorError."""
    own = OdooSettings.model_validate(dict(settings))
    try:
        fields = mapping(context.mapping, None, None, None)
    except MappingError as error:
        raise ConnectorError(f"connector odoo: the mapping: {error}") from error
    if own.project is not None and (fault := _unclear(own, fields.ticket.statuses)):
        raise ConnectorError(f"connector odoo: the mapping: ticket.statuses: {fault}")
    key = context.secret(own.key_env)
    ca = None if own.ca_file is None else context.base / own.ca_file
    http = Http(SYSTEM, own.url, connections=own.connections, ca=ca)
    return Odoo(own, context, _rpc(own, http, lambda: key), http)


def _unclear(settings: OdooSettings, words: Mapping[Status, tuple[str, ...]]) -> str | None:
    """Why a status could not be set, or would be read as another; None when all is well."""
    ours = [status for status in Status if status is not Status.UNKNOWN]
    if missing := [status.value for status in ours if not words.get(status)]:
        return f"no stage for {', '.join(missing)}"
    for one, other in combinations(ours, 2):
        if words[one][0] == words[other][0] and settings.also.get(one, {}) == settings.also.get(other, {}):
            return f"{one} and {other} are both {words[one][0]!r}: set also.{other} to a field that tells them apart"
    return None


def _rpc(settings: OdooSettings, http: Http, key: Callable[[], str]) -> Rpc:
    if settings.api == "jsonrpc":
        return JsonRpc(http, settings.database, settings.user or "", key)
    return Json2(http, {"Authorization": f"bearer {key()}", "X-Odoo-Database": settings.database})
