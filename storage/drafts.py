"""Notes that somebody is writing: each person's own, one a ticket, until they are added. Private to storage."""

from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, delete, select

from storage.choice_tables import note_drafts
from storage.edits import LONGEST_NOTE, Refusal, RefusedError
from storage.once import insert_or_update
from storage.plain import plain
from storage.tables import tickets
from storage.trouble import UnknownTicketError

_WHICH = (note_drafts.c.ticket_id == bindparam("ticket"), note_drafts.c.login == bindparam("whose"))
_MINE = select(note_drafts).where(*_WHICH)
_GONE = delete(note_drafts).where(*_WHICH)
_THERE = select(tickets.c.number).where(tickets.c.id == bindparam("ticket"))


@dataclass(frozen=True, slots=True)
class Draft:
    """A note being written; ``at``: when it was saved last, epoch seconds, None where there is none."""

    text: str = ""
    at: float | None = None


def keep_draft(conn: Connection, ticket_id: int, login: str, text: str, now: float) -> Draft:
    """Keep what somebody has written so far; nothing but blanks: there is no draft any more."""
    number = conn.execute(_THERE, {"ticket": ticket_id}).scalar()
    if number is None:
        raise UnknownTicketError(f"no ticket {ticket_id}")
    if len(text) > LONGEST_NOTE:
        raise RefusedError(Refusal.TOO_LONG, number)
    whose = plain(login, 64)
    if not text.strip():
        conn.execute(_GONE, {"ticket": ticket_id, "whose": whose})
        return Draft()
    kept = plain(text, LONGEST_NOTE)
    row = {"ticket_id": ticket_id, "login": whose, "text": kept, "at": now}
    insert_or_update(conn, note_drafts, row, ("ticket_id", "login"), ("text", "at"))
    return Draft(kept, now)


def draft_of(conn: Connection, ticket_id: int, login: str) -> Draft:
    """What somebody has written so far."""
    row = conn.execute(_MINE, {"ticket": ticket_id, "whose": plain(login, 64)}).first()
    return Draft() if row is None else Draft(row.text, row.at)


def noted(conn: Connection, ticket_id: int, login: str, text: str) -> None:
    """A note was added: its draft goes. One that holds more than the note stays, for it was written elsewhere."""
    draft = draft_of(conn, ticket_id, login)
    if draft.at is not None and text.strip().startswith(draft.text.strip()):
        conn.execute(_GONE, {"ticket": ticket_id, "whose": plain(login, 64)})
