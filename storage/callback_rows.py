"""Which callers are to be called back follows from their calls. Private to the ledger.

A number is to be called back for a line when a call of it there ended and nobody had spoken with it: given up, a
message left, or lost; until somebody speaks with that number, whoever rang whom and on whatever line, or a person
closes it. That is counted anew from the calls each time, so that whatever comes twice, late or from the PBX's own
records changes nothing that was not so.
"""

from typing import Any

from sqlalchemy import Connection, Row, bindparam, case, func, insert, select

from storage.callback import OPEN, CallbackState
from storage.callback_tables import callbacks
from storage.once import take_turn, update_by_id
from storage.plain import plain
from storage.records import TimelineKind
from storage.tables import calls
from storage.ticket_rows import add_timeline, touch
from telephony.call import Outcome
from tickets.ticket import Reachability

KEPT = 14 * 86400.0  # seconds; who called longer ago does not wait any more
_MISSED = (Outcome.ABANDONED.value, Outcome.VOICEMAIL.value, Outcome.LOST.value)

_ROWS = select(callbacks).where(callbacks.c.number == bindparam("number")).order_by(callbacks.c.id).with_for_update()
_LATELY = (calls.c.e164 == bindparam("number"), calls.c.arrived > bindparam("horizon"))
_SPOKEN = select(
    func.max(func.coalesce(calls.c.answered, case((calls.c.outcome == Outcome.ANSWERED.value, calls.c.ended))))
).where(*_LATELY)
_COUNTED = (
    calls.c.line == bindparam("line"),
    calls.c.outcome.in_(_MISSED),
    calls.c.answered.is_(None),
    calls.c.ticket_id.is_not(None),
    calls.c.ended > bindparam("since"),
)
_COUNT = select(func.count(), func.min(calls.c.ended)).where(*_LATELY, *_COUNTED)
_LAST = (
    select(calls.c.id, calls.c.ended, calls.c.ticket_id)
    .where(*_LATELY, *_COUNTED)
    .order_by(calls.c.ended.desc(), calls.c.id.desc())
    .limit(1)
)
_NEW = insert(callbacks)


def renew(conn: Connection, call: Row[Any], now: float) -> bool:
    """A call ended, or it was found out how; whether the list changed."""
    number, line = call.e164, call.line
    if number is None:
        return False
    rows = held(conn, number)
    row = next((row for row in rows if row.line == line), None)
    settled = 0.0 if row is None or row.settled is None else row.settled
    horizon = max(now, settled) - KEPT
    spoken = conn.execute(_SPOKEN, {"number": number, "horizon": horizon}).scalar() or 0.0
    changed = False
    for other in rows:
        if other is not row and other.state in OPEN and other.last <= spoken:
            changed |= settle(conn, other, spoken)
    wanted = {"number": number, "horizon": horizon, "line": line, "since": max(spoken, settled)}
    last = conn.execute(_LAST, wanted).first()
    if last is None:
        if row is None or row.state not in OPEN:
            return changed
        over = CallbackState.REACHED if spoken else CallbackState.DONE  # it was no missed call after all
        return settle(conn, row, spoken or now, state=over)
    count, first = conn.execute(_COUNT, wanted).one()
    seen = {
        "call_id": last.id,
        "ticket_id": last.ticket_id,
        "missed": count,
        "first": first,
        "last": last.ended,
    }
    if row is None:
        state = CallbackState.WAITING.value
        conn.execute(_NEW, {"number": number, "line": line, "state": state, "tries": 0, **seen})
        return True
    if all(getattr(row, name) == value for name, value in seen.items()):
        return changed
    values = {**seen, "state": _state(row, last.ended, now)}
    if row.state not in OPEN:
        values |= {"tries": 0, "tried": None, "result": None, "taken_by": None, "taken_until": None}
    conn.execute(update_by_id(callbacks), {"the_id": row.id, **values})
    return True


def talked(conn: Connection, number: str, at: float, who: str | None = None) -> bool:
    """Somebody speaks with this number from then on; whether the list changed. ``who``: the login, where known."""
    changed = False
    for row in held(conn, number):
        if row.state in OPEN and row.last <= at:
            changed |= settle(conn, row, at, who=who)
    return changed


def settle(
    conn: Connection,
    row: Row[Any],
    at: float,
    *,
    who: str | None = None,
    state: CallbackState = CallbackState.REACHED,
    note: str | None = None,
) -> bool:
    """Take a row off the list."""
    values = {
        "state": state.value,
        "settled": max(at, row.last),
        "settled_by": plain(who, 64),
        "taken_by": None,
        "taken_until": None,
    }
    conn.execute(update_by_id(callbacks), {"the_id": row.id, **values})
    if state is CallbackState.REACHED and row.ticket_id is not None:
        touch(conn, row.ticket_id, at, {"reach": Reachability.ANSWERED.value})
    tell(conn, row, at, who=who, state=state, detail={"text": note} if note else None)
    return True


def tell(
    conn: Connection,
    row: Row[Any],
    at: float,
    *,
    who: str | None,
    state: CallbackState,
    detail: dict[str, Any] | None = None,
) -> None:
    """A line of the ticket's timeline."""
    if row.ticket_id is not None:
        told = {"state": state.value, **(detail or {})}
        add_timeline(conn, row.ticket_id, TimelineKind.CALLBACK, at, who=who, call_id=row.call_id, detail=told)


def held(conn: Connection, number: str) -> list[Row[Any]]:
    """All rows of a number, held; whoever else writes them waits."""
    take_turn(conn, [f"callback {number}"])
    return list(conn.execute(_ROWS, {"number": number}))


def _state(row: Row[Any], last: float, now: float) -> str:
    """Who called again waits again, unless somebody is at it."""
    if row.state == CallbackState.CALLING and (row.taken_until or 0.0) > now:
        return CallbackState.CALLING.value
    tried_since = row.state == CallbackState.NOT_REACHED and (row.tried or 0.0) >= last
    return (CallbackState.NOT_REACHED if tried_since else CallbackState.WAITING).value
