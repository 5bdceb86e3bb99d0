"""Originals of recordings under lock and key, and copies for every ear."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "sounds",
        sa.Column("id", ID, nullable=False),
        sa.Column("recording_id", ID, nullable=False),
        sa.Column("leg", sa.String(length=8), nullable=False),
        sa.Column("said", sa.Double(), nullable=True),
        sa.Column("safe", sa.String(length=8), nullable=True),
        sa.Column("bleeped", sa.Text(), nullable=True),
        sa.Column("sealed", sa.Text(), nullable=True),
        sa.Column("key", sa.String(length=32), nullable=True),
        sa.Column("bytes", ID, nullable=True),
        sa.Column("removed", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(
            ["recording_id"], ["recordings.id"], name=op.f("fk_sounds_recording_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sounds")),
        sa.UniqueConstraint("recording_id", "leg", name=op.f("uq_sounds_recording_id_leg")),
    )
    op.create_index("ix_sounds_key", "sounds", ["key"])
