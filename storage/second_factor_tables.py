"""Second factors, logins half done, and logins that come from an identity provider. Private to storage."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint

from storage.metadata import Id, Moment, metadata

second_factors = Table(
    "second_factors",
    metadata,
    Column("user_id", Id, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("secret", Text, nullable=False),  # what the authenticator app shares with us, sealed where there is a key
    Column("created", Moment, nullable=False),
    Column("confirmed", Moment),  # None: shown, but no code of it was seen yet
    Column("step", BigInteger, nullable=False),  # of the last code taken: none of that step or before is taken again
    Column("wrong", Integer, nullable=False),  # wrong codes since the last right one
    Column("wrong_at", Moment, nullable=False),
)

recovery_codes = Table(
    "recovery_codes",
    metadata,
    Column("id", Id, primary_key=True),
    Column("user_id", Id, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("code", String(64), nullable=False),  # SHA-256
    Column("used", Moment),
    UniqueConstraint("user_id", "code", name="uq_recovery_codes_user_id_code"),
)

login_steps = Table(
    "login_steps",
    metadata,
    Column("id", Id, primary_key=True),
    Column("token", String(64), nullable=False, unique=True),  # SHA-256 of what the browser holds
    Column("user_id", Id, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("password", Text, nullable=False),  # its hash as it was: another one since, and the step is void
    Column("extension", String(32)),
    Column("back", Text, nullable=False),
    Column("expires", Moment, nullable=False),
    Column("wrong", Integer, nullable=False),
    Index("ix_login_steps_expires", "expires"),
)

identities = Table(
    "identities",
    metadata,
    Column("id", Id, primary_key=True),
    Column("user_id", Id, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("issuer", String(255), nullable=False),
    Column("subject", String(255), nullable=False),
    Column("created", Moment, nullable=False),
    UniqueConstraint("issuer", "subject", name="uq_identities_issuer_subject"),
    UniqueConstraint("user_id", "issuer", name="uq_identities_user_id_issuer"),
)

provider_sessions = Table(
    "provider_sessions",
    metadata,
    Column("session_id", Id, ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("id_token", Text, nullable=False),  # told back at the logout, nothing else
)
