"""What became of a call whose end nobody saw, once it is found out. Private to the ledger.

A call that vanished while nobody listened is ``lost``, and so is the talk of whoever spoke then: a resync knows no
better. What is found out later takes the place of these guesses, and of nothing that was seen; that it was found out,
where and when, stays with the call and on its ticket. Found out twice is the same as once.
"""

from typing import Any

from sqlalchemy import Connection, Row, bindparam, case, delete, or_, select

from storage.happened import hold_call, write_fact
from storage.once import insert_once, update_by_id
from storage.owning import own
from storage.records import EventKind, Found, TimelineKind
from storage.tables import call_agents, call_events, calls, tickets
from storage.ticket_rows import add_timeline, reach_of, touch
from telephony.call import Answered, CallKey, Ended, Left, Outcome, Over
from tickets.ticket import Reachability

_GUESSES = (EventKind.LEFT, EventKind.STOPPED, EventKind.ENDED)
_EVENTS = select(call_events).where(call_events.c.call_id == bindparam("call")).order_by(call_events.c.at)
_TALKED = (
    select(call_agents.c.agent)
    .where(call_agents.c.call_id == bindparam("call"), call_agents.c.talked.is_not(None))
    .order_by(call_agents.c.talked, call_agents.c.id)
)
_LATEST = (
    select(calls.c.outcome, calls.c.answered)
    .where(calls.c.ticket_id == bindparam("ticket"), or_(calls.c.outcome.is_not(None), calls.c.answered.is_not(None)))
    .order_by(calls.c.arrived.desc(), calls.c.id.desc())
    .limit(1)
)
_ONE_MISSED_LESS = update_by_id(tickets).values(missed=case((tickets.c.missed > 0, tickets.c.missed - 1), else_=0))


def complete(conn: Connection, call: Row[Any], found: Found, now: float) -> bool:
    """Write how a lost call really ended; False when it is not lost (any more). The call's row is held."""
    if call.outcome != Outcome.LOST:
        return False
    key, answered = CallKey.parse(call.key), call.answered
    events = conn.execute(_EVENTS, {"call": call.id}).all()
    seen = list(conn.execute(_TALKED, {"call": call.id}).scalars())
    spoke = list(dict.fromkeys([*seen, *(talk.agent for talk in found.talks)]))
    _take_back(conn, events, spoke)
    for talk in found.talks:
        if talk.agent not in seen:
            write_fact(conn, call, Answered(call=key, at=talk.begins, agent=talk.agent, queue=talk.queue), now)
            call = _again(conn, key)
    left = {talk.agent: talk.ends for talk in found.talks}
    for agent in spoke:  # one whose leaving was seen is told a second time, which changes nothing
        why = Over.TRANSFERRED if found.talks and agent != found.talks[-1].agent else Over.ENDED
        write_fact(conn, call, Left(call=key, at=left.get(agent, found.ended), agent=agent, why=why), now)
    outcome = _outcome(found, events, spoke)
    write_fact(conn, call, Ended(call=key, at=found.ended, outcome=outcome), now)
    detail = {"was": Outcome.LOST.value, "outcome": outcome.value, "source": found.source, "ended_was": call.ended}
    mark(conn, call, detail, now)
    if call.ticket_id is not None:
        missed = reach_of(Outcome.LOST, answered) is Reachability.MISSED
        if missed and reach_of(outcome, None) is not Reachability.MISSED:
            conn.execute(_ONE_MISSED_LESS, {"the_id": call.ticket_id})
        renew_reach(conn, call.ticket_id, now)
        for agent in spoke[:1]:
            own(conn, call, call.ticket_id, agent, now)
    return True


def mark(conn: Connection, call: Row[Any], detail: dict[str, Any], now: float) -> None:
    """Note on a call and its ticket that it was written from somebody's records, not from what was heard."""
    conn.execute(update_by_id(calls), {"the_id": call.id, "completed": now})
    event = {"call_id": call.id, "kind": EventKind.COMPLETED.value, "subject": "", "moment": "", "at": now}
    insert_once(conn, call_events, event | {"detail": detail}, ["call_id", "kind", "subject", "moment"])
    if call.ticket_id is not None:
        key = f"completed:{call.key}"
        add_timeline(conn, call.ticket_id, TimelineKind.COMPLETED, now, key=key, call_id=call.id, detail=detail)


def renew_reach(conn: Connection, ticket_id: int, now: float) -> None:
    """Whether somebody spoke with the caller is told by the call that came last, not by what was written last."""
    row = conn.execute(_LATEST, {"ticket": ticket_id}).first()
    reach = None if row is None else reach_of(row.outcome, row.answered)
    if reach is not None:
        touch(conn, ticket_id, now, {"reach": reach.value})


def _guessed(row: Row[Any]) -> bool:
    detail = row.detail or {}
    return Over.LOST.value in (detail.get("why"), detail.get("outcome"))


def _take_back(conn: Connection, events: Any, spoke: list[str]) -> None:
    """Remove what a resync guessed: that talks and the call ended when it looked; rings of those who answered."""
    guesses = [
        row.id
        for row in events
        if row.kind in _GUESSES and _guessed(row) and (row.kind != EventKind.STOPPED or row.subject in spoke)
    ]
    if guesses:
        conn.execute(delete(call_events).where(call_events.c.id.in_(guesses)))


def _outcome(found: Found, events: Any, spoke: list[str]) -> Outcome:
    """What was seen wins: who spoke, spoke; a message that was left, was left."""
    if spoke or found.outcome is Outcome.ANSWERED:
        return Outcome.ANSWERED
    left_message = any(row.kind == EventKind.LEFT_MESSAGE for row in events)
    return Outcome.VOICEMAIL if left_message else found.outcome


def _again(conn: Connection, key: CallKey) -> Row[Any]:
    row = hold_call(conn, key)
    assert row is not None
    return row
