"""Customers as rows, ready to be written: plain tuples that pass from one process to another at little cost.

Private to storage but for :class:`Prepared`, which an import makes beside the process that writes.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any, Self

from sqlalchemy import Connection

from crm.customer import Customer, Purchase
from storage.bulk import pour, there, wipe
from storage.customer_news import note
from storage.customer_tables import contracts, customer_phones, customers, purchases
from storage.customer_words import Kept

_CUSTOMER = ("id", "name", "company", "level", "vip", "owner", "note")
_PHONE = ("customer_id", "position", "raw", "e164", "ext")
_PURCHASE = ("customer_id", "position", "what", "on", "fen", "order_no")
_CONTRACT = ("customer_id", "position", "what", "number", "until")

_Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Prepared:
    """Customers as rows, each id once. Made by :meth:`of`."""

    ids: list[str]
    customers: list[_Row]
    phones: list[_Row]
    purchases: list[_Row]
    contracts: list[_Row]

    @classmethod
    def of(cls, given: Iterable[Customer]) -> Self:
        """Rows of these customers; of two with the same id the later one counts."""
        # In one order everywhere, so that two imports on PostgreSQL cannot wait for each other.
        last = sorted({customer.id: customer for customer in given}.items())
        made = cls([customer_id for customer_id, _ in last], [], [], [], [])
        for customer_id, its in last:
            made.customers.append((customer_id, its.name, its.company, its.level, its.vip, its.owner, its.note))
            for position, phone in enumerate(its.phones):
                made.phones.append((customer_id, position, phone.raw, phone.e164, phone.ext))
            if its.purchases:
                made.purchases.extend(_bought(customer_id, its.purchases))
            for position, contract in enumerate(its.contracts):
                until = contract.until.isoformat() if contract.until else None
                made.contracts.append((customer_id, position, contract.what, contract.number, until))
        # Neighbours in the index of numbers are written together: half as many of its pages are touched twice.
        made.phones.sort(key=_e164)
        return made


def write(conn: Connection, made: Prepared) -> int:
    """Write them over what stands of them; how many stood there."""
    known = there(conn, customers.c.id, made.ids)
    pour(conn, customers, _CUSTOMER, made.customers, key="id")
    # Of all of them on PostgreSQL: there a rival may have written an id between the look and the upsert.
    old = known if conn.dialect.name == "sqlite" else made.ids
    for table in (customer_phones, purchases, contracts):
        wipe(conn, table.c.customer_id, old)
    pour(conn, customer_phones, _PHONE, made.phones)
    pour(conn, purchases, _PURCHASE, made.purchases)
    pour(conn, contracts, _CONTRACT, made.contracts)
    note(conn, Kept.OWN, made.ids)
    return len(known)


def _e164(phone: _Row) -> str:
    return phone[3] or ""


def _bought(customer_id: str, bought: Iterable[Purchase]) -> Iterable[_Row]:
    newest_first = sorted(bought, key=lambda purchase: purchase.on or date.min, reverse=True)
    for position, each in enumerate(newest_first):
        fen = None if each.amount is None else int((each.amount * 100).to_integral_value())
        yield (customer_id, position, each.what, each.on.isoformat() if each.on else None, fen, each.order_no)
