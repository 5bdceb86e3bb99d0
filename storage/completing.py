"""What became of a call whose end nobody saw, once it is found out. Private to the ledger.

A call that vanished while nobody listened is ``lost``, and so is the talk of whoever spoke then: a resync knows no
better. What is found out later takes the place of these guesses, and of nothing that was seen; that it was found out,
where and when, stays with the call and on its ticket. Found out twice is the same as once.
"""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Row, bindparam, case, delete, or_, select

from storage.callback_rows import renew
from storage.happened import hold_call, write_fact
from storage.once import insert_once, update_by_id
from storage.owning import own
from storage.records import EventKind, Found, TimelineKind
from storage.tables import call_agents, call_events, calls, tickets
from storage.ticket_rows import add_timeline, reach_of, touch
from telephony.call import Answered, CallKey, Ended, Left, Outcome, Over
from tickets.ticket import Reachability

_COARSE = 1.0  # seconds: a record's times are whole ones
_TALK = (EventKind.ANSWERED, EventKind.HELD, EventKind.RESUMED, EventKind.LEFT)
_GUESSES = (EventKind.LEFT, EventKind.STOPPED, EventKind.ENDED)
_EVENTS = (
    select(call_events).where(call_events.c.call_id == bindparam("call")).order_by(call_events.c.at, call_events.c.id)
)
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
    kept = _take_back(conn, events, spoke)
    for fact in _talks(key, found, kept, seen):
        write_fact(conn, call, fact, now)
        call = _again(conn, key)
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
    renew(conn, call, now)
    return True


def amend(conn: Connection, call: Row[Any], found: Found, now: float) -> bool:
    """Write who spoke unheard in a call that is over; False when that is nobody new. The call's row is held.

    For a call that outlived a gap: its end was heard, what happened in the gap was not.
    """
    if call.outcome is None or call.outcome == Outcome.LOST:
        return complete(conn, call, found, now)
    key, before = CallKey.parse(call.key), reach_of(call.outcome, call.answered)
    events = conn.execute(_EVENTS, {"call": call.id}).all()
    seen = list(conn.execute(_TALKED, {"call": call.id}).scalars())
    talks = [fact for fact in _talks(key, found, events, seen) if fact.agent not in seen]
    for fact in talks:
        write_fact(conn, call, fact, now)
        call = _again(conn, key)
    spoke = list(dict.fromkeys(fact.agent for fact in talks))
    if not spoke:
        return False
    answered = Outcome.ANSWERED.value
    detail = {"was": call.outcome, "outcome": answered, "source": found.source, "agents": spoke}
    conn.execute(update_by_id(calls), {"the_id": call.id, "outcome": answered})
    for row in events:
        if row.kind == EventKind.ENDED:
            conn.execute(update_by_id(call_events), {"the_id": row.id, "detail": {"outcome": answered}})
    mark(conn, call, detail, now)
    if call.ticket_id is not None:
        if before is Reachability.MISSED:
            conn.execute(_ONE_MISSED_LESS, {"the_id": call.ticket_id})
        renew_reach(conn, call.ticket_id, now)
        own(conn, call, call.ticket_id, (seen or spoke)[0], now)
    renew(conn, call, now)
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


def _take_back(conn: Connection, events: Sequence[Row[Any]], spoke: Collection[str]) -> list[Row[Any]]:
    """Remove what a resync guessed: that talks and the call ended when it looked; rings of those who answered.

    What is left of ``events``.
    """
    guesses = {
        row.id
        for row in events
        if row.kind in _GUESSES and _guessed(row) and (row.kind != EventKind.STOPPED or row.subject in spoke)
    }
    if guesses:
        conn.execute(delete(call_events).where(call_events.c.id.in_(guesses)))
    return [row for row in events if row.id not in guesses]


def _talks(key: CallKey, found: Found, events: Sequence[Row[Any]], seen: Sequence[str]) -> Iterator[Answered | Left]:
    """The talks that nobody heard begin, and the ends of those that nobody heard end."""
    last = {row.subject: row for row in events if row.kind in _TALK}  # the latest of each agent: they come in order
    talking = {agent: row.at for agent, row in last.items() if row.kind != EventKind.LEFT}
    gone = {agent: row.at for agent, row in last.items() if row.kind == EventKind.LEFT}
    before = found.talks[0].begins if found.talks else 0.0  # one talk after the other, whatever was cut off their times
    for talk in found.talks:
        agent = talk.agent
        if agent not in talking and talk.begins > gone.get(agent, talk.begins - 2 * _COARSE) - _COARSE:
            talking[agent] = max(talk.begins, before, gone.get(agent, before))
            yield Answered(call=key, at=talking[agent], agent=agent, queue=talk.queue)
        if agent in talking and talk.ends > talking[agent] - _COARSE:
            gone[agent] = max(talk.ends, talking.pop(agent))
            why = Over.ENDED if talk is found.talks[-1] else Over.TRANSFERRED
            yield Left(call=key, at=gone[agent], agent=agent, why=why)
        before = max(before, min(gone.get(agent, before), talk.ends + _COARSE))
    for agent in [agent for agent in seen if agent in talking]:
        yield Left(call=key, at=max(found.ended, talking[agent]), agent=agent, why=Over.ENDED)


def _outcome(found: Found, events: Sequence[Row[Any]], spoke: Collection[str]) -> Outcome:
    """What was seen wins: who spoke, spoke; a message that was left, was left."""
    if spoke or found.outcome is Outcome.ANSWERED:
        return Outcome.ANSWERED
    left_message = any(row.kind == EventKind.LEFT_MESSAGE for row in events)
    return Outcome.VOICEMAIL if left_message else found.outcome


def _again(conn: Connection, key: CallKey) -> Row[Any]:
    row = hold_call(conn, key)
    assert row is not None
    return row
