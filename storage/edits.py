"""What people do to tickets: fields, status, notes, splitting a call off. Private to the ledger, its errors aside.

A person's fields are columns of their own; the version counts people's edits only, so that a summary arriving while
somebody types is no conflict.
"""

from collections.abc import Mapping
from datetime import tzinfo
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, func, select

from storage.account_tables import users
from storage.findings import refresh_machine
from storage.placing import link_call, open_ticket
from storage.plain import plain
from storage.records import TicketLink, TimelineKind
from storage.search_rows import index_ticket
from storage.tables import calls, tickets
from storage.ticket_rows import add_timeline, reach_of, touch
from storage.trouble import UnknownTicketError
from tickets.rules import OpenReason
from tickets.ticket import MOVES, Reachability, Status

LONGEST_NOTE = 20_000


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


_LONGEST = {TicketField.TITLE: 500, TicketField.CATEGORY: 32, TicketField.URGENCY: 16, TicketField.OWNER: 64}


class RefusedError(Exception):
    """The change is not allowed; nothing was changed."""

    def __init__(self, refusal: Refusal, subject: str) -> None:
        super().__init__(f"{refusal.value}: {subject}")
        self.refusal = refusal


class StaleError(Exception):
    """Somebody else changed the ticket meanwhile; nothing was changed. ``version`` is the present one."""

    def __init__(self, version: int) -> None:
        super().__init__(f"the ticket is at version {version} by now")
        self.version = version


def edit(
    conn: Connection,
    ticket_id: int,
    changes: Mapping[TicketField, str | None],
    *,
    who: str,
    now: float,
    version: int,
) -> int:
    """Apply a person's changes; see ``Ledger.edit_ticket``. None or blank gives a field back to the machine."""
    row = _held(conn, ticket_id)
    if row.version != version:
        raise StaleError(row.version)
    values: dict[str, str | None] = {}
    for field, raw in changes.items():
        value = (plain(raw, LONGEST_NOTE) or "").strip() or None
        if value == getattr(row, field.value):
            continue
        _check(conn, row, field, value)
        values[field.value] = value
    if not values:
        return version
    touch(conn, ticket_id, now, {**values, "version": version + 1})
    before = {name: getattr(row, name) for name in values}
    if "status" in values:
        detail = {"from": before.pop("status"), "to": values.pop("status")}
        add_timeline(conn, ticket_id, TimelineKind.MOVED, now, who=who, detail=detail)
    if values:
        detail = {name: [before[name], value] for name, value in values.items()}
        add_timeline(conn, ticket_id, TimelineKind.EDITED, now, who=who, detail=detail)
    if "title" in values:
        index_ticket(conn, ticket_id)
    return version + 1


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


__all__ = ["Refusal", "RefusedError", "StaleError", "TicketField", "edit", "note", "split"]
