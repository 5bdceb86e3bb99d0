"""Writes one fact onto its call's row, its events and its agents. Private to the ledger.

A fact is known already when an event of the same kind, agent or queue and time is there: that makes the repeats of a
second listener, of a resync and of a retried write harmless. Two events are special. ``confirmed`` and ``ended``
happen once whatever their time. And a telephone that rings cannot begin to ring, nor can a caller enter the queue
where he waits: a fact that tells an agent's state or the queue again is a repeat too. A resync does that, with the time
of the resync, and may be written before or after what another listener saw; a stream without timestamps cannot be told
apart otherwise.
"""

from functools import cache
from typing import Any

from sqlalchemy import Connection, Row, String, Update, bindparam, case, select, update

from numbering.number import Number
from storage.metadata import Moment
from storage.once import insert_once, update_by_id
from storage.plain import plain
from storage.records import EventKind, Known, Phase
from storage.seats import who_sat
from storage.tables import call_agents, call_events, calls
from telephony.call import (
    Answered,
    Arrived,
    CallKey,
    Confirmed,
    Ended,
    Fact,
    Held,
    Left,
    LeftMessage,
    Queued,
    Rang,
    Recorded,
    Resumed,
    Routed,
    Stopped,
)

_KINDS: dict[type[Fact], EventKind] = {
    Arrived: EventKind.ARRIVED,
    Confirmed: EventKind.CONFIRMED,
    Queued: EventKind.QUEUED,
    Rang: EventKind.RANG,
    Stopped: EventKind.STOPPED,
    Answered: EventKind.ANSWERED,
    Left: EventKind.LEFT,
    Held: EventKind.HELD,
    Resumed: EventKind.RESUMED,
    Recorded: EventKind.RECORDED,
    LeftMessage: EventKind.LEFT_MESSAGE,
    Routed: EventKind.ROUTED,
    Ended: EventKind.ENDED,
}
LONGEST_KEY, LONGEST_NAME, LONGEST_SUBJECT = 200, 500, 64  # characters
_ONCE = (Confirmed, Ended)
_BUSY = (Phase.TALKING, Phase.HELD)
_HELD_CALL = select(calls).where(calls.c.key == bindparam("wanted"), calls.c.erased.is_(None)).with_for_update()
_IN_ORDER = (call_events.c.at, call_events.c.id)
_STATES = (
    select(call_events.c.kind, call_events.c.at)
    .where(call_events.c.call_id == bindparam("call"), call_events.c.subject == bindparam("subject"))
    .order_by(*_IN_ORDER)
)
_QUEUES = (
    select(call_events.c.subject, call_events.c.at)
    .where(call_events.c.call_id == bindparam("call"), call_events.c.kind == EventKind.QUEUED.value)
    .order_by(*_IN_ORDER)
)


def key_of(call: CallKey) -> str:
    """A call's key as it is kept."""
    return plain(str(call), LONGEST_KEY)


def customer_of(known: Known) -> dict[str, str | bool]:
    """The columns of a call or ticket that say whose it is."""
    name = plain(known.customer_name, LONGEST_NAME)
    return {"customer_id": plain(known.customer_id, 128), "customer_name": name, "vip": known.vip}


def hold_call(conn: Connection, key: CallKey) -> Row[Any] | None:
    """A call's row, held until the transaction ends; None when there is no such call, or it was erased."""
    return conn.execute(_HELD_CALL, {"wanted": key_of(key)}).first()


def write_arrival(conn: Connection, fact: Arrived, number: Number | None, known: Known | None, now: float) -> bool:
    """Insert the call; False when it is there already."""
    at = now if fact.at is None else fact.at
    row = {
        "key": key_of(fact.call),
        "caller": plain(fact.caller, LONGEST_NAME),
        "caller_name": plain(fact.caller_name, LONGEST_NAME),
        "e164": number.e164 if number else None,
        "ext": plain(number.ext, 16) if number else None,
        "kind": number.kind.value if number else None,
        "region": number.region if number else None,
        "line": fact.number,
        "dialled": plain(fact.dialled, LONGEST_NAME),
        "phase": Phase.ARRIVED.value,
        "arrived": at,
        "joined": False,
        **(customer_of(known) if known else {"vip": False}),
    }
    call_id = insert_once(conn, calls, row, ["key"])
    if call_id is None:
        return False
    _write_event(conn, call_id, fact, "", moment="", at=at)
    return True


def write_fact(conn: Connection, call: Row[Any], fact: Fact, now: float) -> bool:
    """Write a fact of a call whose row is held; False when it was known. The ticket is left to the caller of this."""
    at = now if fact.at is None else fact.at
    subject = plain(_subject(fact), LONGEST_SUBJECT)
    moment = "" if isinstance(fact, _ONCE) else _moment(conn, call.id, fact, subject)
    if moment is None or not _write_event(conn, call.id, fact, subject, moment=moment, at=at):
        return False
    changes = _changes(call, fact, at)
    if changes:
        conn.execute(update_by_id(calls), {"the_id": call.id, **changes})
    if isinstance(fact, Rang):
        _write_agent(conn, call.id, subject, "rang", at, now)
    elif isinstance(fact, Answered):
        _write_agent(conn, call.id, subject, "talked", at, now)
    return True


def _subject(fact: Fact) -> str:
    """Whom or what an event is about; empty for the call as a whole, as an agent who is only to be tried."""
    if isinstance(fact, Queued):
        return fact.queue
    return "" if isinstance(fact, Routed) else getattr(fact, "agent", "")


def _moment(conn: Connection, call_id: int, fact: Fact, subject: str) -> str | None:
    """What tells this event from others of its kind; None when it repeats the state just before or just after it."""
    queued = isinstance(fact, Queued)
    if fact.at is not None and not queued and (isinstance(fact, Routed) or not hasattr(fact, "agent")):
        return f"{fact.at:.6f}"
    state = subject if queued else _KINDS[type(fact)].value
    told = conn.execute(_QUEUES if queued else _STATES, {"call": call_id, "subject": subject}).all()
    if fact.at is None:
        repeated = bool(told) and told[-1][0] == state and not isinstance(fact, Recorded)
        return None if repeated else f"#{len(told)}"
    before = [was for was, at in told if at <= fact.at]
    after = [was for was, at in told if at > fact.at]
    return None if state in (*before[-1:], *after[:1]) else f"{fact.at:.6f}"


def _write_event(conn: Connection, call_id: int, fact: Fact, subject: str, *, moment: str, at: float) -> bool:
    row = {
        "call_id": call_id,
        "kind": _KINDS[type(fact)].value,
        "subject": subject,
        "moment": moment,
        "at": at,
        "detail": _detail(fact),
    }
    return insert_once(conn, call_events, row, ["call_id", "kind", "subject", "moment"]) is not None


def _detail(fact: Fact) -> dict[str, Any] | None:
    detail: dict[str, Any] = {}
    match fact:
        case Stopped() | Left():
            detail = {"why": fact.why.value}
        case Rang() | Answered():
            detail = {"queue": fact.queue}
        case Recorded():
            detail = {"files": list(fact.files), "stopped": fact.stopped}
        case LeftMessage():
            detail = {"file": fact.file}
        case Routed():
            told = {"queue": fact.queue, "agent": fact.agent, "priority": fact.priority}
            detail = {"reason": fact.reason.value} | told
        case Ended():
            detail = {"outcome": fact.outcome.value}
    return {name: value for name, value in detail.items() if value is not None} or None


def _changes(call: Row[Any], fact: Fact, at: float) -> dict[str, Any]:
    """The new values of the call's row. Nothing that comes late brings an ended call back to life."""
    if isinstance(fact, Ended):
        duration = max(0.0, at - call.arrived)
        return {"phase": Phase.ENDED.value, "ended": at, "duration": duration, "outcome": fact.outcome.value}
    changes: dict[str, Any] = {}
    if isinstance(fact, Confirmed):
        changes["confirmed"] = at
    if isinstance(fact, Answered) and (call.answered is None or at < call.answered):
        changes["answered"] = at
    phase = _phase(call.phase, fact)
    if phase is not None and call.outcome is None:
        changes["phase"] = phase.value
    return changes


def _phase(before: str, fact: Fact) -> Phase | None:
    match fact:
        case Queued():
            return Phase.QUEUED
        case Rang():
            return None if before in _BUSY else Phase.RINGING
        case Answered() | Resumed():
            return Phase.TALKING
        case Held():
            return Phase.HELD
        case LeftMessage():
            return Phase.VOICEMAIL
        case _:
            return None


def _write_agent(conn: Connection, call_id: int, agent: str, column: str, at: float, now: float) -> None:  # noqa: PLR0917
    """First ring and first talk of an agent on a call, and who sat there: whoever talks, else where it rang."""
    login = who_sat(conn, agent, at, now)
    row = {"call_id": call_id, "agent": agent, column: at, "login": login}
    if insert_once(conn, call_agents, row, ("call_id", "agent")) is None:
        conn.execute(_first(column), {"call": call_id, "who": agent, "first": at, "sat": login})


@cache
def _first(column: str) -> Update:
    """Set an agent's time where it has none yet, and who sat there; a ring after the talk tells nothing of that."""
    same = (call_agents.c.call_id == bindparam("call")) & (call_agents.c.agent == bindparam("who"))
    none_yet = call_agents.c[column].is_(None)
    silent = call_agents.c.talked.is_(None)
    sat = case((silent, bindparam("sat", type_=String)), else_=call_agents.c.login)
    return update(call_agents).where(same, none_yet).values({column: bindparam("first", type_=Moment), "login": sat})
