"""People's corrections of summaries: kept beside the machine's, laid over it where it is read, and counted."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, func, insert, or_, select

from storage.plain import plain
from storage.summary_edit_tables import summary_edits
from storage.summary_json import from_json, to_json
from storage.tables import calls
from transcription.account import Summary
from transcription.corrections import Change, Correction, Part, corrected, said, sound

_LONGEST_KEY = 2000
_OF_CALL = select(summary_edits).where(summary_edits.c.call_id == bindparam("call")).order_by(summary_edits.c.id)
_OF_TICKET = (
    select(summary_edits)
    .join_from(summary_edits, calls)
    .where(calls.c.ticket_id == bindparam("ticket"))
    .order_by(summary_edits.c.id)
)
_NEW = insert(summary_edits)


class UnsoundError(ValueError):
    """There is no summary to correct, or a change says what a summary cannot hold; nothing was changed."""


class CorrectedMeanwhileError(Exception):
    """Somebody else corrected this summary meanwhile; nothing was changed. ``last``: the number of what they did."""

    def __init__(self, last: int) -> None:
        super().__init__(f"the summary was corrected meanwhile (number {last})")
        self.last = last


@dataclass(frozen=True, slots=True)
class Corrected:
    """How much of a line's summaries people corrected. ``parts``: calls in which that part was, by its name.

    ``engine`` and ``model`` made the transcript; ``summaries`` are those of calls with one, ``edited`` of them were
    corrected in anything.
    """

    line: str
    engine: str
    model: str
    summaries: int
    edited: int
    parts: dict[str, int]


def edits_query(call_id: int) -> Select[Any]:
    """Every correction of a call, oldest first, for :func:`standing`."""
    return select(summary_edits).where(summary_edits.c.call_id == call_id).order_by(summary_edits.c.id)


def standing(rows: Sequence[Row[Any]]) -> tuple[tuple[Correction, ...], int]:
    """What holds of a call's corrections, and the number of the last one (0: there is none)."""
    last = {(row.part, row.key): row for row in rows}
    held = tuple(
        Correction(Part(row.part), row.key, row.value, row.machine, row.who, row.at)
        for row in last.values()
        if not row.undone
    )
    return held, max((row.id for row in rows), default=0)


def correct(conn: Connection, call: Row[Any], changes: Sequence[Change], *, who: str, now: float, seen: int) -> bool:
    """Keep a person's corrections; False when they say nothing new. Raises UnsoundError, CorrectedMeanwhileError."""
    if call.summary is None:
        raise UnsoundError("this call has no summary")
    machine = from_json(call.summary)
    held, last = standing(conn.execute(_OF_CALL, {"call": call.id}).all())
    for change in changes:
        if not sound(change):
            raise UnsoundError(f"{change.part.value} cannot be that")
    if last != seen:
        raise CorrectedMeanwhileError(last)
    have = {(one.part, one.key): one.value for one in held}
    rows = []
    for change in changes:
        place = (change.part, change.key)
        theirs = said(machine, change.part, change.key)
        undo = change.undo or change.value == theirs
        if (undo and place not in have) or (not undo and place in have and have[place] == change.value):
            continue
        rows.append(
            {
                "call_id": call.id,
                "part": change.part.value,
                "key": plain(change.key, _LONGEST_KEY),
                "value": None if undo or change.value is None else dict(change.value),
                "machine": None if theirs is None else dict(theirs),
                "undone": undo,
                "who": plain(who, 64),
                "at": now,
                "engine": call.engine,
                "model": call.model,
            }
        )
    if rows:
        conn.execute(_NEW, rows)
    return bool(rows)


def as_people_have_them(conn: Connection, rows: Sequence[Row[int, Any]], ticket_id: int) -> list[dict[str, Any]]:
    """The summaries of a ticket's calls (rows of id and summary) as JSON, their corrections laid over them."""
    edits: dict[int, list[Row[Any]]] = {}
    for edit in conn.execute(_OF_TICKET, {"ticket": ticket_id}) if rows else ():
        edits.setdefault(edit.call_id, []).append(edit)
    return [
        to_json(corrected(from_json(row.summary), standing(edits[row.id])[0])) if row.id in edits else row.summary
        for row in rows
    ]


def laid_over(kept: Summary | None, rows: Sequence[Row[Any]]) -> tuple[Summary | None, tuple[Correction, ...], int]:
    """A summary with its corrections, those, and the number of the last one."""
    held, last = standing(rows)
    return (None if kept is None else corrected(kept, held)), held, last


def counts(conn: Connection, since: float) -> tuple[Corrected, ...]:
    """How much was corrected of the calls that arrived since then, by line and model; most summaries first."""
    by = (calls.c.line, calls.c.engine, calls.c.model)
    made = select(*by, func.count()).where(calls.c.arrived >= since, calls.c.summary.is_not(None)).group_by(*by)
    summaries = {(line, engine or "", model or ""): count for line, engine, model, count in conn.execute(made)}
    edits = (
        select(summary_edits, calls.c.line, calls.c.engine.label("now_engine"), calls.c.model.label("now_model"))
        .join_from(summary_edits, calls)
        .where(calls.c.arrived >= since, or_(calls.c.summary.is_not(None), summary_edits.c.model.is_not(None)))
        .order_by(summary_edits.c.id)
    )
    last = {(row.call_id, row.part, row.key): row for row in conn.execute(edits)}
    edited: dict[tuple[str, str, str], dict[str, set[int]]] = {}
    for row in last.values():
        if row.undone:
            continue
        made_by = (row.line, row.engine or "", row.model or "")
        parts = edited.setdefault(made_by, {})
        parts.setdefault(row.part, set()).add(row.call_id)
        if made_by[1:] != (row.now_engine or "", row.now_model or ""):  # another model has summed it up since
            parts.setdefault("", set()).add(row.call_id)
    found = []
    for key in summaries.keys() | edited.keys():
        parts = edited.get(key, {})
        gone = parts.pop("", set())
        every = set().union(*parts.values()) if parts else set()
        by_part = {part: len(ids) for part, ids in sorted(parts.items())}
        line, engine, model = key
        found.append(Corrected(line, engine, model, summaries.get(key, 0) + len(gone), len(every), by_part))
    return tuple(sorted(found, key=lambda one: (-one.summaries, one.line, one.engine, one.model)))
