"""How a ticket stands in the CRM, brought onto ours: what people did there is told on our timeline and followed.

Ours follows where that is a move people may make here and nobody here moved it since theirs was told ours last; nothing
that a person did on either side is undone. What we see there of our own writes is nobody's doing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select, update

from crm.connector import Item, Status
from storage.crm_ref import CrmRef, RefState
from storage.crm_ref_rows import as_ref
from storage.crm_ref_tables import crm_refs
from storage.crm_refs import LONGEST_TEXT, Turn
from storage.database import Database
from storage.edits import marks
from storage.following import Follow
from storage.plain import plain
from storage.records import TimelineKind
from storage.tables import tickets
from storage.ticket_rows import add_timeline, touch
from tickets.ticket import MOVES
from tickets.ticket import Status as Ours


class Theirs(StrEnum):
    """What was found there."""

    SAME = "same"
    OURS = "ours"  # what we wrote
    MOVED = "moved"  # people moved it; ours stays, and is owed to them as a comment where it moved as well
    FOLLOWED = "followed"  # people moved it, and ours followed
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Met:
    """``found``; our ``status`` after it; how the record is kept now."""

    found: Theirs
    status: Ours
    ref: CrmRef


_WHICH = (crm_refs.c.key == bindparam("the_key")) & (crm_refs.c.turn == bindparam("the_turn"))
_HELD_REF = select(crm_refs).where(_WHICH).with_for_update()
_WRITE = update(crm_refs).where(_WHICH)


class CrmMeeting:
    """Writes what was found. All methods raise StorageError.

    ``who``: what the CRM is called on our timeline; ``follow``: what jobs follow a change of a ticket.
    """

    def __init__(self, db: Database, who: str, follow: Follow = Follow()) -> None:  # noqa: B008 - frozen
        self._db, self._who, self._follow = db, plain(who, 64), follow

    async def met(self, turn: Turn, item: Item | None, now: float) -> Met | None:
        """Their ticket is ``item`` now, None: deleted there. None when another worker began since: look once more."""
        return await self._db.transact(lambda conn: self._met(conn, turn, item, now))

    def _met(self, conn: Connection, turn: Turn, item: Item | None, now: float) -> Met | None:
        which = {"the_key": turn.key, "the_turn": turn.token}
        number = conn.execute(select(crm_refs.c.ticket_id).where(_WHICH), which).scalar()
        if number is None:
            return None
        ticket = conn.execute(select(tickets).where(tickets.c.id == number).with_for_update()).one()
        row = conn.execute(_HELD_REF, which).first()
        if row is None:
            return None
        ref = as_ref(row)
        status = Ours(ticket.status)
        if item is None:
            found, detail = Theirs.GONE, {"gone": True}
            news: dict[str, Any] = {"state": RefState.GONE.value}
        else:
            found, status, detail = _compare(ref, item, status)
            news = {**_seen(item), **_told(ref, item, found, status)}
        conn.execute(_WRITE, {**which, **news, "at": now})
        if detail:
            self._tell(conn, ticket, status, detail, now)
        return Met(found, status, as_ref(conn.execute(_HELD_REF, which).one()))

    def _tell(self, conn: Connection, ticket: Row[Any], status: Ours, detail: Mapping[str, Any], now: float) -> None:
        """A line on our timeline. A followed move counts as a person's edit: whoever is typing sees it first."""
        moved = status.value != ticket.status
        edited = marks(ticket, ["status"], self._who, now)
        news = {"status": status.value, "version": ticket.version + 1, "edited": edited}
        touch(conn, ticket.id, now, news if moved else None)
        detail = {**detail, **({"from": ticket.status, "to": status.value} if moved else {})}
        add_timeline(conn, ticket.id, TimelineKind.CRM, now, who=self._who, detail=detail)
        self._follow.changed(conn, None, ticket.id, now)


def _compare(ref: CrmRef, item: Item, ours: Ours) -> tuple[Theirs, Ours, dict[str, Any]]:
    """What was found there, our status after it, what to tell of it."""
    first = ref.said is None
    same = item.status is ref.theirs and (first or item.said == ref.said)  # two of ours may share a word there
    detail: dict[str, Any] = {}
    if not first and item.owner != ref.owner:
        detail["owner"] = [ref.owner, item.owner]
    if ref.wanted is not None and not same and (item.status is ref.wanted or _version(ref, item)):
        return Theirs.OURS, ours, detail
    if same:
        return Theirs.OURS if ref.wanted is not None and item.status is ref.wanted else Theirs.SAME, ours, detail
    detail |= {"was": ref.said, "said": item.said}
    onto = None if item.status is Status.UNKNOWN else Ours(item.status.value)
    if onto is None or onto not in MOVES[ours] or ref.status is None or ours.value != ref.status.value:
        return Theirs.MOVED, ours, detail
    return Theirs.FOLLOWED, onto, detail


def _version(ref: CrmRef, item: Item) -> bool:
    return item.ref.version is not None and item.ref.version == ref.version


def _told(ref: CrmRef, item: Item, found: Theirs, ours: Ours) -> dict[str, Any]:
    """What of our own status this settles."""
    if found is Theirs.FOLLOWED:
        return {"status": item.status.value, "wanted": None}
    if found is Theirs.MOVED and ref.status is not None and ours.value not in (ref.status.value, item.status.value):
        return {"status": ours.value, "wanted": None, "owed": ours.value}
    if found is Theirs.OURS and ref.wanted is not None:
        return {"status": ref.wanted.value, "wanted": None}
    return {"wanted": None} if found is Theirs.MOVED else {}


def _seen(item: Item) -> dict[str, Any]:
    return {
        "version": item.ref.version,
        "theirs": item.status.value,
        "said": plain(item.said, LONGEST_TEXT),
        "owner": plain(item.owner, LONGEST_TEXT),
        "url": item.url,
    }
