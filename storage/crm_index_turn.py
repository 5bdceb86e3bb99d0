"""Whose turn it is to load and follow the CRM, over all services on one database; and what only that one writes.

Whoever has the turn keeps it by renewing it. Every write says whose it is and fails when the turn is another's by now,
so that a service that was stopped for a while cannot write over the work of the one that took its place.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, bindparam, delete, func, select, update

from storage.crm_index import CrmIndex
from storage.crm_index_rows import News, Written, write
from storage.crm_index_state import Told
from storage.crm_index_tables import index_customers, index_phones, index_state
from storage.customer_news import note_all
from storage.customer_words import Kept
from storage.metadata import Moment
from storage.once import insert_once

LEASE_S = 30.0


class LostTurnError(Exception):
    """Another one has the turn: begin anew with what stands then."""


@dataclass(frozen=True, slots=True)
class Claim:
    """The turn is ours: how far the copy is, and whether somebody asks for a load."""

    told: Told
    wanted: bool


_HOLD = (
    update(index_state)
    .where(index_state.c.worker == bindparam("the_worker"), index_state.c.source == bindparam("the_source"))
    .values(until=bindparam("the_until", type_=Moment))
)


class Turn:
    """One worker's turn. ``worker`` is its own name, ``lease_s`` how long it stays without being renewed."""

    def __init__(self, index: CrmIndex, worker: str, lease_s: float = LEASE_S) -> None:
        self.index, self.worker, self.lease_s = index, worker, lease_s

    async def take(self, now: float) -> Claim | None:
        """Take the turn; None while another has it. What was kept of another CRM is forgotten. Raises StorageError."""

        def work(conn: Connection) -> Claim | None:
            fresh = {"id": 1, "worker": None, "until": 0.0, "wanted": False, "told": Told().text()}
            insert_once(conn, index_state, fresh, ["id"])
            row = conn.execute(select(index_state).with_for_update()).one()
            if row.worker not in (None, self.worker) and row.until > now:
                return None
            told = row.told
            if row.source != self.index.source:
                note_all(conn, Kept.CRM)
                conn.execute(delete(index_phones))
                conn.execute(delete(index_customers))
                told = Told().text()
            mine = {"source": self.index.source, "worker": self.worker, "until": now + self.lease_s, "told": told}
            conn.execute(update(index_state).values(mine))
            return Claim(Told.read(told), row.wanted)

        return await self.index.db.transact(work)

    async def renew(self, now: float) -> None:
        """Keep the turn. Raises LostTurnError, StorageError."""
        await self.index.db.transact(lambda conn: self._hold(conn, now))

    async def release(self) -> None:
        """Let another have the turn. Raises StorageError."""
        free = update(index_state).where(index_state.c.worker == self.worker).values(worker=None, until=0.0)
        await self.index.db.transact(lambda conn: conn.execute(free))

    async def step(self, told: Told, news: Sequence[News], now: float) -> Written:
        """Write news, and how far it is now, together. Raises LostTurnError, StorageError."""
        rows = await self.index.ready(news)

        def work(conn: Connection) -> Written:
            self._hold(conn, now)
            written = write(conn, rows)
            conn.execute(update(index_state).values(told=told.text()))
            return written

        return await self.index.db.transact(work)

    async def begin(self, told: Told, now: float) -> None:
        """A load begins: whoever asked for one has it. Raises LostTurnError, StorageError."""

        def work(conn: Connection) -> None:
            self._hold(conn, now)
            conn.execute(update(index_state).values(told=told.text(), wanted=False))

        await self.index.db.transact(work)

    async def vanished(self, load: int, began: float) -> int:
        """How many customers the copy has that this load did not list and nobody saw since. Raises StorageError."""
        wanted = select(func.count()).where(*_unlisted(load, began), index_customers.c.card.is_not(None))
        return await self.index.db.look(lambda conn: conn.execute(wanted).scalar_one())

    async def end(self, told: Told, now: float, *, drop: bool) -> None:
        """A load is over: with ``drop`` what it did not list is dropped. Raises LostTurnError, StorageError.

        Without, only those long known to be gone are forgotten. Whoever asked for a load meanwhile has it.
        """
        assert told.began is not None
        old = _unlisted(told.load, told.began)
        if not drop:
            old = (*old, index_customers.c.card.is_(None))

        def work(conn: Connection) -> None:
            self._hold(conn, now)
            conn.execute(
                delete(index_phones).where(index_phones.c.customer_id.in_(select(index_customers.c.id).where(*old)))
            )
            note_all(conn, Kept.CRM, *old)
            conn.execute(delete(index_customers).where(*old))
            conn.execute(update(index_state).values(told=told.text(), wanted=False))

        await self.index.db.transact(work)

    def _hold(self, conn: Connection, now: float) -> None:
        mine = {"the_worker": self.worker, "the_source": self.index.source, "the_until": now + self.lease_s}
        if conn.execute(_HOLD, mine).rowcount != 1:
            raise LostTurnError(self.worker)


async def want(index: CrmIndex) -> None:
    """Ask whoever has the turn, or takes it next, for a load. Raises StorageError."""

    def work(conn: Connection) -> None:
        fresh = {"id": 1, "worker": None, "until": 0.0, "wanted": True, "told": Told().text()}
        insert_once(conn, index_state, fresh, ["id"])
        conn.execute(update(index_state).values(wanted=True))

    await index.db.transact(work)


def _unlisted(load: int, began: float) -> tuple[ColumnElement[bool], ...]:
    return index_customers.c.load < load, index_customers.c.seen < began
