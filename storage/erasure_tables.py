"""What was erased of one person: that it was, by whom, how much. Private to storage."""

from sqlalchemy import Column, Integer, String, Table, Text

from storage.metadata import Id, Moment, metadata

erasures = Table(
    "erasures",
    metadata,
    Column("id", Id, primary_key=True),
    Column("kind", String(16), nullable=False),  # number or customer
    Column("target", String(128)),  # null once it is done: from then on only its digest is known
    Column("salt", String(32), nullable=False),
    Column("digest", String(64), nullable=False),  # SHA-256 of salt and target: whether it was this one can be checked
    Column("who", String(64), nullable=False),
    Column("asked", Moment, nullable=False),  # what came later stays
    Column("done", Moment),
    Column("calls", Integer, nullable=False),
    Column("tickets", Integer, nullable=False),
    Column("recordings", Integer, nullable=False),
    Column("trouble", Text),  # why it is not done yet
)
