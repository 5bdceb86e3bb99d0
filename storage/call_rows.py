"""Call rows as frozen items. Private to storage."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select, exists, select
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.account_tables import users
from storage.pages import CallItem, Talker
from storage.records import Phase, RecordingKind, RecordingRow, TicketLink, Waiting
from storage.tables import call_agents, calls, recordings
from telephony.call import CallKey, Outcome
from transcription.transcript import Bleep, Level, Speaker, Transcript, Turn, Word

_SOUND = exists().where(recordings.c.call_id == calls.c.id, recordings.c.deleted.is_(None))


def calls_query() -> Select[Any]:
    """Calls with whether they have a recording; hand its rows to :func:`call_items`."""
    return select(calls, _SOUND.label("recorded"))


async def call_items(conn: AsyncConnection, rows: Sequence[Row[Any]]) -> tuple[CallItem, ...]:
    """Rows of :func:`calls_query` in their order, with the agents who talked."""
    return await conn.run_sync(call_items_in, rows)


def call_items_in(conn: Connection, rows: Sequence[Row[Any]]) -> tuple[CallItem, ...]:
    """:func:`call_items` on a plain connection."""
    talkers: dict[int, list[Talker]] = {}
    if rows:
        found = (call_agents.c.call_id, call_agents.c.agent, call_agents.c.login, users.c.name)
        talked = select(*found).join_from(call_agents, users, users.c.login == call_agents.c.login, isouter=True)
        those = call_agents.c.call_id.in_([row.id for row in rows]) & call_agents.c.talked.is_not(None)
        for call_id, *who in conn.execute(talked.where(those).order_by(call_agents.c.talked, call_agents.c.id)):
            talkers.setdefault(call_id, []).append(Talker(*who))
    return tuple(_item(row, tuple(talkers.get(row.id, ()))) for row in rows)


def _item(row: Row[Any], talkers: tuple[Talker, ...]) -> CallItem:
    return CallItem(
        key=CallKey.parse(row.key),
        caller=row.caller,
        e164=row.e164,
        region=row.region,
        line=row.line,
        phase=Phase(row.phase),
        arrived=row.arrived,
        answered=row.answered,
        ended=row.ended,
        duration=row.duration,
        outcome=None if row.outcome is None else Outcome(row.outcome),
        customer_id=row.customer_id,
        customer_name=row.customer_name,
        vip=row.vip,
        ticket=None if row.ticket_id is None else TicketLink(row.ticket_id, row.ticket_number, row.joined),
        agents=tuple(one.extension for one in talkers),
        recorded=row.recorded,
        waiting=None if row.waiting is None else Waiting(row.waiting),
        said=row.said,
        talkers=talkers,
    )


def as_recording(row: Row[Any]) -> RecordingRow:
    """A row of the recordings table."""
    return RecordingRow(
        rx=row.rx,
        tx=row.tx,
        mix=row.mix,
        seconds=row.seconds,
        repaired=row.repaired,
        kind=RecordingKind(row.kind),
        began=row.began,
        deleted=row.deleted,
    )


def as_transcript(call: Row[Any], rows: Sequence[Row[Any]]) -> Transcript | None:
    """The transcript of a call and its turns; None when nothing was transcribed yet."""
    if call.said is None:
        return None
    turns = tuple(
        Turn(
            Speaker(row.speaker),
            row.begins,
            row.ends,
            row.text,
            row.confidence,
            row.agent,
            tuple(Word(*word) for word in row.words or ()),
        )
        for row in rows
    )
    return Transcript(
        turns,
        call.engine,
        call.model,
        call.language,
        seconds=call.heard or 0.0,
        levels=tuple(Level(Speaker(speaker), *values) for speaker, *values in call.levels or ()),
        bleeps=tuple(Bleep(Speaker(speaker), *values) for speaker, *values in call.bleeps or ()),
    )
