"""When somebody listened to a PBX, and when nobody did. Private to storage."""

from sqlalchemy import Boolean, Column, Index, Integer, String, Table, Text, UniqueConstraint

from storage.metadata import Id, Moment, metadata

listening = Table(
    "listening",
    metadata,
    Column("id", Id, primary_key=True),
    Column("pbx", String(32), nullable=False),
    Column("service", String(64), nullable=False),  # which process: two may listen to one PBX
    Column("since", Moment, nullable=False),
    Column("until", Moment, nullable=False),  # the last time it was known to listen
    UniqueConstraint("pbx", "service", "since"),
    Index("ix_listening_pbx_until", "pbx", "until"),
)

gaps = Table(
    "gaps",
    metadata,
    Column("id", Id, primary_key=True),
    Column("pbx", String(32), nullable=False),
    Column("service", String(64), nullable=False),
    Column("since", Moment, nullable=False),
    Column("until", Moment, nullable=False),
    Column("why", Text, nullable=False),
    Column("covered", Boolean, nullable=False),  # another service listened all the time
    Column("unseen", Integer, nullable=False),  # calls that nobody had seen, written from the PBX's records
    Column("completed", Integer, nullable=False),  # lost calls whose end was found there
    Column("checked", Moment),  # when the records were last looked at
    Column("note", Text),  # why they could not be
    UniqueConstraint("pbx", "service", "since"),
    Index("ix_gaps_until", "until"),
)
