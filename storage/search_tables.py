"""What texts are found by, what calls were about by the hour, and what was more than usual. Private to storage.

``tokens`` are those of :mod:`storage.search_words`: on SQLite one text, which triggers keep in the full-text table
``call_index`` (``ticket_index``) of the same row numbers; on PostgreSQL the vector that is searched.
"""

from sqlalchemy import JSON, Column, Double, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import TSVECTOR

from storage.metadata import Id, Moment, metadata

Tokens = Text().with_variant(TSVECTOR(), "postgresql")
# SQLite's own tables, with others of theirs behind: no tables of ours
FULL_TEXT = ("call_index", "customer_index", "ticket_index")

call_words = Table(
    "call_words",
    metadata,
    Column("call_id", Id, ForeignKey("calls.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("scheme", Integer, nullable=False),
    Column("tokens", Tokens, nullable=False),
    Column("words", Text, nullable=False),  # what the caller said that may say what it was about, parted by spaces
    Index("ix_call_words_tokens", "tokens", postgresql_using="gin").ddl_if(dialect="postgresql"),
)

ticket_words = Table(
    "ticket_words",
    metadata,
    Column("ticket_id", Id, ForeignKey("tickets.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("scheme", Integer, nullable=False),
    Column("tokens", Tokens, nullable=False),
    Index("ix_ticket_words_tokens", "tokens", postgresql_using="gin").ddl_if(dialect="postgresql"),
)

call_causes = Table(
    "call_causes",
    metadata,
    Column("id", Id, primary_key=True),
    Column("call_id", Id, ForeignKey("calls.id", ondelete="CASCADE"), nullable=False),
    Column("line", String(32), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("value", String(64), nullable=False),
    Column("at", Moment, nullable=False),  # the call's arrival
    UniqueConstraint("call_id", "kind", "value"),
    Index("ix_call_causes_line_kind_value_at", "line", "kind", "value", "at"),
)

bursts = Table(
    "bursts",
    metadata,
    Column("id", Id, primary_key=True),
    Column("line", String(32), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("value", String(64), nullable=False),
    Column("begins", Moment, nullable=False),  # the first call of it
    Column("last", Moment, nullable=False),  # the last call that still was of it
    Column("noticed", Moment, nullable=False),
    Column("calls", Integer, nullable=False),
    Column("peak", Integer, nullable=False),  # the most calls in one hour
    Column("usual", Double, nullable=False),  # calls in that hour as a rule
    Column("words", JSON, nullable=False),
    Index("ix_bursts_line_kind_value_last", "line", "kind", "value", "last"),
    Index("ix_bursts_last", "last"),
)
