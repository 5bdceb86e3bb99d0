"""The list of calls: everybody's or somebody's own, newest first, a page at a time."""

import re
from dataclasses import dataclass

from sqlalchemy import ColumnElement, CompoundSelect, Connection, Select, false, or_, select, tuple_

from storage.call_rows import call_items_in, calls_query
from storage.pages import CallItem
from storage.search import Asker
from storage.seats import talked_by
from storage.tables import call_agents, calls, tickets
from telephony.call import Outcome

CURSOR = re.compile(r"[0-9]{1,12}(\.[0-9]{1,12})?_[0-9]{1,18}", re.ASCII)
LEAST_DIGITS = 3  # of a number, to look for it
LAST_DIGITS = 4  # of a number, by which whoever does not see it may look for it


@dataclass(frozen=True, slots=True)
class CallFilter:
    """Which calls; None everywhere means all.

    ``agent``: an extension that talked. ``since``, ``until``: epoch seconds, up to ``until`` and not beyond it.
    ``number``: E.164, then it is that caller, or some digits of it. ``whose``: only calls that are this one's to see,
    and for whoever sees no numbers ``number`` is the last four digits.
    """

    line: str | None = None
    agent: str | None = None
    outcomes: frozenset[Outcome] | None = None
    since: float | None = None
    until: float | None = None
    number: str | None = None
    whose: Asker | None = None
    customer: str | None = None


@dataclass(frozen=True, slots=True)
class CallList:
    """One page; ``cursor`` asks for the next, None at the end."""

    items: tuple[CallItem, ...]
    cursor: str | None


def call_list(conn: Connection, wanted: CallFilter, cursor: str | None, limit: int) -> CallList:
    """A page of calls, the newest first. ValueError for a cursor that is none of ours."""
    query = calls_query().where(*_conditions(wanted))
    if cursor is not None:
        if not CURSOR.fullmatch(cursor):
            raise ValueError("that is no cursor of ours")
        arrived, call_id = cursor.split("_")
        query = query.where(tuple_(calls.c.arrived, calls.c.id) < (float(arrived), int(call_id)))
    newest = query.order_by(calls.c.arrived.desc(), calls.c.id.desc()).limit(limit + 1)
    rows = conn.execute(newest).all()
    last = rows[limit - 1] if len(rows) > limit else None
    return CallList(call_items_in(conn, rows[:limit]), None if last is None else f"{last.arrived!r}_{last.id}")


def _conditions(wanted: CallFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.line is not None:
        found.append(calls.c.line == wanted.line)
    if wanted.customer is not None:
        found.append(calls.c.customer_id == wanted.customer)
    if wanted.outcomes is not None:
        found.append(calls.c.outcome.in_(sorted(outcome.value for outcome in wanted.outcomes)))
    if wanted.since is not None:
        found.append(calls.c.arrived >= wanted.since)
    if wanted.until is not None:
        found.append(calls.c.arrived < wanted.until)
    if wanted.number is not None:
        seen = wanted.whose is None or wanted.whose.numbers
        found.append(_caller(wanted.number) if seen else _tail(wanted.number))
    if wanted.agent is not None:
        found.append(calls.c.id.in_(_talked(wanted.agent)))
    if wanted.whose is not None and not wanted.whose.everything:
        found.append(calls.c.id.in_(_own(wanted.whose)))
    return found


def _caller(number: str) -> ColumnElement[bool]:
    if number.startswith("+"):
        return calls.c.e164 == number
    return or_(calls.c.e164.contains(number, autoescape=True), calls.c.caller.contains(number, autoescape=True))


def _tail(number: str) -> ColumnElement[bool]:
    if len(number) != LAST_DIGITS or not (number.isascii() and number.isdecimal()):
        return false()
    return or_(calls.c.e164.endswith(number), calls.c.e164.is_(None) & calls.c.caller.endswith(number))


def _talked(agent: str) -> Select[int]:
    return select(call_agents.c.call_id).where(call_agents.c.agent == agent, call_agents.c.talked.is_not(None))


def _own(asker: Asker) -> CompoundSelect[int]:
    owned = select(calls.c.id).join_from(calls, tickets).where(tickets.c.owner == asker.login)
    return select(call_agents.c.call_id).where(talked_by(asker.login, asker.extension)).union(owned)
