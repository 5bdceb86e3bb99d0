"""What programs log in with. Private to storage."""

from sqlalchemy import JSON, Column, ForeignKey, Index, String, Table, Text

from storage.metadata import Id, Moment, metadata

tokens = Table(
    "tokens",
    metadata,
    Column("id", Id, primary_key=True),
    Column("user_id", Id, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("name", Text, nullable=False),  # what its owner calls it
    Column("secret", String(64), nullable=False, unique=True),  # SHA-256 of what the program holds
    Column("scopes", JSON, nullable=False),
    Column("created", Moment, nullable=False),
    Column("created_by", String(64), nullable=False),
    Column("expires", Moment),
    Column("used", Moment),
    Column("used_ip", String(64)),
    Column("revoked", Moment),
    Column("revoked_by", String(64)),
    Index("ix_tokens_user_id", "user_id"),
)
