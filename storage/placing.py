"""Puts a call on its ticket, inside the transaction of the fact that confirmed it. ``tickets.rules`` decides."""

from datetime import datetime, tzinfo
from typing import Any

from sqlalchemy import Row, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.once import insert_into, take_turn
from storage.records import TicketLink, TimelineKind
from storage.tables import calls, ticket_days, tickets
from storage.ticket_rows import OPEN, TICKET_COLUMNS, add_timeline, as_ticket, later
from tickets.rules import Incoming, Join, LinePolicy, place
from tickets.ticket import Status

CANDIDATES = 50  # a caller with more open tickets on one line than this has other worries


async def ensure_ticket(
    conn: AsyncConnection, call: Row[Any], now: float, policy: LinePolicy, zone: tzinfo
) -> TicketLink:
    """Join or open the ticket of a call that has none, and link it. The caller of this holds the call's row."""
    same = []
    turns = []
    if call.e164 is not None:
        same.append(tickets.c.caller == call.e164)
        turns.append(f"ticket of {call.line} {call.e164}")
        if call.customer_id is not None:
            same.append(tickets.c.customer_id == call.customer_id)
            turns.append(f"ticket of {call.line} customer {call.customer_id}")
    await take_turn(conn, turns)
    found = []
    if same:
        query = select(*TICKET_COLUMNS).where(tickets.c.line == call.line, tickets.c.status.in_(OPEN), or_(*same))
        # FOR UPDATE: nobody closes a ticket while a call joins it; by id, so that two such transactions take turns.
        query = query.order_by(tickets.c.id.desc()).limit(CANDIDATES).with_for_update()
        found = [as_ticket(row) for row in await conn.execute(query)]
    decision = place(Incoming(call.line, call.e164, call.customer_id, now), found, policy)
    if isinstance(decision, Join):
        ticket = next(ticket for ticket in found if ticket.id == decision.ticket_id)
        link = TicketLink(ticket.id, ticket.number, joined=True)
        changes = {"calls": tickets.c.calls + 1, "changed": later(tickets.c.changed, now)}
        await conn.execute(update(tickets).where(tickets.c.id == link.id).values(changes))
    else:
        link = await open_ticket(conn, call, now, zone)
    await link_call(conn, call, link)
    await add_timeline(
        conn,
        link.id,
        TimelineKind.JOINED if link.joined else TimelineKind.OPENED,
        now,
        key=f"placed:{call.key}",
        call_id=call.id,
        detail={"reason": decision.reason.value},
    )
    return link


async def link_call(conn: AsyncConnection, call: Row[Any], link: TicketLink) -> None:
    """Write on the call which ticket it is on."""
    values = {"ticket_id": link.id, "ticket_number": link.number, "joined": link.joined}
    await conn.execute(update(calls).where(calls.c.id == call.id).values(values))


async def open_ticket(conn: AsyncConnection, call: Row[Any], now: float, zone: tzinfo) -> TicketLink:
    """A new ticket for a call. Its number counts the site's day; a day's counter is held until the commit."""
    day = datetime.fromtimestamp(now, zone).strftime("%Y%m%d")
    counted = (
        insert_into(conn, ticket_days)
        .values(day=day, last=1)
        .on_conflict_do_update(index_elements=["day"], set_={"last": ticket_days.c.last + 1})
    )
    last = (await conn.execute(counted.returning(ticket_days.c.last))).scalar_one()
    number = f"{day}-{last:04d}"
    made = insert(tickets).values(
        number=number,
        version=1,
        status=Status.ACCEPTED.value,
        line=call.line,
        caller=call.e164 or call.caller,
        customer_id=call.customer_id,
        customer_name=call.customer_name,
        vip=call.vip,
        calls=1,
        missed=0,
        opened=now,
        changed=now,
    )
    return TicketLink((await conn.execute(made.returning(tickets.c.id))).scalar_one(), number, joined=False)
