"""What others were told of calls."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "pushes",
        sa.Column("id", ID, nullable=False),
        sa.Column("target", sa.String(length=64), nullable=False),
        sa.Column("call", sa.String(length=200), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("tried", sa.Double(), nullable=False),
        sa.Column("told", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pushes")),
        sa.UniqueConstraint("target", "call", "name", name=op.f("uq_pushes_target_call_name")),
    )
    op.create_index("ix_pushes_tried", "pushes", ["tried"])
