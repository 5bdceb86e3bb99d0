"""Rows of tickets as the items of a list. Private to storage."""

from typing import Any

from sqlalchemy import ColumnElement, Row, Select, select

from storage.pages import TicketItem
from storage.tables import tickets
from storage.ticket_rows import TICKET_COLUMNS, as_ticket
from tickets.ticket import Reachability


def ticket_items(*more: ColumnElement[Any]) -> Select[Any]:
    """Tickets; hand its rows to :func:`ticket_item`."""
    return select(*TICKET_COLUMNS, tickets.c.vip, tickets.c.reach, tickets.c.missed, tickets.c.version, *more)


def ticket_item(row: Row[Any]) -> TicketItem:
    """A row of :func:`ticket_items`."""
    reach = None if row.reach is None else Reachability(row.reach)
    return TicketItem(as_ticket(row), row.vip, reach, row.missed, row.version)
