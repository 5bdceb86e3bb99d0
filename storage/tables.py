"""Calls, tickets and what hangs on them. Private to storage; what other rooms get are the rows of ``records``.

A call is found by ``key`` (``pbx:linkedid``). Columns that hold an enum keep its value. What a person typed and what
a machine found are different columns, so that neither can overwrite the other.
"""

from sqlalchemy import JSON, Boolean, Column, Double, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint

from storage.metadata import Id, Moment, metadata

tickets = Table(
    "tickets",
    metadata,
    Column("id", Id, primary_key=True),
    Column("number", String(32), nullable=False, unique=True),  # what people say aloud: 20261121-0007
    Column("version", Integer, nullable=False),  # counts people's edits: the optimistic lock
    Column("status", String(16), nullable=False),
    Column("line", String(32), nullable=False),
    Column("caller", String(64)),  # E.164, else the digits as they came; null when withheld
    Column("customer_id", String(128)),
    Column("customer_name", Text),
    Column("vip", Boolean, nullable=False),
    Column("title", Text),  # by a person, as category and urgency
    Column("category", String(32)),
    Column("urgency", String(16)),
    Column("machine_title", Text),
    Column("machine_category", String(32)),
    Column("machine_urgency", String(16)),
    Column("summary", JSON(none_as_null=True)),  # of the call summarised last
    Column("owner", String(64)),  # login
    Column("reach", String(16)),  # null until somebody spoke with the caller or the first call was over
    Column("calls", Integer, nullable=False),
    Column("missed", Integer, nullable=False),
    Column("opened", Moment, nullable=False),
    Column("changed", Moment, nullable=False),
    Column("edited", JSON(none_as_null=True)),  # field: [version, login, when] of the last person's change of it
    Index("ix_tickets_line_caller", "line", "caller"),
    Index("ix_tickets_customer_id", "customer_id"),
    Index("ix_tickets_changed_id", "changed", "id"),
    Index("ix_tickets_status_changed", "status", "changed"),
    Index("ix_tickets_owner_changed", "owner", "changed"),
)

ticket_days = Table(
    "ticket_days",
    metadata,
    Column("day", String(8), primary_key=True),  # YYYYMMDD in the site's zone
    Column("last", Integer, nullable=False),
)

calls = Table(
    "calls",
    metadata,
    Column("id", Id, primary_key=True),
    Column("key", String(200), nullable=False, unique=True),
    Column("caller", Text),  # verbatim, null when withheld
    Column("caller_name", Text),
    Column("e164", String(32)),
    Column("ext", String(16)),
    Column("kind", String(16)),
    Column("region", Text),
    Column("line", String(32), nullable=False),
    Column("dialled", Text, nullable=False),
    Column("phase", String(16), nullable=False),
    Column("arrived", Moment, nullable=False),
    Column("confirmed", Moment),
    Column("answered", Moment),
    Column("ended", Moment),
    Column("duration", Double),  # seconds
    Column("outcome", String(16)),
    Column("ticket_id", Id, ForeignKey("tickets.id")),
    Column("ticket_number", String(32)),  # never changes, so that it may stand twice
    Column("joined", Boolean, nullable=False),
    Column("customer_id", String(128)),
    Column("customer_name", Text),
    Column("vip", Boolean, nullable=False),
    Column("waiting", String(32)),
    Column("engine", String(64)),
    Column("model", String(128)),
    Column("language", String(16)),
    Column("summary", JSON(none_as_null=True)),
    Column("polished", JSON(none_as_null=True)),  # sentences of a language model: {"model", "sentences": [...]}
    Column("said", Moment),
    Column("heard", Double),  # seconds of sound that the transcript is of
    Column("levels", JSON(none_as_null=True)),  # [[speaker, dbfs, peak, clipped], ...]
    Column("bleeps", JSON(none_as_null=True)),  # [[speaker, begins, ends, what], ...] seconds of the recording
    Column("completed", Moment),  # when its end was found in the PBX's own records
    Column("erased", Moment),  # whose it was is not known any more, and nothing more is written of it
    Index("ix_calls_ticket_id", "ticket_id"),
    Index("ix_calls_arrived", "arrived"),
    Index("ix_calls_e164_arrived", "e164", "arrived"),
    Index("ix_calls_customer_id_arrived", "customer_id", "arrived"),
)

call_events = Table(
    "call_events",
    metadata,
    Column("id", Id, primary_key=True),
    Column("call_id", Id, ForeignKey("calls.id", ondelete="CASCADE"), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("subject", String(128), nullable=False),  # the agent or queue, empty for the call as a whole
    Column("moment", String(32), nullable=False),  # the fact's time as text, or a running number where it has none
    Column("at", Moment, nullable=False),
    Column("detail", JSON(none_as_null=True)),
    UniqueConstraint("call_id", "kind", "subject", "moment"),
)

call_agents = Table(
    "call_agents",
    metadata,
    Column("id", Id, primary_key=True),
    Column("call_id", Id, ForeignKey("calls.id", ondelete="CASCADE"), nullable=False),
    Column("agent", String(64), nullable=False),  # extension
    Column("rang", Moment),
    Column("talked", Moment),  # first talk
    Column("login", String(64)),  # who sat there then; null: not known
    UniqueConstraint("call_id", "agent"),
    Index("ix_call_agents_agent_talked", "agent", "talked"),
    Index("ix_call_agents_login_talked", "login", "talked"),
)

recordings = Table(
    "recordings",
    metadata,
    Column("id", Id, primary_key=True),
    Column("call_id", Id, ForeignKey("calls.id", ondelete="CASCADE"), nullable=False),
    Column("kind", String(16), nullable=False, server_default="call"),
    Column("name", Text, nullable=False),  # the first of mix, rx, tx: what makes a recording the same one
    Column("rx", Text),
    Column("tx", Text),
    Column("mix", Text),
    Column("seconds", Double),
    Column("repaired", Boolean, nullable=False),
    Column("linked", Moment, nullable=False),
    Column("began", Moment),  # its first sample, on the PBX's clock; null when not known
    Column("deleted", Moment),  # by policy: the sound is gone, that there was one stays
    UniqueConstraint("call_id", "name"),
)

strays = Table(  # sound files of the PBX that belong to no call, as the last look found them
    "strays",
    metadata,
    Column("id", Id, primary_key=True),
    Column("pbx", String(32), nullable=False),
    Column("name", Text, nullable=False),
    Column("bytes", Id, nullable=False),
    Column("changed", Moment, nullable=False),
    Column("found", Moment, nullable=False),
    UniqueConstraint("pbx", "name"),
)

turns = Table(
    "turns",
    metadata,
    Column("call_id", Id, ForeignKey("calls.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("speaker", String(16), nullable=False),
    Column("agent", String(64)),
    Column("begins", Double, nullable=False),  # seconds from the recording's start
    Column("ends", Double, nullable=False),
    Column("text", Text, nullable=False),
    Column("confidence", Double, nullable=False),
    Column("words", JSON(none_as_null=True)),  # [[begins, ends, text, confidence], ...] where the engine gave them
)

alarms = Table(
    "alarms",
    metadata,
    Column("id", Id, primary_key=True),
    Column("call_id", Id, ForeignKey("calls.id", ondelete="CASCADE"), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("detail", Text),
    Column("at", Moment, nullable=False),
    UniqueConstraint("call_id", "kind"),
)

timeline = Table(
    "timeline",
    metadata,
    Column("id", Id, primary_key=True),
    Column("ticket_id", Id, ForeignKey("tickets.id", ondelete="CASCADE"), nullable=False),
    Column("at", Moment, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("who", String(64)),  # login; null: the machine
    Column("call_id", Id, ForeignKey("calls.id", ondelete="SET NULL")),
    Column("key", String(255)),  # makes the machine's repeats harmless; null for what people do
    Column("detail", JSON(none_as_null=True)),
    UniqueConstraint("ticket_id", "key"),
    Index("ix_timeline_ticket_id_at", "ticket_id", "at"),
    Index("ix_timeline_call_id", "call_id"),
)
