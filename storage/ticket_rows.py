"""Ticket rows as the noun, and rows of a ticket's timeline. Private to storage."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Case, Column, ColumnElement, Connection, Row, bindparam, case, func, update

from storage.metadata import Moment
from storage.once import insert_once
from storage.records import TimelineKind
from storage.tables import tickets, timeline
from telephony.call import Outcome
from tickets.ticket import Reachability, Status, Ticket

OPEN = tuple(status.value for status in Status if status.open)

# A person's word wins over the machine's, in every read.
TICKET_COLUMNS: tuple[ColumnElement[Any], ...] = (
    tickets.c.id,
    tickets.c.number,
    tickets.c.status,
    tickets.c.line,
    func.coalesce(tickets.c.title, tickets.c.machine_title, "").label("title"),
    tickets.c.caller,
    tickets.c.customer_id,
    tickets.c.customer_name,
    func.coalesce(tickets.c.category, tickets.c.machine_category).label("category"),
    func.coalesce(tickets.c.urgency, tickets.c.machine_urgency).label("urgency"),
    tickets.c.owner,
    tickets.c.opened,
    tickets.c.changed,
    tickets.c.calls,
)


def as_ticket(row: Row[Any]) -> Ticket:
    """A row that has TICKET_COLUMNS. ``title`` is empty until a person or a summary gave one."""
    return Ticket(
        id=row.id,
        number=row.number,
        status=Status(row.status),
        line=row.line,
        title=row.title,
        caller=row.caller,
        customer_id=row.customer_id,
        customer_name=row.customer_name,
        category=row.category,
        urgency=row.urgency,
        owner=row.owner,
        opened=row.opened,
        changed=row.changed,
        calls=row.calls,
    )


def later(column: Column[float], now: ColumnElement[float]) -> Case[float]:
    """The later of a column and ``now``: a clock that goes back does not make a ticket older."""
    return case((column < now, now), else_=column)


_NOW: ColumnElement[float] = bindparam("now", type_=Moment)
TOUCH_TICKET = update(tickets).where(tickets.c.id == bindparam("the_id")).values(changed=later(tickets.c.changed, _NOW))
JOIN_TICKET = TOUCH_TICKET.values(calls=tickets.c.calls + 1)
MISS_TICKET = TOUCH_TICKET.values(missed=tickets.c.missed + 1)


def touch(conn: Connection, ticket_id: int, now: float, values: Mapping[str, Any] | None = None) -> None:
    """Something happened on a ticket: when, and what changed."""
    conn.execute(TOUCH_TICKET, {"the_id": ticket_id, "now": now, **(values or {})})


def reach_of(outcome: str | None, answered: float | None) -> Reachability | None:
    """Whether somebody spoke with the caller of a call; None while it goes on unanswered.

    A call that was lost after it was answered was answered.
    """
    if outcome == Outcome.VOICEMAIL:
        return Reachability.VOICEMAIL
    if outcome == Outcome.ANSWERED or answered is not None:
        return Reachability.ANSWERED
    return None if outcome is None else Reachability.MISSED


def add_timeline(
    conn: Connection,
    ticket_id: int,
    kind: TimelineKind,
    at: float,
    *,
    key: str | None = None,
    who: str | None = None,
    call_id: int | None = None,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Write a line of a ticket's timeline; with a ``key`` only once (without one, rows never collide)."""
    row = {
        "ticket_id": ticket_id,
        "kind": kind.value,
        "at": at,
        "key": key,
        "who": who,
        "call_id": call_id,
        "detail": detail,
    }
    insert_once(conn, timeline, row, ("ticket_id", "key"))
