"""Failed deliveries are found among hundreds of thousands that went well."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

FAILED = sa.text("error IS NOT NULL")


def upgrade() -> None:
    for name, columns in (("failed", ["id"]), ("failed_target", ["target", "id"])):
        op.create_index(f"ix_deliveries_{name}", "deliveries", columns, sqlite_where=FAILED, postgresql_where=FAILED)
