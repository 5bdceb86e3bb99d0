"""Numbers that called and spoke with nobody. Private to storage; what other rooms get is ``callbacks``."""

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table, UniqueConstraint

from storage.metadata import Id, Moment, metadata

callbacks = Table(
    "callbacks",
    metadata,
    Column("id", Id, primary_key=True),
    Column("number", String(32), nullable=False),  # E.164
    Column("line", String(32), nullable=False),
    Column("state", String(16), nullable=False),
    Column("call_id", Id, ForeignKey("calls.id", ondelete="CASCADE"), nullable=False),  # the last one missed
    Column("ticket_id", Id, ForeignKey("tickets.id", ondelete="SET NULL")),
    Column("missed", Integer, nullable=False),  # calls missed since somebody last spoke with the number
    Column("first", Moment, nullable=False),  # when the first of them ended
    Column("last", Moment, nullable=False),
    Column("taken_by", String(64)),  # login
    Column("taken_until", Moment),  # a lease: who went home does not keep it
    Column("tries", Integer, nullable=False),
    Column("tried", Moment),
    Column("result", String(16)),  # of the last try
    Column("settled", Moment),  # when it was last off the list: missed calls that ended before count no more
    Column("settled_by", String(64)),  # login of who closed it or spoke; null: seen on the PBX
    UniqueConstraint("number", "line"),
    Index("ix_callbacks_state_first", "state", "first", "id"),
    Index("ix_callbacks_call_id", "call_id"),
    Index("ix_callbacks_ticket_id", "ticket_id"),
)
