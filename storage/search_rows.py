"""Writes what calls and tickets are found by, in the transaction of what was said or typed. Private to storage.

Transcripts come here as they are kept, blackened by the line's policy: what may not be read cannot be found.
"""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Row, Table, Text, bindparam, func, insert, select
from sqlalchemy.dialects.postgresql import ARRAY

from storage.once import delete_by, insert_into
from storage.plain import plain
from storage.records import TimelineKind
from storage.search_tables import call_causes, call_words, ticket_words
from storage.search_words import SCHEME, tokens, words
from storage.tables import calls, tickets, timeline
from transcription.account import Category, FactKind, Summary
from transcription.transcript import Speaker, Turn

MOST_WORDS = 400  # of one call
LONGEST_CAUSE = 64
CATEGORY = "category"
_CAUSES = (FactKind.FAULT_CODE, FactKind.MODEL)
_NO_CAUSE = (Category.INVALID, Category.QUESTION)
_NOTES = select(timeline.c.detail).where(
    timeline.c.ticket_id == bindparam("ticket"), timeline.c.kind == TimelineKind.NOTED.value
)
_TICKET = select(
    tickets.c.number, tickets.c.caller, tickets.c.customer_name, tickets.c.title, tickets.c.machine_title
).where(tickets.c.id == bindparam("ticket"))
_UNINDEXED = (
    select(calls.c.id)
    .join_from(calls, call_words, call_words.c.call_id == calls.c.id, isouter=True)
    .where(calls.c.said.is_not(None), func.coalesce(call_words.c.scheme, 0) != SCHEME)
)
_UNINDEXED_TICKETS = (
    select(tickets.c.id)
    .join_from(tickets, ticket_words, ticket_words.c.ticket_id == tickets.c.id, isouter=True)
    .where(func.coalesce(ticket_words.c.scheme, 0) != SCHEME)
)
_NEW_CAUSES = insert(call_causes)


def index_call(conn: Connection, call: Row[Any], turns: Sequence[Turn], summary: Summary | None) -> None:
    """A call is found by its turns from now on, and counted under what it was about."""
    said = [turn.text for turn in turns]
    asked = [turn.text for turn in turns if turn.speaker is Speaker.CALLER]
    found = [word for text in asked for word in words(text)][:MOST_WORDS]
    row = {"call_id": call.id, "scheme": SCHEME, "tokens": tokens(*said), "words": " ".join(found)}
    _keep(conn, call_words, row)
    conn.execute(delete_by(call_causes, "call_id"), {"wanted": call.id})
    causes = [
        {"call_id": call.id, "line": call.line, "kind": kind, "value": value, "at": call.arrived}
        for kind, value in causes_of(summary)
    ]
    if causes:
        conn.execute(_NEW_CAUSES, causes)


def index_ticket(conn: Connection, ticket_id: int) -> None:
    """A ticket is found by what stands on it now: number, caller, customer, titles, notes."""
    texts = conn.execute(_TICKET, {"ticket": ticket_id}).one()
    notes = [(detail or {}).get("text") for detail in conn.execute(_NOTES, {"ticket": ticket_id}).scalars()]
    _keep(conn, ticket_words, {"ticket_id": ticket_id, "scheme": SCHEME, "tokens": tokens(*texts, *notes)})


def causes_of(summary: Summary | None) -> list[tuple[str, str]]:
    """What a call is counted under, each once: (kind, value)."""
    if summary is None:
        return []
    found = [] if summary.category in _NO_CAUSE else [(CATEGORY, summary.category.value)]
    found += [
        (fact.kind.value, plain(fact.value, LONGEST_CAUSE))
        for fact in summary.facts
        if fact.kind in _CAUSES and fact.sure
    ]
    return list(dict.fromkeys(found))


def unindexed(conn: Connection, tables: Table, limit: int) -> Iterable[int]:
    """Calls with a transcript, or tickets, that are not in the index as they should be; newest first."""
    query = _UNINDEXED if tables is calls else _UNINDEXED_TICKETS
    return conn.execute(query.order_by(tables.c.id.desc()).limit(limit)).scalars().all()


def _keep(conn: Connection, table: Table, row: dict[str, Any]) -> None:
    if conn.dialect.name == "sqlite":
        row["tokens"] = " ".join(row["tokens"])
    conn.execute(_upsert(conn.dialect.name, table), row)


@cache
def _upsert(dialect: str, table: Table) -> Any:
    (key,) = table.primary_key.columns
    values: dict[str, Any] = {column.name: bindparam(column.name) for column in table.c}
    if dialect != "sqlite":
        values["tokens"] = func.array_to_tsvector(bindparam("tokens", type_=ARRAY(Text())))
    statement = insert_into(dialect, table).values(values)
    news = {column.name: statement.excluded[column.name] for column in table.c if column is not key}
    return statement.on_conflict_do_update(index_elements=[key.name], set_=news)


__all__ = ["CATEGORY", "causes_of", "index_call", "index_ticket", "unindexed"]
