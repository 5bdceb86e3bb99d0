"""Puts a call on its ticket, inside the transaction of the fact that confirmed it. ``tickets.rules`` decides."""

from datetime import datetime, tzinfo
from functools import cache
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, insert, or_, select

from storage.once import insert_into, take_turn, update_by_id
from storage.plain import plain
from storage.records import TicketLink, TimelineKind
from storage.search_rows import index_ticket
from storage.tables import calls, ticket_days, tickets
from storage.ticket_rows import JOIN_TICKET, OPEN, TICKET_COLUMNS, add_timeline, as_ticket
from tickets.rules import Incoming, Join, LinePolicy, place
from tickets.ticket import Status, Ticket

CANDIDATES = 50  # a caller with more open tickets on one line than this has other worries

_NEW_TICKET = insert(tickets).returning(tickets.c.id)


def ensure_ticket(conn: Connection, call: Row[Any], now: float, policy: LinePolicy, zone: tzinfo) -> TicketLink:
    """Join or open the ticket of a call that has none, and link it. The caller of this holds the call's row."""
    found = _candidates(conn, call)
    decision = place(Incoming(call.line, call.e164, call.customer_id, now), found, policy)
    if isinstance(decision, Join):
        ticket = next(ticket for ticket in found if ticket.id == decision.ticket_id)
        link = TicketLink(ticket.id, ticket.number, joined=True)
        conn.execute(JOIN_TICKET, {"the_id": link.id, "now": now})
    else:
        link = open_ticket(conn, call, now, zone)
    link_call(conn, call, link)
    add_timeline(
        conn,
        link.id,
        TimelineKind.JOINED if link.joined else TimelineKind.OPENED,
        now,
        key=f"placed:{call.key}",
        call_id=call.id,
        detail={"reason": decision.reason.value},
    )
    return link


def link_call(conn: Connection, call: Row[Any], link: TicketLink) -> None:
    """Write on the call which ticket it is on."""
    values = {"ticket_id": link.id, "ticket_number": link.number, "joined": link.joined}
    conn.execute(update_by_id(calls), {"the_id": call.id, **values})


def open_ticket(conn: Connection, call: Row[Any], now: float, zone: tzinfo) -> TicketLink:
    """A new ticket for a call. Its number counts the site's day; a day's counter is held until the commit."""
    day = datetime.fromtimestamp(now, zone).strftime("%Y%m%d")
    last = conn.execute(_count_day(conn.dialect.name), {"day": day, "last": 1}).scalar_one()
    number = f"{day}-{last:04d}"
    row = {
        "number": number,
        "version": 1,
        "status": Status.ACCEPTED.value,
        "line": call.line,
        "caller": call.e164 or plain(call.caller, 64),
        "customer_id": call.customer_id,
        "customer_name": call.customer_name,
        "vip": call.vip,
        "calls": 1,
        "missed": 0,
        "opened": now,
        "changed": now,
    }
    ticket_id = conn.execute(_NEW_TICKET, row).scalar_one()
    index_ticket(conn, ticket_id)
    return TicketLink(ticket_id, number, joined=False)


def _candidates(conn: Connection, call: Row[Any]) -> list[Ticket]:
    """Open tickets that the rules may choose from, held; whoever else places a call of this caller waits."""
    if call.e164 is None:
        return []
    wanted = {"line": call.line, "caller": call.e164}
    turns = [f"ticket of {call.line} {call.e164}"]
    if call.customer_id is not None:
        wanted["customer"] = call.customer_id
        turns.append(f"ticket of {call.line} customer {call.customer_id}")
    take_turn(conn, turns)
    return [as_ticket(row) for row in conn.execute(_open_tickets(known=call.customer_id is not None), wanted)]


@cache
def _open_tickets(*, known: bool) -> Select[Any]:
    same = [tickets.c.caller == bindparam("caller")]
    if known:
        same.append(tickets.c.customer_id == bindparam("customer"))
    # FOR UPDATE: nobody closes a ticket while a call joins it; by id, so that two such transactions take turns.
    query = select(*TICKET_COLUMNS).where(tickets.c.line == bindparam("line"), tickets.c.status.in_(OPEN), or_(*same))
    return query.order_by(tickets.c.id.desc()).limit(CANDIDATES).with_for_update()


@cache
def _count_day(dialect: str) -> Any:
    statement = insert_into(dialect, ticket_days)
    counted = {"last": ticket_days.c.last + 1}
    return statement.on_conflict_do_update(index_elements=["day"], set_=counted).returning(ticket_days.c.last)
