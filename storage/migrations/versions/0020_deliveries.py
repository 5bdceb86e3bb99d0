"""What receivers of webhooks answered."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("pushes", sa.Column("again", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.create_table(
        "deliveries",
        sa.Column("id", ID, nullable=False),
        sa.Column("target", sa.String(length=64), nullable=False),
        sa.Column("call", sa.String(length=200), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("what", sa.String(length=16), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("took", sa.Double(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("sent", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
    )
    op.create_index("ix_deliveries_target_id", "deliveries", ["target", "id"])
    op.create_index("ix_deliveries_call_id", "deliveries", ["call", "id"])
    op.create_index("ix_deliveries_at", "deliveries", ["at"])
