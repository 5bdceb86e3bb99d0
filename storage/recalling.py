"""What our own database knows of a caller: last calls, open tickets with what was promised, whom people chose before.

One look, beside the lookup: somebody waits with a telephone in the hand. Nothing here writes. Summaries are told as
people corrected them.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, bindparam, or_, select

from storage.account_tables import users
from storage.choice_tables import choices, number_choices
from storage.choosing import number_of, standing_of
from storage.database import Database
from storage.happened import key_of
from storage.reads import open_tickets_query
from storage.recalled import Choice, LastCall, Memory, OpenTicket
from storage.summary_edit_tables import summary_edits
from storage.summary_edits import standing
from storage.summary_json import from_json
from storage.tables import call_agents, calls
from storage.ticket_rows import as_ticket
from telephony.call import CallKey, Outcome
from tickets.ticket import Ticket
from transcription.account import Step, Summary
from transcription.corrections import corrected

MOST_TICKETS, MOST_CALLS = 20, 3
NEWEST_OF_NUMBER = 30  # calls looked at for the three that are the caller's
MOST_SUMMARIES = 30  # of all open tickets together, the newest

_SHORT = (calls.c.id, calls.c.key, calls.c.arrived, calls.c.ended, calls.c.customer_id)
_NEWEST = (calls.c.arrived.desc(), calls.c.id.desc())
_OF_CUSTOMER = (
    select(*_SHORT).where(calls.c.customer_id == bindparam("customer")).order_by(*_NEWEST).limit(NEWEST_OF_NUMBER)
)
_OF_NUMBER = select(*_SHORT).where(calls.c.e164 == bindparam("e164")).order_by(*_NEWEST).limit(NEWEST_OF_NUMBER)
_WHOLE = select(calls.c.id, calls.c.key, calls.c.arrived, calls.c.line, calls.c.outcome, calls.c.summary).where(
    calls.c.id.in_(bindparam("ids", expanding=True))
)
_SUMMED_UP = (
    select(calls.c.id, calls.c.ticket_id, calls.c.summary)
    .where(calls.c.ticket_id.in_(bindparam("tickets", expanding=True)), calls.c.summary.is_not(None))
    .order_by(calls.c.arrived.desc(), calls.c.id.desc())
    .limit(MOST_SUMMARIES)
)
_EDITS = (
    select(summary_edits)
    .where(summary_edits.c.call_id.in_(bindparam("calls", expanding=True)))
    .order_by(summary_edits.c.id)
)
_TALKED = (
    select(call_agents.c.call_id, call_agents.c.agent, call_agents.c.login)
    .where(call_agents.c.call_id.in_(bindparam("calls", expanding=True)), call_agents.c.talked.is_not(None))
    .order_by(call_agents.c.talked, call_agents.c.id)
)
_NAMES = select(users.c.login, users.c.name, users.c.extension).where(
    or_(
        users.c.login.in_(bindparam("logins", expanding=True)),
        users.c.extension.in_(bindparam("phones", expanding=True)) & users.c.active.is_(True),
    )
)
_REMEMBERED = select(number_choices).where(number_choices.c.number == bindparam("number"))
_STANDING = (
    select(choices).join_from(choices, calls, calls.c.id == choices.c.call_id).where(calls.c.key == bindparam("key"))
)


class Recall:
    """Reads it. ``phones``: what the configuration calls the agents, by extension.

    Behind a number that several share, one of them is told nothing of the others: of a known customer it is that
    customer's, and what came from the number when nobody was recognised.
    """

    def __init__(self, db: Database, phones: Mapping[str, str] | None = None) -> None:
        self._db, self._phones = db, dict(phones or {})

    async def memory(self, call: CallKey, customer_id: str | None, e164: str | None, ext: str | None = None) -> Memory:
        """All of a customer, or where nobody is sure of a number, but this very call. Raises StorageError."""
        return await self._db.look(lambda conn: self._memory(conn, call, customer_id, e164, ext))

    def _memory(
        self, conn: Connection, call: CallKey, customer_id: str | None, e164: str | None, ext: str | None
    ) -> Memory:
        opened = open_tickets_query(customer_id, e164, None, MOST_TICKETS)
        found = () if opened is None else (as_ticket(row) for row in conn.execute(opened))
        tickets = [ticket for ticket in found if customer_id is None or ticket.customer_id in (customer_id, None)]
        last = _past(conn, customer_id, e164, key_of(call))
        number = number_of(e164, ext)
        chosen = conn.execute(_STANDING, {"key": key_of(call)}).first()
        remembered = None if number is None else _before(conn, number, key_of(call), chosen)
        talked = list(conn.execute(_TALKED, {"calls": [row.id for row in last]})) if last else []
        who = [*(ticket.owner for ticket in tickets), *(row.login for row in talked)]
        who += [chosen.who] if chosen is not None else []
        who += [remembered["who"]] if remembered is not None else []
        names = _Names(conn, {login for login in who if login}, {row.agent for row in talked}, self._phones)
        summaries = _summaries(conn, tickets, last)
        return Memory(
            tickets=tuple(_open(ticket, summaries.of_ticket.get(ticket.id, ()), names) for ticket in tickets),
            calls=tuple(_last(row, summaries.of_call.get(row.id), talked, names) for row in last),
            remembered=None
            if remembered is None
            else Choice(
                remembered["customer_id"], remembered["customer_name"], names.of(remembered["who"]), remembered["at"]
            ),
            standing=None if chosen is None else standing_of(chosen, names.of(chosen.who)),
        )


def _before(conn: Connection, number: str, call: str, chosen: Row[Any] | None) -> Mapping[str, Any] | None:
    """Whom people chose when the number rang before this call."""
    row = conn.execute(_REMEMBERED, {"number": number}).mappings().first()
    if row is not None and row["call"] != call:
        return dict(row)
    before: Mapping[str, Any] | None = chosen.before["number"] if row is not None and chosen is not None else None
    return before


class _Names:
    """What people are called: by login, or by the phone where only one person has it."""

    def __init__(self, conn: Connection, logins: set[str], phones: set[str], configured: Mapping[str, str]) -> None:
        asked = {"logins": sorted(logins), "phones": sorted(phones)}
        rows = conn.execute(_NAMES, asked).all() if logins or phones else ()
        self._logins = {row.login: row.name for row in rows}
        self._sitting: dict[str, list[str]] = {}
        for row in rows:
            if row.extension is not None:
                self._sitting.setdefault(row.extension, []).append(row.name)
        self._configured = configured

    def of(self, login: str) -> str:
        """By login; the login of who is gone."""
        return str(self._logins.get(login, login))

    def at(self, phone: str, login: str | None) -> str:
        """Who talked on a phone: who sat there, else whose it is."""
        if login is not None:
            return self.of(login)
        people = self._sitting.get(phone, [])
        return people[0] if len(people) == 1 else self._configured.get(phone, phone)


class _Summaries:
    """Summaries as people have them: of calls by id, of tickets by id, the newest call's first."""

    def __init__(self) -> None:
        self.of_call: dict[int, Summary] = {}
        self.of_ticket: dict[int, list[Summary]] = {}


def _summaries(conn: Connection, tickets: Sequence[Ticket], last: Sequence[Any]) -> _Summaries:
    summed = conn.execute(_SUMMED_UP, {"tickets": [ticket.id for ticket in tickets]}).all() if tickets else []
    kept = {row.id: row.summary for row in (*summed, *last) if row.summary is not None}
    edits: dict[int, list[Row[Any]]] = {}
    for edit in conn.execute(_EDITS, {"calls": sorted(kept)}) if kept else ():
        edits.setdefault(edit.call_id, []).append(edit)
    found = _Summaries()
    for call_id, summary in kept.items():
        found.of_call[call_id] = corrected(from_json(summary), standing(edits.get(call_id, []))[0])
    for row in summed:
        found.of_ticket.setdefault(row.ticket_id, []).append(found.of_call[row.id])
    return found


def _past(conn: Connection, customer_id: str | None, e164: str | None, but: str) -> Sequence[Any]:
    """A customer's last calls, and those from the number whose caller nobody recognised; of a number all.

    Two looks along an index each, and never further than the number's newest: behind a switchboard there are thousands.
    """
    found: dict[int, Any] = {}
    if customer_id is not None:
        found |= {row.id: row for row in conn.execute(_OF_CUSTOMER, {"customer": customer_id})}
    if e164 is not None:
        rows = conn.execute(_OF_NUMBER, {"e164": e164}).all()
        found |= {row.id: row for row in rows if customer_id is None or row.customer_id is None}
    over = [row for row in found.values() if row.key != but and row.ended is not None]
    newest = sorted(over, key=lambda row: (row.arrived, row.id), reverse=True)[:MOST_CALLS]
    if not newest:
        return []
    whole = conn.execute(_WHOLE, {"ids": [row.id for row in newest]}).all()
    return sorted(whole, key=lambda row: (row.arrived, row.id), reverse=True)


def _open(ticket: Ticket, summaries: Sequence[Summary], names: _Names) -> OpenTicket:
    about = next((summary.issue for summary in summaries if summary.issue), None)
    return OpenTicket(ticket, ticket.owner and names.of(ticket.owner), about, _next(summaries))


def _next(summaries: Sequence[Summary]) -> Step | None:
    """What was promised and comes next: the newest call in which anything was promised says it.

    A follow-up in which nobody promised anything takes back nothing.
    """
    return next((summary.next_step for summary in summaries if summary.promises), None)


def _last(row: Row[Any], summary: Summary | None, talked: Sequence[Any], names: _Names) -> LastCall:
    agents = dict.fromkeys(names.at(one.agent, one.login) for one in talked if one.call_id == row.id)
    return LastCall(
        call=CallKey.parse(row.key),
        at=row.arrived,
        line=row.line,
        outcome=None if row.outcome is None else Outcome(row.outcome),
        issue=None if summary is None else summary.issue,
        category=None if summary is None else summary.category.value,
        agents=tuple(agents),
    )
