"""Recordings: what kind, since when, deleted when; and files that belong to no call."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("recordings", sa.Column("kind", sa.String(length=16), server_default="call", nullable=False))
    op.add_column("recordings", sa.Column("began", sa.Double(), nullable=True))
    op.add_column("recordings", sa.Column("deleted", sa.Double(), nullable=True))
    op.create_table(
        "strays",
        sa.Column("id", ID, nullable=False),
        sa.Column("pbx", sa.String(length=32), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("bytes", ID, nullable=False),
        sa.Column("changed", sa.Double(), nullable=False),
        sa.Column("found", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_strays")),
        sa.UniqueConstraint("pbx", "name", name=op.f("uq_strays_pbx_name")),
    )
