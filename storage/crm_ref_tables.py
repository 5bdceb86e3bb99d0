"""Which record of the CRM is which of ours, and where reading its changes goes on. Private to storage."""

from sqlalchemy import Column, ForeignKey, Index, String, Table, Text

from storage.metadata import Id, Moment, metadata

crm_refs = Table(
    "crm_refs",
    metadata,
    Column("key", String(200), primary_key=True),  # as the CRM has it, made by crm.keys
    Column("of", String(16), nullable=False),  # note, ticket
    Column("id", String(255)),  # theirs; null until it is known
    Column("version", Text),  # theirs, when we saw it last
    Column("customer_id", String(128)),  # on whose timeline; a ticket's customer there
    Column("call", String(200)),  # pbx:linkedid, of a call's note
    Column("ticket_id", Id, ForeignKey("tickets.id", ondelete="CASCADE")),  # ours: of a ticket, of a note on its status
    Column("state", String(16), nullable=False),  # begun, kept, gone
    Column("status", String(16)),  # of a ticket: ours, as we told it last
    Column("theirs", String(16)),  # of a ticket: theirs in our words, as we saw it last
    Column("said", Text),  # of a ticket: theirs in their words
    Column("owner", Text),  # of a ticket: whose it is there
    Column("url", Text),  # where people see it
    Column("wanted", String(16)),  # of a ticket: the status of a write that we do not know the outcome of
    Column("owed", String(16)),  # of a ticket: our status to be told by a comment, for people moved theirs meanwhile
    Column("written", String(64)),  # digest of what a note says
    Column("turn", String(32)),  # whose write is under way: only the last that began may say how it went
    Column("begun", Moment),  # since when the outcome of a write is not known
    Column("trouble", Text),  # why it could not be brought in line last
    Column("troubled", Moment),
    Column("made", Moment, nullable=False),
    Column("at", Moment, nullable=False),  # when it changed last, by us or as we saw
    Index("ix_crm_refs_of_id", "of", "id"),
    Index("ix_crm_refs_ticket_id", "ticket_id"),
    Index("ix_crm_refs_call", "call"),
)

crm_ref_feeds = Table(
    "crm_ref_feeds",
    metadata,
    Column("name", String(64), primary_key=True),  # the connector's
    Column("cursor", Text, nullable=False),
    Column("at", Moment, nullable=False),
)
