"""What was found out about a call after it was over: recording, alarms, transcript, summary. Private to the ledger.

All of it may be told again by a job that died after its commit: nothing is doubled.
"""

from typing import Any

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.once import insert_into, insert_once
from storage.records import AlarmKind, RecordingRow, TimelineKind
from storage.summary_json import to_json
from storage.tables import alarms, calls, recordings, tickets, turns
from storage.ticket_rows import add_timeline, later
from transcription.account import Summary
from transcription.transcript import Transcript


async def link_recording(conn: AsyncConnection, call: Row[Any], legs: RecordingRow, now: float) -> None:
    """Insert a recording, or renew what is known of it."""
    found = {
        "rx": legs.rx,
        "tx": legs.tx,
        "mix": legs.mix,
        "seconds": legs.seconds,
        "repaired": legs.repaired,
    }
    row = {"call_id": call.id, "name": legs.name, "linked": now, **found}
    if await insert_once(conn, recordings, row, ["call_id", "name"]) is None:
        same = (recordings.c.call_id == call.id) & (recordings.c.name == legs.name)
        await conn.execute(update(recordings).where(same).values(found))
        return
    if call.ticket_id is not None:
        await add_timeline(conn, call.ticket_id, TimelineKind.RECORDING, now, call_id=call.id)


async def alarm(conn: AsyncConnection, call: Row[Any], kind: AlarmKind, detail: str | None, now: float) -> None:
    """Insert an alarm, or renew its detail."""
    row = insert_into(conn, alarms).values(call_id=call.id, kind=kind.value, detail=detail, at=now)
    await conn.execute(row.on_conflict_do_update(index_elements=["call_id", "kind"], set_={"detail": detail}))
    if call.ticket_id is not None:
        key = f"alarm:{call.key}:{kind.value}"
        known = {"kind": kind.value}
        await add_timeline(conn, call.ticket_id, TimelineKind.ALARM, now, key=key, call_id=call.id, detail=known)


async def said(
    conn: AsyncConnection, call: Row[Any], transcript: Transcript, summary: Summary | None, now: float
) -> None:
    """Replace the call's transcript and summary, and derive the ticket's machine fields anew."""
    await conn.execute(delete(turns).where(turns.c.call_id == call.id))
    rows = [
        {
            "call_id": call.id,
            "position": position,
            "speaker": turn.speaker.value,
            "agent": turn.agent,
            "begins": turn.start,
            "ends": turn.end,
            "text": turn.text.replace("\0", ""),  # PostgreSQL keeps no NUL
            "confidence": turn.confidence,
        }
        for position, turn in enumerate(transcript.turns)
    ]
    if rows:
        await conn.execute(insert(turns), rows)
    values = {
        "engine": transcript.engine,
        "model": transcript.model,
        "language": transcript.language,
        "summary": None if summary is None else to_json(summary),
        "said": now,
        "waiting": None,
    }
    await conn.execute(update(calls).where(calls.c.id == call.id).values(values))
    if call.ticket_id is not None:
        await refresh_machine(conn, call.ticket_id)
        renewed = update(tickets).where(tickets.c.id == call.ticket_id)
        await conn.execute(renewed.values(changed=later(tickets.c.changed, now)))
        await add_timeline(conn, call.ticket_id, TimelineKind.SAID, now, key=f"said:{call.key}", call_id=call.id)


async def refresh_machine(conn: AsyncConnection, ticket_id: int) -> None:
    """The ticket's machine fields from the summaries of its calls: the latest call's that says what it is about.

    A follow-up in which no matter was heard ("is it done yet?") does not blot out what the first call was about.
    """
    query = select(calls.c.summary).where(calls.c.ticket_id == ticket_id, calls.c.summary.is_not(None))
    kept = (await conn.execute(query.order_by(calls.c.arrived.desc(), calls.c.id.desc()))).scalars().all()
    best = next((summary for summary in kept if summary["issue"]), kept[0] if kept else None)
    values = {
        "summary": kept[0] if kept else None,
        "machine_title": best["issue"] if best else None,
        "machine_category": best["category"] if best else None,
        "machine_urgency": best["urgency"] if best else None,
    }
    await conn.execute(update(tickets).where(tickets.c.id == ticket_id).values(values))
