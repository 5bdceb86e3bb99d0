"""What state each phone's agent is in, and was: a row as long as it is so, which reports read. Rows are never removed.

What follows from what is decided elsewhere; here it happens once, whoever else saw it, in a turn of each phone's own.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, insert, select, update

from storage.database import Database
from storage.happened import key_of
from storage.once import take_turn
from storage.plain import plain
from storage.seat_tables import agent_states
from storage.tables import calls
from telephony.call import CallKey


@dataclass(frozen=True, slots=True)
class KeptState:
    """A state as it is kept; ``version`` counts the changes of a phone's. ``ticket``: the call's, id and number."""

    state: str
    since: float
    reason: str | None = None
    until: float | None = None
    call: CallKey | None = None
    version: int = 0
    ticket: tuple[int, str] | None = None


Decide = Callable[[KeptState | None], KeptState | None]


class AgentStates:
    """All methods raise StorageError."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def now(self) -> Mapping[str, KeptState]:
        """What is so now, by extension; a phone that is missing here never had a state."""
        return await self._db.look(lambda conn: {row.extension: _kept(row) for row in conn.execute(_NOW)})

    async def of(self, extension: str) -> KeptState | None:
        """What is so now at one phone."""
        return await self._db.look(lambda conn: _current(conn, extension))

    async def change(
        self, extension: str, decide: Decide, *, who: str | None, now: float, cause: str | None = None
    ) -> KeptState | None:
        """Have ``decide`` say what is so from now on; what it said, None where that is no news.

        ``decide`` is given what is so, and says None to leave it; it runs in a thread, perhaps twice. ``cause``: what
        happened, where others may tell of it too; only the first of them is listened to.
        """
        told = None if cause is None else plain(cause, 255)
        return await self._db.transact(lambda conn: _change(conn, extension, decide, (who, told), now))

    async def last_work(self, extension: str, since: float) -> CallKey | None:
        """The call that the last work after a call was about, of those begun since then."""
        mine = (agent_states.c.extension == extension) & (agent_states.c.began >= since)
        query = select(agent_states.c.call).where(mine, agent_states.c.call.is_not(None))
        async with self._db.read() as conn:
            found = (await conn.execute(query.order_by(agent_states.c.began.desc()).limit(1))).scalar()
        return None if found is None else CallKey.parse(found)


def _change(
    conn: Connection, extension: str, decide: Decide, by: tuple[str | None, str | None], now: float
) -> KeptState | None:
    take_turn(conn, [f"state:{extension}"])
    who, cause = by
    if cause is not None and conn.execute(_TOLD, {"phone": extension, "cause": cause}).first() is not None:
        return None
    before = _current(conn, extension)
    after = decide(before)
    if after is None or (before is not None and _what(after) == _what(before)):
        return None
    after = replace(after, version=1 + (0 if before is None else before.version))
    work: dict[str, Any] = {"until": after.until, "call": None if after.call is None else key_of(after.call)}
    work |= {"version": after.version} | ({} if cause is None else {"cause": cause})
    if before is not None and (before.state, before.since) == (after.state, after.since):
        conn.execute(update(agent_states).where(_OPEN).values(reason=after.reason, **work), {"phone": extension})
    else:
        conn.execute(update(agent_states).where(_OPEN).values(ended=now), {"phone": extension})
        row = {"extension": extension, "state": after.state, "reason": after.reason, "who": who, "began": after.since}
        conn.execute(insert(agent_states).values(row | work))
    return _current(conn, extension)


def _what(kept: KeptState) -> tuple[object, ...]:
    return kept.state, kept.since, kept.reason, kept.until, kept.call


def _current(conn: Connection, extension: str) -> KeptState | None:
    row = conn.execute(_NOW.where(agent_states.c.extension == extension)).first()
    return None if row is None else _kept(row)


def _kept(row: Row[Any]) -> KeptState:
    return KeptState(
        state=row.state,
        since=row.began,
        reason=row.reason,
        until=row.until,
        call=None if row.call is None else CallKey.parse(row.call),
        version=row.version,
        ticket=None if row.ticket_id is None else (row.ticket_id, row.ticket_number),
    )


_NOW: Select[Any] = (
    select(agent_states, calls.c.ticket_id, calls.c.ticket_number)
    .join_from(agent_states, calls, calls.c.key == agent_states.c.call, isouter=True)
    .where(agent_states.c.ended.is_(None))
)
_OPEN = (agent_states.c.extension == bindparam("phone")) & agent_states.c.ended.is_(None)
_TOLD = select(agent_states.c.id).where(
    agent_states.c.extension == bindparam("phone"), agent_states.c.cause == bindparam("cause")
)
