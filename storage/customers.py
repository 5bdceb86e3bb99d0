"""The embedded CRM: customers in our own database, found by exact number.

Implements :class:`crm.connector.Connector`. Finding takes one statement, however many customers share a number: a card
waits for it. What the numbers mean was decided at import; who is the caller is :mod:`crm.matching`'s to decide.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    Row,
    Select,
    Table,
    Text,
    bindparam,
    case,
    cast,
    delete,
    func,
    literal,
    null,
    select,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from crm.connector import Can, Health, Unable
from crm.customer import Contract, Customer, Phone, Purchase
from crm.trouble import TransientError
from numbering.number import Number
from storage.customer_tables import contracts, customer_phones, customers, purchases
from storage.database import Database
from storage.once import insert_into
from storage.trouble import StorageError

MOST_FOUND = 200  # customers for one number: behind a trunk of that many nobody is recognised anyway
CARD_PURCHASES = 3

_CUSTOMER, _PHONE, _PURCHASE, _CONTRACT = range(4)
_IDS_A_STATEMENT = 1000  # SQLite takes 32,766 parameters, older ones 999 and some


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
_FIND = _cards(_CALLERS, CARD_PURCHASES)
_GET = _cards(select(customers.c.id).where(customers.c.id == bindparam("id")), None)


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
            rows = await self._db.look(lambda conn: conn.execute(_FIND, wanted).all())
        except StorageError as error:
            raise TransientError(f"the embedded customers cannot be read: {error}") from error
        return _customers(rows)

    async def get(self, customer_id: str) -> Customer | None:
        """The customer of that id with all purchases, None when there is none. Raises CrmError."""
        try:
            async with self._db.read() as conn:
                rows = (await conn.execute(_GET, {"id": customer_id})).all()
        except StorageError as error:
            raise TransientError(f"the embedded customers cannot be read: {error}") from error
        return next(iter(_customers(rows)), None)

    async def count(self) -> int:
        """How many customers there are. Raises StorageError."""
        async with self._db.read() as conn:
            return int((await conn.execute(select(func.count()).select_from(customers))).scalar_one())

    async def add_many(self, given: Iterable[Customer]) -> Added:
        """Write customers in one transaction: a new id is added, a known one replaced whole. Raises StorageError.

        Of two with the same id the later one stays.
        """
        # In one order everywhere, so that two imports on PostgreSQL cannot wait for each other.
        last = dict(sorted({customer.id: customer for customer in given}.items()))
        if not last:
            return Added(0, 0)
        async with self._db.write() as conn:
            known = await _known(conn, list(last))
            await _upsert(conn, last.values())
            # Of all of them: on PostgreSQL a rival may have written an id between the look and the upsert.
            for table in (customer_phones, purchases, contracts):
                await _clear(conn, table, list(last))
            await _fill(conn, customer_phones, [row for each in last.values() for row in _phone_rows(each)])
            await _fill(conn, purchases, [row for each in last.values() for row in _purchase_rows(each)])
            await _fill(conn, contracts, [row for each in last.values() for row in _contract_rows(each)])
        return Added(len(last) - len(known), len(known))


async def _known(conn: AsyncConnection, ids: Sequence[str]) -> list[str]:
    known: list[str] = []
    for start in range(0, len(ids), _IDS_A_STATEMENT):
        some = ids[start : start + _IDS_A_STATEMENT]
        known += (await conn.execute(select(customers.c.id).where(customers.c.id.in_(some)))).scalars()
    return known


async def _upsert(conn: AsyncConnection, given: Iterable[Customer]) -> None:
    insert = insert_into(conn, customers)
    own = [column.name for column in customers.c]
    replaced = {name: insert.excluded[name] for name in own if name != "id"}
    rows = [{name: getattr(customer, name) for name in own} for customer in given]
    await conn.execute(insert.on_conflict_do_update(index_elements=["id"], set_=replaced), rows)


async def _clear(conn: AsyncConnection, table: Table, ids: Sequence[str]) -> None:
    for start in range(0, len(ids), _IDS_A_STATEMENT):
        some = ids[start : start + _IDS_A_STATEMENT]
        await conn.execute(delete(table).where(table.c.customer_id.in_(some)))


async def _fill(conn: AsyncConnection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        await conn.execute(table.insert(), rows)


def _phone_rows(customer: Customer) -> Iterable[dict[str, Any]]:
    for position, phone in enumerate(customer.phones):
        yield {
            "customer_id": customer.id,
            "position": position,
            "raw": phone.raw,
            "e164": phone.e164,
            "ext": phone.ext,
        }


def _purchase_rows(customer: Customer) -> Iterable[dict[str, Any]]:
    newest_first = sorted(customer.purchases, key=lambda purchase: purchase.on or date.min, reverse=True)
    for position, purchase in enumerate(newest_first):
        yield {
            "customer_id": customer.id,
            "position": position,
            "what": purchase.what,
            "on": purchase.on.isoformat() if purchase.on else None,
            "fen": None if purchase.amount is None else int((purchase.amount * 100).to_integral_value()),
            "order_no": purchase.order_no,
        }


def _contract_rows(customer: Customer) -> Iterable[dict[str, Any]]:
    for position, contract in enumerate(customer.contracts):
        yield {
            "customer_id": customer.id,
            "position": position,
            "what": contract.what,
            "number": contract.number,
            "until": contract.until.isoformat() if contract.until else None,
        }


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
