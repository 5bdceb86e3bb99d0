"""Straight into the CRM's database (数据库直连): by statements of the operator's, read-only, within a time limit.

docs/sql.md shows whole files. What there is no statement for the connector cannot do, and says so in ``can``. It writes
nothing: calls and tickets stay with us.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

import structlog

from crm import sql_sqlite
from crm.connector import Connector, Context, FieldInfo, Health, Item, Of, Page, Ref, Schema, Status, Traits, Unable
from crm.connector import Feed as FeedKind
from crm.customer import Customer
from crm.sql_advice import advice
from crm.sql_plan import SqlPlan, values_of
from crm.sql_rows import Mark, Reading, at
from crm.sql_session import First, NoSuchIdError, Pool, Row, Session, Values
from crm.sql_settings import Access, Kind, SqlSettings, Where, where_of
from crm.sql_statement import Statement
from crm.trouble import AuthError, CrmError, InvalidError
from numbering.identify import identify
from numbering.number import Number

log = structlog.get_logger()

SETTINGS = SqlSettings
MOST_FOUND = 100  # customers for one number: a statement that brings more overlooks it
MOST_ROWS = 1000  # for one number
MOST_CARDS = 5  # of those found whose purchases are looked up at once
MOST_BOUGHT = 10
MOST_ITEMS = 100  # tickets of a customer, closed ones too, that are looked through for open ones
MOST_AT_ONCE = 200_000  # changes of one moment
BULK = 30.0  # seconds for a page of a load or of a feed
_SAMPLE = identify("+8613800138000")


async def open_connector(settings: Mapping[str, Any], context: Context) -> Connector:
    """The connector for ``[crm.settings]`` and the mapping file. Talks to nobody yet."""
    mine = SqlSettings.model_validate(dict(settings))
    plan = SqlPlan.read(context.mapping.get("sql", {}))
    reading = Reading(plan, plan.mapping(context.mapping), ZoneInfo(mine.timezone), context.area)
    where = where_of(mine.url)
    lookups, bulk = (_opener(where, mine, context, limit) for limit in (mine.timeout, BULK))
    pools = Pool("SQL", lookups, mine.connections - 1, mine.timeout), Pool("SQL", bulk, 1, BULK)
    return Sql(where.kind, pools, reading, context, mine)


class Sql(Unable):
    """Somebody else's database."""

    name = "sql"

    def __init__(
        self, kind: Kind, pools: tuple[Pool, Pool], reading: Reading, context: Context, settings: SqlSettings
    ) -> None:
        self._kind, self._read, self._context = kind, reading, context
        self._lookups, self._bulk = pools
        self._plan, self._limit = reading.plan, settings.timeout
        self._looked = False
        self.can = self._plan.can
        fed = self._plan.customer_changes is not None
        self.traits = Traits(
            feed=FeedKind.MTIME if fed else FeedKind.FULL_ONLY,
            overlap=self._plan.overlap,
            connections=settings.connections,
            longest=self._plan.longest,
        )

    async def health(self) -> Health:
        """Version and clock; the first time, and after a statement failed, every statement is looked at.

        InvalidError names all that cannot be carried out. A missing index is logged, with what creates it.
        """

        async def asks(session: Session) -> tuple[str, float | None]:
            return session.version, await session.now()

        version, now = await self._ask(self._bulk, asks)
        if not self._looked:
            if faults := await self._faults():
                raise InvalidError(f"SQL: {'; '.join(faults)}")
            self._looked = True
            for line in await self.advice():
                log.warning("the CRM's database lacks an index", advice=line)
        return Health(version, None if now is None else now - self._context.clock())

    async def find(self, number: Number) -> Sequence[Customer]:
        """Every statement ``find``, put together by id; with purchases and contracts as far as there is time."""
        if (values := values_of(number)) is None:
            return ()
        began = asyncio.get_running_loop().time()

        async def asks(session: Session) -> list[Row]:
            rows: list[Row] = []
            for statement in self._plan.find:
                rows += await _some(session, _at_most(statement, MOST_ROWS + 1), values)
            return rows

        rows = await self._ask(self._lookups, asks)
        found = self._read.customers(rows)
        if len(found) > MOST_FOUND or len(rows) > MOST_ROWS:
            raise InvalidError(f"SQL find brings {len(found)} customers for one number: it overlooks the number")
        left = self._limit - (asyncio.get_running_loop().time() - began)
        try:
            async with asyncio.timeout(left):
                return [await self._whole(each) for each in found[:MOST_CARDS]] + found[MOST_CARDS:]
        except (CrmError, TimeoutError) as error:
            log.info("a card goes without purchases", connector=self.name, error=str(error) or "no time left")
            return found

    async def get(self, customer_id: str) -> Customer | None:
        """The statement ``get``."""
        statement = self._need(self._plan.get, "get a customer by id")
        rows = await self._look(_at_most(statement, MOST_ROWS), {"id": customer_id})
        found = [customer for customer in self._read.customers(rows) if customer.id == customer_id]
        return await self._whole(found[0]) if found else None

    async def items(self, customer_id: str, limit: int = 5) -> Sequence[Item]:
        """The statement ``items``, without those that are solved or closed."""
        statement = self._need(self._plan.items, "list a customer's tickets")
        rows = await self._look(_at_most(statement, MOST_ROWS), {"customer": customer_id, "limit": MOST_ITEMS})
        items = [item for item in self._read.items(rows) if item.status not in (Status.SOLVED, Status.CLOSED)]
        return sorted(items, key=lambda item: item.updated or 0.0, reverse=True)[:limit]

    async def changes(self, of: Of, cursor: str | None) -> Page:
        """``customer_changes`` or ``ticket_changes``, in pages; the last ``overlap`` seconds are read again.

        A page that ends within a second begins the next at that second, longer, so that none of it is passed over.
        """
        statement = {Of.CUSTOMER: self._plan.customer_changes, Of.TICKET: self._plan.ticket_changes}.get(of)
        statement = self._need(statement, f"list changes of a {of}")
        if cursor is None:
            return Page((), str(Mark(await self._ask(self._bulk, self._now))))
        mark = Mark.read(cursor)
        start = mark.seen - self._plan.overlap if mark.position is None else mark.position
        limit = mark.limit or self._plan.page
        values: Values = {"since": at(start), "since_epoch": int(start // 1), "limit": limit}

        async def asks(session: Session) -> tuple[float, Sequence[Row]]:
            return await self._now(session), await session.rows(statement, values)

        now, rows = await self._ask(self._bulk, asks)
        changes = self._read.changes(of, rows)
        seen = max([mark.seen, *(min(change.at, now) for change in changes if change.at is not None)])
        if len(rows) < limit:
            return Page(tuple(changes), str(Mark(seen)))
        last = changes[-1].at or start
        longer = limit * 4 if last - start < 1.0 else self._plan.page
        if longer > MOST_AT_ONCE:
            raise InvalidError(
                f"SQL {statement.name}: {limit} changes and more within a second, or :since is overlooked"
            )
        return Page(tuple(changes), str(Mark(seen, last, longer)), more=True)

    async def load(self, after: str | None = None) -> AsyncIterator[tuple[Sequence[Customer], str]]:
        """``load``, page by page. The last customer of a full page may have more rows: it begins the next."""
        statement = self._need(self._plan.load, "list every customer")
        size, places = self._plan.page, {after}
        place: str | First = First() if after is None else after
        while True:
            values: Values = {"after": place, "limit": size}
            rows = await self._ask(self._bulk, lambda session, values=values: session.rows(statement, values))  # type: ignore[misc]
            customers = self._read.customers(rows)
            ends = len(rows) < size
            if not customers:
                return
            if not ends and len(customers) == 1:
                raise InvalidError(f"SQL load: {customers[0].id} has {size} rows and more: enlarge sql.page")
            if not ends:
                customers.pop()
            place = customers[-1].id
            if place in places:
                raise InvalidError(f"SQL load does not go on behind :after = {place!r}: it needs ORDER BY its id")
            places.add(place)
            yield customers, place
            if ends:
                return

    async def describe(self) -> Schema:
        """The columns of the statements, under what their rows are."""
        schema: dict[str, dict[str, FieldInfo]] = {}
        for kind, statement in self._plan.statements():
            columns = await self._ask(self._bulk, partial(_columns, statement=statement, values=self._sample()))
            schema.setdefault(kind, {}).update((name, FieldInfo(of)) for name, of in columns)
        return schema

    async def advice(self) -> list[str]:
        """Which index is missing, a line each, with what creates it."""
        lines: list[str] = []
        for _, statement in self._plan.statements():
            if statement is self._plan.load:  # it is there to read all
                continue
            try:
                scans = await self._bulk.ask(lambda session, asked=statement: session.scans(asked, self._sample()))  # type: ignore[misc]
            except CrmError as error:  # an older server, a view whose tables are not ours to see
                log.info("not known whether an index is missing", statement=statement.name, error=str(error))
            else:
                lines += advice(self._kind, statement, scans)
        return list(dict.fromkeys(lines))

    def url_of(self, ref: Ref) -> str | None:
        """By the mapping file."""
        template = {Of.CUSTOMER: self._plan.customer_url, Of.TICKET: self._plan.ticket_url}.get(ref.of)
        return template.replace("{id}", quote(ref.id, safe="")) if template else None

    async def close(self) -> None:
        """Let go of the sessions."""
        self._lookups.close()
        self._bulk.close()

    async def _whole(self, customer: Customer) -> Customer:
        """With purchases and contracts of the statements that bring them."""
        values: Values = {"customer": customer.id, "limit": MOST_BOUGHT}
        if self._plan.purchases is not None:
            rows = await self._look(_at_most(self._plan.purchases, MOST_BOUGHT), values)
            customer = replace(customer, purchases=self._read.map.purchases_of([*map(self._read.record, rows)]))
        if self._plan.contracts is not None:
            rows = await self._look(_at_most(self._plan.contracts, MOST_BOUGHT), values)
            customer = replace(customer, contracts=self._read.map.contracts_of([*map(self._read.record, rows)]))
        return customer

    async def _look(self, statement: Statement, values: Values) -> Sequence[Row]:
        rows: Sequence[Row] = await self._ask(self._lookups, lambda session: _some(session, statement, values))
        return rows

    async def _ask(self, pool: Pool, work: Callable[[Session], Awaitable[Any]]) -> Any:
        try:
            return await pool.ask(work)
        except InvalidError:
            self._looked = False  # the schema may be another by now
            raise
        except NoSuchIdError as error:
            raise InvalidError(f"SQL: {error}") from error

    async def _now(self, session: Session) -> float:
        now = await session.now()
        return self._context.clock() if now is None else now

    async def _faults(self) -> list[str]:
        faults: list[str] = []
        for kind, statement in self._plan.statements():
            try:
                columns = await self._bulk.ask(partial(_columns, statement=statement, values=self._sample()))
            except (AuthError, InvalidError) as error:
                faults.append(str(error).removeprefix("SQL "))
            else:
                names = [name for name, _ in columns]
                faults += self._read.faults(self._context.mapping, kind, statement, names)
                if statement.name.endswith("_changes") and self._plan.updated not in names:
                    faults.append(f"{statement.name} has no column {self._plan.updated!r}: when it was changed")
        return list(dict.fromkeys(faults))

    def _sample(self) -> Values:
        """Values that every statement can be tried with."""
        ids = dict.fromkeys(("id", "customer", "after"), First())
        since = at(self._context.clock() - 60)
        return {**(values_of(_SAMPLE) or {}), **ids, "limit": 5, "since": since, "since_epoch": int(since.timestamp())}

    def _need(self, statement: Statement | None, what: str) -> Statement:
        if statement is None:
            raise self._refusal(what)
        return statement


async def _columns(session: Session, statement: Statement, values: Values) -> Sequence[tuple[str, str]]:
    return await session.columns(statement, values)


async def _some(session: Session, statement: Statement, values: Values) -> Sequence[Row]:
    """The rows; none where a value cannot be one of the column's: nobody has it."""
    try:
        return await session.rows(statement, values)
    except NoSuchIdError:
        return ()


def _at_most(statement: Statement, rows: int) -> Statement:
    return statement.within(f"SELECT * FROM {{}} AS hotline_rows LIMIT {rows}")  # noqa: S608 - a number of ours


def _opener(where: Where, settings: SqlSettings, context: Context, limit: float) -> Callable[[], Awaitable[Session]]:
    """What opens a session with these limits. Raises InvalidError where the driver is not installed."""
    password = context.secret(settings.secret_env) if settings.secret_env else None
    trust = None if where.local or settings.plain else _trust(settings, context)
    zone = ZoneInfo(settings.timezone)
    offset = datetime.fromtimestamp(context.clock(), zone).strftime("%z")
    access = Access(where, password, trust, limit, settings.session_init, zone, offset)
    try:  # each kind needs its own driver only
        if where.kind is Kind.POSTGRESQL:
            from crm import sql_postgres  # noqa: PLC0415

            return partial(sql_postgres.open_session, access)
        if where.kind is Kind.MYSQL:
            from crm import sql_mysql  # noqa: PLC0415

            return partial(sql_mysql.open_session, access)
    except ImportError as error:
        extra = "postgres" if where.kind is Kind.POSTGRESQL else "mysql"
        raise InvalidError(f"SQL: {error}: install hotline[{extra}]", "url") from error
    return partial(sql_sqlite.open_session, access, context.base)


def _trust(settings: SqlSettings, context: Context) -> ssl.SSLContext:
    file = context.base / settings.ca_file if settings.ca_file else None
    try:
        return ssl.create_default_context(cafile=None if file is None else str(file))
    except (OSError, ssl.SSLError) as error:
        raise InvalidError(f"SQL: the CA file {file} cannot be used: {error}", "ca_file") from error
