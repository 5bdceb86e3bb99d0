"""What tickets are about, as :mod:`tickets.similar` weighs it: read from the index, never from the calls themselves.

The words of a line are weighed by its newest tickets, open or not; compared are those that are open.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, select

from storage.database import Database
from storage.pages import TicketItem
from storage.search_tables import call_causes, call_words
from storage.search_words import words
from storage.tables import calls, tickets
from storage.ticket_items import ticket_item, ticket_items
from storage.ticket_rows import OPEN
from tickets.similar import Like, Matter, similar, usual
from transcription.account import FactKind

NEWEST = 600  # tickets of a line that say what its words weigh
OPEN_ONES = 600  # compared: those that something happened on last
_CODES = (FactKind.FAULT_CODE.value, FactKind.MODEL.value)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """An open ticket that may be about the same, and the words that say so."""

    item: TicketItem
    like: Like


class Similar:
    """Suggests. All methods raise StorageError."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def to(self, ticket_id: int) -> Sequence[Suggestion]:
        """Open tickets of the same line like this one, best first; none for a ticket of which nothing is known."""
        read = await self._db.look(lambda conn: _read(conn, ticket_id))
        if read is None:
            return ()
        ours, known, open_ones = read
        likes = await asyncio.to_thread(lambda: similar(ours, open_ones, usual(known)))
        if not likes:
            return ()
        return await self._db.look(lambda conn: _items(conn, likes))


def _read(conn: Connection, ticket_id: int) -> tuple[Matter, list[Matter], list[Matter]] | None:
    asked = conn.execute(_tickets().where(tickets.c.id == ticket_id)).first()
    if asked is None:
        return None
    ours = _matters(conn, [asked])[0]
    if not (ours.words or ours.title_words):
        return None
    of_line = _tickets().where(tickets.c.line == asked.line)
    newest = conn.execute(of_line.order_by(tickets.c.id.desc()).limit(NEWEST)).all()
    stirred = of_line.where(tickets.c.status.in_(OPEN)).order_by(tickets.c.changed.desc(), tickets.c.id.desc())
    open_ones = conn.execute(stirred.limit(OPEN_ONES)).all()
    matters = {
        matter.id: matter for matter in _matters(conn, list({row.id: row for row in (*newest, *open_ones)}.values()))
    }
    return ours, [matters[row.id] for row in newest], [matters[row.id] for row in open_ones]


def _tickets() -> Select[Any]:
    texts = (tickets.c.title, tickets.c.machine_title, tickets.c.category, tickets.c.machine_category)
    return select(tickets.c.id, tickets.c.line, tickets.c.status, *texts)


def _matters(conn: Connection, rows: Sequence[Row[Any]]) -> list[Matter]:
    numbers = [row.id for row in rows]
    said: dict[int, list[str]] = {}
    spoken = select(calls.c.ticket_id, call_words.c.words).join_from(call_words, calls)
    for ticket, found in conn.execute(spoken.where(calls.c.ticket_id.in_(numbers))):
        said.setdefault(ticket, []).extend(found.split())
    codes: dict[int, set[str]] = {}
    named = select(calls.c.ticket_id, call_causes.c.value).join_from(call_causes, calls)
    for ticket, code in conn.execute(named.where(calls.c.ticket_id.in_(numbers), call_causes.c.kind.in_(_CODES))):
        codes.setdefault(ticket, set()).add(code.upper())
    return [_matter(row, said.get(row.id, []), frozenset(codes.get(row.id, ()))) for row in rows]


def _matter(row: Row[Any], said: Sequence[str], codes: frozenset[str]) -> Matter:
    title = row.title or row.machine_title or ""
    return Matter(
        row.id,
        title,
        row.category or row.machine_category,
        tuple(word for word in said if word.upper() not in codes),
        tuple(word for word in words(title) if word.upper() not in codes),
        codes,
    )


def _items(conn: Connection, likes: Sequence[Like]) -> list[Suggestion]:
    rows = {row.id: row for row in conn.execute(ticket_items().where(tickets.c.id.in_([like.id for like in likes])))}
    return [Suggestion(ticket_item(rows[like.id]), like) for like in likes if like.id in rows]
