"""Search in what was said; bursts."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TOKENS = sa.Text().with_variant(postgresql.TSVECTOR(), "postgresql")


def upgrade() -> None:
    for subject, more in (("call", [sa.Column("words", sa.Text(), nullable=False)]), ("ticket", [])):
        table, key = f"{subject}_words", f"{subject}_id"
        op.create_table(
            table,
            sa.Column(key, ID, autoincrement=False, nullable=False),
            sa.Column("scheme", sa.Integer(), nullable=False),
            sa.Column("tokens", TOKENS, nullable=False),
            *more,
            sa.ForeignKeyConstraint([key], [f"{subject}s.id"], name=op.f(f"fk_{table}_{key}"), ondelete="CASCADE"),
            sa.PrimaryKeyConstraint(key, name=op.f(f"pk_{table}")),
        )
        if op.get_bind().dialect.name == "sqlite":
            _full_text(f"{subject}_index", table, key)
        else:
            op.create_index(f"ix_{table}_tokens", table, ["tokens"], postgresql_using="gin")
    op.create_table(
        "call_causes",
        sa.Column("id", ID, nullable=False),
        sa.Column("call_id", ID, nullable=False),
        sa.Column("line", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("value", sa.String(length=64), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], name=op.f("fk_call_causes_call_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call_causes")),
        sa.UniqueConstraint("call_id", "kind", "value", name=op.f("uq_call_causes_call_id_kind_value")),
    )
    op.create_index("ix_call_causes_line_kind_value_at", "call_causes", ["line", "kind", "value", "at"])
    op.create_table(
        "bursts",
        sa.Column("id", ID, nullable=False),
        sa.Column("line", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("value", sa.String(length=64), nullable=False),
        sa.Column("begins", sa.Double(), nullable=False),
        sa.Column("last", sa.Double(), nullable=False),
        sa.Column("noticed", sa.Double(), nullable=False),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.Column("peak", sa.Integer(), nullable=False),
        sa.Column("usual", sa.Double(), nullable=False),
        sa.Column("words", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bursts")),
    )
    op.create_index("ix_bursts_line_kind_value_last", "bursts", ["line", "kind", "value", "last"])
    op.create_index("ix_bursts_last", "bursts", ["last"])


def _full_text(index: str, table: str, key: str) -> None:
    """SQLite: the searchable side of a table's tokens, kept in step by triggers, whoever writes."""
    op.execute(
        f"CREATE VIRTUAL TABLE {index} USING fts5(tokens, content='{table}', content_rowid='{key}', detail='none',"
        " columnsize=0, tokenize='unicode61 remove_diacritics 0')"
    )
    gone = f"INSERT INTO {index}({index}, rowid, tokens) VALUES ('delete', old.{key}, old.tokens);"
    come = f"INSERT INTO {index}(rowid, tokens) VALUES (new.{key}, new.tokens);"
    op.execute(f"CREATE TRIGGER {table}_come AFTER INSERT ON {table} BEGIN {come} END")
    op.execute(f"CREATE TRIGGER {table}_gone AFTER DELETE ON {table} BEGIN {gone} END")
    op.execute(f"CREATE TRIGGER {table}_renewed AFTER UPDATE OF tokens ON {table} BEGIN {gone} {come} END")
