"""Counts what calls are about by the hour, and keeps what was more than usual (:mod:`tickets.bursts` decides).

One row is one burst: found by one call, it goes on with each that follows and is over an hour after the last. Two
services that look at once take turns; a call looked at again changes nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, and_, func, insert, or_, select, update

from storage.call_rows import call_items_in, calls_query
from storage.database import Database
from storage.happened import key_of
from storage.once import take_turn
from storage.pages import CallItem
from storage.search_rows import CATEGORY
from storage.search_tables import bursts, call_causes, call_words
from storage.tables import calls
from telephony.call import CallKey
from tickets.bursts import HOUR, QUIET, WINDOWS, Burst, Came, follow, shifts, telling

MOSTLY = 0.7
OUTSIDE = 300  # calls that show how people usually speak of it
INSIDE = 200
SAMPLES = 5


@dataclass(frozen=True, slots=True)
class Noticed:
    """A burst as people are shown it. ``kind``: category, fault_code or model; ``samples``: its newest calls."""

    id: int
    line: str
    kind: str
    value: str
    burst: Burst
    noticed: float
    words: tuple[str, ...]
    samples: tuple[CallItem, ...] = ()


class Bursts:
    """Looks and tells. All methods raise StorageError."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def look(self, call: CallKey, now: float) -> Sequence[Noticed]:
        """The bursts that begin with this call, whose transcript is new. Those that go on are written, not told."""
        return await self._db.transact(lambda conn: _look(conn, call, now))

    async def recent(self, since: float, line: str | None = None, limit: int = 10) -> Sequence[Noticed]:
        """Bursts that had a call since then, the newest first."""
        query = select(bursts).where(bursts.c.last >= since)
        if line is not None:
            query = query.where(bursts.c.line == line)
        query = query.order_by(bursts.c.begins.desc(), bursts.c.id.desc()).limit(limit)
        return await self._db.look(lambda conn: [_noticed(conn, row) for row in conn.execute(query).all()])


def _look(conn: Connection, call: CallKey, now: float) -> list[Noticed]:
    about = select(call_causes).join_from(call_causes, calls).where(calls.c.key == key_of(call))
    # the category last: where a code explains it, it is the code's burst
    causes = conn.execute(about.order_by(call_causes.c.kind == CATEGORY, call_causes.c.id)).all()
    take_turn(conn, [f"burst of {cause.line}" for cause in causes])
    known = {cause.line: _known(conn, cause.line) for cause in causes[:1]}
    found = [_of_cause(conn, cause, known[cause.line], now) for cause in causes]
    return [new for new in found if new is not None]


def _known(conn: Connection, line: str) -> float:
    """Since when the line's calls are counted: the first row of it, as finding the earliest would read them all."""
    first = select(call_causes.c.at).where(call_causes.c.line == line).order_by(call_causes.c.id).limit(1)
    return float(conn.execute(first).scalar_one())


def _of_cause(conn: Connection, cause: Row[Any], known: float, now: float) -> Noticed | None:
    back = shifts(cause.at - known)
    near = _same(bursts, cause).where(bursts.c.begins - HOUR <= cause.at, bursts.c.last + QUIET >= cause.at)
    row = conn.execute(near.order_by(bursts.c.last.desc()).limit(1)).first()
    burst = follow(cause.at, _came(conn, cause, back), back, None if row is None else _burst(row))
    if burst is None:
        return None
    if row is None and cause.kind == CATEGORY and _explained(conn, cause, burst):
        return None
    values = {"begins": burst.begins, "last": burst.last, "calls": burst.callers, "peak": burst.peak}
    words = list(_words(conn, cause, burst))
    if row is not None:
        conn.execute(update(bursts).where(bursts.c.id == row.id).values(**values, words=words))
        return None
    which = {"line": cause.line, "kind": cause.kind, "value": cause.value}
    new = insert(bursts).values(**which, **values, usual=burst.usual, noticed=now, words=words).returning(bursts)
    return _noticed(conn, conn.execute(new).one())


def _explained(conn: Connection, cause: Row[Any], burst: Burst) -> bool:
    """Whether most of a category's callers are those of a burst of one code, which is told already."""
    near = (bursts.c.begins - HOUR <= burst.last, bursts.c.last + QUIET >= burst.last)
    query = select(func.max(bursts.c.calls)).where(bursts.c.line == cause.line, bursts.c.kind != CATEGORY, *near)
    most = conn.execute(query).scalar()
    return most is not None and most >= MOSTLY * burst.callers


def _came(conn: Connection, cause: Row[Any], back: Sequence[float]) -> list[Came]:
    at = call_causes.c.at
    whole = WINDOWS[-1]
    windows = [and_(at > cause.at - shift - whole, at <= cause.at - shift) for shift in (0.0, *back)]
    query = _same(call_causes, cause, at, calls.c.e164, calls.c.key).join(calls, calls.c.id == call_causes.c.call_id)
    return [Came(when, e164 or key) for when, e164, key in conn.execute(query.where(or_(*windows)))]


def _words(conn: Connection, cause: Row[Any], burst: Burst) -> tuple[str, ...]:
    at = call_causes.c.at
    spoken = _same(call_causes, cause, call_words.c.words).join(
        call_words, call_words.c.call_id == call_causes.c.call_id
    )
    newest = spoken.order_by(at.desc())
    inside = newest.where(at >= burst.begins, at <= burst.last).limit(INSIDE)
    outside = newest.where(at < burst.begins).limit(OUTSIDE)
    said = [[set(words.split()) for words in conn.execute(query).scalars()] for query in (inside, outside)]
    return telling(*said)


def _same(table: Any, cause: Row[Any], *columns: Any) -> Any:
    """Rows of a table that are about the same."""
    return select(*(columns or (table,))).where(
        table.c.line == cause.line, table.c.kind == cause.kind, table.c.value == cause.value
    )


def _burst(row: Row[Any]) -> Burst:
    return Burst(row.begins, row.last, row.calls, row.peak, row.usual)


def _noticed(conn: Connection, row: Row[Any]) -> Noticed:
    at = call_causes.c.at
    newest = _same(call_causes, row, call_causes.c.call_id).where(at >= row.begins, at <= row.last)
    ids = conn.execute(newest.order_by(at.desc()).limit(SAMPLES)).scalars().all()
    found: Mapping[int, Row[Any]] = {one.id: one for one in conn.execute(calls_query().where(calls.c.id.in_(ids)))}
    samples = call_items_in(conn, [found[number] for number in ids if number in found])
    return Noticed(row.id, row.line, row.kind, row.value, _burst(row), row.noticed, tuple(row.words), samples)
