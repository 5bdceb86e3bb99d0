"""A copy of the CRM's customers, to know a caller at once."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "crm_index_customers",
        sa.Column("id", sa.String(length=128), nullable=False),
        sa.Column("card", sa.Text(), nullable=True),
        sa.Column("details", sa.Text(), nullable=True),
        sa.Column("version", sa.Text(), nullable=True),
        sa.Column("merged", sa.String(length=128), nullable=True),
        sa.Column("seen", sa.Double(), nullable=False),
        sa.Column("load", sa.Integer(), nullable=False),
        sa.Column("looked", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_crm_index_customers")),
    )
    op.create_index("ix_crm_index_customers_load", "crm_index_customers", ["load"])
    op.create_index("ix_crm_index_customers_looked", "crm_index_customers", ["looked"])
    op.create_table(
        "crm_index_phones",
        sa.Column("number", sa.String(length=32), nullable=False),
        sa.Column("ext", sa.String(length=16), nullable=False),
        sa.Column("customer_id", sa.String(length=128), nullable=False),
        sa.PrimaryKeyConstraint("number", "ext", "customer_id", name=op.f("pk_crm_index_phones")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_crm_index_phones_customer_id", "crm_index_phones", ["customer_id"])
    op.create_table(
        "crm_index_state",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("source", sa.String(length=64), nullable=True),
        sa.Column("worker", sa.String(length=64), nullable=True),
        sa.Column("until", sa.Double(), nullable=False),
        sa.Column("wanted", sa.Boolean(), nullable=False),
        sa.Column("told", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_crm_index_state")),
    )
