"""What was found out about a call after it was over: recording, alarms, transcript, summary. Private to the ledger.

All of it may be told again by a job that died after its commit: nothing is doubled.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from storage.once import delete_by, insert_once, insert_or_update, update_by_id
from storage.plain import plain
from storage.records import AlarmKind, RecordingKind, RecordingRow, TimelineKind
from storage.search_rows import index_call, index_ticket
from storage.summary_edits import as_people_have_them
from storage.summary_json import to_json
from storage.tables import alarms, calls, recordings, tickets, turns
from storage.ticket_rows import add_timeline, touch
from transcription.account import Summary
from transcription.transcript import Transcript

LONGEST_DETAIL, LONGEST_TURN = 2000, 100_000  # characters
_SAME_RECORDING = update(recordings).where(
    recordings.c.call_id == bindparam("call"), recordings.c.name == bindparam("same")
)
_NEW_TURNS = insert(turns)
_SUMMARIES = (
    select(calls.c.id, calls.c.summary)
    .where(calls.c.ticket_id == bindparam("ticket"), calls.c.summary.is_not(None))
    .order_by(calls.c.arrived.desc(), calls.c.id.desc())
)


def link_recording(conn: Connection, call: Row[Any], legs: RecordingRow, now: float) -> None:
    """Insert a recording, or renew what is known of it."""
    found = {
        "rx": legs.rx,
        "tx": legs.tx,
        "mix": legs.mix,
        "seconds": legs.seconds,
        "repaired": legs.repaired,
        "kind": legs.kind.value,
        "began": legs.began,
    }
    row = {"call_id": call.id, "name": plain(legs.name, LONGEST_DETAIL), "linked": now, **found}
    if insert_once(conn, recordings, row, ["call_id", "name"]) is None:
        conn.execute(_SAME_RECORDING, {"call": call.id, "same": row["name"], **found})
        return
    if call.ticket_id is not None:
        detail = None if legs.kind is RecordingKind.CALL else {"kind": legs.kind.value}
        add_timeline(conn, call.ticket_id, TimelineKind.RECORDING, now, call_id=call.id, detail=detail)


def alarm(conn: Connection, call: Row[Any], kind: AlarmKind, detail: str | None, now: float) -> None:
    """Insert an alarm, or renew its detail."""
    row = {"call_id": call.id, "kind": kind.value, "detail": plain(detail, LONGEST_DETAIL), "at": now}
    insert_or_update(conn, alarms, row, ("call_id", "kind"), ("detail",))
    if call.ticket_id is not None:
        key = f"alarm:{call.key}:{kind.value}"
        known = {"kind": kind.value}
        add_timeline(conn, call.ticket_id, TimelineKind.ALARM, now, key=key, call_id=call.id, detail=known)


def said(conn: Connection, call: Row[Any], transcript: Transcript, summary: Summary | None, now: float) -> None:
    """Replace the call's transcript and summary, and derive the ticket's machine fields anew."""
    conn.execute(delete_by(turns, "call_id"), {"wanted": call.id})
    rows = [
        {
            "call_id": call.id,
            "position": position,
            "speaker": turn.speaker.value,
            "agent": plain(turn.agent, 64),
            "begins": turn.start,
            "ends": turn.end,
            "text": plain(turn.text, LONGEST_TURN),
            "confidence": turn.confidence,
            "words": [[w.start, w.end, plain(w.text, LONGEST_TURN), w.confidence] for w in turn.words] or None,
        }
        for position, turn in enumerate(transcript.turns)
    ]
    if rows:
        conn.execute(_NEW_TURNS, rows)
    values = {
        "engine": plain(transcript.engine, 64),
        "model": plain(transcript.model, 128),
        "language": transcript.language,
        "summary": None if summary is None else to_json(summary),
        "polished": None,
        "said": now,
        "heard": transcript.seconds,
        "levels": [[level.speaker.value, level.dbfs, level.peak, level.clipped] for level in transcript.levels],
        "bleeps": [[bleep.speaker.value, bleep.start, bleep.end, bleep.what] for bleep in transcript.bleeps],
        "waiting": None,
    }
    conn.execute(update_by_id(calls), {"the_id": call.id, **values})
    index_call(conn, call, transcript.turns, summary)
    if call.ticket_id is not None:
        refresh_machine(conn, call.ticket_id)
        touch(conn, call.ticket_id, now)
        add_timeline(conn, call.ticket_id, TimelineKind.SAID, now, key=f"said:{call.key}", call_id=call.id)


def corrected(conn: Connection, call: Row[Any], who: str, now: float) -> None:
    """What a person's corrections of the call's summary mean for its ticket."""
    if call.ticket_id is not None:
        refresh_machine(conn, call.ticket_id)
        touch(conn, call.ticket_id, now)
        add_timeline(conn, call.ticket_id, TimelineKind.CORRECTED, now, who=who, call_id=call.id)


def polished(conn: Connection, call: Row[Any], said: float, made: Mapping[str, Any]) -> bool:
    """Keep what a language model made of the words that were kept at ``said``; False when they are others by now."""
    if call.said != said:
        return False
    conn.execute(update_by_id(calls), {"the_id": call.id, "polished": dict(made)})
    return True


def refresh_machine(conn: Connection, ticket_id: int) -> None:
    """The ticket's machine fields from the summaries of its calls: the latest call's that says what it is about.

    A follow-up in which no matter was heard ("is it done yet?") does not blot out what the first call was about.
    """
    rows = conn.execute(_SUMMARIES, {"ticket": ticket_id}).all()
    kept = as_people_have_them(conn, rows, ticket_id)
    best = next((summary for summary in kept if summary["issue"]), kept[0] if kept else None)
    values = {
        "summary": kept[0] if kept else None,
        "machine_title": best["issue"] if best else None,
        "machine_category": best["category"] if best else None,
        "machine_urgency": best["urgency"] if best else None,
    }
    conn.execute(update_by_id(tickets), {"the_id": ticket_id, **values})
    index_ticket(conn, ticket_id)
