"""Finds calls by what was said in them, and tickets by what stands on them: for whom they concern only.

Newest first, all words of the question needed. Both databases answer alike (:mod:`storage.search_words`); only how the
index is asked is spelled twice.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, Text, cast, column, literal, select, table, update
from sqlalchemy.dialects.postgresql import TSQUERY

from storage.call_rows import call_items_in, calls_query
from storage.database import Database
from storage.pages import CallItem, TicketItem
from storage.search_rows import index_call, index_ticket, unindexed
from storage.search_snippets import Snippet, snippets
from storage.search_tables import call_words, ticket_words
from storage.search_words import SHORTEST_TAIL, Term, guessable, has_digits, terms
from storage.seats import talked_by
from storage.summary_json import from_json
from storage.tables import call_agents, calls, tickets, turns
from storage.ticket_items import ticket_item, ticket_items
from transcription.transcript import Speaker, Turn

Hide = Callable[[Sequence[Turn], int], Turn]  # of turns one, as it is shown: its text as long as it was
AROUND = 3  # turns before and after one that is shown, by which it is known what is to be hidden
ROUNDS = 4  # a page is filled up in so many questions at most: hardly one hit in a thousand is none
_CALL_INDEX, _TICKET_INDEX = (table(name, column("rowid"), column(name)) for name in ("call_index", "ticket_index"))


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks. ``everything``: all calls and tickets are theirs to see; else those of :meth:`Reads.concerns`.

    ``extension``: their own phone, for calls of which nobody wrote down who sat there; not the one they sit at now.
    ``numbers``: they see callers' numbers. Whoever does not finds none by more than its last four digits: what a list
    masks could be guessed digit by digit.
    """

    login: str
    extension: str | None
    everything: bool = False
    numbers: bool = True


@dataclass(frozen=True, slots=True)
class CallHit:
    """A call in which all that was asked for was said, and where."""

    item: CallItem
    snippets: tuple[Snippet, ...]


@dataclass(frozen=True, slots=True)
class CallHits:
    """One page; ``cursor`` asks for the next, None at the end."""

    hits: tuple[CallHit, ...]
    cursor: int | None


class Search:
    """Asks the index. All methods raise StorageError."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def calls(
        self,
        question: str,
        asker: Asker,
        *,
        line: str | None = None,
        cursor: int | None = None,
        limit: int = 20,
        hide: Hide | None = None,
    ) -> CallHits:
        """A page of calls, newest first; none for a question without a word to look for.

        ``hide``: what of the conversations is not shown; who sees no numbers does not find by it either.
        """
        wanted = terms(question) if asker.numbers else guessable(terms(question))
        if not wanted:
            return CallHits((), None)
        look = _Look(wanted, _whose(asker, line), hide, blind=not asker.numbers)
        return await self._db.look(lambda conn: _calls(conn, look, cursor, limit))

    async def tickets(
        self, question: str, asker: Asker, *, line: str | None = None, limit: int = 20
    ) -> Sequence[TicketItem]:
        """Tickets, newest first."""
        wanted = terms(question) if asker.numbers else guessable(terms(question))
        return await self._db.look(lambda conn: _tickets(conn, wanted, asker, line, limit)) if wanted else ()

    async def forget(self) -> None:
        """Have everything indexed anew by :meth:`catch_up`; until then it is found as before."""

        def forget(conn: Connection) -> None:
            for kept in (call_words, ticket_words):
                conn.execute(update(kept).values(scheme=0))

        await self._db.transact(forget)

    async def catch_up(self, limit: int = 200) -> int:
        """Index calls and tickets of an older version, newest first; how many. 0: all are."""
        return await self._db.transact(lambda conn: _catch_up(conn, limit))


@dataclass(frozen=True, slots=True)
class _Look:
    """What is looked for. ``blind``: what is hidden is not found either."""

    wanted: Sequence[Term]
    whose: Sequence[ColumnElement[bool]]
    hide: Hide | None
    blind: bool


def _calls(conn: Connection, look: _Look, cursor: int | None, limit: int) -> CallHits:
    _plan(conn)
    hits: list[CallHit] = []
    for _ in range(ROUNDS):
        query = _found(conn, _CALL_INDEX, call_words.c.call_id, calls.c.id, look.wanted).where(*look.whose)
        if cursor is not None:
            query = query.where(_key(conn, _CALL_INDEX, call_words.c.call_id) < cursor)
        ids = conn.execute(query.limit(limit + 1)).scalars().all()
        hits += _shown(conn, ids[:limit], look)
        if len(ids) <= limit:
            return CallHits(tuple(hits), None)
        cursor = ids[limit - 1]
        if len(hits) >= limit:
            break
    return CallHits(tuple(hits), cursor)


def _shown(conn: Connection, ids: Sequence[int], look: _Look) -> list[CallHit]:
    """The calls with where it was said; without those where a word's pairs only stand apart."""
    if not ids:
        return []
    said: dict[int, list[tuple[int, Turn]]] = {}
    for row in conn.execute(select(turns).where(turns.c.call_id.in_(ids)).order_by(turns.c.call_id, turns.c.position)):
        turn = Turn(Speaker(row.speaker), row.begins, row.ends, row.text, row.confidence, row.agent)
        said.setdefault(row.call_id, []).append((row.position, turn))
    where = {number: _where(said.get(number, []), look) for number in ids}
    rows = {row.id: row for row in conn.execute(calls_query().where(calls.c.id.in_(ids)))}
    shown = [rows[number] for number in ids if where[number] and number in rows]
    items = call_items_in(conn, shown)
    return [CallHit(item, where[row.id]) for row, item in zip(shown, items, strict=True)]


def _where(said: Sequence[tuple[int, Turn]], look: _Look) -> tuple[Snippet, ...]:
    """Where it was said, without what is hidden: read with the turns around, as a number may be said over several."""
    found = snippets(said, look.wanted)
    if look.hide is None or not found:
        return found
    chosen = {one.position for one in found}
    instead: dict[int, Turn] = {}
    for at, (position, _) in enumerate(said):
        if position in chosen:
            first = max(0, at - AROUND)
            instead[position] = look.hide([turn for _, turn in said[first : at + AROUND + 1]], at - first)
    spoken = [(position, turn) for position, turn in said if position in chosen]
    shown = [(position, instead[position]) for position, _ in spoken]
    return snippets(shown if look.blind else spoken, look.wanted, shown)


def _tickets(
    conn: Connection, wanted: Sequence[Term], asker: Asker, line: str | None, limit: int
) -> tuple[TicketItem, ...]:
    _plan(conn)
    query = _found(conn, _TICKET_INDEX, ticket_words.c.ticket_id, tickets.c.id, wanted)
    if not asker.everything:
        query = query.where(tickets.c.owner == asker.login)
    if line is not None:
        query = query.where(tickets.c.line == line)
    ids = conn.execute(query.limit(limit)).scalars().all()
    rows: dict[int, Row[Any]] = {row.id: row for row in conn.execute(ticket_items().where(tickets.c.id.in_(ids)))}
    found = [ticket_item(rows[number]) for number in ids if number in rows]
    return tuple(found if asker.numbers else (item for item in found if _plainly(item, wanted)))


def _plainly(item: TicketItem, wanted: Sequence[Term]) -> bool:
    """Whether the digits asked for stand on a ticket for everybody to see: not in its notes, not within a number."""
    ticket = item.ticket
    number, caller = ticket.number.replace("-", ""), (ticket.caller or "")[-SHORTEST_TAIL:]
    return all(term.text in number or term.text == caller for term in wanted if has_digits(term.text))


def _whose(asker: Asker, line: str | None) -> list[ColumnElement[bool]]:
    whose: list[ColumnElement[bool]] = [] if line is None else [calls.c.line == line]
    if not asker.everything:
        talked = select(call_agents.c.call_id).where(talked_by(asker.login, asker.extension))
        owned = select(calls.c.id).join_from(calls, tickets).where(tickets.c.owner == asker.login)
        # One set, made first: asked of each call that has the words, PostgreSQL looks at all 100,000 of them.
        whose.append(calls.c.id.in_(talked.union(owned)))
    return whose


def _key(conn: Connection, index: Any, key: ColumnElement[int]) -> ColumnElement[int]:
    found: ColumnElement[int] = index.c.rowid if conn.dialect.name == "sqlite" else key
    return found


def _found(
    conn: Connection, index: Any, key: ColumnElement[int], row: ColumnElement[int], wanted: Sequence[Term]
) -> Select[int]:
    """Keys of what has all the words, newest first, joined with their rows."""
    number = _key(conn, index, key)
    query = select(number).join_from(number.table, row.table, number == row)
    if conn.dialect.name == "sqlite":
        asked = " AND ".join(
            f'"{token}"{" *" if term.start and token is term.tokens[-1] else ""}'
            for term in wanted
            for token in term.tokens
        )
        return query.where(index.c[index.name].match(asked)).order_by(number.desc())
    asked = " & ".join(
        f"'{token}'{':*' if term.start and token is term.tokens[-1] else ''}"
        for term in wanted
        for token in term.tokens
    )
    return query.where(key.table.c.tokens.op("@@")(cast(cast(literal(asked), Text), TSQUERY))).order_by(number.desc())


def _plan(conn: Connection) -> None:
    """PostgreSQL plans each question anew: one plan for all walks all calls for a rare word: 2 s, not 10 ms."""
    if conn.dialect.name != "sqlite":
        conn.exec_driver_sql("SET LOCAL plan_cache_mode = force_custom_plan")


def _catch_up(conn: Connection, limit: int) -> int:
    numbers = list(unindexed(conn, calls, limit))
    for row in conn.execute(select(calls).where(calls.c.id.in_(numbers))).all():
        spoken = conn.execute(select(turns).where(turns.c.call_id == row.id).order_by(turns.c.position)).all()
        said = [Turn(Speaker(one.speaker), one.begins, one.ends, one.text, one.confidence) for one in spoken]
        index_call(conn, row, said, None if row.summary is None else from_json(row.summary))
    others = list(unindexed(conn, tickets, limit))
    for number in others:
        index_ticket(conn, number)
    return len(numbers) + len(others)
