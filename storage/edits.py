"""What people do to tickets: fields, status, notes, splitting a call off. Private to the ledger, its errors aside.

A person's fields are columns of their own; the version counts people's edits only, so that a summary arriving while
somebody types is no conflict. Nor is a colleague's change of another field: of each field is kept who changed it last
and to which version. Only who would overwrite what a colleague did since they looked is told.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, select

from storage.account_tables import users
from storage.findings import refresh_machine
from storage.once import update_by_id
from storage.placing import link_call, open_ticket
from storage.plain import plain
from storage.records import TicketLink, TimelineKind
from storage.search_rows import index_ticket
from storage.tables import calls, tickets, timeline
from storage.ticket_rows import add_timeline, reach_of, touch
from storage.trouble import UnknownTicketError
from tickets.rules import OpenReason
from tickets.ticket import MOVES, Reachability, Status

LONGEST_NOTE = 20_000
ONE_EDIT = 300.0  # seconds in which what one person changes of a ticket is one line of its timeline


class TicketField(StrEnum):
    """What a person may change. The value is the column's name."""

    STATUS = "status"
    TITLE = "title"
    CATEGORY = "category"
    URGENCY = "urgency"
    OWNER = "owner"


class Refusal(StrEnum):
    """Why a person's change was refused."""

    MOVE = "move"  # this status cannot become that one
    STATUS = "status"  # no such status
    TOO_LONG = "too_long"
    OWNER = "owner"  # nobody has that login
    ONLY_CALL = "only_call"  # a ticket's only call cannot leave it
    EMPTY = "empty"


_LAST_LINE = select(timeline).where(timeline.c.ticket_id == bindparam("ticket")).order_by(timeline.c.id.desc()).limit(1)
_LONGEST = {TicketField.TITLE: 500, TicketField.CATEGORY: 32, TicketField.URGENCY: 16, TicketField.OWNER: 64}


class RefusedError(Exception):
    """The change is not allowed; nothing was changed."""

    def __init__(self, refusal: Refusal, subject: str) -> None:
        super().__init__(f"{refusal.value}: {subject}")
        self.refusal = refusal


@dataclass(frozen=True, slots=True)
class Meanwhile:
    """What a colleague made of a field since one looked: ``value`` stands there now, by ``who`` (login), since then."""

    field: TicketField
    value: str | None
    who: str
    at: float


class StaleError(Exception):
    """Somebody else changed the same fields meanwhile; nothing was changed. ``version`` is the present one."""

    def __init__(self, version: int, meanwhile: Sequence[Meanwhile] = ()) -> None:
        names = ", ".join(one.field.value for one in meanwhile)
        super().__init__(f"the ticket is at version {version} by now; changed by others: {names}")
        self.version, self.meanwhile = version, tuple(meanwhile)


def edit(
    conn: Connection,
    ticket_id: int,
    changes: Mapping[TicketField, str | None],
    *,
    who: str,
    now: float,
    version: int,
) -> tuple[int, bool]:
    """Apply a person's changes; see ``Ledger.edit_ticket``. None or blank gives a field back to the machine.

    The version after it, and whether anything was changed. Raises StaleError, of all fields in question at once, and
    RefusedError.
    """
    row = _held(conn, ticket_id)
    values: dict[str, str | None] = {}
    newer = []
    for field, raw in changes.items():
        value = (plain(raw, LONGEST_NOTE) or "").strip() or None
        if value == getattr(row, field.value):
            continue
        if (other := _meanwhile(row, field, version, who)) is not None:
            newer.append(other)
        values[field.value] = value
    if newer:
        raise StaleError(row.version, newer)
    for name, value in values.items():
        _check(conn, row, TicketField(name), value)
    if not values:
        return int(row.version), False
    after = row.version + 1
    marked = marks(row, values, who, now)
    touch(conn, ticket_id, now, {**values, "version": after, "edited": marked})
    before = {name: getattr(row, name) for name in values}
    if "status" in values:
        detail = {"from": before.pop("status"), "to": values.pop("status")}
        add_timeline(conn, ticket_id, TimelineKind.MOVED, now, who=who, detail=detail)
    if values:
        _tell(conn, ticket_id, {name: [before[name], value] for name, value in values.items()}, who, now)
    if "title" in values:
        index_ticket(conn, ticket_id)
    return int(after), True


def marks(row: Row[Any], fields: Iterable[str], who: str, now: float) -> dict[str, Any]:
    """Who changed each field of a ticket last, to which version and when, once ``fields`` are changed."""
    return {**(row.edited or {}), **{name: [row.version + 1, who, now] for name in fields}}


def _meanwhile(row: Row[Any], field: TicketField, version: int, who: str) -> Meanwhile | None:
    """What a colleague did to a field after ``version``. One's own last word counts, in whichever tab it was said."""
    last = (row.edited or {}).get(field.value)
    if last is None or last[0] <= version or last[1] == who:
        return None
    return Meanwhile(field, getattr(row, field.value), last[1], last[2])


def _tell(conn: Connection, ticket_id: int, changed: Mapping[str, list[str | None]], who: str, now: float) -> None:
    """A line of the timeline; while one person goes on typing it stays one, with what was there at first."""
    last = conn.execute(_LAST_LINE, {"ticket": ticket_id}).first()
    goes_on = last is not None and last.kind == TimelineKind.EDITED and last.who == who
    if last is None or not goes_on or not 0 <= now - last.at < ONE_EDIT:
        add_timeline(conn, ticket_id, TimelineKind.EDITED, now, who=who, detail=changed)
        return
    told = dict(last.detail or {})
    for name, (was, value) in changed.items():
        told[name] = [told[name][0] if name in told else was, value]
    conn.execute(update_by_id(timeline), {"the_id": last.id, "at": now, "detail": told})


def note(conn: Connection, ticket_id: int, text: str, who: str, now: float) -> None:
    """Add a note to the timeline."""
    row = _held(conn, ticket_id)
    if not text.strip():
        raise RefusedError(Refusal.EMPTY, row.number)
    if len(text) > LONGEST_NOTE:
        raise RefusedError(Refusal.TOO_LONG, row.number)
    touch(conn, ticket_id, now)
    detail = {"text": plain(text.strip(), LONGEST_NOTE)}
    add_timeline(conn, ticket_id, TimelineKind.NOTED, now, who=who, detail=detail)
    index_ticket(conn, ticket_id)


def split(conn: Connection, call: Row[Any], who: str, now: float, zone: tzinfo) -> TicketLink:
    """Give a call a ticket of its own, with what the machine knows of the call; nothing a person typed moves."""
    if call.ticket_id is None:
        raise RefusedError(Refusal.ONLY_CALL, call.key)
    old = _held(conn, call.ticket_id)
    if old.calls < 2:  # noqa: PLR2004 - one would be left with none
        raise RefusedError(Refusal.ONLY_CALL, call.key)
    missed = int(reach_of(call.outcome, call.answered) is Reachability.MISSED)
    link = open_ticket(conn, call, now, zone)
    link_call(conn, call, link)
    touch(conn, old.id, now, {"calls": old.calls - 1, "missed": old.missed - missed, "reach": _reach(conn, old.id)})
    touch(conn, link.id, now, {"missed": missed, "reach": _reach(conn, link.id), "owner": who})
    refresh_machine(conn, old.id)
    refresh_machine(conn, link.id)
    there, back = {"to": link.number}, {"reason": OpenReason.SPLIT.value, "from": old.number}
    add_timeline(conn, old.id, TimelineKind.SPLIT, now, who=who, call_id=call.id, detail=there)
    add_timeline(conn, link.id, TimelineKind.OPENED, now, who=who, call_id=call.id, detail=back)
    return link


def _held(conn: Connection, ticket_id: int) -> Row[Any]:
    row = conn.execute(select(tickets).where(tickets.c.id == ticket_id).with_for_update()).first()
    if row is None:
        raise UnknownTicketError(f"no ticket {ticket_id}")
    return row


def _check(conn: Connection, row: Row[Any], field: TicketField, value: str | None) -> None:
    if field is TicketField.STATUS:
        if value not in set(Status):
            raise RefusedError(Refusal.STATUS, str(value))
        if Status(value) not in MOVES[Status(row.status)]:
            raise RefusedError(Refusal.MOVE, f"{row.status} -> {value}")
    elif value is not None and len(value) > _LONGEST[field]:
        raise RefusedError(Refusal.TOO_LONG, field.value)
    elif field is TicketField.OWNER and value is not None:
        known = select(users.c.id).where(users.c.login == value, users.c.active.is_(True))
        if conn.execute(known).first() is None:
            raise RefusedError(Refusal.OWNER, value)


def _reach(conn: Connection, ticket_id: int) -> str | None:
    """What the call that was answered or over last says of a ticket."""
    last = func.coalesce(calls.c.ended, calls.c.answered)
    query = select(calls.c.outcome, calls.c.answered).where(calls.c.ticket_id == ticket_id, last.is_not(None))
    call = conn.execute(query.order_by(last.desc(), calls.c.id.desc()).limit(1)).first()
    reach = None if call is None else reach_of(call.outcome, call.answered)
    return None if reach is None else reach.value


__all__ = ["Meanwhile", "Refusal", "RefusedError", "StaleError", "TicketField", "edit", "marks", "note", "split"]
