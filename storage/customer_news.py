"""Which customers are to be indexed anew: noted by whoever writes one, in the same transaction. Private to storage."""

from collections.abc import Iterable

from sqlalchemy import ColumnElement, Connection, insert, literal, select

from storage.bulk import pour
from storage.crm_index_tables import index_customers
from storage.customer_search_tables import customer_news
from storage.customer_tables import customers
from storage.customer_words import Kept

_COLUMNS = ("kept", "customer_id")


def note(conn: Connection, kept: Kept, ids: Iterable[str]) -> None:
    """These were written, or are gone."""
    pour(conn, customer_news, _COLUMNS, [(kept.value, one) for one in ids])


def note_all(conn: Connection, kept: Kept, *where: ColumnElement[bool]) -> None:
    """As :func:`note`, of all customers of a kind, or those of some rows."""
    table = customers if kept is Kept.OWN else index_customers
    them = select(literal(kept.value), table.c.id).where(*where)
    conn.execute(insert(customer_news).from_select(list(_COLUMNS), them))
