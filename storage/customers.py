"""The embedded CRM: customers in our own database, found by exact number.

Implements :class:`crm.connector.Connector`. Finding takes one statement, however many customers share a number: a card
waits for it. What the numbers mean was decided at import; who is the caller is :mod:`crm.matching`'s to decide.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Dialect,
    Integer,
    Row,
    Select,
    Table,
    Text,
    bindparam,
    case,
    cast,
    func,
    literal,
    null,
    select,
    union_all,
)

from crm.connector import Can, Health, Unable
from crm.customer import Contract, Customer, Phone, Purchase
from crm.trouble import TransientError
from numbering.number import Number
from storage.bulk import make_room
from storage.customer_rows import Prepared, write
from storage.customer_tables import contracts, customer_phones, customers, purchases
from storage.database import Database
from storage.trouble import StorageError

MOST_FOUND = 200  # customers for one number: behind a trunk of that many nobody is recognised anyway
CARD_PURCHASES = 3

_CUSTOMER, _PHONE, _PURCHASE, _CONTRACT = range(4)


@dataclass(frozen=True, slots=True)
class Added:
    """What :meth:`EmbeddedCrm.add_many` did: customers that are new, and that were there and were replaced."""

    new: int
    changed: int


def _rows(part: int, table: Table, columns: Sequence[str], number: ColumnElement[int] | None = None) -> Select[Any]:
    """One part of a card in the common shape: part, customer, position, five texts, one number."""
    position = table.c.get("position")
    texts = [cast(table.c[name], Text) for name in columns]
    texts += [cast(null(), Text)] * (5 - len(texts))
    return select(
        literal(part, Integer).label("part"),
        (table.c.id if table is customers else table.c.customer_id).label("customer_id"),
        (literal(0, Integer) if position is None else position).label("position"),
        *(text.label(name) for text, name in zip(texts, "abcde", strict=True)),
        cast(null() if number is None else number, BigInteger).label("n"),
    )


def _cards(ids: Select[tuple[str]], newest: int | None) -> Any:
    """Everything about the customers that ``ids`` selects, in one statement: one round trip, one look."""
    bought = _rows(_PURCHASE, purchases, ("what", "on", "order_no"), purchases.c.fen).where(
        purchases.c.customer_id.in_(ids)
    )
    if newest is not None:
        bought = bought.where(purchases.c.position < newest)
    vip = case((customers.c.vip, 1), else_=0)  # PostgreSQL casts no boolean to a number of 64 bits
    return union_all(
        _rows(_CUSTOMER, customers, ("name", "company", "level", "owner", "note"), vip).where(customers.c.id.in_(ids)),
        _rows(_PHONE, customer_phones, ("raw", "e164", "ext")).where(customer_phones.c.customer_id.in_(ids)),
        bought,
        _rows(_CONTRACT, contracts, ("what", "number", "until")).where(contracts.c.customer_id.in_(ids)),
    )


# Those with the caller's extension first: should the limit cut, it cuts those who are less likely.
_CALLERS = (
    select(customer_phones.c.customer_id)
    .where(customer_phones.c.e164 == bindparam("e164"))
    .order_by(
        case((func.coalesce(customer_phones.c.ext, "") == bindparam("ext"), 0), else_=1), customer_phones.c.customer_id
    )
    .limit(MOST_FOUND)
)
_FIND = _cards(select(_CALLERS.cte("callers").c.customer_id), CARD_PURCHASES)  # sought once, not for each part
_GET = _cards(select(customers.c.id).where(customers.c.id == bindparam("id")), None)


@lru_cache(maxsize=8)
def _spelled(dialect: Dialect) -> tuple[str, list[str], Mapping[str, Any]]:
    """The search as the driver takes it: its text, its parameters by name, those that are always the same."""
    compiled = _FIND.compile(dialect=dialect)
    return str(compiled), list(compiled.positiontup or ()), dict(compiled.params)


def _found(conn: Connection, wanted: Mapping[str, str]) -> Sequence[Row[Any]]:
    """Run the search. Its text stands once and for all: making it ready each time took longer than the search."""
    text, names, always = _spelled(conn.dialect)
    values = {**always, **wanted}
    return conn.exec_driver_sql(text, tuple(values[name] for name in names)).all()


def whole(conn: Connection, customer_id: str) -> Customer | None:
    """The customer of that id with all purchases, None when there is none."""
    return next(iter(_customers(conn.execute(_GET, {"id": customer_id}).all())), None)


class EmbeddedCrm(Unable):
    """Customers of our own, by CSV import."""

    name = "embedded"
    can = Can.FIND | Can.GET

    def __init__(self, db: Database) -> None:
        self._db = db

    async def health(self) -> Health:
        """That the customers can be read, and how many there are. Raises CrmError."""
        try:
            return Health(f"embedded, {await self.count()} customers")
        except StorageError as error:
            raise TransientError(f"the embedded customers cannot be read: {error}") from error

    async def find(self, number: Number) -> Sequence[Customer]:
        """Every customer with this E.164 number, whatever extension; three newest purchases each. Raises CrmError."""
        if number.e164 is None:
            return ()
        try:
            wanted = {"e164": number.e164, "ext": number.ext or ""}
            rows = await self._db.look(lambda conn: _found(conn, wanted))
        except StorageError as error:
            raise TransientError(f"the embedded customers cannot be read: {error}") from error
        return _customers(rows)

    async def get(self, customer_id: str) -> Customer | None:
        """The customer of that id with all purchases, None when there is none. Raises CrmError."""
        try:
            return await self._db.look(lambda conn: whole(conn, customer_id))
        except StorageError as error:
            raise TransientError(f"the embedded customers cannot be read: {error}") from error

    async def count(self) -> int:
        """How many customers there are. Raises StorageError."""
        async with self._db.read() as conn:
            return int((await conn.execute(select(func.count()).select_from(customers))).scalar_one())

    async def expect_many(self) -> None:
        """Get ready for very many customers, through this database and until it is closed. Raises StorageError."""
        await self._db.transact(make_room)

    async def add_many(self, given: Iterable[Customer]) -> Added:
        """Write customers in one transaction: a new id is added, a known one replaced whole. Raises StorageError.

        Of two with the same id the later one stays.
        """
        return await self.add_prepared(Prepared.of(given))

    async def add_prepared(self, made: Prepared) -> Added:
        """As :meth:`add_many`, of customers made ready elsewhere. Raises StorageError."""
        if not made.ids:
            return Added(0, 0)
        known = await self._db.transact(lambda conn: write(conn, made))
        return Added(len(made.ids) - known, known)


def _customers(rows: Sequence[Row[Any]]) -> list[Customer]:
    """The customers of a :func:`_cards` answer, by id."""
    parts: dict[str, list[list[Row[Any]]]] = {}
    for row in sorted(rows, key=lambda row: (row.customer_id, row.part, row.position)):
        parts.setdefault(row.customer_id, [[], [], [], []])[row.part].append(row)
    return [
        Customer(
            id=customer_id,
            name=own[0].a,
            phones=tuple(Phone(row.a, row.b, row.c) for row in phones),
            company=own[0].b,
            level=own[0].c,
            vip=bool(own[0].n),
            owner=own[0].d,
            purchases=tuple(Purchase(row.a, _day(row.b), _yuan(row.n), row.c) for row in bought),
            contracts=tuple(Contract(row.a, row.b, _day(row.c)) for row in signed),
            note=own[0].e,
        )
        for customer_id, (own, phones, bought, signed) in parts.items()
    ]


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _yuan(fen: int | None) -> Decimal | None:
    return None if fen is None else Decimal(fen).scaleb(-2)
