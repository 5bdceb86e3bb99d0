"""What was told of a call, and to whom. Private to storage."""

from sqlalchemy import Boolean, Column, Double, Index, Integer, String, Table, Text, UniqueConstraint, false, text

from storage.metadata import Id, Moment, metadata

_FAILED = text("error IS NOT NULL")
GONE = "-"  # no call: the row of a target that wants to hear no more

pushes = Table(
    "pushes",
    metadata,
    Column("id", Id, primary_key=True),
    Column("target", String(64), nullable=False),
    Column("call", String(200), nullable=False),
    Column("name", String(255), nullable=False),  # what was told
    Column("tried", Moment, nullable=False),  # last; where it is wanted again: since when
    Column("told", Moment),  # null: it was sent, or about to be, and no answer came
    Column("again", Boolean, nullable=False, server_default=false()),  # a person wants it told once more
    UniqueConstraint("target", "call", "name"),
    Index("ix_pushes_tried", "tried"),
)

deliveries = Table(  # each attempt, with what was sent and what came back
    "deliveries",
    metadata,
    Column("id", Id, primary_key=True),
    Column("target", String(64), nullable=False),
    Column("call", String(200), nullable=False),
    Column("name", String(255), nullable=False),
    Column("what", String(16), nullable=False),
    Column("at", Moment, nullable=False),
    Column("took", Double, nullable=False),  # seconds
    Column("status", Integer),  # of HTTP; null: no answer came
    Column("error", Text),  # null: it was taken
    Column("sent", Text, nullable=False),
    Column("answer", Text),  # its beginning
    Index("ix_deliveries_target_id", "target", "id"),
    Index("ix_deliveries_call_id", "call", "id"),
    Index("ix_deliveries_at", "at"),
    Index("ix_deliveries_failed", "id", sqlite_where=_FAILED, postgresql_where=_FAILED),
    Index("ix_deliveries_failed_target", "target", "id", sqlite_where=_FAILED, postgresql_where=_FAILED),
)
