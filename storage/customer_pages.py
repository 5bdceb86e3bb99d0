"""The embedded customers page by page, as far as it matters whether callers are known: names and numbers."""

from collections.abc import AsyncIterator, Sequence

from sqlalchemy import Connection, select

from crm.customer import Customer, Phone
from storage.customer_tables import customer_phones, customers
from storage.database import Database

PAGE = 500


async def customer_pages(db: Database, most: int = PAGE) -> AsyncIterator[Sequence[Customer]]:
    """Every customer by id, without purchases and contracts. Raises StorageError."""
    after = ""
    while page := await db.look(lambda conn, behind=after: _page(conn, behind, most)):  # type: ignore[misc]
        yield page
        after = page[-1].id


def _page(conn: Connection, after: str, most: int) -> list[Customer]:
    rows = conn.execute(select(customers).where(customers.c.id > after).order_by(customers.c.id).limit(most)).all()
    query = select(customer_phones).where(customer_phones.c.customer_id.in_([row.id for row in rows]))
    phones: dict[str, list[Phone]] = {}
    for row in conn.execute(query.order_by(customer_phones.c.customer_id, customer_phones.c.position)):
        phones.setdefault(row.customer_id, []).append(Phone(row.raw, row.e164, row.ext))
    return [
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
    ]
