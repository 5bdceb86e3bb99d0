"""Callers who spoke with nobody and are to be called back: the list, and what people do with it.

Which rows there are follows from the calls (:mod:`storage.callback_rows`, in the ledger's transactions). Here people
work through them: one takes a row, for a while, and calls; or closes it, or gives it back. Each step is a line of the
ticket's timeline.
"""

from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, func, or_, select, tuple_

from storage.account_tables import users
from storage.callback import (
    LEASE,
    OPEN,
    Callback,
    CallbackError,
    CallbackPage,
    CallbackState,
    Result,
    UnknownCallbackError,
)
from storage.callback_rows import KEPT, held, settle, talked, tell
from storage.callback_tables import callbacks
from storage.database import Database
from storage.once import update_by_id
from storage.plain import plain
from storage.tables import calls, tickets
from telephony.call import CallKey, Outcome

LONGEST_NOTE = 2000
SAME = 1.0  # seconds: two services that hear of one try, where the PBX sends no times


class Callbacks:
    """The list and what people do to it. All methods raise StorageError."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def waiting(self, now: float, cursor: str | None = None, limit: int = 50) -> CallbackPage:
        """A part of the list, who waits longest first. ValueError for a cursor that is none of ours."""
        query = _query().where(callbacks.c.state.in_(OPEN), callbacks.c.last > now - KEPT)
        if cursor is not None:
            first, after = cursor.split("_")
            query = query.where(tuple_(callbacks.c.first, callbacks.c.id) > (float(first), int(after)))
        page = query.order_by(callbacks.c.first, callbacks.c.id).limit(limit + 1)
        nobodys = select(func.count()).select_from(callbacks).where(_nobodys(now))
        async with self._db.read() as conn:
            rows = (await conn.execute(page)).all()
            count = (await conn.execute(nobodys)).scalar_one()
        items = tuple(_callback(row, now) for row in rows[:limit])
        last = items[-1] if len(rows) > limit else None
        return CallbackPage(items, count, None if last is None else f"{last.first!r}_{last.id}")

    async def get(self, callback_id: int, now: float) -> Callback:
        """One row, open or not. Raises UnknownCallbackError."""
        async with self._db.read() as conn:
            row = (await conn.execute(_query().where(callbacks.c.id == callback_id))).first()
        if row is None:
            raise UnknownCallbackError(f"no callback {callback_id}")
        return _callback(row, now)

    async def take(self, callback_id: int, who: str, now: float) -> Callback:
        """One agent's for a while; taken again by the same one it lasts longer.

        Raises UnknownCallbackError, and CallbackError when somebody else has it or it is off the list.
        """

        def take(conn: Connection) -> None:
            row = _free(conn, callback_id, who, now)
            anew = row.state != CallbackState.CALLING or row.taken_by != who
            taken = {"state": CallbackState.CALLING.value, "taken_by": plain(who, 64), "taken_until": now + LEASE}
            conn.execute(update_by_id(callbacks), {"the_id": row.id, **taken})
            if anew:
                tell(conn, row, now, who=who, state=CallbackState.CALLING)

        await self._db.transact(take)
        return await self.get(callback_id, now)

    async def give_back(self, callback_id: int, who: str, now: float) -> Callback:
        """Anybody's again. Nothing happens when it is nobody's; raises as :meth:`take`."""

        def give(conn: Connection) -> None:
            row = _free(conn, callback_id, who, now)
            if row.state == CallbackState.CALLING:
                conn.execute(update_by_id(callbacks), {"the_id": row.id, **_given(row)})

        await self._db.transact(give)
        return await self.get(callback_id, now)

    async def done(self, callback_id: int, who: str, now: float, note: str | None = None) -> Callback:
        """A person closes it, whoever was called or not. Raises as :meth:`take`."""
        text = (plain(note, LONGEST_NOTE) or "").strip() or None

        def close(conn: Connection) -> None:
            settle(conn, _free(conn, callback_id, who, now), now, who=who, state=CallbackState.DONE, note=text)

        await self._db.transact(close)
        return await self.get(callback_id, now)

    async def of_number(self, number: str, now: float) -> list[Callback]:
        """The open rows of a number, on whatever lines."""
        query = _query().where(callbacks.c.number == number, callbacks.c.state.in_(OPEN)).order_by(callbacks.c.id)
        async with self._db.read() as conn:
            return [_callback(row, now) for row in await conn.execute(query)]

    async def talked(self, number: str, at: float, who: str | None = None) -> bool:
        """We called this number and somebody answered; whether the list changed."""
        return await self._db.transact(lambda conn: talked(conn, number, at, who))

    async def tried(self, number: str, result: Result, at: float, who: str | None = None) -> bool:
        """We called this number in vain; whether the list changed. Told twice it counts once."""

        def note(conn: Connection) -> bool:
            rows = [row for row in held(conn, number) if row.state in OPEN and (row.tried or 0.0) + SAME < at]
            for row in rows:
                state = CallbackState.NOT_REACHED
                tried = {"state": state.value, "taken_by": None, "taken_until": None}
                values = {**tried, "tries": row.tries + 1, "tried": at, "result": result.value}
                conn.execute(update_by_id(callbacks), {"the_id": row.id, **values})
                tell(conn, row, at, who=who, state=state, detail={"result": result.value})
            return bool(rows)

        return await self._db.transact(note)


def _query() -> Select[Any]:
    name = select(users.c.name).where(users.c.login == callbacks.c.taken_by).scalar_subquery()
    of_call = (calls.c.key, calls.c.outcome, calls.c.region, calls.c.customer_id, calls.c.customer_name, calls.c.vip)
    joined = callbacks.join(calls, calls.c.id == callbacks.c.call_id).outerjoin(
        tickets, tickets.c.id == callbacks.c.ticket_id
    )
    return select(callbacks, *of_call, tickets.c.number.label("ticket_number"), name.label("taken_name")).select_from(
        joined
    )


def _nobodys(now: float) -> ColumnElement[bool]:
    stale = and_(callbacks.c.state == CallbackState.CALLING.value, callbacks.c.taken_until <= now)
    free = callbacks.c.state.in_((CallbackState.WAITING.value, CallbackState.NOT_REACHED.value))
    return and_(callbacks.c.last > now - KEPT, or_(free, stale))


def _free(conn: Connection, callback_id: int, who: str, now: float) -> Row[Any]:
    """The row, held, if this one may do something with it."""
    row = conn.execute(select(callbacks).where(callbacks.c.id == callback_id).with_for_update()).first()
    if row is None:
        raise UnknownCallbackError(f"no callback {callback_id}")
    if row.state not in OPEN:
        raise CallbackError(f"it is off the list: {row.state}")
    if row.state == CallbackState.CALLING and row.taken_by != who and row.taken_until > now:
        raise CallbackError(f"{row.taken_by} has it", row.taken_by)
    return row


def _given(row: Row[Any]) -> dict[str, Any]:
    """The columns of a row that nobody has."""
    return {"state": _untaken(row).value, "taken_by": None, "taken_until": None}


def _untaken(row: Row[Any]) -> CallbackState:
    return CallbackState.NOT_REACHED if row.tries and row.tried >= row.last else CallbackState.WAITING


def _callback(row: Row[Any], now: float) -> Callback:
    state = CallbackState(row.state)
    stale = state is CallbackState.CALLING and row.taken_until <= now
    return Callback(
        id=row.id,
        state=_untaken(row) if stale else state,
        number=row.number,
        line=row.line,
        region=row.region,
        customer_id=row.customer_id,
        customer_name=row.customer_name,
        vip=row.vip,
        ticket=None if row.ticket_id is None else (row.ticket_id, row.ticket_number),
        call=CallKey.parse(row.key),
        outcome=Outcome(row.outcome),
        count=row.missed,
        first=row.first,
        last=row.last,
        taken_by=None if stale else row.taken_by,
        taken_name=None if stale else row.taken_name,
        taken_until=None if stale else row.taken_until,
        tries=row.tries,
        tried=row.tried,
        result=None if row.result is None else Result(row.result),
    )
