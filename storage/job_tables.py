"""Jobs: slow or foreign work, written in the transaction of the fact that caused it. Private to storage."""

from sqlalchemy import JSON, Boolean, Column, Index, Integer, String, Table, Text, UniqueConstraint, false

from storage.metadata import Id, Moment, metadata

jobs = Table(
    "jobs",
    metadata,
    Column("id", Id, primary_key=True),
    Column("kind", String(64), nullable=False),
    Column("key", String(255), nullable=False),
    Column("payload", JSON, nullable=False),
    Column("state", String(16), nullable=False),
    Column("claims", Integer, nullable=False),  # the fence: grows with every claim, and only the last may finish
    Column("attempts", Integer, nullable=False),  # claims that count: not those that only found it must wait
    Column("due", Moment, nullable=False),  # ready: not before; running: when the lease ends
    Column("why", Text),  # what a deferred job waits for
    Column("error", Text),  # what went wrong last
    Column("again", Boolean, nullable=False, server_default=false()),  # asked for once more since it was claimed
    Column("created", Moment, nullable=False),
    Column("changed", Moment, nullable=False),
    UniqueConstraint("kind", "key"),
    Index("ix_jobs_state_due_id", "state", "due", "id"),
)
