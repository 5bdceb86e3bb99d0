"""Who sits at which phone, and what state agents are in."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("sessions", sa.Column("extension", sa.String(length=32), nullable=True))
    op.add_column("call_agents", sa.Column("login", sa.String(length=64), nullable=True))
    op.create_index("ix_call_agents_login_talked", "call_agents", ["login", "talked"])
    op.create_table(
        "seats",
        sa.Column("id", ID, nullable=False),
        sa.Column("session_id", ID, nullable=False),
        sa.Column("login", sa.String(length=64), nullable=False),
        sa.Column("extension", sa.String(length=32), nullable=False),
        sa.Column("began", sa.Double(), nullable=False),
        sa.Column("seen", sa.Double(), nullable=False),
        sa.Column("until", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seats")),
    )
    op.create_index("ix_seats_extension_began", "seats", ["extension", "began"])
    op.create_index("ix_seats_login_until", "seats", ["login", "until"])
    op.create_index("ix_seats_session_id", "seats", ["session_id"])
    op.create_table(
        "agent_states",
        sa.Column("id", ID, nullable=False),
        sa.Column("extension", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("who", sa.String(length=64), nullable=True),
        sa.Column("began", sa.Double(), nullable=False),
        sa.Column("ended", sa.Double(), nullable=True),
        sa.Column("until", sa.Double(), nullable=True),
        sa.Column("call", sa.String(length=200), nullable=True),
        sa.Column("cause", sa.String(length=255), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agent_states")),
        sa.UniqueConstraint("extension", "cause", name=op.f("uq_agent_states_extension_cause")),
    )
    op.create_index("ix_agent_states_extension_began", "agent_states", ["extension", "began"])
    op.create_index(
        "ix_agent_states_now",
        "agent_states",
        ["extension"],
        unique=True,
        sqlite_where=sa.text("ended IS NULL"),
        postgresql_where=sa.text("ended IS NULL"),
    )
    # Whoever is logged in now sits where they belong.
    op.execute(
        "UPDATE sessions SET extension = (SELECT users.extension FROM users WHERE users.id = sessions.user_id)"
    )
    op.execute(
        "INSERT INTO seats (session_id, login, extension, began, seen, until) "
        "SELECT sessions.id, users.login, users.extension, sessions.created, sessions.seen, sessions.expires "
        "FROM sessions JOIN users ON users.id = sessions.user_id WHERE users.extension IS NOT NULL"
    )
