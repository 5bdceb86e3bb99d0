"""Customers found by words of their names and pieces of their numbers."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TOKENS = sa.Text().with_variant(postgresql.TSVECTOR(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "customer_words",
        sa.Column("id", ID, nullable=False),
        sa.Column("kept", sa.String(length=4), nullable=False),
        sa.Column("customer_id", sa.String(length=128), nullable=False),
        sa.Column("tokens", TOKENS, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer_words")),
        sa.UniqueConstraint("kept", "customer_id", name=op.f("uq_customer_words_kept_customer_id")),
    )
    if op.get_bind().dialect.name == "sqlite":
        _full_text()
    else:
        op.create_index("ix_customer_words_tokens", "customer_words", ["tokens"], postgresql_using="gin")
    op.create_table(
        "customer_news",
        sa.Column("id", ID, nullable=False),
        sa.Column("kept", sa.String(length=4), nullable=False),
        sa.Column("customer_id", sa.String(length=128), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer_news")),
    )
    for kept, customers in (("own", "customers"), ("crm", "crm_index_customers")):
        op.execute(f"INSERT INTO customer_news (kept, customer_id) SELECT '{kept}', id FROM {customers}")


def _full_text() -> None:
    """SQLite: the searchable side, kept in step by triggers, as those of calls."""
    op.execute(
        "CREATE VIRTUAL TABLE customer_index USING fts5(tokens, content='customer_words', content_rowid='id',"
        " detail='none', columnsize=0, tokenize='unicode61 remove_diacritics 0')"
    )
    gone = "INSERT INTO customer_index(customer_index, rowid, tokens) VALUES ('delete', old.id, old.tokens);"
    come = "INSERT INTO customer_index(rowid, tokens) VALUES (new.id, new.tokens);"
    op.execute(f"CREATE TRIGGER customer_words_come AFTER INSERT ON customer_words BEGIN {come} END")
    op.execute(f"CREATE TRIGGER customer_words_gone AFTER DELETE ON customer_words BEGIN {gone} END")
    op.execute(f"CREATE TRIGGER customer_words_renewed AFTER UPDATE OF tokens ON customer_words BEGIN {gone} {come} END")
