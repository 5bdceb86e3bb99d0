"""People who log in, their sessions, failed logins, and who looked at what. Private to storage."""

from sqlalchemy import JSON, Boolean, Column, ForeignKey, Index, String, Table, Text

from storage.metadata import Id, Moment, metadata

users = Table(
    "users",
    metadata,
    Column("id", Id, primary_key=True),
    Column("login", String(64), nullable=False, unique=True),  # lower case
    Column("name", Text, nullable=False),
    Column("role", String(16), nullable=False),
    Column("extension", String(32)),
    Column("password", Text, nullable=False),  # argon2id, with its parameters
    Column("active", Boolean, nullable=False),
    Column("demo", Boolean, nullable=False),  # made by the demo: gone once a real PBX is configured
    Column("created", Moment, nullable=False),
    Column("changed", Moment, nullable=False),
    Index("ix_users_extension", "extension"),
)

sessions = Table(
    "sessions",
    metadata,
    Column("id", Id, primary_key=True),
    Column("token", String(64), nullable=False, unique=True),  # SHA-256 of what the browser holds
    Column("user_id", Id, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("created", Moment, nullable=False),
    Column("seen", Moment, nullable=False),
    Column("expires", Moment, nullable=False),
    Column("ip", String(64)),
    Column("browser", Text),
    Column("extension", String(32)),  # the phone this login sits at
    Index("ix_sessions_user_id", "user_id"),
    Index("ix_sessions_expires", "expires"),
)

failed_logins = Table(
    "failed_logins",
    metadata,
    Column("id", Id, primary_key=True),
    Column("login", String(64), nullable=False),
    Column("ip", String(64)),
    Column("at", Moment, nullable=False),
    Index("ix_failed_logins_login_at", "login", "at"),
    Index("ix_failed_logins_ip_at", "ip", "at"),
)

audit = Table(
    "audit",
    metadata,
    Column("id", Id, primary_key=True),
    Column("at", Moment, nullable=False),
    Column("who", String(64), nullable=False),
    Column("what", String(32), nullable=False),
    Column("subject", String(200), nullable=False),
    Column("detail", JSON(none_as_null=True)),
    Column("ip", String(64)),
    Index("ix_audit_subject_at", "subject", "at"),
    Index("ix_audit_who_at", "who", "at"),
    Index("ix_audit_at", "at"),
)
