"""How far both sides agree, and where not."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "crm_rounds",
        sa.Column("id", ID, nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("since", sa.Double(), nullable=False),
        sa.Column("began", sa.Double(), nullable=False),
        sa.Column("ended", sa.Double(), nullable=True),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("compared", sa.Integer(), nullable=False),
        sa.Column("differing", sa.Integer(), nullable=False),
        sa.Column("waiting", sa.Integer(), nullable=False),
        sa.Column("quality", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("trouble", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_crm_rounds")),
        sa.UniqueConstraint("key", name=op.f("uq_crm_rounds_key")),
    )
    op.create_index("ix_crm_rounds_began", "crm_rounds", ["began"])
    op.create_table(
        "crm_differences",
        sa.Column("id", ID, nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("what", sa.String(length=16), nullable=False),
        sa.Column("theirs_id", sa.String(length=255), nullable=False),
        sa.Column("ours", sa.Text(), nullable=False),
        sa.Column("theirs", sa.Text(), nullable=False),
        sa.Column("mend", sa.String(length=16), nullable=False),
        sa.Column("detail", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("call", sa.String(length=200), nullable=True),
        sa.Column("ticket_id", ID, nullable=True),
        sa.Column("ticket_number", sa.String(length=32), nullable=True),
        sa.Column("found", sa.Double(), nullable=False),
        sa.Column("seen", sa.Double(), nullable=False),
        sa.Column("mending", sa.Double(), nullable=True),
        sa.Column("trouble", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_crm_differences")),
        sa.UniqueConstraint("subject", "what", "theirs_id", name=op.f("uq_crm_differences_subject_what_theirs_id")),
    )
    op.create_index("ix_crm_differences_seen", "crm_differences", ["seen"])
