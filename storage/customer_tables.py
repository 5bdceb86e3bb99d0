"""Tables of the embedded customers. Private to storage; :mod:`storage.customers` reads and writes them.

Dates are ISO texts (``2026-11-21``) and money is whole fen: SQLite knows neither dates nor decimals, and one query
then brings a customer's whole card home on either database.
"""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, String, Table, Text

from storage.metadata import metadata

customers = Table(
    "customers",
    metadata,
    Column("id", String(128), primary_key=True),  # the CRM's own
    Column("name", Text, nullable=False),
    Column("company", Text),
    Column("level", Text),
    Column("vip", Boolean, nullable=False),
    Column("owner", Text),
    Column("note", Text),
)


def _part(name: str, *columns: Column[str] | Column[int] | Column[str | None], index: Index | None = None) -> Table:
    """A table of what a customer has several of, in the order of ``position``, gone with the customer."""
    return Table(
        name,
        metadata,
        Column("customer_id", String(128), ForeignKey("customers.id", ondelete="CASCADE"), primary_key=True),
        Column("position", Integer, primary_key=True, autoincrement=False),
        *columns,
        *([index] if index is not None else []),
    )


customer_phones = _part(
    "customer_phones",
    Column("raw", Text, nullable=False),
    Column("e164", String(32)),
    Column("ext", String(16)),
    # Holds all that the search for a caller reads, so that it never touches the table.
    index=Index("ix_customer_phones_e164_ext_customer_id", "e164", "ext", "customer_id"),
)

purchases = _part(
    "purchases",  # newest first
    Column("what", Text, nullable=False),
    Column("on", String(10)),
    Column("fen", BigInteger),
    Column("order_no", Text),
)

contracts = _part(
    "contracts",
    Column("what", Text, nullable=False),
    Column("number", Text),
    Column("until", String(10)),
)
