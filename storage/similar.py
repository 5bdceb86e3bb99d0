"""What tickets are about, as :mod:`tickets.similar` weighs it: read from the index, never from the calls themselves.

The words of a line are weighed by its newest tickets, open or not; compared are those that are open.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
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
        likes = await asyncio.to_thread(_likes, ticket_id, read)
        return await self._db.look(lambda conn: _items(conn, likes)) if likes else ()


@dataclass(frozen=True, slots=True)
class _Line:
    """A line's tickets as rows by id, what was said and the codes named in each; the newest, and the open ones."""

    rows: dict[int, Row[Any]]
    newest: Sequence[int]
    open_ones: Sequence[int]
    said: dict[int, list[str]]
    codes: dict[int, set[str]]


def _read(conn: Connection, ticket_id: int) -> _Line:
    asked = conn.execute(_tickets().where(tickets.c.id == ticket_id)).first()
    if asked is None:
        return _Line({}, (), (), {}, {})
    of_line = _tickets().where(tickets.c.line == asked.line)
    newest = conn.execute(of_line.order_by(tickets.c.id.desc()).limit(NEWEST)).all()
    stirred = of_line.where(tickets.c.status.in_(OPEN)).order_by(tickets.c.changed.desc(), tickets.c.id.desc())
    open_ones = conn.execute(stirred.limit(OPEN_ONES)).all()
    rows = {row.id: row for row in (asked, *newest, *open_ones)}
    said: dict[int, list[str]] = {}
    spoken = select(calls.c.ticket_id, call_words.c.words).join_from(call_words, calls)
    for ticket, found in conn.execute(spoken.where(calls.c.ticket_id.in_(rows))):
        said.setdefault(ticket, []).extend(found.split())
    codes: dict[int, set[str]] = {}
    named = select(calls.c.ticket_id, call_causes.c.value).join_from(call_causes, calls)
    for ticket, code in conn.execute(named.where(calls.c.ticket_id.in_(rows), call_causes.c.kind.in_(_CODES))):
        codes.setdefault(ticket, set()).add(code.upper())
    return _Line(rows, [row.id for row in newest], [row.id for row in open_ones], said, codes)


def _likes(ticket_id: int, line: _Line) -> list[Like]:
    """The comparing, for a thread: tens of milliseconds with hundreds of tickets."""
    ours = line.rows.get(ticket_id)
    if ours is None or not (_title(ours) or line.said.get(ticket_id)):
        return []
    matters = {
        number: _matter(row, line.said.get(number, []), frozenset(line.codes.get(number, ())))
        for number, row in line.rows.items()
    }
    known = usual([matters[number] for number in line.newest])
    return similar(matters[ticket_id], [matters[number] for number in line.open_ones], known)


def _tickets() -> Select[Any]:
    texts = (tickets.c.title, tickets.c.machine_title, tickets.c.category, tickets.c.machine_category)
    return select(tickets.c.id, tickets.c.line, tickets.c.status, *texts)


def _title(row: Row[Any]) -> str:
    return row.title or row.machine_title or ""


def _matter(row: Row[Any], said: Sequence[str], codes: frozenset[str]) -> Matter:
    told, named = (
        tuple(word for word in some if word.upper() not in codes) if codes else tuple(some)
        for some in (said, _title_words(_title(row)))
    )
    return Matter(row.id, _title(row), row.category or row.machine_category, told, named, codes)


@lru_cache(maxsize=4096)
def _title_words(title: str) -> tuple[str, ...]:
    return tuple(words(title))


def _items(conn: Connection, likes: Sequence[Like]) -> list[Suggestion]:
    rows = {row.id: row for row in conn.execute(ticket_items().where(tickets.c.id.in_([like.id for like in likes])))}
    return [Suggestion(ticket_item(rows[like.id]), like) for like in likes if like.id in rows]
