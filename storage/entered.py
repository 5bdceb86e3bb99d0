"""Customers that people entered here because nobody knew a caller, found beside those of a CRM."""

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, or_, select

from crm.customer import Customer, Phone
from numbering.number import Number
from storage.choice_tables import entered_customers
from storage.choosing import ENTERED
from storage.customer_tables import customer_phones, customers
from storage.database import Database
from storage.happened import key_of
from storage.tables import calls
from telephony.call import CallKey

MOST_FOUND = 20

_OF_CALL = (
    select(entered_customers.c.id)
    .join_from(entered_customers, calls, calls.c.id == entered_customers.c.call_id)
    .where(calls.c.key == bindparam("key"))
)
_OF_NUMBER = select(customer_phones.c.customer_id).where(
    customer_phones.c.e164 == bindparam("e164"), customer_phones.c.customer_id.startswith(ENTERED)
)
_THESE = select(customers).where(
    or_(customers.c.id.in_(_OF_NUMBER), customers.c.id.in_(bindparam("ids", expanding=True)))
)
_PHONES = (
    select(customer_phones)
    .where(customer_phones.c.customer_id.in_(bindparam("ids", expanding=True)))
    .order_by(customer_phones.c.customer_id, customer_phones.c.position)
)


class EnteredCustomers:
    """Finds them. All methods raise StorageError."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def find(self, number: Number) -> Sequence[Customer]:
        """Everybody who was entered with this number, whatever extension."""
        if number.e164 is None:
            return ()
        return await self._db.look(lambda conn: _found(conn, number.e164, ()))

    async def on_call(self, call: CallKey, e164: str | None) -> Sequence[Customer]:
        """The same, and who was entered during a call: of a withheld number nobody would be found."""

        def look(conn: Connection) -> Sequence[Customer]:
            ids = conn.execute(_OF_CALL, {"key": key_of(call)}).scalars()
            return _found(conn, e164, [f"{ENTERED}{each}" for each in ids])

        return await self._db.look(look)


def _found(conn: Connection, e164: str | None, ids: Sequence[str]) -> Sequence[Customer]:
    rows = conn.execute(_THESE.order_by(customers.c.id).limit(MOST_FOUND), {"e164": e164, "ids": ids}).all()
    if not rows:
        return ()
    phones: dict[str, list[Phone]] = {}
    for row in conn.execute(_PHONES, {"ids": [row.id for row in rows]}):
        phones.setdefault(row.customer_id, []).append(Phone(row.raw, row.e164, row.ext))
    return tuple(
        Customer(
            id=row.id,
            name=row.name,
            phones=tuple(phones.get(row.id, ())),
            company=row.company,
            level=row.level,
            vip=row.vip,
            owner=row.owner,
            note=row.note,
        )
        for row in rows
    )
