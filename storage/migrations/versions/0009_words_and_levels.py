"""Words, levels and what is not for every ear, beside the turns."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("turns", sa.Column("words", sa.JSON(), nullable=True))
    op.add_column("calls", sa.Column("heard", sa.Double(), nullable=True))
    op.add_column("calls", sa.Column("levels", sa.JSON(), nullable=True))
    op.add_column("calls", sa.Column("bleeps", sa.JSON(), nullable=True))
