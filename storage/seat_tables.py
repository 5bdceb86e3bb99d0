"""Who sits at which phone, and what state the phones' agents are in. Private to storage."""

from sqlalchemy import Column, Index, Integer, String, Table, Text, UniqueConstraint, text

from storage.metadata import Id, Moment, metadata

seats = Table(
    "seats",
    metadata,
    Column("id", Id, primary_key=True),
    Column("session_id", Id, nullable=False),  # the login's session, which may be gone by now
    Column("login", String(64), nullable=False),
    Column("extension", String(32), nullable=False),
    Column("began", Moment, nullable=False),
    Column("seen", Moment, nullable=False),  # when the login was used last
    Column("until", Moment, nullable=False),  # when it ended, or will end if the login is not used any more
    Index("ix_seats_extension_began", "extension", "began"),
    Index("ix_seats_login_until", "login", "until"),
    Index("ix_seats_session_id", "session_id"),
)

agent_states = Table(
    "agent_states",
    metadata,
    Column("id", Id, primary_key=True),
    Column("extension", String(32), nullable=False),
    Column("state", String(16), nullable=False),
    Column("reason", Text),  # of a pause
    Column("who", String(64)),  # login of who said so; null: the PBX, or the clock
    Column("began", Moment, nullable=False),
    Column("ended", Moment),  # null: it is so now
    Column("until", Moment),  # when the work after a call is over by itself
    Column("call", String(200)),  # the key of the call that work is about
    Column("cause", String(255)),  # makes the repeat of a talk's end harmless; null for what people do
    Column("version", Integer, nullable=False),  # counts the changes of an extension's state
    UniqueConstraint("extension", "cause"),
    Index("ix_agent_states_extension_began", "extension", "began"),
    Index(
        "ix_agent_states_now",
        "extension",
        unique=True,
        sqlite_where=text("ended IS NULL"),
        postgresql_where=text("ended IS NULL"),
    ),
)
