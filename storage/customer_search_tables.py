"""What customers are found by, and which of them are to be indexed anew. Private to storage.

``tokens`` are those of :mod:`storage.customer_words`; kept as those of calls are (:mod:`storage.search_tables`), on
SQLite with the full-text table ``customer_index``.
"""

from sqlalchemy import Column, Index, String, Table, UniqueConstraint

from storage.metadata import Id, metadata
from storage.search_tables import Tokens

customer_words = Table(
    "customer_words",
    metadata,
    Column("id", Id, primary_key=True),
    Column("kept", String(4), nullable=False),  # storage.customer_words.Kept
    Column("customer_id", String(128), nullable=False),
    Column("tokens", Tokens, nullable=False),
    UniqueConstraint("kept", "customer_id"),
    Index("ix_customer_words_tokens", "tokens", postgresql_using="gin").ddl_if(dialect="postgresql"),
)

# Written by whoever writes a customer, in the same transaction: a line each, twice for one that changed twice. An
# import of a million does not wait for a million to be indexed.
customer_news = Table(
    "customer_news",
    metadata,
    Column("id", Id, primary_key=True),
    Column("kept", String(4), nullable=False),
    Column("customer_id", String(128), nullable=False),
)
