"""Which record of the CRM is which of ours."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "crm_refs",
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("of", sa.String(length=16), nullable=False),
        sa.Column("id", sa.String(length=255), nullable=True),
        sa.Column("version", sa.Text(), nullable=True),
        sa.Column("customer_id", sa.String(length=128), nullable=True),
        sa.Column("call", sa.String(length=200), nullable=True),
        sa.Column("ticket_id", ID, nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=True),
        sa.Column("theirs", sa.String(length=16), nullable=True),
        sa.Column("said", sa.Text(), nullable=True),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("wanted", sa.String(length=16), nullable=True),
        sa.Column("owed", sa.String(length=16), nullable=True),
        sa.Column("written", sa.String(length=64), nullable=True),
        sa.Column("turn", sa.String(length=32), nullable=True),
        sa.Column("begun", sa.Double(), nullable=True),
        sa.Column("trouble", sa.Text(), nullable=True),
        sa.Column("troubled", sa.Double(), nullable=True),
        sa.Column("made", sa.Double(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_crm_refs_ticket_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_crm_refs")),
    )
    op.create_index("ix_crm_refs_of_id", "crm_refs", ["of", "id"])
    op.create_index("ix_crm_refs_ticket_id", "crm_refs", ["ticket_id"])
    op.create_index("ix_crm_refs_call", "crm_refs", ["call"])
    op.create_table(
        "crm_ref_feeds",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("cursor", sa.Text(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_crm_ref_feeds")),
    )
