"""Comparisons of both sides, and the differences found. Private to storage; :mod:`storage.crm_sync` keeps them."""

from sqlalchemy import JSON, Column, Index, Integer, String, Table, Text, UniqueConstraint

from storage.metadata import Id, Moment, metadata

crm_rounds = Table(
    "crm_rounds",
    metadata,
    Column("id", Id, primary_key=True),
    Column("key", String(64), nullable=False, unique=True),  # the night it is for, or what asked for it
    Column("since", Moment, nullable=False),  # records made before are left out
    Column("began", Moment, nullable=False),
    Column("ended", Moment),
    Column("place", Text, nullable=False),  # JSON: where it goes on when it was broken off
    Column("total", Integer, nullable=False),  # records to be compared, as counted when it began
    Column("compared", Integer, nullable=False),
    Column("differing", Integer, nullable=False),  # of those compared
    Column("waiting", Integer, nullable=False),  # not compared: a job is bringing them in line just now
    Column("quality", JSON(none_as_null=True)),  # counts of what is wrong with the CRM's customers
    Column("trouble", Text),  # what it waits for
    Index("ix_crm_rounds_began", "began"),
)

crm_differences = Table(
    "crm_differences",
    metadata,
    Column("id", Id, primary_key=True),
    Column("subject", String(255), nullable=False),
    Column("what", String(16), nullable=False),
    Column("theirs_id", String(255), nullable=False),  # tells several of one kind apart; empty: there is only one
    Column("ours", Text, nullable=False),
    Column("theirs", Text, nullable=False),
    Column("mend", String(16), nullable=False),
    Column("detail", JSON(none_as_null=True)),
    Column("call", String(200)),
    Column("ticket_id", Id),
    Column("ticket_number", String(32)),
    Column("found", Moment, nullable=False),
    Column("seen", Moment, nullable=False),
    Column("mending", Moment),  # since when it is being repaired; null: it is not
    Column("trouble", Text),  # why it could not be
    UniqueConstraint("subject", "what", "theirs_id"),
    Index("ix_crm_differences_seen", "seen"),
)
