"""Gaps in listening, and calls completed from the PBX's own records."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("calls", sa.Column("completed", sa.Double(), nullable=True))
    op.create_table(
        "listening",
        sa.Column("id", ID, nullable=False),
        sa.Column("pbx", sa.String(length=32), nullable=False),
        sa.Column("service", sa.String(length=64), nullable=False),
        sa.Column("since", sa.Double(), nullable=False),
        sa.Column("until", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_listening")),
        sa.UniqueConstraint("pbx", "service", "since", name=op.f("uq_listening_pbx_service_since")),
    )
    op.create_index("ix_listening_pbx_until", "listening", ["pbx", "until"])
    op.create_table(
        "gaps",
        sa.Column("id", ID, nullable=False),
        sa.Column("pbx", sa.String(length=32), nullable=False),
        sa.Column("service", sa.String(length=64), nullable=False),
        sa.Column("since", sa.Double(), nullable=False),
        sa.Column("until", sa.Double(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("covered", sa.Boolean(), nullable=False),
        sa.Column("unseen", sa.Integer(), nullable=False),
        sa.Column("completed", sa.Integer(), nullable=False),
        sa.Column("checked", sa.Double(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gaps")),
        sa.UniqueConstraint("pbx", "service", "since", name=op.f("uq_gaps_pbx_service_since")),
    )
    op.create_index("ix_gaps_until", "gaps", ["until"])
