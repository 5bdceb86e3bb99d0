"""The desk: seats and states, missed callers, choices and drafts, customers found by words."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TOKENS = sa.Text().with_variant(postgresql.TSVECTOR(), "postgresql")


def upgrade() -> None:
    _seats()
    _callbacks()
    _choices_and_drafts()
    _customer_search()


def _seats() -> None:
    """Who sits at which phone, and what state agents are in."""
    op.add_column("sessions", sa.Column("extension", sa.String(length=32), nullable=True))
    op.add_column("call_agents", sa.Column("login", sa.String(length=64), nullable=True))
    op.create_index("ix_call_agents_login_talked", "call_agents", ["login", "talked"])
    op.create_table(
        "seats",
        sa.Column("id", ID, nullable=False),
        sa.Column("session_id", ID, nullable=False),
        sa.Column("login", sa.String(length=64), nullable=False),
        sa.Column("extension", sa.String(length=32), nullable=False),
        sa.Column("began", sa.Double(), nullable=False),
        sa.Column("seen", sa.Double(), nullable=False),
        sa.Column("until", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seats")),
    )
    op.create_index("ix_seats_extension_began", "seats", ["extension", "began"])
    op.create_index("ix_seats_login_until", "seats", ["login", "until"])
    op.create_index("ix_seats_session_id", "seats", ["session_id"])
    op.create_table(
        "agent_states",
        sa.Column("id", ID, nullable=False),
        sa.Column("extension", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("who", sa.String(length=64), nullable=True),
        sa.Column("began", sa.Double(), nullable=False),
        sa.Column("ended", sa.Double(), nullable=True),
        sa.Column("until", sa.Double(), nullable=True),
        sa.Column("call", sa.String(length=200), nullable=True),
        sa.Column("cause", sa.String(length=255), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agent_states")),
        sa.UniqueConstraint("extension", "cause", name=op.f("uq_agent_states_extension_cause")),
    )
    op.create_index("ix_agent_states_extension_began", "agent_states", ["extension", "began"])
    op.create_index(
        "ix_agent_states_now",
        "agent_states",
        ["extension"],
        unique=True,
        sqlite_where=sa.text("ended IS NULL"),
        postgresql_where=sa.text("ended IS NULL"),
    )
    # Whoever is logged in now sits where they belong.
    op.execute(
        "UPDATE sessions SET extension = (SELECT users.extension FROM users WHERE users.id = sessions.user_id)"
    )
    op.execute(
        "INSERT INTO seats (session_id, login, extension, began, seen, until) "
        "SELECT sessions.id, users.login, users.extension, sessions.created, sessions.seen, sessions.expires "
        "FROM sessions JOIN users ON users.id = sessions.user_id WHERE users.extension IS NOT NULL"
    )


def _callbacks() -> None:
    """Missed callers who are to be called back."""
    op.create_table(
        "callbacks",
        sa.Column("id", ID, nullable=False),
        sa.Column("number", sa.String(length=32), nullable=False),
        sa.Column("line", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("call_id", ID, nullable=False),
        sa.Column("ticket_id", ID, nullable=True),
        sa.Column("missed", sa.Integer(), nullable=False),
        sa.Column("first", sa.Double(), nullable=False),
        sa.Column("last", sa.Double(), nullable=False),
        sa.Column("taken_by", sa.String(length=64), nullable=True),
        sa.Column("taken_until", sa.Double(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("tried", sa.Double(), nullable=True),
        sa.Column("result", sa.String(length=16), nullable=True),
        sa.Column("settled", sa.Double(), nullable=True),
        sa.Column("settled_by", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], name=op.f("fk_callbacks_call_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["ticket_id"], ["tickets.id"], name=op.f("fk_callbacks_ticket_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_callbacks")),
        sa.UniqueConstraint("number", "line", name=op.f("uq_callbacks_number_line")),
    )
    op.create_index("ix_callbacks_state_first", "callbacks", ["state", "first", "id"])
    op.create_index("ix_callbacks_call_id", "callbacks", ["call_id"])
    op.create_index("ix_callbacks_ticket_id", "callbacks", ["ticket_id"])


def _choices_and_drafts() -> None:
    """Who was chosen among several customers, callers entered by hand, notes being written, who typed what last."""
    op.create_table(
        "choices",
        sa.Column("id", ID, nullable=False),
        sa.Column("call_id", ID, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.String(length=128), nullable=True),
        sa.Column("customer_name", sa.Text(), nullable=True),
        sa.Column("who", sa.String(length=64), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("before", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], name=op.f("fk_choices_call_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_choices")),
        sa.UniqueConstraint("call_id", name=op.f("uq_choices_call_id")),
    )
    op.create_table(
        "number_choices",
        sa.Column("id", ID, nullable=False),
        sa.Column("number", sa.String(length=64), nullable=False),
        sa.Column("customer_id", sa.String(length=128), nullable=False),
        sa.Column("customer_name", sa.Text(), nullable=False),
        sa.Column("who", sa.String(length=64), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("call", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_number_choices")),
        sa.UniqueConstraint("number", name=op.f("uq_number_choices_number")),
    )
    op.create_table(
        "entered_customers",
        sa.Column("id", ID, nullable=False),
        sa.Column("call_id", ID, nullable=True),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("who", sa.String(length=64), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["call_id"], ["calls.id"], name=op.f("fk_entered_customers_call_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_entered_customers")),
        sa.UniqueConstraint("call_id", "name", name=op.f("uq_entered_customers_call_id_name")),
    )
    op.create_table(
        "note_drafts",
        sa.Column("id", ID, nullable=False),
        sa.Column("ticket_id", ID, nullable=False),
        sa.Column("login", sa.String(length=64), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["ticket_id"], ["tickets.id"], name=op.f("fk_note_drafts_ticket_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_note_drafts")),
        sa.UniqueConstraint("ticket_id", "login", name=op.f("uq_note_drafts_ticket_id_login")),
    )
    op.add_column("tickets", sa.Column("edited", sa.JSON(), nullable=True))


def _customer_search() -> None:
    """Customers found by words of their names and pieces of their numbers."""
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
