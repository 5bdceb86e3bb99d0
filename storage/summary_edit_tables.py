"""What people corrected in summaries: a row a correction, none ever changed. Private to storage."""

from sqlalchemy import JSON, Boolean, Column, ForeignKey, Index, String, Table, Text

from storage.metadata import Id, Moment, metadata

summary_edits = Table(
    "summary_edits",
    metadata,
    Column("id", Id, primary_key=True),
    Column("call_id", Id, ForeignKey("calls.id", ondelete="CASCADE"), nullable=False),
    Column("part", String(16), nullable=False),
    Column("key", Text, nullable=False),  # which fact or promise; '' for what a summary has one of
    Column("value", JSON(none_as_null=True)),  # what the person says; null: it is not so
    Column("machine", JSON(none_as_null=True)),  # what the machine had said there
    Column("undone", Boolean, nullable=False),  # the machine was right after all
    Column("who", String(64), nullable=False),
    Column("at", Moment, nullable=False),
    Column("engine", String(64)),  # of the transcript that the summary was made of
    Column("model", String(128)),
    Index("ix_summary_edits_call_id", "call_id"),
    Index("ix_summary_edits_at", "at"),
)
