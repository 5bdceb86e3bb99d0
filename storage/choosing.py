"""Whom a person said the caller is: on the call, on its ticket, and remembered of the number. Private to the ledger.

What stood there before is kept with the choice, so that taking it back leaves everything as it was. The call's row is
held by whoever calls this, so that two people who choose at once take turns.
"""

from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, select

from crm.customer import Customer, Phone
from storage.account_tables import users
from storage.choice_tables import choices, entered_customers, number_choices
from storage.customer_rows import Prepared, write
from storage.happened import customer_of
from storage.once import insert_once, insert_or_update, update_by_id
from storage.plain import plain
from storage.recalled import Choice, Standing
from storage.records import Known, TimelineKind
from storage.search_rows import index_ticket
from storage.tables import calls, tickets
from storage.ticket_rows import add_timeline, touch

ENTERED = "hotline:"  # and a number: the id of a customer that people entered here
LONGEST_NAME, LONGEST_NOTE = 200, 2000

_OF_CALL = select(choices).where(choices.c.call_id == bindparam("call"))
_OF_NUMBER = select(number_choices).where(number_choices.c.number == bindparam("number"))
_FORGET = delete(number_choices).where(number_choices.c.number == bindparam("number_"))
_TICKET = select(tickets).where(tickets.c.id == bindparam("ticket")).with_for_update()
_ENTERED_BEFORE = select(entered_customers.c.id).where(
    entered_customers.c.call_id == bindparam("call"), entered_customers.c.name == bindparam("called")
)
_NAME = select(users.c.name).where(users.c.login == bindparam("login"))
_KEPT = ("customer_id", "customer_name", "vip")


def is_entered(customer_id: str) -> bool:
    """Whether a customer is one that people entered here, of whom no CRM knows."""
    return customer_id.startswith(ENTERED)


def number_of(e164: str | None, ext: str | None) -> str | None:
    """What choices are remembered by: behind a switchboard each extension is another's."""
    return None if e164 is None else f"{e164};ext={ext}"[:64] if ext else e164


def choose(conn: Connection, call: Row[Any], known: Known | None, who: str, now: float) -> Standing:
    """Have the call be this customer's; None takes the choice back. Chosen already, it changes nothing."""
    last = conn.execute(_OF_CALL, {"call": call.id}).first()
    chosen = None if last is None else last.customer_id
    if chosen == (None if known is None else plain(known.customer_id, 128)):
        return standing_of(last, _name(conn, last.who) if last is not None else "")
    before = last.before if last is not None and chosen is not None else _before(conn, call)
    if known is None:
        _take_back(conn, call, last, now, who)
    else:
        _write(conn, call, known, chosen, who=who, now=now)
    row = {
        "call_id": call.id,
        "number": 1 if last is None else last.number + 1,
        **(_names(known) if known is not None else {"customer_id": None, "customer_name": None}),
        "who": plain(who, 64),
        "at": now,
        "before": before,
    }
    insert_or_update(conn, choices, row, ["call_id"], [name for name in row if name != "call_id"])
    return standing_of(conn.execute(_OF_CALL, {"call": call.id}).one(), _name(conn, row["who"]))


def enter(
    conn: Connection, call: Row[Any], *, name: str, company: str | None, note: str | None, who: str, now: float
) -> Customer:
    """Make a customer of the call's caller, with the number it rings from. The same name again is the same customer."""
    row = {"call_id": call.id, "name": plain(name, LONGEST_NAME), "who": plain(who, 64), "at": now}
    made = insert_once(conn, entered_customers, row, ["call_id", "name"])
    if made is None:
        made = conn.execute(_ENTERED_BEFORE, {"call": call.id, "called": row["name"]}).scalar_one()
    phones = () if call.e164 is None else (Phone(plain(call.caller or call.e164, 64), call.e164, call.ext),)
    customer = Customer(
        id=f"{ENTERED}{made}",
        name=row["name"],
        phones=phones,
        company=plain(company, LONGEST_NAME),
        note=plain(note, LONGEST_NOTE),
    )
    write(conn, Prepared.of([customer]))
    return customer


def standing_of(row: Row[Any] | None, who: str) -> Standing:
    """A row of ``choices`` (or none) as the desk takes it; ``who``: the person's name."""
    if row is None:
        return Standing(0, None)
    if row.customer_id is None:
        return Standing(row.number, None)
    return Standing(row.number, Choice(row.customer_id, row.customer_name, who, row.at))


def _write(conn: Connection, call: Row[Any], known: Known, chosen: str | None, *, who: str, now: float) -> None:
    values = customer_of(known)
    conn.execute(update_by_id(calls), {"the_id": call.id, **values})
    ticket = _ticket(conn, call)
    if ticket is not None:
        # A ticket that was another customer's before this call stays so: a person may split the call off.
        own = ticket.calls == 1 or ticket.customer_id in (None, chosen)
        touch(conn, ticket.id, now, values if own else None)
        if own:
            index_ticket(conn, ticket.id)
        detail = {"id": values["customer_id"], "name": values["customer_name"]}
        add_timeline(conn, ticket.id, TimelineKind.CHOSEN, now, who=plain(who, 64), call_id=call.id, detail=detail)
    if (number := number_of(call.e164, call.ext)) is not None:
        row = {"number": number, **_names(known), "who": plain(who, 64), "at": now, "call": call.key}
        insert_or_update(conn, number_choices, row, ["number"], [name for name in row if name != "number"])


def _take_back(conn: Connection, call: Row[Any], last: Row[Any] | None, now: float, who: str) -> None:
    assert last is not None  # else there would be nothing to take back
    before = last.before
    conn.execute(update_by_id(calls), {"the_id": call.id, **dict(zip(_KEPT, before["call"], strict=True))})
    ticket = _ticket(conn, call)
    if ticket is not None:
        same = before["ticket"] is not None and before["ticket"][0] == ticket.id
        was = dict(zip(_KEPT, before["ticket"][1:] if same else before["call"], strict=True))
        own = ticket.customer_id == last.customer_id
        touch(conn, ticket.id, now, was if own else None)
        if own:
            index_ticket(conn, ticket.id)
        detail = {"id": last.customer_id, "name": last.customer_name}
        add_timeline(conn, ticket.id, TimelineKind.UNCHOSEN, now, who=plain(who, 64), call_id=call.id, detail=detail)
    number = number_of(call.e164, call.ext)
    remembered = None if number is None else conn.execute(_OF_NUMBER, {"number": number}).first()
    if remembered is None or remembered.call != call.key:
        return  # of a later call: that one still holds
    conn.execute(_FORGET, {"number_": number})
    if before["number"] is not None:
        insert_once(conn, number_choices, {"number": number, **before["number"]}, ["number"])


def _before(conn: Connection, call: Row[Any]) -> dict[str, Any]:
    """What stands on call, ticket and number."""
    ticket = _ticket(conn, call)
    number = number_of(call.e164, call.ext)
    remembered = None if number is None else conn.execute(_OF_NUMBER, {"number": number}).first()
    return {
        "call": [getattr(call, name) for name in _KEPT],
        "ticket": None if ticket is None else [ticket.id, *(getattr(ticket, name) for name in _KEPT)],
        "number": None
        if remembered is None
        else {name: getattr(remembered, name) for name in ("customer_id", "customer_name", "who", "at", "call")},
    }


def _ticket(conn: Connection, call: Row[Any]) -> Row[Any] | None:
    return None if call.ticket_id is None else conn.execute(_TICKET, {"ticket": call.ticket_id}).first()


def _names(known: Known) -> dict[str, Any]:
    values = customer_of(known)
    return {"customer_id": values["customer_id"], "customer_name": values["customer_name"]}


def _name(conn: Connection, login: str) -> str:
    """What colleagues call somebody; the login of who is gone."""
    return str(conn.execute(_NAME, {"login": login}).scalar() or login)
