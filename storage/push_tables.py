"""What was told of a call, and to whom. Private to storage."""

from sqlalchemy import Column, Index, String, Table, UniqueConstraint

from storage.metadata import Id, Moment, metadata

pushes = Table(
    "pushes",
    metadata,
    Column("id", Id, primary_key=True),
    Column("target", String(64), nullable=False),
    Column("call", String(200), nullable=False),
    Column("name", String(255), nullable=False),  # what was told
    Column("tried", Moment, nullable=False),
    Column("told", Moment),  # null: it was sent, or about to be, and no answer came
    UniqueConstraint("target", "call", "name"),
    Index("ix_pushes_tried", "tried"),
)
