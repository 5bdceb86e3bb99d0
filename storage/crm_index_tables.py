"""Tables of the copy of a CRM's customers. Private to storage; :mod:`storage.crm_index` reads and writes them.

A customer is one row and its card one text: nobody asks for a part of it. One found to be gone stays as a row without
a card for a while, so that an older answer that comes late does not bring it back.
"""

from sqlalchemy import Boolean, Column, Index, Integer, String, Table, Text

from storage.metadata import Moment, metadata

index_customers = Table(
    "crm_index_customers",
    metadata,
    Column("id", String(128), primary_key=True),  # the CRM's own
    Column("card", Text),  # JSON; null when the CRM has no such customer any more
    Column("details", Text),  # JSON: what only a single look brings (purchases, contracts, what the firm has)
    Column("version", Text),  # the CRM's own
    Column("merged", String(128)),  # into this customer
    Column("seen", Moment, nullable=False),  # when the CRM was asked for it
    Column("load", Integer, nullable=False),  # the number of the last load that listed it
    Column("looked", Moment),  # when it was looked at by itself; null: never, or not since the listing changed
    Index("ix_crm_index_customers_load", "load"),
    Index("ix_crm_index_customers_looked", "looked"),
)

# Without row ids the table is the very index that a caller is found by.
index_phones = Table(
    "crm_index_phones",
    metadata,
    Column("number", String(32), primary_key=True),  # crm.index_keys
    Column("ext", String(16), primary_key=True),  # empty: none
    Column("customer_id", String(128), primary_key=True),
    Index("ix_crm_index_phones_customer_id", "customer_id"),
    sqlite_with_rowid=False,
)

index_state = Table(
    "crm_index_state",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),  # 1: there is one row
    Column("source", String(64)),  # which CRM, read how: rows of another one are worth nothing
    Column("worker", String(64)),  # who has the turn,
    Column("until", Moment, nullable=False),  # so long
    Column("wanted", Boolean, nullable=False),  # somebody asks for a load
    Column("told", Text, nullable=False),  # JSON: how far it is, of storage.crm_index_state
)
