"""Whom people said the caller is, and notes that are being written. Private to storage."""

from sqlalchemy import JSON, Column, ForeignKey, Integer, String, Table, Text, UniqueConstraint

from storage.metadata import Id, Moment, metadata

choices = Table(
    "choices",
    metadata,
    Column("id", Id, primary_key=True),
    Column("call_id", Id, ForeignKey("calls.id", ondelete="CASCADE"), nullable=False),
    Column("number", Integer, nullable=False),  # counts what was chosen and undone on this call
    Column("customer_id", String(128)),  # null: undone
    Column("customer_name", Text),
    Column("who", String(64), nullable=False),  # login
    Column("at", Moment, nullable=False),
    Column("before", JSON(none_as_null=True), nullable=False),  # what stood on call, ticket and number, to undo it
    UniqueConstraint("call_id"),
)

number_choices = Table(
    "number_choices",  # whom people chose last of the customers that share a number
    metadata,
    Column("id", Id, primary_key=True),
    Column("number", String(64), nullable=False),  # E.164, with its extension where the caller showed one
    Column("customer_id", String(128), nullable=False),
    Column("customer_name", Text, nullable=False),
    Column("who", String(64), nullable=False),
    Column("at", Moment, nullable=False),
    Column("call", String(200), nullable=False),  # the call's key; only its own undoing takes it back
    UniqueConstraint("number"),
)

entered_customers = Table(
    "entered_customers",  # customers that people entered during a call; their ids are made of these
    metadata,
    Column("id", Id, primary_key=True),
    Column("call_id", Id, ForeignKey("calls.id", ondelete="SET NULL")),
    Column("name", String(200), nullable=False),
    Column("who", String(64), nullable=False),
    Column("at", Moment, nullable=False),
    UniqueConstraint("call_id", "name"),  # sent twice is entered once
)

note_drafts = Table(
    "note_drafts",
    metadata,
    Column("id", Id, primary_key=True),
    Column("ticket_id", Id, ForeignKey("tickets.id", ondelete="CASCADE"), nullable=False),
    Column("login", String(64), nullable=False),
    Column("text", Text, nullable=False),
    Column("at", Moment, nullable=False),
    UniqueConstraint("ticket_id", "login"),
)
